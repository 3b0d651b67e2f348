//! Fuzzing with std only: deterministic mutations of a seed corpus against everything that reads a stranger's bytes. No panic,
//! no hang, bounded memory; and the same bytes give the same result however they are split.
//!
//! `SUSV_FUZZ_SECONDS` (default 1) is the time for each target.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{Folder, license_line};
use susv::catalog::licenses;
use susv::config;
use susv::http::body::ChunkedDecoder;
use susv::http::date;
use susv::http::head::HeadParser;
use susv::http::language;
use susv::http::range::{self, Selection};
use susv::http::request::Request;
use susv::json::{self, Value};
use susv::limits;
use susv::problem::Language;

/// A generator that gives the same numbers on every run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Bytes that mean something to one of the parsers.
const TOKENS: [&[u8]; 30] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"=",
    b"\"",
    b"\\",
    b"\\u",
    b"d800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"-",
    b"+",
    b"0",
    b"9",
    b"e9",
    b"%2e",
    b"../",
    b"chunked",
    b"Content-Length: ",
    b"Transfer-Encoding: ",
    b"\xef\xbb\xbf",
    b"\xff",
];

/// A mutation of one of the seeds.
fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..random.below(6) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] = random.next() as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 if at < bytes.len() => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()))),
            3 => bytes.truncate(at),
            4 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            5 => {
                let piece = bytes[at..(at + random.below(40)).min(bytes.len())].to_vec();
                let repeated = piece.repeat(1 + random.below(50));
                bytes.splice(at..at, repeated);
            }
            _ => {
                let token = TOKENS[random.below(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
        }
        bytes.truncate(200_000);
    }
    bytes
}

/// Runs `target` on mutations until the time is over; reports the input that broke it.
fn fuzz(seeds: &[&[u8]], mut target: impl FnMut(&[u8], &mut Random)) {
    let seconds = std::env::var("SUSV_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut count = 0;
    while Instant::now() < end || count < 500 {
        let input = mutate(&mut random, &seeds);
        let begun = Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&input, &mut random)));
        assert!(result.is_ok(), "input {count}: {:?}", String::from_utf8_lossy(&input));
        assert!(begun.elapsed() < Duration::from_secs(5), "input {count} took {:?}", begun.elapsed());
        count += 1;
    }
    println!("{count} inputs");
}

/// What a head parser makes of bytes that arrive in pieces: length and field count, or the refusal.
fn parse_head(bytes: &[u8], mut next_piece: impl FnMut() -> usize) -> Result<Option<(usize, usize)>, u16> {
    let mut parser = HeadParser::default();
    let mut end = 0;
    loop {
        end = (end + next_piece()).min(bytes.len());
        match parser.advance(&bytes[..end]) {
            Err(refusal) => {
                assert!(refusal.status.is_error());
                // Whatever is told about the request line lies within the bytes.
                let line = parser.request_line(&bytes[..end]);
                assert!(parser.has_begun(&bytes[..end]) && line.method.len() + line.target.len() <= end);
                return Err(refusal.status.code());
            }
            Ok(Some(head)) => {
                assert!(head.length <= end && head.length <= limits::HEAD_BYTES && head.fields.len() <= limits::HEAD_FIELDS);
                let request = Request { bytes, head: &head, body: &[] };
                let (_, _, _, _) = (request.method(), request.path(), request.authority(), request.field("host"));
                return Ok(Some((head.length, head.fields.len())));
            }
            Ok(None) if end == bytes.len() => return Ok(None),
            Ok(None) => {}
        }
    }
}

#[test]
fn request_heads() {
    let seeds: [&[u8]; 6] = [
        b"CONNECT [fe80::1%eth0]:80 HTTP/1.1\r\nHost: [fe80::1%eth0]:\r\nContent-Length: 028\r\n\r\n\r\n",
        b"POST /check_firmware HTTP/1.1\r\nHost: 127.0.0.1:8888\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n{\"build_date\": \"19.12.2017\"}",
        b"GET http://[::1]:80/firmware/a%20b?x HTTP/1.0\r\nConnection: keep-alive, close\r\nRange: bytes=1-2\r\n\r\n",
        b"\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HEAD / HTTP/1.9\r\nhost:x\r\nx: \xd0\x96\r\nif-none-match: \"a\", W/\"b\"\r\n\r\nGET / HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    fuzz(&seeds, |input, random| {
        let whole = parse_head(input, || input.len().max(1));
        let split = random.below(input.len() + 1);
        let mut first = true;
        let in_two = parse_head(input, || if std::mem::take(&mut first) { split } else { input.len().max(1) });
        assert_eq!(whole, in_two, "split at {split}");
        if input.len() < 2000 {
            assert_eq!(whole, parse_head(input, || 1), "byte by byte");
        }
    });
}

/// Content and use of a chunked body that arrives in pieces.
fn decode(input: &[u8], step: usize) -> Result<(Vec<u8>, Option<usize>), u16> {
    let (mut decoder, mut content) = (ChunkedDecoder::default(), Vec::new());
    let (mut start, mut end) = (0, 0);
    while end < input.len() {
        end = (end + step).min(input.len());
        let (used, complete) = decoder.advance(&input[start..end], &mut content).map_err(|refusal| refusal.status.code())?;
        assert!(content.len() <= limits::BODY_BYTES);
        start += used;
        // What is kept back for the next piece is bounded: a server must hold it.
        assert!(end - start <= limits::CHUNK_OVERHEAD_BYTES + step, "{} bytes kept", end - start);
        if complete {
            return Ok((content, Some(start)));
        }
    }
    Ok((content, None))
}

#[test]
fn chunked_bodies() {
    let seeds: [&[u8]; 4] = [
        b"1c\r\n{\"build_date\": \"19.12.2017\"}\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
        b"5;a=b;c=\"d\\\"e\" ; f\r\nhello\r\n00000\r\nTrailer: x\r\nY: z\r\n\r\n",
        b"FFFF\r\n",
        b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n",
    ];
    fuzz(&seeds, |input, random| {
        let whole = decode(input, input.len().max(1));
        let step = 1 + random.below(50);
        let pieces = decode(input, step);
        // A refusal may come before or behind content that was already passed on, but it comes either way.
        assert_eq!(whole, pieces, "in steps of {step}");
    });
}

#[test]
fn json_texts() {
    let seeds: [&[u8]; 4] = [
        br#"{"build_date": "19.12.2017", "x": [1.5e-3, true, null, {"y": "\u0041\ud83d\ude00\n"}]}"#,
        br#"{"serial": 1000000000012345}"#,
        br#"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"#,
        br#""\\\"\/\b\f\n\r\t""#,
    ];
    fuzz(&seeds, |input, _| {
        if let Ok(value) = json::parse(input) {
            // What was read can be written and read again.
            if let Value::String(text) = &value {
                let mut written = String::new();
                json::write_string(&mut written, text);
                assert!(written.is_ascii());
                assert_eq!(json::parse(written.as_bytes()).as_ref(), Ok(&value));
            }
            assert!(depth(&value) <= limits::JSON_DEPTH);
        }
    });
}

fn depth(value: &Value<'_>) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

#[test]
fn configurations() {
    let shipped = include_bytes!("../config.ini");
    let seeds: [&[u8]; 3] = [
        b"port = 8888\naddress = 127.0.0.1, ::1\nallow = 10.0.0.0/8\nbase_url = http://a/b\ncurrent_firmware_version = 20260301\n",
        b"\xef\xbb\xbfcurrent_firmware_version = latest\r\nlog_requests = no\r\nmax_image_kb = 1\r\n; x\r\n",
        &shipped[..2000],
    ];
    fuzz(&seeds, |input, _| {
        let reading = config::parse(Path::new("x/config.ini"), input);
        assert_eq!(reading.problems.iter().any(|problem| !problem.is_hint()), reading.mistakes > 0);
        assert!(reading.problems.len() <= 2 * (limits::PROBLEMS_PER_FILE + 1));
        for problem in reading.problems {
            for language in [Language::English, Language::Russian] {
                let line = problem.describe(language);
                assert!(line.contains(" x/config.ini") && !line.contains(['\n', '\r', '\u{1b}', '\u{a0}']), "{line:?}");
                assert!(line.len() < 1000, "{line:?}");
            }
        }
    });
}

#[test]
fn license_files() {
    let good = license_line(12345, 'a') + &license_line(777, 'F').replace('\n', "\r\n");
    let folder = Folder::new();
    fuzz(&[good.as_bytes(), b"\xef\xbb\xbf\r\n\n\n", b"0000000000012345\t"], |input, _| {
        let path = folder.write("licenses/a.slf", input);
        let index = licenses::load(&path);
        assert!(index.problems.len() <= 2 * limits::PROBLEMS_PER_FILE + 2);
        assert!(index.len() <= input.len() / 274);
        for serial in [12345, 777] {
            if let Some(license) = index.find(serial).expect("readable") {
                assert!((license.licenses.len(), license.signature.len()) == (128, 128));
            }
        }
    });
}

#[test]
fn ranges_dates_and_languages() {
    let seeds: [&[u8]; 7] = [
        b"de, ru-RU;q=0.75 , en;q=0.z;q=1.000",
        b"bytes=0-499",
        b"bytes=-5",
        b"bytes=5-",
        b"Thu, 25 Jan 2018 12:34:56 GMT",
        b"Sunday, 06-Nov-94 08:49:37 GMT",
        b"Sun Nov  6 08:49:37 1994",
    ];
    fuzz(&seeds, |input, random| {
        let size = random.next() >> random.below(64);
        if let Selection::Part { start, length } = range::select(input, size) {
            assert!(length > 0 && start.checked_add(length).is_some_and(|end| end <= size));
        }
        assert!(language::choose([input].into_iter(), &["en", "ru"]) < 2);
        if let Some(time) = date::parse(input, Some(random.next() >> 32)) {
            assert_eq!(date::parse(date::format(time).as_bytes(), None), Some(time));
        }
    });
}
