//! The server as a whole beside the least that a thread per connection can cost, and beside nginx where it is installed;
//! beside an earlier release, too, if `SUSV_BESIDE` names its program.
//!
//! All run in turn in one run, loaded by the same client threads, so that the ratios hold on a machine that is shared. Bounded
//! to about a minute, on loopback only.

mod floor;
mod load;
mod process;

use std::time::Duration;

use load::{Load, Outcome};
use process::{Process, Server};

/// What a registrar asks, and for the floor and nginx just as well.
const CHECK: &str = "POST /check_firmware HTTP/1.1\r\nContent-Type: application/json\r\nbuild_date: 19.12.1999\r\nHost: 127.0.0.1:8888\r\n\
    User-Agent: Java/17.0.15\r\nConnection: keep-alive\r\nContent-Length: 28\r\n\r\n{\"build_date\": \"19.12.1999\"}";
const IMAGE: &str = "GET /firmware/20000101/upd_app.bin HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n";
const RANGE: &str = "GET /firmware/20000101/upd_app.bin HTTP/1.1\r\nHost: 127.0.0.1:8888\r\nRange: bytes=1000-66999\r\n\r\n";
const PLAIN_FILE: &str = "GET /firmware/plain.bin HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n";

/// One row of the table.
const ROWS: [(&str, Load); 5] = [
    ("check, keep-alive, 32 connections", Load { request: CHECK, connections: 32, reconnect: false }),
    ("check, a connection each", Load { request: CHECK, connections: 8, reconnect: true }),
    ("download, 480 KB, 8 connections", Load { request: IMAGE, connections: 8, reconnect: false }),
    ("range of 64 KB, 8 connections", Load { request: RANGE, connections: 8, reconnect: false }),
    ("file from disk, 480 KB, 8 connections", Load { request: PLAIN_FILE, connections: 8, reconnect: false }),
];

/// How often each row goes round, and for how long each server is loaded in a round.
const ROUNDS: usize = 4;
const TIME: Duration = Duration::from_millis(700);

fn main() {
    if let Some(port) = std::env::args().skip_while(|argument| argument != "--floor").nth(1) {
        floor::serve(port.parse().expect("a port"));
    }
    let servers = [
        Server::Susv { log: false, page: false },
        Server::Susv { log: false, page: true },
        Server::Susv { log: true, page: true },
        Server::Floor,
        Server::Nginx,
        Server::Lighttpd,
    ];
    let other = std::env::var_os("SUSV_BESIDE").map(Server::Other);
    let mut running: Vec<Process> = servers.into_iter().chain(other).filter_map(process::start).collect();
    println!("{:<40} {:<13} {:>9} {:>10} {:>9} {:>9}", "work", "server", "rate/s", "CPU us", "p50 us", "p99 us");
    for (name, load) in ROWS {
        let mut outcomes: Vec<Vec<Outcome>> = running.iter().map(|_| Vec::new()).collect();
        // lighttpd has no fixed answers to compare a check with, and the floor knows no ranges and no disk.
        let takes_part = |process: &Process| match process.name {
            "lighttpd" => load.request.starts_with("GET"),
            "floor" => load.request != RANGE && load.request != PLAIN_FILE,
            _ => true,
        };
        for _ in 0..ROUNDS {
            for (process, outcomes) in running.iter().zip(&mut outcomes).filter(|(process, _)| takes_part(process)) {
                outcomes.push(load::run(process, &load, TIME));
            }
        }
        for (process, outcomes) in running.iter().zip(&outcomes) {
            // The better round: what disturbs a shared machine only ever adds.
            let Some(best) = outcomes.iter().min_by(|a, b| a.cpu_microseconds.total_cmp(&b.cpu_microseconds)) else { continue };
            println!(
                "{name:<40} {:<13} {:>9.0} {:>10.1} {:>9.0} {:>9.0}",
                process.name, best.rate, best.cpu_microseconds, best.p50_microseconds, best.p99_microseconds
            );
        }
    }
    for process in running.iter().filter(|process| process.name != "lighttpd") {
        let idle = process.memory_mb();
        let connections = load::hold(process, 200);
        let held = process.memory_mb();
        drop(connections);
        println!(
            "{:<40} {:<13} {:>6.1} MB idle, {:>5.1} MB with 200 connections after a check",
            "memory behind all this", process.name, idle, held
        );
    }
    let name = "250 registrars at once";
    for process in running.iter().filter(|process| process.name == "susv") {
        let mut times = load::rush(process, 250);
        times.sort_by(f64::total_cmp);
        println!("{name:<40} {:<13} p50 {:.1} ms, p99 {:.1} ms", process.name, times[125], times[247]);
    }
    running.clear();
    let fresh = process::start(Server::Susv { log: false, page: true }).expect("susv");
    println!(
        "{:<40} {:<13} {:.1} ms, {:.1} MB",
        "start to first answer, memory then",
        fresh.name,
        fresh.first_answer.as_secs_f64() * 1000.0,
        fresh.memory_mb()
    );
    // The goal: no more than the old images, the new ones and 8 MB, whatever changes.
    const LARGE: usize = 8 << 20;
    fresh.publish("20260101", LARGE);
    fresh.publish("20260301", LARGE);
    let images = 4.0 * LARGE as f64 / f64::from(1 << 20);
    println!(
        "{:<40} {:<13} {:.1} MB, {images:.0} MB of them images, old and new",
        "peak memory of a change",
        fresh.name,
        fresh.peak_mb()
    );
}
