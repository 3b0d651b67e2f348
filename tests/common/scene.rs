//! A catalog and what was seen, without a server: so registrars can have any address, and any time can have passed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use susv::catalog::{Catalog, load_once};
use susv::config;
use susv::http::forwarded::Way;
use susv::http::head::HeadParser;
use susv::http::request::Request;
use susv::registrars::{Check, DownloadStart, Registrars, Transfer};
use susv::routes::{self, Body, Circumstances, Reply};

use super::{Folder, license_line, publish};

/// The version that is offered where nothing else is said.
pub const VERSION: u32 = 20260301;
pub const HOUR: u32 = 3600;
pub const DAY: u32 = 86_400;

pub struct Scene {
    pub catalog: Arc<Catalog>,
    pub registrars: Arc<Registrars>,
    _folder: Folder,
}

impl Scene {
    /// Version 20260301 and one licence file.
    pub fn new(config: &str) -> Scene {
        Scene::prepared(&format!("current_firmware_version = 20260301\n{config}"), |folder| publish(folder, "20260301", 1))
    }

    /// What `prepare` publishes, and one licence file.
    pub fn prepared(config: &str, prepare: impl FnOnce(&Folder)) -> Scene {
        let folder = Folder::new();
        prepare(&folder);
        folder.write("licenses/a.slf", license_line(12345, 'a'));
        let file = folder.write("config.ini", config);
        let settings = config::load(&file).expect("valid settings");
        Scene { catalog: load_once(settings), registrars: Arc::default(), _folder: folder }
    }

    /// A check of the JavaPOS driver.
    pub fn check(&self, address: [u8; 4], now: u32, build_date: u32) {
        self.check_as(address, now, build_date, true);
    }

    /// A check of the driver, or of somebody else.
    pub fn check_as(&self, address: [u8; 4], now: u32, build_date: u32, is_driver: bool) {
        let caller = IpAddr::from(address);
        let choice = self.catalog.choose(caller, build_date);
        let chosen = choice.available.then_some(choice.version);
        let (is_java, has_field) = (is_driver, is_driver);
        let check = Check { caller, is_java, has_field, way: Way::Known, build_date, chosen, hold_repeats: true };
        self.registrars.check(&check, now);
    }

    /// The driver's download of 491,520 bytes, and how many of them arrived.
    pub fn load(&self, address: [u8; 4], now: u32, version: u32, transfer: Transfer, bytes: u64) {
        let caller = IpAddr::from(address);
        let start = DownloadStart { caller, is_java: true, offered_here: None, version: Some(version), start: 0, size: 491_520 };
        let mut download = self.registrars.begin_download(&start, now);
        download.note_position(bytes, now);
        match transfer {
            Transfer::Running => std::mem::forget(download),
            Transfer::Complete => download.complete(now),
            Transfer::Cut => drop(download),
        }
    }

    /// A check and, if it is followed by one, a download.
    pub fn note(&self, address: [u8; 4], now: u32, build_date: u32, download: Option<(Transfer, u64)>) {
        self.check(address, now, build_date);
        if let Some((transfer, bytes)) = download {
            self.load(address, now, VERSION, transfer, bytes);
        }
    }

    /// The body of the answer to a GET, `uptime` seconds after the start.
    pub fn get(&self, path: &str, language: &str, uptime: fn() -> u32) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: 10.1.2.3:8888\r\nAccept-Language: {language}\r\n\r\n");
        match self.answer(request.as_bytes(), uptime).body {
            Body::Text(text) => text,
            _ => panic!("no text"),
        }
    }

    /// The answer to a request without a body.
    pub fn answer(&self, request: &[u8], uptime: fn() -> u32) -> Reply {
        let head = HeadParser::default().advance(request).expect("a valid head").expect("a whole head");
        let request = Request { bytes: request, head: &head, body: b"" };
        let circumstances = Circumstances {
            local: SocketAddr::from(([127, 0, 0, 1], 8888)),
            // 18:05:12 UTC on some day.
            now: Some(1_772_359_200 / 86_400 * 86_400 + 18 * 3600 + 5 * 60 + 12),
            uptime,
            peer: [127, 0, 0, 1].into(),
            registrars: &self.registrars,
            is_stopping: false,
        };
        routes::answer(&self.catalog, &request, &circumstances)
    }
}
