//! The page's texts, one table for each language.

use super::snapshot::GROUPS;
use crate::problem::Language;
use crate::registrars::STATES;

/// Words with a number in them at `{}`: for one, for two to four, for five and more, as Russian has them.
pub type Counted = [&'static str; 3];

/// What the page says.
pub struct Texts {
    /// Language tag of the page.
    pub tag: &'static str,
    /// The problems' language.
    pub language: Language,
    /// Between groups of three digits.
    pub separator: char,

    // The headline.
    pub nothing_offered: &'static str,
    pub need_hands: Counted,
    pub refused: &'static str,
    pub changing: &'static str,
    pub silent: Counted,
    pub problem_count: Counted,
    pub nobody_seen: &'static str,
    pub in_order: &'static str,
    /// Before the versions that are offered.
    pub offered: &'static str,
    /// Between a version and the number of registrars it is for.
    pub offered_to: &'static str,
    /// Before and after a newer version that is refused.
    pub newer: &'static str,
    pub newer_refused: &'static str,

    // Finding registrars.
    pub find: &'static str,
    pub find_hint: &'static str,
    pub show: &'static str,
    pub found: &'static str,
    pub of: &'static str,
    pub show_all: &'static str,
    pub not_listed: Counted,

    // Registrars.
    /// In the order of `Group`.
    pub groups: [&'static str; GROUPS],
    /// The state and the group of those that are told "no update" while nothing is offered.
    pub no_update: &'static str,
    /// What the third group is about.
    pub states_of_offers: &'static str,
    pub silent_advice: &'static str,
    pub trial_note: &'static str,
    /// In the order of `State`.
    pub states: [&'static str; STATES],
    /// Heads of the registrars' table.
    pub heads: [&'static str; 7],
    pub tills: Counted,
    pub bytes: &'static str,
    pub running: &'static str,
    pub complete: &'static str,
    pub cut: &'static str,

    // Everything else.
    pub problems: &'static str,
    pub hints: &'static str,
    pub firmware: &'static str,
    pub firmware_heads: [&'static str; 5],
    pub everyone: &'static str,
    pub critical_before: &'static str,
    pub image_heads: [&'static str; 3],
    pub licenses: &'static str,
    pub license_heads: [&'static str; 2],
    pub since_start: &'static str,
    /// In the order of `Totals::named`.
    pub totals: [&'static str; 8],
    /// Units of time, with the space before them: seconds, minutes, hours, days.
    pub units: [&'static str; 4],
    pub ago: &'static str,
    pub loaded: &'static str,
    pub up_for: &'static str,
    pub refresh: &'static str,
    pub stop_refresh: &'static str,
    pub busy: &'static str,
    pub busy_note: &'static str,
}

impl Texts {
    /// The form that goes with a number.
    pub fn form(&self, forms: &Counted, count: usize) -> &'static str {
        let index = match (self.language, count % 10, count % 100) {
            (Language::English, ..) => usize::from(count != 1) * 2,
            (Language::Russian, _, 11..=14) => 2,
            (Language::Russian, 1, _) => 0,
            (Language::Russian, 2..=4, _) => 1,
            (Language::Russian, ..) => 2,
        };
        forms[index]
    }
}

pub static TEXTS: [Texts; 2] = [
    Texts {
        tag: "en",
        language: Language::English,
        separator: ',',
        nothing_offered: "Nothing can be offered",
        need_hands: ["{} till needs hands", "{} tills need hands", "{} tills need hands"],
        refused: "{} is refused",
        changing: "{} is being copied",
        silent: ["{} silent", "{} silent", "{} silent"],
        problem_count: ["{} problem", "{} problems", "{} problems"],
        nobody_seen: "In order; no till has asked yet",
        in_order: "In order",
        offered: "Offered ",
        offered_to: " to ",
        newer: "newer ",
        newer_refused: " refused: ",
        find: "Find",
        find_hint: "address or state",
        show: "Show",
        found: "Found ",
        of: " of ",
        show_all: "Show all",
        not_listed: [
            "{} more is not listed: find it by its address, or see /status",
            "{} more are not listed: find them by address or state, or see /status",
            "{} more are not listed: find them by address or state, or see /status",
        ],
        groups: ["needs hands", "silent", "under way", "up to date", "trials"],
        no_update: "no update",
        states_of_offers: "These get their update by themselves; “critical” is the kind of the offer.",
        silent_advice: "Not seen for two days or more. If such a till is in use, restart its POS program: a driver whose check \
                        failed once stops asking.",
        trial_note: "No driver, and checked fewer than three times: somebody tries something. They do not count above.",
        states: [
            "mislabelled",
            "stuck",
            "critical",
            "update offered",
            "downloading",
            "cut",
            "taken",
            "up to date",
            "silent",
            "trial",
        ],
        heads: ["Address", "State", "Built", "Seen", "Offered", "Taken", "Last download"],
        tills: ["{} till", "{} tills", "{} tills"],
        bytes: " bytes",
        running: "under way",
        complete: "complete",
        cut: "cut",
        problems: "Problems",
        hints: "Hints",
        firmware: "Firmware",
        firmware_heads: ["Version", "For", "Tills", "Have it", "Description"],
        everyone: "everyone",
        critical_before: "critical if built before ",
        image_heads: ["File", "Bytes", "SHA-256"],
        licenses: "Licences",
        license_heads: ["File", "Licences"],
        since_start: "Since the start",
        totals: [
            "Checks",
            "Updates offered",
            "Updates held back",
            "Downloads complete",
            "Downloads cut",
            "Licences handed out",
            "Serial numbers unknown",
            "Requests refused",
        ],
        units: [" s", " min", " h", " d"],
        ago: " ago",
        loaded: "reloaded ",
        up_for: "running for ",
        refresh: "renew every {} s",
        stop_refresh: "stop renewing",
        busy: "Too many pages at once",
        busy_note: "This page is being sent to many browsers that read slowly. Load it again in a few seconds; registrars are not \
                    affected.",
    },
    Texts {
        tag: "ru",
        language: Language::Russian,
        separator: '\u{a0}',
        nothing_offered: "Предложить нечего",
        need_hands: ["{} касса требует вмешательства", "{} кассы требуют вмешательства", "{} касс требуют вмешательства"],
        refused: "{} не принята",
        changing: "{} копируется",
        silent: ["{} молчит", "{} молчат", "{} молчат"],
        problem_count: ["{} проблема", "{} проблемы", "{} проблем"],
        nobody_seen: "Всё в порядке; кассы ещё не обращались",
        in_order: "Всё в порядке",
        offered: "Предлагается ",
        offered_to: " для ",
        newer: "более новая ",
        newer_refused: " не принята: ",
        find: "Найти",
        find_hint: "адрес, состояние",
        show: "Показать",
        found: "Найдено ",
        of: " из ",
        show_all: "Показать все",
        not_listed: [
            "Ещё {} не показана: найдите её по адресу или смотрите /status",
            "Ещё {} не показаны: найдите их по адресу или состоянию или смотрите /status",
            "Ещё {} не показаны: найдите их по адресу или состоянию или смотрите /status",
        ],
        groups: ["нужна помощь", "без связи", "в пути", "в норме", "пробы"],
        no_update: "нет версии",
        states_of_offers: "Эти кассы обновятся сами; «критично» - вид предложения.",
        silent_advice: "Не было на связи двое суток или дольше. Если касса работает, перезапустите кассовую программу: после одной \
                        неудачной проверки драйвер перестаёт спрашивать.",
        trial_note: "Не драйвер, и проверок меньше трёх: кто-то пробует. Выше они не учтены.",
        states: [
            "ошибка в имени папки",
            "застряла",
            "критично",
            "предложено",
            "загружает",
            "обрыв",
            "загружено",
            "актуальна",
            "молчит",
            "проба",
        ],
        heads: ["Адрес", "Состояние", "Сборка", "На связи", "Предложено", "Загружено", "Последняя загрузка"],
        tills: ["{} касса", "{} кассы", "{} касс"],
        bytes: " байт",
        running: "идёт",
        complete: "полностью",
        cut: "обрыв",
        problems: "Проблемы",
        hints: "Советы",
        firmware: "Прошивки",
        firmware_heads: ["Версия", "Для кого", "Касс", "Уже есть", "Описание"],
        everyone: "для всех",
        critical_before: "критично для сборок до ",
        image_heads: ["Файл", "Байт", "SHA-256"],
        licenses: "Лицензии",
        license_heads: ["Файл", "Лицензий"],
        since_start: "С момента запуска",
        totals: [
            "Проверок",
            "Предложено обновлений",
            "Придержано обновлений",
            "Загрузок полностью",
            "Загрузок оборвано",
            "Выдано лицензий",
            "Неизвестных номеров",
            "Отклонено запросов",
        ],
        units: [" с", " мин", " ч", " дн"],
        ago: " назад",
        loaded: "перечитано ",
        up_for: "работает ",
        refresh: "обновлять каждые {} с",
        stop_refresh: "не обновлять",
        busy: "Слишком много страниц сразу",
        busy_note: "Страница сейчас передаётся многим медленным браузерам. Откройте её ещё раз через несколько секунд; касс это не \
                    касается.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_words_take_the_form_of_their_number() {
        let cases =
            [(0, 2, 2), (1, 0, 0), (2, 2, 1), (4, 2, 1), (5, 2, 2), (11, 2, 2), (12, 2, 2), (21, 2, 0), (22, 2, 1), (111, 2, 2)];
        for (count, english, russian) in cases {
            let forms = ["0", "1", "2"];
            assert_eq!(TEXTS[0].form(&forms, count), forms[english], "{count}");
            assert_eq!(TEXTS[1].form(&forms, count), forms[russian], "{count}");
        }
    }
}
