//! The words of `-t`.

use crate::problem::Text;

/// The settings can be used.
pub const VALID: Text = Text::part("valid", "настройки в порядке");
pub const LISTENS: Text = Text::part("listens on", "принимает соединения на");
pub const ALLOW: Text = Text::part("admits", "допускает");
pub const EVERYONE: Text = Text::part("everyone", "всех");
pub const BASE_URL: Text = Text::part("firmware URLs begin with", "ссылки на прошивку начинаются с");
pub const AS_CALLED: Text =
    Text::part("http:// and what the registrar called us", "http:// и того имени, по которому касса обратилась");
pub const PROXIES: Text = Text::part("believes X-Forwarded-For of", "верит X-Forwarded-For от");
pub const NONE: Text = Text::part("nobody", "никого");
pub const HELD: Text = Text::part("holds back repeated updates of", "удерживает повторные обновления");
pub const HELD_DRIVERS: Text = Text::part(
    "JavaPOS drivers (field build_date, Java/ in User-Agent)",
    "драйверов JavaPOS (поле build_date, Java/ в User-Agent)",
);
pub const HELD_NOBODY: Text = Text::part("nobody (hold_repeats = no)", "ничьи (hold_repeats = no)");
pub const LICENSES: Text = Text::part("licences", "лицензий");
pub const HINTS: Text = Text::part("hints", "советов");
pub const PROBLEMS: Text = Text::part("problems", "проблем");
pub const AS_SERVICE: Text = Text::part("run again as the service's user,", "запуск от имени пользователя службы:");
pub const NOT_AS_SERVICE: Text = Text::part("that did not work", "не получилось");
pub const AS_USER: Text = Text::part("looked as user", "проверено от имени пользователя");
pub const OTHER_USER: Text =
    Text::part(": a service of another user may see less", ": служба с другим пользователем может видеть меньше");
pub const OFFER: Text = Text::part("offer: version", "предлагается версия");
pub const NO_OFFER: Text = Text::part(
    "offer: none, registrars are told that there is no update",
    "не предлагается ничего, кассам сообщается, что обновлений нет",
);
pub const BYTES: Text = Text::part("bytes", "байт");
pub const LATEST: Text = Text::part("the latest", "самая новая");
pub const ONE_REFUSED: Text =
    Text::part("the newest that is whole; {0} is refused, see below", "самая новая из целых; {0} отвергнута, см. ниже");
pub const MANY_REFUSED: Text =
    Text::part("the newest that is whole; {0} are refused, see below", "самая новая из целых; {0} отвергнуты, см. ниже");
pub const AND: Text = Text::part(" and ", " и ");
pub const REGISTRAR: Text = Text::part("a registrar at", "касса по адресу");
