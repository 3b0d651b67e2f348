//! Starvation: whoever reads slowly, holds on or comes in numbers, checks are answered soon, and other tills get their turn.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::download::{Download, Ending, GET, dial, start, try_dial};
use crate::common::{Client, Server, check_request, wait_until};

/// Where the attackers come from; the checks come from 127.0.0.1.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 9, 9);

/// Nearly all checks are answered within this, on slow shared cores too.
const SOON: Duration = Duration::from_secs(1);
/// … and within this where a crowd of four for each place waits in the queue before them: each has a moment to send its request.
const SCARCE: Duration = Duration::from_secs(3);

/// How long a valid check takes, head and body in segments of their own with a pause between them; `None` if it is not answered 200.
fn time_check(address: SocketAddr, from: Ipv4Addr, pause: Duration) -> Option<Duration> {
    let begun = Instant::now();
    let mut client = Client { stream: try_dial(address, from, 0)?, received: Vec::new() };
    let request = check_request();
    let (head, body) = request.split_at(request.len() - 28);
    thread::sleep(pause);
    client.send(head);
    thread::sleep(pause);
    client.send(body);
    client.try_answer(false).filter(|answer| answer.status == 200).map(|_| begun.elapsed())
}

/// Four callers check one after another; none may be lost, and all but the slowest in a hundred must be soon.
fn assert_checks_are_answered(what: &str, address: SocketAddr, checks: usize, limit: Duration) {
    let times: Vec<Option<Duration>> = thread::scope(|scope| {
        let check = || (0..checks).map(|_| time_check(address, Ipv4Addr::LOCALHOST, Duration::ZERO)).collect::<Vec<_>>();
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(check)).collect();
        callers.into_iter().flat_map(|caller| caller.join().expect("a caller")).collect()
    });
    assert!(!times.contains(&None), "{what}: a valid check was not answered 200: {times:?}");
    let mut times: Vec<_> = times.into_iter().flatten().collect();
    times.sort_unstable();
    let p99 = times[(times.len() * 99 / 100).max(1) - 1];
    println!("{what}: median {:?}, p99 {p99:?}", times[times.len() / 2]);
    assert!(p99 < limit, "{what}: {p99:?} of {times:?}");
}

/// Keeps `count` connections of one address in hand: each sends `request` and reads `piece` bytes every 200 ms, and comes back when
/// it is cut. One thread for all of them.
struct Crowd<'a> {
    address: SocketAddr,
    count: usize,
    request: &'a str,
    piece: usize,
}

impl Crowd<'_> {
    fn hold_on(&self, over: &AtomicBool, connected: &AtomicUsize) {
        let mut streams: Vec<Option<TcpStream>> = (0..self.count).map(|_| None).collect();
        let mut scrap = vec![0; self.piece.max(1)];
        while !over.load(Ordering::Relaxed) {
            let round = Instant::now();
            for stream in &mut streams {
                let is_over = match stream {
                    None => true,
                    Some(_) if self.piece == 0 => false,
                    Some(stream) => match stream.read(&mut scrap) {
                        Ok(count) => count == 0,
                        Err(error) => error.kind() != ErrorKind::WouldBlock,
                    },
                };
                if is_over {
                    let fresh = dial(self.address, ATTACKER, 4096);
                    let _ = (&fresh).write_all(self.request.as_bytes());
                    fresh.set_nonblocking(true).expect("no waiting");
                    *stream = Some(fresh);
                    connected.fetch_add(1, Ordering::Relaxed);
                }
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(200).saturating_sub(round.elapsed()));
        }
    }

    /// Runs `meanwhile` when all are there.
    fn during(&self, meanwhile: impl FnOnce()) {
        let (over, connected) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| self.hold_on(&over, &connected));
            // Told to stop even if `meanwhile` panics: the scope waits for its threads.
            let _stop = StopOnDrop(&over);
            wait_until("the crowd is there", || connected.load(Ordering::Relaxed) >= self.count);
            // All have been let in or wait where they will wait, and somebody has been cut off.
            assert!(time_check(self.address, Ipv4Addr::LOCALHOST, Duration::ZERO).is_some(), "the first check");
            meanwhile();
        });
    }
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn checks_pass_1024_readers_at_4_kb_a_second_or_that_never_read() {
    for (name, piece) in [("1,024 readers at 4 KB/s", 800), ("1,024 that never read", 0)] {
        let server = start("log_requests = no\n");
        let crowd = Crowd { address: server.address, count: 1024, request: GET, piece };
        crowd.during(|| assert_checks_are_answered(name, server.address, 25, SOON));
    }
}

#[test]
fn checks_pass_40_readers_of_the_last_12_kb_at_200_bytes_a_second() {
    let server = start("max_connections = 8\nlog_requests = no\n");
    let request = GET.replace("\r\n\r\n", "\r\nRange: bytes=-12288\r\n\r\n");
    let crowd = Crowd { address: server.address, count: 40, request: &request, piece: 40 };
    crowd.during(|| assert_checks_are_answered("40 readers of tails", server.address, 25, SOON));
}

#[test]
fn checks_pass_slow_downloads_whatever_max_connections_is() {
    for max_connections in [1, 2, 3] {
        let server = start(&format!("max_connections = {max_connections}\nlog_requests = no\n"));
        let crowd = Crowd { address: server.address, count: 40, request: GET, piece: 60 };
        let name = format!("40 readers at 300 B/s, max_connections {max_connections}");
        crowd.during(|| assert_checks_are_answered(&name, server.address, 25, SOON));
    }
}

#[test]
#[ignore = "slow: six servers, crowds that take 10 s to pass"]
fn checks_pass_idle_callers_however_few_descriptors_there_are() {
    // Four callers for each place that the descriptors bear, and a crowd of 400, which has to pass 16 places before the checks do.
    let crowded = Duration::from_secs(25);
    let cases = [
        (40, 60, 10, SCARCE),
        (40, 400, 1, crowded),
        (64, 60, 10, SCARCE),
        (64, 400, 1, crowded),
        (1024, 60, 25, SOON),
        (1024, 400, 25, SCARCE),
    ];
    for (descriptors, callers, checks, limit) in cases {
        let server = Server::start_limited(&format!("-n {descriptors}"), "log_requests = no\n");
        server.wait_for_line("event=offer version=20260301");
        let crowd = Crowd { address: server.address, count: callers, request: "", piece: 1 };
        let name = format!("{callers} idle callers, {descriptors} descriptors");
        crowd.during(|| assert_checks_are_answered(&name, server.address, checks, limit));
    }
}

#[test]
#[ignore = "slow: 1,400 connections"]
fn checks_pass_downloads_that_wait_with_1024_descriptors() {
    let server = Server::start_limited("-n 1024", "log_requests = no\n");
    server.wait_for_line("event=offer version=20260301");
    let crowd = Crowd { address: server.address, count: 1400, request: GET, piece: 800 };
    crowd.during(|| assert_checks_are_answered("1,400 readers at 4 KB/s, 1,024 descriptors", server.address, 25, SOON));
}

#[test]
#[ignore = "slow: a second for each check"]
fn checks_pass_where_there_are_a_dozen_threads() {
    for (name, user, request, piece) in [("idle callers", "64997", "", 1), ("readers of nothing", "64998", GET, 0)] {
        let settings = "max_connections = 50\nlog_requests = no\n";
        let Some(server) = Server::start_with_few_threads(12, user, settings) else { return };
        server.wait_for_line("event=offer version=20260301");
        let crowd = Crowd { address: server.address, count: 32, request, piece };
        let name = format!("32 {name}, a dozen threads");
        crowd.during(|| assert_checks_are_answered(&name, server.address, 5, SCARCE));
    }
}

#[test]
fn a_lone_caller_with_300_ms_between_its_packets_passes_another_address_that_holds_everything() {
    for attackers in [12, 16, 32] {
        let server = start("max_connections = 8\nlog_requests = no\n");
        let crowd = Crowd { address: server.address, count: attackers, request: "", piece: 1 };
        crowd.during(|| {
            let lone = |number| time_check(server.address, Ipv4Addr::new(127, 0, 1, number), Duration::from_millis(300));
            let times: Vec<_> = thread::scope(|scope| {
                let callers: Vec<_> = (1..=16)
                    .map(|number| {
                        thread::sleep(Duration::from_millis(100));
                        scope.spawn(move || lone(number))
                    })
                    .collect();
                callers.into_iter().map(|caller| caller.join().expect("a caller")).collect()
            });
            assert!(!times.contains(&None), "{attackers} attackers: {times:?}");
        });
    }
}

/// When the first byte of an answer is there, and what it is the beginning of.
fn await_first_byte(address: SocketAddr, from: Ipv4Addr) -> (Duration, Option<Ending>, Download) {
    let begun = Instant::now();
    let mut download = Download::ask_from(address, from);
    let early = download.read_up_to(1);
    (begun.elapsed(), early, download)
}

#[test]
#[ignore = "slow: up to 26 s of waiting"]
fn a_second_till_behind_an_address_where_20_load_gets_its_turn() {
    let server = start("max_connections = 8\nlog_requests = no\n");
    // Six permits; twenty tills behind one address that load at a serial line's speed, and another behind it.
    let (over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let _stop = StopOnDrop(&over);
        for _ in 0..20 {
            scope.spawn(|| {
                let mut download = Download::ask_from(server.address, ATTACKER);
                begun.fetch_add(1, Ordering::Relaxed);
                while download.read_at(10_000, || over.load(Ordering::Relaxed)).is_some() && !over.load(Ordering::Relaxed) {
                    download = Download::ask_from(server.address, ATTACKER);
                }
            });
        }
        wait_until("they load", || begun.load(Ordering::Relaxed) == 20);
        let same = scope.spawn(|| await_first_byte(server.address, ATTACKER));
        let elsewhere = scope.spawn(|| await_first_byte(server.address, Ipv4Addr::LOCALHOST));
        for (who, till) in [("behind the same address", same), ("elsewhere", elsewhere)] {
            let (time, early, mut download) = till.join().expect("a till");
            println!("{who}: first byte after {time:?}");
            assert!(early.is_none() && time < Duration::from_secs(26), "{who}: {early:?} after {time:?}");
            let ending = download.finish();
            assert!(matches!(ending, Ending::Whole | Ending::Busy), "{who}: {ending:?}");
        }
    });
}

#[test]
#[ignore = "slow: a download gives way after 30 s"]
fn a_download_that_gave_way_when_the_kernel_had_all_of_it_counts_as_taken_if_it_arrives() {
    let server = start("max_connections = 1\n");
    let mut gives_way = Download::begin_handed_over(&server);
    thread::sleep(Duration::from_secs(15));
    // It has stood still for 30 s when this one has waited for half of that.
    let (time, early, mut next) = await_first_byte(server.address, Ipv4Addr::LOCALHOST);
    println!("first byte after {time:?}");
    assert_eq!((early, next.finish()), (None, Ending::Whole));
    assert_eq!(gives_way.finish(), Ending::Whole);
    // No further request tells of it.
    drop(gives_way);
    wait_until("both count as taken", || server.get("/status").text().contains("\"downloads_complete\": 2"));
    assert!(server.get("/status").text().contains("\"downloads_cut\": 0"));
}

#[test]
fn a_till_elsewhere_gets_an_answer_while_one_address_fills_all_waiting_places() {
    let server = start("max_connections = 8\nlog_requests = no\n");
    let crowd = Crowd { address: server.address, count: 120, request: GET, piece: 800 };
    crowd.during(|| {
        let (time, early, mut download) = await_first_byte(server.address, Ipv4Addr::LOCALHOST);
        println!("first byte after {time:?}");
        assert!(early.is_none() && time < Duration::from_secs(26), "{early:?} after {time:?}");
        let ending = download.finish();
        assert!(matches!(ending, Ending::Whole | Ending::Busy), "{ending:?}");
    });
}

#[test]
fn callers_with_bodies_of_16_kb_cost_little_memory() {
    let server = start("log_requests = no\n");
    let before = resident_kb(&server);
    let mut body = "POST /check_firmware HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n".to_owned();
    body.push_str(&" ".repeat(16_000));
    let crowd = Crowd { address: server.address, count: 256, request: &body, piece: 1 };
    crowd.during(|| {
        let after = resident_kb(&server);
        println!("{} KB", after - before);
        // 16 KB each and the same once more, threads and growth included.
        assert!(after < before + 16 * 1024, "{before} KB before, {after} KB after");
        assert_checks_are_answered("256 callers with bodies", server.address, 10, SOON);
    });
}

#[test]
fn a_crowd_whose_bodies_come_at_one_moment_keeps_no_check_waiting() {
    let server = start("log_requests = no\n");
    let mut body =
        "POST /check_firmware HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n{\"build_date\": \"19.12.1999\"}".to_owned();
    body.push_str(&" ".repeat(16_384 - 28));
    let mut crowd: Vec<_> = (0..200).filter_map(|_| try_dial(server.address, ATTACKER, 0)).collect();
    // All their threads wait when the first byte comes.
    thread::sleep(Duration::from_millis(300));
    thread::scope(|scope| {
        scope.spawn(|| crowd.iter_mut().for_each(|stream| stream.write_all(body.as_bytes()).expect("a request")));
        assert_checks_are_answered("200 bodies at one moment", server.address, 25, SOON);
    });
}

fn resident_kb(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("resident memory");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

#[test]
#[ignore = "slow: three servers; run on the static build"]
fn from_32_mb_of_address_space_on_it_does_not_abort() {
    for megabytes in [32, 48, 96] {
        let mut server = Server::start_limited(&format!("-v {}", megabytes * 1024), "log_requests = no\n");
        let body = "POST /check_firmware HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n".to_owned() + &" ".repeat(16_000);
        let crowd = Crowd { address: server.address, count: 256, request: &body, piece: 1 };
        let lines = || format!("{megabytes} MB: {:#?}", server.lines());
        crowd.during(|| {
            // One for which there is no memory at the moment asks again.
            for _ in 0..20 {
                let check = || time_check(server.address, Ipv4Addr::LOCALHOST, Duration::ZERO);
                assert!((0..3).any(|_| check().is_some()), "{}", lines());
            }
        });
        assert!(!server.has_ended(), "{megabytes} MB: {:#?}", server.lines());
    }
}
