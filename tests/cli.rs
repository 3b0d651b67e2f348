//! The command line as an operator uses it: output, exit codes, and every configuration error on one line.

mod common;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use common::{Folder, license_line, publish, susv};

/// Runs the program in a folder: exit code, standard output, standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = susv().args(arguments).current_dir(folder).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

#[test]
fn help_and_version_go_to_standard_output() {
    let folder = Folder::new();
    for argument in ["-h", "--help"] {
        let (code, out, err) = run(folder.path(), &[argument]);
        assert_eq!((code, err.as_str()), (0, ""));
        for word in ["-c FILE", "-t", "--init DIR", "SIGTERM", "78"] {
            assert!(out.contains(word), "{word}");
        }
    }
    for argument in ["-V", "--version"] {
        assert_eq!(run(folder.path(), &[argument]), (0, format!("susv {}\n", env!("CARGO_PKG_VERSION")), String::new()));
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_one_line() {
    let folder = Folder::new();
    for arguments in [&["-x"] as &[&str], &["-c"], &["--init"], &["-t", "--version"], &["config.ini"], &["-c", "a", "-c", "b"]] {
        let (code, out, err) = run(folder.path(), arguments);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{arguments:?}: {err}");
        assert!(err.starts_with("susv: ") && err.contains("--help"), "{err}");
    }
}

#[test]
fn a_missing_configuration_says_what_to_do() {
    let folder = Folder::new();
    for arguments in [&[] as &[&str], &["-t"]] {
        let (code, out, err) = run(folder.path(), arguments);
        assert_eq!((code, out.as_str(), err.lines().count()), (78, "", 1), "{err}");
        assert!(err.contains("config.ini: cannot be read") && err.contains("--init"), "{err}");
    }
    let (code, _, err) = run(folder.path(), &["-c", "."]);
    assert_eq!((code, err.lines().count()), (78, 1), "{err}");
}

#[test]
fn every_configuration_error_names_file_line_key_value_and_what_is_valid() {
    let version = "current_firmware_version = 20260301\n";
    let cases = [
        ("port = 70000", "config.ini:2: port = \"70000\" is not valid: expected a port number from 0 to 65535"),
        ("port =", "config.ini:2: port = \"\" is not valid"),
        ("port = +80", "config.ini:2: port = \"+80\" is not valid"),
        ("address = localhost", "config.ini:2: address = \"localhost\" is not valid: expected one IPv4 or IPv6 address"),
        ("base_url = gateway:8888", "config.ini:2: base_url = \"gateway:8888\" is not valid: expected http:// or https://"),
        ("base_url = http://a b/", "config.ini:2: base_url"),
        ("base_url = http://host/?x", "config.ini:2: base_url"),
        ("critical_version = 2026", "config.ini:2: critical_version = \"2026\" is not valid: expected a date yyyymmdd"),
        ("firmware_path =", "config.ini:2: firmware_path = \"\" is not valid: expected a path"),
        ("max_image_kb = 0", "config.ini:2: max_image_kb = \"0\" is not valid: expected a number of KiB from 1"),
        ("max_connections = many", "config.ini:2: max_connections = \"many\" is not valid: expected a number from 1 to 10000"),
        ("log_requests = true", "config.ini:2: log_requests = \"true\" is not valid: expected yes or no"),
        ("Port = 80", "config.ini:2: unknown key \"Port\"; the keys are port address"),
        ("port = 1\nport = 2", "config.ini:3: port stands already in line 2"),
        ("[server]", "config.ini:2: sections are not used"),
        ("port 80", "config.ini:2: no \"=\""),
        ("= 80", "config.ini:2: no key in front of \"=\""),
        ("port = 8\u{1b}0", "config.ini:2: holds a control character"),
    ];
    let folder = Folder::new();
    for (line, expected) in cases {
        folder.write("config.ini", format!("{version}{line}\n"));
        let (code, out, err) = run(folder.path(), &[]);
        assert_eq!((code, out.as_str()), (78, ""), "{line}: {err}");
        assert!(err.contains(expected) && err.lines().count() == 1, "{line}: {err}");
    }
    for version in ["20260230", "2026", "newest", "", "0"] {
        folder.write("config.ini", format!("current_firmware_version = {version}\n"));
        let (code, _, err) = run(folder.path(), &["-t"]);
        let expected = format!(
            "config.ini:1: current_firmware_version = \"{version}\" is not valid: expected a date yyyymmdd (for example 20260301), or"
        );
        assert!(code == 78 && err.contains(&expected), "{err}");
    }
    folder.write("config.ini", "# nothing\n");
    let (code, _, err) = run(folder.path(), &[]);
    assert!(code == 78 && err.contains("config.ini: current_firmware_version is missing"), "{err}");
    folder.write(
        "config.ini",
        b"current_firmware_version = 20260301\ncurrent_firmware_description = \xcf\xf0\xee\xf8\xe8\xe2\xea\xe0\n",
    );
    let (code, _, err) = run(folder.path(), &[]);
    assert!(code == 78 && err.contains("config.ini:2: not UTF-8"), "{err}");
    folder.write("config.ini", vec![b'#'; 70_000]);
    let (code, _, err) = run(folder.path(), &[]);
    assert!(code == 78 && err.contains("longer than 64 KiB"), "{err}");
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let folder = Folder::new();
    folder.write("config.ini", "port = x\nwhat = 1\ncurrent_firmware_version = latest\nlog_requests = perhaps\n");
    let (code, _, err) = run(folder.path(), &[]);
    assert_eq!((code, err.lines().count()), (78, 3), "{err}");
    assert!(err.lines().all(|line| line.starts_with("susv: config.ini:")), "{err}");
}

#[test]
fn test_mode_prints_offer_licences_and_problems() {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(1, 'a') + &license_line(2, 'b'));
    folder.write("config.ini", "current_firmware_version = latest\n");
    let (code, out, err) = run(folder.path(), &["-t"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let digest = susv::text::to_hex(&susv::sha256::hash(&common::image(1)));
    for part in [
        "config.ini: valid\n",
        "offer: version 20260301 (the latest)\n",
        &format!("firmware/20260301/upd_app.bin: 491520 bytes, SHA-256 {digest}\n"),
        "licences: 2\n",
        "licenses/a.slf: 2\n",
        "problems: 0\n",
    ] {
        assert!(out.contains(part), "{part:?} in {out}");
    }
    folder.write("licenses/b.slf", "bad\n");
    fs::remove_file(folder.path().join("firmware/20260301/upd_app.bin")).expect("gone");
    let (code, out, _) = run(folder.path(), &["-t"]);
    assert_eq!(code, 1);
    for part in
        ["offer: none", "licenses/b.slf:1: too short", "firmware/20260301/upd_app.bin: the image is missing", "problems: 3\n"]
    {
        assert!(out.contains(part), "{part:?} in {out}");
    }
}

#[test]
fn init_makes_a_folder_to_start_from_and_overwrites_nothing() {
    let folder = Folder::new();
    let (code, out, err) = run(folder.path(), &["--init", "shop/gateway"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("created shop/gateway/config.ini"), "{out}");
    let made = folder.path().join("shop/gateway");
    assert!(made.join("firmware").is_dir() && made.join("licenses").is_dir());
    let config = fs::read_to_string(made.join("config.ini")).expect("a configuration");
    for key in [
        "port",
        "address",
        "base_url",
        "current_firmware_version",
        "current_firmware_description",
        "critical_version",
        "firmware_path",
    ] {
        assert!(config.contains(key), "{key}");
    }
    // Valid, with one problem: there is no firmware yet.
    let (code, out, _) = run(&made, &["-t"]);
    assert!(code == 1 && out.contains("config.ini: valid") && out.contains("problems: 1\n"), "{out}");
    publish(&folder, "20260301", 1);
    fs::rename(folder.path().join("firmware/20260301"), made.join("firmware/20260301")).expect("published");
    let (code, out, _) = run(&made, &["-t"]);
    assert!(code == 0 && out.contains("offer: version 20260301"), "{out}");

    fs::write(made.join("config.ini"), "mine").expect("edited");
    let (code, out, _) = run(folder.path(), &["--init", "shop/gateway"]);
    assert!(code == 0 && out.contains("unchanged"), "{out}");
    assert_eq!(fs::read_to_string(made.join("config.ini")).expect("kept"), "mine");
    folder.write("file", "");
    let (code, _, err) = run(folder.path(), &["--init", "file/below"]);
    assert!(code == 1 && err.lines().count() == 1 && err.contains("cannot create"), "{err}");
}

#[test]
fn a_taken_port_is_one_line_with_advice() {
    let folder = Folder::new();
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("its address").port();
    folder.write("config.ini", format!("current_firmware_version = latest\naddress = 127.0.0.1\nport = {port}\n"));
    let (code, _, err) = run(folder.path(), &[]);
    assert_eq!((code, err.lines().count()), (1, 1), "{err}");
    assert!(err.contains(&format!("cannot listen on 127.0.0.1:{port}")) && err.contains("another port in config.ini"), "{err}");

    folder.write("config.ini", "current_firmware_version = latest\naddress = 192.0.2.1\nport = 0\n");
    let (code, _, err) = run(folder.path(), &[]);
    assert!(code == 1 && err.contains("this machine has no such address"), "{err}");
}

#[test]
fn an_unreadable_firmware_folder_is_a_problem_not_an_end() {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(1, 'a'));
    folder.write("config.ini", "current_firmware_version = 20260301\nfirmware_path = firmware/20260301/upd_app.bin\n");
    let (code, out, _) = run(folder.path(), &["-t"]);
    assert!(code == 1 && out.contains("nothing is offered") && out.contains("licences: 1"), "{out}");

    let firmware = folder.path().join("firmware");
    folder.write("config.ini", "current_firmware_version = latest\n");
    fs::set_permissions(&firmware, fs::Permissions::from_mode(0o000)).expect("no rights");
    let readable_all_the_same = fs::read_dir(&firmware).is_ok();
    let (code, out, _) = run(folder.path(), &["-t"]);
    fs::set_permissions(&firmware, fs::Permissions::from_mode(0o755)).expect("rights");
    assert!(readable_all_the_same || code == 1 && out.contains("cannot be read") && out.contains("licences: 1"), "{out}");
}
