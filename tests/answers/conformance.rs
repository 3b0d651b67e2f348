//! HTTP/1.1 on the wire against RFC 9112 and RFC 9110: malformed, ambiguous and smuggling requests get one error answer and the
//! end of their connection; everything valid is answered and the connection lives on.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::time::Duration;

use crate::common::{Answer, Server, check_request};
use susv::limits;

/// What an attacker hopes to have read as a request of its own.
const SMUGGLED: &str = "GET /version HTTP/1.1\r\nHost: test\r\n\r\n";

/// Sends each request with a smuggled one behind it: there must be one answer of that status, and then the end.
fn refuses(cases: &[(&str, &[u8], u16)]) {
    let server = Server::start_plain("");
    let mut failures = Vec::new();
    for (name, request, status) in cases {
        let mut client = server.connect();
        client.send([request, SMUGGLED.as_bytes()].concat());
        let answer = client.try_answer(request.starts_with(b"HEAD "));
        let found = answer.as_ref().map(|answer| answer.status);
        if found != Some(*status) {
            failures.push(format!("{name}: {found:?} instead of {status}"));
        } else if answer.as_ref().and_then(|answer| answer.field("connection")) != Some("close") {
            failures.push(format!("{name}: the connection is not announced to close"));
        } else if !client.read_to_end().is_empty() {
            failures.push(format!("{name}: a second answer: {:?}", String::from_utf8_lossy(&client.received)));
        }
    }
    assert_eq!(failures, [""; 0], "{} of {}", failures.len(), cases.len());
    assert_eq!(server.ask(check_request()).status, 200, "the server is well");
}

/// Sends each request: it must be answered with that status, and a second one behind it on the same connection as well.
fn answers(cases: &[(&str, &[u8], u16)]) {
    let server = Server::start_plain("");
    let mut failures = Vec::new();
    for (name, request, status) in cases {
        let mut client = server.connect();
        client.send([request, SMUGGLED.as_bytes()].concat());
        let found = client.try_answer(request.starts_with(b"HEAD ")).map(|answer| answer.status);
        let second = client.try_answer(false).map(|answer| answer.status);
        if (found, second) != (Some(*status), Some(200)) {
            failures.push(format!("{name}: {found:?} instead of {status}, then {second:?}"));
        }
    }
    assert_eq!(failures, [""; 0], "{} of {}", failures.len(), cases.len());
}

#[test]
fn rfc9112_2_2_lines_end_in_crlf_and_nothing_else() {
    refuses(&[
        ("bare LF behind the request line", b"GET /version HTTP/1.1\nHost: test\r\n\r\n", 400),
        ("bare LF behind a field", b"GET /version HTTP/1.1\r\nHost: test\n\r\n", 400),
        ("bare LF as the empty line", b"GET /version HTTP/1.1\r\nHost: test\r\n\n", 400),
        ("bare LF throughout", b"GET /version HTTP/1.1\nHost: test\n\n", 400),
        ("bare CR behind the request line", b"GET /version HTTP/1.1\rHost: test\r\n\r\n", 400),
        ("bare CR throughout", b"GET /version HTTP/1.1\rHost: test\r\r", 400),
        ("bare CR in a value", b"GET /version HTTP/1.1\r\nHost: test\r\nX: a\rb\r\n\r\n", 400),
        ("bare CR in front of a value", b"GET /version HTTP/1.1\r\nHost: test\r\nX:\ra\r\n\r\n", 400),
        ("bare CR in the target", b"GET /ver\rsion HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("CR CR LF", b"GET /version HTTP/1.1\r\r\nHost: test\r\n\r\n", 400),
        ("LF CR", b"GET /version HTTP/1.1\n\rHost: test\r\n\r\n", 400),
        ("two empty lines in front", b"\r\n\r\nGET /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("bare LF in front", b"\nGET /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("white space in front", b" GET /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("a line of white space in front", b"  \r\nGET /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("white space before the first field", b"GET /version HTTP/1.1\r\n Host: test\r\n\r\n", 400),
        ("a line of white space before the fields", b"GET /version HTTP/1.1\r\n \r\nHost: test\r\n\r\n", 400),
        ("binary noise", b"\x80\x81\xfe\xff\x00\x01\r\n\r\n", 400),
        ("TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        ("NUL bytes", b"\0\0\0\0\r\n\r\n", 400),
    ]);
    answers(&[("one empty line in front is ignored", b"\r\nGET /version HTTP/1.1\r\nHost: test\r\n\r\n", 200)]);
}

#[test]
fn rfc9112_3_request_lines_are_exact() {
    refuses(&[
        ("two spaces behind the method", b"GET  /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("two spaces in front of the version", b"GET /version  HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("space behind the version", b"GET /version HTTP/1.1 \r\nHost: test\r\n\r\n", 400),
        ("tab between", b"GET\t/version\tHTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("tab behind the version", b"GET /version HTTP/1.1\t\r\nHost: test\r\n\r\n", 400),
        ("vertical tab between", b"GET\x0b/version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("no target", b"GET HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("empty target", b"GET  HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("no method", b" /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("method alone", b"GET\r\nHost: test\r\n\r\n", 400),
        ("space in the target", b"GET /a b HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("method with a separator", b"GE(T /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("method with a colon", b"GET: /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("method that is not ASCII", "ГЕТ /version HTTP/1.1\r\nHost: test\r\n\r\n".as_bytes(), 400),
        ("NUL in the method", b"G\0ET /version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("an answer as a request", b"HTTP/1.1 200 OK\r\nHost: test\r\n\r\n", 400),
        ("HTTP/0.9", b"GET /version\r\n", 400),
        ("HTTP/0.9 with a field", b"GET /version\r\nHost: test\r\n\r\n", 400),
        ("lower-case name", b"GET /version http/1.1\r\nHost: test\r\n\r\n", 400),
        ("other name", b"GET /version HTTX/1.1\r\nHost: test\r\n\r\n", 400),
        ("no minor version", b"GET /version HTTP/1\r\nHost: test\r\n\r\n", 400),
        ("empty minor version", b"GET /version HTTP/1.\r\nHost: test\r\n\r\n", 400),
        ("leading zeros", b"GET /version HTTP/01.1\r\nHost: test\r\n\r\n", 400),
        ("two digits", b"GET /version HTTP/1.10\r\nHost: test\r\n\r\n", 400),
        ("space in the version", b"GET /version HTTP/ 1.1\r\nHost: test\r\n\r\n", 400),
        ("three numbers", b"GET /version HTTP/1.1.1\r\nHost: test\r\n\r\n", 400),
        ("negative", b"GET /version HTTP/-1.1\r\nHost: test\r\n\r\n", 400),
        ("comma", b"GET /version HTTP/1,1\r\nHost: test\r\n\r\n", 400),
        ("no slash", b"GET /version HTTP1.1\r\nHost: test\r\n\r\n", 400),
        ("HTTP/0.9 by name", b"GET /version HTTP/0.9\r\nHost: test\r\n\r\n", 505),
        ("HTTP/2.0", b"GET /version HTTP/2.0\r\nHost: test\r\n\r\n", 505),
        ("HTTP/9.9", b"GET /version HTTP/9.9\r\nHost: test\r\n\r\n", 505),
        ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ]);
    answers(&[
        ("a later 1.x is answered as 1.1", b"GET /version HTTP/1.2\r\nHost: test\r\n\r\n", 200),
        ("methods are case-sensitive", b"get /version HTTP/1.1\r\nHost: test\r\n\r\n", 405),
        ("unknown method", b"BREW /version HTTP/1.1\r\nHost: test\r\n\r\n", 405),
        ("any token is a method", b"!#$%&'*+-.^_`|~09azAZ /version HTTP/1.1\r\nHost: test\r\n\r\n", 405),
        ("TRACE", b"TRACE /version HTTP/1.1\r\nHost: test\r\n\r\n", 405),
    ]);
}

#[test]
fn rfc9112_3_2_targets_have_one_of_the_known_forms() {
    refuses(&[
        ("relative path", b"GET version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("asterisk with GET", b"GET * HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("asterisk and more", b"OPTIONS *x HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("authority-form with GET", b"GET test:80 HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("CONNECT", b"CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n", 501),
        ("CONNECT without a port", b"CONNECT test HTTP/1.1\r\nHost: test\r\n\r\n", 501),
        ("CONNECT to a bad host", b"CONNECT te@st:443 HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("absolute-form with a query but no host", b"GET http://?x HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("other scheme", b"GET ftp://test/version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("https", b"GET https://test/version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("absolute-form without a host", b"GET http:///version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("absolute-form with user", b"GET http://user@test/version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("absolute-form with a bad port", b"GET http://test:99999/version HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("fragment", b"GET /version#x HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("NUL", b"GET /ver\0sion HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("DEL", b"GET /ver\x7fsion HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("control character", b"GET /ver\x01sion HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("not ASCII", "GET /версия HTTP/1.1\r\nHost: test\r\n\r\n".as_bytes(), 400),
        ("overlong UTF-8", b"GET /\xc0\xaf HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    ]);
    answers(&[
        ("absolute-form", b"GET http://test/version HTTP/1.1\r\nHost: test\r\n\r\n", 200),
        ("absolute-form overrides Host", b"GET http://other/version HTTP/1.1\r\nHost: test\r\n\r\n", 200),
        ("absolute-form without a path", b"GET http://test HTTP/1.1\r\nHost: test\r\n\r\n", 200),
        ("absolute-form with a query but no path", b"GET http://test?x HTTP/1.1\r\nHost: test\r\n\r\n", 200),
        ("absolute-form with an empty port", b"GET http://test:/version HTTP/1.1\r\nHost: test\r\n\r\n", 200),
        ("absolute-form beside an empty Host", b"GET http://test/version HTTP/1.1\r\nHost:\r\n\r\n", 200),
        ("query", b"GET /version?a=/b?c HTTP/1.1\r\nHost: test\r\n\r\n", 200),
        ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", 204),
        ("OPTIONS of a path", b"OPTIONS /check_firmware HTTP/1.1\r\nHost: test\r\n\r\n", 204),
        ("CONNECT with a path", b"CONNECT /version HTTP/1.1\r\nHost: test\r\n\r\n", 405),
        ("percent-encoded NUL", b"GET /firmware/%00 HTTP/1.1\r\nHost: test\r\n\r\n", 403),
        ("percent-encoded line break", b"GET /firmware/%0d%0aX: HTTP/1.1\r\nHost: test\r\n\r\n", 404),
        ("backslash", b"GET /firmware/..\\config.ini HTTP/1.1\r\nHost: test\r\n\r\n", 403),
    ]);
}

#[test]
fn rfc9112_3_2_host_is_there_once_and_valid() {
    refuses(&[
        ("none", b"GET /version HTTP/1.1\r\n\r\n", 400),
        ("two", b"GET /version HTTP/1.1\r\nHost: test\r\nHost: other\r\n\r\n", 400),
        ("two alike", b"GET /version HTTP/1.1\r\nHost: test\r\nhost: test\r\n\r\n", 400),
        ("comma-separated", b"GET /version HTTP/1.1\r\nHost: test, other\r\n\r\n", 400),
        ("comma without space", b"GET /version HTTP/1.1\r\nHost: test,other\r\n\r\n", 400),
        ("user", b"GET /version HTTP/1.1\r\nHost: user@test\r\n\r\n", 400),
        ("path", b"GET /version HTTP/1.1\r\nHost: test/path\r\n\r\n", 400),
        ("scheme", b"GET /version HTTP/1.1\r\nHost: http://test\r\n\r\n", 400),
        ("bad port", b"GET /version HTTP/1.1\r\nHost: test:port\r\n\r\n", 400),
        ("port out of range", b"GET /version HTTP/1.1\r\nHost: test:65536\r\n\r\n", 400),
        ("space inside", b"GET /version HTTP/1.1\r\nHost: te st\r\n\r\n", 400),
        ("quote, for the JSON it would get into", b"GET /version HTTP/1.1\r\nHost: te\"st\r\n\r\n", 400),
        ("port alone", b"GET /version HTTP/1.1\r\nHost: :80\r\n\r\n", 400),
        ("zone with a quote", b"GET /version HTTP/1.1\r\nHost: [fe80::1%\"]\r\n\r\n", 400),
        ("zone without an address", b"GET /version HTTP/1.1\r\nHost: [%eth0]\r\n\r\n", 400),
        ("open bracket", b"GET /version HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        ("bad in HTTP/1.0", b"GET /version HTTP/1.0\r\nHost: te st\r\n\r\n", 400),
        ("two in HTTP/1.0", b"GET /version HTTP/1.0\r\nHost: test\r\nHost: test\r\n\r\n", 400),
        ("bad beside an absolute-form", b"GET http://test/version HTTP/1.1\r\nHost: te st\r\n\r\n", 400),
        ("missing beside an absolute-form", b"GET http://test/version HTTP/1.1\r\n\r\n", 400),
    ]);
    answers(&[
        ("empty", b"GET /version HTTP/1.1\r\nHost:\r\n\r\n", 200),
        ("blank", b"GET /version HTTP/1.1\r\nHost: \t \r\n\r\n", 200),
        ("empty port", b"GET /version HTTP/1.1\r\nHost: gateway:\r\n\r\n", 200),
        ("IPv6 with zone, as Java and Python send it", b"GET /version HTTP/1.1\r\nHost: [fe80::1%eth0]:80\r\n\r\n", 200),
        ("IPv6 with port", b"GET /version HTTP/1.1\r\nHost: [::1]:8888\r\n\r\n", 200),
        ("name in any case, no space", b"GET /version HTTP/1.1\r\nhOsT:test:1\r\n\r\n", 200),
    ]);
}

#[test]
fn urls_repeat_the_host_that_was_received() {
    let server = Server::start_plain("");
    let local = server.address.to_string();
    for (target, fields, authority) in [
        ("/check_firmware", "Host: gateway:8888", "gateway:8888"),
        ("/check_firmware", "Host: gateway:", "gateway"),
        ("/check_firmware", "Host: [fe80::1%eth0]:8888", "[fe80::1%eth0]:8888"),
        ("/check_firmware", "Host:", &local),
        ("http://other:1/check_firmware", "Host: gateway", "other:1"),
        ("http://other/check_firmware", "Host:", "other"),
    ] {
        let body = "{\"build_date\": \"19.12.2017\"}";
        let answer = server.ask(format!("POST {target} HTTP/1.1\r\n{fields}\r\nContent-Length: 28\r\n\r\n{body}"));
        let url = format!("\"url\": \"http://{authority}/firmware/20260301/upd_app.bin\"");
        assert!(answer.text().contains(&url), "{target} {fields}: {}", answer.text());
    }
}

#[test]
fn rfc9112_5_fields_keep_to_the_grammar() {
    refuses(&[
        ("no colon", b"GET /version HTTP/1.1\r\nHost: test\r\nX\r\n\r\n", 400),
        ("empty name", b"GET /version HTTP/1.1\r\nHost: test\r\n: x\r\n\r\n", 400),
        ("space before the colon", b"GET /version HTTP/1.1\r\nHost : test\r\n\r\n", 400),
        ("tab before the colon", b"GET /version HTTP/1.1\r\nHost: test\r\nX\t: y\r\n\r\n", 400),
        ("space in the name", b"GET /version HTTP/1.1\r\nHost: test\r\nX Y: z\r\n\r\n", 400),
        ("bracket in the name", b"GET /version HTTP/1.1\r\nHost: test\r\n[X]: y\r\n\r\n", 400),
        ("name that is not ASCII", "GET /version HTTP/1.1\r\nHost: test\r\nИмя: y\r\n\r\n".as_bytes(), 400),
        ("folded", b"GET /version HTTP/1.1\r\nHost: test\r\nX: y\r\n z\r\n\r\n", 400),
        ("folded with a tab", b"GET /version HTTP/1.1\r\nHost: test\r\nX: y\r\n\tz\r\n\r\n", 400),
        ("NUL in a value", b"GET /version HTTP/1.1\r\nHost: test\r\nX: a\0b\r\n\r\n", 400),
        ("NUL in a name", b"GET /version HTTP/1.1\r\nHost: test\r\nX\0: y\r\n\r\n", 400),
        ("control character in a value", b"GET /version HTTP/1.1\r\nHost: test\r\nX: a\x08b\r\n\r\n", 400),
        ("DEL in a value", b"GET /version HTTP/1.1\r\nHost: test\r\nX: a\x7fb\r\n\r\n", 400),
        ("vertical tab in a value", b"GET /version HTTP/1.1\r\nHost: test\r\nX: a\x0bb\r\n\r\n", 400),
        ("ESC in a name", b"GET /version HTTP/1.1\r\nHost: test\r\nX\x1b: y\r\n\r\n", 400),
    ]);
    answers(&[
        ("empty value", b"GET /version HTTP/1.1\r\nHost: test\r\nX:\r\n\r\n", 200),
        ("white space around the value", b"GET /version HTTP/1.1\r\nHost: \t test \t \r\n\r\n", 200),
        ("tab in the value", b"GET /version HTTP/1.1\r\nHost: test\r\nX: a\tb\r\n\r\n", 200),
        ("value that is not ASCII", "GET /version HTTP/1.1\r\nHost: test\r\nX: Касса\r\n\r\n".as_bytes(), 200),
        (
            "underscore in a name, as the Java client sends it",
            b"GET /version HTTP/1.1\r\nHost: test\r\nbuild_date: x\r\n\r\n",
            200,
        ),
        ("Upgrade is ignored", b"GET /version HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
        ("HTTP2-Settings are ignored", b"GET /version HTTP/1.1\r\nHost: test\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n", 200),
    ]);
}

/// Fields of a POST to /version, and the status the request must get. The body would be `x=1` if there is one.
fn post(fields: &str) -> Vec<u8> {
    format!("POST /version HTTP/1.1\r\nHost: test\r\n{fields}\r\n").into_bytes()
}

#[test]
fn rfc9112_6_2_content_length_is_digits_once() {
    let refused = [
        ("letters", "Content-Length: abc", 400),
        ("empty", "Content-Length:", 400),
        ("plus", "Content-Length: +3", 400),
        ("minus", "Content-Length: -3", 400),
        ("minus zero", "Content-Length: -0", 400),
        ("underscore", "Content-Length: 1_0", 400),
        ("octal", "Content-Length: 0o3", 400),
        ("hexadecimal", "Content-Length: 0x3", 400),
        ("space inside", "Content-Length: 3 3", 400),
        ("decimal point", "Content-Length: 3.0", 400),
        ("exponent", "Content-Length: 3e0", 400),
        ("list of different", "Content-Length: 3, 4", 400),
        ("list of equal", "Content-Length: 3, 3", 400),
        ("digits that are not ASCII", "Content-Length: ٣", 400),
        ("quoted", "Content-Length: \"3\"", 400),
        ("two different", "Content-Length: 3\r\nContent-Length: 4", 400),
        ("two equal", "Content-Length: 3\r\ncontent-length: 3", 400),
        ("vertical tab in front", "Content-Length: \x0b3", 400),
        ("past the limit", "Content-Length: 16385", 413),
        ("past 32 bits", "Content-Length: 4294967299", 413),
        ("past 64 bits", "Content-Length: 18446744073709551619", 413),
        ("far past 64 bits", "Content-Length: 99999999999999999999999999999999", 413),
    ];
    let requests = refused.map(|(name, fields, status)| (name, post(&format!("{fields}\r\n")), status));
    refuses(&requests.each_ref().map(|(name, request, status)| (*name, request.as_slice(), *status)));
    answers(&[
        ("body is read", b"POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nx=1", 405),
        ("zero", b"POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n", 405),
        ("leading zeros", b"POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: 003\r\n\r\nx=1", 405),
        ("no octal number", b"POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: 010\r\n\r\nx=1&y=2345", 405),
        ("two zeros", b"POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: 00\r\n\r\n", 405),
        ("none is zero", b"POST /check_firmware HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("white space around", b"POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: \t 3 \t\r\n\r\nx=1", 405),
        ("body of a GET", b"GET /version HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nx=1", 200),
        ("body of a HEAD", b"HEAD /version HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nx=1", 200),
        ("body of an OPTIONS", b"OPTIONS * HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nx=1", 204),
        (
            "body that looks like a request",
            b"POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            405,
        ),
        ("underscore is another field", b"GET /version HTTP/1.1\r\nHost: test\r\nContent_Length: 99\r\n\r\n", 200),
    ]);
}

#[test]
fn rfc9112_6_1_transfer_encoding_is_chunked_alone() {
    let body = "3\r\nx=1\r\n0\r\n\r\n";
    let refused = [
        ("both, CL first", "Content-Length: 3\r\nTransfer-Encoding: chunked", 400),
        ("both, TE first", "Transfer-Encoding: chunked\r\nContent-Length: 3", 400),
        ("twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        ("twice, different", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
        ("chunked in a list", "Transfer-Encoding: chunked, chunked", 400),
        ("trailing comma", "Transfer-Encoding: chunked,", 400),
        ("leading comma", "Transfer-Encoding: ,chunked", 400),
        ("chunked not last", "Transfer-Encoding: chunked, gzip", 400),
        ("empty", "Transfer-Encoding:", 400),
        ("vertical tab", "Transfer-Encoding: \x0bchunked", 400),
        ("form feed", "Transfer-Encoding: chunked\x0c", 400),
        ("NUL", "Transfer-Encoding: chunked\0", 400),
        ("quoted", "Transfer-Encoding: \"chunked\"", 400),
        ("parameter", "Transfer-Encoding: chunked;q=1", 400),
        ("space before the colon", "Transfer-Encoding : chunked", 400),
        ("folded", "Transfer-Encoding:\r\n chunked", 400),
        ("unknown", "Transfer-Encoding: xchunked", 501),
        ("identity", "Transfer-Encoding: identity", 501),
        ("gzip", "Transfer-Encoding: gzip", 501),
        ("gzip, chunked", "Transfer-Encoding: gzip, chunked", 501),
        ("identity with CL", "Transfer-Encoding: identity\r\nContent-Length: 3", 400),
        ("unknown with CL", "Transfer-Encoding: xchunked\r\nContent-Length: 3", 400),
    ];
    let requests = refused.map(|(name, fields, status)| {
        let request = format!("POST /version HTTP/1.1\r\nHost: test\r\n{fields}\r\n\r\n{body}");
        (name, request.into_bytes(), status)
    });
    refuses(&requests.each_ref().map(|(name, request, status)| (*name, request.as_slice(), *status)));
    refuses(&[
        ("in HTTP/1.0", b"POST /version HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nx=1\r\n0\r\n\r\n", 400),
        ("in HTTP/1.0 with CL", b"POST /version HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nx=1", 400),
    ]);
    answers(&[
        ("chunked", b"POST /version HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nx=1\r\n0\r\n\r\n", 405),
        (
            "in any case",
            b"POST /version HTTP/1.1\r\nHost: test\r\nTRANSFER-ENCODING: \tChunKed \r\n\r\n3\r\nx=1\r\n0\r\n\r\n",
            405,
        ),
        ("underscore is another field", b"GET /version HTTP/1.1\r\nHost: test\r\nTransfer_Encoding: chunked\r\n\r\n", 200),
    ]);
}

#[test]
fn rfc9112_7_1_chunks_keep_to_the_grammar() {
    let chunked = |body: &str| {
        format!("POST /check_firmware HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
    };
    let refused = [
        ("hex prefix", "0x3\r\nx=1\r\n0\r\n\r\n", 400),
        ("underscore", "1_0\r\nx=1\r\n0\r\n\r\n", 400),
        ("leading space", " 3\r\nx=1\r\n0\r\n\r\n", 400),
        ("trailing space", "3 \r\nx=1\r\n0\r\n\r\n", 400),
        ("minus", "-3\r\nx=1\r\n0\r\n\r\n", 400),
        ("plus", "+3\r\nx=1\r\n0\r\n\r\n", 400),
        ("empty size", "\r\nx=1\r\n0\r\n\r\n", 400),
        ("letters", "xyz\r\nx=1\r\n0\r\n\r\n", 400),
        ("size too small", "2\r\nx=1\r\n0\r\n\r\n", 400),
        ("size too large", "4\r\nx=1\r\n0\r\n\r\n", 400),
        ("content without CRLF", "3\r\nx=10\r\n\r\n", 400),
        ("bare LF behind the size", "3\nx=1\r\n0\r\n\r\n", 400),
        ("bare CR behind the size", "3\rx=1\r\n0\r\n\r\n", 400),
        ("bare LF behind the content", "3\r\nx=1\n0\r\n\r\n", 400),
        ("bare LF behind the last chunk", "3\r\nx=1\r\n0\n\n", 400),
        ("bare LF in an extension", "3;a\nb\r\nx=1\r\n0\r\n\r\n", 400),
        ("bare CR in an extension", "3;a\rb\r\nx=1\r\n0\r\n\r\n", 400),
        ("NUL in an extension", "3;a\0b\r\nx=1\r\n0\r\n\r\n", 400),
        ("bare semicolon", "3;\r\nx=1\r\n0\r\n\r\n", 400),
        ("extension without a name", "3;=x\r\nx=1\r\n0\r\n\r\n", 400),
        ("open quote in an extension", "3;a=\"b\r\nx=1\r\n0\r\n\r\n", 400),
        ("trailer without a colon", "3\r\nx=1\r\n0\r\nX\r\n\r\n", 400),
        ("trailer with space before the colon", "3\r\nx=1\r\n0\r\nX : y\r\n\r\n", 400),
        ("folded trailer", "3\r\nx=1\r\n0\r\nX: y\r\n z\r\n\r\n", 400),
        ("bare LF in trailers", "3\r\nx=1\r\n0\r\nX: y\n\r\n", 400),
        ("size past the limit", "4001\r\n", 413),
        ("size past 32 bits", "100000003\r\nx=1\r\n0\r\n\r\n", 413),
        ("size past 64 bits", "10000000000000003\r\nx=1\r\n0\r\n\r\n", 413),
    ];
    let requests = refused.map(|(name, body, status)| (name, chunked(body), status));
    refuses(&requests.each_ref().map(|(name, request, status)| (*name, request.as_slice(), *status)));
    let long_extension = chunked(&format!("3;{}\r\nx=1\r\n0\r\n\r\n", "a".repeat(65_536)));
    let many_trailers = chunked(&format!("3\r\nx=1\r\n0\r\n{}\r\n", "X: y\r\n".repeat(10_000)));
    refuses(&[("extension of 64 KiB", &long_extension, 413), ("trailers of 60 KiB", &many_trailers, 413)]);

    let date = "{\"build_date\": \"19.12.2017\"}";
    let accepted = [
        ("one chunk", format!("1c\r\n{date}\r\n0\r\n\r\n"), 200),
        ("upper-case size", format!("1C\r\n{date}\r\n0\r\n\r\n"), 200),
        ("leading zeros", format!("0000001c\r\n{date}\r\n000\r\n\r\n"), 200),
        ("many chunks", date.chars().map(|c| format!("1\r\n{c}\r\n")).collect::<String>() + "0\r\n\r\n", 200),
        ("extensions", format!("1c;a;b=c;d=\"e\\\"\"\r\n{date}\r\n0;x\r\n\r\n"), 200),
        ("trailers", format!("1c\r\n{date}\r\n0\r\nContent-Length: 5\r\nHost: x\r\nTransfer-Encoding: y\r\n\r\n"), 200),
        ("empty body", "0\r\n\r\n".to_owned(), 400),
    ];
    let requests = accepted.map(|(name, body, status)| (name, chunked(&body), status));
    answers(&requests.each_ref().map(|(name, request, status)| (*name, request.as_slice(), *status)));
}

#[test]
fn limits_on_heads_targets_and_bodies_have_their_status() {
    let with_field =
        |length: usize| format!("GET /version HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n", "a".repeat(length)).into_bytes();
    let with_fields =
        |count: usize| format!("GET /version HTTP/1.1\r\nHost: test\r\n{}\r\n", "X: y\r\n".repeat(count)).into_bytes();
    let with_target =
        |length: usize| format!("GET /version?{} HTTP/1.1\r\nHost: test\r\n\r\n", "a".repeat(length - 9)).into_bytes();
    // 42 bytes of the head are not the value.
    let (largest_head, fields_99, target_8k) = (with_field(16_384 - 42), with_fields(99), with_target(8192));
    answers(&[
        ("head of 16 KiB", &largest_head, 200),
        ("100 fields", &fields_99, 200),
        ("target of 8 KiB", &target_8k, 200),
        ("long method", format!("{} /version HTTP/1.1\r\nHost: test\r\n\r\n", "A".repeat(2000)).as_bytes(), 405),
    ]);
    assert_eq!(largest_head.len(), 16_384);
    refuses(&[
        ("head past 16 KiB", &with_field(16_384 - 41), 431),
        ("head of 100 KiB", &with_field(100_000), 431),
        ("101 fields", &with_fields(100), 431),
        ("10,000 fields", &with_fields(10_000), 431),
        ("long field name", format!("GET / HTTP/1.1\r\n{}: x\r\n\r\n", "a".repeat(20_000)).as_bytes(), 431),
        ("target past 8 KiB", &with_target(8193), 414),
        ("target of 100 KiB", &with_target(100_000), 414),
        ("method of 20 KiB", format!("{} / HTTP/1.1\r\n\r\n", "A".repeat(20_000)).as_bytes(), 501),
        ("endless line", "a".repeat(100_000).as_bytes(), 501),
    ]);
    let full = format!("POST /version HTTP/1.1\r\nHost: test\r\nContent-Length: 16384\r\n\r\n{}", "x".repeat(16_384));
    answers(&[("body of 16 KiB", full.as_bytes(), 405)]);
}

#[test]
fn rfc9110_10_1_1_expectations() {
    refuses(&[
        ("unknown", b"GET /version HTTP/1.1\r\nHost: test\r\nExpect: 200-ok\r\n\r\n", 417),
        ("two members", b"GET /version HTTP/1.1\r\nHost: test\r\nExpect: 100-continue, x\r\n\r\n", 417),
    ]);
    answers(&[
        ("without a body", b"GET /version HTTP/1.1\r\nHost: test\r\nExpect: 100-Continue\r\n\r\n", 200),
        (
            "body sent at once",
            b"POST /version HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nx=1",
            405,
        ),
    ]);

    let server = Server::start_plain("");
    let mut client = server.connect();
    let (head, body) = (
        "POST /check_firmware HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 28\r\n\r\n",
        "{\"build_date\": \"19.12.2017\"}",
    );
    client.send(head);
    assert_eq!(client.read_answer(false).status, 100, "the body is asked for");
    client.send(body);
    assert_eq!(client.read_answer(false).status, 200);
    // HTTP/1.0 clients do not know 100.
    let mut client = server.connect();
    client.send(head.replace("1.1", "1.0") + body);
    assert_eq!(client.read_answer(false).status, 200);
    // A body that will not be taken is not asked for.
    let answer = server.ask(head.replace("28", "16385"));
    assert_eq!(answer.status, 413);
}

#[test]
fn rfc9112_9_connections_live_as_long_as_the_client_wants() {
    let server = Server::start_plain("");
    let cases = [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.1", "Connection: foo, CLOSE ,bar\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("HTTP/1.1", "Connection: closed\r\n", true),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: keep-alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ];
    for (version, fields, lives) in cases {
        let mut client = server.connect();
        client.send(format!("GET /version {version}\r\nHost: test\r\n{fields}\r\n"));
        let answer = client.read_answer(false);
        let announced = if lives { "keep-alive" } else { "close" };
        assert_eq!((answer.status, answer.field("connection")), (200, Some(announced)), "{version} {fields:?}");
        client.send(SMUGGLED);
        assert_eq!(client.try_answer(false).is_some(), lives, "{version} {fields:?}");
    }
}

#[test]
fn rfc9112_9_3_2_pipelined_requests_are_answered_in_order() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    let check = check_request();
    let image = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n";
    let head = "HEAD /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n";
    client.send([&check, image, head, &check, "BREW /nothing HTTP/1.1\r\nHost: test\r\n\r\n", &check].concat());
    let statuses: Vec<_> =
        [false, false, true, false, false, false].map(|is_head| client.read_answer(is_head)).iter().map(summary).collect();
    let check = (200, statuses[0].1);
    assert_eq!(statuses, [check, (200, 491_520), (200, 0), check, (404, statuses[4].1), check]);
}

fn summary(answer: &Answer) -> (u16, usize) {
    (answer.status, answer.body.len())
}

#[test]
fn half_requests_are_never_answered_as_whole_ones() {
    let server = Server::start_plain("");
    let request = check_request();
    for length in [0, 1, 10, request.find("\r\n\r\n").expect("a head") + 2, request.len() - 28, request.len() - 1] {
        let mut client = server.connect();
        client.send(&request[..length]);
        client.stream.shutdown(Shutdown::Write).expect("half a close");
        assert_eq!(String::from_utf8_lossy(client.read_to_end()), "", "{length} bytes");
    }
    // The whole request in front of a half-close is answered.
    let mut client = server.connect();
    client.send(&request);
    client.stream.shutdown(Shutdown::Write).expect("half a close");
    assert_eq!(client.read_answer(false).status, 200);
}

#[test]
fn requests_split_at_any_byte_are_answered_alike() {
    let server = Server::start_plain("");
    let chunked = "POST /check_firmware HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n1c;a=\"b\"\r\n{\"build_date\": \"19.12.2017\"}\r\n0\r\nA: b\r\n\r\n";
    let expected = server.ask(check_request()).body;
    for request in [check_request().as_str(), chunked] {
        let mut client = server.connect();
        client.stream.set_nodelay(true).expect("no delay");
        for split in 1..request.len() {
            client.send(&request[..split]);
            client.send(&request[split..]);
            assert_eq!(client.read_answer(false).body, expected, "split at {split}");
        }
    }
    // One byte at a time.
    let mut client = server.connect();
    client.stream.set_nodelay(true).expect("no delay");
    chunked.bytes().for_each(|byte| client.send([byte]));
    assert_eq!(client.read_answer(false).body, expected);
}

#[test]
fn errors_about_firmware_files_have_an_empty_body() {
    let server = Server::start_plain("");
    let file = "/firmware/20260301/upd_app.bin";
    let requests = [
        (format!("GET {file} HTTP/1.1\r\nHost: te st\r\n\r\n"), 400),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nX : y\r\n\r\n"), 400),
        (format!("GET {file} HTTP/3.0\r\nHost: test\r\n\r\n"), 505),
        (format!("GET http://test{file} HTTP/1.1\r\n\r\n"), 400),
        (format!("GET {file} x HTTP/1.1\r\nHost: test\r\n\r\n"), 400),
        (format!("GET {file}{} HTTP/1.1\r\nHost: test\r\n\r\n", "a".repeat(9000)), 414),
        (format!("GET {file}{} HTTP/1.1\r\nHost: test\r\n\r\n", "a".repeat(50_000)), 414),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nContent-Length: 16385\r\n\r\n"), 413),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nExpect: x\r\n\r\n"), 417),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: x\r\n\r\n"), 501),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n", "a".repeat(20_000)), 431),
        (format!("GET /{} HTTP/1.1\r\nHost: test\r\n\r\n", "a".repeat(9000) + file), 414),
        (format!("GET\t{file}\tHTTP/1.1\r\nHost: test\r\n\r\n"), 400),
        (format!("GET  {file} HTTP/1.1\r\nHost: test\r\n\r\n"), 400),
        (format!("{file} HTTP/1.1\r\nHost: test\r\n\r\n"), 400),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"), 400),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nx"), 408),
        (format!("POST {file} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"), 405),
        (format!("GET /till{file} HTTP/1.1\r\nHost: test\r\n\r\n"), 404),
        (format!("GET /till{file} HTTP/1.1\r\nHost: te st\r\n\r\n"), 400),
        (format!("GET /{file} HTTP/1.1\r\nHost: test\r\n\r\n"), 404),
        (format!("GET http://test/{file} HTTP/1.1\r\nHost: test\r\n\r\n"), 404),
        ("GET /%66irmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n".to_owned(), 404),
        ("GET /till%2ffirmware%2F20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n".to_owned(), 404),
        ("GET /%66irmware/20260301/upd_app.bin HTTP/1.1\r\n\r\n".to_owned(), 400),
        (format!("GET /version/{file}?x HTTP/1.1\r\nHost: test\r\n\r\n"), 404),
        (format!("POST /check_firmware?{file} HTTP/1.1\r\nHost: test\r\n\r\n"), 400),
        (format!("GET {file}x HTTP/1.1\r\nHost: test\r\n\r\n"), 404),
        (format!("GET {file}/../x HTTP/1.1\r\nHost: test\r\n\r\n"), 403),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nRange: bytes=491520-\r\n\r\n"), 416),
        (format!("GET {file} HTTP/1.1\r\nHost: test\r\nIf-Match: \"x\"\r\n\r\n"), 412),
    ];
    let mut failures = Vec::new();
    for (request, status) in requests {
        let answer = server.ask(&request);
        let found = (answer.status, answer.field("content-length"), answer.text());
        if found != (status, Some("0"), String::new()) || answer.field("content-type").is_some() != (status == 416) {
            failures.push(format!("{:?}: {found:?} instead of {status}", &request[..request.len().min(100)]));
        }
    }
    assert_eq!(failures, [""; 0]);
}

#[test]
fn a_refused_head_gets_no_body() {
    refuses(&[
        ("bad Host", b"HEAD /version HTTP/1.1\r\nHost: te st\r\n\r\n", 400),
        ("bad field", b"HEAD /version HTTP/1.1\r\nHost: test\r\nX : y\r\n\r\n", 400),
        ("bad request line", b"HEAD /ver sion HTTP/1.1\r\nHost: test\r\n\r\n", 400),
        ("bad version", b"HEAD /version HTTP/7.1\r\nHost: test\r\n\r\n", 505),
        ("body too long", b"HEAD /version HTTP/1.1\r\nHost: test\r\nContent-Length: 16385\r\n\r\n", 413),
        ("bad chunk", b"HEAD /version HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        ("target too long", format!("HEAD /{} HTTP/1.1\r\nHost: test\r\n\r\n", "a".repeat(20_000)).as_bytes(), 414),
        ("head too long", format!("HEAD / HTTP/1.1\r\nHost: test\r\nX: {}\r\n\r\n", "a".repeat(20_000)).as_bytes(), 431),
    ]);
    // What a GET would have got is announced.
    let server = Server::start_plain("");
    let answer = server.ask("HEAD /version HTTP/1.1\r\nHost: te st\r\n\r\n");
    assert!(answer.field("content-length").is_some_and(|length| length != "0"));
}

#[test]
fn rfc9112_2_2_an_empty_line_after_a_body_is_no_request() {
    let server = Server::start_plain("");
    let mut client = server.connect();
    client.send(check_request() + "\r\n");
    assert_eq!(client.read_answer(false).status, 200);
    // Longer than a head may take, shorter than a connection may be idle.
    let patience = limits::HEAD_TIME + Duration::from_secs(2);
    assert!(patience < limits::IDLE_TIME);
    client.stream.set_read_timeout(Some(patience)).expect("a time-out");
    let unasked = client.stream.peek(&mut [0]).map_err(|error| error.kind());
    assert!(
        matches!(unasked, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        "the server says or does something: {unasked:?}"
    );
    client.send(check_request());
    assert_eq!(client.read_answer(false).status, 200);
}
