//! The command line as an operator uses it: output, exit codes, and every configuration error on one line.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Client, Folder, Server, check_request, license_line, publish, susv, wait_until};
use susv::routes::SUSV_COMMIT;

/// Runs the program in a folder: exit code, standard output, standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    run_with(folder, arguments, &[("LC_ALL", "C")])
}

/// Likewise, with an environment.
fn run_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = susv();
    command.args(arguments).envs(environment.iter().copied()).current_dir(folder).stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().expect("it runs");
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
    assert!(SUSV_COMMIT == "unknown" || SUSV_COMMIT.len() == 9 && SUSV_COMMIT.bytes().all(|byte| byte.is_ascii_hexdigit()));
    for argument in ["-V", "--version"] {
        let expected = format!("susv {} ({SUSV_COMMIT})\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(run(folder.path(), &[argument]), (0, expected, String::new()));
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_one_line() {
    let folder = Folder::new();
    for arguments in [
        &["-x"] as &[&str],
        &["-c"],
        &["--init"],
        &["-t", "--version"],
        &["config.ini"],
        &["-c", "a", "-c", "b"],
        &["-c", "a", "--init", "b"],
        &["--init", "--help"],
        &["--init", "-x"],
        &["-c", "-t"],
        &["-t", "--as", "10.0.0.7"],
        &["-t", "--as", "a\u{1b}b\n", "--built", "19.12.2017"],
        &["-t", "--as", "10.0.0.7", "--built", "31.02.2017"],
        &["--as", "10.0.0.7", "--built", "19.12.2017"],
    ] {
        let (code, out, err) = run(folder.path(), arguments);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{arguments:?}: {err}");
        assert!(err.starts_with("susv: ") && err.contains("--help") && !err.contains('\u{1b}'), "{err}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing was made");
}

#[test]
fn a_missing_configuration_says_what_to_do() {
    let folder = Folder::new();
    for (arguments, lines) in [(&[] as &[&str], 1), (&["-t"], 2)] {
        let (code, out, err) = run(folder.path(), arguments);
        assert_eq!((code, out.as_str(), err.lines().count()), (78, "", lines), "{err}");
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
        ("Port = 80", "config.ini:2: unknown key \"Port\"; did you mean port?"),
        ("tornado = 80", "config.ini:2: unknown key \"tornado\": correct or remove it; the keys are port address"),
        ("port = 1\nport = 2", "config.ini:3: port stands already in line 2"),
        ("[server]", "config.ini:2: sections are not used"),
        ("port 80", "config.ini:2: no \"=\""),
        ("= 80", "config.ini:2: no key before \"=\""),
        ("port = 8\u{1b}0", "config.ini:2: the line holds a control character"),
    ];
    let folder = Folder::new();
    for (line, expected) in cases {
        folder.write("config.ini", format!("{version}{line}\n"));
        let (code, out, err) = run(folder.path(), &["-t"]);
        assert_eq!((code, out.as_str()), (78, ""), "{line}: {err}");
        assert!(err.contains(expected) && err.lines().count() == 2, "{line}: {err}");
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
    let (code, _, err) = run(folder.path(), &["-t"]);
    assert!(code == 78 && err.contains("config.ini: current_firmware_version is missing"), "{err}");
    folder.write(
        "config.ini",
        b"current_firmware_version = 20260301\ncurrent_firmware_description = \xcf\xf0\xee\xf8\xe8\xe2\xea\xe0\n",
    );
    let (code, _, err) = run(folder.path(), &["-t"]);
    assert!(code == 78 && err.contains("config.ini:2: the line is not UTF-8"), "{err}");
    folder.write("config.ini", vec![b'#'; 70_000]);
    let (code, _, err) = run(folder.path(), &["-t"]);
    assert!(code == 78 && err.contains("longer than 64 KiB"), "{err}");
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let folder = Folder::new();
    folder.write("config.ini", "port = x\nwhat = 1\ncurrent_firmware_version = latest\nlog_requests = perhaps\n");
    let (code, _, err) = run(folder.path(), &["-t"]);
    assert_eq!((code, err.lines().count()), (78, 4), "{err}");
    assert!(err.lines().all(|line| line.starts_with("susv: ") && line.contains(" config.ini:")), "{err}");
}

#[test]
fn test_mode_prints_offer_licences_and_problems() {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(1, 'a') + &license_line(2, 'b'));
    folder.write("config.ini", "current_firmware_version = latest\nport = 0\n");
    let (code, out, err) = run(folder.path(), &["-t"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let digest = susv::text::to_hex(&susv::sha256::hash(&crate::common::image(1)));
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
    for part in [
        "offer: none",
        "licenses/b.slf:1: the line is too short",
        "firmware/20260301/upd_app.bin: the image is missing",
        "problems: 3\n",
    ] {
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
    // On a port of its own: others may use the usual one.
    fs::write(made.join("config.ini"), config.replace(";port = 8888", "port = 0")).expect("edited");
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
}

#[test]
fn an_unreadable_firmware_folder_is_a_problem_not_an_end() {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(1, 'a'));
    folder.write("config.ini", "port = 0\ncurrent_firmware_version = 20260301\nfirmware_path = firmware/20260301/upd_app.bin\n");
    let (code, out, _) = run(folder.path(), &["-t"]);
    assert!(code == 1 && out.contains("nothing is offered") && out.contains("licences: 1"), "{out}");

    let firmware = folder.path().join("firmware");
    folder.write("config.ini", "port = 0\ncurrent_firmware_version = latest\n");
    fs::set_permissions(&firmware, fs::Permissions::from_mode(0o000)).expect("no rights");
    let readable_all_the_same = fs::read_dir(&firmware).is_ok();
    let (code, out, _) = run(folder.path(), &["-t"]);
    fs::set_permissions(&firmware, fs::Permissions::from_mode(0o755)).expect("rights");
    assert!(readable_all_the_same || code == 1 && out.contains("cannot be read") && out.contains("licences: 1"), "{out}");
}

#[test]
fn a_server_starts_in_spite_of_mistakes_and_takes_the_mended_file_over() {
    let server = Server::start("log_requests = perhaps\nwhat = 1\ncurrent_firmware_version = latest\n", |folder| {
        publish(folder, "20260301", 1);
    });
    let is_offered = || {
        let mut client = server.connect();
        client.send(check_request());
        let answer = client.try_answer(false).unwrap_or_else(|| panic!("no answer: {:#?}", server.lines()));
        assert_eq!(answer.status, 200);
        answer.text().contains("\"update_available\": true")
    };
    assert!(!is_offered());
    server.wait_for_line("SETTINGS-BAD-START");
    server.folder.write("config.ini", "current_firmware_version = latest\n");
    wait_until("the mended file is taken over", is_offered);
}

#[test]
fn with_an_inherited_socket_no_mistake_stops_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let folder = sound_folder("port = 70000\nallow = everyone\n");
    let mut command = susv();
    command.current_dir(folder.path()).stdin(OwnedFd::from(listener)).stdout(Stdio::null()).stderr(Stdio::null());
    let server = KilledAtEnd(command.spawn().expect("it starts"));
    let ask = |request: &str| {
        let mut client = Client::connect(address);
        client.send(request);
        let answer = client.read_answer(false);
        assert_eq!(answer.status, 200);
        answer.text()
    };
    assert!(ask(&check_request()).contains("\"update_available\": false"));
    let status = || ask("GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(status().contains("mistakes in the file: 2; registrars are told that there is no update"), "{}", status());
    // Its port does not count, and is no reason for a restart.
    folder.write("config.ini", "current_firmware_version = latest\nport = 1\n");
    wait_until("the mended file is taken over", || ask(&check_request()).contains("\"update_available\": true"));
    assert!(!status().contains("takes effect after a restart"), "{}", status());
    drop(server);
}

/// A process that does not outlive its test.
struct KilledAtEnd(Child);

impl Drop for KilledAtEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_changed_port_is_a_problem_until_it_is_changed_back() {
    let settings = "current_firmware_version = latest\naddress = 127.0.0.1\n";
    let server = Server::start("current_firmware_version = latest\n", |folder| publish(folder, "20260301", 1));
    let is_pending = || server.get("/status").text().contains("port = 1 takes effect after a restart; until then it is 0");
    assert!(!is_pending());
    server.folder.write("config.ini", format!("{settings}port = 1\n"));
    wait_until("the change is reported", is_pending);
    server.folder.write("config.ini", format!("{settings}port = 0\nlog_requests = no\n"));
    wait_until("it is changed back", || !is_pending());
    // Mistakes leave all as it was.
    server.folder.write("config.ini", "nonsense\n");
    server.wait_for_line("SETTINGS-KEPT");
    assert!(server.get("/status").text().contains("mistakes in the file: 2; the settings stay as they were"));
}

#[test]
fn without_a_sound_port_address_and_allow_nothing_starts() {
    let folder = Folder::new();
    for line in ["port = 70000", "address = x", "allow = x", "prot = 8888", "port 8888"] {
        folder.write("config.ini", format!("current_firmware_version = latest\n{line}\n"));
        let (code, out, err) = run(folder.path(), &[]);
        assert_eq!((code, out.as_str(), err.lines().count()), (78, "", 1), "{line}: {err}");
        let (_, _, err) = run(folder.path(), &["-t"]);
        assert!(err.contains("SETTINGS-NO-START config.ini: mistakes in the file: 1; the service does not start"), "{err}");
    }
    folder.write("config.ini", "current_firmware_version = 2026\n");
    let (_, _, err) = run(folder.path(), &["-t"]);
    assert!(err.contains("SETTINGS-BAD-START config.ini: mistakes in the file: 1; registrars are told"), "{err}");
}

/// A sound folder whose settings end with `text`.
fn sound_folder(text: &str) -> Folder {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(1, 'a'));
    folder.write("config.ini", format!("current_firmware_version = latest\n{text}"));
    folder
}

#[test]
fn test_mode_prints_what_the_service_would_do() {
    let settings =
        "address = 127.0.0.1, 127.0.0.1\nport = 0\nallow = 10.0.0.0/8, ::1\nbase_url = http://till\nproxies = 10.0.0.2\n";
    for (extra, language, parts) in [
        (
            settings,
            "C",
            [
                "listens on: 127.0.0.1:0\n",
                "admits: 10.0.0.0/8, ::1\n",
                "firmware URLs begin with: http://till\n",
                "believes X-Forwarded-For of: 10.0.0.2\n",
                "holds back repeated updates of: JavaPOS drivers",
                "problems: 0\n",
            ],
        ),
        (
            "port = 0\nhold_repeats = no",
            "C",
            [
                "listens on: [::]:0\n",
                "admits: everyone\n",
                "firmware URLs begin with: http:// and what",
                "believes X-Forwarded-For of: nobody\n",
                "holds back repeated updates of: nobody (hold_repeats = no)\n",
                "problems: 0\n",
            ],
        ),
        (
            "port = 0",
            "ru_RU.UTF-8",
            [
                "принимает соединения на: [::]:0\n",
                "допускает: всех\n",
                "ссылки на прошивку начинаются с: http:// и",
                "верит X-Forwarded-For от: никого\n",
                "удерживает повторные обновления: драйверов JavaPOS",
                "проблем: 0\n",
            ],
        ),
    ] {
        let (code, out, err) = run_with(sound_folder(extra).path(), &["-t"], &[("LC_ALL", ""), ("LANG", language)]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        for part in parts {
            assert!(out.contains(part), "{part:?} in {out}");
        }
    }
}

#[test]
fn test_mode_finds_what_would_stop_the_start() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("its address").port();
    let taken = [
        format!(
            "LISTEN-IN-USE config.ini:2: another program uses 127.0.0.1:{port}, and it does not answer as susv does: stop it"
        ),
        format!(
            "LISTEN-IN-USE config.ini:2: 127.0.0.1:{port} занят другой программой, и отвечает она не как susv: остановите её"
        ),
    ];
    let cases: [(&str, i32, &str, &str); 7] = [
        (
            "address = 192.0.2.1\nport = 0",
            1,
            "LISTEN-ADDRESS config.ini:2: this machine does not have the address 192.0.2.1; the service starts, but nobody reaches it there before the machine has it: correct",
            "LISTEN-ADDRESS config.ini:2: у этой машины нет адреса 192.0.2.1; служба запустится, но по нему будет недоступна, пока машина его не получит: исправьте",
        ),
        (&format!("port = {port}\naddress = 127.0.0.1"), 1, &taken[0], &taken[1]),
        (
            "port = 0\nlog_file = none/log",
            1,
            "LOG-FILE none/log: log_file cannot be written (No such file or directory (os error 2)): its folder must exist",
            "LOG-FILE none/log: log_file не записать (нет такого файла или папки (os error 2)): папка для него должна существовать",
        ),
        (
            "port = 0\nlog_file = .",
            1,
            "LOG-FILE .: log_file cannot be written (Is a directory",
            "LOG-FILE .: log_file не записать",
        ),
        (
            "port = 0\nlog_file = /dev/null/log",
            1,
            "LOG-FILE /dev/null/log: log_file cannot be written (Not a directory",
            "не записать",
        ),
        (
            "port = 0\nlog_file = /proc/self/comm",
            1,
            "LOG-FOLDER /proc/self: no new files can be made in this folder (",
            "LOG-FOLDER /proc/self: в этой папке нельзя создавать файлы (",
        ),
        ("port = 0\nlog_file = log", 0, "problems: 0", "проблем: 0"),
    ];
    for (settings, code, english, russian) in cases {
        let folder = sound_folder(settings);
        for (locale, expected) in [("C", english), ("ru_RU.UTF-8", russian)] {
            let begun = Instant::now();
            let (found, out, err) = run_with(folder.path(), &["-t"], &[("LC_ALL", locale)]);
            assert!((found, err.as_str()) == (code, "") && out.contains(expected), "{settings}: {out}{err}");
            assert!(begun.elapsed() < Duration::from_secs(10));
            assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3, "nothing is left behind");
        }
    }
}

#[test]
fn a_port_without_the_right_to_it_is_a_problem() {
    let folder = sound_folder("port = 1\naddress = 127.0.0.1");
    let users = "root:x:0:0:root:/root:/bin/sh\nsusv:x:54321:54321::/:/bin/false\n";
    for (locale, expected) in [
        ("C", "LISTEN-RIGHT config.ini:2: no right to listen on 127.0.0.1:1: ports below 1024 are root's; set a higher port"),
        ("ru_RU.UTF-8", "LISTEN-RIGHT config.ini:2: нет права принимать соединения на 127.0.0.1:1: порты ниже 1024"),
    ] {
        let Some((code, out, _)) = run_as_root_with_users(folder.path(), users, locale) else { return };
        // Where the kernel gives all ports to everybody, or the program is in a folder of root's, there is nothing to see.
        let all_ports =
            fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").is_ok_and(|start| start.trim() == "0");
        let has_worked = !all_ports && !out.contains("that did not work") && !out.contains("не получилось");
        assert!(!has_worked || code == 1 && out.contains(expected), "{out}");
    }
}

#[test]
fn a_running_susv_on_the_port_is_a_hint_with_its_version() {
    let server = Server::start_plain("allow = 127.0.0.0/8\n");
    // Callers wait until all has been loaded.
    assert_eq!(server.get("/version").status, 200);
    let version = env!("CARGO_PKG_VERSION");
    for address in ["address = 127.0.0.1\n", "allow = 127.0.0.0/8\n"] {
        let folder = sound_folder(&format!("{address}port = {}", server.address.port()));
        let (code, out, _) = run(folder.path(), &["-t"]);
        let is_everywhere = address.starts_with("allow");
        let at = if is_everywhere { "[::]" } else { "127.0.0.1" };
        let expected = format!("HINT-RUNNING config.ini:3: susv {version} is running on {at}:{}", server.address.port());
        assert!(code == 0 && out.contains("problems: 0\n") && out.contains(&expected), "{out}");
    }
}

#[test]
fn newer_versions_that_are_refused_are_named_beside_the_offer() {
    let folder = sound_folder("port = 0");
    publish(&folder, "20260401", 2);
    fs::remove_file(folder.path().join("firmware/20260401/upd_app.bin")).expect("gone");
    let (code, out, _) = run(folder.path(), &["-t"]);
    assert!(
        code == 1 && out.contains("offer: version 20260301 (the newest that is whole; 20260401 is refused, see below)\n"),
        "{out}"
    );
    folder.write("firmware/20260501/upd_app.bin", "short");
    folder.write("firmware/20251231/upd_app.bin", "older");
    let (_, out, _) = run(folder.path(), &["-t"]);
    assert!(out.contains(" (the newest that is whole; 20260401 and 20260501 are refused, see below)\n"), "{out}");
    let (_, out, _) = run_with(folder.path(), &["-t"], &[("LC_ALL", "ru_RU.UTF-8")]);
    assert!(
        out.contains("предлагается версия 20260301 (самая новая из целых; 20260401 и 20260501 отвергнуты, см. ниже)\n"),
        "{out}"
    );
    assert!(out.contains("491520 байт, SHA-256"), "{out}");
}

#[test]
fn what_a_registrar_would_be_told_is_explained() {
    let folder = sound_folder("port = 0");
    folder.write("firmware/20260301/offer.ini", "only_for = 10.0.0.0/8\n");
    for (address, built, told) in [
        ("10.0.0.7", "19.12.2017", "told: update to 20260301"),
        ("10.0.0.7", "1.3.2026", "told: no update"),
        ("192.168.1.7", "19.12.2017", "told: no update"),
    ] {
        let (code, out, err) = run(folder.path(), &["-t", "--as", address, "--built", built]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.contains(&format!("a registrar at {address}, ")) && out.contains(&format!("\n  {told}")), "{out}");
    }
    let (_, out, _) = run(folder.path(), &["-t"]);
    assert!(!out.contains("told:"), "only when asked for");
}

/// Words of small Latin letters in what an operator reads in Russian, without keys, names of files and examples.
fn english_words(text: &str) -> Vec<&str> {
    const KNOWN: &str = "susv config ini help version init built as root firmware licenses slf http port address hold_repeats only_for \
        built_from built_to upd_app upd_app_for_old_frs bin sha256sum build_date offer yyyymmdd latest shop lib";
    let is_of_word = |character: char| character.is_alphanumeric() || character == '_';
    let words = text.split(|character| !is_of_word(character)).filter(|word| word.len() > 1 && word.is_ascii());
    let words = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit()));
    let words = words.filter(|word| word.len() < 64 && word.bytes().any(|byte| byte.is_ascii_lowercase()));
    words.filter(|word| !KNOWN.split_whitespace().any(|known| known == *word)).collect()
}

#[test]
fn where_the_language_is_russian_nothing_is_english() {
    let folder = sound_folder("port = 0\nhold_repeats = no\n");
    folder.write("firmware/20260301/offer.ini", "only_for = 10.0.0.0/8\nbuilt_from = 1.1.2018\nbuilt_to = 1.1.2030\n");
    publish(&folder, "20260101", 1);
    let mut cases: Vec<(i32, Vec<&str>)> = [
        "-x",
        "-c",
        "--init",
        "--as",
        "--built",
        "-c -t",
        "-t -t",
        "-t --version",
        "--init --help",
        "-c a --init b",
        "-t --as 10.0.0.7",
        "-t --as 10 --built 19.12.2017",
        "-t --as 10.0.0.7 --built 10",
        "--as 10.0.0.7 --built 19.12.2017",
    ]
    .map(|line| (2, line.split(' ').collect()))
    .into();
    cases.extend([(0, vec!["--help"]), (0, vec!["-t"]), (0, vec!["--init", "shop"]), (0, vec!["--init", "shop"])]);
    cases.push((1, vec!["--init", "config.ini"]));
    for (address, built) in [
        ("10.0.0.7", "19.12.2018"),
        ("10.0.0.7", "19.12.2017"),
        ("10.0.0.7", "1.3.2026"),
        ("10.0.0.7", "1.3.2031"),
        ("192.168.1.7", "19.12.2018"),
    ] {
        cases.push((0, vec!["-t", "--as", address, "--built", built]));
    }
    for (expected, arguments) in cases {
        let (code, out, err) = run_with(folder.path(), &arguments, &[("LC_ALL", ""), ("LANG", "ru_RU.UTF-8")]);
        let text = out + &err;
        assert_eq!(code, expected, "{arguments:?}: {text}");
        let text = text.replace("os error", "").replace("(hold_repeats = no)", "");
        assert_eq!(english_words(&text), [""; 0], "{arguments:?}: {text}");
        assert!(text.chars().any(|character| ('а'..='я').contains(&character)), "{arguments:?}: {text}");
    }
}

#[test]
fn names_of_files_are_made_visible() {
    let folder = sound_folder("port = 0");
    folder.write("licenses/b\u{1b}[2J\nproblems: 0.slf", "bad\n");
    let (code, out, _) = run(folder.path(), &["-t"]);
    assert_eq!(code, 1);
    assert!(!out.contains('\u{1b}') && out.matches("\nproblems: ").count() == 1, "{out:?}");
    assert!(out.contains("  licenses/b\\u{1b}[2J\\u{a}problems: 0.slf: 0\n"), "{out}");
}

#[test]
fn hints_are_printed_and_do_not_count() {
    let folder = sound_folder("port = 0\ncurrent_firmware_description = 'super firmware'");
    folder.write("licenses/notes.txt", "");
    let (code, out, _) = run(folder.path(), &["-t"]);
    assert!(code == 0 && out.contains("hints: 3\n  HINT-QUOTES config.ini:3: the quotes belong"), "{out}");
    assert!(out.contains("HINT-LICENCE-NAME licenses/notes.txt") && out.contains("problems: 0\n"), "{out}");
}

/// Runs `-t` where `/etc/passwd` is another one, which takes root and namespaces of its own: `None` where those cannot be had.
fn run_as_root_with_users(folder: &Path, passwd: &str, locale: &str) -> Option<(i32, String, String)> {
    fs::write(folder.join("passwd"), passwd).expect("a file");
    let program = susv().get_program().to_owned();
    let mut command = Command::new("unshare");
    let script = "mount --bind passwd /etc/passwd || exit 99; exec \"$0\" -t";
    command.args(["-m", "sh", "-c", script]).arg(program).env("LC_ALL", locale).current_dir(folder);
    let Output { status, stdout, stderr } = command.output().ok()?;
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (code, out, err) = (status.code()?, text(stdout), text(stderr));
    if code == 99 || err.contains("unshare") { None } else { Some((code, out, err)) }
}

#[test]
fn as_root_test_mode_looks_as_the_services_user() {
    let folder = sound_folder("port = 0");
    fs::set_permissions(folder.path().join("licenses/a.slf"), fs::Permissions::from_mode(0o600)).expect("rights");
    let users = "root:x:0:0:root:/root:/bin/sh\nsusv:x:54321:54321::/:/bin/false\n";
    let Some((code, out, err)) = run_as_root_with_users(folder.path(), users, "C") else {
        eprintln!("skipped: not root, or no namespaces");
        return;
    };
    assert!(out.starts_with("started as root, looks as the service's user susv\n"), "{out}{err}");
    if out.contains("that did not work") {
        eprintln!("skipped: the program is in a folder of root's");
        return;
    }
    assert!(code == 1 && out.contains("looked as user susv\n"), "{out}{err}");
    assert!(out.contains("LICENCE-FILE-UNREADABLE licenses/a.slf: cannot be read to its end (Permission denied"), "{out}");
    // Without that user, or where it is root itself, it looks with its own eyes and says so.
    for users in ["root:x:0:0:root:/root:/bin/sh\n", "root:x:0:0::/:/bin/sh\nsusv:x:0:0::/:/bin/sh\n"] {
        let (code, out, _) = run_as_root_with_users(folder.path(), users, "C").expect("as before");
        assert!(code == 0 && out.starts_with("looked as user root: a service of another user may see less\n"), "{out}");
    }
}
