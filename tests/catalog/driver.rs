//! The vendor's driver through the wire: request for request what it sends (CLIENTS.md), with a folder as its disk. What needs hours
//! is in `registrars.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Answer, Client, Folder, IMAGE_BYTES, Server, image, license_line, post_request, publish, wait_until};
use susv::calendar::{format_build_date, parse_build_date};
use susv::json::{self, Value};

const VERSION: u32 = 20260301;

/// What a poll came to.
#[derive(Debug, PartialEq, Eq)]
enum Polled {
    /// "No update".
    Nothing,
    /// A file was loaded, or found on the disk, and flashed: a whole image by its seed, or else.
    Flashed(Option<u8>),
    /// The thread ended with an exception; what was loaded stays on the disk.
    ThreadEnded,
}

/// A driver's thread on a PC whose disk is a folder.
struct Driver {
    disk: PathBuf,
    build_date: &'static str,
    client: Client,
    /// Goes away after so many bytes of a download.
    leaves_after: Option<usize>,
}

impl Driver {
    fn start(server: &Server, disk: &Path, build_date: &'static str) -> Driver {
        Driver { disk: disk.to_owned(), build_date, client: server.connect(), leaves_after: None }
    }

    fn check(&mut self, extra_fields: &str) -> Answer {
        self.client.send(java_check(self.build_date, extra_fields));
        self.client.read_answer(false)
    }

    fn poll(&mut self) -> Polled {
        let answer = self.check("");
        let Some((number, url)) = read_offer(&answer) else { return Polled::Nothing };
        let file = self.disk.join("firmware").join(number.to_string()).join("upd_app.bin");
        fs::create_dir_all(file.parent().expect("a folder")).expect("its folder");
        // A file that is there is taken for the image.
        if file.exists() {
            return Polled::Flashed(recognize(&fs::read(file).expect("the file")));
        }
        let path = url.splitn(4, '/').nth(3).expect("a path");
        self.client.send(java_get(&format!("/{path}")));
        if let Some(bytes) = self.leaves_after {
            while self.client.received.len() < bytes.max(1) {
                assert!(self.client.read_more(), "the download goes on");
            }
            let head = self.client.received.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
            let loaded = &self.client.received[head..];
            fs::write(file, &loaded[..bytes.min(loaded.len())]).expect("a stump");
            return Polled::ThreadEnded;
        }
        match self.client.try_answer(false) {
            Some(answer) if answer.status == 200 => {
                fs::write(&file, &answer.body).expect("the file");
                Polled::Flashed(recognize(&answer.body))
            }
            Some(_) => Polled::Nothing,
            None => Polled::ThreadEnded,
        }
    }
}

/// The seed of a whole image.
fn recognize(bytes: &[u8]) -> Option<u8> {
    [1, 9].into_iter().find(|seed| bytes == image(*seed))
}

fn java_check(build_date: &str, extra_fields: &str) -> String {
    format!(
        "POST /check_firmware HTTP/1.1\r\nContent-Type: application/json\r\nAccept-Charset: UTF-8\r\nbuild_date: {build_date}\r\n\
         Cache-Control: no-cache\r\nPragma: no-cache\r\nUser-Agent: Java/17.0.15\r\nHost: test\r\n{extra_fields}\
         Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\nContent-Length: 28\r\n\r\n\
         {{\"build_date\": \"{build_date}\"}}"
    )
}

fn java_get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nUser-Agent: Java/17.0.15\r\nHost: test\r\nConnection: keep-alive\r\n\r\n")
}

/// Number and URL, if an update is available.
fn read_offer(answer: &Answer) -> Option<(u32, String)> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let value = json::parse(&answer.body).expect("JSON");
    let Value::Object(members) = &value else { panic!("no object") };
    let names: Vec<_> = members.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["update_available", "critical", "version", "description", "url", "url_old_frs"]);
    let Some(Value::Number(number)) = value.member("version") else { panic!("no number") };
    let url = value.member("url").and_then(Value::as_str).expect("a URL").to_owned();
    assert!(url.ends_with("/firmware/20260301/upd_app.bin"), "{url}");
    let is_available = value.member("update_available") == Some(&Value::Bool(true));
    assert!(is_available || value.member("critical") == Some(&Value::Bool(false)));
    is_available.then(|| (number.parse().expect("a number"), url))
}

fn assert_is_fresh(number: u32) {
    assert!((1 << 30..(1 << 31) - 1).contains(&number), "{number}");
}

fn status(server: &Server) -> String {
    server.get("/status").text()
}

#[test]
fn cut_at_any_byte_and_both_restarted_the_stump_stays_unused() {
    let pc = Folder::new();
    let mut folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(12345, 'a'));
    for bytes in [0, 1, 1000, 4096, 100_000, IMAGE_BYTES - 1] {
        let mut server = Server::start_in(folder, "current_firmware_version = 20260301");
        let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
        driver.leaves_after = Some(bytes);
        assert_eq!(driver.poll(), Polled::ThreadEnded);
        // Power cut: both are gone at that moment.
        server.signal(9);
        server.wait();
        drop(driver);
        folder = std::mem::replace(&mut server.folder, Folder::new());
    }
    let server = Server::start_in(folder, "current_firmware_version = 20260301");
    let stumps = || fs::read_dir(pc.path().join("firmware")).expect("folders").count();
    assert_eq!(stumps(), 6, "each under a number of its own");
    assert_eq!(Driver::start(&server, pc.path(), "19.12.2017").poll(), Polled::Flashed(Some(1)));
    assert_eq!(stumps(), 7);
}

#[test]
fn a_stump_under_the_versions_own_name_and_other_bytes_under_it_are_not_flashed() {
    let pc = Folder::new();
    pc.write("firmware/20260301/upd_app.bin", &image(1)[..1000]);
    let server = Server::start_plain("");
    assert_eq!(Driver::start(&server, pc.path(), "19.12.2017").poll(), Polled::Flashed(Some(1)));
    drop(server);
    // Other bytes under the same number.
    let server = Server::start("current_firmware_version = 20260301", |folder| publish(folder, "20260301", 9));
    assert_eq!(Driver::start(&server, pc.path(), "19.12.2017").poll(), Polled::Flashed(Some(9)));
}

#[test]
fn after_a_cut_the_driver_is_told_no_update_and_whoever_else_asks_is_offered_it() {
    let server = Server::start_plain("");
    let pc = Folder::new();
    let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
    driver.leaves_after = Some(1000);
    assert_eq!(driver.poll(), Polled::ThreadEnded);
    // The old generation: at once, on a new connection. Whether the server has noticed the cut or not.
    let mut again = Driver::start(&server, pc.path(), "19.12.2017");
    assert_eq!(again.poll(), Polled::Nothing);
    drop(driver);
    assert_eq!(again.poll(), Polled::Nothing);
    let line = server.wait_for_line("held=\"download cut");
    assert!(
        line.contains("update_available=false critical=false version=20260301 held=\"download cut, again in 10 min\""),
        "{line}"
    );
    let other = server.post("/check_firmware", "{\"build_date\": \"19.12.2017\"}");
    assert_eq!(read_offer(&other).map(|(number, _)| number), Some(VERSION));
    wait_until("it is shown", || status(&server).contains("\"state\": \"cut\", \"offered\": {\"count\": 2"));
}

#[test]
fn what_was_taken_whole_is_not_offered_to_the_driver_again_but_a_newer_version_is() {
    let server = Server::start("current_firmware_version = latest", |folder| publish(folder, "20260301", 1));
    let pc = Folder::new();
    let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
    let line = {
        assert_eq!(driver.poll(), Polled::Flashed(Some(1)));
        server.wait_for_line(" as=")
    };
    let number = line.rsplit("as=").next().and_then(|number| number.parse().ok()).expect("a number");
    assert_is_fresh(number);
    assert!(line.contains("update_available=true critical=false version=20260301 as="), "{line}");
    assert!(pc.path().join(format!("firmware/{number}/upd_app.bin")).exists());
    // That of a driver on the same connection, on another one, and after the server was told to load everything again.
    assert_eq!(driver.poll(), Polled::Nothing);
    assert_eq!(Driver::start(&server, pc.path(), "19.12.2017").poll(), Polled::Nothing);
    let line = server.wait_for_line("held=\"took 20260301 ");
    assert!(line.contains(" s ago, again in 25 h\"") || line.contains(" s ago, again in 26 h\""), "{line}");
    wait_until("it is shown", || status(&server).contains("\"state\": \"taken\", \"offered\": {\"count\": 1"));
    // Another registrar at this address has another date.
    assert_eq!(Driver::start(&server, pc.path(), "18.12.2017").poll(), Polled::Flashed(Some(1)));
    server.wait_for_line("ANOTHER-TILL 127.0.0.1: reported the build date 18.12.2017 after 19.12.2017");
    publish(&server.folder, "20260302", 9);
    wait_until("a newer version is offered", || status(&server).contains("\"version\": 20260302, \"critical_version\""));
    let offer = driver.check("").text();
    assert!(offer.contains("\"update_available\": true") && offer.contains("/firmware/20260302/upd_app.bin"), "{offer}");
}

#[test]
fn without_hold_repeats_each_check_is_offered_under_a_fresh_number() {
    let server = Server::start_plain("hold_repeats = no");
    let pc = Folder::new();
    let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
    for _ in 0..3 {
        assert_eq!(driver.poll(), Polled::Flashed(Some(1)));
    }
    assert_eq!(fs::read_dir(pc.path().join("firmware")).expect("folders").count(), 3);
}

#[test]
fn two_tills_that_share_a_folder_never_flash_each_others_half() {
    for (first, second) in [("19.12.2017", "20.12.2017"), ("19.12.2017", "19.12.2017")] {
        let server = Server::start("current_firmware_version = latest", |folder| drop(folder.write("firmware/notes.txt", "")));
        let pc = Folder::new();
        // Both are known before there is anything to offer.
        let mut drivers = [first, second].map(|build_date| Driver::start(&server, pc.path(), build_date));
        drivers.iter_mut().for_each(|driver| assert!(driver.check("").text().contains("\"update_available\": false")));
        publish(&server.folder, "20260301", 1);
        wait_until("it is offered", || status(&server).contains("\"offered\": true"));
        // The first one is in the middle of its file when the second one polls.
        let [one, other] = &mut drivers;
        one.leaves_after = Some(100_000);
        assert_eq!(one.poll(), Polled::ThreadEnded);
        // With one date they are one driver to us, which has its download still running.
        let expected = if first == second { Polled::Nothing } else { Polled::Flashed(Some(1)) };
        assert_eq!(other.poll(), expected);
        // It has not left after all.
        let answer = one.client.read_answer(false);
        assert_eq!(recognize(&answer.body), Some(1));
    }
}

#[test]
fn the_same_stream_without_the_drivers_marks_is_answered_as_the_reference_answers() {
    let server = Server::start_plain("critical_version = 20180101");
    let dates = ["19.12.2017", "02.03.2026", "01.02.2018", "28.02.2026", "19.12.2017", "01.03.2026", "27.02.2026", "19.12.2017"];
    let expect = |text: &str, version: u32| {
        let date = parse_build_date(text).expect("a date");
        assert_eq!(format_build_date(date), text);
        let base = "http://test/firmware/20260301";
        format!(
            "{{\"update_available\": {}, \"critical\": {}, \"version\": {version}, \"description\": \"firmware 20260301\", \
             \"url\": \"{base}/upd_app.bin\", \"url_old_frs\": \"{base}/upd_app_for_old_frs.bin\"}}",
            date < VERSION,
            date < 20180101
        )
    };
    // Each of the driver's marks by itself is not the driver: its field without Java, and Java without its field.
    let half_marked = ["", "build_date: 19.12.2017\r\n", "User-Agent: Java/17.0.15\r\n", "User-Agent: curl/8.5.0\r\n"];
    for marks in half_marked {
        let mut client = server.connect();
        for text in dates {
            client.send(
                post_request("/check_firmware", &format!("{{\"build_date\": \"{text}\"}}"))
                    .replace("Host:", &format!("{marks}Host:")),
            );
            assert_eq!(client.read_answer(false).text(), expect(text, VERSION), "{marks} {text}");
            client.send(format!("GET /firmware/20260301/upd_app.bin HTTP/1.1\r\n{marks}Host: test\r\n\r\n"));
            assert_eq!(client.read_answer(false).body.len(), IMAGE_BYTES);
        }
    }
    // With both it differs in the version of its offers, and in what is held, and in nothing else.
    let mut driver = Driver::start(&server, Path::new("/"), "");
    let mut held = 0;
    for text in dates {
        driver.build_date = text;
        let answer = driver.check("");
        match read_offer(&answer) {
            Some((number, _)) => {
                assert_is_fresh(number);
                assert_eq!(answer.text(), expect(text, number), "{text}");
                driver.client.send(java_get("/firmware/20260301/upd_app.bin"));
                assert_eq!(driver.client.read_answer(false).body.len(), IMAGE_BYTES);
            }
            None if parse_build_date(text) >= Some(VERSION) => assert_eq!(answer.text(), expect(text, VERSION), "{text}"),
            None => {
                held += 1;
                let body = expect(text, VERSION).replace(
                    "\"update_available\": true, \"critical\": true",
                    "\"update_available\": false, \"critical\": false",
                );
                assert!(answer.text() == body || answer.text() == body.replacen("true", "false", 1), "{text} {}", answer.text());
            }
        }
    }
    assert!(held >= 2, "{held}");
}

#[test]
fn behind_a_named_proxy_registrars_are_told_apart() {
    let server = Server::start_plain("proxies = 127.0.0.1");
    let pc = Folder::new();
    let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
    let forwarded = |address: &str| format!("X-Forwarded-For: 8.8.8.8, {address}\r\n");
    // Both on one connection of the proxy's, one after the other.
    for address in ["10.0.0.1", "10.0.0.2"] {
        let fields = forwarded(address);
        assert!(read_offer(&driver.check(&fields)).is_some());
        let get = java_get("/firmware/20260301/upd_app.bin").replace("Host:", &format!("{fields}Host:"));
        driver.client.send(get);
        assert_eq!(driver.client.read_answer(false).body.len(), IMAGE_BYTES);
        assert!(read_offer(&driver.check(&fields)).is_none(), "{address} has it");
        server.wait_for_line(&format!(" caller={address} "));
    }
    let report = status(&server);
    assert!(report.contains("\"address\": \"10.0.0.1\"") && report.contains("\"address\": \"10.0.0.2\""), "{report}");
    assert!(!report.contains("UNNAMED-PROXY") && !report.contains("\"address\": \"127.0.0.1\""), "{report}");
}

#[test]
fn behind_a_proxy_that_is_not_named_nobody_is_held_and_the_problem_is_told_once() {
    let server = Server::start_plain("");
    let pc = Folder::new();
    let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
    for _ in 0..3 {
        assert!(read_offer(&driver.check("X-Forwarded-For: 10.0.0.1\r\n")).is_some());
        driver.client.send(java_get("/firmware/20260301/upd_app.bin"));
        assert_eq!(driver.client.read_answer(false).body.len(), IMAGE_BYTES);
    }
    // And one that drops the driver's field.
    for _ in 0..2 {
        let check = java_check("19.12.2017", "").replace("build_date: 19.12.2017\r\n", "");
        driver.client.send(check);
        assert_eq!(read_offer(&driver.client.read_answer(false)).map(|(number, _)| number), Some(VERSION));
    }
    for code in ["UNNAMED-PROXY 127.0.0.1: ", "BUILD-DATE-FIELD-MISSING 127.0.0.1: "] {
        server.wait_for_line(code);
        let lines = server.lines().iter().filter(|line| line.contains(code)).count();
        assert_eq!(lines, 1, "{code} {:#?}", server.lines());
    }
    assert!(status(&server).contains("X-Forwarded-For") && status(&server).contains("underscores_in_headers on"));
}

#[test]
fn a_named_proxy_that_does_not_say_whose_checks_it_passes_on_is_a_problem() {
    let server = Server::start_plain("proxies = 127.0.0.1");
    let is_told = || status(&server).contains("SILENT-PROXY");
    // Somebody tries something on that machine.
    for _ in 0..3 {
        server.post("/check_firmware", "{\"build_date\": \"18.12.2017\"}");
        assert!(!is_told());
    }
    let pc = Folder::new();
    let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
    driver.check("X-Forwarded-For: 10.0.0.1\r\n");
    assert!(!is_told());
    for _ in 0..2 {
        driver.check("");
        assert!(is_told(), "{}", status(&server));
    }
    server.wait_for_line(
        "SILENT-PROXY 127.0.0.1: is named in proxies, and its checks do not say in X-Forwarded-For whose they are: all",
    );
    assert_eq!(server.lines().iter().filter(|line| line.contains("SILENT-PROXY")).count(), 1);
    // Nor does one that is no driver stay unseen when it asks again and again.
    let server = Server::start_plain("proxies = 127.0.0.1");
    for _ in 0..4 {
        server.post("/check_firmware", "{\"build_date\": \"18.12.2017\"}");
    }
    server.wait_for_line("SILENT-PROXY 127.0.0.1: ");
}

#[test]
fn a_download_on_another_connection_is_the_drivers_whoever_else_asks_meanwhile() {
    let server = Server::start_plain("");
    let pc = Folder::new();
    let mut driver = Driver::start(&server, pc.path(), "19.12.2017");
    assert!(read_offer(&driver.check("")).is_some());
    // Somebody's script on the same PC.
    let other = server.post("/check_firmware", "{\"build_date\": \"18.12.2017\"}");
    assert!(read_offer(&other).is_some());
    assert_eq!(server.ask(java_get("/firmware/20260301/upd_app.bin")).body.len(), IMAGE_BYTES);
    assert!(read_offer(&driver.check("")).is_none());
    server.wait_for_line("update_available=false critical=false version=20260301 held=");
}

#[test]
fn who_flashed_one_of_two_versions_that_it_took_is_offered_the_newer_one() {
    let server = Server::start("current_firmware_version = latest", |folder| publish(folder, "20260301", 1));
    let mut client = server.connect();
    let mut check = |build_date: &str| {
        client.send(java_check(build_date, ""));
        let offer = client.read_answer(false).text();
        let path = |version: &str| format!("/firmware/{version}/upd_app.bin");
        let version = ["20260301", "20260302"].into_iter().find(|version| offer.contains(&path(version))).expect("a version");
        let is_available = offer.contains("\"update_available\": true");
        if is_available {
            client.send(java_get(&path(version)));
            assert_eq!(client.read_answer(false).body.len(), IMAGE_BYTES);
        }
        (version, is_available)
    };
    assert_eq!(check("19.12.2017"), ("20260301", true));
    publish(&server.folder, "20260302", 9);
    wait_until("a newer version is offered", || status(&server).contains("\"version\": 20260302, \"critical_version\""));
    // It has flashed and goes on with the old date; what it loads now is lost, as its PC is switched off before the shift closes.
    assert_eq!(check("19.12.2017"), ("20260302", true));
    assert_eq!(check("01.03.2026"), ("20260302", true));
    assert!(!status(&server).contains("FOLDER-NAMED-TOO-LATE"));
}

#[test]
fn once_a_folder_is_renamed_its_tills_are_offered_what_comes_after() {
    let server = Server::start("current_firmware_version = latest\n", |folder| publish(folder, "20260301", 1));
    let pc = Folder::new();
    assert_eq!(Driver::start(&server, pc.path(), "19.12.2017").poll(), Polled::Flashed(Some(1)));
    // No till is back before its last byte is acknowledged.
    server.wait_for_line("event=download ");
    let mut driver = Driver::start(&server, pc.path(), "27.02.2026");
    assert_eq!(driver.poll(), Polled::Nothing);
    server.wait_for_line("FOLDER-NAMED-TOO-LATE 20260301: 127.0.0.1 took 20260301 and came back built 27.02.2026");
    assert!(status(&server).contains("FOLDER-NAMED-TOO-LATE"));
    // As the problem says.
    let firmware = server.folder.path().join("firmware");
    fs::rename(firmware.join("20260301"), firmware.join("20260227")).expect("renamed");
    wait_until("it is renamed", || status(&server).contains("\"version\": 20260227, \"critical_version\""));
    wait_until("the problem is gone", || !status(&server).contains("FOLDER-NAMED-TOO-LATE"));
    publish(&server.folder, "20260228", 9);
    wait_until("a version in between is published", || status(&server).contains("\"version\": 20260228, \"critical_version\""));
    let is_offered = |driver: &mut Driver| driver.check("").text().starts_with("{\"update_available\": true");
    assert!(is_offered(&mut driver));
    // What was learnt is not forgotten.
    fs::rename(firmware.join("20260227"), firmware.join("20260301")).expect("renamed");
    wait_until("it is back", || status(&server).contains("\"version\": 20260301, \"critical_version\""));
    assert!(!is_offered(&mut driver));
}
