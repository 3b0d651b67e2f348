//! Words for what can be wrong with a file of settings.

use super::words::{Text, text};

/// A line is not text.
pub const LINE_NOT_UTF8: Text = text!(
    "LINE-NOT-UTF8",
    "the line is not UTF-8: save the file in the encoding UTF-8",
    "строка не в UTF-8: сохраните файл в кодировке UTF-8",
);

/// A line holds what no editor shows.
pub const LINE_CONTROL: Text = text!(
    "LINE-CONTROL",
    "the line holds a control character: write it anew",
    "в строке есть управляющий символ: наберите её заново",
);

/// A line is the head of a section.
pub const LINE_SECTION: Text = text!(
    "LINE-SECTION",
    "sections are not used: the file is flat \"key = value\" lines; remove this one",
    "разделов здесь нет: файл состоит из строк \"ключ = значение\"; удалите эту",
);

/// Nothing stands left of the `=`.
pub const LINE_NO_KEY: Text = text!(
    "LINE-NO-KEY",
    "no key before \"=\": expected \"key = value\"",
    "перед \"=\" нет ключа: ожидается \"ключ = значение\"",
);

/// There is no `=`.
pub const LINE_NO_EQUALS: Text = text!(
    "LINE-NO-EQUALS",
    "no \"=\": expected \"key = value\", or a comment that begins with # or ;",
    "нет знака \"=\": ожидается \"ключ = значение\" или комментарий, который начинается с # или ;",
);

/// A value stands in quotes.
pub const QUOTES: Text = text!(
    "HINT-QUOTES",
    "the quotes belong to the value of {0}: remove them if they are not meant",
    "кавычки входят в значение {0}: уберите их, если они не нужны",
);

/// A value may end with a comment.
pub const COMMENT: Text = text!(
    "HINT-COMMENT",
    "what follows {1} belongs to the value of {0}: a comment needs a line of its own",
    "всё после {1} входит в значение {0}: комментарию нужна своя строка",
);

/// The file cannot be read.
pub const UNREADABLE: Text = text!("SETTINGS-UNREADABLE", "cannot be read ({0}): {1}", "не читается ({0}): {1}");

/// The file is in another encoding.
pub const UTF16: Text = text!(
    "SETTINGS-UTF16",
    "the file is UTF-16: save it in the encoding UTF-8",
    "файл в UTF-16: сохраните его в кодировке UTF-8",
);

/// The file is the old server's.
pub const PYTHON: Text = text!(
    "SETTINGS-PYTHON",
    "these are the settings of the old server (config.py): docs/migrate.md shows both side by side; a new file is made by \"susv --init DIR\"",
    "это настройки прежнего сервера (config.py): сравнение тех и других - в docs/migrate.md; новый файл создаёт \"susv --init ПАПКА\"",
);

/// A value cannot be understood.
pub const INVALID: Text =
    text!("SETTING-INVALID", "{0} = {1} is not valid: expected {2}", "{0} = {1} - недопустимое значение: ожидается {2}");

/// A key is nearly one of ours.
pub const MISSPELT: Text =
    text!("KEY-MISSPELT", "unknown key {0}; did you mean {1}?", "неизвестный ключ {0}; возможно, имелся в виду {1}?");

/// A key is not one of ours.
pub const UNKNOWN: Text = text!(
    "KEY-UNKNOWN",
    "unknown key {0}: correct or remove it; the keys are {1}",
    "неизвестный ключ {0}: исправьте его или удалите; известны {1}",
);

/// A key is there twice.
pub const REPEATED: Text = text!(
    "KEY-REPEATED",
    "{0} stands already in line {1}: leave one of the two",
    "{0} уже есть в строке {1}: оставьте одну из двух",
);

/// The one key without a default is not there.
pub const VERSION_MISSING: Text = text!(
    "VERSION-MISSING",
    "current_firmware_version is missing: give the version to offer as yyyymmdd (for example 20260301), or latest",
    "нет current_firmware_version: укажите предлагаемую версию как ггггммдд (например, 20260301) или latest",
);

/// The limits of image sizes exclude each other.
pub const SIZES: Text = text!(
    "SIZES-CROSSED",
    "min_image_kb = {0} is more than max_image_kb = {1}, so that no image could be offered: lower min_image_kb or raise max_image_kb",
    "min_image_kb = {0} больше, чем max_image_kb = {1}, и ни один образ не подошёл бы: уменьшите min_image_kb или увеличьте max_image_kb",
);

/// Something is in the folder that is handed out.
pub const INSIDE_FIRMWARE: Text = text!(
    "PATH-INSIDE-FIRMWARE",
    "{0} = {1} lies inside firmware_path = {2}, and files in there are handed out to anyone: choose a place outside",
    "{0} = {1} находится внутри firmware_path = {2}, а файлы оттуда выдаются всем: выберите место снаружи",
);

/// The folder that is handed out holds the settings.
pub const HOLDS_SETTINGS: Text = text!(
    "FIRMWARE-HOLDS-SETTINGS",
    "firmware_path = {0} holds this file of settings, and files in there are handed out to anyone: give the firmware a folder of its own (for example firmware)",
    "внутри firmware_path = {0} лежит этот файл настроек, а файлы оттуда выдаются всем: отведите прошивкам отдельную папку (например, firmware)",
);

/// The log would be written into the settings.
pub const LOG_OVER_SETTINGS: Text = text!(
    "LOG-OVER-SETTINGS",
    "log_file = {0} is this file of settings, and the log would be written into it: give the log a file of its own",
    "log_file = {0} - это сам файл настроек, журнал писался бы в него: отведите журналу отдельный файл",
);

/// The log would be written into a licence file.
pub const LOG_OVER_LICENSES: Text = text!(
    "LOG-OVER-LICENCES",
    "log_file = {0} is a licence file of feature_licenses_path = {1}, and the log would be written into it: give the log a file of its own",
    "log_file = {0} - файл лицензий из feature_licenses_path = {1}, журнал писался бы в него: отведите журналу отдельный файл",
);

/// What follows from mistakes while the server runs.
pub const KEPT: Text = text!(
    "SETTINGS-KEPT",
    "mistakes in the file: {0}; the settings stay as they were until it is mended",
    "ошибок в файле: {0}; пока он не исправлен, действуют прежние настройки",
);

/// What follows from mistakes at a start.
pub const NOTHING_OFFERED: Text = text!(
    "SETTINGS-BAD-START",
    "mistakes in the file: {0}; registrars are told that there is no update until it is mended",
    "ошибок в файле: {0}; пока он не исправлен, кассам сообщается, что обновлений нет",
);

/// What follows from mistakes where nobody can be answered.
pub const NOT_STARTED: Text = text!(
    "SETTINGS-NO-START",
    "mistakes in the file: {0}; the service does not start until it is mended; where systemd holds its socket it starts, and registrars are told that there is no update",
    "ошибок в файле: {0}; пока он не исправлен, служба не запустится; если её сокет держит systemd, она запустится и будет сообщать кассам, что обновлений нет",
);

/// A setting waits for a restart.
pub const RESTART: Text = text!(
    "RESTART-NEEDED",
    "{0} = {1} takes effect after a restart; until then it is {2}: restart the service (downloads under way are finished)",
    "{0} = {1} вступит в силу после перезапуска; до него действует {2}: перезапустите службу (начатые загрузки завершатся)",
);

/// A setting is another's to make.
pub const SOCKET: Text = text!(
    "HINT-SOCKET",
    "{0} does not count: the service manager holds the socket and chooses it; remove the line",
    "{0} не действует: сокет держит система служб, она его и выбирает; удалите строку",
);

// Parts of the texts above: what to do, and what would be valid.

/// A part: advice create.
pub const ADVICE_CREATE: Text = text!(
    "create one with \"susv --init DIR\", or name another with \"susv -c FILE\"",
    "создайте его командой \"susv --init ПАПКА\" или укажите другой: \"susv -c ФАЙЛ\"",
);

/// A part: advice readable.
pub const ADVICE_READABLE: Text = text!(
    "it must be a text file of at most 64 KiB that the service may read",
    "это должен быть текстовый файл не больше 64 КиБ, доступный службе для чтения",
);

/// A part: port.
pub const PORT: Text =
    text!("a port number from 0 to 65535 (0 picks a free one)", "номер порта от 0 до 65535 (0 - любой свободный)");

/// A part: addresses.
pub const ADDRESSES: Text = text!(
    "one IPv4 or IPv6 address or several with commas between them (for example 192.168.1.1, ::1), or nothing for all",
    "один адрес IPv4 или IPv6 или несколько через запятую (например, 192.168.1.1, ::1); пусто - все",
);

/// A part: allow.
pub const ALLOW: Text = text!(
    "addresses and blocks with commas between them (for example 192.168.1.0/24, fd00::/8, 10.0.0.7), or nothing for everyone",
    "список адресов и подсетей через запятую (например, 192.168.1.0/24, fd00::/8, 10.0.0.7); пусто - все",
);

/// A part: proxies.
pub const PROXIES: Text = text!(
    "addresses and blocks with commas between them (for example 192.168.1.2, fd00::/8), or nothing for none",
    "список адресов и подсетей через запятую (например, 192.168.1.2, fd00::/8); пусто - никакие",
);

/// A part: fewer blocks.
pub const FEWER_BLOCKS: Text = text!("at most 256 addresses and blocks", "не больше 256 адресов и подсетей");

/// A part: fewer addresses.
pub const FEWER_ADDRESSES: Text = text!("at most 64 addresses", "не больше 64 адресов");

/// A part: base url.
pub const BASE_URL: Text = text!(
    "http:// or https://, a host, and perhaps a path, as registrars are to reach this server (for example http://192.168.1.1:8888)",
    "http:// или https://, узел и, если нужно, путь - так, как кассы видят этот сервер (например, http://192.168.1.1:8888)",
);

/// A part: version.
pub const VERSION: Text =
    text!("a date yyyymmdd (for example 20260301), or the word latest", "дата ггггммдд (например, 20260301) или слово latest",);

/// A part: critical.
pub const CRITICAL: Text =
    text!("a date yyyymmdd (for example 20260301), or 0 for none", "дата ггггммдд (например, 20260301); 0 - никакая");

/// A part: path.
pub const PATH: Text = text!("a path, absolute or relative to the folder of this file", "путь, полный или от папки этого файла");

/// A part: min kib.
pub const MIN_KIB: Text = text!("a number of KiB from 0 to 1048576", "число КиБ от 0 до 1048576");

/// A part: max kib.
pub const MAX_KIB: Text = text!("a number of KiB from 1 to 1048576", "число КиБ от 1 до 1048576");

/// A part: log kib.
pub const LOG_KIB: Text = text!("a number of KiB from 4 to 1048576", "число КиБ от 4 до 1048576");

/// A part: connections.
pub const CONNECTIONS: Text = text!("a number from 1 to 10000", "число от 1 до 10000");

/// A part: seconds.
pub const SECONDS: Text = text!("a number of seconds from 1 to 3600", "число секунд от 1 до 3600");

/// A part: files.
pub const FILES: Text = text!("a number of files from 1 to 1000", "число файлов от 1 до 1000");

/// A part: switch.
pub const SWITCH: Text = text!("yes or no", "yes (да) или no (нет)");

/// All of them.
pub const ALL: &[&Text] = &[
    &LINE_NOT_UTF8,
    &LINE_CONTROL,
    &LINE_SECTION,
    &LINE_NO_KEY,
    &LINE_NO_EQUALS,
    &QUOTES,
    &COMMENT,
    &UNREADABLE,
    &UTF16,
    &PYTHON,
    &INVALID,
    &MISSPELT,
    &UNKNOWN,
    &REPEATED,
    &VERSION_MISSING,
    &SIZES,
    &INSIDE_FIRMWARE,
    &HOLDS_SETTINGS,
    &LOG_OVER_SETTINGS,
    &LOG_OVER_LICENSES,
    &KEPT,
    &NOTHING_OFFERED,
    &NOT_STARTED,
    &RESTART,
    &SOCKET,
    &ADVICE_CREATE,
    &ADVICE_READABLE,
    &PORT,
    &ADDRESSES,
    &ALLOW,
    &PROXIES,
    &FEWER_BLOCKS,
    &FEWER_ADDRESSES,
    &BASE_URL,
    &VERSION,
    &CRITICAL,
    &PATH,
    &MIN_KIB,
    &MAX_KIB,
    &LOG_KIB,
    &CONNECTIONS,
    &SECONDS,
    &FILES,
    &SWITCH,
];
