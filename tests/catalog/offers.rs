//! Several offers: who is offered which version, from the real server, with callers of their own addresses.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::download::dial;
use crate::common::lease;
use crate::common::{Client, Folder, Server, image, post_request, publish, publish_sums, wait_until};

const LATEST: &str = "current_firmware_version = latest\n";

/// A connection from an address of this machine's own: all of 127.0.0.0/8 is.
fn connect_from(server: &Server, last: u8) -> Client {
    Client { stream: dial(server.address, Ipv4Addr::new(127, 0, 0, last), 0), received: Vec::new() }
}

/// What a till is told: the version it is offered, or none.
fn told(server: &Server, last: u8, build_date: &str) -> Option<u32> {
    let mut client = connect_from(server, last);
    client.send(post_request("/check_firmware", &format!("{{\"build_date\": \"{build_date}\"}}")));
    let answer = client.read_answer(false);
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let version = text.split("\"version\": ").nth(1)?.split(',').next()?.parse().ok()?;
    text.starts_with("{\"update_available\": true").then_some(version)
}

fn wait_until_told(server: &Server, last: u8, version: Option<u32>) {
    wait_until(&format!("127.0.0.{last} is told {version:?}"), || told(server, last, "19.12.2017") == version);
}

fn offer(folder: &Folder, version: &str, text: &str) {
    folder.write(&format!("firmware/{version}/offer.ini"), text);
}

#[test]
fn a_pilot_goes_to_two_tills_and_is_widened_without_a_restart() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        publish(folder, "20260301", 2);
        offer(folder, "20260301", "only_for = 127.0.0.2, 127.0.0.3\ndescription = pilot\n");
    });
    assert_eq!([2, 3, 4].map(|till| told(&server, till, "19.12.2017")), [Some(20260301), Some(20260301), Some(20260101)]);
    assert_eq!(told(&server, 2, "01.02.2026"), Some(20260301));
    assert_eq!(told(&server, 2, "01.03.2026"), None);
    assert_eq!(told(&server, 4, "01.02.2026"), None, "newer than what it may have");
    server.wait_for_line("event=offer version=20260301 for=\"only_for 127.0.0.2, 127.0.0.3\"");
    // Everybody may load what is live, whoever is sent there.
    for (version, seed) in [("20260101", 1), ("20260301", 2)] {
        assert!(server.get(&format!("/firmware/{version}/upd_app.bin")).body == image(seed));
    }
    offer(&server.folder, "20260301", "only_for = 127.0.0.2, 127.0.0.3, 127.0.0.4\n");
    wait_until_told(&server, 4, Some(20260301));
    server.wait_for_line("only_for 127.0.0.2, 127.0.0.3, 127.0.0.4");
    assert_eq!(told(&server, 5, "19.12.2017"), Some(20260101));
    fs::remove_file(server.folder.path().join("firmware/20260301/offer.ini")).expect("gone");
    wait_until_told(&server, 5, Some(20260301));
}

#[test]
fn two_families_never_hear_of_each_others_firmware() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260301", 1);
        offer(folder, "20260301", "only_for = 127.0.0.0/28\n");
        publish(folder, "20260302", 2);
        offer(folder, "20260302", "only_for = 127.0.0.16/28\n");
    });
    let families = [(2..15_u8, "20260301", 1), (16..31, "20260302", 2)];
    let end = Instant::now() + Duration::from_secs(6);
    thread::scope(|scope| {
        for (tills, version, seed) in families {
            let server = &server;
            scope.spawn(move || {
                for till in tills.cycle() {
                    let mut client = connect_from(server, till);
                    client.send(post_request("/check_firmware", "{\"build_date\": \"19.12.2017\"}"));
                    let text = client.read_answer(false).text();
                    let other = if version == "20260301" { "20260302" } else { "20260301" };
                    assert!(!text.contains(other), "{till}: {text}");
                    if text.contains("true") {
                        client.send(format!("GET /firmware/{version}/upd_app.bin HTTP/1.1\r\nHost: x\r\n\r\n"));
                        assert!(client.try_answer(false).is_none_or(|answer| answer.status != 200 || answer.body == image(seed)));
                    }
                    if Instant::now() > end {
                        break;
                    }
                }
            });
        }
        // Meanwhile files are touched and rewritten as they are.
        for round in 0..10 {
            offer(&server.folder, "20260301", &format!("# {round}\nonly_for = 127.0.0.0/28\n"));
            publish(&server.folder, "20260302", 2);
            thread::sleep(Duration::from_millis(500));
        }
    });
}

#[test]
fn stepping_stones_lead_up_one_after_another() {
    let server = Server::start(LATEST, |folder| {
        for (version, seed, text) in [
            ("20170529", 1, "built_to = 28.05.2017\n"),
            ("20200101", 2, "built_from = 29.05.2017\nbuilt_to = 31.12.2019\n"),
            ("20260301", 3, "built_from = 01.01.2020\ncritical_version = 20210101\n"),
        ] {
            publish(folder, version, seed);
            offer(folder, version, text);
        }
    });
    let steps = [("01.01.2016", 20170529), ("29.05.2017", 20200101), ("01.01.2020", 20260301)];
    for (build_date, version) in steps {
        assert_eq!(told(&server, 1, build_date), Some(version), "{build_date}");
    }
    assert_eq!(told(&server, 1, "01.03.2026"), None);
    let critical = |build_date: &str| {
        server.post("/check_firmware", &format!("{{\"build_date\": \"{build_date}\"}}")).text().contains("\"critical\": true")
    };
    assert_eq!([critical("01.01.2020"), critical("02.01.2021"), critical("29.05.2017")], [true, false, false]);
}

#[test]
fn a_till_is_held_back_and_a_fixed_version_is_for_those_it_admits() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20250101", 1);
        publish(folder, "20260301", 2);
        offer(folder, "20260301", "only_for = 127.0.0.0/29, 127.0.0.9\n");
    });
    assert_eq!(told(&server, 8, "19.12.2017"), Some(20250101), "held back at the older version");
    assert_eq!([told(&server, 7, "19.12.2017"), told(&server, 9, "19.12.2017")], [Some(20260301); 2]);

    let server = Server::start("current_firmware_version = 20260301\n", |folder| {
        publish(folder, "20250101", 1);
        publish(folder, "20260301", 2);
        offer(folder, "20260301", "only_for = 127.0.0.2\n");
    });
    assert_eq!([told(&server, 2, "19.12.2017"), told(&server, 3, "19.12.2017")], [Some(20260301), None]);
    let answer = server.post("/check_firmware", "{\"build_date\": \"19.12.2017\"}").text();
    assert!(answer.contains("\"version\": 20260301"), "the configured number: {answer}");
}

#[test]
fn whatever_is_wrong_with_an_offer_it_is_for_nobody() {
    type Damage = fn(&Folder);
    let cases: [(&str, Damage); 8] = [
        ("OFFER-KEY-MISSPELT", |folder| offer(folder, "20260301", "only_fro = 127.0.0.2\n")),
        ("OFFER-BAD-VALUE", |folder| offer(folder, "20260301", "only_for =\n")),
        ("OFFER-BAD-VALUE", |folder| offer(folder, "20260301", "built_to = 2017\n")),
        ("OFFER-BAD-LINE", |folder| offer(folder, "20260301", "\u{feff}127.0.0.2\n")),
        ("OFFER-UNREADABLE", |folder| offer(folder, "20260301", &"#".repeat(70_000))),
        ("OFFER-MISNAMED", |folder| drop(folder.write("firmware/20260301/offer.ini.txt", "only_for = 127.0.0.2\n"))),
        ("OFFER-MISNAMED", |folder| drop(folder.write("firmware/20260301/Offer.ini", "only_for = 127.0.0.2\n"))),
        ("LISTED-FILE-MISSING", |folder| {
            offer(folder, "20260301", "only_for = 127.0.0.2\n");
            publish_sums(folder, "20260301", &["offer.ini"]);
            fs::remove_file(folder.path().join("firmware/20260301/offer.ini")).expect("gone");
        }),
    ];
    for (problem, damage) in cases {
        let server = Server::start(LATEST, |folder| {
            publish(folder, "20260101", 1);
            publish(folder, "20260301", 2);
            damage(folder);
        });
        for till in [1, 2] {
            assert_eq!(told(&server, till, "19.12.2017"), Some(20260101), "{problem}");
        }
        assert_eq!(server.get("/firmware/20260301/upd_app.bin").status, 404, "{problem}");
        server.wait_for_line(problem);
    }
}

#[test]
fn what_becomes_wrong_is_withdrawn_at_once_and_nobody_is_downgraded_for_a_moment() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        publish(folder, "20260301", 2);
        offer(folder, "20260301", "only_for = 127.0.0.2\n");
        publish_sums(folder, "20260301", &["offer.ini"]);
    });
    assert_eq!(told(&server, 2, "19.12.2017"), Some(20260301));
    let path = server.folder.path().join("firmware/20260301/offer.ini");
    fs::rename(&path, server.folder.path().join("away")).expect("away");
    let start = Instant::now();
    wait_until("it is withdrawn", || told(&server, 2, "19.12.2017") != Some(20260301));
    let withdrawn = start.elapsed();
    assert!(withdrawn < Duration::from_secs(5), "{withdrawn:?}");
    // Everybody waits: who it was for cannot be read any more.
    assert_eq!([told(&server, 2, "19.12.2017"), told(&server, 3, "19.12.2017")], [None; 2]);
    server.wait_for_line("event=withdrawn version=20260301");
    wait_until_told(&server, 2, Some(20260101));
    server.wait_for_line("LISTED-FILE-MISSING");
    fs::rename(server.folder.path().join("away"), &path).expect("back");
    wait_until_told(&server, 2, Some(20260301));
    assert_eq!(told(&server, 3, "19.12.2017"), Some(20260101));
    // Its content may change without new sums: so a pilot is widened.
    offer(&server.folder, "20260301", "only_for = 127.0.0.2, 127.0.0.3\n");
    wait_until_told(&server, 3, Some(20260301));
    // Broken, it is for nobody.
    offer(&server.folder, "20260301", "only_for = 127.0.0.2, oops\n");
    wait_until("it is withdrawn", || told(&server, 2, "19.12.2017") != Some(20260301));
    server.wait_for_line("OFFER-BAD-VALUE");
}

/// A copy that has just begun, or one on a full disk.
#[test]
fn an_offer_file_that_was_emptied_does_not_open_a_pilot_to_everybody() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        publish(folder, "20260301", 2);
        offer(folder, "20260301", "only_for = 127.0.0.2\n");
        publish_sums(folder, "20260301", &["offer.ini"]);
    });
    assert_eq!([2, 3].map(|till| told(&server, till, "19.12.2017")), [Some(20260301), Some(20260101)]);
    offer(&server.folder, "20260301", "");
    wait_until("the pilot is withdrawn", || {
        let others = told(&server, 3, "19.12.2017");
        assert_ne!(others, Some(20260301));
        told(&server, 2, "19.12.2017") == Some(20260101)
    });
    server.wait_for_line("OFFER-EMPTY");
    assert_eq!(told(&server, 3, "19.12.2017"), Some(20260101));
}

#[test]
fn a_pilot_that_is_copied_slowly_with_its_offer_last_reaches_nobody_else() {
    let server = Server::start(LATEST, |folder| publish(folder, "20260101", 1));
    assert_eq!(told(&server, 3, "19.12.2017"), Some(20260101));
    let folder = server.folder.path().join("firmware/20260301");
    thread::scope(|scope| {
        scope.spawn(|| {
            fs::create_dir(&folder).expect("a folder");
            // As "scp -r" does it: SHA256SUMS, images, offer.ini, in the order of the directory.
            let staged = Folder::new();
            publish(&staged, "20260301", 2);
            offer(&staged, "20260301", "only_for = 127.0.0.2\n");
            publish_sums(&staged, "20260301", &["offer.ini"]);
            for name in ["SHA256SUMS", "upd_app.bin", "upd_app_for_old_frs.bin", "offer.ini"] {
                thread::sleep(Duration::from_secs(3));
                fs::copy(staged.path().join("firmware/20260301").join(name), folder.join(name)).expect("copied");
            }
        });
        let end = Instant::now() + Duration::from_secs(18);
        while Instant::now() < end {
            assert_ne!(told(&server, 3, "19.12.2017"), Some(20260301));
            thread::sleep(Duration::from_millis(20));
        }
    });
    wait_until_told(&server, 2, Some(20260301));
}

#[test]
fn an_offer_that_vanishes_while_the_server_is_stopped_is_missed_at_the_start() {
    let folder = Folder::new();
    publish(&folder, "20260301", 2);
    offer(&folder, "20260301", "only_for = 127.0.0.2\n");
    publish_sums(&folder, "20260301", &["offer.ini"]);
    fs::remove_file(folder.path().join("firmware/20260301/offer.ini")).expect("gone");
    let server = Server::start_in(folder, LATEST);
    assert_eq!([told(&server, 2, "19.12.2017"), told(&server, 3, "19.12.2017")], [None; 2]);
}

/// Samba has leases on what Windows writes, and a disk that fails for a moment does the same: the stamp stays what it was.
#[test]
fn sums_that_could_not_be_read_at_first_are_obeyed_when_they_can() {
    let folder = Folder::new();
    publish(&folder, "20260101", 1);
    publish(&folder, "20260301", 2);
    offer(&folder, "20260301", "only_for = 127.0.0.2\n");
    publish_sums(&folder, "20260301", &["offer.ini"]);
    fs::remove_file(folder.path().join("firmware/20260301/offer.ini")).expect("gone");
    let path = folder.path().join("firmware/20260301/SHA256SUMS");
    let sums = fs::OpenOptions::new().write(true).open(path).expect("the sums");
    lease::take(&sums);
    let server = Server::start_in(folder, LATEST);
    server.wait_for_line("SUMS-UNREADABLE");
    drop(sums);
    server.wait_for_line("LISTED-FILE-MISSING");
    for line in server.lines() {
        assert!(!(line.contains("20260301") && (line.contains("event=offer ") || line.contains(" offer="))), "{line}");
    }
    assert_eq!(told(&server, 3, "19.12.2017"), Some(20260101));
}

#[test]
fn offers_that_overlap_are_a_problem_and_whoever_is_in_both_waits() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        publish(folder, "20260301", 2);
        offer(folder, "20260301", "only_for = 127.0.0.2, 127.0.0.3\n");
        publish(folder, "20260302", 3);
        offer(folder, "20260302", "only_for = 127.0.0.3, 127.0.0.4\n");
    });
    let tills = [2, 3, 4, 5].map(|till| told(&server, till, "19.12.2017"));
    assert_eq!(tills, [Some(20260301), None, Some(20260302), Some(20260101)]);
    assert!(server.wait_for_line("OFFERS-OVERLAP").contains("20260301") && told(&server, 3, "01.03.2026") == Some(20260302));
}

#[test]
fn no_more_than_eight_versions_are_live_and_what_was_live_stays() {
    let server = Server::start(LATEST, |folder| {
        publish(folder, "20260101", 1);
        for day in 2..=8 {
            publish(folder, &format!("2026010{day}"), day);
            offer(folder, &format!("2026010{day}"), &format!("only_for = 127.0.0.{day}\n"));
        }
    });
    for day in 2..=8_u8 {
        assert_eq!(told(&server, day, "19.12.2017"), Some(20260100 + u32::from(day)));
    }
    publish(&server.folder, "20260109", 9);
    offer(&server.folder, "20260109", "only_for = 127.0.0.9\n");
    publish_sums(&server.folder, "20260109", &["offer.ini"]);
    server.wait_for_line("OFFERS-TOO-MANY");
    assert_eq!([9, 8, 1].map(|till| told(&server, till, "19.12.2017")), [Some(20260101), Some(20260108), Some(20260101)]);
    // It is whole, and so it is handed out.
    assert!(server.get("/firmware/20260109/upd_app.bin").body == image(9));
    fs::remove_dir_all(server.folder.path().join("firmware/20260108")).expect("gone");
    wait_until_told(&server, 9, Some(20260109));
}

/// Version folders with their `offer.ini`, tills with the builds that were reported at their addresses, the one that counts first,
/// and the versions that nobody needs any more.
type Overtaken<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [(u8, &'a [u32])], &'a [&'a str]);

#[test]
fn a_folder_older_than_what_all_its_tills_have_is_a_problem() {
    use susv::catalog::load_once;
    use susv::catalog::reach::{self, Asker};
    let stone = [("20170529", ""), ("20260301", "built_from = 29.05.2017\n")];
    // 20160302 is a mistyped 20260302.
    let families = [("20160302", "only_for = 10.0.0.16/28\n"), ("20260301", "only_for = 10.0.0.0/28\n")];
    let pilot = [("20260101", ""), ("20260301", "only_for = 10.0.0.1\n")];
    let up_to = [("20260101", ""), ("20260301", "built_to = 31.12.2025\n")];
    let overlap = [("20160301", "only_for = 10.0.0.1, 10.0.0.2\n"), ("20260301", "only_for = 10.0.0.2, 10.0.0.3\n")];
    let cases: [Overtaken; 23] = [
        ("nobody has asked", &families, &[], &[]),
        (
            "a family whose folder is mistyped",
            &families,
            &[(1, &[20250101]), (17, &[20250101]), (18, &[20240101])],
            &["20160302"],
        ),
        ("one of its tills is older", &families, &[(17, &[20250101]), (18, &[20150101])], &[]),
        ("one of its tills has it", &families, &[(17, &[20250101]), (18, &[20160302])], &[]),
        ("all of another family have theirs", &families, &[(1, &[20260301]), (2, &[20260301])], &[]),
        ("both are overtaken", &families, &[(1, &[20270101]), (17, &[20270101])], &["20160302", "20260301"]),
        ("tills in neither", &families, &[(40, &[20270101])], &[]),
        ("built a week later than the folder says", &[("20180123", "")], &[(1, &[20180125]), (2, &[20180130])], &[]),
        ("built later than that", &[("20180123", "")], &[(1, &[20180131])], &["20180123"]),
        ("the sample", &[("20000101", "")], &[(1, &[20171219])], &[]),
        ("all have passed the stepping stone", &stone, &[(1, &[20260301]), (2, &[20260301])], &[]),
        ("all are between", &stone, &[(1, &[20170529]), (2, &[20200101])], &[]),
        ("all are ahead of both steps", &stone, &[(1, &[20270101])], &["20260301"]),
        ("the pilot has it, the others have the one before", &pilot, &[(1, &[20260301]), (2, &[20260101])], &[]),
        ("the pilot is ahead", &pilot, &[(1, &[20270101]), (2, &[20171219])], &["20260301"]),
        ("all but the pilot are ahead", &pilot, &[(1, &[20260301]), (2, &[20260215])], &["20260101"]),
        ("an older till behind the same address", &pilot, &[(2, &[20260215, 20260101])], &[]),
        ("an older one, and ahead as well", &pilot, &[(2, &[20260215, 20260210])], &["20260101"]),
        ("another till there has what is offered", &pilot, &[(2, &[20260215, 20260301])], &[]),
        ("updated past built_to", &up_to, &[(1, &[20260301])], &[]),
        ("ahead of what is offered up to built_to", &up_to, &[(1, &[20270101])], &["20260101"]),
        ("one in an overlap needs it", &overlap, &[(1, &[20250101]), (2, &[20150101])], &[]),
        ("one in an overlap is ahead of it", &overlap, &[(1, &[20250101]), (2, &[20250101])], &["20160301"]),
    ];
    for (name, folders, tills, expected) in cases {
        let folder = Folder::new();
        for (number, (version, text)) in folders.iter().enumerate() {
            publish(&folder, version, number as u8);
            if !text.is_empty() {
                offer(&folder, version, text);
            }
        }
        let config = folder.write("config.ini", LATEST);
        let catalog = load_once(susv::config::load(&config).expect("valid settings"));
        assert_eq!(catalog.offers().len(), folders.len(), "{name}: {:?}", catalog.problems);
        let askers = tills.iter().map(|(till, dates)| Asker {
            address: IpAddr::from([10, 0, 0, *till]),
            build_date: dates[0],
            recent_dates: dates,
        });
        let reaches = reach::find(&catalog, askers);
        let found = reach::find_overtaken(&catalog, &reaches);
        let mut found: Vec<_> = found.into_iter().map(|(offer, _)| offer.version.to_string()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn folders_without_an_offer_file_are_answered_as_ever() {
    let server = Server::start("current_firmware_version = latest\ncurrent_firmware_description = super\n", |folder| {
        publish(folder, "20260301", 1);
    });
    let answer = server.post("/check_firmware", "{\"build_date\": \"19.12.2017\"}");
    let expected = "{\"update_available\": true, \"critical\": false, \"version\": 20260301, \"description\": \"super\", \
                    \"url\": \"http://test/firmware/20260301/upd_app.bin\", \
                    \"url_old_frs\": \"http://test/firmware/20260301/upd_app_for_old_frs.bin\"}";
    assert_eq!(answer.text(), expected);
    // The description of the settings is the newest one's that has none of its own.
    publish(&server.folder, "20260302", 2);
    offer(&server.folder, "20260302", "only_for = 127.0.0.2\n");
    wait_until_told(&server, 2, Some(20260302));
    let mut client = connect_from(&server, 2);
    client.send(post_request("/check_firmware", "{\"build_date\": \"19.12.2017\"}"));
    assert!(client.read_answer(false).text().contains("\"description\": \"super\""));
    let answer = server.post("/check_firmware", "{\"build_date\": \"19.12.2017\"}");
    assert!(answer.text().contains("\"description\": \"firmware 20260301\""));
}

#[test]
fn thousands_of_addresses_cost_a_check_nothing() {
    use susv::catalog::load_once;
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    let blocks: String = (0..4000).map(|n| format!("10.{}.{}.0/25\n", n / 250, n % 250)).collect();
    let lines: String = blocks.lines().map(|block| format!("only_for={block}\n")).take(2500).collect();
    offer(&folder, "20260301", &lines);
    let config = folder.write("config.ini", LATEST);
    let settings = susv::config::load(Path::new(&config)).expect("valid settings");
    let catalog = load_once(settings);
    assert_eq!(catalog.offers().len(), 1, "{:?}", catalog.problems);
    let start = Instant::now();
    let rounds = 100_000_u32;
    let mut admitted = 0;
    for round in 0..rounds {
        let caller = IpAddr::from((0x0a00_0000 + round * 4099 % (16 << 16)).to_be_bytes());
        admitted += u32::from(catalog.choose(caller, 20171219).available);
    }
    let each = start.elapsed() / rounds;
    assert!(admitted > 0 && admitted < rounds);
    // In a build without optimization, beside other tests.
    assert!(each < Duration::from_micros(10), "{each:?}");
    println!("{each:?} for each of {rounds} checks");
}
