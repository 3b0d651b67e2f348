//! Firmware: what is offered and what is served, from the real server.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::lease;
use crate::common::{Answer, Folder, IMAGE_BYTES, Server, check_request, image, publish, publish_sums, wait_until};
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
    let mut command = crate::common::susv();
    command.arg("-c").arg(config).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("a server");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("stdout");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    let port: u16 = line.trim().rsplit(':').next().expect("a port").parse().expect("a number");
    let hosts: &[&str] = if line.contains("[::]") { &["127.0.0.1", "[::1]"] } else { &["127.0.0.1"] };
    for host in hosts {
        let address = format!("{host}:{port}").parse().expect("an address");
        let mut client = crate::common::Client::connect(address);
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
        ("more than max_image_kb = 500 allows", |folder| {
            drop(folder.write("firmware/20260301/upd_app.bin", vec![0; 500 * 1024 + 1]))
        }),
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

/// A check of a till built in 2017: the version it is offered, or "none".
fn offered(server: &Server) -> String {
    let answer = server.ask(check_request());
    assert_eq!(answer.status, 200);
    if member(&answer, "update_available") == "true" { member(&answer, "version") } else { "none".to_owned() }
}

/// Seconds in which nothing may happen that should not.
const WHILE: Duration = Duration::from_secs(6);

#[test]
fn a_start_during_a_copy_offers_nothing_until_it_is_whole() {
    let folder = Folder::new();
    let path = folder.write("firmware/20260301/upd_app.bin", "");
    let whole = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for (name, bytes, pause) in [("upd_app.bin", image(1), 0), ("upd_app_for_old_frs.bin", image(!1), 900)] {
                let mut file = fs::File::create(path.with_file_name(name)).expect("a file");
                for piece in bytes.chunks(bytes.len() / 8) {
                    file.write_all(piece).expect("a piece");
                    thread::sleep(Duration::from_millis(pause));
                }
            }
            whole.store(true, Ordering::Relaxed);
        });
        thread::sleep(Duration::from_secs(2));
        let server = Server::start_in(std::mem::ManuallyDrop::into_inner(Folder::at(folder.path())), SETTINGS);
        loop {
            let was_whole = whole.load(Ordering::Relaxed);
            let version = offered(&server);
            assert!(version == "none" || was_whole, "half of it is offered");
            let answer = server.get("/firmware/20260301/upd_app_for_old_frs.bin");
            assert!(answer.status != 200 || answer.body == image(!1) && was_whole);
            if version == "20260301" {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
}

#[test]
fn what_is_refused_is_not_handed_out_and_what_is_whole_is() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "20250101", 1);
        publish(folder, "20260101", 2);
        publish(folder, "20260301", 3);
        publish_sums(folder, "20260301", &[]);
        folder.write("firmware/20260301/upd_app.bin", &image(9)[..300_000]);
        folder.write("firmware/20240101/upd_app.bin", image(4));
        symlink("20260301/upd_app.bin", folder.path().join("firmware/link.bin")).expect("a link");
        symlink("20250101", folder.path().join("firmware/old")).expect("a link");
    });
    assert_eq!(offered(&server), "20260101");
    for path in
        ["20260301/upd_app.bin", "20260301/upd_app_for_old_frs.bin", "20240101/upd_app.bin", "link.bin", "20230101/upd_app.bin"]
    {
        for _ in 0..2 {
            let answer = server.get(&format!("/firmware/{path}"));
            assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
        }
    }
    // An older version is whole: a till may have been sent to it just before.
    for path in ["20250101/upd_app.bin", "old/upd_app.bin"] {
        let answer = server.get(&format!("/firmware/{path}"));
        assert!(answer.status == 200 && answer.body == image(1), "{path}");
        assert_eq!(answer.field("etag"), Some(format!("\"{}\"", to_hex(&sha256::hash(&image(1)))).as_str()));
    }
    // Overwritten in part, it is not.
    let path = server.folder.path().join("firmware/20250101/upd_app.bin");
    let mut file = fs::File::options().write(true).open(path).expect("the file");
    file.write_all(&image(5)[..200_000]).expect("written");
    let end = Instant::now() + WHILE;
    while Instant::now() < end {
        assert_eq!(server.get("/firmware/20250101/upd_app.bin").status, 404);
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_image_that_somebody_has_a_lease_on_is_asked_for_again() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "20260101", 1);
        publish(folder, "20260301", 2);
    });
    let image_path = "/firmware/20260101/upd_app.bin";
    wait_until("it is handed out", || server.get(image_path).status == 200);
    let file = fs::OpenOptions::new().write(true).open(server.folder.path().join(&image_path[1..])).expect("the image");
    lease::take(&file);
    let answer = server.get(image_path);
    assert_eq!((answer.status, answer.body.len()), (503, 0));
    drop(file);
    assert!(server.get(image_path).body == image(1));
}

/// File systems of sticks find a file under several names; a hard link is the like.
#[test]
fn an_image_under_another_name_is_judged_too() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "20260301", 1);
        publish(folder, "20260401", 2);
        folder.write("firmware/20260401/upd_app.bin", &image(2)[..1000]);
        folder.write("firmware/20260401/Upd_app.bin", image(3));
        for version in ["20260301", "20260401"] {
            let path = folder.path().join("firmware").join(version);
            for name in ["UPD_APP.BIN", "UPD_AP~1.BIN", "upd_app.bin."] {
                fs::hard_link(path.join("upd_app.bin"), path.join(name)).expect("a hard link");
            }
        }
        fs::create_dir(folder.path().join("firmware/20260401.")).expect("a folder");
        let other = folder.path().join("firmware/20260401./upd_app.bin");
        fs::hard_link(folder.path().join("firmware/20260401/upd_app.bin"), other).expect("a hard link");
        symlink("20260401/UPD_APP.BIN", folder.path().join("firmware/link.bin")).expect("a link");
    });
    assert_eq!(offered(&server), "20260301");
    // The images of a whole version may be had by any name that is no trap.
    for (path, status) in [
        ("20260301/upd_app.bin", 200),
        ("20260301/UPD_AP~1.BIN", 200),
        ("20260301/UPD_APP.BIN", 404),
        ("20260301/upd_app.bin.", 404),
        ("20260401/upd_app.bin", 404),
        ("20260401/UPD_APP.BIN", 404),
        ("20260401/UPD_AP~1.BIN", 404),
        ("20260401/upd_app.bin.", 404),
        ("20260401/%55pd_app.bin", 404),
        ("20260401./upd_app.bin", 404),
        ("link.bin", 404),
    ] {
        let answer = server.get(&format!("/firmware/{path}"));
        let body = if status == 200 { image(1) } else { Vec::new() };
        assert!(answer.status == status && answer.body == body, "{path}: {}, {} bytes", answer.status, answer.body.len());
    }
}

#[test]
fn sizes_and_blocks_are_judged_and_checksums_waive_the_blocks_alone() {
    type Damage = fn(&mut Vec<u8>);
    let cases: [(Damage, bool, &str); 6] = [
        (|_| {}, false, ""),
        (|bytes| bytes.truncate(491_519), false, "IMAGE-SHORT"),
        (|bytes| bytes.truncate(245_760), true, "set min_image_kb = 240"),
        (|bytes| bytes[40_960..45_056].fill(0), false, "the 4,096 bytes from byte 40960 on are all 0x00"),
        (|bytes| bytes[40_960..45_056].fill(0), true, ""),
        // Not aligned: encrypted bytes may do so.
        (|bytes| bytes[41_000..45_080].fill(0xff), false, ""),
    ];
    for (number, (damage, with_sums, problem)) in cases.into_iter().enumerate() {
        let server = Server::start("current_firmware_version = 20260301\n", |folder| {
            publish(folder, "20260301", 1);
            let mut bytes = image(1);
            damage(&mut bytes);
            folder.write("firmware/20260301/upd_app.bin", bytes);
            if with_sums {
                publish_sums(folder, "20260301", &[]);
            }
        });
        if problem.is_empty() {
            assert_eq!(offered(&server), "20260301", "case {number}");
        } else {
            assert_no_offer(&server, problem);
        }
    }
}

#[test]
fn checksums_that_are_there_and_say_nothing_are_no_checksums() {
    let hex = "0".repeat(64);
    let near_misses = [
        (format!("{hex}  20260301/upd_app.bin\n"), "names with folders"),
        (format!("SHA256 (upd_app.bin) = {hex}\n"), "sha256sum --tag"),
        (format!("{}  upd_app.bin\n", &hex[..32]), "MD5"),
        (String::new(), "SUMS-INCOMPLETE"),
    ];
    for (text, problem) in near_misses {
        let server = Server::start(SETTINGS, |folder| {
            publish(folder, "20260301", 1);
            folder.write("firmware/20260301/SHA256SUMS", text);
        });
        assert_no_offer(&server, problem);
    }
    let server = Server::start(SETTINGS, |folder| {
        publish(folder, "20260301", 1);
        symlink("nowhere", folder.path().join("firmware/20260301/SHA256SUMS")).expect("a link");
    });
    assert_no_offer(&server, "SHA256SUMS is there and cannot be read");
}

#[test]
fn names_that_are_ignored_are_told() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "20260101", 1);
        for name in ["2026-06-01", "20260602 ", "20270229"] {
            fs::create_dir(folder.path().join("firmware").join(name)).expect("a folder");
        }
        symlink("nothing", folder.path().join("firmware/20270101")).expect("a link");
        folder.write("firmware/20270102", "a file");
        folder.write("firmware/20270103/Upd_App.bin", image(1));
        folder.write("firmware/20270104/20270104/upd_app.bin", image(1));
        folder.write("firmware/20270105.new/upd_app.bin", image(1));
    });
    for part in [
        "FOLDER-NEARLY-DATE",
        "rename it to 20260601",
        "rename it to 20260602",
        "20270229: the folder's name is not a real date",
        "FOLDER-UNREADABLE",
        "20270102: this is no folder",
        "NAME-IN-OTHER-CASE",
        "HINT-FOLDER-IN-ITSELF",
    ] {
        server.wait_for_line(part);
    }
    assert_eq!(offered(&server), "20260101");
    assert!(!server.lines().iter().any(|line| line.contains("20270105")), "a folder in the making is nobody's concern");
    // Noticed while it runs, and forgotten.
    fs::remove_dir(server.folder.path().join("firmware/20270229")).expect("gone");
    fs::create_dir(server.folder.path().join("firmware/20270230")).expect("a folder");
    server.wait_for_line("20270230: the folder's name is not a real date");
    wait_until("the old one is forgotten", || !server.get("/status").text().contains("20270229"));
}

#[test]
fn the_oldest_of_too_many_folders_are_left_out() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "00010101", 1);
        publish(folder, "20260301", 2);
        for number in 0..1023 {
            fs::create_dir_all(folder.path().join(format!("firmware/{:04}0101", 500 + number))).expect("a folder");
        }
    });
    assert_eq!(offered(&server), "20260301");
    server.wait_for_line("more than 1024 version folders");
    assert_eq!(server.get("/firmware/00010101/upd_app.bin").status, 404);
    let server = Server::start("current_firmware_version = 00010101\n", |folder| publish(folder, "00010101", 1));
    let answer = server.ask(check_request());
    assert!(member(&answer, "url").ends_with("/firmware/00010101/upd_app.bin"));
    assert!(server.get("/firmware/00010101/upd_app.bin").body == image(1));
}

#[test]
fn a_folder_that_is_left_out_while_it_runs_is_not_served_either() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "00010101", 1);
        for number in 0..1023 {
            fs::create_dir_all(folder.path().join(format!("firmware/{:04}0101", 500 + number))).expect("a folder");
        }
    });
    assert_eq!(server.get("/firmware/00010101/upd_app.bin").status, 200);
    publish(&server.folder, "20260301", 2);
    server.wait_for_line("more than 1024 version folders");
    wait_until("the oldest is left out", || server.get("/firmware/00010101/upd_app.bin").status == 404);
    // There is room for it again.
    fs::remove_dir(server.folder.path().join("firmware/05000101")).expect("gone");
    wait_until("the oldest is served", || server.get("/firmware/00010101/upd_app.bin").status == 200);
}

#[test]
fn nothing_hangs_at_a_pipe_and_no_link_leads_out_however_fast_they_are_swapped() {
    let mut server = Server::start(SETTINGS, |folder| {
        publish(folder, "20260301", 1);
        folder.write("outside/x.txt", "secret");
        folder.write("outside/swapped.bin", "secret");
        fs::create_dir_all(folder.path().join("firmware/folder")).expect("a folder");
        folder.write("firmware/folder/x.txt", "inside");
        folder.write("inside.bin", "inside");
    });
    let root = server.folder.path().to_owned();
    let firmware = root.join("firmware");
    let over = AtomicBool::new(false);
    let counts = [const { AtomicUsize::new(0) }; 2];
    thread::scope(|scope| {
        scope.spawn(|| {
            symlink(root.join("outside"), root.join("link")).expect("a link");
            symlink(root.join("outside/swapped.bin"), root.join("file-link")).expect("a link");
            assert!(Command::new("mkfifo").arg(root.join("fifo")).status().expect("mkfifo").success());
            while !over.load(Ordering::Relaxed) {
                // A file, a link out, a pipe; a folder and a link out.
                for kind in ["inside.bin", "file-link", "fifo"] {
                    let _ = fs::rename(root.join(kind), firmware.join("swapped.bin"));
                    let _ = fs::rename(firmware.join("swapped.bin"), root.join(kind));
                }
                let _ = fs::rename(firmware.join("folder"), root.join("kept"));
                let _ = fs::rename(root.join("link"), firmware.join("folder"));
                let _ = fs::rename(firmware.join("folder"), root.join("link"));
                let _ = fs::rename(root.join("kept"), firmware.join("folder"));
            }
        });
        let end = Instant::now() + WHILE;
        while Instant::now() < end {
            for path in ["swapped.bin", "folder/x.txt"] {
                let answer = server.get(&format!("/firmware/{path}"));
                assert!(answer.status != 200 || answer.text() == "inside", "{path}: {}", answer.text());
                counts[usize::from(answer.status == 200)].fetch_add(1, Ordering::Relaxed);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    println!("refused and handed out: {counts:?}");
    server.signal(15);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_disk_error_is_an_answer_and_not_a_cut() {
    // Files of the kernel's that cannot be read although they are there.
    let folder = "/sys/class/net/lo";
    if fs::read(format!("{folder}/speed")).is_ok() || fs::metadata(format!("{folder}/speed")).is_err() {
        return;
    }
    let server = Server::start(&format!("current_firmware_version = 20260301\nfirmware_path = {folder}\n"), |_| {});
    let answer = server.get("/firmware/speed");
    assert_eq!((answer.status, answer.body.len()), (500, 0));
    server.wait_for_line("Invalid argument");
}

#[test]
fn other_images_of_the_same_date_are_modified_later() {
    let server = Server::start("current_firmware_version = 20260301\n", |folder| {
        publish(folder, "20260301", 1);
        publish_sums(folder, "20260301", &[]);
        set_time(folder, 1_700_000_000);
    });
    let path = "/firmware/20260301/upd_app.bin";
    let first = server.get(path).field("last-modified").expect("a date").to_owned();
    let since = || server.ask(format!("GET {path} HTTP/1.1\r\nHost: test\r\nIf-Modified-Since: {first}\r\n\r\n"));
    assert_eq!(since().status, 304);
    publish(&server.folder, "20260301", 2);
    set_time(&server.folder, 1_700_000_000);
    publish_sums(&server.folder, "20260301", &[]);
    wait_until("the other image is served", || server.get(path).body == image(2));
    let answer = since();
    assert!(answer.status == 200 && answer.body == image(2), "{}", answer.status);
    server.wait_for_line("HINT-REPLACED");
}

fn set_time(folder: &Folder, seconds: u64) {
    for name in ["upd_app.bin", "upd_app_for_old_frs.bin"] {
        let path = folder.path().join("firmware/20260301").join(name);
        let file = fs::File::options().append(true).open(path).expect("the file");
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).expect("a time");
    }
}

#[test]
fn the_shipped_sample_is_offered_without_a_problem_or_advice() {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = susv::config::load(&project.join("config.ini")).expect("the shipped settings");
    let catalog = susv::catalog::load_once(settings);
    assert_eq!((&catalog.problems, &catalog.hints), (&Vec::new(), &Vec::new()));
    let offer = &catalog.offers()[0];
    assert!(offer.version == 20000101 && offer.is_vouched && offer.images.iter().all(|image| image.bytes.len() == IMAGE_BYTES));
}

/// What is written through a mapping changes no stamp, and within 2 s nothing that is written on FAT does.
#[test]
fn an_image_that_changed_without_a_sign_is_judged_again_and_the_reason_told() {
    unsafe extern "C" {
        fn mmap(address: *mut u8, length: usize, protection: i32, flags: i32, file: i32, offset: i64) -> *mut u8;
        fn munmap(address: *mut u8, length: usize) -> i32;
    }
    let server = Server::start("current_firmware_version = latest\n", |folder| publish(folder, "20260101", 1));
    publish(&server.folder, "20260301", 2);
    let path = server.folder.path().join("firmware/20260301/upd_app.bin");
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).expect("the image");
    // SAFETY: a shared mapping of a file that is not made shorter, used by this thread alone and unmapped at the end.
    let (mapping, bytes) = unsafe {
        let mapping = mmap(std::ptr::null_mut(), crate::common::IMAGE_BYTES, 3, 1, file.as_raw_fd(), 0);
        assert!(!mapping.is_null() && mapping as isize != -1, "a mapping");
        (mapping, std::slice::from_raw_parts_mut(mapping, crate::common::IMAGE_BYTES))
    };
    bytes[0] ^= 1;
    let stamp = || susv::stamp::Stamp::of(&path).expect("a stamp");
    let before = stamp();
    server.wait_for_line("unsettled=\"none -> 20260301\"");
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        // Each look sees another content and the same stamp.
        bytes[0] = bytes[0].wrapping_add(2);
        thread::sleep(Duration::from_millis(1));
    }
    bytes[0] = image(2)[0];
    // SAFETY: it was mapped above, and nobody uses it any more.
    assert_eq!(unsafe { munmap(mapping, crate::common::IMAGE_BYTES) }, 0);
    let has_sign = stamp() != before;
    // Some file systems show it: then it has just settled.
    wait_until("it is offered, or somebody is told why not", || {
        server
            .lines()
            .iter()
            .any(|line| line.contains("IMAGE-REPLACED") && !has_sign || line.contains("-> 20260301\"") && line.contains("offer="))
    });
}
