//! The status page and its JSON: what they say, that nothing from outside breaks them, and what they forget.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::common::scene::Scene;
use crate::common::{
    Answer, Client, Folder, IMAGE_BYTES, Server, check_request, image, license_line, post_request, publish, wait_until,
};
use susv::json::{self, Value};
use susv::registrars::{Counted, Transfer};

/// A member of nested objects, by names and indexes with dots between them.
fn get<'a, 'b>(mut value: &'b Value<'a>, path: &str) -> &'b Value<'a> {
    for step in path.split('.') {
        value = match (value, step.parse::<usize>()) {
            (Value::Array(elements), Ok(index)) => elements.get(index).expect(path),
            _ => value.member(step).expect(path),
        };
    }
    value
}

fn number(value: &Value<'_>, path: &str) -> u64 {
    match get(value, path) {
        Value::Number(digits) => digits.parse().expect(path),
        other => panic!("{path} is {}", other.kind()),
    }
}

fn text<'b>(value: &'b Value<'_>, path: &str) -> &'b str {
    get(value, path).as_str().expect(path)
}

fn status(server: &Server) -> String {
    server.get("/status").text()
}

fn page(server: &Server, language: &str) -> String {
    server.ask(format!("GET / HTTP/1.1\r\nHost: test\r\nAccept-Language: {language}\r\n\r\n")).text()
}

fn check(client: &mut Client, build_date: &str) -> Answer {
    client.send(post_request("/check_firmware", &format!("{{\"build_date\": \"{build_date}\"}}")));
    client.read_answer(false)
}

#[test]
fn the_json_tells_what_is_going_on() {
    let scene = Scene::new("critical_version = 20180101\ncurrent_firmware_description = spring");
    scene.note([10, 0, 0, 3], 10, 20190201, Some((Transfer::Complete, 0)));
    scene.note([10, 0, 0, 1], 20, 20260302, None);
    scene.note([10, 0, 0, 9], 30, 20171219, None);
    scene.note([10, 0, 0, 4], 7200, 20190201, Some((Transfer::Running, 65_536)));
    scene.note([10, 0, 0, 2], 7000, 20190201, Some((Transfer::Cut, 4096)));
    scene.registrars.count(Counted::License(true));
    scene.registrars.count(Counted::License(false));
    scene.registrars.count(Counted::Refused);

    let report_text = scene.get("/status", "en", || 7220);
    let report = json::parse(report_text.as_bytes()).expect("JSON");
    assert_eq!(text(&report, "susv"), env!("CARGO_PKG_VERSION"));
    assert_eq!((number(&report, "version"), number(&report, "critical_version")), (20260301, 20180101));
    assert_eq!((get(&report, "offered"), text(&report, "description")), (&Value::Bool(true), "spring"));
    assert_eq!(text(&report, "images.1.name"), "upd_app_for_old_frs.bin");
    assert_eq!(number(&report, "images.0.bytes"), image(1).len() as u64);
    assert_eq!(text(&report, "images.0.sha256").len(), 64);
    assert_eq!(get(&report, "problems"), &Value::Array(Vec::new()));
    assert_eq!((number(&report, "licenses.count"), number(&report, "licenses.files.0.count")), (1, 1));
    for (name, count) in
        [("seen", 5), ("critical", 1), ("downloading", 1), ("cut", 1), ("taken", 1), ("up_to_date", 1), ("stuck", 0)]
    {
        assert_eq!(number(&report, &format!("registrars.{name}")), count, "{name}");
    }
    for (index, (address, build_date, state, download)) in [
        ("10.0.0.9", "19.12.2017", "critical", None),
        ("10.0.0.4", "01.02.2019", "downloading", Some("running")),
        ("10.0.0.2", "01.02.2019", "cut", Some("cut")),
        ("10.0.0.3", "01.02.2019", "taken", Some("complete")),
        ("10.0.0.1", "02.03.2026", "up_to_date", None),
    ]
    .into_iter()
    .enumerate()
    {
        let member = |name: &str| text(&report, &format!("registrar_list.{index}.{name}")).to_owned();
        assert_eq!([member("address"), member("build_date"), member("state")], [address, build_date, state]);
        match download {
            Some(state) => assert_eq!(member("download.state"), state),
            None => assert_eq!(get(&report, &format!("registrar_list.{index}.download")), &Value::Null),
        }
    }
    assert_eq!(number(&report, "registrar_list.2.download.bytes"), 4096);
    assert_eq!(number(&report, "registrar_list.2.download.size"), 491_520);
    assert_eq!(number(&report, "registrar_list.2.seconds_ago"), 220);
    assert!(text(&report, "registrar_list.2.advice.what").contains("cut at 4096 of 491520 bytes"));
    assert_eq!(text(&report, "registrar_list.3.advice.code"), "TAKEN");
    assert_eq!(get(&report, "registrar_list.0.advice"), &Value::Null);
    assert_eq!(
        (number(&report, "registrar_list.3.taken.count"), number(&report, "registrar_list.3.taken.seconds_ago")),
        (1, 7210)
    );
    assert_eq!(number(&report, "registrar_list.0.offered.count"), 1);
    assert_eq!(get(&report, "registrar_list.4.offered.seconds_ago"), &Value::Null);
    for (name, count) in [
        ("checks", 5),
        ("updates_offered", 4),
        ("updates_held", 0),
        ("downloads_complete", 1),
        ("downloads_cut", 1),
        ("licenses_found", 1),
        ("licenses_unknown", 1),
        ("refused", 1),
    ] {
        assert_eq!(number(&report, &format!("totals.{name}")), count, "{name}");
    }

    assert!(!report_text.contains("12345") && !report_text.contains(&"a".repeat(128)), "no serial numbers, no licences");
}

#[test]
fn a_client_that_goes_away_is_shown_with_the_bytes_it_got() {
    let server = Server::start("current_firmware_version = 20260301\nmin_image_kb = 0", |folder| {
        for name in ["upd_app.bin", "upd_app_for_old_frs.bin"] {
            folder.write(&format!("firmware/20260301/{name}"), image(7).repeat(17));
        }
    });
    let mut client = server.connect();
    check(&mut client, "19.12.2017");
    client.send("GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    while client.received.len() < 100_000 {
        assert!(client.read_more());
    }
    // With unread bytes: the kernel resets the connection.
    drop(client);
    wait_until("the cut is noticed", || status(&server).contains("\"state\": \"cut\""));
    let report = status(&server);
    let report = json::parse(report.as_bytes()).expect("JSON");
    let bytes = number(&report, "registrar_list.0.download.bytes");
    assert!((50_000..17 * IMAGE_BYTES as u64).contains(&bytes), "{bytes}");
    assert_eq!(number(&report, "totals.downloads_cut"), 1);
    let page = page(&server, "en");
    assert!(page.contains("19.12.2017") && page.contains("cut"), "{page}");
}

#[test]
fn bytes_the_kernel_holds_for_a_client_that_goes_away_do_not_count_as_complete() {
    // More than the client's side takes without reading, and less than the server's kernel takes at once.
    let server = Server::start("current_firmware_version = 20260301\nmin_image_kb = 0", |folder| {
        for name in ["upd_app.bin", "upd_app_for_old_frs.bin"] {
            folder.write(&format!("firmware/20260301/{name}"), &image(7)[..200_000]);
        }
    });
    let mut client = server.connect();
    check(&mut client, "19.12.2017");
    client.send("GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    server.wait_for_line("status=200");
    wait_until("the download is noted", || status(&server).contains("\"state\": \"running\""));
    drop(client);
    let line = server.wait_for_line("event=download_cut");
    assert!(line.contains("file=\"20260301/upd_app.bin\" acknowledged="), "{line}");
    wait_until("the cut is shown", || status(&server).contains("\"state\": \"cut\""));
}

#[test]
fn a_download_with_connection_close_is_complete_when_it_arrived() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    check(&mut client, "19.12.2017");
    client.send("GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert!(client.read_to_end().len() > image(1).len());
    wait_until("it is shown", || status(&server).contains("\"state\": \"complete\""));
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let hostile = "<script>alert(1)</script>&\"'\u{202e}\u{7}";
    let server = Server::start(
        &format!("current_firmware_version = latest\ncurrent_firmware_description = {}", "<b>x</b>&\"'\u{202e}end"),
        |folder| {
            publish(folder, "20260301", 1);
            folder.write("licenses/a.slf", license_line(12345, 'a'));
            folder.write(&format!("licenses/{}.slf", hostile.replace('/', "_")), "not a licence\n");
        },
    );
    let mut client = server.connect();
    // What is no date is refused, so it never gets into the table.
    let body = "{\"build_date\": \"<script>alert(2)</script>\"}";
    client.send(post_request("/check_firmware", body));
    assert_eq!(client.read_answer(false).status, 400);
    server.get("/%3Cscript%3Ealert(3)%3C/script%3E");
    for language in ["en", "ru"] {
        let page = page(&server, language);
        assert!(page.contains("licenses/&lt;script>alert(1)&lt;_script>&amp;&quot;'\\u{202e}\\u{7}.slf"), "{page}");
        assert!(page.contains("<td>&lt;b>x&lt;/b>&amp;&quot;'\\u{202e}end"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<b>x") && !page.contains('\u{202e}') && !page.contains('\u{7}'));
    }
    let report = status(&server);
    assert!(report.is_ascii() && !report.contains("</"), "{report}");
    let report = json::parse(report.as_bytes()).expect("JSON");
    assert!(text(&report, "problems.0.place").contains(&hostile.replace('/', "_")));
}

#[test]
fn without_an_offer_the_first_line_says_why() {
    let server = Server::start("current_firmware_version = 20260301", |folder| {
        folder.write("firmware/20260301/upd_app.bin", image(1));
    });
    check(&mut server.connect(), "19.12.2017");
    // Noted once it is answered, by the connection's own thread.
    wait_until("the check is noted", || status(&server).contains("\"trial\": 1"));
    let page = page(&server, "en");
    let first = page.split("<h1 class=bad>").nth(1).expect("in red").split("<ul").next().expect("the first lines");
    assert!(
        first.starts_with("Nothing can be offered · 2 problems</h1>")
            && first.contains("firmware/20260301/upd_app_for_old_frs.bin</span>: the image is missing"),
        "{first}"
    );
    let report = status(&server);
    let report = json::parse(report.as_bytes()).expect("JSON");
    assert_eq!(get(&report, "offered"), &Value::Bool(false));
    assert_eq!(text(&report, "registrar_list.0.state"), "trial");
    assert!(text(&report, "problems.0.what").contains("the image is missing"));
}

#[test]
fn the_page_is_closed_to_everything_else() {
    let server = Server::start_plain("");
    let answer = server.get("/");
    assert_eq!(answer.field("content-type"), Some("text/html; charset=UTF-8"));
    assert!(answer.field("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'; ")));
    assert_eq!((answer.field("cache-control"), answer.field("vary")), (Some("no-store"), Some("Accept-Language")));
    assert_eq!(server.ask("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n").status, 200);
    assert_eq!(server.ask("PUT / HTTP/1.1\r\nHost: test\r\n\r\n").field("allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn it_can_be_turned_off() {
    let server = Server::start_plain("status_page = no");
    server.ask(check_request());
    for path in ["/", "/status"] {
        assert_eq!(server.get(path).status, 404, "{path}");
        assert_eq!(server.ask(format!("PUT {path} HTTP/1.1\r\nHost: test\r\n\r\n")).status, 404, "{path}");
    }
    server.folder.write(
        "config.ini",
        format!("port = {}\naddress = 127.0.0.1\ncurrent_firmware_version = 20260301\n", server.address.port()),
    );
    server.signal(1);
    wait_until("it is there", || server.get("/status").status == 200);
    assert!(status(&server).contains("\"checks\": 1"), "registrars are known all the same: what they are told depends on it");
}

#[test]
fn a_log_file_takes_the_lines_and_never_grows_above_its_limits() {
    let mut server = Server::start_plain("log_file = susv.log\nlog_file_kb = 4\nlog_file_count = 3");
    for _ in 0..200 {
        server.ask(post_request("/feature_licenses", "{\"serial\": \"0000000000012345\"}"));
    }
    // The end of the program waits for its log.
    server.signal(15);
    server.wait();
    let size = |name: &str| fs::metadata(server.folder.path().join(name)).map_or(0, |metadata| metadata.len());
    assert!(size("susv.log.2") > 3000 && size("susv.log.1") > 3000 && size("susv.log") > 0);
    for name in ["susv.log", "susv.log.1", "susv.log.2"] {
        assert!(size(name) <= 4096, "{name}: {}", size(name));
    }
    assert_eq!(size("susv.log.3"), 0);
    let text = fs::read_to_string(server.folder.path().join("susv.log.1")).expect("a log");
    for line in text.lines() {
        let (time, event) = line.split_once(' ').expect("a time");
        assert!(time.len() == 20 && time.ends_with('Z') && event.starts_with("event=license "), "{line}");
    }
    // Standard output has the start, and nothing of the requests.
    assert!(server.lines().iter().all(|line| !line.contains("event=license ")), "{:#?}", server.lines());
}

#[test]
fn a_log_file_that_cannot_be_written_is_shown_and_resumes_by_itself() {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(12345, 'a'));
    let server = Server::start_in(folder, "current_firmware_version = 20260301\nlog_file = logs/susv.log");
    // There is no such folder: the lines go to standard output, and the page says so.
    server.wait_for_line("event=problem what=\"LOG-UNWRITABLE ");
    wait_until("the page shows it", || status(&server).contains("the log file cannot be written"));
    assert!(
        page(&server, "ru").contains("<b>LOG-UNWRITABLE</b> <span class=mono>logs/susv.log</span>: файл журнала не записать")
    );
    server.ask(check_request());
    server.wait_for_line("event=check");
    fs::create_dir(server.folder.path().join("logs")).expect("a folder");
    wait_until("the page forgets it", || !status(&server).contains("the log file cannot be written"));
    let read = || fs::read_to_string(server.folder.path().join("logs/susv.log")).unwrap_or_default();
    assert!(read().contains("event=log_file_resumed lines_missing="), "{}", read());
    server.ask(check_request());
    wait_until("the line is there", || read().contains("event=check"));
    // Moved away, as an external rotation does: a new one is made.
    fs::rename(server.folder.path().join("logs"), server.folder.path().join("old")).expect("moved");
    fs::create_dir(server.folder.path().join("logs")).expect("a folder");
    server.ask(check_request());
    wait_until("a new file is there", || read().contains("event=check"));
}

/// A mounted file system; unmounted with its owner, also where a test fails.
struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_costs_lines_and_nothing_else() {
    // A file system of 64 KB, for root only.
    let folder = Folder::new();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("a folder");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&disk).status();
    if !mount.is_ok_and(|status| status.success()) {
        println!("not run: no right to mount a file system");
        return;
    }
    let mount = Mount(disk.clone());
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(12345, 'a'));
    fs::write(disk.join("ballast"), vec![0; 56 * 1024]).expect("room");
    let server = Server::start_in(folder, "current_firmware_version = 20260301\nlog_file = disk/susv.log");
    // Dropped before the server, whose folder it is in.
    let _mount = mount;
    wait_until("the disk is full", || {
        assert_eq!(server.ask(post_request("/feature_licenses", "{\"serial\": \"0000000000012345\"}")).status, 200);
        status(&server).contains("No space left on device")
    });
    let log = fs::read_to_string(disk.join("susv.log")).expect("the log");
    assert!(log.ends_with('\n'), "no half line: {log:?}");
    fs::remove_file(disk.join("ballast")).expect("room again");
    wait_until("logging resumes", || !status(&server).contains("No space left on device"));
    assert!(fs::read_to_string(disk.join("susv.log")).expect("the log").contains("event=log_file_resumed"));
}
