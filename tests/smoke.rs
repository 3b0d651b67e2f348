//! The shortest whole life: start, check, licence, download, version, stop. For builds that are too slow to emulate in full.

mod common;

use common::{Server, check_request, image};
use susv::json::{self, Value};

#[test]
fn it_starts_answers_and_stops() {
    let mut server = Server::start_plain("");
    assert!(server.ask(check_request()).text().starts_with("{\"update_available\": true, "));
    let license = server.post("/feature_licenses", "{\"serial\": \"0000000000012345\"}");
    assert_eq!((license.status, license.text().contains(&"a".repeat(128))), (200, true));
    let download = server.get("/firmware/20260301/upd_app.bin");
    assert!(download.status == 200 && download.body == image(1));

    // A build for another machine says so.
    let answer = server.get("/version");
    let version = json::parse(&answer.body).expect("JSON");
    let target = version.member("target").and_then(Value::as_str).expect("a target");
    match std::env::var("SUSV_EXPECTED_TARGET") {
        Ok(expected) => assert_eq!(target, expected),
        Err(_) => assert!(target.contains("-linux-"), "{target}"),
    }
    server.signal(15);
    assert_eq!(server.wait().code(), Some(0));
}
