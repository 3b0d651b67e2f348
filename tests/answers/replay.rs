//! Replays all recorded answers of the server we replace (`tests/data/answers.jsonl`).
//!
//! Where we differ on purpose, a rule below says so.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::common::{Answer, Folder, Server, image, license_line};
use susv::catalog::load_once;
use susv::config;
use susv::http::framing::Framing;
use susv::http::head::HeadParser;
use susv::http::request::Request;
use susv::json::{self, Value};
use susv::registrars::{self, Registrars};
use susv::routes::{self, Body, Circumstances};

/// 2018-01-25 12:34:56 UTC, the date of all files in the recording.
const FILE_TIME: u64 = 1_516_883_696;

/// One recorded exchange.
struct Case {
    profile: String,
    name: String,
    request: Vec<u8>,
    status: u16,
    fields: BTreeMap<String, String>,
    body: Option<String>,
}

fn read_cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/answers.jsonl");
    let text = fs::read_to_string(path).expect("the recording");
    text.lines().map(|line| read_case(&json::parse(line.as_bytes()).expect("JSON"))).collect()
}

fn read_case(value: &Value<'_>) -> Case {
    let text = |name: &str| value.member(name).and_then(Value::as_str).expect(name).to_owned();
    let request = match value.member("request").expect("a request") {
        Value::String(text) => text.as_bytes().to_vec(),
        object => decode_base64(object.member("base64").and_then(Value::as_str).expect("base64")),
    };
    let Some(Value::Number(status)) = value.member("status") else { panic!("no status") };
    let Some(Value::Object(fields)) = value.member("headers") else { panic!("no headers") };
    let fields = fields.iter().map(|(name, value)| (name.to_string(), value.as_str().expect("text").to_owned())).collect();
    Case {
        profile: text("profile"),
        name: text("case"),
        request,
        status: status.parse().expect("a number"),
        fields,
        body: value.member("body").and_then(Value::as_str).map(str::to_owned),
    }
}

fn decode_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | ALPHABET.iter().position(|known| *known == byte).expect("base64") as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

/// The files of the recording.
fn prepare(folder: &Folder, profile: &str) {
    let files: [(&str, Vec<u8>); 14] = [
        ("20180125/upd_app.bin", image(1)),
        ("20180125/upd_app_for_old_frs.bin", image(2)),
        ("20171220/upd_app.bin", (b'a'..=b'z').collect()),
        ("20171220/upd_app_for_old_frs.bin", (b'A'..=b'Z').collect()),
        ("20171220/empty.bin", Vec::new()),
        ("notes.txt", vec![b'n'; 15]),
        ("arc.zip", [b"PK\x05\x06".as_slice(), &[0; 18]].concat()),
        ("arc.gz", vec![1; 14]),
        ("arc.tar.gz", vec![1; 14]),
        ("noext", b"noext\n".to_vec()),
        ("lic.slf", vec![b'l'; 4]),
        ("UPPER.BIN", vec![b'u'; 6]),
        ("with space+plus.bin", vec![b'w'; 6]),
        ("100%.bin", vec![b'p'; 8]),
    ];
    for (path, content) in files {
        let path = folder.write(&format!("firmware/{path}"), content);
        let file = File::options().write(true).open(path).expect("a file");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(FILE_TIME)).expect("its time");
    }
    let firmware = folder.path().join("firmware");
    symlink("20171220/upd_app.bin", firmware.join("link_in.bin")).expect("a link");
    symlink("20171220", firmware.join("link_dir")).expect("a link");
    symlink("nothing.bin", firmware.join("link_dangling.bin")).expect("a link");

    let (hex_a, hex_b) = ("a".repeat(128), "B".repeat(128));
    let (signature_a, signature_b) = ("0f".repeat(64), "1E".repeat(64));
    let licenses = match profile {
        "lic_crlf" => format!("0000000000012345\t{hex_a}\t{signature_a}\r\n1000000000012345\t{hex_b}\t{signature_b}\r\n"),
        "lic_dup_serial" => format!("0000000000012345\t{hex_a}\t{signature_a}\n0000000000012345\t{hex_b}\t{signature_b}\n"),
        _ => {
            let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("licenses/sample.slf");
            fs::read_to_string(sample).expect("the sample") + &license_line(777, '7')
        }
    };
    folder.write("licenses/licenses.slf", licenses);
}

/// The settings of a profile; the description is read back from its answers.
fn settings(profile: &str, description: &str) -> String {
    let critical = if profile == "critical_gt_version" { "20190101" } else { "20171220" };
    format!(
        "current_firmware_version = 20180125\nmin_image_kb = 0\ncritical_version = {critical}\ncurrent_firmware_description = {description}\n"
    )
}

/// Where we differ on purpose: the answer to expect instead of the recorded one. Several rules may apply.
fn apply_rules(case: &mut Case) {
    let request = String::from_utf8_lossy(&case.request).into_owned();
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    let (method, target) = {
        let mut words = head.split([' ', '\r']);
        (words.next().expect("a method"), words.next().expect("a target"))
    };
    let is_firmware = target.starts_with("/firmware/");
    let json_depth = body.bytes().filter(|byte| *byte == b'[').count();
    let has_field = |text: &str| head.contains(&format!("\r\n{text}"));

    // HEAD works wherever GET does.
    if method == "HEAD" && target == "/version" {
        (case.status, case.body) = (200, None);
        case.fields = BTreeMap::from([("content-type".to_owned(), "application/json; charset=UTF-8".to_owned())]);
    }
    // The status page, which the reference does not have.
    if target == "/" {
        case.status = if matches!(method, "GET" | "HEAD") { 200 } else { 405 };
        case.body = None;
        case.fields.retain(|name, _| name != "content-type" && name != "content-length");
    }
    // Where the reference crashes, the request was at fault: 400 with a reason.
    if case.status == 500 {
        case.status = 400;
    }
    // JSON is read to a depth of 32: the parser recurses, and threads have small stacks.
    if json_depth > 32 {
        case.status = 400;
    }
    // A target with a byte that no URI may hold is refused before it is looked up (RFC 9112 §3.2).
    if target.contains('#') || !target.is_ascii() {
        case.status = 400;
    }
    // OPTIONS says which methods a path takes.
    if method == "OPTIONS" && case.status == 405 {
        (case.status, case.body) = (204, None);
        case.fields.clear();
    }
    // HEAD ignores Range (RFC 9110 §14.2).
    if method == "HEAD" && has_field("Range") && matches!(case.status, 206 | 416) {
        case.status = 200;
        case.fields.remove("content-range");
        case.fields.insert("content-length".to_owned(), "26".to_owned());
        case.fields.insert("content-type".to_owned(), "application/octet-stream".to_owned());
    }
    // If-Range and If-Match are honoured.
    let is_other = head.contains("\"other\"");
    if is_other && has_field("If-Range") {
        case.status = 200;
        case.fields.remove("content-range");
        case.fields.insert("content-length".to_owned(), "26".to_owned());
        case.body = Some(('a'..='z').collect());
    }
    if is_other && has_field("If-Match") {
        case.status = 412;
    }
    // Numbers are ASCII digits: Python's `1_0` is none, and a range we do not understand is ignored.
    if has_field("Range: bytes=1_0") {
        case.status = 200;
        case.fields.remove("content-range");
        case.fields.insert("content-length".to_owned(), "26".to_owned());
        case.body = Some(('a'..='z').collect());
    }
    // Error pages become JSON with a reason, and nothing at all under /firmware/: the shell client flashes what it is sent.
    if case.status >= 400 && case.status != 416 {
        case.fields.clear();
        case.body = None;
        if is_firmware {
            case.fields.insert("content-length".to_owned(), "0".to_owned());
        } else {
            case.fields.insert("content-type".to_owned(), "application/json; charset=UTF-8".to_owned());
        }
    }
    // ETags are our own: there must be one for a file, and /version needs none.
    if !is_firmware {
        case.fields.remove("etag");
    }
}

/// The driver is given a fresh number as the version: puts the recorded version in its place.
fn undo_number(case: &Case, mut answer: Answer) -> Answer {
    let text = String::from_utf8_lossy(&case.request).into_owned();
    let is_drivers = text.contains("\r\nbuild_date: ") && text.contains("\r\nUser-Agent: Java/");
    let body = answer.text();
    let number = body.split("\"version\": ").nth(1).and_then(|rest| rest.split(',').next()).map(str::to_owned);
    let Some(number) = number.filter(|_| is_drivers && body.contains("\"update_available\": true")) else { return answer };
    let is_fresh = number.parse().is_ok_and(|number| (registrars::FIRST_NUMBER..=registrars::LAST_NUMBER).contains(&number));
    assert!(is_fresh, "{body}");
    answer.body = body.replacen(&number, "20180125", 1).into_bytes();
    let length = answer.body.len().to_string();
    answer.fields.iter_mut().filter(|(name, _)| name == "content-length").for_each(|(_, value)| value.clone_from(&length));
    answer
}

fn compare(case: &Case, answer: &Answer, problems: &mut Vec<String>) {
    let mut fail = |what: String| problems.push(format!("{} | {}: {what}", case.profile, case.name));
    if answer.status != case.status {
        fail(format!("status {} instead of {}; body {:?}", answer.status, case.status, answer.text()));
        return;
    }
    for (name, value) in &case.fields {
        match (name.as_str(), answer.field(name)) {
            ("etag", Some(found)) if found.len() > 2 && found.starts_with('"') && found.ends_with('"') => {}
            (_, Some(found)) if found == value => {}
            (_, found) => fail(format!("{name} {found:?} instead of {value:?}")),
        }
    }
    if let Some(body) = &case.body
        && answer.text() != *body
    {
        fail(format!("body {:?} instead of {body:?}", answer.text()));
    }
    let has_content = case.request.starts_with(b"HEAD ") || answer.status == 304;
    let is_api_error = answer.status >= 400 && answer.field("content-type") == Some("application/json; charset=UTF-8");
    if is_api_error && !has_content {
        let message = json::parse(&answer.body).ok().and_then(|value| Some(value.member("error")?.as_str()?.len()));
        if message.is_none_or(|length| length < 10) {
            fail(format!("no error message in {:?}", answer.text()));
        }
    }
    if answer.status == 405 && answer.field("allow").is_none() {
        fail("405 without Allow".to_owned());
    }
}

/// The values of `{ETAG}` and `{LM}` in recorded requests.
fn fill_in(case: &mut Case, server: &Server) {
    let text = String::from_utf8_lossy(&case.request).into_owned();
    if text.contains("{ETAG}") || text.contains("{LM}") {
        let current = server.get("/firmware/20171220/upd_app.bin");
        let value = |name| current.field(name).expect("a validator").to_owned();
        case.request = text.replace("{ETAG}", &value("etag")).replace("{LM}", &value("last-modified")).into_bytes();
    }
}

#[test]
fn recorded_answers_are_given_again() {
    let mut profiles: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in read_cases() {
        profiles.entry(case.profile.clone()).or_default().push(case);
    }
    let (mut problems, mut count) = (Vec::new(), 0);
    for (profile, mut cases) in profiles {
        count += cases.len();
        let description = cases.iter().find_map(|case| {
            let value = json::parse(case.body.as_ref()?.as_bytes()).ok()?;
            Some(value.member("description")?.as_str()?.to_owned())
        });
        let description = description.unwrap_or_else(|| "super firmware 20180125".to_owned());
        cases.iter_mut().for_each(apply_rules);
        if description.contains('\n') {
            // A description that no line of the configuration can hold: only the routes can be asked.
            replay_in_library(&profile, &description, &cases, &mut problems);
            continue;
        }
        let server = Server::start(&settings(&profile, &description), |folder| prepare(folder, &profile));
        for case in &mut cases {
            fill_in(case, &server);
            let answer = server.ask(&case.request);
            compare(case, &undo_number(case, answer.clone()), &mut problems);
            if case.request.starts_with(b"GET /version ") {
                check_version(&answer);
            }
        }
    }
    assert_eq!(problems, [""; 0], "{} of {count} recorded answers differ", problems.len());
    assert_eq!(count, 236);
}

fn check_version(answer: &Answer) {
    let value = json::parse(&answer.body).expect("JSON");
    let Value::Object(members) = &value else { panic!("no object") };
    let names: Vec<_> = members.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["susv", "server", "rust", "target", "system"]);
    assert_eq!(value.member("server").and_then(Value::as_str), Some("1.0"));
    assert!(value.member("target").and_then(Value::as_str).is_some_and(|target| target.contains("-linux-")));
}

fn replay_in_library(profile: &str, description: &str, cases: &[Case], problems: &mut Vec<String>) {
    let folder = Folder::new();
    prepare(&folder, profile);
    let text = settings(profile, "");
    let mut settings = config::parse(&folder.path().join("config.ini"), text.as_bytes()).valid().expect("valid settings");
    settings.description = Some(description.to_owned());
    let catalog = load_once(settings);
    let circumstances = Circumstances {
        local: SocketAddr::from(([127, 0, 0, 1], 8888)),
        now: None,
        uptime: || 0,
        peer: [127, 0, 0, 1].into(),
        registrars: &Registrars::default(),
        is_stopping: false,
    };
    for case in cases {
        let head = HeadParser::default().advance(&case.request).expect("valid").expect("complete");
        let Framing::Length(length) = head.framing else { panic!("chunked") };
        let body = &case.request[head.length..head.length + length];
        let reply = routes::answer(&catalog, &Request { bytes: &case.request, head: &head, body }, &circumstances);
        let Body::Text(text) = reply.body else { panic!("no text") };
        let mut fields: Vec<_> =
            reply.fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect();
        fields.push(("content-length".to_owned(), text.len().to_string()));
        compare(case, &Answer { status: reply.status.code(), fields, body: text.into_bytes() }, problems);
    }
}
