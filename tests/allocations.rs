//! A check on a warm connection costs a handful of heap allocations: memory is what a router is short of, and time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use susv::catalog::load_once;
use susv::config;
use susv::http::forwarded::Way;
use susv::http::head::HeadParser;
use susv::http::request::Request;
use susv::http::response::ResponseHead;
use susv::registrars::{Check, DownloadStart, Registrars, Standing, Told};
use susv::routes::{self, Body, Circumstances};

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// Bytes in use, with what the allocator needs for each piece of memory.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// What glibc and musl add to a piece at most, on 64 bits.
const PIECE: isize = 16;

fn add_live(bytes: isize) {
    LIVE.with(|live| live.set(live.get() + bytes));
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        add_live(layout.size() as isize + PIECE);
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add_live(-(layout.size() as isize) - PIECE);
        // SAFETY: the pointer came from `alloc` above, and so from the system.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        add_live(size as isize - layout.size() as isize);
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

#[test]
fn registrars_take_2_mb_at_most_under_an_attacker_and_the_tills_are_not_forgotten() {
    let registrars = Arc::new(Registrars::default());
    let before = LIVE.with(Cell::get);
    let check = |caller, build_date| Check {
        caller,
        is_java: true,
        has_field: true,
        way: Way::Known,
        build_date,
        chosen: Some(20260301),
        hold_repeats: true,
    };
    let take = |caller, now| {
        let start = DownloadStart { caller, is_java: true, offered_here: None, version: Some(20260301), start: 0, size: 491_520 };
        registrars.begin_download(&start, now).complete(now);
    };
    // Four hundred tills that have the version, and an attacker that claims every minute to be a hundred others of random dates,
    // each of which has loaded it too.
    let till = |number: u32| IpAddr::from([10, 0, (number / 256) as u8, number as u8]);
    for number in 0..400 {
        registrars.check(&check(till(number), 20171219), 0);
        take(till(number), 1);
    }
    let (mut random, mut most) = (1_u64, 0);
    for now in (60..36_000).step_by(60) {
        for _ in 0..100 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let attacker = IpAddr::from((0xfd00_u128 << 112 | u128::from(random >> 50)).to_be_bytes());
            registrars.check(&check(attacker, 20000101 + (random >> 33) as u32 % 20), now);
            if random >> 63 == 1 {
                take(attacker, now);
            }
        }
        for number in (0..400).filter(|_| now % 600 == 0) {
            let told = registrars.check(&check(till(number), 20171219), now).told;
            assert!(matches!(told, Told::Held(_)), "{number} at {now}: {told:?}");
        }
        most = most.max(LIVE.with(Cell::get) - before);
    }
    let snapshot = registrars.snapshot(36_000, |_, _| Standing { version: Some(20260301), is_critical: false });
    println!("{} registrars in at most {most} bytes", snapshot.registrars.len());
    assert!((2048..=4096).contains(&snapshot.registrars.len()));
    assert!((500_000..=2 << 20).contains(&most), "{most}");
}
