//! The status page: the worst first, registrars by what they need, the filter, both languages; and what tests/page.py shows to a
//! browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::common::scene::{DAY, HOUR, Scene, VERSION};
use crate::common::{Folder, Server, check_request, image, publish, wait_until};
use susv::registrars::Transfer;
use susv::routes::Body;

/// When the page is asked for: 20 days after the start.
const NOW: u32 = 20 * DAY;

fn now() -> u32 {
    NOW
}

/// Tills that took the version two days ago and are still old, and that cannot load it.
fn add_stuck(scene: &Scene) {
    scene.note([192, 168, 1, 43], NOW - 3 * DAY, 20171219, Some((Transfer::Complete, 491_520)));
    scene.check([192, 168, 1, 43], NOW - 300, 20171219);
    for back in [3000, 2000, 1000] {
        scene.note([192, 168, 1, 44], NOW - back, 20171219, Some((Transfer::Cut, 302_809)));
    }
}

/// A till that shows that the folder is named later than its firmware.
fn add_mislabelled(scene: &Scene) {
    scene.note([192, 168, 1, 20], NOW - DAY, 20171219, Some((Transfer::Complete, 491_520)));
    scene.check([192, 168, 1, 20], NOW - 500, 20260227);
}

fn add_silent(scene: &Scene) {
    for (last, days) in [(61, 2), (62, 3), (70, 9)] {
        scene.check([192, 168, 1, last], NOW - days * DAY - HOUR, VERSION);
    }
}

/// One of each state on its way, two tills behind one address, and one that is up to date.
fn add_normal(scene: &Scene) {
    scene.check([192, 168, 1, 101], NOW - 60, 20171219);
    scene.check([192, 168, 1, 102], NOW - 90, 20190201);
    scene.note([192, 168, 1, 103], NOW - 30, 20190201, Some((Transfer::Running, 65_536)));
    scene.note([192, 168, 1, 104], NOW - 200, 20190201, Some((Transfer::Cut, 4096)));
    scene.note([192, 168, 1, 105], NOW - 7000, 20190201, Some((Transfer::Complete, 491_520)));
    for round in (1..8).rev() {
        scene.check([192, 168, 1, 106], NOW - round * 600, VERSION);
        scene.check([192, 168, 1, 106], NOW - round * 600 + 5, VERSION);
    }
}

/// 300 tills of a chain in the middle of an update.
fn add_many(scene: &Scene) {
    for number in 0..240 {
        scene.check([192, 168, 2, number], NOW - 600 + u32::from(number), VERSION);
    }
    for number in 0..48 {
        let address = [192, 168, 3, number];
        match number % 4 {
            0 => scene.check(address, NOW - 300, 20171219),
            1 => scene.check(address, NOW - 200, 20190201),
            2 => scene.note(address, NOW - 50, 20190201, Some((Transfer::Running, 100_000))),
            _ => scene.note(address, NOW - 5 * HOUR, 20190201, Some((Transfer::Complete, 491_520))),
        }
    }
    add_stuck(scene);
    add_silent(scene);
    add_normal(scene);
    scene.check([192, 168, 1, 107], NOW - 10, VERSION);
}

const SETTINGS: &str = "current_firmware_version = latest\ncritical_version = 20180101\n";

/// Version 20260301 is whole; of 20260501 an image is missing.
fn publish_refused(folder: &Folder) {
    publish(folder, "20260301", 1);
    folder.write("firmware/20260501/upd_app.bin", image(2));
}

/// A pilot of two addresses besides the version for everybody.
fn publish_pilot(folder: &Folder) {
    publish(folder, "20260301", 1);
    publish(folder, "20260501", 2);
    folder.write("firmware/20260501/offer.ini", "only_for = 192.168.1.101, 192.168.1.106\ndescription = pilot\n");
}

/// Names of a file and a description that would break a careless page.
const HOSTILE: &str = "<script>document.title='broken'<_script>\"'&\u{202e}\u{2066}end";

fn publish_hostile(folder: &Folder) {
    publish(folder, "20260301", 1);
    folder.write("firmware/20260301/offer.ini", format!("description = {HOSTILE}\n"));
    folder.write(&format!("licenses/{HOSTILE}.slf"), "no licence\n");
    folder.write(&format!("licenses/{}.slf", "long-name-without-a-space".repeat(8)), "no licence\n");
}

fn scene(name: &str) -> Scene {
    let plain = || Scene::prepared(SETTINGS, |folder| publish(folder, "20260301", 1));
    let (scene, parts): (Scene, &[fn(&Scene)]) = match name {
        "empty" => (plain(), &[]),
        "three" => (
            plain(),
            &[|scene| {
                (1..4).for_each(|last| scene.check([192, 168, 1, last], NOW - 60, if last == 1 { 20171219 } else { VERSION }))
            }],
        ),
        "many" => (Scene::prepared(SETTINGS, publish_refused), &[add_many]),
        "silent" => (plain(), &[add_silent, add_normal]),
        "refused" => (Scene::prepared(SETTINGS, publish_refused), &[add_normal]),
        "stuck" => (plain(), &[add_stuck, add_normal]),
        "mislabelled" => (plain(), &[add_mislabelled, add_normal]),
        "pilot" => (Scene::prepared(SETTINGS, publish_pilot), &[add_normal]),
        "nothing" => {
            let publish_half = |folder: &Folder| drop(folder.write("firmware/20260301/upd_app.bin", image(1)));
            (Scene::prepared("current_firmware_version = 20260301", publish_half), &[add_normal])
        }
        "hostile" => (Scene::prepared(SETTINGS, publish_hostile), &[add_normal]),
        _ => panic!("{name}"),
    };
    parts.iter().for_each(|add| add(&scene));
    scene
}

/// What stands between two marks.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page.split_once(before).unwrap_or_else(|| panic!("{before} in {page}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("{after} in {rest}")).0
}

fn headline(page: &str) -> &str {
    between(page, "<h1 class=", "</h1>")
}

#[test]
fn the_headline_says_the_worst_first() {
    let cases = [
        ("empty", "good>In order; no till has asked yet", "good>Всё в порядке; кассы ещё не обращались"),
        ("three", "good>In order", "good>Всё в порядке"),
        ("pilot", "good>In order", "good>Всё в порядке"),
        ("silent", "warning>3 silent", "warning>3 молчат"),
        ("refused", "warning>20260501 is refused · 1 problem", "warning>20260501 не принята · 1 проблема"),
        ("stuck", "bad>2 tills need hands", "bad>2 кассы требуют вмешательства"),
        ("mislabelled", "bad>1 till needs hands", "bad>1 касса требует вмешательства"),
        ("nothing", "bad>Nothing can be offered · 1 problem", "bad>Предложить нечего · 1 проблема"),
        ("hostile", "warning>2 problems", "warning>2 проблемы"),
        (
            "many",
            "bad>2 tills need hands · 20260501 is refused · 3 silent · 1 problem",
            "bad>2 кассы требуют вмешательства · 20260501 не принята · 3 молчат · 1 проблема",
        ),
    ];
    for (name, english, russian) in cases {
        let scene = scene(name);
        for (language, expected) in [("en", english), ("ru", russian)] {
            let page = scene.get("/", language, now);
            assert_eq!(headline(&page), expected, "{name}");
            let first = expected.split_once('>').expect("a class").1.split(" · ").next().expect("a part");
            let title = between(&page, "<title>", "</title>");
            assert!(title.starts_with(&format!("{first} · ")) && title.ends_with(" (10.1.2.3:8888)"), "{title}");
            assert!(page.contains(&format!("<html lang={language}>")) && page.contains("18:05:12 UTC"), "{name}");
            assert!(!page.contains("/tmp/") && !page.contains("susv-test-"), "no path of this machine: {page}");
        }
    }
}

#[test]
fn while_nothing_is_offered_nobody_is_up_to_date() {
    for (language, told, wrong) in [("en", "no update", "up to date"), ("ru", "нет версии", "актуальн")] {
        let page = scene("nothing").get("/", language, now);
        assert!(page.contains(&format!("<b>6</b>{told}</a>")) && page.contains(&format!("<td>{told}<td>")), "{page}");
        assert!(!page.replace("?q=up+to+date", "").contains(wrong), "{page}");
    }
}

#[test]
fn a_wrong_label_that_one_stranger_shows_is_no_alarm() {
    let scene = scene("empty");
    scene.check_as([10, 0, 0, 1], NOW - 100, 20171219, false);
    scene.load([10, 0, 0, 1], NOW - 90, VERSION, Transfer::Complete, 491_520);
    scene.check_as([10, 0, 0, 1], NOW - 80, 20260227, false);
    assert_eq!(headline(&scene.get("/", "en", now)), "warning>1 till needs hands");
    scene.check_as([10, 0, 0, 2], NOW - 100, 20171219, false);
    scene.load([10, 0, 0, 2], NOW - 90, VERSION, Transfer::Complete, 491_520);
    scene.check_as([10, 0, 0, 2], NOW - 80, 20260227, false);
    assert_eq!(headline(&scene.get("/", "en", now)), "bad>2 tills need hands");
}

#[test]
fn tills_are_grouped_by_what_they_need_and_sorted_by_address() {
    let page = scene("many").get("/", "en", now);
    for (count, name) in [(2, "needs hands"), (3, "silent"), (53, "under way"), (242, "up to date")] {
        assert!(page.contains(&format!("<b>{count}</b>{name}</a>")), "{name}: {page}");
    }
    let order = ["<h2 class=bad>Needs hands 2", "<h2 class=warning>Silent 3", "<h2 class=warning>Problems 1"];
    let folded = ["<summary>Under way 53", "<summary>Up to date 242", "<summary>Firmware 1", "<summary>Licences 1"];
    let places: Vec<_> = order.iter().chain(&folded).map(|text| page.find(text).unwrap_or_else(|| panic!("{text}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    let up_to_date = between(&page, "<summary>Up to date", "</details>");
    let addresses: Vec<_> = up_to_date.split("<th scope=row>").skip(1).map(|row| row.split('<').next().expect("one")).collect();
    assert_eq!(addresses.len(), 242);
    assert_eq!(addresses[..3], ["192.168.1.106 (2 tills)", "192.168.1.107", "192.168.2.0"]);
    assert!(!between(&page, "<main>", "<h2 class=bad>").contains("192.168"), "nothing before those that need hands");
    assert!(
        page.contains("Offered <span class=mono>20260301</span>; newer <span class=mono>20260501</span> refused: IMAGE-MISSING")
    );
    assert!(page.contains("<b>IMAGE-MISSING</b> <span class=mono>firmware/20260501/upd_app_for_old_frs.bin</span>: "), "{page}");
}

#[test]
fn each_till_shows_what_was_seen_of_it_and_what_to_do() {
    let (stuck, normal) = (scene("stuck"), scene("refused"));
    let page = stuck.get("/", "en", now);
    let row = between(&page, "<th scope=row>192.168.1.44", "\n");
    let expected = "<td class=bad>stuck<td>19.12.2017<td>16 min ago<td>3×, 16 min ago<td>\
                    <td><span class=mono>20260301</span> cut, 302,809 of 491,520 bytes, 16 min ago\
                    <tr class=note><td colspan=7>its last 3 downloads were cut: look at its network link";
    assert!(row.starts_with(expected), "{row}");
    assert!(between(&page, "<th scope=row>192.168.1.43", "\n").contains("took 20260301 72 h ago and still reports 19.12.2017"));
    let russian = stuck.get("/", "ru", now);
    let row = between(&russian, "<th scope=row>192.168.1.44", "\n");
    assert!(row.contains("302\u{a0}809 из 491\u{a0}520 байт") && row.contains("проверьте её сетевое подключение"), "{row}");
    let page = normal.get("/", "en", now);
    for (last, state) in
        [("101", "critical"), ("102", "update offered"), ("103", "downloading"), ("104", "cut"), ("105", "taken")]
    {
        let row = between(&page, &format!("<th scope=row>192.168.1.{last}"), "\n");
        assert!(row.starts_with(&format!("<td>{state}<td>")), "progress is no warning: {row}");
    }
    assert!(between(&page, "<th scope=row>192.168.1.105", "\n").contains("flashes it when its shift is closed"), "{page}");
    assert!(page.contains("critical 1, update offered 1, downloading 1, cut 1, taken 1"));
    let page = scene("mislabelled").get("/", "ru", now);
    assert!(between(&page, "<h2 class=bad>", "<details>").contains("переименуйте папку в 20260227"), "{page}");
}

#[test]
fn offers_tell_whom_they_are_for_and_who_has_them() {
    let page = scene("pilot").get("/", "en", now);
    assert!(page.contains("Offered <span class=mono>20260501</span> to 2, <span class=mono>20260301</span> to 4"), "{page}");
    let offers = between(&page, "<summary>Firmware 2", "</table>");
    assert!(
        offers.contains("<td>only_for 192.168.1.101, 192.168.1.106<td>2<td>0<td>pilot (critical if built before"),
        "{offers}"
    );
    assert!(offers.contains("<td>everyone<td>4<td>0<td>firmware 20260301"), "{offers}");
    let report = scene("pilot").get("/status", "en", now);
    assert!(report.contains("\"version\": 20260501, \"critical_version\""), "today's keys are the newest one's: {report}");
    let offers = between(&report, "\"offers\": [", "\"problems\"");
    assert!(
        offers.contains("\"for\": \"only_for 192.168.1.101, 192.168.1.106\", \"registrars\": 2, \"up_to_date\": 0"),
        "{offers}"
    );
    let report = scene("three").get("/status", "en", now);
    assert!(report.contains("\"for\": \"\", \"registrars\": 3, \"up_to_date\": 2, \"images\": [{\"name\": "), "{report}");
    let refused = scene("refused").get("/status", "en", now);
    assert!(refused.contains("\"problems\": [{\"code\": \"IMAGE-MISSING\", \"place\": \""), "{refused}");
    assert!(refused.contains("\"hints\": [{\"code\": \"HINT-"), "{refused}");
}

#[test]
fn a_version_that_nobody_needs_shows_until_the_first_till_that_does() {
    let scene = Scene::prepared("current_firmware_version = latest\n", |folder| {
        publish(folder, "20160301", 1);
        publish(folder, "20260301", 2);
        folder.write("firmware/20260301/offer.ini", "only_for = 10.0.0.2\n");
    });
    (2..5).for_each(|till| scene.check([10, 0, 0, till], HOUR, 20260201));
    let shows = |uptime| scene.get("/status", "en", uptime).contains("OFFER-OVERTAKEN");
    assert!(shows(now));
    let status = scene.get("/status", "en", now);
    assert!(
        status.contains("/firmware/20160301\", \"what\": \"every registrar seen so far that version 20160301 is for has"),
        "{status}"
    );
    assert!(status.contains("(registrars: 2, their oldest build: 01.02.2026)"), "{status}");
    for (language, words) in [("en", "nobody needs the version any more"), ("ru", "предлагать её некому")] {
        let page = scene.get("/", language, now);
        assert!(page.contains(words) && page.contains("class=warning"), "{page}");
    }
    // Two tills behind one address that are no drivers: whichever checked last. So often that it is no trial.
    for (at, build_date) in [(NOW - 600, 20160301), (NOW - 300, 20260201)] {
        (0..3).for_each(|second| scene.check_as([10, 0, 0, 3], at + second, build_date, false));
        assert!(!shows(now), "{build_date}");
    }
}

#[test]
fn a_filter_finds_by_address_state_and_group_in_either_language() {
    let scene = scene("many");
    let count = |query: &str, language: &str| {
        let page = scene.get(&format!("/?q={query}"), language, now);
        let found = between(&page, if language == "en" { "<h2>Found " } else { "<h2>Найдено " }, "</h2>").to_owned();
        assert_eq!(page.matches("\n<tr>").count().to_string(), found.split(' ').next().expect("a number"), "{found}");
        assert!(!page.contains("<details>") && headline(&page).starts_with("bad>"), "{query}");
        found
    };
    for (query, found) in [
        ("192.168.3.", "48 of 300"),
        ("192.168.1.44", "1 of 300"),
        ("STUCK", "2 of 300"),
        ("silent", "3 of 300"),
        ("under+way", "53 of 300"),
        ("up_to_date", "242 of 300"),
        ("%D0%BC%D0%BE%D0%BB%D1%87%D0%B8%D1%82", "3 of 300"),
        ("nowhere", "0 of 300"),
    ] {
        assert_eq!(count(query, "en"), found, "{query}");
        assert_eq!(count(query, "ru"), found.replace("of", "из"), "{query}");
    }
    let page = scene.get("/?q=%22%3E%3Cscript%3E", "en", now);
    assert!(page.contains("value=\"&quot;>&lt;script>\"") && !page.contains("<script"), "{page}");
}

#[test]
fn the_page_is_renewed_only_where_that_was_asked_for_and_never_with_a_filter() {
    let scene = scene("three");
    for (path, refreshes) in
        [("/", false), ("/?refresh", true), ("/?q=", false), ("/?q=1&refresh", false), ("/?refresh&q=1", false)]
    {
        let page = scene.get(path, "en", now);
        assert_eq!(page.contains("<meta http-equiv=refresh content=30>"), refreshes, "{path}");
        let link = if refreshes { "<a href=\"?\">stop renewing</a>" } else { "<a href=\"?refresh\">renew every 30 s</a>" };
        assert!(page.contains(link), "{path}: {page}");
    }
}

#[test]
fn the_icon_is_in_the_page_and_nothing_is_fetched() {
    let server = Server::start_plain("");
    let answer = server.get("/");
    let policy = answer.field("content-security-policy").expect("a policy");
    assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'");
    let page = answer.text();
    assert!(page.contains("<link rel=icon href=\"data:image/svg+xml,"), "{page}");
    for fetched in ["src=", "url(", "@import", "href=\"http", "<script"] {
        assert!(!page.contains(fetched), "{fetched} in {page}");
    }
    let footer = between(&page, "<footer><p>", "</p>");
    assert!(footer.starts_with(&format!("susv {} (", env!("CARGO_PKG_VERSION"))) && footer.contains(") · reloaded "), "{footer}");
}

#[test]
fn a_page_lists_1024_registrars_and_counts_the_rest() {
    let scene = scene("empty");
    for number in 0..4096_u32 {
        let [.., high, low] = number.to_be_bytes();
        scene.note([10, 1, high, low], NOW - 3 * HOUR, 20171219, Some((Transfer::Complete, 491_520)));
        scene.check([10, 1, high, low], NOW - HOUR, 20171219);
    }
    for (language, rest) in [("en", "3,072 more are not listed"), ("ru", "Ещё 3\u{a0}072 не показаны")] {
        let page = scene.get("/", language, now);
        assert_eq!(page.matches("\n<tr>").count(), 1024);
        assert!(page.contains(rest) && page.contains("<b>4") && page.len() < 640 * 1024, "{} bytes", page.len());
        let found = scene.get("/?q=10.1.15.2", language, now);
        assert_eq!(found.matches("\n<tr>").count(), 1 + 10 + 56, "10.1.15.2, .20 to .29, .200 to .255");
    }
}

#[test]
fn the_page_is_small_with_100_registrars() {
    let scene = scene("empty");
    for number in 0..100 {
        scene.note([192, 168, 100, 100 + number], NOW - HOUR, 20171219, Some((Transfer::Complete, 491_520)));
    }
    for language in ["en", "ru"] {
        let size = scene.get("/", language, now).len();
        assert!((10_000..64 * 1024).contains(&size), "{size} bytes in {language}");
    }
}

#[test]
fn a_page_too_many_is_refused_in_words_and_registrars_are_served() {
    let server = Server::start_plain("max_connections = 64");
    // More than the kernel takes of a page that nobody reads.
    let stalled: Vec<_> = (0..8).map(|_| stall(&server, "/")).collect();
    let ask = |path: &str, language: &str| {
        server.ask(format!("GET {path} HTTP/1.1\r\nHost: test\r\nAccept-Language: {language}\r\n\r\n"))
    };
    // Between two of its pages a browser has no place until it is stuck for good.
    let busy = |path: &str, language: &str| {
        let mut answer = ask(path, language);
        wait_until("all pages are being sent", || {
            answer = ask(path, language);
            answer.status == 503
        });
        answer
    };
    let answer = busy("/", "en");
    assert_eq!((answer.field("content-type"), answer.field("retry-after")), (Some("text/html; charset=UTF-8"), Some("5")));
    assert!(answer.text().contains("<h1 class=warning>Too many pages at once</h1>"), "{}", answer.text());
    assert!(busy("/?q=a", "ru").text().contains("<html lang=ru>"));
    let answer = busy("/status", "en");
    assert_eq!(answer.field("content-type"), Some("application/json; charset=UTF-8"));
    assert!(answer.text().starts_with("{\"error\": \""), "{}", answer.text());
    assert_eq!(server.ask(check_request()).status, 200);
    drop(stalled);
    wait_until("there is room again", || ask("/", "en").status == 200);
}

#[test]
fn with_1024_tills_200_browsers_that_do_not_read_cost_little_memory_and_no_check() {
    let server = Server::start("current_firmware_version = 20260301\nproxies = 127.0.0.1\nmin_image_kb = 0", |folder| {
        for name in ["upd_app.bin", "upd_app_for_old_frs.bin"] {
            folder.write(&format!("firmware/20260301/{name}"), &image(1)[..8192]);
        }
    });
    let request = |line: &str, number: u32, body: &str| {
        let caller = format!("X-Forwarded-For: 10.0.{}.{}\r\nUser-Agent: Java/17\r\nbuild_date: 1", number / 256, number % 256);
        let length = body.len();
        format!("{line} HTTP/1.1\r\nHost: test\r\n{caller}\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let check = |number| request("POST /check_firmware", number, "{\"build_date\": \"19.12.2017\"}");
    let mut tills = server.connect();
    for number in 0..1024 {
        tills.send(check(number));
        assert_eq!(tills.read_answer(false).status, 200);
        tills.send(request("GET /firmware/20260301/upd_app.bin", number, ""));
        assert_eq!(tills.read_answer(false).status, 200);
    }
    let page = server.ask("GET / HTTP/1.1\r\nHost: test\r\nAccept-Language: ru\r\n\r\n");
    assert!(page.text().contains("<b>1\u{a0}024</b>в пути") && page.body.len() > 300_000, "{}", page.body.len());
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("its status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        peak.trim().trim_end_matches(" kB").parse::<usize>().expect("a number")
    };
    let before = memory();
    // Half of them monitoring, so to speak.
    let stalled: Vec<_> = (0..200).map(|number| stall(&server, ["/", "/status"][number % 2])).collect();
    wait_until("pages are refused", || server.get("/").status == 503);
    for number in 0..200 {
        let answer = server.ask(check(2000 + number));
        assert!(answer.status == 200 && answer.text().contains("\"update_available\": true"), "{}", answer.text());
    }
    let grown = memory() - before;
    println!("{} KB of page, {grown} KB more memory", page.body.len() / 1024);
    // Eight pages with what they are made from, and a thread with its buffers for each browser; not 200 pages, which are 100 MB.
    assert!(grown < 48 * 1024, "{grown} KB more memory");
    drop(stalled);
}

/// A browser that asks for pages without end and reads none.
fn stall(server: &Server, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_nonblocking(true).expect("a flag");
    let requests = format!("GET {path} HTTP/1.1\r\nHost: test\r\nAccept-Language: ru\r\n\r\n").repeat(2000);
    let _ = stream.write(requests.as_bytes());
    stream
}

/// For tests/page.py: serves each scene on a port of its own, prints them, and ends when standard input does.
#[test]
#[ignore = "serves a browser until standard input ends"]
fn serve_scenes() {
    for name in ["empty", "three", "many", "silent", "refused", "stuck", "mislabelled", "pilot", "nothing", "hostile"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        println!("scene {name} {}", listener.local_addr().expect("an address").port());
        let scene = Arc::new(scene(name));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let scene = scene.clone();
                thread::spawn(move || serve(&scene, stream));
            }
        });
    }
    println!("scenes end");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// One answer to one request; browsers open connections in advance, which end unused.
fn serve(scene: &Scene, mut stream: TcpStream) {
    let mut head = String::new();
    let mut lines = BufReader::new(&stream);
    while lines.read_line(&mut head).is_ok_and(|length| length > 2) {}
    if !head.ends_with("\r\n\r\n") {
        return;
    }
    let line = head.lines().next().unwrap_or_default().to_owned();
    let reply = scene.answer(head.as_bytes(), now);
    println!("request {} {line}", reply.status.code());
    let Body::Text(body) = reply.body else { panic!("no text") };
    let fields: String = reply.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (status, length) = (reply.status.code(), body.len());
    let answer = format!("HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}");
    let _ = stream.write_all(answer.as_bytes());
}
