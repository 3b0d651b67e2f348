//! The live catalog: firmware, licences and settings change under load without a restart, and every answer is of one
//! consistent version.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::common::{
    Client, Folder, Server, check_request, image, license_line, post_request, publish, publish_sums, susv, wait_until,
};
use susv::sha256;

const LATEST: &str = "current_firmware_version = latest\n";
const SIGHUP: i32 = 1;

fn offered(server: &Server) -> String {
    let answer = server.ask(check_request());
    assert_eq!(answer.status, 200);
    let text = answer.text();
    if text.starts_with("{\"update_available\": false") {
        return "none".to_owned();
    }
    text.split("\"version\": ").nth(1).expect("a version")[..8].to_owned()
}

fn wait_for_offer(server: &Server, version: &str) {
    wait_until(&format!("{version} is offered"), || offered(server) == version);
}

fn has_license(server: &Server, serial: u64) -> bool {
    ask_for_license(server, serial) == 200
}

fn ask_for_license(server: &Server, serial: u64) -> u16 {
    server.post("/feature_licenses", &format!("{{\"serial\": \"{serial:016}\"}}")).status
}

/// Replaces the settings of a running server, but for address and port.
fn configure(server: &Server, config: &str) {
    server.folder.write("config.new", format!("address = 127.0.0.1\nport = 0\n{config}"));
    let folder = server.folder.path();
    fs::rename(folder.join("config.new"), folder.join("config.ini")).expect("replaced");
}

#[test]
fn firmware_is_published_withdrawn_and_rolled_back_without_a_restart() {
    let server = Server::start(LATEST, |folder| publish(folder, "20260101", 1));
    assert_eq!(offered(&server), "20260101");
    publish(&server.folder, "20260301", 2);
    wait_for_offer(&server, "20260301");
    server.wait_for_line("event=reloaded offer=\"20260101 -> 20260301\"");
    assert!(server.get("/firmware/20260301/upd_app.bin").body == image(2));
    // Rolled back by removing the folder; a fixed version whose files are missing is withdrawn, not replaced by an older one.
    fs::remove_dir_all(server.folder.path().join("firmware/20260301")).expect("gone");
    wait_for_offer(&server, "20260101");
    configure(&server, "current_firmware_version = 20260401\n");
    wait_for_offer(&server, "none");
    server.wait_for_line("event=reloaded offer=\"20260101 -> none\"");
    server.wait_for_line("20260401: there is no such folder");
    publish(&server.folder, "20260401", 4);
    wait_for_offer(&server, "20260401");
}

#[test]
fn a_folder_that_is_still_being_copied_is_never_offered() {
    let server = Server::start(LATEST, |folder| publish(folder, "20260101", 1));
    let copied = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let folder = server.folder.path().join("firmware/20260301");
            fs::create_dir(&folder).expect("a folder");
            for (name, bytes) in [("upd_app.bin", image(2)), ("upd_app_for_old_frs.bin", image(!2))] {
                let mut file = fs::File::create(folder.join(name)).expect("a file");
                for piece in bytes.chunks(bytes.len() / 8) {
                    std::io::Write::write_all(&mut file, piece).expect("a piece");
                    thread::sleep(Duration::from_millis(600));
                }
            }
            copied.store(true, Ordering::Relaxed);
        });
        loop {
            let was_copied = copied.load(Ordering::Relaxed);
            let version = offered(&server);
            // Those whom the new one may be for wait for it.
            assert!(version == "20260101" || version == "none" || was_copied, "{version} before it was whole");
            if version == "20260301" {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert!(server.get("/firmware/20260301/upd_app.bin").body == image(2));
}

#[test]
fn a_broken_configuration_leaves_everything_as_it_was_and_is_told_once() {
    let server = Server::start(LATEST, |folder| publish(folder, "20260101", 1));
    let path = server.folder.path().join("config.ini");
    type Damage = fn(&Path);
    let breaks: [(Damage, &str); 3] = [
        (|path| fs::write(path, "what = 1\n").expect("written"), "KEY-UNKNOWN"),
        (
            |path| {
                fs::remove_file(path).expect("removed");
                fs::create_dir(path).expect("a folder in its place");
            },
            "SETTINGS-UNREADABLE",
        ),
        (
            |path| {
                fs::remove_dir(path).expect("removed");
                fs::write(path, b"current_firmware_version = latest\n\xff\n").expect("written");
            },
            "LINE-NOT-UTF8",
        ),
    ];
    for (damage, code) in breaks {
        damage(&path);
        server.wait_for_line(code);
        assert_eq!(offered(&server), "20260101");
    }
    // Told once, and the rest goes on being watched.
    publish(&server.folder, "20260301", 2);
    wait_for_offer(&server, "20260301");
    let told = server.lines().iter().filter(|line| line.contains("the settings stay as they were")).count();
    assert!((2..=4).contains(&told), "{:#?}", server.lines());
    configure(&server, "current_firmware_version = 20260101\ncurrent_firmware_description = back\n");
    wait_for_offer(&server, "20260101");
    assert!(server.ask(check_request()).text().contains("\"description\": \"back\""));
}

#[test]
fn sighup_takes_nothing_that_is_not_whole() {
    let server = Server::start(LATEST, |folder| publish(folder, "20260101", 1));
    assert_eq!(offered(&server), "20260101");
    let path = "firmware/20260301/upd_app.bin";
    publish(&server.folder, "20260301", 2);
    for round in 0..20 {
        server.folder.write(path, &image(2)[..20_000 * (round + 1)]);
        server.signal(SIGHUP);
        server.wait_for_lines("event=reload_asked_for", round + 1);
        let version = offered(&server);
        assert!(version == "20260101" || version == "none", "{version}");
        assert_ne!(server.get("/firmware/20260301/upd_app.bin").status, 200);
    }
    server.folder.write(path, image(2));
    server.signal(SIGHUP);
    wait_for_offer(&server, "20260301");
}

#[test]
fn a_change_is_noticed_whatever_the_clock_says() {
    let server = Server::start(LATEST, |folder| publish(folder, "20260101", 1));
    let path = server.folder.path().join("firmware/20260101/upd_app.bin");
    // Same length, and modification times that are old, equal, and in the future.
    for (seed, time) in [(2, 0), (3, 0), (4, 4_000_000_000), (5, 1_000_000)] {
        fs::write(&path, image(seed)).expect("written");
        publish_sums(&server.folder, "20260101", &[]);
        let time = std::time::UNIX_EPOCH + Duration::from_secs(time);
        fs::File::options().write(true).open(&path).expect("the file").set_modified(time).expect("its time");
        wait_until("the new image is served", || server.get("/firmware/20260101/upd_app.bin").body == image(seed));
    }
}

#[test]
fn licences_change_file_by_file_and_no_known_serial_is_ever_unknown() {
    let server = Server::start(LATEST, |folder| {
        folder.write("licenses/stays.slf", license_line(1, 'a'));
        folder.write("licenses/moves.slf", license_line(2, 'b'));
    });
    wait_until("the licences are known", || has_license(&server, 1) && has_license(&server, 2));
    let over = AtomicBool::new(false);
    let (asked, unknown) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for serial in [1, 2] {
            let (server, over, asked, unknown) = (&server, &over, &asked, &unknown);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    asked.fetch_add(1, Ordering::Relaxed);
                    // While its file changes it may be 503, and never 400.
                    unknown.fetch_add(usize::from(ask_for_license(server, serial) == 400), Ordering::Relaxed);
                }
            });
        }
        let folder = server.folder.path().join("licenses");
        for round in 0..60 {
            // Replaced by rename, overwritten in place at another offset, moved to another file.
            let padding = "# padding\n".repeat(round % 7);
            server.folder.write("new.slf", padding.clone() + &license_line(2, 'c'));
            fs::rename(server.folder.path().join("new.slf"), folder.join("moves.slf")).expect("replaced");
            server.folder.write("licenses/stays.slf", padding + &license_line(1, 'd'));
            server.folder.write(&format!("licenses/more{}.slf", round % 5), license_line(100 + round as u64, 'e'));
            if round % 3 == 0 {
                server.folder.write("licenses/other.slf", license_line(2, 'f'));
                fs::remove_file(folder.join("moves.slf")).expect("removed");
                fs::rename(folder.join("other.slf"), folder.join("moves.slf")).expect("moved back");
            }
            thread::sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::Relaxed);
    });
    let (asked, unknown) = (asked.load(Ordering::Relaxed), unknown.load(Ordering::Relaxed));
    assert!(unknown == 0 && asked > 50, "{unknown} of {asked} times unknown");
    fs::remove_file(server.folder.path().join("licenses/moves.slf")).expect("removed");
    wait_until("a removed licence is unknown", || ask_for_license(&server, 2) == 400);
    wait_until("its neighbour is given again", || has_license(&server, 1));
    server.folder.write("licenses/new.slf", license_line(3, 'a'));
    wait_until("a new licence is known", || has_license(&server, 3));
}

#[test]
fn disk_errors_are_problems_and_heal_by_themselves() {
    let server = Server::start("current_firmware_version = 20260101\n", |folder| {
        publish(folder, "20260101", 1);
        folder.write("licenses/a.slf", license_line(1, 'a'));
    });
    let folder = server.folder.path();
    // As if unmounted.
    fs::rename(folder.join("firmware"), folder.join("away")).expect("away");
    wait_for_offer(&server, "none");
    assert!(has_license(&server, 1), "the rest is served");
    fs::rename(folder.join("away"), folder.join("firmware")).expect("back");
    wait_for_offer(&server, "20260101");
    fs::rename(folder.join("licenses"), folder.join("away")).expect("away");
    server.wait_for_line("LICENCES-MISSING");
    wait_until("no licences", || ask_for_license(&server, 1) == 400);
    assert_eq!(offered(&server), "20260101", "the rest is served");
    fs::rename(folder.join("away"), folder.join("licenses")).expect("back");
    wait_until("licences again", || has_license(&server, 1));
}

/// What the hammer's threads may see of a version: the digest of its image.
fn digest_of(seed: u8) -> sha256::Digest {
    sha256::hash(&image(seed))
}

#[test]
fn under_load_every_answer_is_of_one_consistent_version() {
    // Version and seed belong together: whoever gets another image than its URL says has got wrong bytes.
    let versions: Vec<(String, u8)> = (1..=9).map(|month| (format!("20260{month}01"), month)).collect();
    let server = Server::start(LATEST, |folder| {
        publish(folder, &versions[0].0, versions[0].1);
        folder.write("licenses/a.slf", license_line(1, 'a'));
    });
    wait_until("the licence is known", || has_license(&server, 1));
    let over = AtomicBool::new(false);
    let counts = [const { AtomicUsize::new(0) }; 3];
    thread::scope(|scope| {
        for number in 0..8 {
            let (server, versions, over, counts) = (&server, &versions, &over, &counts);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    hammer_once(server, versions, number, counts);
                }
            });
        }
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| change_everything(&server, &versions)));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    let counts = counts.map(AtomicUsize::into_inner);
    println!("checks, downloads, licences: {counts:?}");
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}

/// One check with the download it leads to, or one licence.
fn hammer_once(server: &Server, versions: &[(String, u8)], number: usize, counts: &[AtomicUsize; 3]) {
    let mut client = server.connect();
    if number % 4 == 3 {
        client.send(post_request("/feature_licenses", "{\"serial\": \"0000000000000001\"}"));
        let status = client.read_answer(false).status;
        assert!(matches!(status, 200 | 503), "{status} for a known serial number");
        counts[2].fetch_add(1, Ordering::Relaxed);
        return;
    }
    client.send(check_request());
    let answer = client.read_answer(false);
    assert_eq!(answer.status, 200);
    counts[0].fetch_add(1, Ordering::Relaxed);
    let text = answer.text();
    if text.starts_with("{\"update_available\": false") {
        return;
    }
    let path = text.split("http://test").nth(1).expect("a URL").split('"').next().expect("its end").to_owned();
    let (_, seed) = versions.iter().find(|(version, _)| path.contains(version)).expect("a version that was published");
    assert!(text.contains(&format!("\"version\": {}", &path[10..18])), "{text}");
    client.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"));
    // Withdrawn meanwhile: nothing, or a reset. Never other bytes.
    let Some(answer) = client.try_answer(false) else { return };
    match answer.status {
        200 => assert!(sha256::hash(&answer.body) == digest_of(*seed), "wrong bytes of {path}"),
        status => assert!(status == 404 && answer.body.is_empty(), "{status}"),
    }
    counts[1].fetch_add(1, Ordering::Relaxed);
}

/// Changes and breaks firmware, licences and settings, so slowly that some of it settles.
fn change_everything(server: &Server, versions: &[(String, u8)]) {
    let firmware = server.folder.path().join("firmware");
    for round in 0..60 {
        let (version, seed) = &versions[round % versions.len()];
        let folder = firmware.join(version);
        match round % 6 {
            // Published whole, as "cp -r" into another folder and "mv" does it.
            0 | 3 => {
                let staged = server.folder.path().join("staged");
                let _ = fs::remove_dir_all(&staged);
                publish(&Folder::at(&staged), version, *seed);
                publish_sums(&Folder::at(&staged), version, &[]);
                let _ = fs::remove_dir_all(&folder);
                fs::rename(staged.join("firmware").join(version), &folder).expect("published");
            }
            1 if round % 12 == 1 => drop(fs::remove_file(folder.join("upd_app_for_old_frs.bin"))),
            2 if round % 4 == 0 => configure(server, "broken\n"),
            2 => configure(server, &format!("current_firmware_version = {version}\n")),
            4 => drop(server.folder.write("licenses/a.slf", "\n".repeat(round % 9) + &license_line(1, 'b'))),
            _ => configure(server, LATEST),
        }
        if round % 2 == 0 {
            server.signal(SIGHUP);
        }
        thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn a_source_that_keeps_changing_holds_up_no_other() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        folder.write("licenses/a.slf", license_line(1, 'a'));
    });
    assert_eq!(offered(&server), "20260101");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for serial in 2.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let path = server.folder.path().join("licenses/growing.slf");
                let mut file = fs::File::options().create(true).append(true).open(path).expect("the file");
                std::io::Write::write_all(&mut file, license_line(serial, 'b').as_bytes()).expect("a line");
                server.folder.write("firmware/20250101/upd_app.bin", &image(9)[..serial as usize * 1000]);
                thread::sleep(Duration::from_millis(300));
            }
        });
        let start = std::time::Instant::now();
        fs::rename(server.folder.path().join("firmware/20260101"), server.folder.path().join("away")).expect("away");
        wait_for_offer(&server, "none");
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        publish(&server.folder, "20260301", 2);
        wait_for_offer(&server, "20260301");
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn other_stamps_of_the_same_bytes_change_nothing() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        publish(folder, "20260301", 2);
    });
    let folder = server.folder.path().join("firmware/20260301");
    assert_eq!(offered(&server), "20260301");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                // As "chown -R" does it, and now and then a rename of the same.
                let path = folder.join(["upd_app.bin", "upd_app_for_old_frs.bin"][round % 2]);
                std::os::unix::fs::chown(&path, Some(round as u32 % 3), None).expect("another owner");
                if round % 2000 == 1999 {
                    fs::copy(&path, server.folder.path().join("copy")).expect("a copy");
                    fs::rename(server.folder.path().join("copy"), &path).expect("replaced");
                    thread::sleep(Duration::from_millis(700));
                }
                if over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let end = std::time::Instant::now() + Duration::from_secs(7);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while std::time::Instant::now() < end {
                server.signal(SIGHUP);
                let version = offered(&server);
                assert!(version == "20260301" || version == "none", "{version}");
                assert_eq!(server.get("/firmware/20260301/upd_app.bin").status, 200);
                thread::sleep(Duration::from_millis(20));
            }
        }));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
    assert!(!server.lines().iter().any(|line| line.contains("event=withdrawn")), "{:#?}", server.lines());
}

#[test]
fn an_upload_that_overwrites_in_place_and_dies_is_never_taken() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        publish(folder, "20260301", 2);
    });
    assert_eq!(offered(&server), "20260301");
    let path = server.folder.path().join("firmware/20260301/upd_app.bin");
    let mut file = fs::File::options().write(true).open(&path).expect("the file");
    std::io::Write::write_all(&mut file, &image(9)[..200_000]).expect("half of it");
    drop(file);
    let start = std::time::Instant::now();
    wait_until("it is withdrawn", || offered(&server) == "none");
    let withdrawn = start.elapsed();
    assert!(withdrawn < Duration::from_secs(5), "{withdrawn:?}");
    wait_for_offer(&server, "20260101");
    // It steps in no sooner than the newer one has been gone for 2 s.
    assert!(start.elapsed() - withdrawn > Duration::from_millis(1500), "{:?}", start.elapsed() - withdrawn);
    server.wait_for_line("IMAGE-REPLACED");
    let end = std::time::Instant::now() + Duration::from_secs(5);
    while std::time::Instant::now() < end {
        assert_eq!(offered(&server), "20260101");
        assert_eq!(server.get("/firmware/20260301/upd_app.bin").status, 404);
        thread::sleep(Duration::from_millis(100));
    }
    // Whole again with the old bytes, or with others that are vouched for.
    fs::write(&path, image(2)).expect("written");
    wait_for_offer(&server, "20260301");
    fs::write(&path, image(9)).expect("written");
    publish_sums(&server.folder, "20260301", &[]);
    wait_until("the new image is served", || server.get("/firmware/20260301/upd_app.bin").body == image(9));
    wait_for_offer(&server, "20260301");
}

#[test]
fn a_change_of_large_images_needs_no_memory_but_theirs() {
    let large = |seed: u8| -> Vec<u8> { (0..16).flat_map(|part: u8| image(seed ^ part << 3)).collect() };
    let folder = Folder::new();
    let publish_large = |version: &str, seed: u8| {
        let staged = Folder::at(&folder.path().join("staged"));
        for (name, seed) in [("upd_app.bin", seed), ("upd_app_for_old_frs.bin", seed ^ 1)] {
            staged.write(&format!("{version}/{name}"), large(seed));
        }
        fs::create_dir_all(folder.path().join("firmware")).expect("a folder");
        fs::rename(staged.path().join(version), folder.path().join("firmware").join(version)).expect("published");
    };
    publish_large("20260101", 2);
    let server = Server::start_in(std::mem::ManuallyDrop::into_inner(Folder::at(folder.path())), LATEST);
    assert_eq!(offered(&server), "20260101");
    let peak = || -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("its memory");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    };
    publish_large("20260301", 4);
    wait_for_offer(&server, "20260301");
    let images = 4 * 16 * crate::common::IMAGE_BYTES as u64 / 1024;
    println!("peak {} KiB, images {images} KiB", peak());
    assert!(peak() < images + 8 * 1024, "peak {} KiB, images {images} KiB", peak());
}

#[test]
fn a_passed_socket_is_used_and_lives_on_after_a_stop() {
    // The service manager's part: it opens the socket and passes it as descriptor 0.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("its address");
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    let config = folder.write("config.ini", "current_firmware_version = 20260301\nport = 1\n");
    let start = || {
        let socket = std::os::fd::OwnedFd::from(listener.try_clone().expect("a second handle"));
        susv()
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::from(socket))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server")
    };
    let over = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // During a restart the kernel holds the caller: it is not refused.
                answered.fetch_add(usize::from(check_once(address)), Ordering::Relaxed);
            }
        });
        for _ in 0..3 {
            let mut child = start();
            let before = answered.load(Ordering::Relaxed);
            wait_until("checks are answered", || answered.load(Ordering::Relaxed) > before + 20);
            std::process::Command::new("kill").arg(child.id().to_string()).status().expect("kill");
            assert_eq!(child.wait().expect("its end").code(), Some(0));
        }
        // The last one serves until the caller has stopped.
        let mut child = start();
        over.store(true, Ordering::Relaxed);
        let before = answered.load(Ordering::Relaxed);
        wait_until("the last check is answered", || answered.load(Ordering::Relaxed) > before);
        child.kill().expect("its end");
        child.wait().expect("its end");
    });
}

fn check_once(address: SocketAddr) -> bool {
    let mut client = Client::connect(address);
    client.send(check_request().replace("Host: test", "Host: test\r\nConnection: close"));
    let answer = client.read_answer(false);
    assert_eq!(answer.status, 200);
    true
}

#[test]
fn a_second_signal_ends_at_once_and_resets_what_is_under_way() {
    let mut server = Server::start_plain("");
    server.folder.write("firmware/large.bin", vec![b'x'; 30_000_000]);
    let mut client = server.connect();
    client.send("GET /firmware/large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(client.read_more());
    server.signal(15);
    server.wait_for_line("event=stopping");
    server.signal(15);
    assert_eq!(server.wait().code(), Some(0));
    let mut piece = [0; 65_536];
    let error = loop {
        match std::io::Read::read(&mut client.stream, &mut piece) {
            Ok(0) => panic!("closed as if the file were complete"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}
