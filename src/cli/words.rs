//! The words of the command line. What `-t` says of problems stands with the problems.

use crate::problem::{Text, text};

/// The settings can be used.
pub const VALID: Text = text!("valid", "настройки в порядке");
pub const LISTENS: Text = text!("listens on", "принимает соединения на");
pub const ALLOW: Text = text!("admits", "допускает");
pub const EVERYONE: Text = text!("everyone", "всех");
pub const BASE_URL: Text = text!("firmware URLs begin with", "ссылки на прошивку начинаются с");
pub const AS_CALLED: Text =
    text!("http:// and what the registrar called us", "http:// и того имени, по которому касса обратилась");
pub const PROXIES: Text = text!("believes X-Forwarded-For of", "верит X-Forwarded-For от");
pub const NONE: Text = text!("nobody", "никого");
pub const HELD: Text = text!("holds back repeated updates of", "удерживает повторные обновления");
pub const HELD_DRIVERS: Text =
    text!("JavaPOS drivers (field build_date, Java/ in User-Agent)", "драйверов JavaPOS (поле build_date, Java/ в User-Agent)",);
pub const HELD_NOBODY: Text = text!("nobody (hold_repeats = no)", "ничьи (hold_repeats = no)");
pub const LICENSES: Text = text!("licences", "лицензий");
pub const HINTS: Text = text!("hints", "советов");
pub const PROBLEMS: Text = text!("problems", "проблем");
pub const AS_SERVICE: Text =
    text!("started as root, looks as the service's user {0}", "запуск от root, проверка от имени пользователя службы: {0}");
pub const NOT_AS_SERVICE: Text = text!("that did not work ({0})", "не получилось ({0})");
pub const AS_USER: Text = text!("looked as user", "проверено от имени пользователя");
pub const OTHER_USER: Text =
    text!(": a service of another user may see less", ": служба с другим пользователем может видеть меньше");
pub const OFFER: Text = text!("offer: version", "предлагается версия");
pub const NO_OFFER: Text = text!(
    "offer: none, registrars are told that there is no update",
    "не предлагается ничего, кассам сообщается, что обновлений нет",
);
pub const BYTES: Text = text!("bytes", "байт");
pub const LATEST: Text = text!("the latest", "самая новая");
pub const ONE_REFUSED: Text =
    text!("the newest that is whole; {0} is refused, see below", "самая новая из целых; {0} отвергнута, см. ниже");
pub const MANY_REFUSED: Text =
    text!("the newest that is whole; {0} are refused, see below", "самая новая из целых; {0} отвергнуты, см. ниже");
pub const AND: Text = text!(" and ", " и ");
pub const REGISTRAR: Text = text!("a registrar at", "касса по адресу");
pub const UNKNOWN_USER: Text = text!("unknown", "неизвестно");

// --- Usage errors --------------------------------------------------------------------------------

/// What follows each.
pub const SEE_HELP: Text =
    text!("; \"susv --help\" lists what is understood", "; что понимает программа, покажет \"susv --help\"");
pub const NEEDS: Text = text!("{0} needs {1}", "после {0} нужно указать {1}");
pub const NEEDS_OTHER: Text = text!("{0} needs {1}, and {2} is none", "после {0} нужно указать {1}, а указано {2}");
pub const FILE: Text = text!("a file", "файл");
pub const FOLDER: Text = text!("a folder", "папку");
pub const ADDRESS: Text = text!("an address", "адрес");
pub const DATE: Text = text!("a date", "дату");
pub const UNKNOWN: Text = text!("unknown argument {0}", "неизвестный аргумент {0}");
pub const TWICE: Text = text!(
    "{0} is given twice, or with another of -t, --init, --help and --version",
    "{0} указано дважды или вместе с другим из -t, --init, --help и --version",
);
pub const EACH_OTHER: Text = text!("--as and --built need each other", "--as и --built указываются только вместе друг с другом");
pub const NEED_TEST: Text = text!("--as and --built need -t", "--as и --built указываются только вместе с -t");
pub const INIT_ALONE: Text = text!(
    "--init takes no -c: the settings it makes are DIR/config.ini",
    "--init не сочетается с -c: настройки создаются в ПАПКА/config.ini",
);
pub const NOT_ADDRESS: Text = text!("--as {0} is not an IPv4 or IPv6 address", "--as {0} - это не адрес IPv4 или IPv6");
pub const NOT_DATE: Text = text!("--built {0} is not a date DD.MM.YYYY", "--built {0} - это не дата ДД.ММ.ГГГГ");

// --- Making a folder -----------------------------------------------------------------------------

pub const CREATED: Text = text!("created {0}", "создан {0}");
pub const UNCHANGED: Text = text!("{0} was there already and is unchanged", "{0} уже есть и оставлен без изменений");
pub const NEXT: Text = text!(
    "Next: copy a firmware folder (named yyyymmdd) to {0}, licence files (.slf) to {1}, then: susv -c {2}",
    "Дальше: скопируйте папку с прошивкой (имя ггггммдд) в {0}, файлы лицензий (.slf) в {1}, затем: susv -c {2}",
);
pub const CANNOT_CREATE: Text = text!(
    "cannot create {0} ({1}): choose a folder you may write to",
    "не создать {0} ({1}): выберите папку, в которую вам можно писать",
);

/// `--help`.
pub const HELP: Text = text!(
    "\
susv: firmware-update and licence server for cash registers

  susv [-c FILE]       serve; settings from FILE, else from config.ini here
  susv [-c FILE] -t    print what the service would do, offer and refuse; exit 0
                       if there is no problem. As root it looks as user susv.
       --as ADDRESS --built DD.MM.YYYY
                       with -t: what a registrar at ADDRESS would be told
  susv --init DIR      make DIR with a commented config.ini and the folders
                       firmware and licenses; overwrites nothing
  susv -h, --help      this text
  susv -V, --version   version and commit

Signals: SIGTERM and SIGINT stop (downloads under way are finished),
         SIGHUP looks at once for what has changed.
Exit codes: 0 done, 1 could not start (with -t: there are problems),
            2 wrong usage, 78 wrong settings.
",
    "\
susv: сервер обновления прошивок и лицензий для касс

  susv [-c ФАЙЛ]       работать; настройки из ФАЙЛА, иначе из ./config.ini
  susv [-c ФАЙЛ] -t    показать, что служба делала бы, предлагала и отвергала;
                       код 0, если проблем нет. От root проверяет как susv.
       --as АДРЕС --built ДД.ММ.ГГГГ
                       вместе с -t: что было бы сказано кассе по АДРЕСУ
  susv --init ПАПКА    создать ПАПКУ с config.ini, где всё пояснено, и папками
                       firmware и licenses; ничего не перезаписывает
  susv -h, --help      этот текст
  susv -V, --version   версия и коммит

Сигналы: SIGTERM и SIGINT останавливают (начатые загрузки завершаются),
         SIGHUP - сразу посмотреть, что изменилось.
Коды выхода: 0 сделано, 1 не запустилась (с -t: есть проблемы),
             2 ошибка в командной строке, 78 ошибка в настройках.
",
);
