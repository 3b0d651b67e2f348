//! The log: what it says, that strangers cannot forge a line, and that no output can hold up the server.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use susv::limits;

use crate::common::preload;
use crate::common::{
    Client, Folder, Server, check_request, free_port, license_line, post_request, publish, publish_sums, susv, wait_until,
};

#[test]
fn each_event_is_one_line_of_keys_and_values() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    let peer = client.stream.local_addr().expect("an address");
    let file = "/firmware/20260301/upd_app.bin";
    client.send(check_request());
    client.send(format!("GET {file} HTTP/1.1\r\nHost: test\r\nRange: bytes=0-99\r\n\r\n"));
    client.send(post_request("/feature_licenses", "{\"serial\": \"0000000000012345\"}"));
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    client.send("GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n");
    for _ in 0..5 {
        client.read_answer(false);
    }
    for line in [
        format!("event=check peer={peer} build_date=19.12.2017 update_available=true critical=false version=20260301"),
        format!("event=download peer={peer} method=\"GET\" file=\"20260301/upd_app.bin\" status=206 bytes=100/100"),
        format!("event=license peer={peer} serial=0000000000012345 found=yes"),
        format!("event=request peer={peer} method=\"GET\" path=\"/\" status=200"),
        format!("event=refused peer={peer} method=\"GET\" path=\"/nothing\" status=404 reason="),
    ] {
        server.wait_for_line(&line);
    }
}

#[test]
fn what_clients_send_cannot_break_a_line() {
    let server = Server::start_plain("");
    let body = "{\"build_date\": \"x\\nevent=check peer=forged \\u001b[31m \\u202e \\\" \\\\\"}";
    assert_eq!(server.post("/check_firmware", body).status, 400);
    server.get("/%0aevent=forged");
    server.get("/firmware/%0aevent=forged%1b[31m");
    server.ask("BREW\u{0} / HTTP/1.1\r\n\r\n");
    server.ask("EVENT=forged|! /firmware/\"quoted\" HTTP/1.1\r\nHost: test\r\n\r\n");
    let lines = server.wait_for_lines("event=refused", 5);
    for line in &lines {
        assert!(!line.contains('\u{1b}') && !line.contains('\u{202e}') && !line.starts_with("event=forged"), "{line}");
    }
    assert!(server.lines().iter().all(|line| line.starts_with("event=") && !line.starts_with("event=forged")));
    // Each request had a thread of its own, so the lines come in any order.
    assert!(lines.iter().any(|line| line.contains("\\u{a}event=check")), "{lines:#?}");
}

#[test]
fn requests_are_not_logged_where_nobody_wants_it() {
    let server = Server::start_plain("log_requests = no");
    assert_eq!(server.ask(check_request()).status, 200);
    server.signal(15);
    server.wait_for_line("event=stopped");
    assert!(!server.lines().iter().any(|line| line.contains("event=check")));
}

#[test]
fn times_stand_in_a_file_and_not_in_a_pipe() {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    let path = folder.path().join("log.txt");
    let config = folder.write("config.ini", "address = 127.0.0.1\nport = 0\ncurrent_firmware_version = 20260301\n");
    let mut child = susv()
        .arg("-c")
        .arg(config)
        .stdout(File::create(&path).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("a server");
    let mut text = String::new();
    wait_until("the log says what is offered", || {
        text.clear();
        File::open(&path).expect("the log").read_to_string(&mut text).expect("text");
        text.contains("event=offer")
    });
    child.kill().expect("its end");
    child.wait().expect("its end");
    let line = text.lines().next().expect("a line");
    let time = line.split(' ').next().expect("a time");
    assert_eq!((time.len(), &time[4..5], &time[10..11], &time[19..]), (20, "-", "T", "Z"), "{line}");

    let server = Server::start_plain("");
    assert!(server.wait_for_line("event=listening").starts_with("event=listening"));
}

/// Servers started by `survives` so far.
/// A server whose standard output is `stdout`, asked more often than any buffer holds lines.
fn survives(stdout: impl Into<Stdio>) {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(12345, 'a'));
    // The port is told on standard output, which is not ours here.
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let config = format!("address = 127.0.0.1\nport = {}\ncurrent_firmware_version = 20260301\n", address.port());
    let config = folder.write("config.ini", config);
    let mut child = susv().arg("-c").arg(config).stdout(stdout).stderr(Stdio::null()).spawn().expect("a server");
    wait_until("the server listens", || TcpStream::connect(address).is_ok());
    let mut client = Client::connect(address);
    // Each of these has its line.
    for _ in 0..3000 {
        client.send(license_request());
        assert_eq!(client.read_answer(false).status, 200);
    }
    client.send(check_request());
    assert_eq!(client.read_answer(false).status, 200);
    assert!(child.try_wait().expect("a status").is_none(), "still there");
    child.kill().expect("its end");
    child.wait().expect("its end");
}

#[test]
fn a_pipe_that_nobody_reads_holds_up_nothing() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    survives(writer);
    drop(reader);
}

#[test]
fn a_closed_pipe_stops_nothing() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    survives(writer);
}

#[test]
fn a_full_disk_stops_nothing() {
    survives(File::options().write(true).open("/dev/full").expect("a full device"));
}

fn license_request() -> String {
    post_request("/feature_licenses", "{\"serial\": \"0000000000012345\"}")
}

/// Sends requests on one connection, many at a time, and reads their answers.
fn flood(address: SocketAddr, request: &str, count: usize) {
    let mut client = Client::connect(address);
    for _ in 0..count / 100 {
        client.send(request.repeat(100));
        for _ in 0..100 {
            client.read_answer(false);
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A server with a log file, whose outputs are not the harness's.
struct Logged {
    child: Child,
    folder: Folder,
    log: PathBuf,
    address: SocketAddr,
}

impl Logged {
    fn start(stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Logged {
        let folder = Folder::new();
        publish(&folder, "20260301", 1);
        folder.write("licenses/a.slf", license_line(12345, 'a'));
        let settings = "address = 127.0.0.1\nport = 0\ncurrent_firmware_version = 20260301\nlog_file = susv.log\n";
        let config = folder.write("config.ini", settings);
        let child = susv().arg("-c").arg(config).stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().expect("a server");
        let log = folder.path().join("susv.log");
        let mut server = Logged { child, folder, log, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        server.wait_for("event=listening");
        let line = read(&server.log);
        let address = line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
        server.address = address.parse().expect("an address with a port");
        // On a busy machine callers may come in before the licences are read.
        server.wait_for("event=licenses");
        server
    }

    fn wait_for(&self, text: &str) {
        wait_until(text, || read(&self.log).contains(text));
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn no_output_waits_for_another_that_is_blocked() {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    // All that a pipe holds: the server's first line to standard output blocks.
    writer.write_all(&[b'x'; 65_536]).expect("room");
    let mut server = Logged::start(writer, Stdio::piped());
    let mut client = Client::connect(server.address);
    client.send(license_request());
    assert_eq!(client.read_answer(false).status, 200);
    server.wait_for("event=license");
    // An image is gone: that is told on standard error.
    fs::remove_file(server.folder.path().join("firmware/20260301/upd_app.bin")).expect("removed");
    server.wait_for("event=problem");
    let mut errors = server.child.stderr.take().expect("standard error");
    let mut text = String::new();
    while !text.contains("event=problem") {
        let mut piece = [0; 4096];
        let count = errors.read(&mut piece).expect("lines");
        assert!(count > 0, "it ended");
        text.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    drop(reader);
}

#[test]
fn an_output_that_does_not_block_gets_whole_lines_and_the_count_of_the_others() {
    let (mut ours, theirs) = UnixStream::pair().expect("a pair");
    ours.set_read_timeout(Some(crate::common::PATIENCE)).expect("a time-out");
    theirs.set_nonblocking(true).expect("a flag");
    let folder = Folder::new();
    folder.write("licenses/a.slf", license_line(12345, 'a'));
    let config = folder.write("config.ini", "address = 127.0.0.1\nport = 0\ncurrent_firmware_version = 20260301\n");
    let output = Stdio::from(OwnedFd::from(theirs));
    let mut child = susv().arg("-c").arg(config).stdout(output).stderr(Stdio::null()).spawn().expect("a server");
    let mut text = String::new();
    let mut read_some = |text: &mut String| {
        let mut piece = [0; 65_536];
        let count = ours.read(&mut piece).expect("lines");
        text.push_str(std::str::from_utf8(&piece[..count]).expect("ASCII"));
        count
    };
    while !text.contains("event=licenses") {
        read_some(&mut text);
    }
    let address = text.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
    let address = address.parse().expect("an address with a port");
    let count = 10_000;
    flood(address, &license_request(), count);
    // Now it reads: what was held up comes, with the number of what is missing, and what is logged after that.
    let mut client = Client::connect(address);
    let seen = |text: &str| {
        let lost = text.lines().filter_map(|line| line.strip_prefix("event=log_overrun lines_lost="));
        text.matches("event=license ").count() + lost.map(|lost| lost.parse::<usize>().expect("a number")).sum::<usize>()
    };
    let mut asked = count;
    while !text.contains("event=log_overrun") || !text.ends_with('\n') || seen(&text) < asked {
        client.send(license_request());
        client.read_answer(false);
        asked += 1;
        assert!(asked < count + 1000, "{} of {asked} lines were written or counted", seen(&text));
        read_some(&mut text);
    }
    assert!(text.lines().all(|line| line.starts_with("event=")), "no line is cut or glued to another");
    assert!(seen(&text) <= asked);
    child.kill().expect("its end");
    child.wait().expect("its end");
}

#[test]
fn no_caller_can_push_the_rest_out_of_the_log_file() {
    let mut server = Server::start_plain("log_file = susv.log");
    flood(server.address, "GET /version HTTP/1.1\r\nHost: test\r\n\r\n", 30_000);
    for request in [
        "HEAD /version HTTP/1.1\r\nHost: test\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /status HTTP/1.1\r\nHost: test\r\n\r\n",
    ] {
        server.ask(request);
    }
    flood(server.address, "GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n", 500);
    flood(server.address, &check_request(), 500);
    let part = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\nRange: bytes=0-0\r\n\r\n";
    flood(server.address, part, 500);
    flood(server.address, &post_request("/feature_licenses", "{\"serial\": \"0000000000054321\"}"), 500);
    // What a till does has its line all the same.
    server.get("/firmware/20260301/upd_app.bin");
    server.ask(license_request());
    server.signal(15);
    server.wait();
    let log = read(&server.folder.path().join("susv.log"));
    assert!(log.contains("event=listening"), "the first line is still there");
    for (text, count) in [
        ("event=request ", 0),
        ("event=refused ", 10),
        ("event=check ", 1 + 10),
        ("status=206", 10 + 1),
        ("status=200 bytes=491520/491520", 1),
        ("found=no", 10),
        ("found=yes", 1),
        ("event=repeated of=refused peer=127.0.0.1 status=404 more=490 ", 1),
        ("event=repeated of=check peer=127.0.0.1 status=200 more=489 ", 1),
        ("event=repeated of=license peer=127.0.0.1 status=400 more=490 ", 1),
        ("event=repeated of=download peer=127.0.0.1 status=206 more=490 ", 1),
        ("event=repeated of=request peer=127.0.0.1 status=200 more=3000", 1),
    ] {
        assert_eq!(log.matches(text).count(), count, "{text}");
    }
    assert!(log.len() < 16 * 1024, "{} bytes", log.len());
}

#[test]
fn a_check_that_changes_something_has_its_line_however_many_came_before() {
    let mut server =
        Server::start("current_firmware_version = latest\nlog_file = susv.log", |folder| publish(folder, "20260301", 1));
    // Many tills behind one address, a proxy's, say.
    flood(server.address, &check_request(), 500);
    let check = |build_date: &str| server.post("/check_firmware", &format!("{{\"build_date\": \"{build_date}\"}}")).text();
    check("1.2.2018");
    check("2.3.2026");
    publish(&server.folder, "20260401", 2);
    publish_sums(&server.folder, "20260401", &[]);
    wait_until("the new version is offered", || check("2.3.2026").contains("20260401"));
    check("1.2.2018");
    // Nor can anybody fill the log by reporting one date after the other.
    let dates: Vec<_> = (1..=28).flat_map(|day| (1..=12).map(move |month| format!("{day}.{month}.2019"))).collect();
    dates.iter().for_each(|date| drop(check(date)));
    server.signal(15);
    server.wait();
    let log = read(&server.folder.path().join("susv.log"));
    let lines = |part: &str| log.lines().filter(|line| line.contains("event=check ") && line.contains(part)).count();
    for (part, count) in [
        ("build_date=19.12.2017 update_available=true critical=false version=20260301", 1 + 10),
        ("build_date=01.02.2018 update_available=true critical=false version=20260301", 1),
        ("build_date=01.02.2018 update_available=true critical=false version=20260401", 1),
        ("build_date=02.03.2026 update_available=false critical=false version=20260301", 1),
        ("build_date=02.03.2026 update_available=true critical=false version=20260401", 1),
    ] {
        assert_eq!(lines(part), count, "{part}: {log}");
    }
    let most = limits::CHANGES_LOGGED as usize;
    assert!((most - 8..most).contains(&lines(".2019 ")), "{} lines", lines(".2019 "));
    assert_eq!(log.matches("event=repeated of=check peer=127.0.0.1 status=200 more=").count(), 2, "{log}");
}

#[test]
fn where_nothing_is_offered_no_line_names_a_version_0() {
    let server = Server::start("current_firmware_version = latest", |_| {});
    assert!(server.ask(check_request()).text().contains("\"description\": \"no firmware\""));
    server.wait_for_line("event=check ");
    server.wait_for_line("event=no_offer ");
    let lines = server.lines().join("\n");
    assert!(!lines.contains("version=0") && !lines.contains("firmware 0"), "{lines}");
    assert!(!server.get("/status").text().contains("firmware 0"));
}

#[test]
fn repeated_refusals_are_counted_not_repeated() {
    let mut server = Server::start_plain("");
    for _ in 0..20 {
        assert_eq!(server.ask("BAD\r\n").status, 400);
        assert_eq!(server.get("/nothing").status, 404);
    }
    // A minute need not be waited for: the end of the program tells what was counted.
    server.signal(15);
    server.wait();
    for status in [400, 404] {
        server.wait_for_line(&format!("event=repeated of=refused peer=127.0.0.1 status={status} more=10 seconds="));
        server.wait_for_lines(&format!("status={status} reason="), 10);
    }
    assert_eq!(server.lines().iter().filter(|line| line.contains("event=refused")).count(), 20, "ten of each kind");
}

#[test]
fn after_a_power_cut_the_first_line_stands_by_itself() {
    let server = Server::start("current_firmware_version = 20260301\nlog_file = susv.log", |folder| {
        folder.write("susv.log", "2026-03-01T10:00:00Z event=stopp");
    });
    let log = server.folder.path().join("susv.log");
    wait_until("it logs", || read(&log).contains("event=listening"));
    let text = read(&log);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0] == "2026-03-01T10:00:00Z event=stopp" && lines[1].contains("Z event="), "{lines:#?}");
}

#[test]
fn a_link_and_a_folder_in_the_way_of_rotation_do_not_stop_it() {
    let server = Server::start(
        "current_firmware_version = 20260301\nlog_file = susv.log\nlog_file_kb = 4\nlog_file_count = 3",
        |folder| {
            folder.write("licenses/a.slf", license_line(12345, 'a'));
            folder.write("stick/log.1/in_the_way", "");
            symlink("stick/log", folder.path().join("susv.log")).expect("a link");
        },
    );
    let folder = server.folder.path();
    flood(server.address, &license_request(), 200);
    wait_until("it is rotated", || read(&folder.join("stick/log.2")).contains("event=license"));
    assert!(fs::symlink_metadata(folder.join("susv.log")).expect("the link").is_symlink());
    assert!(folder.join("stick/log.1/in_the_way").exists());
    let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |metadata| metadata.len());
    wait_until("it is written on", || (1..=4096).contains(&size("stick/log")));
    assert!(size("stick/log.2") <= 4096);
}

/// Preloaded, this hangs each write to a file called `susv.log` while there is a file `hang` beside it.
const HUNG_DISK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
ssize_t write(int fd, const void *bytes, size_t count) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 8) {
        path[length] = 0;
        char *name = path + length - 8;
        if (strcmp(name, "susv.log") == 0) {
            strcpy(name, "hang");
            while (access(path, F_OK) == 0) usleep(10000);
        }
    }
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, bytes, count);
}
"#;

#[test]
fn a_hung_disk_holds_up_neither_requests_nor_outputs_nor_the_end() {
    let folder = Folder::new();
    let Some(command) = preload::with_library(&folder, HUNG_DISK) else { return };
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(12345, 'a'));
    let mut server =
        Server::start_command(folder, "current_firmware_version = 20260301\nlog_file = susv.log\nlog_file_kb = 1024\n", command);
    if !preload::is_loaded(&server) {
        return;
    }
    let log = server.folder.path().join("susv.log");
    wait_until("it logs", || read(&log).contains("event=licenses"));
    let hang = server.folder.write("hang", "");
    flood(server.address, &license_request(), 2000);
    // Past what waits for the disk, requests go to standard output.
    server.wait_for_line("event=license ");
    let what = "the log file's disk does not answer";
    wait_until("the page shows it", || server.get("/status").text().contains(what));
    server.wait_for_line(what);
    assert!(!read(&log).contains("event=license "));
    // Where the disk answers again, nothing is lost but what is counted.
    fs::remove_file(&hang).expect("removed");
    wait_until("the page forgets it", || !server.get("/status").text().contains(what));
    wait_until("the lines are there, or their number is", || {
        let log = read(&log);
        let lost = log.split("event=log_overrun lines_lost=").nth(1).and_then(|rest| rest.lines().next());
        let elsewhere = server.lines().iter().filter(|line| line.contains("event=license ")).count();
        log.matches("event=license ").count() + elsewhere + lost.map_or(0, |lost| lost.parse().expect("a number")) >= 2000
    });
    server.folder.write("hang", "");
    server.ask(license_request());
    let begun = Instant::now();
    server.signal(15);
    server.wait();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
