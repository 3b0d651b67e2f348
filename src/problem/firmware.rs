//! Words for what can be wrong with firmware folders and images. `{0}` is the version wherever one is meant.

use super::words::{Text, text};

// --- The firmware folder and the names in it -----------------------------------------------------

/// The firmware folder cannot be read.
pub const ROOT_UNREADABLE: Text = text!(
    "FIRMWARE-UNREADABLE",
    "cannot be read ({0}): nothing is offered; check firmware_path and the rights of the folder (it needs r and x); it is tried again every 2 s",
    "не читается ({0}): ничего не предлагается; проверьте firmware_path и права на папку (нужны r и x); попытки повторяются каждые 2 с",
);

/// With `latest` no folder can be offered.
pub const NOTHING_FIT: Text = text!(
    "NOTHING-TO-OFFER",
    "no folder with both images whole in here: nothing is offered; copy one named yyyymmdd",
    "здесь нет папки с обоими целыми образами: ничего не предлагается; скопируйте папку с именем ггггммдд",
);

/// Eight digits that are no date.
pub const NO_DATE: Text = text!(
    "FOLDER-NO-DATE",
    "the folder's name is not a real date yyyymmdd: it is ignored; rename it to the build date of its firmware",
    "имя папки - несуществующая дата (нужно ггггммдд): папка не учитывается; назовите её датой сборки прошивки",
);

/// A name that a person reads as a date.
pub const NEARLY_DATE: Text = text!(
    "FOLDER-NEARLY-DATE",
    "the folder's name {0} is nearly a date, but only eight digits yyyymmdd count: it is ignored; if it is to be offered, rename it to {1}",
    "имя папки {0} похоже на дату, но нужны ровно восемь цифр ггггммдд: папка не учитывается; если её нужно предлагать, переименуйте в {1}",
);

/// A file in a version folder's place.
pub const NO_FOLDER: Text = text!(
    "FOLDER-IS-FILE",
    "this is no folder: version {0} is not offered; make a folder of this name with both images in it, or remove the file",
    "это не папка: версия {0} не предлагается; создайте папку с этим именем и положите в неё оба образа или удалите файл",
);

/// The configured version has no folder.
pub const FOLDER_MISSING: Text = text!(
    "FOLDER-MISSING",
    "there is no such folder: version {0} is not offered; copy it here, or set current_firmware_version to another version or to latest",
    "такой папки нет: версия {0} не предлагается; скопируйте её сюда или укажите в current_firmware_version другую версию или latest",
);

/// A version folder that is still being copied.
pub const FOLDER_SETTLING: Text = text!(
    "FOLDER-SETTLING",
    "version {0} is changing: registrars it may be for are told that there is no update until it has stood still for 2 s; finish the copying, or move the folder away",
    "версия {0} изменяется: кассам, которым она может подойти, сообщается, что обновлений нет, пока она не останется неизменной 2 с; закончите копирование или уберите папку",
);

/// A version folder that cannot be looked into.
pub const FOLDER_UNREADABLE: Text = text!(
    "FOLDER-UNREADABLE",
    "cannot be looked into ({1}): version {0} is not offered; check that it is there and its rights (it needs r and x)",
    "не открывается ({1}): версия {0} не предлагается; проверьте, существует ли папка, и права на неё (нужны r и x)",
);

/// A folder with more than a version can have.
pub const FOLDER_CROWDED: Text = text!(
    "FOLDER-CROWDED",
    "more than {1} files in the folder: version {0} is not offered; leave only the images, SHA256SUMS and offer.ini in it",
    "в папке больше {1} файлов: версия {0} не предлагается; оставьте в ней только образы, SHA256SUMS и offer.ini",
);

/// Too many version folders.
pub const FOLDERS_LEFT_OUT: Text = text!(
    "FOLDERS-TOO-MANY",
    "more than {0} version folders: the oldest {1} are ignored and not handed out; move them away",
    "папок с версиями больше {0}: самые старые ({1}) не учитываются и не выдаются; уберите их",
);

/// A version folder within itself.
pub const FOLDER_IN_ITSELF: Text = text!(
    "HINT-FOLDER-IN-ITSELF",
    "a folder of the same name lies in it: it was copied into itself, and the copy does not count; if {0} was to be replaced, copy to another name and rename, and remove the inner folder",
    "внутри лежит папка с тем же именем: папку скопировали саму в себя, и копия не учитывается; если {0} нужно было заменить, скопируйте под другим именем и переименуйте, а внутреннюю папку удалите",
);

/// An image or `SHA256SUMS` in other letters.
pub const NAME_IN_OTHER_CASE: Text = text!(
    "NAME-IN-OTHER-CASE",
    "the file is ignored: its name must be {0} exactly, in these letters; rename it",
    "файл не учитывается: его имя должно быть в точности {0}, этими буквами; переименуйте его",
);

// --- Images --------------------------------------------------------------------------------------

/// An image is not there.
pub const IMAGE_MISSING: Text = text!(
    "IMAGE-MISSING",
    "the image is missing: version {0} is not offered; copy it, or move the folder away",
    "образа нет: версия {0} не предлагается; скопируйте его или уберите папку",
);

/// An image cannot be read.
pub const IMAGE_UNREADABLE: Text = text!(
    "IMAGE-UNREADABLE",
    "the image cannot be read ({1}): version {0} is not offered; check its rights and the disk; it is tried again every 2 s",
    "образ не читается ({1}): версия {0} не предлагается; проверьте права на файл и диск; попытки повторяются каждые 2 с",
);

/// A folder, a pipe or a device in an image's place.
pub const IMAGE_NO_FILE: Text = text!(
    "IMAGE-NO-FILE",
    "the image is not a file: version {0} is not offered; copy the image here",
    "образ - не файл: версия {0} не предлагается; скопируйте сюда образ",
);

/// An image lies elsewhere.
pub const IMAGE_OUTSIDE: Text = text!(
    "IMAGE-OUTSIDE",
    "the image is a link out of firmware_path: version {0} is not offered; copy the file itself, or link to one inside",
    "образ - ссылка за пределы firmware_path: версия {0} не предлагается; скопируйте сам файл или сделайте ссылку на файл внутри",
);

/// An image has nothing in it.
pub const IMAGE_EMPTY: Text = text!(
    "IMAGE-EMPTY",
    "the image is empty: version {0} is not offered; copy it again",
    "образ пуст: версия {0} не предлагается; скопируйте его ещё раз",
);

/// An image is shorter than real ones.
pub const IMAGE_SHORT: Text = text!(
    "IMAGE-SHORT",
    "the image has {1} bytes, fewer than min_image_kb = {2} allows: version {0} is not offered; the copy may not be finished, copy it again; if your registrars take images of this size, set min_image_kb = {3}",
    "в образе {1} байт - меньше, чем разрешает min_image_kb = {2}: версия {0} не предлагается; возможно, копирование не закончено, скопируйте ещё раз; если ваши кассы принимают образы такого размера, задайте min_image_kb = {3}",
);

/// An image is longer than allowed.
pub const IMAGE_LONG: Text = text!(
    "IMAGE-LONG",
    "the image has {1} bytes, more than max_image_kb = {2} allows: version {0} is not offered; if it is an image after all, set max_image_kb = {3}",
    "в образе {1} байт - больше, чем разрешает max_image_kb = {2}: версия {0} не предлагается; если это всё же образ, задайте max_image_kb = {3}",
);

/// A hole in an image.
pub const IMAGE_HOLE: Text = text!(
    "IMAGE-HOLE",
    "the 4,096 bytes from byte {1} on are all {2}, as a power cut leaves them, and there is no SHA256SUMS: version {0} is not offered; copy the image again; if it is right as it is, make a SHA256SUMS where the firmware came from and copy it here: sha256sum upd_app*.bin > SHA256SUMS",
    "4096 байт начиная с байта {1} одинаковы ({2}), как после отключения питания, а SHA256SUMS нет: версия {0} не предлагается; скопируйте образ ещё раз; если он верен, создайте SHA256SUMS там, откуда взята прошивка, и скопируйте сюда: sha256sum upd_app*.bin > SHA256SUMS",
);

/// Other bytes under a known number.
pub const IMAGE_REPLACED: Text = text!(
    "IMAGE-REPLACED",
    "the images are not those that version {0} had before, and an upload that dies leaves a mixture: version {0} is not offered; publish the new ones in a folder with another date, since registrars with the old ones cannot be told apart; to replace them all the same, make a SHA256SUMS where the firmware came from and copy it here: sha256sum upd_app*.bin > SHA256SUMS",
    "образы не те, что были у версии {0} раньше, а оборванная загрузка оставляет смесь: версия {0} не предлагается; положите новые в папку с другой датой, потому что кассы со старыми не отличить; если заменить всё же нужно, создайте SHA256SUMS там, откуда взята прошивка, и скопируйте сюда: sha256sum upd_app*.bin > SHA256SUMS",
);

/// There is no memory for an image.
pub const NO_MEMORY: Text = text!(
    "NO-MEMORY",
    "there is not enough memory for the images of version {0}: it is not offered; free some; it is tried again every 2 s",
    "не хватает памяти для образов версии {0}: она не предлагается; освободите память; попытки повторяются каждые 2 с",
);

// --- SHA256SUMS ----------------------------------------------------------------------------------

/// `SHA256SUMS` is there and says nothing.
pub const SUMS_UNREADABLE: Text = text!(
    "SUMS-UNREADABLE",
    "SHA256SUMS is there and cannot be read ({1}): version {0} is not offered; copy it again, check its rights, or remove it",
    "SHA256SUMS есть, но не читается ({1}): версия {0} не предлагается; скопируйте его ещё раз, проверьте права или удалите",
);

/// `SHA256SUMS` leaves an image out.
pub const SUMS_INCOMPLETE: Text = text!(
    "SUMS-INCOMPLETE",
    "the image is not listed in SHA256SUMS: version {0} is not offered; make the file again where the firmware came from: sha256sum upd_app*.bin > SHA256SUMS",
    "образа нет в SHA256SUMS: версия {0} не предлагается; создайте этот файл заново там, откуда взята прошивка: sha256sum upd_app*.bin > SHA256SUMS",
);

/// `SHA256SUMS` leaves an image out, and one of its lines shows why.
pub const SUMS_MISUNDERSTOOD: Text = text!(
    "SUMS-MISUNDERSTOOD",
    "the image is not listed in SHA256SUMS ({2}, line {1}): version {0} is not offered; make the file again, within the folder: sha256sum upd_app*.bin > SHA256SUMS",
    "образа нет в SHA256SUMS ({2}, строка {1}): версия {0} не предлагается; создайте этот файл заново, находясь в самой папке: sha256sum upd_app*.bin > SHA256SUMS",
);

/// A part: names with folders.
pub const SUMS_WITH_FOLDER: Text =
    text!("names with folders before them do not count", "имена с папками перед ними не учитываются");

/// A part: BSD style.
pub const SUMS_WITH_TAG: Text =
    text!("the format of \"sha256sum --tag\" does not count", "формат \"sha256sum --tag\" не учитывается");

/// A part: MD5 and others.
pub const SUMS_OF_OTHER_KIND: Text =
    text!("sums of another kind, MD5 for one, do not count", "суммы другого вида (например, MD5) не учитываются");

/// An image is not the one of `SHA256SUMS`.
pub const SUMS_DIFFER: Text = text!(
    "SUMS-DIFFER",
    "the image differs from SHA256SUMS (its SHA-256 is {1}): version {0} is not offered; copy the images and SHA256SUMS again",
    "образ не совпадает с SHA256SUMS (его SHA-256 - {1}): версия {0} не предлагается; скопируйте образы и SHA256SUMS ещё раз",
);

/// A listed file is not there.
pub const LISTED_MISSING: Text = text!(
    "LISTED-FILE-MISSING",
    "the file is listed in SHA256SUMS and missing: version {0} is not offered; copy it too, or make SHA256SUMS again without it",
    "файл указан в SHA256SUMS, но его нет: версия {0} не предлагается; скопируйте и его или создайте SHA256SUMS заново без него",
);

// --- Advice --------------------------------------------------------------------------------------

/// An offered folder without checksums.
pub const HINT_SUMS: Text = text!(
    "HINT-SUMS",
    "version {0} has no SHA256SUMS, so an upload that was overwritten and died cannot be told from a whole image; make one where the firmware came from and copy it here: sha256sum {1} > SHA256SUMS",
    "у версии {0} нет SHA256SUMS, и оборванную перезапись не отличить от целого образа; создайте его там, откуда взята прошивка, и скопируйте сюда: sha256sum {1} > SHA256SUMS",
);

/// Both images are one.
pub const HINT_SAME_IMAGES: Text = text!(
    "HINT-SAME-IMAGES",
    "both images of version {0} are the same to the byte; registrars with an old boot loader usually need one of their own: compare with what the vendor sent",
    "оба образа версии {0} совпадают до байта; кассам со старым загрузчиком обычно нужен свой: сверьте с тем, что прислал производитель",
);

/// Other bytes under a known number, vouched for.
pub const HINT_REPLACED: Text = text!(
    "HINT-REPLACED",
    "version {0} was offered with other images before; registrars that run those are not offered the new ones, since the number is the same: publish them in a folder with another date",
    "версия {0} раньше предлагалась с другими образами; кассам с ними новые не будут предложены, потому что номер тот же: положите новые в папку с другой датой",
);

/// All of them.
pub const ALL: &[&Text] = &[
    &ROOT_UNREADABLE,
    &NOTHING_FIT,
    &NO_DATE,
    &NEARLY_DATE,
    &NO_FOLDER,
    &FOLDER_MISSING,
    &FOLDER_SETTLING,
    &FOLDER_UNREADABLE,
    &FOLDER_CROWDED,
    &FOLDERS_LEFT_OUT,
    &FOLDER_IN_ITSELF,
    &NAME_IN_OTHER_CASE,
    &IMAGE_MISSING,
    &IMAGE_UNREADABLE,
    &IMAGE_NO_FILE,
    &IMAGE_OUTSIDE,
    &IMAGE_EMPTY,
    &IMAGE_SHORT,
    &IMAGE_LONG,
    &IMAGE_HOLE,
    &IMAGE_REPLACED,
    &NO_MEMORY,
    &SUMS_UNREADABLE,
    &SUMS_INCOMPLETE,
    &SUMS_MISUNDERSTOOD,
    &SUMS_WITH_FOLDER,
    &SUMS_WITH_TAG,
    &SUMS_OF_OTHER_KIND,
    &SUMS_DIFFER,
    &LISTED_MISSING,
    &HINT_SUMS,
    &HINT_SAME_IMAGES,
    &HINT_REPLACED,
];
