//! The load: client threads that send a request, read its answer whole, and do it again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::process::Process;

/// What is asked, by how many, and whether each request has a connection of its own.
pub struct Load {
    pub request: &'static str,
    pub connections: usize,
    pub reconnect: bool,
}

/// What came of it.
pub struct Outcome {
    pub rate: f64,
    /// The server's CPU time for one request, user and system.
    pub cpu_microseconds: f64,
    pub p50_microseconds: f64,
    pub p99_microseconds: f64,
}

/// Loads a server for `time`.
pub fn run(process: &Process, load: &Load, time: Duration) -> Outcome {
    let (cpu, begun) = (process.cpu_microseconds(), Instant::now());
    let clients: Vec<_> = (0..load.connections)
        .map(|_| {
            let (address, request, reconnect) = (process.address, load.request, load.reconnect);
            thread::spawn(move || client(address, request, reconnect, begun + time))
        })
        .collect();
    let mut times: Vec<f64> = clients.into_iter().flat_map(|client| client.join().expect("a client")).collect();
    let (elapsed, cpu) = (begun.elapsed(), process.cpu_microseconds() - cpu);
    times.sort_by(f64::total_cmp);
    let percentile = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or(0.0);
    Outcome {
        rate: times.len() as f64 / elapsed.as_secs_f64(),
        cpu_microseconds: cpu / times.len() as f64,
        p50_microseconds: percentile(50),
        p99_microseconds: percentile(99),
    }
}

/// Asks until `end`; the microseconds of each answer.
fn client(address: SocketAddr, request: &str, reconnect: bool, end: Instant) -> Vec<f64> {
    let mut times = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut stream = connect(address);
    while Instant::now() < end {
        let begun = Instant::now();
        if reconnect && !times.is_empty() {
            stream = connect(address);
        }
        stream.write_all(request.as_bytes()).expect("a request");
        read_answer(&mut stream, &mut buffer);
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    times
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    stream
}

/// Reads one answer with its `Content-Length`, which it returns.
fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    let head_end = loop {
        let count = stream.read(&mut buffer[filled..]).expect("an answer");
        assert!(count > 0, "the connection ended");
        filled += count;
        if let Some(at) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = std::str::from_utf8(&buffer[..head_end]).expect("a head");
    let length = head.split("Content-Length: ").nth(1).and_then(|rest| rest.split('\r').next()).expect("a length");
    let length = length.parse().expect("a number");
    let mut left = usize::saturating_sub(length, filled - head_end);
    while left > 0 {
        let count = stream.read(buffer).expect("the rest");
        assert!(count > 0, "the connection ended");
        left = left.saturating_sub(count);
    }
    length
}

/// One request on a connection of its own; the length of the answer's body.
pub fn ask_once(address: SocketAddr, request: &str) -> usize {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).expect("a request");
    read_answer(&mut stream, &mut [0; 16_384])
}

/// Connections that have each got an answer and now do nothing.
pub fn hold(process: &Process, count: usize) -> Vec<TcpStream> {
    let mut buffer = vec![0; 16_384];
    let mut hold_one = || {
        let mut stream = connect(process.address);
        stream.write_all(super::CHECK.as_bytes()).expect("a request");
        read_answer(&mut stream, &mut buffer);
        stream
    };
    (0..count).map(|_| hold_one()).collect()
}

/// Callers that all come at one moment, each with a new connection; the milliseconds each waited.
pub fn rush(process: &Process, count: usize) -> Vec<f64> {
    let barrier = std::sync::Barrier::new(count);
    thread::scope(|scope| {
        let caller = || {
            barrier.wait();
            let begun = Instant::now();
            ask_once(process.address, super::CHECK);
            begun.elapsed().as_secs_f64() * 1e3
        };
        let callers: Vec<_> = (0..count).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().map(|caller| caller.join().expect("a caller")).collect()
    })
}
