//! Licences: files of them, bad lines, and what a caller is told.

mod common;

use common::{Folder, Server, license_line};
use susv::catalog::licenses::{License, LicenseIndex};
use susv::problem::Language;

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
    let mut problems = Vec::new();
    let index = LicenseIndex::load(&folder.path().join("licenses"), &mut problems);
    (index, problems.iter().map(|problem| format!("{}: {}", problem.place, problem.explain(Language::English))).collect())
}

fn find(index: &LicenseIndex, serial: u64) -> Option<char> {
    let License { licenses, signature } = index.find(serial).expect("readable")?;
    assert_eq!(licenses, signature);
    licenses.chars().next()
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
    for (problem, line) in problems.iter().zip([4, 6, 7]) {
        assert!(problem.starts_with(&format!("{path}:{line}: ")) && problem.ends_with("the line is skipped"), "{problem}");
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
fn of_equal_serial_numbers_the_last_counts() {
    let folder = Folder::new();
    folder.write("licenses/a.slf", license_line(1, 'a') + &license_line(2, 'b') + &license_line(1, 'c'));
    folder.write("licenses/b.slf", license_line(2, 'd') + &license_line(3, 'e'));
    let (index, problems) = load(&folder);
    assert_eq!((find(&index, 1), find(&index, 2), find(&index, 3), index.len()), (Some('c'), Some('d'), Some('e'), 3));
    let path = |name: &str| folder.path().join("licenses").join(name).display().to_string();
    let expected = [
        format!("{0}:1: the serial number of this line stands again in {0}:3: the last one counts", path("a.slf")),
        format!("{}:2: the serial number of this line stands again in {}:1: the last one counts", path("a.slf"), path("b.slf")),
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_line_that_moved_is_found_where_it_is_now() {
    let folder = Folder::new();
    folder.write("licenses/a.slf", license_line(1, 'a') + &license_line(2, 'b'));
    let (index, _) = load(&folder);
    folder.write("licenses/a.slf", "# new\n".to_owned() + &license_line(2, 'c') + &license_line(1, 'd'));
    assert_eq!((find(&index, 1), find(&index, 2)), (Some('d'), Some('c')));
    folder.write("licenses/a.slf", license_line(2, 'e'));
    assert_eq!((find(&index, 1), find(&index, 2)), (None, Some('e')));
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

#[test]
fn a_missing_or_odd_path_is_a_problem_and_no_licences() {
    let folder = Folder::new();
    let (index, problems) = load(&folder);
    assert!(index.is_empty());
    assert!(problems[0].contains("check feature_licenses_path"), "{problems:?}");
    let mut problems = Vec::new();
    LicenseIndex::load("/dev/null".as_ref(), &mut problems);
    assert!(problems[0].explain(Language::English).contains("cannot be read"), "{problems:?}");
}
