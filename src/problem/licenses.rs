//! Words for what can be wrong with licence files. None of them holds a serial number: the page is public.

use super::words::{Text, text};

/// There is nothing at `feature_licenses_path`.
pub const PATH_MISSING: Text = text!(
    "LICENCES-MISSING",
    "there is nothing here, so no licences are served: check feature_licenses_path, or make the folder",
    "здесь ничего нет, лицензии не выдаются: проверьте feature_licenses_path или создайте папку",
);

/// The folder, or the one file, cannot be looked at.
pub const PATH_UNREADABLE: Text = text!(
    "LICENCES-UNREADABLE",
    "cannot be read ({0}): what was read before counts; check feature_licenses_path and the rights of its folders",
    "не читается ({0}): действует прочитанное раньше; проверьте feature_licenses_path и права на папки",
);

/// A licence file cannot be read.
pub const FILE_UNREADABLE: Text = text!(
    "LICENCE-FILE-UNREADABLE",
    "cannot be read to its end ({0}), so licences may be missing; it is tried again all the time; check the file and its rights",
    "не читается до конца ({0}), лицензий может не хватать; попытки продолжаются; проверьте файл и права на него",
);

/// A link in the folder leads nowhere.
pub const LINK_DANGLING: Text = text!(
    "LICENCE-LINK-DANGLING",
    "the link leads to nothing, so its licences are missing: mend or remove it",
    "ссылка ведёт в никуда, её лицензий нет: исправьте или удалите её",
);

/// A name ends with .slf and is no file.
pub const NOT_A_FILE: Text = text!(
    "LICENCE-NOT-A-FILE",
    "not a file, so no licences are read from it: copy the licence file itself",
    "это не файл, лицензии из него не читаются: скопируйте сам файл лицензий",
);

/// The file is something else.
pub const NOT_LICENSES: Text = text!(
    "LICENCE-FILE-JUNK",
    "line {0} is longer than 1 MiB, so this is no licence file; it is not read further: copy the right file, or remove it",
    "строка {0} длиннее 1 МиБ, это не файл лицензий; дальше он не читается: скопируйте правильный файл или удалите этот",
);

/// The index cannot name places that far.
pub const TOO_LONG: Text = text!(
    "LICENCE-FILE-TOO-LONG",
    "licences after the first 4 GiB are not served: split the file",
    "лицензии после первых 4 ГиБ не выдаются: разделите файл",
);

/// There are more than the index holds.
pub const TOO_MANY: Text = text!(
    "LICENCES-TOO-MANY",
    "with this file there are more than {0} licences, and the rest of it is not served: remove files nobody needs",
    "с этим файлом лицензий больше {0}, остальные из него не выдаются: удалите ненужные файлы",
);

/// There are more files than are looked at.
pub const TOO_MANY_FILES: Text = text!(
    "LICENCE-FILES-TOO-MANY",
    "{0} licence files, and only the first {1} by name are served: put several into one (cat *.slf)",
    "файлов лицензий {0}, выдаются только первые {1} по имени: объедините их (cat *.slf)",
);

/// The index did not fit.
pub const NO_MEMORY: Text = text!(
    "LICENCE-MEMORY",
    "not enough memory for the licences of this file; it is tried again all the time: split it, or free memory",
    "не хватает памяти на лицензии из этого файла; попытки продолжаются: разделите его или освободите память",
);

/// A line was asked for while its file is not what was read.
pub const CHANGING: Text = text!(
    "LICENCE-FILE-CHANGING",
    "the file is changing, and a licence in it cannot be given now: wait until it is copied",
    "файл меняется, лицензию из него сейчас выдать нельзя: дождитесь конца копирования",
);

/// A serial number was asked for before the files were read.
pub const NOT_READ_YET: Text = text!(
    "LICENCES-NOT-READ-YET",
    "the licence files have not been read yet: wait, or look at the other problems",
    "файлы лицензий ещё не прочитаны: подождите или посмотрите на другие проблемы",
);

/// A line is no licence.
pub const LINE_TOO_SHORT: Text = text!(
    "LICENCE-LINE-SHORT",
    "the line is too short and is skipped: expected 16 digits, TAB, 128 hex digits, TAB, 128 hex digits",
    "строка слишком коротка и пропущена: ожидается 16 цифр, TAB, 128 шестнадцатеричных цифр, TAB, 128 шестнадцатеричных цифр",
);

/// A line is no licence.
pub const LINE_SERIAL: Text = text!(
    "LICENCE-LINE-SERIAL",
    "the serial number is not 16 digits, and the line is skipped: copy it anew",
    "серийный номер - не 16 цифр, строка пропущена: скопируйте её заново",
);

/// A line is no licence.
pub const LINE_FIRST_TAB: Text = text!(
    "LICENCE-LINE-TAB",
    "no TAB after the 16 digits of the serial number, and the line is skipped: editors may have made it spaces; copy the file anew",
    "после 16 цифр серийного номера нет TAB, строка пропущена: возможно, редактор заменил его пробелами; скопируйте файл заново",
);

/// A line is no licence.
pub const LINE_LICENSES: Text = text!(
    "LICENCE-LINE-LICENCES",
    "the licences are not 128 hexadecimal digits, and the line is skipped: copy it anew",
    "лицензии - не 128 шестнадцатеричных цифр, строка пропущена: скопируйте её заново",
);

/// A line is no licence.
pub const LINE_SECOND_TAB: Text = text!(
    "LICENCE-LINE-TAB-2",
    "no TAB after the 128 hexadecimal digits of the licences, and the line is skipped: copy it anew",
    "после 128 шестнадцатеричных цифр лицензий нет TAB, строка пропущена: скопируйте её заново",
);

/// A line is no licence.
pub const LINE_SIGNATURE: Text = text!(
    "LICENCE-LINE-SIGNATURE",
    "the signature is not 128 hexadecimal digits, and the line is skipped: copy it anew",
    "подпись - не 128 шестнадцатеричных цифр, строка пропущена: скопируйте её заново",
);

/// A line is no licence.
pub const LINE_TOO_LONG: Text = text!(
    "LICENCE-LINE-LONG",
    "more text after the signature, and the line is skipped: remove it",
    "после подписи есть ещё текст, строка пропущена: уберите его",
);

/// More lines are no licences.
pub const MORE_LINES: Text = text!(
    "LICENCE-LINES-MORE",
    "{0} more bad lines are skipped: mend or replace the file",
    "пропущено ещё неверных строк: {0}; исправьте или замените файл",
);

/// A serial number stands in two places.
pub const REPEATED: Text = text!(
    "LICENCE-REPEATED",
    "the serial number of this line stands again in {0}: the last one counts; remove the other",
    "серийный номер этой строки повторяется в {0}: действует последняя; удалите лишнюю",
);

/// More serial numbers stand in two places.
pub const MORE_REPEATED: Text = text!(
    "LICENCE-REPEATED-MORE",
    "{0} more repeated serial numbers: the last one of each counts; remove the others",
    "ещё повторяющихся серийных номеров: {0}; из каждых действует последний, удалите лишние",
);

/// A file in the folder is no licence file by its name.
pub const OTHER_NAME: Text = text!(
    "HINT-LICENCE-NAME",
    "not read: the names of licence files end with .slf; if it is one, rename it",
    "не читается: имена файлов лицензий оканчиваются на .slf; если это он, переименуйте",
);

/// A folder in the folder.
pub const FOLDER: Text = text!(
    "HINT-LICENCE-FOLDER",
    "folders in here are not looked at: put licence files into feature_licenses_path itself",
    "вложенные папки не просматриваются: кладите файлы лицензий в саму feature_licenses_path",
);

/// All of them.
pub const ALL: &[&Text] = &[
    &PATH_MISSING,
    &PATH_UNREADABLE,
    &FILE_UNREADABLE,
    &LINK_DANGLING,
    &NOT_A_FILE,
    &NOT_LICENSES,
    &TOO_LONG,
    &TOO_MANY,
    &TOO_MANY_FILES,
    &NO_MEMORY,
    &CHANGING,
    &NOT_READ_YET,
    &LINE_TOO_SHORT,
    &LINE_SERIAL,
    &LINE_FIRST_TAB,
    &LINE_LICENSES,
    &LINE_SECOND_TAB,
    &LINE_SIGNATURE,
    &LINE_TOO_LONG,
    &MORE_LINES,
    &REPEATED,
    &MORE_REPEATED,
    &OTHER_NAME,
    &FOLDER,
];
