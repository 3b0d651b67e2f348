//! All routes through an HTTP client that others wrote: what it takes for HTTP is not what we take for it.
//!
//! A package of its own, so that susv and its other tests are built without a network; `SUSV_BIN` names the program to test.

#[path = "../common/mod.rs"]
mod common;

use common::{Server, image, license_line, publish};
use susv::sha256;
use susv::text::to_hex;

const SETTINGS: &str = "current_firmware_version = 20260301\ncritical_version = 20260101\n";

#[test]
fn a_polite_client_gets_all_answers() {
    let server = Server::start(SETTINGS, |folder| {
        publish(folder, "20260301", 7);
        folder.write("licenses/a.slf", license_line(12345, 'c'));
    });
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(server.url("/check_firmware")).send("{\"build_date\": \"19.12.2017\"}").expect("an answer");
    let body = response.body_mut().read_to_string().expect("text");
    let expected = format!(
        "{{\"update_available\": true, \"critical\": true, \"version\": 20260301, \"description\": \"firmware 20260301\", \
         \"url\": \"http://{0}/firmware/20260301/upd_app.bin\", \"url_old_frs\": \"http://{0}/firmware/20260301/upd_app_for_old_frs.bin\"}}",
        server.address
    );
    assert_eq!(body, expected);
    for (name, bytes) in [("upd_app.bin", image(7)), ("upd_app_for_old_frs.bin", image(!7))] {
        let mut response = agent.get(server.url(&format!("/firmware/20260301/{name}"))).call().expect("an answer");
        let etag = response.headers()["etag"].to_str().expect("text").to_owned();
        assert_eq!(etag, format!("\"{}\"", to_hex(&sha256::hash(&bytes))));
        assert!(response.body_mut().read_to_vec().expect("bytes") == bytes, "{name}");
    }
    let mut response = agent.post(server.url("/feature_licenses")).send("{\"serial\": \"0000000000012345\"}").expect("an answer");
    let hex = "c".repeat(128);
    let body = response.body_mut().read_to_string().expect("text");
    assert_eq!(body, format!("{{\"licenses\": \"{hex}\", \"signature\": \"{hex}\"}}"));
    let response = agent.get(server.url("/version")).call().expect("an answer");
    assert_eq!(response.status(), 200);
    let response = agent.post(server.url("/check_firmware")).send("{}").expect("an answer");
    assert_eq!(response.status(), 400);
}
