//! A check on a warm connection costs a handful of heap allocations: memory is what a router is short of, and time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::path::Path;

use susv::catalog::load_once;
use susv::config;
use susv::http::head::HeadParser;
use susv::http::request::Request;
use susv::http::response::ResponseHead;
use susv::registrars::Registrars;
use susv::routes::{self, Body, Circumstances};

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, and so from the system.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CHECK: &[u8] = b"POST /check_firmware HTTP/1.1\r\nContent-Type: application/json\r\nAccept-Charset: UTF-8\r\nbuild_date: 19.12.1999\r\n\
    Cache-Control: no-cache\r\nPragma: no-cache\r\nUser-Agent: Java/17.0.15\r\nHost: 127.0.0.1:8888\r\n\
    Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\nContent-Length: 28\r\n\r\n{\"build_date\": \"19.12.1999\"}";

#[test]
fn a_check_costs_a_handful_of_allocations() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = config::load(&project.join("config.ini")).expect("the shipped settings");
    let catalog = load_once(settings);
    let circumstances = Circumstances {
        local: SocketAddr::from(([127, 0, 0, 1], 8888)),
        now: Some(1_800_000_000),
        peer: [127, 0, 0, 1].into(),
        uptime: || 0,
        registrars: &Registrars::default(),
        is_stopping: false,
    };
    let mut out = Vec::with_capacity(2048);
    let mut answer = || {
        let head = HeadParser::default().advance(CHECK).expect("valid").expect("complete");
        let request = Request { bytes: CHECK, head: &head, body: &CHECK[head.length..] };
        let reply = routes::answer(&catalog, &request, &circumstances);
        let Body::Text(text) = &reply.body else { panic!("no text") };
        out.clear();
        let content_length = reply.body.length();
        ResponseHead { status: reply.status, now: circumstances.now, keep_alive: true, content_length, fields: &reply.fields }
            .write_to(&mut out);
        out.extend_from_slice(text.as_bytes());
        assert!(out.starts_with(b"HTTP/1.1 200 OK\r\n"));
    };
    answer();
    let before = COUNT.with(Cell::get);
    answer();
    let count = COUNT.with(Cell::get) - before;
    println!("{count} allocations");
    assert!(count <= 6, "{count}");
}
