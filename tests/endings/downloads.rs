//! To the last byte: a download that began ends whole, whatever stops, dies or crowds; and where it cannot, it ends with a reset,
//! since a client takes what came before a normal end for a whole file.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::download::{Download, Ending, GET, dial, reset, start, start_inherited, try_dial};
use crate::common::{Client, check_request, wait_until};

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

#[test]
fn a_download_that_the_kernel_holds_arrives_through_a_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    for mut server in [start(""), start_inherited(&listener)] {
        let mut download = Download::begin_handed_over(&server);
        server.signal(SIGTERM);
        server.wait_for_line("event=stopping");
        assert_eq!(download.finish_at(300_000), Ending::Whole);
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn a_restart_behind_a_passed_socket_loses_no_check_and_cuts_no_download() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut first = start_inherited(&listener);
    let address = first.address;
    let over = AtomicBool::new(false);
    let mut downloads: Vec<_> = (0..3).map(|_| Download::begin(address)).collect();
    thread::scope(|scope| {
        let checks: Vec<_> = (0..3).map(|_| scope.spawn(|| check_until(address, &over))).collect();
        let downloads: Vec<_> = downloads.iter_mut().map(|download| scope.spawn(move || download.finish_at(300_000))).collect();
        first.signal(SIGTERM);
        let mut second = start_inherited(&listener);
        assert_eq!(first.wait().code(), Some(0));
        let late = Download::ask(address).finish();
        let endings: Vec<_> = downloads.into_iter().map(|download| download.join().expect("a download")).collect();
        second.signal(SIGTERM);
        let third = start_inherited(&listener);
        assert_eq!(second.wait().code(), Some(0));
        thread::sleep(Duration::from_millis(200));
        over.store(true, Ordering::Relaxed);
        for check in checks {
            let (answered, lost) = check.join().expect("checks");
            assert!(answered > 10 && lost.is_empty(), "{answered} answered, lost: {lost:?}");
        }
        assert_eq!((endings, late), (vec![Ending::Whole; 3], Ending::Whole));
        drop(third);
    });
}

/// Checks, each on a connection of its own, until told to stop; how many were answered 200, and what became of the others.
fn check_until(address: SocketAddr, over: &AtomicBool) -> (usize, Vec<String>) {
    let (mut answered, mut lost) = (0, Vec::new());
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        match try_dial(address, Ipv4Addr::LOCALHOST, 0) {
            None => lost.push(format!("refused after {:?}", begun.elapsed())),
            Some(stream) => {
                let mut client = Client { stream, received: Vec::new() };
                client.send(check_request());
                match client.try_answer(false).map(|answer| answer.status) {
                    Some(200) => answered += 1,
                    status => lost.push(format!("{status:?} after {:?}", begun.elapsed())),
                }
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    (answered, lost)
}

#[test]
fn an_idle_crowd_of_300_at_default_settings_cuts_no_download_that_the_kernel_holds() {
    let server = start("");
    let mut download = Download::begin_handed_over(&server);
    let crowd: Vec<_> = (0..300).map(|_| server.connect()).collect();
    assert_eq!(download.finish_at(300_000), Ending::Whole);
    drop(crowd);
}

#[test]
fn four_attackers_a_place_cut_no_download() {
    let server = start("max_connections = 8\nlog_requests = no\n");
    let mut downloads: Vec<_> = (0..3).map(|_| Download::begin(server.address)).collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..60 {
            let (address, over) = (server.address, &over);
            scope.spawn(move || {
                let start: &[u8] = [b"".as_slice(), b"POST /check_firmware HTTP/1.1\r\nX: ", b"BAD\r\n"][number % 3];
                while !over.load(Ordering::Relaxed) {
                    let mut stream = dial(address, Ipv4Addr::LOCALHOST, 0);
                    let _ = stream.write_all(start);
                    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
                    let ended = |result: std::io::Result<usize>| result.map_or_else(|e| !is_timeout(&e), |count| count == 0);
                    while !over.load(Ordering::Relaxed) && !ended(stream.read(&mut [0; 1024])) {}
                }
            });
        }
        let endings: Vec<_> = downloads.iter_mut().map(|download| scope.spawn(move || download.finish_at(200_000))).collect();
        let endings: Vec<_> = endings.into_iter().map(|ending| ending.join().expect("a download")).collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(endings, [Ending::Whole; 3]);
    });
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

#[test]
fn a_server_that_is_killed_while_it_sends_ends_with_a_reset() {
    let mut server = start("");
    let mut download = Download::begin_endless(&server);
    server.signal(SIGKILL);
    server.wait();
    let ending = download.read_to_end();
    assert!(matches!(ending, Ending::Reset(_)), "{ending:?}");
}

#[test]
fn what_was_handed_over_arrives_whole_although_the_process_is_killed() {
    let mut server = start("");
    let mut download = Download::begin_handed_over(&server);
    server.signal(SIGKILL);
    server.wait();
    assert_eq!(download.finish_at(200_000), Ending::Whole);
}

#[test]
fn a_forced_stop_ends_what_it_cuts_with_a_reset_and_nothing_else() {
    let mut server = start("");
    let mut cut = Download::begin_endless(&server);
    let mut handed_over = Download::begin_handed_over(&server);
    server.signal(SIGTERM);
    server.wait_for_line("event=stopping");
    server.signal(SIGTERM);
    let begun = Instant::now();
    server.wait();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let ending = cut.read_to_end();
    assert!(matches!(ending, Ending::Reset(_)), "{ending:?}");
    assert_eq!(handed_over.finish(), Ending::Whole);
}

#[test]
fn the_end_of_stop_seconds_ends_what_it_cuts_with_a_reset() {
    let mut server = start("stop_seconds = 2\n");
    let mut cut = Download::begin_endless(&server);
    let over = AtomicBool::new(false);
    server.signal(SIGTERM);
    let begun = Instant::now();
    thread::scope(|scope| {
        // It moves, so the stop waits for it as long as it may.
        let cut = scope.spawn(|| {
            let ending = cut.read_at(50_000, || over.load(Ordering::Relaxed));
            ending.unwrap_or_else(|| cut.read_to_end())
        });
        server.wait();
        over.store(true, Ordering::Relaxed);
        let ending = cut.join().expect("the download");
        assert!(matches!(ending, Ending::Reset(_)), "{ending:?}");
    });
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn a_caller_chosen_to_leave_while_idle_whose_get_arrives_gets_all_or_503() {
    let server = start("max_connections = 8\nlog_requests = no\n");
    let counts: Vec<AtomicUsize> = (0..4).map(|_| AtomicUsize::new(0)).collect();
    for round in 0..6 {
        // More than there are places; each has been idle long enough to be chosen, and asks just as others press.
        let idle: Vec<_> = (0..24).map(|_| dial(server.address, Ipv4Addr::LOCALHOST, 16 * 1024)).collect();
        thread::sleep(Duration::from_millis(100 + 20 * round));
        thread::scope(|scope| {
            for (number, mut stream) in idle.into_iter().enumerate() {
                let counts = &counts;
                scope.spawn(move || {
                    thread::sleep(Duration::from_millis(3 * number as u64));
                    let _ = stream.write_all(GET.as_bytes());
                    let ending = Download { stream, received: Vec::new() }.finish_at(700_000);
                    let kind = match ending {
                        Ending::Whole => 0,
                        Ending::Busy => 1,
                        // It was let go before its request came.
                        Ending::Closed(0) | Ending::Reset(0) => 2,
                        _ => {
                            println!("{ending:?}");
                            3
                        }
                    };
                    counts[kind].fetch_add(1, Ordering::Relaxed);
                });
            }
        });
    }
    let [whole, busy, let_go, part] = [0, 1, 2, 3].map(|kind| counts[kind].load(Ordering::Relaxed));
    println!("{whole} whole, {busy} busy, {let_go} let go before, {part} in part");
    assert_eq!(part, 0);
    assert!(whole > 20, "{whole} of 144");
}

#[test]
fn storms_of_callers_cut_no_download() {
    let server = start("max_connections = 8\nlog_requests = no\n");
    let address = server.address;
    let mut at_64_kb = Download::begin(address);
    let mut at_4_kb = Download::begin(address);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..24 {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let Some(mut stream) = try_dial(address, Ipv4Addr::LOCALHOST, 0) else { continue };
                    match number % 4 {
                        0 => reset(stream),
                        1 => {
                            let _ = stream.write_all(GET.as_bytes());
                            reset(stream);
                        }
                        2 => drop(stream),
                        _ => {
                            let _ = stream.write_all(check_request().as_bytes());
                            let _ = stream.shutdown(Shutdown::Write);
                        }
                    }
                    thread::sleep(Duration::from_millis(2));
                }
            });
        }
        let slow = scope.spawn(|| at_4_kb.read_at(4_000, || over.load(Ordering::Relaxed)));
        let ending = at_64_kb.finish_at(64_000);
        over.store(true, Ordering::Relaxed);
        let slow = slow.join().expect("the slow one");
        assert_eq!((ending, slow), (Ending::Whole, None));
    });
    assert_eq!(at_4_kb.finish(), Ending::Whole);
}

#[test]
fn what_a_client_pipelines_beyond_its_last_request_does_not_reset_the_answer() {
    let server = start("");
    let mut stream = dial(server.address, Ipv4Addr::LOCALHOST, 16 * 1024);
    let last = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    stream.write_all((last + &GET.repeat(200)).as_bytes()).expect("the server takes requests");
    let mut download = Download { stream, received: Vec::new() };
    assert_eq!(download.finish_at(250_000), Ending::Whole);
    let ending = download.read_to_end();
    assert!(matches!(ending, Ending::Closed(_)), "{ending:?}");
}

#[test]
fn an_image_counts_as_taken_although_the_next_requests_came_with_its_own() {
    let server = start("");
    let mut stream = dial(server.address, Ipv4Addr::LOCALHOST, 16 * 1024);
    stream.write_all((GET.repeat(2) + &check_request()).as_bytes()).expect("requests");
    let mut first = Download { stream, received: Vec::new() };
    assert_eq!(first.finish_at(300_000), Ending::Whole);
    let mut second = Download { stream: first.stream, received: Vec::new() };
    assert_eq!(second.finish_at(300_000), Ending::Whole);
    let mut client = Client { stream: second.stream, received: Vec::new() };
    assert_eq!(client.read_answer(false).status, 200);
    let status = server.get("/status").text();
    assert!(status.contains("\"downloads_complete\": 2") && status.contains("\"downloads_cut\": 0"), "{status}");
}

#[test]
fn half_closed_and_http_1_0_downloads_arrive_through_a_stop() {
    let mut server = start("");
    let mut downloads: Vec<_> = ["HTTP/1.0\r\n\r\n", "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
        .map(|end| {
            let mut stream: TcpStream = dial(server.address, Ipv4Addr::LOCALHOST, 16 * 1024);
            stream.write_all(format!("GET /firmware/20260301/upd_app.bin {end}").as_bytes()).expect("a request");
            stream.shutdown(Shutdown::Write).expect("half a close");
            let mut download = Download { stream, received: Vec::new() };
            assert_eq!(download.read_up_to(1000), None);
            download
        })
        .into();
    server.signal(SIGTERM);
    let mut endings = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> = downloads.iter_mut().map(|download| scope.spawn(|| download.finish_at(150_000))).collect();
        endings = threads.into_iter().map(|thread| thread.join().expect("a download")).collect();
    });
    assert_eq!(endings, [Ending::Whole; 2]);
    wait_until("the server ends", || server.has_ended());
}
