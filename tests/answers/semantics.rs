//! What RFC 9110 demands of an origin server for the methods, conditional and range requests we serve, on the wire.

use std::time::{Duration, SystemTime};

use crate::common::{Answer, IMAGE_BYTES, Server, check_request, image};

const IMAGE: &str = "/firmware/20260301/upd_app.bin";
const PLAIN: &str = "/firmware/plain.bin";

fn start() -> Server {
    let server = Server::start_plain("");
    server.folder.write("firmware/plain.bin", image(5));
    server
}

fn ask(server: &Server, method: &str, path: &str, fields: &str) -> Answer {
    server.ask(format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"))
}

/// The representation fields of an answer; `Date` may tick between two.
fn representation(answer: &Answer) -> Vec<(String, String)> {
    answer.fields.iter().filter(|(name, _)| name != "date").cloned().collect()
}

#[test]
fn section_6_6_1_every_answer_has_a_date() {
    let server = start();
    for answer in [
        ask(&server, "GET", IMAGE, ""),
        ask(&server, "GET", "/nothing", ""),
        ask(&server, "GET", IMAGE, "If-None-Match: *\r\n"),
        server.ask("BAD\r\n"),
    ] {
        let date = answer.field("date").expect("a date");
        assert!(susv::http::date::parse(date.as_bytes(), None).is_some(), "{date}");
    }
}

#[test]
fn section_8_8_files_have_a_strong_etag_and_a_date_of_modification() {
    let server = start();
    for path in [IMAGE, PLAIN] {
        let answer = ask(&server, "GET", path, "");
        let etag = answer.field("etag").expect("an ETag");
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 10, "{etag}");
        assert!(answer.field("last-modified").is_some());
    }
    // Another content at the same path has another tag.
    let before = ask(&server, "GET", PLAIN, "").field("etag").map(str::to_owned);
    server.folder.write("firmware/plain.bin", image(6));
    assert_ne!(ask(&server, "GET", PLAIN, "").field("etag").map(str::to_owned), before);
}

#[test]
fn section_9_3_2_head_sends_the_fields_of_get_and_no_content() {
    let server = start();
    for (path, fields) in [(IMAGE, ""), (PLAIN, ""), ("/version", ""), (IMAGE, "If-None-Match: *\r\n"), ("/nothing", "")] {
        let (get, head) = (ask(&server, "GET", path, fields), ask(&server, "HEAD", path, fields));
        assert_eq!((get.status, representation(&get)), (head.status, representation(&head)), "{path} {fields}");
        assert!(head.body.is_empty());
    }
    // §14.2: a range is defined for GET only.
    for range in ["bytes=5-9", "bytes=491520-"] {
        let head = ask(&server, "HEAD", IMAGE, &format!("Range: {range}\r\n"));
        assert_eq!((head.status, head.field("content-length"), head.field("content-range")), (200, Some("491520"), None));
    }
}

#[test]
fn section_9_and_15_5_6_wrong_methods_are_405_with_allow() {
    let server = start();
    let cases = [
        ("/check_firmware", "POST, OPTIONS"),
        ("/feature_licenses", "POST, OPTIONS"),
        ("/version", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        (IMAGE, "GET, HEAD, OPTIONS"),
    ];
    for (path, allow) in cases {
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get"] {
            let answer = ask(&server, method, path, "");
            assert_eq!((answer.status, answer.field("allow")), (405, Some(allow)), "{method} {path}");
        }
        // §9.3.7 and, for the length, §8.6.
        let answer = ask(&server, "OPTIONS", path, "");
        assert_eq!((answer.status, answer.field("allow"), answer.field("content-length")), (204, Some(allow), None), "{path}");
    }
    assert_eq!(ask(&server, "GET", "/check_firmware", "").status, 405);
    assert_eq!(ask(&server, "POST", IMAGE, "Content-Length: 0\r\n").status, 405);
}

#[test]
fn section_9_3_7_options_of_the_server_names_its_methods() {
    let answer = ask(&start(), "OPTIONS", "*", "");
    assert_eq!(
        (answer.status, answer.field("allow"), answer.field("content-length")),
        (204, Some("GET, HEAD, POST, OPTIONS"), None)
    );
    assert_eq!(ask(&start(), "OPTIONS", "/nothing", "").status, 404);
}

#[test]
fn section_13_1_1_if_match_compares_strongly() {
    let server = start();
    for path in [IMAGE, PLAIN] {
        let etag = ask(&server, "GET", path, "").field("etag").expect("an ETag").to_owned();
        for (value, status) in
            [(etag.as_str(), 200), ("*", 200), ("\"other\"", 412), (&format!("W/{etag}"), 412), (&format!("\"x\", {etag}"), 200)]
        {
            let answer = ask(&server, "GET", path, &format!("If-Match: {value}\r\n"));
            assert_eq!(answer.status, status, "{value}");
            assert!(status == 200 || answer.body.is_empty());
        }
    }
}

#[test]
fn section_13_1_2_and_15_4_5_if_none_match_gives_304_with_the_fields_of_200() {
    let server = start();
    for path in [IMAGE, PLAIN] {
        let whole = ask(&server, "GET", path, "");
        let etag = whole.field("etag").expect("an ETag").to_owned();
        for value in [etag.as_str(), "*", &format!("W/{etag}"), &format!("\"x\", {etag}")] {
            let answer = ask(&server, "GET", path, &format!("If-None-Match: {value}\r\n"));
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{value}");
            assert_eq!((answer.field("etag"), answer.field("content-length")), (Some(etag.as_str()), None));
        }
        assert_eq!(ask(&server, "GET", path, "If-None-Match: \"other\"\r\n").status, 200);
    }
}

#[test]
fn section_13_1_3_and_4_dates_are_compared() {
    let server = start();
    let modified = ask(&server, "GET", PLAIN, "").field("last-modified").expect("a date").to_owned();
    let cases = [
        (format!("If-Modified-Since: {modified}\r\n"), 304),
        ("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".to_owned(), 200),
        ("If-Modified-Since: today\r\n".to_owned(), 200),
        (format!("If-Unmodified-Since: {modified}\r\n"), 200),
        ("If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".to_owned(), 412),
        // §13.2.2: the tag decides where both are given.
        (format!("If-None-Match: \"other\"\r\nIf-Modified-Since: {modified}\r\n"), 200),
        ("If-Match: *\r\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".to_owned(), 200),
    ];
    for (fields, status) in cases {
        assert_eq!(ask(&server, "GET", PLAIN, &fields).status, status, "{fields}");
    }
    // Preconditions are for GET and HEAD of files: a check is answered whatever it says.
    let check = check_request().replace("Host: test", "Host: test\r\nIf-Match: \"x\"\r\nIf-None-Match: *\r\nRange: bytes=0-1");
    assert_eq!(server.ask(check).status, 200);
}

#[test]
fn section_14_ranges_of_images_and_files() {
    let server = start();
    for (path, bytes) in [(IMAGE, image(1)), (PLAIN, image(5))] {
        for (range, start, end) in
            [("0-0", 0, 1), ("100-199", 100, 200), ("-500", IMAGE_BYTES - 500, IMAGE_BYTES), ("400000-", 400_000, IMAGE_BYTES)]
        {
            let answer = ask(&server, "GET", path, &format!("Range: bytes={range}\r\n"));
            let content_range = format!("bytes {start}-{}/{IMAGE_BYTES}", end - 1);
            assert_eq!((answer.status, answer.field("content-range")), (206, Some(content_range.as_str())), "{range}");
            assert!(answer.body == bytes[start..end], "{range}");
            assert!(answer.field("etag").is_some() && answer.field("accept-ranges") == Some("bytes"));
        }
        for range in ["bytes=0-1,5-6", "lines=1-2", "bytes=x", "bytes=0-1\r\nRange: bytes=2-3"] {
            let answer = ask(&server, "GET", path, &format!("Range: {range}\r\n"));
            assert!(answer.status == 200 && answer.body == bytes, "{range}");
        }
        let answer = ask(&server, "GET", path, "Range: bytes=491520-\r\n");
        assert_eq!((answer.status, answer.field("content-range")), (416, Some("bytes */491520")));
        // §13.1.5 and §14.2: a range goes with the state it was meant for, or not at all.
        let answer = ask(&server, "GET", path, "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n");
        assert!(answer.status == 200 && answer.body == bytes);
        let etag = answer.field("etag").expect("an ETag");
        assert_eq!(ask(&server, "GET", path, &format!("Range: bytes=0-9\r\nIf-Range: {etag}\r\n")).status, 206);
        let answer = ask(&server, "GET", path, "Range: bytes=0-9\r\nIf-None-Match: *\r\n");
        assert_eq!(answer.status, 304);
    }
}

#[test]
fn a_date_in_if_range_is_never_believed() {
    let server = Server::start_plain("");
    // Two builds of one date: old enough for the date to be a strong validator (RFC 9110 §8.8.2.2).
    let publish = |seed| {
        let path = server.folder.write("firmware/plain.bin", image(seed));
        let file = std::fs::File::options().write(true).open(path).expect("a file");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_516_883_696)).expect("its time");
    };
    publish(5);
    let modified = ask(&server, "GET", PLAIN, "").field("last-modified").expect("a date").to_owned();
    publish(6);
    let answer = ask(&server, "GET", PLAIN, &format!("Range: bytes=100-\r\nIf-Range: {modified}\r\n"));
    assert_eq!((answer.status, answer.field("last-modified")), (200, Some(modified.as_str())));
    assert!(answer.body == image(6));
}

#[test]
fn every_answer_says_once_how_it_may_be_cached() {
    let server = start();
    let raw = |request: &str| server.ask(request);
    let answers = [
        ("no-cache", ask(&server, "GET", IMAGE, "")),
        ("no-cache", ask(&server, "HEAD", PLAIN, "")),
        ("no-cache", ask(&server, "GET", PLAIN, "Range: bytes=0-9\r\n")),
        ("no-cache", ask(&server, "GET", IMAGE, "If-None-Match: *\r\n")),
        ("no-cache", ask(&server, "GET", PLAIN, "If-Match: \"x\"\r\n")),
        ("no-cache", ask(&server, "GET", PLAIN, "Range: bytes=491520-\r\n")),
        ("no-cache", ask(&server, "GET", "/firmware/nothing", "")),
        ("no-cache", ask(&server, "GET", "/firmware/../x", "")),
        ("no-cache", ask(&server, "GET", "http://test/firmware/nothing", "")),
        ("no-cache", ask(&server, "OPTIONS", IMAGE, "")),
        ("no-cache", ask(&server, "DELETE", IMAGE, "")),
        ("no-cache", raw("GET /firmware/x HTTP/1.1\r\n\r\n")),
        ("no-cache", raw("GET http://test/firmware/x HTTP/1.1\r\n\r\n")),
        ("no-cache", raw("GET /firmware/x HTTP/3.0\r\n\r\n")),
        ("no-store", ask(&server, "GET", "/", "")),
        ("no-store", ask(&server, "GET", "/status", "")),
        ("no-store", ask(&server, "GET", "/version", "")),
        ("no-store", ask(&server, "GET", "/nothing", "")),
        ("no-store", ask(&server, "GET", "/till/firmware/x", "")),
        ("no-store", ask(&server, "GET", "/check_firmware", "")),
        ("no-store", ask(&server, "OPTIONS", "*", "")),
        ("no-store", server.ask(check_request())),
        ("no-store", server.post("/feature_licenses", "{\"serial\": \"0000000000012345\"}")),
        ("no-store", server.post("/feature_licenses", "{\"serial\": \"0000000000000001\"}")),
        ("no-store", raw("GET /version HTTP/1.1\r\n\r\n")),
        ("no-store", raw("\0\r\n")),
    ];
    for (at, (expected, answer)) in answers.iter().enumerate() {
        let values: Vec<_> = answer.fields.iter().filter(|(name, _)| name == "cache-control").map(|(_, value)| value).collect();
        assert_eq!(values, [expected], "answer {at}: {answer:?}");
    }
}
