//! Stops: checks are answered to the last moment, downloads have their time, everything else has a second, and it always ends.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::download::{Download, Ending, GET, dial, start, start_inherited, try_dial};
use crate::common::preload;
use crate::common::{Answer, Client, Server, check_request, license_line, plain_folder, post_request, wait_until};

const SIGHUP: i32 = 1;
const SIGTERM: i32 = 15;

/// What became of a check.
enum Check {
    Answered(Answer),
    Refused,
    Lost,
}

fn check(server: &Server) -> Check {
    let Some(stream) = try_dial(server.address, Ipv4Addr::LOCALHOST, 0) else { return Check::Refused };
    let mut client = Client { stream, received: Vec::new() };
    client.send(check_request());
    client.try_answer(false).map_or(Check::Lost, Check::Answered)
}

#[test]
fn a_stop_with_a_slow_download_answers_checks_to_its_last_moment() {
    let mut server = start("");
    let mut slow = Download::begin(server.address);
    server.signal(SIGTERM);
    server.wait_for_line("event=stopping");
    let mut answered = 0;
    let mut reader = slow.stream.try_clone().map(|_| None::<Ending>).expect("a handle");
    thread::scope(|scope| {
        let slow = &mut slow;
        let download = scope.spawn(move || slow.finish_at(120_000));
        while !server.has_ended() {
            match check(&server) {
                Check::Answered(answer) => {
                    assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
                    assert!(answer.text().contains("\"update_available\": false"), "{}", answer.text());
                    answered += 1;
                }
                // The socket is closed at the very end.
                // When the client has the last byte, though it may not have read it.
                Check::Refused => {}
                Check::Lost => panic!("a check was lost after {answered}"),
            }
            thread::sleep(Duration::from_millis(3));
        }
        reader = Some(download.join().expect("a download"));
    });
    assert_eq!(reader, Some(Ending::Whole));
    assert!(answered > 50, "{answered}");
}

#[test]
fn downloads_begin_while_60_seconds_of_a_stop_are_left_and_then_are_answered_503() {
    // One permit; the stop has three seconds more than a download must have.
    let mut server = start("max_connections = 1\nstop_seconds = 63\n");
    let mut first = Download::begin_endless(&server);
    let mut waits = Download::ask(server.address);
    thread::sleep(Duration::from_millis(200));
    server.signal(SIGTERM);
    server.wait_for_line("event=stopping");
    let begun = Instant::now();
    let mut comes = Download::ask(server.address);
    // A client that goes away gives its permit back.
    crate::common::download::reset(std::mem::replace(&mut first.stream, server.connect().stream));
    assert_eq!((waits.finish(), comes.finish()), (Ending::Whole, Ending::Whole));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // Something that moves keeps the stop alive, and one waits behind it.
    let mut moving = Download::ask(server.address);
    assert_eq!(moving.read_up_to(1000), None);
    let mut waits_in_vain = Download::ask(server.address);
    thread::scope(|scope| {
        let moving = scope.spawn(|| moving.finish_at(90_000));
        assert_eq!(waits_in_vain.finish(), Ending::Busy, "{:?} after the stop began", begun.elapsed());
        assert_eq!(Download::ask(server.address).finish(), Ending::Busy);
        assert_eq!(moving.join().expect("a download"), Ending::Whole);
    });
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn callers_at_the_end_of_a_stop_are_served_although_there_are_few_threads() {
    let Some(server) = Server::start_with_few_threads(12, "64996", "max_connections = 50\n") else { return };
    // Somebody idle makes the stop last a second. Just before its end more come than there are threads.
    let _holds_on = server.connect();
    thread::sleep(Duration::from_millis(100));
    server.signal(SIGTERM);
    server.wait_for_line("event=stopping");
    thread::sleep(Duration::from_millis(850));
    let statuses: Vec<_> = thread::scope(|scope| {
        let call = || {
            let stream = try_dial(server.address, Ipv4Addr::LOCALHOST, 0)?;
            let mut client = Client { stream, received: Vec::new() };
            // Head and body come in two, on a slow line.
            thread::sleep(Duration::from_millis(200));
            client.send(check_request());
            Some(client.try_answer(false).map(|answer| answer.status))
        };
        let callers: Vec<_> = (0..30).map(|_| scope.spawn(call)).collect();
        callers.into_iter().map(|caller| caller.join().expect("a caller")).collect()
    });
    println!("{statuses:?}");
    // The kernel resets whoever connects between our last look and the close of the socket.
    let lost = statuses.iter().filter(|status| **status == Some(None)).count();
    assert!(lost <= 2, "{statuses:?}");
}

/// 32 callers that say nothing, say too little, or do not read.
fn annoy(server: &Server) -> Vec<std::net::TcpStream> {
    (0..32)
        .map(|number| {
            let mut stream = dial(server.address, Ipv4Addr::LOCALHOST, 4096);
            let request = match number % 4 {
                0 => String::new(),
                1 => "POST /check_firmware HTTP/1.1\r\nHost: x\r\n".to_owned(),
                2 => "POST /check_firmware HTTP/1.1\r\nHost: x\r\nContent-Length: 28\r\n\r\n{".to_owned(),
                _ => "GET /version HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3000),
            };
            stream.set_nonblocking(true).expect("no waiting");
            let _ = stream.write_all(request.as_bytes());
            stream
        })
        .collect()
}

#[test]
fn a_stop_beside_32_idle_or_slow_callers_is_over_in_5_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    for mut server in [start(""), start_inherited(&listener)] {
        let callers = annoy(&server);
        assert_eq!(server.ask(check_request()).status, 200);
        let begun = Instant::now();
        server.signal(SIGTERM);
        assert_eq!(server.wait().code(), Some(0));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        drop(callers);
    }
}

#[test]
fn a_second_stop_signal_ends_it_in_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    for mut server in [start(""), start_inherited(&listener)] {
        let mut download = Download::begin_endless(&server);
        let callers = annoy(&server);
        server.signal(SIGTERM);
        server.wait_for_line("event=stopping");
        let begun = Instant::now();
        server.signal(SIGTERM);
        server.wait();
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        let ending = download.read_to_end();
        assert!(matches!(ending, Ending::Reset(_)), "{ending:?}");
        drop(callers);
    }
}

#[test]
fn a_stop_comes_before_400_reloads() {
    let server = start("");
    let lines: String = (0..100_000).map(|serial| license_line(serial, 'b')).collect();
    server.folder.write("licenses/many.slf", lines);
    let mut server = server;
    let id = server.id();
    let script = format!("for i in $(seq 400); do kill -{SIGHUP} {id}; done; kill -{SIGTERM} {id}");
    let status = Command::new("sh").args(["-c", &script]).status().expect("a shell");
    assert!(status.success());
    let begun = Instant::now();
    assert_eq!(server.wait().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// A library whose functions for opening files hang below `firmware` and `licenses` once the file `hang` is there.
const HANGING_DISK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <dirent.h>
static void hang(const char *path) {
    const char *trigger = getenv("TEST_HANG");
    if (!path || !trigger || (!strstr(path, "/firmware") && !strstr(path, "/licenses"))) return;
    while (syscall(SYS_access, trigger, F_OK) == 0) usleep(20000);
}
#define OPEN(name) int name(const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); hang(path); \
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); }
OPEN(open)
OPEN(open64)
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); hang(path); \
    return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name))(at, path, flags, mode); }
OPENAT(openat)
OPENAT(openat64)
DIR *opendir(const char *path) { hang(path); return ((DIR *(*)(const char *))dlsym(RTLD_NEXT, "opendir"))(path); }
int statx(int at, const char *path, int flags, unsigned mask, struct statx *found) {
    hang(path);
    return ((int (*)(int, const char *, int, unsigned, struct statx *))dlsym(RTLD_NEXT, "statx"))(at, path, flags, mask, found);
}
"#;

/// A server whose disk hangs once the returned file exists; `None` where that cannot be had.
fn start_with_disk_that_can_hang(config: &str) -> Option<(Server, std::path::PathBuf)> {
    let folder = plain_folder();
    let trigger = folder.path().join("now");
    let mut command = preload::with_library(&folder, HANGING_DISK)?;
    command.env("TEST_HANG", &trigger);
    let server = Server::start_command(folder, &format!("current_firmware_version = 20260301\n{config}"), command);
    server.wait_for_line("event=offer version=20260301");
    preload::is_loaded(&server).then_some((server, trigger))
}

fn license_request() -> String {
    post_request("/feature_licenses", "{\"serial\": \"0000000000012345\"}")
}

fn let_disk_hang(server: &Server, trigger: &Path) {
    assert_eq!(server.ask(license_request()).status, 200);
    std::fs::write(trigger, "").expect("the trigger");
}

#[test]
fn while_a_disk_hangs_checks_and_offered_images_are_served_and_licences_are_503() {
    let Some((server, trigger)) = start_with_disk_that_can_hang("max_connections = 8\n") else { return };
    let_disk_hang(&server, &trigger);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // One hangs in the disk, the others are told so in two seconds.
        let held = scope.spawn(|| license_status(&server));
        thread::sleep(Duration::from_millis(100));
        for _ in 0..31 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let status = license_status(&server);
                    assert!(status == Some(503) || over.load(Ordering::Relaxed), "{status:?}");
                    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
                }
            });
        }
        let mut times: Vec<_> = (0..200)
            .map(|_| {
                let begun = Instant::now();
                assert_eq!(server.ask(check_request()).status, 200);
                begun.elapsed()
            })
            .collect();
        let image = Download::ask(server.address).finish();
        over.store(true, Ordering::Relaxed);
        std::fs::remove_file(&trigger).expect("the trigger");
        assert_eq!(held.join().expect("the one that hung"), Some(200), "a disk that comes back serves whom it held");
        times.sort_unstable();
        println!("median {:?}, p99 {:?}", times[100], times[198]);
        assert!(times[198] < Duration::from_secs(1), "{:?}", &times[190..]);
        assert_eq!(image, Ending::Whole);
    });
}

fn license_status(server: &Server) -> Option<u16> {
    let mut client = server.connect();
    client.send(license_request());
    client.try_answer(false).map(|answer| answer.status)
}

#[test]
fn a_stop_while_a_disk_hangs_ends_too() {
    let Some((mut server, trigger)) = start_with_disk_that_can_hang("max_connections = 8\n") else { return };
    server.folder.write("firmware/archive.zip", vec![7; 100_000]);
    let_disk_hang(&server, &trigger);
    let mut hung = Vec::new();
    for request in [license_request(), GET.replace("20260301/upd_app.bin", "archive.zip")] {
        let mut client = server.connect();
        client.send(request);
        hung.push(client);
    }
    // The loader hangs as well by then.
    thread::sleep(Duration::from_millis(2500));
    server.signal(SIGHUP);
    server.signal(SIGTERM);
    let begun = Instant::now();
    assert_eq!(server.wait().code(), Some(0));
    println!("{:?}", begun.elapsed());
    // A download that does not move prolongs a stop by ten seconds.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn a_second_stop_signal_ends_it_while_a_disk_hangs() {
    let Some((mut server, trigger)) = start_with_disk_that_can_hang("") else { return };
    let_disk_hang(&server, &trigger);
    let mut hung = server.connect();
    hung.send(license_request());
    let mut download = Download::begin_handed_over(&server);
    assert_eq!(download.read_up_to(1000), None);
    server.signal(SIGTERM);
    server.wait_for_line("event=stopping");
    server.signal(SIGTERM);
    let begun = Instant::now();
    wait_until("the server ends", || server.has_ended());
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(download.finish(), Ending::Whole);
}
