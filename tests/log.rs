//! The log: what it says, that strangers cannot forge a line, and that no output can hold up the server.

mod common;

use std::fs::File;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicU8, Ordering};

use common::{Folder, Server, check_request, publish, susv, wait_until};

#[test]
fn each_event_is_one_line_of_keys_and_values() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    let peer = client.stream.local_addr().expect("an address");
    let file = "/firmware/20260301/upd_app.bin";
    client.send(check_request());
    client.send(format!("GET {file} HTTP/1.1\r\nHost: test\r\nRange: bytes=0-99\r\n\r\n"));
    client.send(common::post_request("/feature_licenses", "{\"serial\": \"0000000000012345\"}"));
    client.send("GET /version HTTP/1.1\r\nHost: test\r\n\r\n");
    client.send("GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n");
    for _ in 0..5 {
        client.read_answer(false);
    }
    for line in [
        format!("event=check peer={peer} build_date=19.12.2017 update_available=true critical=false version=20260301"),
        format!("event=download peer={peer} method=\"GET\" file=\"20260301/upd_app.bin\" status=206 bytes=100/100"),
        format!("event=license peer={peer} serial=0000000000012345 found=yes"),
        format!("event=request peer={peer} method=\"GET\" path=\"/version\" status=200"),
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
static NUMBER: AtomicU8 = AtomicU8::new(0);

/// A server whose standard output is `stdout`, asked more often than any buffer holds lines.
fn survives(stdout: impl Into<Stdio>) {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    // The port is told on standard output, which is not ours here: take one that was free a moment ago, on an address of our
    // own, so that no other test's server can get it meanwhile.
    let [.., high, low] = std::process::id().to_be_bytes();
    let ip = [127, 10 + NUMBER.fetch_add(1, Ordering::Relaxed), high, low.clamp(1, 254)];
    let free = TcpListener::bind(SocketAddr::from((ip, 0))).expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let config = format!("address = {}\nport = {}\ncurrent_firmware_version = 20260301\n", address.ip(), address.port());
    let config = folder.write("config.ini", config);
    let mut child = susv().arg("-c").arg(config).stdout(stdout).stderr(Stdio::null()).spawn().expect("a server");
    wait_until("the server listens", || TcpStream::connect(address).is_ok());
    let mut client = common::Client::connect(address);
    for _ in 0..3000 {
        client.send(check_request());
        assert_eq!(client.read_answer(false).status, 200);
    }
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
