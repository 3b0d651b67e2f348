//! Words for what keeps the service from starting, or from writing its log.

use super::words::{Text, text};

/// An address to listen on is not this machine's.
pub const NO_ADDRESS: Text = text!(
    "LISTEN-ADDRESS",
    "this machine does not have the address {0}; the service starts, but nobody reaches it there before the machine has it: correct address, or give the machine that address",
    "у этой машины нет адреса {0}; служба запустится, но по нему будет недоступна, пока машина его не получит: исправьте address или дайте машине этот адрес",
);

/// A port is root's.
pub const NO_RIGHT: Text = text!(
    "LISTEN-RIGHT",
    "no right to listen on {0}: ports below 1024 are root's; set a higher port (for example 8888)",
    "нет права принимать соединения на {0}: порты ниже 1024 доступны только root; укажите порт выше (например, 8888)",
);

/// Another program has the port.
pub const IN_USE: Text = text!(
    "LISTEN-IN-USE",
    "another program uses {0}, and it does not answer as susv does: stop it, or set another port (susv itself does not answer this machine if allow leaves it out)",
    "{0} занят другой программой, и отвечает она не как susv: остановите её или укажите другой port (сам susv не отвечает этой машине, если её нет в allow)",
);

/// We have the port ourselves.
pub const RUNNING: Text = text!("HINT-RUNNING", "susv {1} is running on {0}", "на {0} уже работает susv {1}");

/// Anything else.
pub const CANNOT_LISTEN: Text = text!(
    "LISTEN-FAILED",
    "cannot listen on {0} ({1}): check address and port",
    "нельзя принимать соединения на {0} ({1}): проверьте address и port",
);

/// The log file cannot be written.
pub const LOG_FILE: Text = text!(
    "LOG-FILE",
    "log_file cannot be written ({0}): its folder must exist, and the service must have the right to write into both",
    "log_file не записать ({0}): папка для него должна существовать, а у службы должно быть право записи в обоих",
);

/// The log file cannot be rotated.
pub const LOG_FOLDER: Text = text!(
    "LOG-FOLDER",
    "no new files can be made in this folder ({0}), so log_file cannot be rotated when it is full: give the service the right to write here",
    "в этой папке нельзя создавать файлы ({0}), и заполненный log_file не сменить: дайте службе право записи сюда",
);

/// Lines are missing in the log file.
pub const LOG_UNWRITABLE: Text = text!(
    "LOG-UNWRITABLE",
    "the log file cannot be written ({0}), {1} lines are missing in it: make room, or correct log_file",
    "файл журнала не записать ({0}), в нём не хватает строк: {1}; освободите место или исправьте log_file",
);

/// The log file grows too long for its limit and cannot be renamed.
pub const LOG_UNROTATED: Text = text!(
    "LOG-UNROTATED",
    "the log file cannot be rotated ({0}): it starts over at {1} KiB; let susv rename files in its folder",
    "файл журнала не сменить ({0}): на {1} КиБ он начнётся заново; разрешите susv переименовывать файлы в его папке",
);

/// The disk of the log file hangs.
pub const LOG_STUCK: Text = text!(
    "LOG-STUCK",
    "the log file's disk does not answer: look at the disk of log_file",
    "диск файла журнала не отвечает: проверьте диск, на котором log_file",
);

/// There is no thread to write the log file.
pub const LOG_NO_WRITER: Text = text!(
    "LOG-NO-WRITER",
    "the log file is not written (no thread: {0}): raise the limit on threads and restart",
    "файл журнала не ведётся (нет потока: {0}): поднимите ограничение на число потоков и перезапустите",
);

/// Fewer descriptors than `max_connections` needs.
pub const OPEN_FILES: Text = text!(
    "OPEN-FILES",
    "{0} needs {1} open files, the limit is {2}: {3} connections are served at a time; raise the limit (ulimit -n, LimitNOFILE=), or lower max_connections",
    "для {0} нужно открытых файлов: {1}, а разрешено {2}: одновременно обслуживается соединений: {3}; поднимите ограничение (ulimit -n, LimitNOFILE=) или уменьшите max_connections",
);

/// The limit on address space is too low for `max_connections`.
pub const ADDRESS_SPACE: Text = text!(
    "ADDRESS-SPACE",
    "{0} needs {1} MB of address space, the limit is {2} MB: {3} connections are served at a time; raise the limit (ulimit -v, LimitAS=), or lower max_connections",
    "для {0} нужно {1} МБ адресного пространства, а разрешено {2} МБ: одновременно обслуживается соединений: {3}; поднимите ограничение (ulimit -v, LimitAS=) или уменьшите max_connections",
);

/// There is no thread to load files.
pub const NO_LOADER: Text = text!(
    "NO-LOADER",
    "no thread for loading files ({0}): nothing is offered; raise the limit on threads and restart",
    "нет потока для загрузки файлов ({0}): ничего не предлагается; поднимите ограничение на число потоков и перезапустите",
);

/// All of them.
pub const ALL: &[&Text] = &[
    &NO_ADDRESS,
    &NO_RIGHT,
    &IN_USE,
    &RUNNING,
    &CANNOT_LISTEN,
    &LOG_FILE,
    &LOG_FOLDER,
    &LOG_UNWRITABLE,
    &LOG_UNROTATED,
    &LOG_STUCK,
    &LOG_NO_WRITER,
    &OPEN_FILES,
    &ADDRESS_SPACE,
    &NO_LOADER,
];
