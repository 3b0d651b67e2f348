//! Words for what keeps the service from starting, or from writing its log.

use super::words::Text;

/// An address to listen on is not this machine's.
pub const NO_ADDRESS: Text = Text::new(
    "LISTEN-ADDRESS",
    "this machine does not have the address {0}, so nobody can reach the service there: correct address, or give the machine that address",
    "у этой машины нет адреса {0}, и по нему служба недоступна: исправьте address или дайте машине этот адрес",
);

/// A port is root's.
pub const NO_RIGHT: Text = Text::new(
    "LISTEN-RIGHT",
    "no right to listen on {0}: ports below 1024 are root's; set a higher port (for example 8888)",
    "нет права принимать соединения на {0}: порты ниже 1024 доступны только root; укажите порт выше (например, 8888)",
);

/// Another program has the port.
pub const IN_USE: Text = Text::new(
    "LISTEN-IN-USE",
    "another program uses {0}, and it does not answer as susv does: stop it, or set another port",
    "{0} занят другой программой, и отвечает она не как susv: остановите её или укажите другой port",
);

/// We have the port ourselves.
pub const RUNNING: Text = Text::new("HINT-RUNNING", "susv {1} is running on {0}", "на {0} уже работает susv {1}");

/// Anything else.
pub const CANNOT_LISTEN: Text = Text::new(
    "LISTEN-FAILED",
    "cannot listen on {0} ({1}): check address and port",
    "нельзя принимать соединения на {0} ({1}): проверьте address и port",
);

/// The log file cannot be written.
pub const LOG_FILE: Text = Text::new(
    "LOG-FILE",
    "log_file cannot be written ({0}): its folder must exist, and the service must have the right to write into both",
    "log_file не записать ({0}): папка для него должна существовать, а у службы должно быть право записи в обоих",
);

/// The log file cannot be rotated.
pub const LOG_FOLDER: Text = Text::new(
    "LOG-FOLDER",
    "no new files can be made in this folder ({0}), so log_file cannot be rotated when it is full: give the service the right to write here",
    "в этой папке нельзя создавать файлы ({0}), и заполненный log_file не сменить: дайте службе право записи сюда",
);

/// All of them.
pub const ALL: &[&Text] = &[&NO_ADDRESS, &NO_RIGHT, &IN_USE, &RUNNING, &CANNOT_LISTEN, &LOG_FILE, &LOG_FOLDER];
