//! The operator's language, as the environment says it.

use std::env;

use crate::problem::Language;

/// The language of what is printed for people.
pub fn of_environment() -> Language {
    choose(["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| env::var(name).unwrap_or_default()))
}

/// The first that is set decides. Russian only where the terminal can show it.
fn choose(values: [String; 3]) -> Language {
    let locale = values.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_ascii_lowercase();
    let is_russian = locale.strip_prefix("ru").is_some_and(|rest| rest.starts_with(['_', '.']));
    let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
    if is_russian && is_utf8 { Language::Russian } else { Language::English }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_is_chosen_by_the_first_that_is_set_and_only_in_utf8() {
        for (all, messages, lang, is_russian) in [
            ("", "", "", false),
            ("", "", "ru_RU.UTF-8", true),
            ("", "", "ru_RU.utf8", true),
            ("", "", "ru.UTF-8", true),
            ("", "", "ru_RU.KOI8-R", false),
            ("", "", "ru_RU", false),
            ("", "", "ru", false),
            ("", "", "run.UTF-8", false),
            ("", "", "en_US.UTF-8", false),
            ("", "ru_RU.UTF-8", "en_US.UTF-8", true),
            ("", "C", "ru_RU.UTF-8", false),
            ("C.UTF-8", "ru_RU.UTF-8", "ru_RU.UTF-8", false),
            ("ru_BY.UTF-8", "C", "C", true),
        ] {
            let expected = if is_russian { Language::Russian } else { Language::English };
            assert_eq!(choose([all, messages, lang].map(str::to_owned)), expected, "{all} {messages} {lang}");
        }
    }
}
