//! The life of connections: deadlines, refusals that arrive, and a stop that cuts nobody off.

use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{PATIENCE, Server, check_request, image, wait_until};

#[test]
fn slow_heads_and_bodies_are_told_408_after_ten_seconds() {
    let server = Server::start_plain("");
    let cases = ["GET /version HT", "POST /check_firmware HTTP/1.1\r\nHost: test\r\nContent-Length: 28\r\n\r\n{\"build"];
    thread::scope(|scope| {
        for start in cases {
            let server = &server;
            scope.spawn(move || {
                let begun = Instant::now();
                let mut client = server.connect();
                client.send(start);
                // A byte now and then does not win time: the deadline is for all of it.
                let mut trickle = client.stream.try_clone().expect("a second handle");
                let answer = thread::scope(|scope| {
                    scope.spawn(move || {
                        for _ in 0..8 {
                            thread::sleep(Duration::from_secs(1));
                            let _ = std::io::Write::write_all(&mut trickle, b"a");
                        }
                    });
                    client.read_answer(false)
                });
                assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
                assert!(begun.elapsed() >= Duration::from_secs(9), "{:?}", begun.elapsed());
                assert!(answer.text().contains("did not arrive within 10 s"), "{}", answer.text());
            });
        }
    });
}

#[test]
fn line_ends_after_a_body_bring_no_unsolicited_answer() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    client.send(check_request() + "\r\n");
    assert_eq!(client.read_answer(false).status, 200);
    let begun = Instant::now();
    assert_eq!(String::from_utf8_lossy(client.read_to_end()), "", "after {:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(11), "{:?}", begun.elapsed());
}

#[test]
fn an_idle_connection_is_closed_after_what_was_announced() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    client.send(check_request());
    let answer = client.read_answer(false);
    assert_eq!(answer.field("keep-alive"), Some("timeout=15"));
    let begun = Instant::now();
    assert!(client.read_to_end().is_empty(), "closed without a word");
    assert!(begun.elapsed() > Duration::from_secs(15), "{:?}: {:#?}", begun.elapsed(), server.lines());
}

#[test]
fn a_refusal_arrives_before_its_request_is_read() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    client.send("POST /check_firmware HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n");
    client.send(vec![b'x'; 100_000]);
    let answer = client.read_answer(false);
    assert_eq!(answer.status, 413);
    assert!(client.read_to_end().is_empty());
}

#[test]
fn a_stop_finishes_downloads_and_closes_the_rest() {
    let mut server = Server::start_plain("");
    let mut idle = server.connect();
    idle.send(check_request());
    assert_eq!(idle.read_answer(false).status, 200);
    let mut download = server.connect();
    // Pipelined requests for more than the kernel's buffers hold: the answers are under way when the stop comes.
    let request = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n";
    download.send(request.repeat(20));
    while download.received.len() < 1000 {
        assert!(download.read_more());
    }
    server.signal(15);
    assert!(idle.read_to_end().is_empty(), "idle connections are closed");
    let mut answers = 0;
    while let Some(answer) = download.try_answer(false) {
        assert!(answer.body == image(1), "an answer under way is finished");
        answers += 1;
    }
    assert!((1..20).contains(&answers), "{answers} answers");
    assert!(download.received.is_empty(), "and nothing follows it");
    assert_eq!(server.wait().code(), Some(0));
    server.wait_for_line("event=stopped");
}

#[test]
fn sigint_stops_as_sigterm_does() {
    let mut server = Server::start_plain("");
    server.signal(2);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn an_http_1_0_client_that_closes_its_side_gets_its_file() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    client.send("GET /firmware/20260301/upd_app.bin HTTP/1.0\r\n\r\n");
    client.stream.shutdown(Shutdown::Write).expect("half a close");
    assert!(client.read_answer(false).body == image(1));
    assert!(client.read_to_end().is_empty());
}

#[test]
fn a_file_that_shrinks_or_changes_while_it_is_sent_is_cut_by_a_reset() {
    let server = Server::start_plain("");
    for (name, change) in [("shrinks.bin", 0_u64), ("grows.bin", 40_000_000)] {
        let path = server.folder.write(&format!("firmware/{name}"), vec![b'x'; 30_000_000]);
        let mut client = server.connect();
        client.send(format!("GET /firmware/{name} HTTP/1.1\r\nHost: test\r\n\r\n"));
        assert!(client.read_more());
        std::fs::File::options().write(true).open(path).expect("the file").set_len(change).expect("a new length");
        let end = Instant::now() + PATIENCE;
        let error = loop {
            assert!(Instant::now() < end);
            let mut piece = [0; 65_536];
            match std::io::Read::read(&mut client.stream, &mut piece) {
                Ok(0) => panic!("{name}: closed as if the file were complete"),
                Ok(count) => client.received.extend_from_slice(&piece[..count]),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{name}");
        assert!(client.received.len() < 30_000_000, "{name}");
        server.wait_for_line("cut=\"file changed while it was sent\"");
    }
}

#[test]
fn threads_end_when_the_rush_is_over() {
    let server = Server::start_plain("");
    let threads = || std::fs::read_dir(format!("/proc/{}/task", server.id())).map_or(0, Iterator::count);
    let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(check_request());
    }
    for client in &mut clients {
        assert_eq!(client.read_answer(false).status, 200);
    }
    assert!(threads() > 100);
    drop(clients);
    wait_until("a few threads are left", || threads() <= 6);
    assert_eq!(server.ask(check_request()).status, 200);
}
