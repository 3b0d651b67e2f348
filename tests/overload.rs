//! Overload: whatever attackers hold on to, a registrar's valid check is answered 200, and soon.
//!
//! Bounded in number and time, on loopback only.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{Client, Folder, Server, check_request, image, susv, wait_until};

/// `max_connections` of the servers under attack. At least eight places are left beside downloads and disk, so this makes 16.
const MAX_CONNECTIONS: usize = 8;
const PLACES: usize = 16;
/// Callers that send valid checks under each attack, and how many each sends, one after another.
const CALLERS: usize = 4;
const CHECKS: usize = 10;

fn start() -> Server {
    start_with(MAX_CONNECTIONS)
}

fn start_with(max_connections: usize) -> Server {
    Server::start_plain(&format!("max_connections = {max_connections}\n"))
}

/// Sends `request`, then holds on: reads only if `reads`, sends `trickle` now and then, until cut off or told to stop.
struct Attack {
    request: Vec<u8>,
    trickle: &'static [u8],
    reads: bool,
}

/// Keeps one connection of an attack open until it is cut, again and again.
fn hold_on(address: SocketAddr, attack: &Attack, over: &AtomicBool, cut: &AtomicUsize) {
    while !over.load(Ordering::Relaxed) {
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
        let _ = stream.set_write_timeout(Some(Duration::from_millis(50)));
        let _ = stream.write_all(&attack.request);
        while !over.load(Ordering::Relaxed) {
            let mut piece = [0; 1024];
            let outcome = if attack.reads { stream.read(&mut piece) } else { stream.peek(&mut piece[..1]) };
            match outcome {
                Ok(0) => break,
                Ok(_) => thread::sleep(Duration::from_millis(50)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => break,
            }
            match stream.write_all(attack.trickle) {
                Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                _ => {}
            }
        }
        cut.fetch_add(1, Ordering::Relaxed);
    }
}

/// Times of valid checks, each on a connection of its own with head and body in separate segments as the Java client sends
/// them, while the attack goes on.
fn check_under(attack: &Attack, max_connections: usize) -> Vec<Duration> {
    let server = start_with(max_connections);
    let (over, cut) = (AtomicBool::new(false), AtomicUsize::new(0));
    // Four for each place.
    let attackers = 4 * max_connections.max(MAX_CONNECTIONS);
    thread::scope(|scope| {
        for _ in 0..attackers {
            let hold_on = || hold_on(server.address, attack, &over, &cut);
            thread::Builder::new().stack_size(64 * 1024).spawn_scoped(scope, hold_on).expect("an attacker");
        }
        // The attack is in force: places are taken, and some attackers have been cut off or wait.
        thread::sleep(Duration::from_millis(500));
        let callers: Vec<_> =
            (0..CALLERS).map(|_| scope.spawn(|| (0..CHECKS).map(|_| time_check(server.address)).collect())).collect();
        let times: Vec<Vec<Option<Duration>>> = callers.into_iter().map(|caller| caller.join().expect("a caller")).collect();
        over.store(true, Ordering::Relaxed);
        let times = times.concat();
        assert!(!times.contains(&None), "a valid check was not answered 200: {times:?}");
        let mut times: Vec<_> = times.into_iter().flatten().collect();
        times.sort_unstable();
        times
    })
}

/// How long a valid check takes; `None` if it is not answered 200.
fn time_check(address: SocketAddr) -> Option<Duration> {
    let request = check_request();
    let (head, body) = request.split_at(request.len() - 28);
    let begun = Instant::now();
    let mut client = Client::connect(address);
    client.send(head);
    client.send(body);
    client.try_answer(false).filter(|answer| answer.status == 200).map(|_| begun.elapsed())
}

fn survives(name: &str, max_connections: usize) {
    let times = check_under(&attack(name), max_connections);
    let p99 = times[times.len() * 99 / 100];
    println!("{name}, max_connections {max_connections}: median {:?}, p99 {p99:?}", times[times.len() / 2]);
    // The goal is one second, with room for slow shared cores, on which a thousand attackers run too. It is measured, not hoped for:
    // attackers hold each place for 10 s or more.
    let bound = if max_connections <= MAX_CONNECTIONS { 3 } else { 8 };
    assert!(p99 < Duration::from_secs(bound), "{p99:?} of {times:?}");
}

/// Ways to hold on.
const ATTACKS: [&str; 9] = [
    "slow heads",
    "slow bodies",
    "idle crowd",
    "idle after a check",
    "slow readers",
    "readers of nothing",
    "refused and holding on",
    "small ranges, pipelined",
    "licences",
];

fn attack(name: &str) -> Attack {
    let download = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: x\r\n\r\n";
    let range = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=0-60000\r\n\r\n";
    let license = "POST /feature_licenses HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n{\"serial\": \"0000000000012345\"}";
    let (request, trickle, reads): (Vec<u8>, &[u8], bool) = match name {
        "slow heads" => (b"POST /check_firmware HTTP/1.1\r\nHost: x\r\nX: ".to_vec(), b"a", false),
        "slow bodies" => (b"POST /check_firmware HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\n".to_vec(), b" ", false),
        "idle crowd" => (Vec::new(), b"", false),
        "idle after a check" => (check_request().into_bytes(), b"", true),
        "slow readers" => (download.repeat(40).into_bytes(), b"", false),
        // Enough small answers to fill every buffer on the way.
        "readers of nothing" => ("GET /version HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100_000).into_bytes(), b"", false),
        "refused and holding on" => (b"BAD\r\n".to_vec(), b"x", false),
        "small ranges, pipelined" => (range.repeat(400).into_bytes(), b"", false),
        "licences" => (license.repeat(100).into_bytes(), b"", true),
        _ => panic!("no attack is called {name}"),
    };
    Attack { request, trickle, reads }
}

#[test]
fn checks_are_answered_while_others_hold_on() {
    thread::scope(|scope| {
        for names in ATTACKS.chunks(5) {
            scope.spawn(move || names.iter().for_each(|name| survives(name, MAX_CONNECTIONS)));
        }
    });
}

/// Values of `max_connections`; `SUSV_TEST_SIZES=64,256` chooses others.
fn sizes() -> Vec<usize> {
    let sizes = std::env::var("SUSV_TEST_SIZES").unwrap_or("1,2,3,8,64,256".to_owned());
    sizes.split(',').map(|size| size.parse().expect("a number")).collect()
}

#[test]
#[ignore = "slow: six sizes, nine attacks"]
fn checks_are_answered_whatever_max_connections_is() {
    for max_connections in sizes() {
        for name in ATTACKS {
            survives(name, max_connections);
        }
    }
}

#[test]
fn more_sane_callers_than_places_are_all_served() {
    let server = start();
    // Made once: who computes for long between connecting and sending is no sane caller.
    let whole = image(1);
    let failures = std::sync::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..10 * PLACES {
            scope.spawn(|| {
                for _ in 0..5 {
                    let mut client = server.connect();
                    client.send(check_request());
                    let check = client.try_answer(false).map(|answer| answer.status);
                    let mut client = server.connect();
                    client.send("GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: x\r\n\r\n");
                    // Too many at once: 503 and nothing that could be flashed.
                    let download = client
                        .try_answer(false)
                        .map(|answer| answer.body == whole || (answer.status, answer.body.len()) == (503, 0));
                    if (check, download) != (Some(200), Some(true)) {
                        failures.lock().expect("a lock").push((check, download));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("a lock");
    assert!(failures.is_empty(), "{failures:?} of {}", 10 * PLACES * 5);
}

#[test]
fn downloads_past_their_places_wait_and_are_sent_whole() {
    let server = start();
    let request = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: x\r\n\r\n";
    // Each asks for more than buffers hold and does not read yet: six hold the permits.
    let mut clients = Vec::new();
    for _ in 0..2 * PLACES {
        let mut client = server.connect();
        client.send(request.repeat(20));
        clients.push(client);
    }
    assert_eq!(server.ask(check_request()).status, 200, "checks pass them");
    // All at once: the permits need not have gone to those who came first.
    let whole = image(1);
    let answers: Vec<_> = thread::scope(|scope| {
        let readers: Vec<_> = clients.iter_mut().map(|client| scope.spawn(|| client.try_answer(false))).collect();
        readers.into_iter().map(|reader| reader.join().expect("a reader")).collect()
    });
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = answer.map(|answer| (answer.status, answer.body));
        assert!(
            answer.as_ref().is_some_and(|(_, body)| *body == whole),
            "client {number}: {:?}",
            answer.map(|(status, _)| status)
        );
    }
}

#[test]
fn keep_alive_turns_itself_off_under_pressure() {
    let server = start();
    let mut clients = Vec::new();
    for _ in 0..PLACES {
        let mut client = server.connect();
        client.send(check_request());
        let kept = client.read_answer(false).field("connection") == Some("keep-alive");
        clients.push((client, kept));
    }
    let kept: Vec<_> = clients.iter().map(|(_, kept)| *kept).collect();
    assert_eq!(kept, [vec![true; 12], vec![false; 4]].concat(), "up to three quarters and above");
}

#[test]
fn a_refusal_reaches_a_client_that_sends_100_megabytes_first() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    let length = 100_000_000;
    client.send(format!("POST /check_firmware HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"));
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..length / piece.len() {
        client.stream.write_all(&piece).expect("the server takes it");
    }
    assert_eq!(client.read_answer(false).status, 413);
}

#[test]
fn too_few_descriptors_are_a_clear_line_and_no_end() {
    let server = Server::start_limited("-n 40", "max_connections = 100\n");
    let line = server.wait_for_line("event=problem");
    assert!(
        line.contains("max_connections = 100 needs 210 open files, the limit is 40: 16 connections are served at a time"),
        "{line}"
    );
    // More connections than descriptors: some wait, none ends the server, and it does not spin.
    let idle: Vec<_> = (0..60).map(|_| server.connect()).collect();
    let before = server.cpu_ticks();
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(server.ask(check_request()).status, 200);
    }
    let (ticks, elapsed) = (server.cpu_ticks() - before, begun.elapsed());
    assert!(ticks as u128 <= elapsed.as_millis() / 20 + 20, "{ticks} ticks in {elapsed:?}");
    drop(idle);
    assert_eq!(server.ask(check_request()).status, 200);
}

#[test]
fn too_little_address_space_is_a_clear_line() {
    let server = Server::start_limited("-v 32768", "");
    let line = server.wait_for_line("event=problem");
    assert!(
        line.contains(
            "max_connections = 256 needs 62 MB of address space, the limit is 32 MB: 106 connections are served at a time"
        ),
        "{line}"
    );
    assert_eq!(server.ask(check_request()).status, 200);
}

#[test]
fn each_listening_address_needs_descriptors_of_its_own() {
    let folder = Folder::new();
    let addresses: Vec<_> = (1..=20).map(|number| format!("127.0.0.{number}")).collect();
    let config = format!("current_firmware_version = 1\nport = 0\nmax_connections = 64\naddress = {}\n", addresses.join(", "));
    let config = folder.write("config.ini", config);
    // 144 and 19 further sockets, each with the threads that wait there.
    let start = |limit: u32| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]).arg(susv().get_program()).arg("-c").arg(&config);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the server starts");
        thread::sleep(Duration::from_millis(1500));
        server.kill().expect("it ends");
        let output = server.wait_with_output().expect("its lines");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    for (limit, is_enough) in [(200, false), (220, true)] {
        // The port that is free at the first address may be in use at another.
        let lines = (0..10).map(|_| start(limit)).find(|lines| !lines.contains("in use")).expect("a port that is free at all");
        assert!(lines.contains("event=started"), "{lines}");
        assert_eq!(lines.contains("needs 220 open files, the limit is 200"), !is_enough, "{lines}");
    }
}

#[test]
fn without_threads_callers_wait_and_the_server_lives() {
    let Some(server) = Server::start_with_few_threads(12, "64999", "max_connections = 50\n") else { return };
    let mut clients: Vec<_> = (0..30).map(|_| server.connect()).collect();
    server.wait_for_line("event=no_thread");
    // All are served in the end: threads become free as clients leave.
    while let Some(mut client) = clients.pop() {
        if clients.len() < 8 {
            client.send(check_request());
            assert_eq!(client.read_answer(false).status, 200);
        }
    }
    assert_eq!(server.ask(check_request()).status, 200);
}

#[test]
fn a_panic_costs_one_connection() {
    // Only builds with debug assertions can be made to panic.
    if std::env::var_os("SUSV_BIN").is_some() || !cfg!(debug_assertions) {
        return;
    }
    let server = start();
    for _ in 0..3 * PLACES {
        let mut client = server.connect();
        client.send("GET /version HTTP/1.1\r\nHost: x\r\nsusv-test-panic: 1\r\n\r\n");
        assert!(client.try_answer(false).is_none(), "reset");
    }
    let line = server.wait_for_line("event=internal_error");
    assert!(line.contains("place=src/routes/mod.rs:") && line.contains("asked for by a test"), "{line}");
    assert_eq!(server.ask(check_request()).status, 200, "no place was lost");
}

#[test]
fn others_than_allowed_are_reset_before_a_byte_is_read() {
    let server = Server::start_plain("allow = 10.0.0.0/8, ::1\n");
    for _ in 0..5 {
        let mut client = server.connect();
        client.send(check_request());
        assert!(client.read_to_end().is_empty());
    }
    let line = server.wait_for_line("event=not_allowed");
    assert!(line.contains("peer=127.0.0.1"), "{line}");
    assert_eq!(server.lines().iter().filter(|line| line.contains("not_allowed")).count(), 1, "once a minute");
    let server = Server::start_plain("allow = 127.0.0.0/8\n");
    assert_eq!(server.ask(check_request()).status, 200);
}

#[test]
fn abuse_leaves_memory_threads_and_descriptors_where_they_were() {
    let server = Server::start_plain("max_connections = 64\n");
    let abuse = |rounds: usize| {
        for round in 0..rounds {
            thread::scope(|scope| {
                for number in 0..32_usize {
                    let server = &server;
                    scope.spawn(move || abuse_once(server.address, number + round));
                }
            });
        }
    };
    // The first round warms up what is kept for good.
    abuse(5);
    let settled = || {
        wait_until("threads end", || threads(&server) <= 6);
        (threads(&server), descriptors(&server), resident_kb(&server))
    };
    let before = settled();
    abuse(40);
    let after = settled();
    println!("threads, descriptors, resident KB: {before:?} before, {after:?} after");
    assert!(after.0 <= before.0 + 2 && after.1 <= before.1 + 2, "{before:?} {after:?}");
    assert!(after.2 <= before.2 + 4096, "{before:?} {after:?}");
    assert_eq!(server.ask(check_request()).status, 200);
}

/// One of the many ways to be a nuisance.
fn abuse_once(address: SocketAddr, kind: usize) {
    let mut client = Client::connect(address);
    let request: Vec<u8> = match kind % 8 {
        0 => b"GET / HTTP/1.1\r\nHost: x\r\nX: y".to_vec(),
        1 => [b"POST /check_firmware HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n".as_slice(), &[b'['; 16_384]].concat(),
        2 => b"\x16\x03\x01".to_vec(),
        3 => "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3).into_bytes(),
        4 => format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(20_000)).into_bytes(),
        5 => b"POST /check_firmware HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n".to_vec(),
        6 => check_request().repeat(50).into_bytes(),
        _ => Vec::new(),
    };
    client.send(request);
    // Half of those that get an answer wait for it.
    if matches!(kind % 8, 1..=4 | 6) && (kind / 8).is_multiple_of(2) {
        client.read_more();
    }
}

fn threads(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/task", server.id())).map_or(0, Iterator::count)
}

fn descriptors(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.id())).map_or(0, Iterator::count)
}

fn resident_kb(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("resident memory");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}
