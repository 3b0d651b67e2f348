//! Licences: files of them, bad lines, and what a caller is told.

use std::collections::BTreeSet;
use std::fs;
use std::mem;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{Folder, Server, license_line, wait_until};
use susv::catalog::licenses::{self, License, LicenseIndex, LicenseWatch};
use susv::limits;
use susv::problem::Language::{English, Russian};
use susv::problem::licenses as texts;

const SETTINGS: &str = "current_firmware_version = latest\n";

fn ask(server: &Server, serial: &str) -> (u16, String) {
    let answer = server.post("/feature_licenses", &format!("{{\"serial\": {serial}}}"));
    (answer.status, answer.text())
}

fn expected(digit: char) -> (u16, String) {
    let hex = digit.to_string().repeat(128);
    (200, format!("{{\"licenses\": \"{hex}\", \"signature\": \"{hex}\"}}"))
}

#[test]
fn all_slf_files_of_the_folder_are_served() {
    let server = Server::start(SETTINGS, |folder| {
        folder.write("licenses/b.slf", license_line(2, 'b') + &license_line(3, '3'));
        folder.write("licenses/a.SLF", license_line(1, 'a'));
        folder.write("licenses/notes.txt", license_line(9, '9'));
        folder.write("licenses/sub/c.slf", license_line(9, '9'));
    });
    for (serial, digit) in [("1", 'a'), ("2", 'b'), ("3", '3')] {
        assert_eq!(ask(&server, &format!("\"{serial:0>16}\"")), expected(digit));
    }
    let (status, text) = ask(&server, "\"0000000000000009\"");
    assert_eq!((status, text.as_str()), (400, "{\"error\": \"no licences for the serial number 0000000000000009\"}"));
    server.wait_for_line("event=licenses count=3 files=2");
    server.wait_for_line("serial=0000000000000001 found=yes");
    server.wait_for_line("serial=0000000000000009 found=no");
}

#[test]
fn one_file_may_be_named_instead_of_a_folder() {
    let server = Server::start(&format!("{SETTINGS}feature_licenses_path = keys/all.txt\n"), |folder| {
        folder.write("keys/all.txt", license_line(1, 'a'));
    });
    assert_eq!(ask(&server, "\"0000000000000001\""), expected('a'));
}

#[test]
fn malformed_serial_numbers_are_told_what_is_expected() {
    let server = Server::start_plain("");
    let cases = [
        ("\"\"", "serial \\\"\\\" is not 16 digits"),
        ("\"12345\"", "serial \\\"12345\\\" is not 16 digits"),
        ("\"+000000000012345\"", "is not 16 digits"),
        ("\" 000000000012345\"", "is not 16 digits"),
        ("\"00000000000123456\"", "is not 16 digits"),
        ("\"000000000001234x\"", "is not 16 digits"),
        ("12345", "serial \\\"12345\\\" is not 16 digits"),
        ("1.00000000000000", "is not 16 digits"),
        ("true", "serial is a boolean; expected a string of 16 digits"),
        ("null", "serial is null; expected a string of 16 digits"),
        ("[\"0000000000012345\"]", "serial is an array"),
        ("\"a\\nb\\u202e\"", "serial \\\"a\\\\u{a}b\\\\u{202e}\\\""),
    ];
    for (serial, reason) in cases {
        let (status, text) = ask(&server, serial);
        assert_eq!(status, 400, "{serial}");
        assert!(text.contains(reason), "{serial}: {text}");
        assert!(text.is_ascii());
    }
    for (body, reason) in [
        ("", "empty body; expected {\\\"serial\\\""),
        ("x", "the body is not JSON: expected a value at byte 0"),
        ("{}", "serial is missing"),
        ("[]", "the body is an array; expected the object"),
        ("{\"serial\": 0012}", "the body is not JSON"),
    ] {
        let answer = server.post("/feature_licenses", body);
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(reason), "{body}: {}", answer.text());
    }
}

/// The library's index of one folder, and its problems as lines.
fn load(folder: &Folder) -> (LicenseIndex, Vec<String>) {
    let index = licenses::load(&folder.path().join("licenses"));
    let problems = describe(&index);
    (index, problems)
}

fn describe(index: &LicenseIndex) -> Vec<String> {
    index.problems.iter().map(|problem| problem.describe(English)).collect()
}

/// The digit a serial number's licence is made of; `!` if its file cannot be read now.
fn find(index: &LicenseIndex, serial: u64) -> Option<char> {
    match index.find(serial) {
        Ok(None) => None,
        Ok(Some(License { licenses, signature })) => {
            assert_eq!(licenses, signature);
            licenses.chars().next()
        }
        Err(_) => Some('!'),
    }
}

#[test]
fn bad_lines_are_reported_by_file_and_line_and_skipped() {
    let folder = Folder::new();
    let (one, two, three) = (license_line(1, 'a'), license_line(2, 'b'), license_line(3, 'c'));
    let crlf = two.replace('\n', "\r\n");
    let text = format!(
        "\u{feff}{one}\n\r\nnot a licence\n{crlf}{}\n{}{}",
        "x".repeat(200_000),
        three.replace('\t', " "),
        three.trim_end()
    );
    folder.write("licenses/a.slf", text);
    let (index, problems) = load(&folder);
    assert_eq!((find(&index, 1), find(&index, 2), find(&index, 3), find(&index, 4)), (Some('a'), Some('b'), Some('c'), None));
    let path = folder.path().join("licenses/a.slf").display().to_string();
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (problem, (line, code)) in
        problems.iter().zip([(4, "LICENCE-LINE-SHORT"), (6, "LICENCE-LINE-SERIAL"), (7, "LICENCE-LINE-TAB")])
    {
        assert!(problem.starts_with(&format!("{code} {path}:{line}: ")) && problem.contains("is skipped"), "{problem}");
    }
}

#[test]
fn many_bad_lines_are_counted_after_the_first_twenty() {
    let folder = Folder::new();
    folder.write("licenses/a.slf", "bad\n".repeat(1000) + &license_line(1, 'a'));
    let (index, problems) = load(&folder);
    assert_eq!((find(&index, 1), problems.len()), (Some('a'), 21));
    assert!(problems[20].contains("980 more bad lines"), "{}", problems[20]);
}

#[test]
fn problems_of_many_bad_files_are_bounded_as_a_whole() {
    let folder = Folder::new();
    for number in 0..300 {
        folder.write(&format!("licenses/{number}.slf"), "bad\n".repeat(1000) + &license_line(number, 'a'));
        folder.write(&format!("licenses/{number}.txt"), "");
    }
    let (index, problems) = load(&folder);
    assert_eq!(index.len(), 300);
    let length: usize = problems.iter().map(String::len).sum();
    assert!(problems.len() <= 122 && length < 50_000, "{} problems, {length} bytes", problems.len());
    assert!(problems.iter().any(|problem| problem.starts_with("MORE ")), "{problems:?}");
    assert!(
        problems.last().is_some_and(|problem| problem.starts_with("HINT-MORE ") && problem.contains("and 280 more hints")),
        "{problems:?}"
    );
}

#[test]
fn of_equal_serial_numbers_the_last_counts() {
    let folder = Folder::new();
    folder.write("licenses/a.slf", license_line(1, 'a') + &license_line(2, 'b') + "\n" + &license_line(1, 'c'));
    folder.write("licenses/b.slf", license_line(2, 'd') + &license_line(3, 'e'));
    folder.write("licenses/c.slf", license_line(4, 'f') + &license_line(2, '0') + &license_line(4, '1'));
    let (index, problems) = load(&folder);
    let found = [1, 2, 3, 4].map(|serial| find(&index, serial));
    assert_eq!((found, index.len()), ([Some('c'), Some('0'), Some('e'), Some('1')], 4));
    let path = |place: &str| folder.path().join("licenses").join(place).display().to_string();
    let repeated = |earlier: &str, later: &str| {
        let (earlier, later) = (path(earlier), path(later));
        format!(
            "LICENCE-REPEATED {earlier}: the serial number of this line stands again in {later}: the last one counts; remove the other"
        )
    };
    let expected = [
        repeated("a.slf:1", "a.slf:4"),
        repeated("c.slf:1", "c.slf:3"),
        repeated("a.slf:2", "b.slf:1"),
        repeated("b.slf:1", "c.slf:2"),
    ];
    assert_eq!(problems, expected);
}

#[test]
fn lines_that_lie_across_read_buffers_are_whole() {
    let folder = Folder::new();
    let count = 2000;
    let text: String = (0..count).map(|serial| license_line(serial * 7, 'a')).collect();
    folder.write("licenses/a.slf", text);
    let (index, problems) = load(&folder);
    assert_eq!((index.len(), problems.len()), (2000, 0));
    for serial in 0..count * 7 {
        assert_eq!(find(&index, serial).is_some(), serial % 7 == 0, "{serial}");
    }
}

/// What stands in the folder `licenses`, and the problem it makes: its place in there, its code, and parts of its text in both
/// languages.
type Case = (fn(&Folder), &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const GOOD: fn() -> String = || license_line(1, 'a');

const CASES: [Case; 21] = [
    (
        |_| {},
        "",
        "LICENCES-MISSING",
        &["no licences are served", "check feature_licenses_path"],
        &["лицензии не выдаются", "проверьте feature_licenses_path"],
    ),
    (
        |folder| {
            folder.write("licenses", "");
            fs::remove_file(folder.path().join("licenses")).expect("gone");
            symlink("/dev/null", folder.path().join("licenses")).expect("a link");
        },
        "",
        "LICENCES-UNREADABLE",
        &["cannot be read (", "check feature_licenses_path and the rights"],
        &["не читается (", "проверьте"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", "x".repeat(2_000_000));
        },
        "a.slf",
        "LICENCE-FILE-JUNK",
        &["line 1 is longer than 1 MiB", "copy the right file, or remove it"],
        &["строка 1 длиннее 1 МиБ", "скопируйте правильный файл"],
    ),
    (
        |folder| {
            folder.write("licenses/x", "");
            symlink("nothing", folder.path().join("licenses/a.slf")).expect("a link");
        },
        "a.slf",
        "LICENCE-LINK-DANGLING",
        &["leads to nothing", "mend or remove it"],
        &["ведёт в никуда", "исправьте или удалите"],
    ),
    (
        |folder| {
            fs::create_dir_all(folder.path().join("licenses/a.slf")).expect("a folder");
        },
        "a.slf",
        "LICENCE-NOT-A-FILE",
        &["not a file", "copy the licence file itself"],
        &["это не файл", "скопируйте"],
    ),
    (
        |folder| make_pipe(&folder.write("licenses/a.slf", "")),
        "a.slf",
        "LICENCE-NOT-A-FILE",
        &["no licences are read from it"],
        &["не читаются"],
    ),
    (
        |folder| {
            folder.write("licenses/x", "");
            symlink("a.slf", folder.path().join("licenses/a.slf")).expect("a link");
        },
        "a.slf",
        "LICENCE-FILE-UNREADABLE",
        &["cannot be read to its end (", "tried again all the time", "check the file and its rights"],
        &["не читается до конца (", "попытки продолжаются", "проверьте"],
    ),
    (
        |folder| {
            folder.write("licenses/x", "");
            // Its first bytes are no memory of anybody's: a read error.
            symlink("/proc/self/mem", folder.path().join("licenses/a.slf")).expect("a link");
        },
        "a.slf",
        "LICENCE-FILE-UNREADABLE",
        &["cannot be read to its end (Input/output error"],
        &["не читается до конца (ошибка чтения"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", "1\n");
        },
        "a.slf:1",
        "LICENCE-LINE-SHORT",
        &["too short and is skipped", "expected 16 digits, TAB"],
        &["слишком коротка и пропущена", "ожидается 16 цифр"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", GOOD().replacen('0', "x", 1));
        },
        "a.slf:1",
        "LICENCE-LINE-SERIAL",
        &["not 16 digits", "copy it anew"],
        &["не 16 цифр", "заново"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", "\n".to_owned() + &GOOD().replacen('\t', " ", 1));
        },
        "a.slf:2",
        "LICENCE-LINE-TAB",
        &["no TAB after the 16 digits", "copy the file anew"],
        &["нет TAB", "заново"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", GOOD().replacen('a', "g", 1));
        },
        "a.slf:1",
        "LICENCE-LINE-LICENCES",
        &["the licences are not 128"],
        &["лицензии - не 128"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", GOOD().replace("a\ta", "a a"));
        },
        "a.slf:1",
        "LICENCE-LINE-TAB-2",
        &["no TAB after the 128"],
        &["после 128"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", GOOD().replace("a\n", "\n"));
        },
        "a.slf:1",
        "LICENCE-LINE-SIGNATURE",
        &["the signature is not 128"],
        &["подпись - не 128"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", GOOD().replace('\n', " \n"));
        },
        "a.slf:1",
        "LICENCE-LINE-LONG",
        &["more text after the signature", "remove it"],
        &["после подписи", "уберите"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", "bad\n".repeat(25));
        },
        "a.slf",
        "LICENCE-LINES-MORE",
        &["5 more bad lines are skipped", "mend or replace"],
        &["ещё неверных строк: 5", "исправьте или замените"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", GOOD().repeat(2));
        },
        "a.slf:1",
        "LICENCE-REPEATED",
        &["stands again in", "a.slf:2: the last one counts", "remove the other"],
        &["повторяется в", "удалите лишнюю"],
    ),
    (
        |folder| {
            folder.write("licenses/a.slf", GOOD().repeat(30));
        },
        "a.slf",
        "LICENCE-REPEATED-MORE",
        &["9 more repeated serial numbers", "remove the others"],
        &["повторяющихся серийных номеров: 9", "удалите лишние"],
    ),
    (
        |folder| {
            folder.write("licenses/notes.txt", "");
        },
        "notes.txt",
        "HINT-LICENCE-NAME",
        &["not read", "rename it"],
        &["не читается", "переименуйте"],
    ),
    (
        |folder| {
            fs::create_dir_all(folder.path().join("licenses/shop 5")).expect("a folder");
        },
        "shop 5",
        "HINT-LICENCE-FOLDER",
        &["folders in here are not looked at"],
        &["вложенные папки не просматриваются"],
    ),
    (
        |folder| {
            (0..=limits::LICENSE_FILES).for_each(|number| {
                folder.write(&format!("licenses/{number}.slf"), "");
            });
        },
        "",
        "LICENCE-FILES-TOO-MANY",
        &["4097 licence files", "only the first 4096", "put several into one"],
        &["файлов лицензий 4097", "объедините"],
    ),
];

fn make_pipe(path: &Path) {
    fs::remove_file(path).expect("gone");
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[test]
fn everything_wrong_names_place_cause_and_remedy_in_both_languages() {
    let mut seen = BTreeSet::new();
    for (prepare, place, code, english, russian) in CASES {
        let folder = Folder::new();
        prepare(&folder);
        let path = folder.path().join("licenses");
        let index = licenses::load(&path);
        let found = index.problems.iter().find(|problem| problem.code() == code);
        let problem = found.unwrap_or_else(|| panic!("{code} in {:?}", index.problems));
        let expected = if place.is_empty() { path.clone() } else { path.join(place) };
        assert_eq!(problem.place, expected.to_string_lossy(), "{code}");
        for (language, parts) in [(English, english), (Russian, russian)] {
            let explanation = problem.explain(language);
            for part in parts {
                assert!(explanation.contains(part), "{code}: {part:?} in {explanation}");
            }
        }
        assert_eq!(problem.is_hint(), code.starts_with("HINT-"));
        assert!(!describe(&index).concat().contains("0000000000000001"), "no serial number");
        seen.insert(code);
    }
    // Met in tests of their own, or beyond what a test may write: their words alone.
    for (code, english, russian) in [
        ("LICENCE-FILE-CHANGING", ["is changing", "wait until it is copied"], ["меняется", "дождитесь конца копирования"]),
        ("LICENCES-TOO-MANY", ["more than {0} licences", "remove files nobody needs"], ["больше {0}", "удалите ненужные файлы"]),
        ("LICENCE-MEMORY", ["not enough memory", "split it, or free memory"], ["не хватает памяти", "разделите его"]),
        ("LICENCE-FILE-TOO-LONG", ["after the first 4 GiB", "split the file"], ["первых 4 ГиБ", "разделите файл"]),
        ("LICENCES-NOT-READ-YET", ["have not been read yet", "wait, or look"], ["ещё не прочитаны", "подождите или посмотрите"]),
    ] {
        let text = texts::ALL.iter().find(|text| text.code == code).expect("a text");
        for (language, parts) in [(English, english), (Russian, russian)] {
            let words = text.template(language);
            assert!(parts.iter().all(|part| words.contains(part)), "{words}");
        }
        seen.insert(code);
    }
    assert_eq!(seen, texts::ALL.iter().map(|text| text.code).collect());
}

/// A wrong folder may hold a hundred thousand files, and is looked at every 2 s.
#[test]
fn of_many_files_with_other_names_the_first_are_told() {
    let folder = Folder::new();
    for number in 0..300 {
        folder.write(&format!("licenses/{number}.txt"), "");
        std::os::unix::fs::symlink("nothing", folder.path().join(format!("licenses/{number}.slf"))).expect("a link");
    }
    let problems = licenses::load(&folder.path().join("licenses")).problems;
    let count = |code: &str| problems.iter().filter(|problem| problem.code() == code).count();
    let codes = ["LICENCE-LINK-DANGLING", "MORE", "HINT-LICENCE-NAME", "HINT-MORE"];
    assert_eq!(codes.map(count), [limits::PROBLEMS_PER_FILE, 1, limits::PROBLEMS_PER_FILE, 1], "{problems:?}");
    let told = problems.iter().filter(|problem| problem.explain(English).contains("and 280 more")).count();
    assert_eq!((told, problems.len()), (2, 2 * limits::PROBLEMS_PER_FILE + 2));
}

#[test]
fn hidden_files_are_no_hints() {
    let folder = Folder::new();
    for name in [".gitkeep", ".a.slf.Xy12", ".slf"] {
        folder.write(&format!("licenses/{name}"), "x");
    }
    assert_eq!(load(&folder).1, [] as [&str; 0]);
}

/// Licence files and who watches them, with a time that only passes when told to.
struct Watched {
    folder: Folder,
    watch: LicenseWatch,
    index: LicenseIndex,
    now: Instant,
}

const WAIT: Duration = Duration::from_secs(2);

impl Watched {
    fn new(files: &[(&str, String)]) -> Watched {
        let folder = Folder::new();
        fs::create_dir(folder.path().join("licenses")).expect("a folder");
        for (name, text) in files {
            folder.write(&format!("licenses/{name}"), text);
        }
        let watch = LicenseWatch::new(&folder.path().join("licenses"));
        let mut watched = Watched { folder, watch, index: LicenseIndex::default(), now: Instant::now() };
        assert!(!watched.look_after(0) && watched.watch.is_unsettled());
        watched.look_after(2000);
        watched
    }

    /// Looks after so many milliseconds; whether there is a new index.
    fn look_after(&mut self, milliseconds: u64) -> bool {
        self.now += Duration::from_millis(milliseconds);
        let new = self.watch.look(self.now, WAIT);
        let is_new = new.is_some();
        self.index = new.unwrap_or(mem::take(&mut self.index));
        is_new
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        self.folder.write(&format!("licenses/{name}"), text);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("licenses").join(name)
    }

    fn found(&self, serials: &[u64]) -> String {
        serials.iter().map(|serial| find(&self.index, *serial).unwrap_or('-')).collect()
    }
}

#[test]
fn a_changed_file_is_read_when_it_has_settled_and_only_it() {
    let mut watched = Watched::new(&[("a.slf", license_line(1, 'a')), ("b.slf", license_line(2, 'b'))]);
    assert_eq!(watched.found(&[1, 2, 3]), "ab-");
    assert!(!watched.look_after(2000) && !watched.watch.is_unsettled());
    let before = watched.index.files.clone();
    watched.write("a.slf", license_line(3, 'c') + &license_line(1, 'd'));
    // Known, and not to be given while its file is not what was read; its neighbour is not touched.
    assert_eq!(watched.found(&[1, 2, 3]), "!b-");
    assert!(!watched.look_after(500) && watched.watch.is_unsettled());
    watched.write("a.slf", license_line(3, 'c') + &license_line(1, 'e') + "\n");
    assert!(!watched.look_after(1900) && !watched.look_after(1900), "it changed meanwhile");
    assert!(watched.look_after(100) && !watched.watch.is_unsettled());
    assert_eq!(watched.found(&[1, 2, 3]), "ebc");
    assert!(Arc::ptr_eq(&before[1], &watched.index.files[1]) && !Arc::ptr_eq(&before[0], &watched.index.files[0]));
}

#[test]
fn one_file_that_keeps_changing_holds_up_no_other() {
    let mut watched = Watched::new(&[("a.slf", license_line(1, 'a')), ("b.slf", license_line(2, 'b'))]);
    let mut growing = license_line(1, 'a');
    fs::remove_file(watched.path("b.slf")).expect("gone");
    watched.write("c.slf", license_line(3, 'c'));
    for round in 0..6 {
        growing.push('\n');
        watched.write("a.slf", &growing);
        let is_new = watched.look_after(500);
        assert_eq!(is_new, round == 4, "{round}");
        assert_eq!(watched.found(&[2, 3]), if round < 4 { "!-" } else { "-c" });
        assert_eq!(watched.found(&[1]), "!");
    }
    assert!(!watched.look_after(1500) && watched.look_after(500), "a file that moved stands still");
    assert_eq!(watched.found(&[1, 2, 3]), "a-c");
}

#[test]
fn what_keeps_changing_from_the_start_is_waited_for_a_short_time_only() {
    let folder = Folder::new();
    folder.write("licenses/b.slf", license_line(2, 'b'));
    let mut watch = LicenseWatch::new(&folder.path().join("licenses"));
    let start = Instant::now();
    for time in [0, 500, 1000, 1500, 1999] {
        folder.write("licenses/a.slf", license_line(1, 'a') + &"\n".repeat(time));
        assert!(watch.look(start + Duration::from_millis(time as u64), WAIT).is_none(), "{time}");
    }
    // Before the first caller is let in, which is not held up any longer.
    let index = watch.look(start + WAIT, WAIT).expect("what has settled");
    assert!(WAIT < limits::FIRST_LOOK_TIME);
    assert_eq!((find(&index, 1), find(&index, 2)), (None, Some('b')));
}

#[test]
fn a_file_that_cannot_be_read_is_tried_at_every_look_and_known_lines_are_not_forgotten() {
    let mut watched = Watched::new(&[("a.slf", license_line(1, 'a')), ("b.slf", license_line(2, 'b'))]);
    // A link to itself cannot be opened, by root neither.
    fs::remove_file(watched.path("a.slf")).expect("gone");
    symlink("a.slf", watched.path("a.slf")).expect("a link");
    assert!(watched.look_after(0), "a problem at once");
    assert!(describe(&watched.index)[0].starts_with("LICENCE-FILE-UNREADABLE"), "{:?}", describe(&watched.index));
    assert_eq!(watched.found(&[1, 2]), "!b");
    for _ in 0..5 {
        assert!(!watched.look_after(2000), "nothing new");
    }
    assert_eq!(watched.found(&[1, 2]), "!b");
    fs::remove_file(watched.path("a.slf")).expect("gone");
    watched.write("a.slf", license_line(1, 'c'));
    assert!(watched.look_after(2000), "the problem has gone");
    assert!(watched.look_after(2000));
    assert_eq!((watched.found(&[1, 2]), watched.index.problems.len()), ("cb".to_owned(), 0));
}

#[test]
fn a_folder_that_cannot_be_read_leaves_what_is_known_and_one_that_is_gone_does_not() {
    let mut watched = Watched::new(&[("a.slf", license_line(1, 'a'))]);
    let (here, there) = (watched.folder.path().join("licenses"), watched.folder.path().join("elsewhere"));
    fs::rename(&here, &there).expect("moved");
    symlink("licenses", &here).expect("a link to itself");
    for _ in 0..3 {
        watched.look_after(2000);
        assert_eq!(watched.found(&[1]), "!");
        assert!(describe(&watched.index)[0].starts_with("LICENCES-UNREADABLE"), "{:?}", describe(&watched.index));
    }
    fs::remove_file(&here).expect("gone");
    fs::rename(&there, &here).expect("moved back");
    watched.look_after(2000);
    assert_eq!((watched.found(&[1]), watched.index.problems.len()), ("a".to_owned(), 0));
    fs::rename(&here, &there).expect("moved");
    watched.look_after(2000);
    assert_eq!(watched.found(&[1]), "!", "it may come back");
    watched.look_after(2000);
    assert_eq!(watched.found(&[1]), "-");
    assert!(describe(&watched.index)[0].starts_with("LICENCES-MISSING"));
}

#[test]
fn a_pipe_in_a_files_place_makes_nobody_wait() {
    let watched = Watched::new(&[("a.slf", license_line(1, 'a'))]);
    make_pipe(&watched.path("a.slf"));
    let begun = Instant::now();
    assert_eq!(watched.found(&[1]), "!");
    assert!(begun.elapsed() < Duration::from_secs(1));
    let problem = watched.index.find(1).expect_err("no licence");
    assert!(problem.explain(English).contains("not a file"), "{problem:?}");
}

#[test]
fn another_file_with_the_same_lines_is_not_believed_before_it_was_read() {
    let watched = Watched::new(&[("a.slf", license_line(1, 'a'))]);
    watched.write("new", license_line(1, 'b'));
    fs::rename(watched.path("new"), watched.path("a.slf")).expect("put in its place");
    let problem = watched.index.find(1).expect_err("it is changing");
    assert_eq!(problem.code(), "LICENCE-FILE-CHANGING");
    assert!(problem.explain(English).contains("wait until it is copied") && problem.explain(Russian).contains("дождитесь"));
}

#[test]
fn junk_of_any_length_is_refused_without_being_read() {
    let folder = Folder::new();
    folder.write("licenses/b.slf", license_line(2, 'b'));
    let junk = fs::File::create(folder.path().join("licenses/a.slf")).expect("a file");
    junk.set_len(1200 << 20).expect("a long file");
    let (index, problems) = load(&folder);
    assert_eq!((index.len(), find(&index, 2)), (1, Some('b')));
    assert!(problems.len() == 1 && problems[0].contains("LICENCE-FILE-JUNK"), "{problems:?}");
}

#[test]
fn a_known_serial_whose_file_is_changing_is_503_and_an_unknown_one_400() {
    let server = Server::start(SETTINGS, |folder| {
        folder.write("licenses/a.slf", license_line(1, 'a'));
    });
    assert_eq!(ask(&server, "\"0000000000000001\""), expected('a'));
    server.folder.write("licenses/a.slf", "");
    let (status, text) = ask(&server, "\"0000000000000001\"");
    assert_eq!((status, text.as_str()), (503, "{\"error\": \"the licence file cannot be read now; try again later\"}"));
    assert_eq!(ask(&server, "\"0000000000000002\"").0, 400);
    wait_until("the removal is taken over", || ask(&server, "\"0000000000000001\"").0 == 400);
}

#[test]
fn nobody_is_told_that_a_licence_is_unknown_before_the_files_were_read() {
    assert_eq!(LicenseIndex::default().find(1).map_err(|problem| problem.code()), Err("LICENCES-NOT-READ-YET"));
    assert_eq!(load(&Folder::new()).0.find(1), Ok(None));
    // Nothing is read before the settings are mended.
    let server = Server::start("current_firmware_version = latest\nhold_repeats = maybe\n", |folder| {
        folder.write("licenses/a.slf", license_line(1, 'a'));
    });
    assert_eq!(ask(&server, "\"0000000000000001\"").0, 503);
    assert_eq!(ask(&server, "\"1\"").0, 400);
    let mended = format!("address = 127.0.0.1\nport = {}\n{SETTINGS}", server.address.port());
    server.folder.write("config.ini", mended);
    wait_until("the licences are read", || ask(&server, "\"0000000000000001\"") == expected('a'));
}
