//! Settings: every mistake names place, cause and remedy in both languages, and what follows from it is decided right.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::Folder;
use susv::config::{self, Effect, Reading};
use susv::problem::Language::{English, Russian};
use susv::problem::{Problem, settings as texts};

const VERSION: &str = "current_firmware_version = 20260301\n";

fn parse(text: impl AsRef<[u8]>) -> Reading {
    config::parse(Path::new("shop/config.ini"), text.as_ref())
}

/// What follows `VERSION`, the line it is reported at (0: the whole file), its code, and parts of its text in both languages.
type Case<'a> = (&'a str, usize, &'a str, &'a [&'a str], &'a [&'a str]);

/// A reading, its first problem's code and line, and parts of its text in both languages.
type WholeFile<'a> = (Reading, &'a str, usize, &'a [&'a str], &'a [&'a str]);

const CASES: [Case<'_>; 48] = [
    (
        "port = 70000",
        2,
        "SETTING-INVALID",
        &["port = \"70000\" is not valid", "from 0 to 65535"],
        &["port = \"70000\"", "ожидается номер порта"],
    ),
    ("port =", 2, "SETTING-INVALID", &["port = \"\" is not valid"], &["недопустимое значение"]),
    ("port = +80", 2, "SETTING-INVALID", &["port = \"+80\""], &["ожидается номер порта"]),
    ("address = localhost", 2, "SETTING-INVALID", &["expected one IPv4 or IPv6 address"], &["ожидается один адрес"]),
    (
        "allow = 10.0.0.0/33",
        2,
        "SETTING-INVALID",
        &["or nothing for everyone"],
        &["ожидается список адресов и подсетей", "пусто - все"],
    ),
    ("proxies = nginx", 2, "SETTING-INVALID", &["or nothing for none"], &["пусто - никакие"]),
    ("base_url = gateway:8888", 2, "SETTING-INVALID", &["expected http:// or https://"], &["ожидается http:// или https://"]),
    ("base_url = http://host/?x", 2, "SETTING-INVALID", &["base_url"], &["base_url"]),
    (
        "current_firmware_description = a\u{202e}b\ncritical_version = 2026",
        3,
        "SETTING-INVALID",
        &["yyyymmdd", "0 for none"],
        &["ггггммдд", "0 - никакая"],
    ),
    ("firmware_path =", 2, "SETTING-INVALID", &["a path, absolute or relative"], &["путь, полный"]),
    ("feature_licenses_path =", 2, "SETTING-INVALID", &["a path"], &["путь"]),
    ("min_image_kb = x", 2, "SETTING-INVALID", &["a number of KiB from 0"], &["число КиБ от 0"]),
    ("max_image_kb = 0", 2, "SETTING-INVALID", &["a number of KiB from 1"], &["число КиБ от 1"]),
    ("max_connections = many", 2, "SETTING-INVALID", &["a number from 1 to 10000"], &["число от 1 до 10000"]),
    ("hold_repeats = on", 2, "SETTING-INVALID", &["yes or no"], &["yes (да) или no (нет)"]),
    ("log_requests = true", 2, "SETTING-INVALID", &["yes or no"], &["yes (да) или no (нет)"]),
    ("status_page = 1", 2, "SETTING-INVALID", &["yes or no"], &["yes (да) или no (нет)"]),
    ("stop_seconds = 0", 2, "SETTING-INVALID", &["a number of seconds from 1 to 3600"], &["число секунд от 1 до 3600"]),
    ("log_file_kb = 3", 2, "SETTING-INVALID", &["a number of KiB from 4"], &["число КиБ от 4"]),
    ("log_file_count = 0", 2, "SETTING-INVALID", &["a number of files from 1 to 1000"], &["число файлов от 1 до 1000"]),
    ("prot = 80", 2, "KEY-MISSPELT", &["unknown key \"prot\"; did you mean port?"], &["неизвестный ключ \"prot\"", "port?"]),
    ("port\u{a0}= 80", 2, "KEY-MISSPELT", &["unknown key \"port\\u{a0}\"; did you mean port?"], &["\"port\\u{a0}\""]),
    (
        "licence_path = x",
        2,
        "KEY-UNKNOWN",
        &["unknown key \"licence_path\": correct or remove it; the keys are port address"],
        &["известны port address"],
    ),
    ("port = 1\nport = 2", 3, "KEY-REPEATED", &["port stands already in line 2: leave one"], &["port уже есть в строке 2"]),
    ("[server]", 2, "LINE-SECTION", &["sections are not used", "remove this one"], &["разделов здесь нет", "удалите"]),
    ("port 80", 2, "LINE-NO-EQUALS", &["no \"=\"", "expected \"key = value\""], &["нет знака \"=\"", "ожидается"]),
    ("= 80", 2, "LINE-NO-KEY", &["no key before \"=\""], &["перед \"=\" нет ключа"]),
    ("port = 8\u{1b}0", 2, "LINE-CONTROL", &["holds a control character: write it anew"], &["управляющий символ: наберите"]),
    (
        "min_image_kb = 20000",
        2,
        "SIZES-CROSSED",
        &["min_image_kb = 20000 is more than max_image_kb = 16384"],
        &["min_image_kb = 20000 больше, чем max_image_kb = 16384"],
    ),
    ("max_image_kb = 400", 2, "SIZES-CROSSED", &["min_image_kb = 480 is more than max_image_kb = 400"], &["больше"]),
    (
        "feature_licenses_path = firmware/keys",
        2,
        "PATH-INSIDE-FIRMWARE",
        &[
            "feature_licenses_path = \"shop/firmware/keys\" lies inside firmware_path = \"shop/firmware\"",
            "choose a place outside",
        ],
        &["feature_licenses_path", "firmware_path", "выберите место снаружи"],
    ),
    ("feature_licenses_path = firmware", 2, "PATH-INSIDE-FIRMWARE", &["handed out to anyone"], &["выдаются всем"]),
    (
        "log_file = firmware/20260301/upd_app.bin",
        2,
        "PATH-INSIDE-FIRMWARE",
        &["log_file = \"shop/firmware/20260301/upd_app.bin\" lies inside firmware_path"],
        &["log_file", "firmware_path"],
    ),
    ("log_file = x/../firmware/log", 2, "PATH-INSIDE-FIRMWARE", &["log_file"], &["log_file"]),
    (
        "firmware_path = licenses",
        0,
        "PATH-INSIDE-FIRMWARE",
        &["feature_licenses_path = \"shop/licenses\" lies inside firmware_path = \"shop/licenses\""],
        &["feature_licenses_path"],
    ),
    (
        "firmware_path = .",
        2,
        "FIRMWARE-HOLDS-SETTINGS",
        &["firmware_path = \"shop/.\" holds this file of settings", "a folder of its own"],
        &["firmware_path = \"shop/.\"", "отдельную папку"],
    ),
    ("firmware_path = /", 2, "FIRMWARE-HOLDS-SETTINGS", &["firmware_path = \"/\""], &["отдельную папку"]),
    (
        "log_file = config.ini",
        2,
        "LOG-OVER-SETTINGS",
        &["log_file = \"shop/config.ini\" is this file of settings", "a file of its own"],
        &["это сам файл настроек", "отдельный файл"],
    ),
    ("log_file = ../shop/./config.ini", 2, "LOG-OVER-SETTINGS", &["log_file"], &["log_file"]),
    (
        "log_file = licenses/log.SLF",
        2,
        "LOG-OVER-LICENCES",
        &["log_file = \"shop/licenses/log.SLF\" is a licence file of feature_licenses_path = \"shop/licenses\""],
        &["log_file", "feature_licenses_path", "отдельный файл"],
    ),
    ("feature_licenses_path = all.txt\nlog_file = all.txt", 3, "LOG-OVER-LICENCES", &["a file of its own"], &["отдельный файл"]),
    (
        "current_firmware_description = 'super firmware'",
        2,
        "HINT-QUOTES",
        &["the quotes belong to the value of current_firmware_description", "remove them"],
        &["кавычки входят в значение", "уберите"],
    ),
    ("port = '80'", 2, "SETTING-INVALID", &["port = \"'80'\""], &["ожидается номер порта"]),
    (
        "current_firmware_description = till # 5",
        2,
        "HINT-COMMENT",
        &["what follows # belongs to the value of current_firmware_description", "a line of its own"],
        &["всё после #", "своя строка"],
    ),
    ("port = 8888 # till port", 2, "SETTING-INVALID", &["port = \"8888 # till port\""], &["8888 # till port"]),
    (
        "import os",
        0,
        "SETTINGS-PYTHON",
        &["the old server (config.py): docs/migrate.md shows both side by side", "--init"],
        &["прежнего сервера", "docs/migrate.md"],
    ),
    ("firmware_path = 'fw'\nlog_requests = 'yes'", 3, "SETTING-INVALID", &["log_requests"], &["log_requests"]),
    ("firmware_path = 'fw'\nlicense = 'lic'\ntornado_port = 8888", 0, "SETTINGS-PYTHON", &["config.py"], &["config.py"]),
];

fn check(problem: &Problem, place: &str, (text, line, code, english, russian): Case<'_>) {
    assert_eq!(problem.code(), code, "{text}: {problem:?}");
    let place = if line == 0 { place.to_owned() } else { format!("{place}:{line}") };
    assert_eq!(problem.place, place, "{text}");
    for (language, parts) in [(English, english), (Russian, russian)] {
        let explanation = problem.explain(language);
        for part in parts {
            assert!(explanation.contains(part), "{text}: {part:?} in {explanation}");
        }
    }
}

#[test]
fn every_mistake_names_place_cause_and_remedy_in_both_languages() {
    let mut seen = BTreeSet::new();
    for case in CASES {
        let reading = parse(format!("{VERSION}{}\n", case.0));
        let problem = reading.problems.first().unwrap_or_else(|| panic!("no problem: {}", case.0));
        check(problem, "shop/config.ini", case);
        assert_eq!(reading.mistakes == 0, problem.is_hint(), "{}", case.0);
        seen.insert(problem.code());
    }
    let whole: [WholeFile<'_>; 9] = [
        (
            parse("# nothing\n"),
            "VERSION-MISSING",
            0,
            &["current_firmware_version is missing", "or latest"],
            &["нет current_firmware_version"],
        ),
        (
            parse("current_firmware_version = 20260230"),
            "SETTING-INVALID",
            1,
            &["a date yyyymmdd (for example 20260301), or the word latest"],
            &["слово latest"],
        ),
        (
            parse(b"current_firmware_description = \xcf\xf0\n"),
            "LINE-NOT-UTF8",
            1,
            &["save the file in the encoding UTF-8"],
            &["сохраните файл в кодировке UTF-8"],
        ),
        (
            parse("\u{feff}port".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            "SETTINGS-UTF16",
            0,
            &["the file is UTF-16: save it"],
            &["файл в UTF-16: сохраните"],
        ),
        (
            parse(format!("{VERSION}address = {}", "::1,".repeat(65))),
            "SETTING-INVALID",
            2,
            &["at most 64 addresses"],
            &["не больше 64 адресов"],
        ),
        (parse(format!("{VERSION}allow = {}", "::1,".repeat(257))), "SETTING-INVALID", 2, &["at most 256"], &["не больше 256"]),
        (
            config::read(Path::new("/nonexistent/config.ini")),
            "SETTINGS-UNREADABLE",
            0,
            &["cannot be read (", "susv --init DIR"],
            &["не читается (", "susv --init ПАПКА"],
        ),
        (
            config::read(Path::new("/")),
            "SETTINGS-UNREADABLE",
            0,
            &["it must be a text file"],
            &["это должен быть текстовый файл"],
        ),
        (config::parse(Path::new("config.py"), b"x = 1"), "SETTINGS-PYTHON", 0, &["docs/migrate.md"], &["docs/migrate.md"]),
    ];
    for (reading, code, line, english, russian) in whole {
        let problem = &reading.problems[0];
        check(problem, &reading.settings.file.to_string_lossy(), (code, line, code, english, russian));
        assert!(reading.mistakes > 0);
        seen.insert(problem.code());
    }
    let reading = parse("");
    for (effect, code, english, russian) in [
        (Effect::Kept, "SETTINGS-KEPT", "the settings stay as they were", "действуют прежние настройки"),
        (Effect::NothingOffered, "SETTINGS-BAD-START", "told that there is no update until it is mended", "обновлений нет"),
        (Effect::NotStarted, "SETTINGS-NO-START", "does not start until it is mended", "служба не запустится"),
    ] {
        let problem = config::describe_effect(&reading.settings.file, reading.mistakes, effect);
        check(
            &problem,
            "shop/config.ini",
            (code, 0, code, &["mistakes in the file: 1", english], &["ошибок в файле: 1", russian]),
        );
        seen.insert(code);
    }
    let wanted = parse(format!("{VERSION}port = 80\naddress = ::1\nmax_connections = 5"));
    let problems = config::restart_problems(&parse(VERSION).settings, &wanted.settings, false);
    check(
        &problems[0],
        "shop/config.ini",
        (
            "",
            2,
            "RESTART-NEEDED",
            &["port = 80 takes effect after a restart; until then it is 8888"],
            &["после перезапуска; до него действует 8888"],
        ),
    );
    let hints = config::socket_hints(&wanted.settings);
    check(
        &hints[1],
        "shop/config.ini",
        ("", 3, "HINT-SOCKET", &["address does not count", "remove the line"], &["address не действует", "удалите строку"]),
    );
    seen.extend([problems[0].code(), hints[1].code()]);
    let all: BTreeSet<_> = texts::ALL.iter().map(|text| text.code).filter(|code| !code.is_empty()).collect();
    assert_eq!(seen, all, "every code is met in this test, and no other");
}

#[test]
fn what_waits_for_a_restart_is_a_problem_until_it_is_changed_back() {
    let started_with = parse(format!("{VERSION}port = 80\naddress = 10.0.0.1")).settings;
    for (text, inherited, codes) in [
        ("port = 80\naddress = 10.0.0.1", false, &[] as &[&str]),
        ("port = 81\naddress = 10.0.0.1", false, &["port"]),
        ("address = 10.0.0.2\nmax_connections = 9", false, &["port", "address", "max_connections"]),
        ("address = 10.0.0.2\nmax_connections = 9", true, &["max_connections"]),
    ] {
        let problems = config::restart_problems(&started_with, &parse(format!("{VERSION}{text}")).settings, inherited);
        let keys: Vec<_> =
            problems.iter().map(|problem| problem.explain(English).split(' ').next().unwrap_or("").to_owned()).collect();
        assert_eq!(keys, codes, "{text}");
    }
}

#[test]
fn a_server_may_start_where_only_port_address_and_allow_are_sound() {
    for (text, mistakes, can_listen) in [
        (VERSION, 0, true),
        ("", 1, true),
        ("port = 9105\nlog_requests = perhaps\nwhat = 1", 3, true),
        ("port = x", 2, false),
        ("address = localhost", 2, false),
        ("allow = everyone", 2, false),
        ("prot = 9105", 2, false),
        ("Address = ::1", 2, false),
        ("port 9105", 2, false),
        ("port: 9105", 2, false),
        ("port = 1\nport = 2", 2, false),
        ("base_url = x\n[server]\nlog_file 5", 4, true),
        ("firmware_path = .", 2, true),
        ("import tornado", 1, false),
    ] {
        let reading = parse(text);
        assert_eq!((reading.mistakes, reading.can_listen), (mistakes, can_listen), "{text}: {:?}", reading.problems);
        assert_eq!(reading.valid().is_ok(), mistakes == 0);
    }
    // Sound lines count, bad ones have their default.
    let settings = parse("port = 9105\naddress = 10.0.0.1\nmax_connections = many\nlog_requests = no").settings;
    assert_eq!((settings.port, settings.max_connections, settings.log_requests), (9105, 256, false));
    assert_eq!(settings.addresses, ["10.0.0.1".parse::<std::net::IpAddr>().expect("an address")]);
}

#[test]
fn paths_that_swallow_each_other_lead_nowhere_until_they_are_mended() {
    for text in ["firmware_path = .", "log_file = config.ini", "log_file = firmware/log", "feature_licenses_path = firmware"] {
        let settings = parse(format!("{VERSION}{text}")).settings;
        assert!(!settings.firmware_path.exists() && settings.log_file.path.as_os_str().is_empty(), "{text}");
    }
}

#[test]
fn paths_are_compared_as_they_resolve() {
    let folder = Folder::new();
    let codes = |text: &str| -> Vec<_> {
        let file = folder.write("etc/config.ini", format!("{VERSION}{text}"));
        config::read(&file).problems.iter().map(Problem::code).collect()
    };
    for path in ["etc/firmware/20260301", "etc/elsewhere", "licenses"] {
        fs::create_dir_all(folder.path().join(path)).expect("a folder");
    }
    folder.write("etc/firmware/20260301/upd_app.bin", "x");
    let link = |target: &str, at: &str| symlink(target, folder.path().join("etc").join(at)).expect("a link");
    link("firmware", "fw");
    link("firmware/20260301/upd_app.bin", "image");
    link("firmware/new.log", "dangling");
    link("dangling", "dangling_twice");
    link("round", "round");
    link("config.ini", "settings");
    link("../licenses", "licenses");
    for (text, expected) in [
        ("", &[] as &[&str]),
        ("firmware_path = fw", &[]),
        ("log_file = elsewhere/log", &[]),
        ("log_file = firmware.log", &[]),
        ("log_file = round", &[]),
        ("log_file = fw/log", &["PATH-INSIDE-FIRMWARE"]),
        ("log_file = image", &["PATH-INSIDE-FIRMWARE"]),
        ("log_file = dangling", &["PATH-INSIDE-FIRMWARE"]),
        ("log_file = dangling_twice", &["PATH-INSIDE-FIRMWARE"]),
        ("log_file = settings", &["LOG-OVER-SETTINGS"]),
        ("firmware_path = ../licenses", &["PATH-INSIDE-FIRMWARE"]),
        ("firmware_path = elsewhere/../../etc", &["FIRMWARE-HOLDS-SETTINGS"]),
        ("firmware_path = new/fw\nlog_file = new/fw/x/log", &["PATH-INSIDE-FIRMWARE"]),
        ("firmware_path = new/fw\nlog_file = new/fw.log", &[]),
        ("log_file = ../licenses/a.slf", &["LOG-OVER-LICENCES"]),
        ("log_file = ../licenses/log", &[]),
    ] {
        assert_eq!(codes(text), expected, "{text}");
    }
}

#[test]
fn a_wrong_file_makes_a_short_list() {
    let lines: String = (0..6000).map(|number| format!("key{number} = 1\n")).collect();
    for text in [lines, "no equals sign\n".repeat(4000), "port = x # y\n".repeat(5000)] {
        let reading = parse(text.as_bytes());
        assert!(reading.mistakes >= 4000, "{}", reading.mistakes);
        assert_eq!(reading.problems.iter().filter(|problem| !problem.is_hint()).count(), 21);
        let more = reading.problems.iter().find(|problem| problem.code() == "MORE").expect("the rest is counted");
        assert_eq!(more.explain(English), format!("and {} more problems", reading.mistakes - 20));
        let length: usize = reading.problems.iter().map(|problem| problem.describe(Russian).len()).sum();
        assert!(length < 30_000, "{length}");
    }
}

#[test]
fn odd_listening_addresses_are_fine_settings() {
    for text in ["address = 127.0.0.1, 127.0.0.1", "address = 0.0.0.0, ::", "address = ,", "allow = 10.0.0.7, 10.0.0.7"] {
        assert_eq!(parse(format!("{VERSION}{text}")).problems, [], "{text}");
    }
}

#[test]
fn a_reading_carries_the_stamp_of_what_was_read() {
    let folder = Folder::new();
    let file = folder.write("config.ini", VERSION);
    let first = config::read(&file).stamp.expect("a stamp");
    assert_eq!(config::read(&file).stamp, Some(first));
    folder.write("config.ini", format!("{VERSION}port = 1\n"));
    assert_ne!(config::read(&file).stamp, Some(first));
    assert_eq!(config::read(&folder.path().join("none")).stamp, None);
}

#[test]
fn the_shipped_file_documents_every_key_with_its_default_in_both_languages() {
    let shipped = include_str!("../../config.ini");
    // What is commented out is the default.
    let shown: String = shipped.lines().map(|line| line.strip_prefix(';').unwrap_or(line).to_owned() + "\n").collect();
    let (all, defaults) = (parse(&shown), parse(shipped));
    assert_eq!((&all.problems, &defaults.problems), (&Vec::new(), &Vec::new()));
    let unknown = parse(format!("{VERSION}tornado = 1")).problems[0].explain(English);
    let keys = unknown.split("the keys are ").nth(1).expect("a list of keys");
    assert_eq!(keys.split(' ').count(), 20);
    for key in keys.split(' ') {
        let line = all.settings.line_of(key).unwrap_or_else(|| panic!("{key} is not in config.ini"));
        // Above it stands its description, English and then Russian; keys that belong together share one.
        let above: Vec<_> = shipped.lines().take(line - 1).collect();
        let is_setting = |line: &&&str| line.trim_start_matches(';').starts_with(|letter: char| letter.is_ascii_lowercase());
        let comment: String =
            above.iter().rev().skip_while(is_setting).take_while(|line| line.starts_with('#')).copied().collect();
        assert!(comment.contains(|letter: char| ('а'..='я').contains(&letter)), "{key}: {comment}");
        assert!(comment.contains(|letter: char| letter.is_ascii_lowercase()), "{key}: {comment}");
    }
    let [all, defaults] = [all, defaults].map(|reading| {
        let settings = reading.settings;
        (
            (settings.port, settings.addresses, settings.allow, settings.proxies, settings.base_url, settings.version),
            (settings.critical_version, settings.firmware_path, settings.licenses_path, settings.min_image_kb),
            (settings.max_image_kb, settings.max_connections, settings.hold_repeats, settings.stop_seconds),
            (settings.log_requests, settings.log_file.path, settings.log_file.kb, settings.log_file.count),
            settings.status_page,
        )
    });
    assert_eq!(all, defaults);
}
