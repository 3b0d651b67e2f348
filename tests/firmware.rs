//! Firmware: what is offered and what is served, from the real server.

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use common::{Answer, Folder, IMAGE_BYTES, Server, check_request, image, publish};
use susv::json::{self, Value};
use susv::sha256;
use susv::text::to_hex;

const SETTINGS: &str = "current_firmware_version = 20260301\ncritical_version = 20260101\n";

fn member(answer: &Answer, name: &str) -> String {
    match json::parse(&answer.body).expect("JSON").member(name).expect(name) {
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => (*text).to_owned(),
        value => value.as_str().expect("text").to_owned(),
    }
}

/// Asserts that nothing is offered, that a valid check is answered all the same, and that a problem names what is wrong.
fn assert_no_offer(server: &Server, problem: &str) {
    let answer = server.ask(check_request());
    assert_eq!(
        (answer.status, member(&answer, "update_available").as_str(), member(&answer, "critical").as_str()),
        (200, "false", "false")
    );
    assert_eq!(member(&answer, "version"), "20260301");
    assert!(member(&answer, "url").ends_with("/firmware/20260301/upd_app.bin"));
    assert!(server.wait_for_line(problem).starts_with("event=problem"));
}

#[test]
fn urls_name_the_server_as_the_client_does() {
    let plain = Server::start_plain("");
    let url = |server: &Server, request: &str| member(&server.ask(request), "url");
    let body = "Content-Length: 28\r\n\r\n{\"build_date\": \"19.12.2017\"}";
    let path = "/firmware/20260301/upd_app.bin";
    let cases = [
        (format!("POST /check_firmware HTTP/1.1\r\nHost: Gateway.shop:8888\r\n{body}"), "Gateway.shop:8888".to_owned()),
        (format!("POST http://outer:1/check_firmware HTTP/1.1\r\nHost: inner\r\n{body}"), "outer:1".to_owned()),
        (format!("POST /check_firmware HTTP/1.0\r\nHost: inner\r\n{body}"), "inner".to_owned()),
        (format!("POST /check_firmware HTTP/1.0\r\n{body}"), plain.address.to_string()),
    ];
    for (request, host) in cases {
        assert_eq!(url(&plain, &request), format!("http://{host}{path}"));
    }
    let proxied = Server::start_plain("base_url = https://updates.example/till/\n");
    assert_eq!(url(&proxied, &check_request()), format!("https://updates.example/till{path}"));
}

#[test]
fn ipv4_and_ipv6_callers_reach_the_default_address() {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    let config = folder.write("all.ini", "port = 0\ncurrent_firmware_version = 20260301\n");
    let mut command = common::susv();
    command.arg("-c").arg(config).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("a server");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("stdout");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    let port: u16 = line.trim().rsplit(':').next().expect("a port").parse().expect("a number");
    let hosts: &[&str] = if line.contains("[::]") { &["127.0.0.1", "[::1]"] } else { &["127.0.0.1"] };
    for host in hosts {
        let address = format!("{host}:{port}").parse().expect("an address");
        let mut client = common::Client::connect(address);
        client.send("POST /check_firmware HTTP/1.0\r\nContent-Length: 28\r\n\r\n{\"build_date\": \"19.12.2017\"}");
        let answer = client.read_answer(false);
        assert_eq!(
            member(&answer, "url"),
            format!("http://{address}/firmware/20260301/upd_app.bin"),
            "an address the caller can use"
        );
    }
    child.kill().expect("its end");
    child.wait().expect("its end");
}

#[test]
fn without_both_images_whole_nothing_is_offered() {
    type Damage = fn(&Folder);
    let cases: [(&str, Damage); 9] = [
        ("upd_app.bin: the image is missing", |folder| remove(folder, "upd_app.bin")),
        ("upd_app_for_old_frs.bin: the image is missing", |folder| remove(folder, "upd_app_for_old_frs.bin")),
        ("upd_app.bin: the image is empty", |folder| drop(folder.write("firmware/20260301/upd_app.bin", ""))),
        ("more than max_image_kb allows", |folder| drop(folder.write("firmware/20260301/upd_app.bin", vec![0; 500 * 1024 + 1]))),
        ("upd_app.bin: the image is not a file", |folder| {
            remove(folder, "upd_app.bin");
            fs::create_dir(folder.path().join("firmware/20260301/upd_app.bin")).expect("a folder");
        }),
        ("upd_app.bin: the image is not a file", |folder| {
            remove(folder, "upd_app.bin");
            let path = folder.path().join("firmware/20260301/upd_app.bin");
            assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
        }),
        ("upd_app.bin: the image is a link out of firmware_path", |folder| {
            remove(folder, "upd_app.bin");
            let outside = folder.write("outside.bin", image(1));
            symlink(outside, folder.path().join("firmware/20260301/upd_app.bin")).expect("a link");
        }),
        ("differs from SHA256SUMS", |folder| drop(folder.write("firmware/20260301/SHA256SUMS", sums(&image(1), &image(2))))),
        ("upd_app_for_old_frs.bin: the image is not listed in SHA256SUMS", |folder| {
            let sums = sums(&image(1), &image(!1));
            folder.write("firmware/20260301/SHA256SUMS", sums.lines().next().expect("a line"));
        }),
    ];
    for (problem, damage) in cases {
        let server =
            Server::start("current_firmware_version = 20260301\nmax_image_kb = 500\ncritical_version = 20260301\n", |folder| {
                publish(folder, "20260301", 1);
                damage(folder);
            });
        assert_no_offer(&server, problem);
        // What is not offered is not handed out either: the other image may belong to another build.
        for name in ["upd_app.bin", "upd_app_for_old_frs.bin"] {
            let answer = server.get(&format!("/firmware/20260301/{name}"));
            assert_eq!((answer.status, answer.body.len()), (404, 0), "{problem}");
        }
    }
}

fn remove(folder: &Folder, name: &str) {
    fs::remove_file(folder.path().join("firmware/20260301").join(name)).expect("gone");
}

fn sums(image: &[u8], image_for_old: &[u8]) -> String {
    let [first, second] = [image, image_for_old].map(|bytes| to_hex(&sha256::hash(bytes)));
    format!("{first}  upd_app.bin\r\n{second} *upd_app_for_old_frs.bin\r\n")
}

#[test]
fn right_checksums_do_not_stand_in_the_way() {
    let server = Server::start(SETTINGS, |folder| {
        publish(folder, "20260301", 1);
        folder.write("firmware/20260301/SHA256SUMS", sums(&image(1), &image(!1)));
    });
    assert_eq!(member(&server.ask(check_request()), "update_available"), "true");
}

#[test]
fn latest_is_the_newest_folder_with_both_images() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "20250101", 1);
        publish(folder, "20260301", 2);
        folder.write("firmware/20260401/upd_app.bin", image(3));
        publish(folder, "20260231", 4);
        publish(folder, "latest", 5);
        folder.write("firmware/20270101", "a file");
    });
    let answer = server.ask(check_request());
    assert_eq!((member(&answer, "version").as_str(), member(&answer, "description").as_str()), ("20260301", "firmware 20260301"));
    let problems = server.wait_for_lines("event=problem", 3).join("\n");
    assert!(problems.contains("20260401/upd_app_for_old_frs.bin: the image is missing"), "{problems}");
    assert!(problems.contains("20260231: the folder's name is not a real date"), "{problems}");

    let server = Server::start("current_firmware_version = latest\n", |folder| {
        folder.write("firmware/readme.txt", "nothing yet");
    });
    let answer = server.ask(check_request());
    assert_eq!((member(&answer, "update_available").as_str(), member(&answer, "version").as_str()), ("false", "0"));
    assert_eq!(member(&answer, "url"), "http://test/firmware/0/upd_app.bin");
    server.wait_for_line("nothing is offered");
}

#[test]
fn an_offered_image_does_not_change_with_its_file() {
    let server = Server::start_plain("");
    let path = server.folder.path().join("firmware/20260301/upd_app.bin");
    let fetch = || server.get("/firmware/20260301/upd_app.bin").body == image(1);
    assert!(fetch());
    fs::write(&path, image(9)).expect("overwritten");
    assert!(fetch(), "overwritten in place");
    fs::write(&path, "short").expect("truncated");
    assert!(fetch(), "truncated");
    fs::remove_file(&path).expect("deleted");
    assert!(fetch(), "deleted");
    // Other spellings of the same file are the same image.
    for spelling in ["//upd_app.bin", "/./upd_app.bin", "/upd_app.bin/", "/upd%5fapp.bin", "/upd_app.bin?v=1"] {
        assert!(server.get(&format!("/firmware/20260301{spelling}")).body == image(1), "{spelling}");
    }
}

#[test]
fn files_are_served_with_their_names_in_any_script() {
    let server = Server::start(SETTINGS, |folder| {
        publish(folder, "20260301", 1);
        folder.write("firmware/Инструкция по прошивке.txt", "Не выключать!");
        folder.write("firmware/20260301/SHA256SUMS", sums(&image(1), &image(!1)));
        folder.write("firmware/empty.bin", "");
        folder.write("firmware/large.bin", vec![b'x'; 3_000_000]);
    });
    let encoded: String = "Инструкция по прошивке.txt".bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = server.get(&format!("/firmware/{encoded}"));
    assert_eq!((answer.status, answer.text().as_str(), answer.field("content-type")), (200, "Не выключать!", Some("text/plain")));
    assert_eq!(server.get("/firmware/20260301/SHA256SUMS").status, 200);
    let answer = server.get("/firmware/empty.bin");
    assert_eq!((answer.status, answer.field("content-length")), (200, Some("0")));
    assert_eq!(server.get("/firmware/large.bin").body.len(), 3_000_000);
    let head = server.ask("HEAD /firmware/large.bin HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!((head.status, head.field("content-length"), head.body.len()), (200, Some("3000000"), 0));
    for forbidden in ["content-disposition", "content-encoding", "transfer-encoding", "location"] {
        assert_eq!(head.field(forbidden), None);
    }
}

#[test]
fn nothing_outside_of_the_firmware_folder_is_served() {
    let server = Server::start(SETTINGS, |folder| {
        publish(folder, "20260301", 1);
        folder.write("secret.txt", "secret");
        folder.write("firmware-private/secret.txt", "secret");
        let firmware = folder.path().join("firmware");
        symlink("../secret.txt", firmware.join("link.txt")).expect("a link");
        symlink("..", firmware.join("up")).expect("a link");
        symlink("/etc/hostname", firmware.join("absolute.txt")).expect("a link");
        symlink("20260301", firmware.join("inside")).expect("a link");
        symlink("loop", firmware.join("loop")).expect("a link");
        assert!(Command::new("mkfifo").arg(firmware.join("pipe")).status().expect("mkfifo").success());
    });
    let cases = [
        ("../secret.txt", 403),
        ("..%2Fsecret.txt", 403),
        ("%2e%2e/secret.txt", 403),
        ("%2E%2E%2Fsecret.txt", 403),
        ("20260301/../../secret.txt", 403),
        ("20260301/..%5c..%5csecret.txt", 403),
        ("..\\secret.txt", 403),
        ("../firmware-private/secret.txt", 403),
        ("..", 403),
        ("/etc/hostname", 403),
        ("%2Fetc/hostname", 403),
        ("//etc/hostname", 403),
        ("20260301/upd_app.bin%00.txt", 403),
        ("link.txt", 403),
        ("up/secret.txt", 403),
        ("up/firmware/20260301/upd_app.bin", 200),
        ("absolute.txt", 403),
        ("inside/upd_app.bin", 200),
        ("", 403),
        ("20260301", 403),
        ("20260301/", 403),
        ("inside/", 403),
        ("pipe", 403),
        ("loop", 404),
        ("nothing", 404),
        ("nothing/", 404),
        ("20260301/upd_app.bin/more", 404),
        ("%252e%252e%252fsecret.txt", 404),
        ("..%c0%afsecret.txt", 400),
        ("%c0%ae%c0%ae/secret.txt", 400),
        ("%u002e%u002e/secret.txt", 404),
    ];
    for (path, status) in cases {
        let answer = server.get(&format!("/firmware/{path}"));
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
        assert!(status == 200 || answer.body.is_empty(), "{path}");
    }
    let long_name = server.get(&format!("/firmware/{}", "n".repeat(300)));
    assert_eq!(long_name.status, 404);
}

#[test]
fn an_unreadable_file_is_403() {
    let server = Server::start_plain("");
    let path = server.folder.write("firmware/private.txt", "private");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("no rights");
    let may_read_anything = fs::read(&path).is_ok();
    let expected = if may_read_anything { 200 } else { 403 };
    assert_eq!(server.get("/firmware/private.txt").status, expected);
}

#[test]
fn a_file_dated_in_the_future_was_not_modified_later_than_now() {
    let server = Server::start_plain("");
    let path = server.folder.write("firmware/future.txt", "x");
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(1_000_000)).expect("its time");
    let answer = server.get("/firmware/future.txt");
    assert_eq!(answer.field("last-modified"), answer.field("date"));
}

#[test]
fn a_download_is_resumed_with_the_same_build_only() {
    let server = Server::start_plain("");
    let path = "/firmware/20260301/upd_app.bin";
    let etag = server.get(path).field("etag").expect("a tag").to_owned();
    let resume =
        |tag: &str| server.ask(format!("GET {path} HTTP/1.1\r\nHost: test\r\nRange: bytes=400000-\r\nIf-Range: {tag}\r\n\r\n"));
    let rest = resume(&etag);
    assert_eq!((rest.status, rest.field("content-range")), (206, Some("bytes 400000-491519/491520")));
    assert!(rest.body == image(1)[400_000..]);
    let whole = resume("\"another build\"");
    assert_eq!((whole.status, whole.body.len()), (200, IMAGE_BYTES));
}
