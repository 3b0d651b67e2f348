//! Version folders, images and `offer.ini`: whatever is wrong is told with its place, its cause and its remedy, in both languages.
//! (`settings.rs` and `licenses.rs` have the same table for theirs.)

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Folder, image, publish, publish_sums};
use susv::catalog::Loader;
use susv::config;
use susv::limits;
use susv::problem::Language::{self, English, Russian};
use susv::problem::{Problem, firmware, offers};

/// What is done to a folder with version 20260301 whole.
type Change = fn(&Folder);

/// What stands there before the first look, what is changed after it has settled, the problem's place below `firmware`, its code,
/// and cause and remedy in both languages.
type Case = (Change, Change, &'static str, &'static str, [&'static str; 2], [&'static str; 2]);

const SAME: Change = |_| {};

fn write(folder: &Folder, name: &str, bytes: impl AsRef<[u8]>) {
    folder.write(&format!("firmware/20260301/{name}"), bytes);
}

/// Puts a link in the place of an image.
fn link(folder: &Folder, target: &str) {
    let path = folder.path().join("firmware/20260301/upd_app.bin");
    fs::remove_file(&path).expect("gone");
    symlink(target, path).expect("a link");
}

fn remove(folder: &Folder, path: &str) {
    let path = folder.path().join("firmware").join(path);
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("gone");
}

fn offer(folder: &Folder, version: &str, text: &str) {
    publish(folder, version, 1);
    folder.write(&format!("firmware/{version}/offer.ini"), text);
}

const CASES: [Case; 47] = [
    (
        |folder| {
            remove(folder, "");
            folder.write("firmware", "a file");
        },
        SAME,
        "",
        "FIRMWARE-UNREADABLE",
        ["cannot be read (Not a directory", "check firmware_path and the rights of the folder"],
        ["не читается (не папка", "проверьте firmware_path и права на папку"],
    ),
    (
        |folder| remove(folder, "20260301"),
        SAME,
        "",
        "NOTHING-TO-OFFER",
        ["no folder with both images whole", "copy one named yyyymmdd"],
        ["нет папки с обоими целыми образами", "скопируйте папку с именем ггггммдд"],
    ),
    (
        |folder| drop(folder.write("firmware/20260230/x", "")),
        SAME,
        "20260230",
        "FOLDER-NO-DATE",
        ["not a real date yyyymmdd", "rename it to the build date"],
        ["несуществующая дата", "назовите её датой сборки"],
    ),
    (
        |folder| drop(folder.write("firmware/2026-04-01/x", "")),
        SAME,
        "2026-04-01",
        "FOLDER-NEARLY-DATE",
        ["\"2026-04-01\" is nearly a date", "rename it to 20260401"],
        ["\"2026-04-01\" похоже на дату", "переименуйте в 20260401"],
    ),
    (
        |folder| drop(folder.write("firmware/20260401", "")),
        SAME,
        "20260401",
        "FOLDER-IS-FILE",
        ["this is no folder: version 20260401 is not offered", "make a folder of this name"],
        ["это не папка: версия 20260401 не предлагается", "создайте папку"],
    ),
    (
        |folder| remove(folder, "20260301"),
        SAME,
        "20260301",
        "FOLDER-MISSING",
        ["there is no such folder: version 20260301 is not offered", "copy it here, or set current_firmware_version"],
        ["такой папки нет: версия 20260301 не предлагается", "скопируйте её сюда или укажите"],
    ),
    (
        SAME,
        |folder| write(folder, "upd_app.bin", image(7)),
        "20260301",
        "FOLDER-SETTLING",
        ["version 20260301 is changing", "finish the copying, or move the folder away"],
        ["версия 20260301 изменяется", "закончите копирование или уберите папку"],
    ),
    (
        |folder| symlink("nothing", folder.path().join("firmware/20260401")).expect("a link"),
        SAME,
        "20260401",
        "FOLDER-UNREADABLE",
        ["cannot be looked into (No such file", "check that it is there and its rights"],
        ["не открывается (нет такого файла", "проверьте, существует ли папка, и права"],
    ),
    (
        |folder| (0..=limits::FOLDER_ENTRIES).for_each(|number| write(folder, &format!("{number}"), "")),
        SAME,
        "20260301",
        "FOLDER-CROWDED",
        ["more than 1024 files in the folder", "leave only the images"],
        ["в папке больше 1024 файлов", "оставьте в ней только образы"],
    ),
    (
        |folder| {
            (0..limits::VERSION_FOLDERS).for_each(|number| {
                fs::create_dir(folder.path().join(format!("firmware/{:04}0101", 500 + number))).expect("a folder");
            });
        },
        SAME,
        "",
        "FOLDERS-TOO-MANY",
        ["more than 1024 version folders: the oldest 1 are ignored", "move them away"],
        ["папок с версиями больше 1024: самые старые (1) не учитываются", "уберите их"],
    ),
    (
        |folder| write(folder, "20260301/upd_app.bin", ""),
        SAME,
        "20260301/20260301",
        "HINT-FOLDER-IN-ITSELF",
        ["it was copied into itself", "remove the inner folder"],
        ["скопировали саму в себя", "внутреннюю папку удалите"],
    ),
    (
        |folder| write(folder, "sha256sums", ""),
        SAME,
        "20260301/sha256sums",
        "NAME-IN-OTHER-CASE",
        ["its name must be SHA256SUMS exactly", "rename it"],
        ["его имя должно быть в точности SHA256SUMS", "переименуйте его"],
    ),
    (
        |folder| remove(folder, "20260301/upd_app.bin"),
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-MISSING",
        ["the image is missing: version 20260301 is not offered", "copy it, or move the folder away"],
        ["образа нет: версия 20260301 не предлагается", "скопируйте его или уберите папку"],
    ),
    (
        |folder| link(folder, "upd_app.bin"),
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-UNREADABLE",
        ["the image cannot be read (", "check its rights and the disk"],
        ["образ не читается (", "проверьте права на файл и диск"],
    ),
    (
        |folder| link(folder, "."),
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-NO-FILE",
        ["the image is not a file", "copy the image here"],
        ["образ - не файл", "скопируйте сюда образ"],
    ),
    (
        |folder| {
            folder.write("outside", image(1));
            link(folder, "../../outside");
        },
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-OUTSIDE",
        ["a link out of firmware_path", "copy the file itself"],
        ["ссылка за пределы firmware_path", "скопируйте сам файл"],
    ),
    (
        |folder| write(folder, "upd_app.bin", ""),
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-EMPTY",
        ["the image is empty", "copy it again"],
        ["образ пуст", "скопируйте его ещё раз"],
    ),
    (
        |folder| write(folder, "upd_app.bin", &image(1)[..245_760]),
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-SHORT",
        [
            "245760 bytes, fewer than min_image_kb = 480 allows",
            "copy it again; if your registrars take images of this size, set min_image_kb = 240",
        ],
        ["245760 байт - меньше, чем разрешает min_image_kb = 480", "скопируйте ещё раз"],
    ),
    (
        |folder| write(folder, "upd_app.bin", vec![0; 17 * 1024 * 1024]),
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-LONG",
        ["more than max_image_kb = 16384 allows", "set max_image_kb = 17408"],
        ["больше, чем разрешает max_image_kb = 16384", "задайте max_image_kb = 17408"],
    ),
    (
        |folder| write(folder, "upd_app.bin", vec![0; 491_520]),
        SAME,
        "20260301/upd_app.bin",
        "IMAGE-HOLE",
        ["from byte 0 on are all 0x00", "copy the image again"],
        ["начиная с байта 0 одинаковы (0x00)", "скопируйте образ ещё раз"],
    ),
    (
        SAME,
        |folder| publish(folder, "20260301", 7),
        "20260301",
        "IMAGE-REPLACED",
        ["not those that version 20260301 had before", "publish the new ones in a folder with another date"],
        ["не те, что были у версии 20260301 раньше", "положите новые в папку с другой датой"],
    ),
    (
        |folder| symlink("nothing", folder.path().join("firmware/20260301/SHA256SUMS")).expect("a link"),
        SAME,
        "20260301/SHA256SUMS",
        "SUMS-UNREADABLE",
        ["cannot be read (No such file", "copy it again, check its rights, or remove it"],
        ["не читается (нет такого файла", "скопируйте его ещё раз, проверьте права или удалите"],
    ),
    (
        |folder| write(folder, "SHA256SUMS", "# none\n"),
        SAME,
        "20260301/upd_app.bin",
        "SUMS-INCOMPLETE",
        ["the image is not listed in SHA256SUMS", "make the file again where the firmware came from"],
        ["образа нет в SHA256SUMS", "создайте этот файл заново там, откуда взята прошивка"],
    ),
    (
        |folder| write(folder, "SHA256SUMS", format!("{}  20260301/upd_app.bin\n", "0".repeat(64))),
        SAME,
        "20260301/upd_app.bin",
        "SUMS-MISUNDERSTOOD",
        [
            "not listed in SHA256SUMS (names with folders before them do not count, line 1)",
            "make the file again, within the folder",
        ],
        ["(имена с папками перед ними не учитываются, строка 1)", "создайте этот файл заново, находясь в самой папке"],
    ),
    (
        |folder| {
            publish_sums(folder, "20260301", &[]);
            write(folder, "upd_app.bin", image(7));
        },
        SAME,
        "20260301/upd_app.bin",
        "SUMS-DIFFER",
        ["the image differs from SHA256SUMS (its SHA-256 is ", "copy the images and SHA256SUMS again"],
        ["образ не совпадает с SHA256SUMS (его SHA-256 - ", "скопируйте образы и SHA256SUMS ещё раз"],
    ),
    (
        |folder| {
            write(folder, "offer.ini", "# all\n");
            publish_sums(folder, "20260301", &["offer.ini"]);
            remove(folder, "20260301/offer.ini");
        },
        SAME,
        "20260301/offer.ini",
        "LISTED-FILE-MISSING",
        ["listed in SHA256SUMS and missing", "copy it too, or make SHA256SUMS again without it"],
        ["указан в SHA256SUMS, но его нет", "скопируйте и его или создайте SHA256SUMS заново без него"],
    ),
    (
        SAME,
        SAME,
        "20260301",
        "HINT-SUMS",
        ["version 20260301 has no SHA256SUMS", "make one where the firmware came from"],
        ["у версии 20260301 нет SHA256SUMS", "создайте его там, откуда взята прошивка"],
    ),
    (
        |folder| write(folder, "upd_app_for_old_frs.bin", image(1)),
        SAME,
        "20260301",
        "HINT-SAME-IMAGES",
        ["are the same to the byte", "compare with what the vendor sent"],
        ["совпадают до байта", "сверьте с тем, что прислал производитель"],
    ),
    (
        SAME,
        |folder| {
            publish(folder, "20260301", 7);
            publish_sums(folder, "20260301", &[]);
        },
        "20260301",
        "HINT-REPLACED",
        ["was offered with other images before", "publish them in a folder with another date"],
        ["раньше предлагалась с другими образами", "положите новые в папку с другой датой"],
    ),
    (
        |folder| symlink("nothing", folder.path().join("firmware/20260301/offer.ini")).expect("a link"),
        SAME,
        "20260301/offer.ini",
        "OFFER-UNREADABLE",
        ["is there and cannot be read (No such file", "copy it again, check its rights, or remove it"],
        ["есть, но не читается (нет такого файла", "скопируйте его ещё раз, проверьте права или удалите"],
    ),
    (
        |folder| write(folder, "offer.ini", "x".repeat(70_000)),
        SAME,
        "20260301/offer.ini",
        "OFFER-UNREADABLE",
        ["cannot be read (longer than 64 KiB)", "copy it again"],
        ["не читается (длиннее 64 КиБ)", "скопируйте его ещё раз"],
    ),
    (
        |folder| write(folder, "offer.ini", "\n"),
        SAME,
        "20260301/offer.ini",
        "OFFER-EMPTY",
        ["offer.ini is empty", "copy it again, or remove it"],
        ["offer.ini пуст", "скопируйте его ещё раз или удалите"],
    ),
    (
        |folder| write(folder, "offer.ini", "# pilot\n10.0.0.1\n"),
        SAME,
        "20260301/offer.ini:2",
        "OFFER-BAD-LINE",
        ["no \"=\": expected \"key = value\"", "version 20260301 is offered to nobody"],
        ["нет знака \"=\": ожидается \"ключ = значение\"", "версия 20260301 не предлагается никому"],
    ),
    (
        |folder| write(folder, "offer.ini", "colour = red\n"),
        SAME,
        "20260301/offer.ini:1",
        "OFFER-BAD-KEY",
        ["unknown key \"colour\"", "correct or remove it; the keys are only_for,"],
        ["неизвестный ключ \"colour\"", "исправьте его или удалите; известны only_for,"],
    ),
    (
        |folder| write(folder, "offer.ini", "only_fro = 10.0.0.1\n"),
        SAME,
        "20260301/offer.ini:1",
        "OFFER-KEY-MISSPELT",
        ["unknown key \"only_fro\"", "did you mean only_for?"],
        ["неизвестный ключ \"only_fro\"", "возможно, имелся в виду only_for?"],
    ),
    (
        |folder| write(folder, "offer.ini", "only_for = 10.0.0.1, 10.0.0.300, 10.0.0.2\n"),
        SAME,
        "20260301/offer.ini:1",
        "OFFER-BAD-VALUE",
        ["only_for = \"10.0.0.300\" is not valid", "expected addresses"],
        ["only_for = \"10.0.0.300\" - недопустимое", "ожида"],
    ),
    (
        |folder| write(folder, "offer.ini", "description = 'super firmware'\n"),
        SAME,
        "20260301/offer.ini:1",
        "HINT-QUOTES",
        ["description", "quotes"],
        ["description", "кавычки"],
    ),
    (
        |folder| write(folder, "offer.ini", "built_to = 1.1.2018\nbuilt_to = 2.1.2018\n"),
        SAME,
        "20260301/offer.ini:2",
        "OFFER-REPEATED-KEY",
        ["built_to stands there already", "leave one of the two"],
        ["built_to уже есть выше", "оставьте одну строку"],
    ),
    (
        |folder| write(folder, "offer.ini", "only_for = till-5\n"),
        SAME,
        "20260301/offer.ini:1",
        "OFFER-BAD-VALUE",
        ["only_for = \"till-5\" is not valid", "expected addresses and blocks with commas between them"],
        ["only_for = \"till-5\" - недопустимое значение", "ожидается список адресов и подсетей через запятую"],
    ),
    (
        |folder| write(folder, "offer.ini", "built_from = 2018\n"),
        SAME,
        "20260301/offer.ini:1",
        "OFFER-BAD-VALUE",
        ["built_from = \"2018\" is not valid", "expected a build date DD.MM.YYYY"],
        ["built_from = \"2018\"", "ожидается дата сборки ДД.ММ.ГГГГ"],
    ),
    (
        |folder| write(folder, "offer.ini", "description =\n"),
        SAME,
        "20260301/offer.ini:1",
        "OFFER-BAD-VALUE",
        ["description = \"\" is not valid", "expected a text, or no such line"],
        ["description = \"\"", "ожидается текст; иначе строку нужно убрать"],
    ),
    (
        |folder| write(folder, "offer.ini.txt", "only_for = 10.0.0.1\n"),
        SAME,
        "20260301/offer.ini.txt",
        "OFFER-MISNAMED",
        ["begins with \"offer\" and is not offer.ini", "rename the file to offer.ini"],
        ["начинается с \"offer\", но это не offer.ini", "переименуйте файл в offer.ini"],
    ),
    (
        |folder| write(folder, "offer.ini", "built_from = 1.1.2030\n"),
        SAME,
        "20260301/offer.ini",
        "OFFER-FOR-NOBODY",
        ["nobody can be offered version 20260301: no build date", "correct the two"],
        ["версию 20260301 некому предложить: нет даты сборки", "исправьте их"],
    ),
    (
        |folder| write(folder, "offer.ini", "only_for = 172.16.0.1\n"),
        SAME,
        "20260301/offer.ini",
        "OFFER-NOT-ALLOWED",
        ["allow in the settings lets none of the addresses of only_for in", "correct one of the two"],
        ["allow в настройках не пропускает ни один адрес из only_for", "исправьте одно из двух"],
    ),
    (
        |folder| {
            offer(folder, "20260401", "only_for = 10.0.0.1, 10.0.0.2\n");
            offer(folder, "20260501", "only_for = 10.0.0.2, 10.0.0.3\n");
        },
        SAME,
        "20260501/offer.ini",
        "OFFERS-OVERLAP",
        ["only_for of 20260501 and only_for of 20260401 have addresses in common", "take the common addresses out of one"],
        ["у only_for версий 20260501 и 20260401 есть общие адреса", "уберите общие адреса из одного"],
    ),
    (
        |folder| (3..=9).for_each(|month| offer(folder, &format!("2026{month:02}15"), "built_to = 1.1.2018\n")),
        |folder| offer(folder, "20261015", "built_to = 1.1.2018\n"),
        "20261015",
        "OFFERS-TOO-MANY",
        ["8 versions are offered already", "move those away that nobody needs"],
        ["уже предлагается версий: 8", "уберите те, которые больше никому не нужны"],
    ),
    (
        |folder| {
            for version in ["20260401", "20260501", "20260601"] {
                offer(folder, version, "built_to = 1.1.2018\n");
                folder.write(&format!("firmware/{version}/upd_app.bin"), image(1).repeat(30));
            }
        },
        SAME,
        "20260601",
        "OFFERS-TOO-LARGE",
        ["may have 32768 KiB together: version 20260601 is not offered", "move versions away that nobody needs"],
        ["вместе могут занимать 32768 КиБ: версия 20260601 не предлагается", "уберите версии"],
    ),
];

/// Codes a test cannot meet on disk, whose texts alone are looked at: cause and remedy in both languages.
const TEXTS_ALONE: [(&str, [&str; 2], [&str; 2]); 2] = [
    ("NO-MEMORY", ["there is not enough memory", "free some"], ["не хватает памяти", "освободите память"]),
    // Met by tests/catalog/offers.rs: it needs registrars.
    ("OFFER-OVERTAKEN", ["has a newer build", "rename the folder"], ["сборка новее", "переименуйте папку"]),
];

/// All problems, hints and reasons told from the start on: the folder stands still, is changed, is looked at again, and stands
/// still.
fn find_problems(folder: &Folder, code: &str, change: Change) -> Vec<Problem> {
    let version = if code == "FOLDER-MISSING" { "20260301" } else { "latest" };
    let settings = format!("current_firmware_version = {version}\nallow = 10.0.0.0/8\n");
    let mut loader = Loader::new(config::parse(&folder.path().join("config.ini"), settings.as_bytes()), false);
    let start = Instant::now();
    let mut found = Vec::new();
    for seconds in [0, 3, 4, 7, 8] {
        if seconds == 4 {
            change(folder);
        }
        if let Some(catalog) = loader.look(start + Duration::from_secs(seconds)) {
            let obstacle = catalog.obstacle().cloned();
            let withdrawn = catalog.unsettled().iter().filter_map(|unsettled| unsettled.withdrawn.clone());
            found.extend(catalog.problems.iter().chain(&catalog.hints).cloned().chain(obstacle).chain(withdrawn));
        }
    }
    found
}

fn assert_says(code: &str, language: Language, text: &str, parts: [&str; 2]) {
    for part in parts {
        assert!(text.contains(part), "{code}, {language:?}: {part:?} in {text:?}");
    }
}

#[test]
fn everything_wrong_names_place_cause_and_remedy_in_both_languages() {
    let mut seen = BTreeSet::new();
    for (prepare, change, place, code, english, russian) in CASES {
        let folder = Folder::new();
        publish(&folder, "20260301", 1);
        prepare(&folder);
        let problems = find_problems(&folder, code, change);
        let place = folder.path().join(Path::new("firmware").join(place));
        let place = place.to_string_lossy();
        let problem = problems.iter().find(|problem| problem.code() == code && problem.place == place.trim_end_matches('/'));
        let problem = problem.unwrap_or_else(|| panic!("{code} at {place} in {problems:#?}"));
        for (language, parts) in [(English, english), (Russian, russian)] {
            assert_says(code, language, &problem.explain(language), parts);
        }
        seen.insert(code);
    }
    let texts: Vec<_> = [firmware::ALL, offers::ALL].into_iter().flatten().filter(|text| !text.code.is_empty()).collect();
    for (code, english, russian) in TEXTS_ALONE {
        let text = texts.iter().find(|text| text.code == code).expect("a text");
        for (language, parts) in [(English, english), (Russian, russian)] {
            assert_says(code, language, &text.template(language), parts);
        }
        seen.insert(code);
    }
    let missing: Vec<_> = texts.iter().map(|text| text.code).filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
