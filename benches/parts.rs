//! The parts by themselves: parsers, SHA-256, licences. `cargo bench` prints the table; a few seconds in all.

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use susv::catalog::licenses;
use susv::http::forwarded::Way;
use susv::http::head::HeadParser;
use susv::json;
use susv::registrars::{Check, DownloadStart, Registrars};
use susv::sha256;

/// Nanoseconds of one call: the best of five runs of a fifth of a second each, for machines that are shared.
fn measure<T>(mut call: impl FnMut() -> T) -> f64 {
    (0..5)
        .map(|_| {
            let (begun, mut count) = (Instant::now(), 0_u32);
            while begun.elapsed() < Duration::from_millis(200) {
                for _ in 0..16 {
                    black_box(call());
                }
                count += 16;
            }
            begun.elapsed().as_nanos() as f64 / f64::from(count)
        })
        .fold(f64::INFINITY, f64::min)
}

fn report_bytes(name: &str, bytes: usize, nanoseconds: f64) {
    println!("{name:<40} {nanoseconds:>10.0} ns {:>10.0} MB/s", bytes as f64 / nanoseconds * 1000.0);
}

fn main() {
    println!("{:<40} {:>13} {:>15}", "part", "time", "throughput");
    let body = br#"{"build_date": "19.12.2017"}"#;
    report_bytes("JSON of a check, read", body.len(), measure(|| json::parse(black_box(body)).is_ok()));
    let large = format!("[{}]", vec![r#"{"a": [1, 2.5e3, true, null], "b": "text \u0041"}"#; 1000].join(","));
    report_bytes("JSON of 50 KB, read", large.len(), measure(|| json::parse(black_box(large.as_bytes())).is_ok()));
    let text = "Исправлены ошибки, версия №2 / fixed </script>";
    let mut out = String::new();
    report_bytes(
        "JSON string, written",
        text.len(),
        measure(|| {
            out.clear();
            json::write_string(&mut out, black_box(text));
        }),
    );
    let head =
        b"POST /check_firmware HTTP/1.1\r\nContent-Type: application/json\r\nAccept-Charset: UTF-8\r\nbuild_date: 19.12.2017\r\n\
        Cache-Control: no-cache\r\nPragma: no-cache\r\nUser-Agent: Java/17.0.15\r\nHost: 127.0.0.1:8888\r\n\
        Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\nContent-Length: 28\r\n\r\n";
    report_bytes(
        "request head of the Java client",
        head.len(),
        measure(|| HeadParser::default().advance(black_box(head)).is_ok()),
    );
    let image = vec![7; 491_520];
    report_bytes("SHA-256 of an image", image.len(), measure(|| sha256::hash(black_box(&image))));
    measure_registrars();
    for count in [1_000, 100_000, 1_000_000] {
        measure_licenses(count);
    }
}

/// A check among as many registrars as are remembered, each of which took the version.
fn measure_registrars() {
    let registrars = Arc::new(Registrars::default());
    let check = |number: u32| Check {
        caller: IpAddr::from((0x0a00_0000 + number).to_be_bytes()),
        is_java: true,
        has_field: true,
        way: Way::Known,
        build_date: 20171219,
        chosen: Some(20260301),
        hold_repeats: true,
    };
    let count = 4096;
    for number in 0..count {
        let caller = check(number).caller;
        registrars.check(&check(number), 0);
        let start = DownloadStart { caller, is_java: true, offered_here: None, version: Some(20260301), start: 0, size: 491_520 };
        registrars.begin_download(&start, 0).complete(0);
    }
    let (mut number, mut now) = (0, 600);
    let held = measure(|| {
        number = (number + 1_597) % count;
        now += u32::from(number == 0) * 600;
        registrars.check(&check(number), now)
    });
    println!("{:<40} {held:>10.0} ns", "a driver's check among 4096");
    // The worst: nobody may stay.
    let mut address = 0;
    let stranger = measure(|| {
        address += 1;
        registrars.check(&check(0x0010_0000 + address), now)
    });
    println!("{:<40} {stranger:>10.0} ns", "the same of an address never seen");
}

/// Load time, memory and lookup time of an index.
fn measure_licenses(count: u64) {
    let folder = std::env::temp_dir().join(format!("susv-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let mut file = std::io::BufWriter::new(fs::File::create(folder.join("all.slf")).expect("a file"));
    let (licenses, signature) = ("0f".repeat(64), "E1".repeat(64));
    for number in 0..count {
        // In no order, as files of many service centres are.
        writeln!(file, "{:016}\t{licenses}\t{signature}", number * 7_919 % count * 13).expect("a line");
        // One in a thousand stands there twice, and one in a thousand is bad: up to a thousand of each.
        if number % 1000 == 0 {
            writeln!(file, "{:016}\t{licenses}\t{signature}\nbad", number * 13).expect("two lines");
        }
    }
    file.flush().expect("written");

    let before = resident_kb();
    let begun = Instant::now();
    let index = licenses::load(&folder);
    let loaded = begun.elapsed();
    let memory = resident_kb().saturating_sub(before);
    assert!(!index.problems.is_empty() && index.len() as u64 == count);
    let mut number = 0;
    let lookup = measure(|| {
        number = (number + 104_729) % count;
        index.find(number * 13).expect("readable").is_some()
    });
    let name = format!("{count} licences, {0} of them repeated, {0} lines bad", count / 1000);
    println!(
        "{name:<40} {:>10.0} ms to load, {:.1} MB, {:.1} us a lookup with its line",
        loaded.as_secs_f64() * 1000.0,
        memory as f64 / 1024.0,
        lookup / 1000.0
    );
    fs::remove_dir_all(&folder).expect("removed");
}

fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0)
}
