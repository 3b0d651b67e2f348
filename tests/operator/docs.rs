//! The documents against the program: tables, commands, answers and recipes are as they stand there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Folder, Server, image, license_line, publish, publish_sums, susv, wait_until};
use susv::json::{self, Value};
use susv::{limits, problem};

const REFERENCE: &str = include_str!("../../docs/reference.md");
const SHIPPED: &str = include_str!("../../config.ini");
/// Documents in English that have a Russian counterpart.
const IN_TWO_LANGUAGES: [&str; 4] = ["README", "docs/install", "docs/operate", "docs/migrate"];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All documents, relative to the project.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "docs", "packaging/mirror"] {
        for entry in fs::read_dir(project().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("text");
            if name.ends_with(".md") {
                found.push(Path::new(folder).join(name).to_str().expect("text").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Lines with whether they stand in a fenced block.
fn lines_and_fences(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut inside = false;
    text.lines().map(move |line| {
        let is_fence = line.starts_with("```");
        inside ^= is_fence;
        (line, inside || is_fence)
    })
}

/// Level and text of each heading.
fn headings(text: &str) -> Vec<(usize, &str)> {
    let outside = lines_and_fences(text).filter(|(_, is_code)| !is_code);
    outside
        .filter_map(|(line, _)| {
            line.split_once(' ')
                .filter(|(marks, _)| !marks.is_empty() && marks.bytes().all(|b| b == b'#'))
                .map(|(marks, title)| (marks.len(), title))
        })
        .collect()
}

/// What stands below a heading, up to the next one of its level or above.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let (level, _) = *headings(text).iter().find(|(_, found)| *found == title).unwrap_or_else(|| panic!("no heading {title:?}"));
    let start = text.find(&format!("\n{} {title}\n", "#".repeat(level))).expect("the heading") + 1;
    let body = &text[start + level + 1 + title.len()..];
    let next = headings(body).into_iter().find(|(other, _)| *other <= level);
    next.map_or(body, |(other, title)| &body[..body.find(&format!("\n{} {title}", "#".repeat(other))).expect("the next")])
}

/// The cells of all rows below the heads of the tables in a text.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<_> = text.lines().collect();
    let is_row = |line: &str| line.starts_with('|');
    let is_rule = |line: &str| is_row(line) && line.chars().all(|c| "|- ".contains(c));
    let mut rows = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let is_head = lines.get(number + 1).is_some_and(|next| is_rule(next));
        if is_row(line) && !is_rule(line) && !is_head {
            let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).expect("a row between bars");
            rows.push(inner.split('|').map(|cell| cell.trim().to_owned()).collect());
        }
    }
    rows
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The fenced blocks of a kind.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (head, body) = after.split_once('\n').expect("a line");
        let (body, after) = body.split_once("```").expect("the end of a block");
        if head == kind {
            found.push(body.to_owned());
        }
        rest = after;
    }
    found
}

/// Sources without their tests.
fn sources() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    collect(&project().join("src"), &mut paths);
    let without_tests = |path: PathBuf| {
        let text = fs::read_to_string(path).expect("a source");
        text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
    };
    paths.into_iter().map(without_tests).collect()
}

fn set(items: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    items.into_iter().map(Into::into).collect()
}

#[test]
fn settings_have_the_keys_and_defaults_of_the_program() {
    let shown: Vec<(String, String)> = rows(section(REFERENCE, "Settings"))
        .into_iter()
        .filter(|row| row.len() == 4)
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1].trim_matches('`').to_owned()))
        .collect();
    let unknown = susv::config::parse(Path::new("x"), b"tornado = 1\n").problems[0].explain(problem::Language::English);
    let keys = unknown.split("the keys are ").nth(1).expect("the keys");
    assert_eq!(shown.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), keys.split(' ').collect::<Vec<_>>());
    // The defaults are those that config.ini shows, and its own test compares them with the program.
    for (key, default) in shown {
        let line =
            SHIPPED.lines().find_map(|line| line.trim_start_matches(';').strip_prefix(&format!("{key} ="))).expect("a line");
        let expected = match key.as_str() {
            "current_firmware_version" => "required",
            "current_firmware_description" => "",
            _ => line.trim(),
        };
        assert_eq!(default, expected, "{key}");
    }
}

#[test]
fn offer_files_have_the_keys_of_the_program() {
    let shown: Vec<_> = rows(section(REFERENCE, "offer.ini")).into_iter().flat_map(|row| quoted(&row[0])).collect();
    let text = problem::offers::OFFER_BAD_KEY.english;
    assert_eq!(shown.join(", "), text.split("the keys are ").nth(1).expect("the keys"));
}

#[test]
fn the_command_line_is_what_help_prints() {
    let output = susv().arg("--help").output().expect("it runs");
    let help = String::from_utf8(output.stdout).expect("text");
    let section = section(REFERENCE, "Command line");
    assert_eq!(blocks(section, "text")[0], help);
    let codes = help.split("Exit codes: ").nth(1).expect("codes");
    let numbers: Vec<_> = codes.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    let shown: Vec<_> = rows(self::section(REFERENCE, "Exit codes")).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(shown, numbers);
}

#[test]
fn routes_take_the_methods_that_are_documented() {
    let server = Server::start_plain("");
    let table = rows(section(REFERENCE, "Routes"));
    let mut known = BTreeSet::new();
    for row in table.iter().take_while(|row| row.len() == 3) {
        let path = row[0].trim_matches('`').to_owned();
        let asked = path.replace('…', "20260301/upd_app.bin");
        let answer = server.ask(format!("OPTIONS {asked} HTTP/1.1\r\nHost: test\r\n\r\n"));
        assert_eq!((answer.status, answer.field("allow")), (204, Some(row[1].as_str())), "{path}");
        known.insert(path.replace('…', ""));
    }
    let source = read("src/routes/mod.rs");
    let constants = source.split("const ROUTES").nth(1).expect("routes").split("];").next().expect("their end");
    let mut expected: BTreeSet<_> =
        constants.split("(b\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
    expected.insert("/firmware/".to_owned());
    assert_eq!(known, expected);
}

#[test]
fn statuses_are_those_of_the_program() {
    let source = read("src/http/response.rs");
    let numbers = source.split("pub enum Status").nth(1).expect("statuses").split('}').next().expect("the end");
    let errors: BTreeSet<_> = numbers
        .split(|c: char| !c.is_ascii_digit())
        .filter(|word| word.len() == 3 && (word.starts_with('4') || word.starts_with('5')))
        .map(str::to_owned)
        .collect();
    let shown = rows(section(REFERENCE, "Statuses"))
        .into_iter()
        .flat_map(|row| row[0].split(", ").map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(shown.collect::<BTreeSet<_>>(), errors);
}

/// Every key of a document by its path; elements of arrays are `[]`.
fn keys_of(value: &Value<'_>, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                found.insert(path.clone());
                keys_of(value, &path, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| keys_of(element, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[test]
fn the_keys_of_status_are_those_that_are_documented() {
    let server = Server::start("current_firmware_version = latest\n", |folder| {
        publish(folder, "20260301", 1);
        folder.write("firmware/20260230/x", "a problem: this is no date");
        folder.write("licenses/a.slf", license_line(12345, 'a'));
    });
    // A driver that takes the version and checks again: offered, taken, held, and there is something to say about it.
    let java = "Host: test\r\nUser-Agent: Java/17\r\nbuild_date: 19.12.2017\r\n";
    let body = "{\"build_date\": \"19.12.2017\"}";
    let check = format!("POST /check_firmware HTTP/1.1\r\n{java}Content-Length: {}\r\n\r\n{body}", body.len());
    let mut client = server.connect();
    client.send(&check);
    assert!(client.read_answer(false).text().contains("true"));
    client.send(format!("GET /firmware/20260301/upd_app.bin HTTP/1.1\r\n{java}\r\n"));
    assert!(client.read_answer(false).body == image(1));
    wait_until("the download is complete", || server.get("/status").text().contains("\"complete\""));
    client.send(&check);
    assert!(client.read_answer(false).text().contains("false"));

    let text = server.get("/status").text();
    let mut found = BTreeSet::new();
    keys_of(&json::parse(text.as_bytes()).expect("JSON"), "", &mut found);
    let section = section(REFERENCE, "The JSON of /status");
    let mut shown = BTreeSet::new();
    for row in rows(section).iter().filter(|row| row[0].contains("`: `") || !row[1].is_empty()) {
        // "`path`: `key`, `key`", or keys of the top.
        let (paths, keys) = row[0]
            .split_once("`: `")
            .map_or((String::new(), row[0].clone()), |(path, keys)| (format!("{path}`"), format!("`{keys}")));
        for path in if paths.is_empty() { vec![String::new()] } else { quoted(&paths) } {
            for key in quoted(&keys) {
                shown.insert(if path.is_empty() { key } else { format!("{path}.{key}") });
            }
        }
    }
    let states = set(susv::registrars::State::ALL.iter().map(|state| state.name()));
    // The second table: what the states mean.
    let explained: BTreeSet<_> = shown.iter().filter(|key| states.contains(*key)).cloned().collect();
    assert_eq!(explained, states);
    shown.retain(|key| !states.contains(key));
    // Arrays and objects may stand in the table by their members alone.
    let has_members =
        |key: &String| shown.iter().any(|other| other.strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', '['])));
    found.retain(|key| shown.contains(key) || !has_members(key));
    assert_eq!(shown, found);
}

#[test]
fn log_events_are_those_of_the_program() {
    let shown: BTreeSet<_> = rows(section(REFERENCE, "Log events")).into_iter().flat_map(|row| quoted(&row[0])).collect();
    let mut written = BTreeSet::new();
    for source in sources() {
        for rest in source.split("event=").skip(1) {
            written.insert(rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>());
        }
    }
    // What only comments say.
    written.remove("");
    assert_eq!(shown, written);
}

#[test]
fn limits_are_those_of_the_program() {
    use limits::*;
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    let seconds = |time: std::time::Duration| {
        if time.subsec_millis() > 0 { format!("{} s", time.as_secs_f64()) } else { format!("{} s", time.as_secs()) }
    };
    let expected = [
        ("request line and header fields together", format!("{}, {HEAD_FIELDS} fields", kib(HEAD_BYTES))),
        ("request target", kib(TARGET_BYTES)),
        ("request body", kib(BODY_BYTES)),
        ("chunk sizes, extensions and trailers around a body", kib(CHUNK_OVERHEAD_BYTES)),
        ("JSON nesting", JSON_DEPTH.to_string()),
        ("request head, and request body", {
            assert_eq!(HEAD_TIME, BODY_TIME);
            format!("{} each, from its first byte", seconds(HEAD_TIME))
        }),
        (
            "idle between two requests",
            format!(
                "{}, announced as {ANNOUNCED_IDLE_SECONDS} s; {} above three quarters of the places",
                seconds(IDLE_TIME),
                seconds(PRESSED_IDLE_TIME)
            ),
        ),
        ("no progress while sending a file", format!("{} min", STALL_TIME.as_secs() / 60)),
        (
            "a page or another answer is taken",
            format!("within {}, and 1 s more for each {} KiB", seconds(ANSWER_TIME), ANSWER_BYTES_PER_SECOND / 1024),
        ),
        (
            "what a client still sends after an error",
            format!(
                "until silent for {}, at most {} and {} MiB",
                seconds(LINGER_SILENCE),
                seconds(LINGER_TIME),
                LINGER_BYTES / 1024 / 1024
            ),
        ),
        (
            "places (connections served at a time)",
            format!("`max_connections`, and at least {PLACES_FOR_CHECKS} beside downloads and disk"),
        ),
        ("downloads sent at a time", "three quarters of `max_connections`".to_owned()),
        (
            "downloads that wait, beside the places",
            format!("4 times `max_connections`, at most {WAITING_DOWNLOADS}; {} each", seconds(DOWNLOAD_PATIENCE)),
        ),
        ("a download that moves slower than 2 KiB/s over 30 s", {
            assert_eq!((SLOW_BYTES_PER_SECOND, SLOW_TIME.as_secs()), (2048, 30));
            "gives way to one that waits".to_owned()
        }),
        (
            "requests that use the disk at a time",
            format!("an eighth of `max_connections`; others wait {}", seconds(DISK_PATIENCE)),
        ),
        ("status pages written at a time", PAGES.to_string()),
        ("callers in the kernel's queue", BACKLOG.to_string()),
        ("settings file", kib(CONFIG_BYTES as usize)),
        ("`SHA256SUMS`, `offer.ini`", {
            assert_eq!(SUMS_BYTES, OFFER_BYTES);
            format!("{} each", kib(SUMS_BYTES as usize))
        }),
        ("version folders", format!("{VERSION_FOLDERS}, the newest")),
        ("versions offered at a time", LIVE_VERSIONS.to_string()),
        ("memory for their images", format!("{} MiB, or twice `max_image_kb` if that is more", LIVE_IMAGE_BYTES / 1024 / 1024)),
        ("licence files in the folder", LICENSE_FILES.to_string()),
        ("licences", format!("{LICENSES}, 16 bytes each")),
        ("problems listed", format!("{PROBLEMS} of firmware and settings, {LICENSE_PROBLEMS} of licence files")),
        ("registrars remembered", format!("{REGISTRARS}, at most 2 MB")),
        (
            "a change is looked for",
            format!("every {}; every {} ms while something is unsettled", seconds(WATCH_TIME), UNSETTLED_WATCH_TIME.as_millis()),
        ),
        (
            "a change is taken over after it stood still for",
            format!(
                "{}; {} ms for a folder whose `SHA256SUMS` agrees",
                seconds(SETTLING_TIME),
                VOUCHED_SETTLING_TIME.as_millis()
            ),
        ),
        ("the first answer after a start", format!("within {}", seconds(FIRST_LOOK_TIME))),
        ("log lines that wait for a slow output", LOG_LINES.to_string()),
        (
            "log lines of one kind about one address",
            format!("{REPEATS_LOGGED} in {}, {REPEATS_LOGGED_IN_ALL} about all", seconds(REPEAT_TIME)),
        ),
        (
            "log lines about checks of one address that change something",
            format!("{CHANGES_LOGGED} in {}, {CHANGES_LOGGED_IN_ALL} of all", seconds(CHANGE_TIME)),
        ),
    ];
    let shown: Vec<_> = rows(section(REFERENCE, "Limits")).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let expected: Vec<_> = expected.into_iter().map(|(what, limit)| (what.to_owned(), limit)).collect();
    assert_eq!(shown, expected);
}

#[test]
fn targets_and_their_sizes_are_those_of_the_build() {
    let script = read("build.sh");
    let table = script.split("readonly TARGETS=\"\n").nth(1).expect("targets").split("\n\"").next().expect("their end");
    let fields = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
    let expected: Vec<_> = table.lines().map(fields).map(|field| (field[0].clone(), format!("{} KB", field[6]))).collect();
    let shown = rows(section(&read("docs/install.md"), "Build"));
    assert_eq!(shown.iter().map(|row| (row[0].trim_matches('`').to_owned(), row[2].clone())).collect::<Vec<_>>(), expected);
}

#[test]
fn every_problem_has_a_row_by_its_code_in_both_languages() {
    // Those of the table of all texts, and any that stand elsewhere.
    let mut codes = set(problem::all_texts().map(|text| text.code).filter(|code| !code.is_empty()));
    for source in sources() {
        for pattern in ["Text::new(", "code: "] {
            codes.extend(source.split(pattern).skip(1).filter_map(|rest| {
                let code = rest.trim_start().strip_prefix('"')?.split('"').next()?;
                let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
                is_code.then(|| code.to_owned())
            }));
        }
    }
    for (document, title) in [("docs/operate.md", "Problems by code"), ("docs/operate.ru.md", "Проблемы по кодам")]
    {
        let shown: Vec<_> = rows(section(&read(document), title)).into_iter().flat_map(|row| quoted(&row[0])).collect();
        assert_eq!(shown.len(), set(shown.iter()).len(), "{document}: each code once");
        assert_eq!(set(shown), codes, "{document}");
    }
}

/// Commands without the comments after them.
fn bare_commands(text: &str) -> Vec<String> {
    let without_comment = |line: &str| line.split(" #").next().unwrap_or_default().trim_end().to_owned();
    blocks(text, "sh")
        .iter()
        .flat_map(|block| block.lines().map(without_comment).collect::<Vec<_>>())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

#[test]
fn both_languages_have_the_same_headings_commands_and_tables() {
    for name in IN_TWO_LANGUAGES {
        let (english, russian) = (read(&format!("{name}.md")), read(&format!("{name}.ru.md")));
        let levels = |text: &str| headings(text).iter().map(|(level, _)| *level).collect::<Vec<_>>();
        assert_eq!(levels(&english), levels(&russian), "{name}");
        assert_eq!(bare_commands(&english), bare_commands(&russian), "{name}");
        let widths = |text: &str| rows(text).iter().map(|row| (row.len(), quoted(&row[0]))).collect::<Vec<_>>();
        assert_eq!(widths(&english), widths(&russian), "{name}");
        assert_eq!(blocks(&english, "console"), blocks(&russian, "console"), "{name}");
    }
}

/// The name of a heading in a link, as the usual renderers make it.
fn anchor(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    title.to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(&document).parent().expect("a folder");
        for (line, is_code) in lines_and_fences(&text) {
            for rest in line.split("](").skip(1).filter(|_| !is_code) {
                let link = rest.split(')').next().expect("an end");
                if link.contains("://") {
                    continue;
                }
                let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
                let target = if path.is_empty() { PathBuf::from(&document) } else { folder.join(path) };
                assert!(project().join(&target).exists(), "{document}: {link}");
                if !fragment.is_empty() {
                    let text = read(target.to_str().expect("text"));
                    assert!(headings(&text).iter().any(|(_, title)| anchor(title) == fragment), "{document}: {link}");
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "only {checked} links");
}

#[test]
fn documents_name_this_version_and_no_machine() {
    for document in documents() {
        let text = read(&document);
        for forbidden in ["/work/", "DESIGN.md", "CLIENTS.md"] {
            assert!(!text.contains(forbidden), "{document}: {forbidden}");
        }
        for (line, _) in lines_and_fences(&text).filter(|_| document != "CHANGELOG.md") {
            for rest in line.split("susv-").skip(1).chain(line.split("susv_").skip(1)).filter(|rest| rest.starts_with("1.")) {
                let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                let version = version.trim_end_matches('.');
                assert!([env!("CARGO_PKG_VERSION"), "1.0.0"].contains(&version), "{document}: {line}");
            }
        }
    }
}

#[test]
fn shown_requests_get_the_answers_that_are_shown() {
    let folder = Folder::new();
    for (from, to) in [("firmware/20000101", "firmware/20000101"), ("licenses", "licenses")] {
        for entry in fs::read_dir(project().join(from)).expect("a folder").map(|entry| entry.expect("an entry")) {
            folder.write(&format!("{to}/{}", entry.file_name().to_str().expect("text")), fs::read(entry.path()).expect("a file"));
        }
    }
    let server = Server::start_in(folder, SHIPPED);
    let mut shown = 0;
    for document in documents() {
        for block in blocks(&read(&document), "console") {
            let mut lines = block.lines();
            while let Some(line) = lines.next() {
                let words = line.strip_prefix("$ curl -d '").expect("a request with curl");
                let (body, url) = words.split_once("' ").expect("a body and a URL");
                let path = url.strip_prefix("http://127.0.0.1:8888").expect("our address");
                let length = body.len();
                let answer =
                    server.ask(format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1:8888\r\nContent-Length: {length}\r\n\r\n{body}"));
                assert_eq!(Some(answer.text().as_str()), lines.next(), "{document}: {line}");
                shown += 1;
            }
        }
    }
    assert!(shown >= 5, "only {shown}");
}

// --- Recipes --------------------------------------------------------------------------------------

/// What a till at an address, built at a date, is told behind a proxy on this machine.
fn told(server: &Server, address: &str, build_date: &str) -> Option<u32> {
    let body = format!("{{\"build_date\": \"{build_date}\"}}");
    let length = body.len();
    let text = server
        .ask(format!(
            "POST /check_firmware HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .text();
    let version = text.split("\"version\": ").nth(1)?.split(',').next()?.parse().ok()?;
    text.starts_with("{\"update_available\": true").then_some(version)
}

/// Makes what a listing shows (`├──` and `└──`, four columns a level), with images that differ, and the files given in full; lists in
/// `SHA256SUMS` what stands beside it.
fn make_listing(folder: &Folder, listing: &str, files: &[String]) {
    let given: Vec<(&str, &str)> = files
        .iter()
        .map(|file| file.strip_prefix("# ").and_then(|file| file.split_once('\n')).expect("a path in the first line"))
        .collect();
    let mut path: Vec<String> = Vec::new();
    let mut sums = Vec::new();
    let mut made = 0;
    for line in listing.lines() {
        let name = line.trim_start_matches(|c: char| "│├└─ ".contains(c));
        let depth = (line.chars().count() - name.chars().count()) / 4;
        let name = name.split_whitespace().next().expect("a name");
        path.truncate(depth);
        path.push(name.trim_end_matches('/').to_owned());
        let (full, version) = (path.join("/"), path.get(1).cloned().unwrap_or_default());
        match name {
            "upd_app.bin" => publish(folder, &version, version.bytes().fold(0, |seed: u8, digit| seed.wrapping_mul(3) ^ digit)),
            "upd_app_for_old_frs.bin" => assert!(folder.path().join(&full).exists()),
            "SHA256SUMS" => sums.push(version),
            _ if name.ends_with('/') => {}
            _ => {
                let (_, text) = given.iter().find(|(path, _)| *path == full).unwrap_or_else(|| panic!("no text for {full}"));
                folder.write(&full, text);
                made += 1;
            }
        }
    }
    assert_eq!(made, given.len(), "each file has its place in the listing");
    for version in sums {
        let has_offer = folder.path().join(format!("firmware/{version}/offer.ini")).exists();
        publish_sums(folder, &version, if has_offer { &["offer.ini"] } else { &[] });
    }
}

/// A server with what a recipe shows.
fn start_recipe(document: &str, title: &str) -> Server {
    let text = read(document);
    let recipe = section(&text, title);
    let server = Server::start("current_firmware_version = latest\nproxies = 127.0.0.1\n", |folder| {
        make_listing(folder, &blocks(recipe, "text")[0], &blocks(recipe, "ini"));
        folder.write("licenses/a.slf", license_line(12345, 'a'));
    });
    let status = server.get("/status").text();
    assert!(status.contains("\"problems\": []"), "{document}, {title}: {status}");
    server
}

/// Address, build date, and the version it is offered.
type Case = (&'static str, &'static str, Option<u32>);

const OLD: &str = "19.12.2017";
const RECIPES: [(&str, &str, &[Case]); 4] = [
    (
        "Pilot",
        "Пробная группа",
        &[
            ("192.168.1.20", OLD, Some(20260301)),
            ("192.168.1.21", OLD, Some(20260301)),
            ("192.168.1.22", OLD, Some(20260101)),
            ("192.168.1.22", "01.01.2026", None),
            ("192.168.1.20", "01.03.2026", None),
        ],
    ),
    (
        "Families of hardware",
        "Разное оборудование",
        &[
            ("192.168.1.20", OLD, Some(20260301)),
            ("192.168.2.20", OLD, Some(20260302)),
            ("192.168.1.20", "01.03.2026", None),
            ("192.168.2.20", "02.03.2026", None),
            ("192.168.3.20", OLD, None),
        ],
    ),
    (
        "Stepping stone",
        "Промежуточная версия",
        &[
            ("192.168.1.20", "01.01.2016", Some(20170529)),
            ("192.168.1.20", "29.05.2017", Some(20260301)),
            ("192.168.1.20", "01.03.2026", None),
        ],
    ),
    (
        "Hold a till back",
        "Придержать кассу",
        &[
            ("192.168.1.20", OLD, Some(20260301)),
            ("192.168.1.127", OLD, Some(20260301)),
            ("192.168.1.200", OLD, Some(20260101)),
            ("192.168.1.200", "01.01.2026", None),
        ],
    ),
];

#[test]
fn recipes_do_what_they_say() {
    for (english, russian, cases) in RECIPES {
        for (document, title) in [("docs/operate.md", english), ("docs/operate.ru.md", russian)] {
            let server = start_recipe(document, title);
            for (address, build_date, expected) in cases {
                assert_eq!(told(&server, address, build_date), *expected, "{document}, {title}: {address} built {build_date}");
            }
        }
    }
}

/// Runs shell commands of a document in a folder that stands for `/srv/susv`.
fn run_commands(commands: &str, folder: &Folder, here: &Path) {
    let commands = commands.replace("/srv/susv", folder.path().to_str().expect("text"));
    let output = Command::new("sh").args(["-euc", &commands]).current_dir(here).output().expect("a shell");
    assert!(output.status.success(), "{commands}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn firmware_is_published_widened_and_withdrawn_by_the_commands_that_are_shown() {
    let text = read("docs/operate.md");
    let commands = |title| blocks(section(&text, title), "sh").remove(0);
    let server = start_recipe("docs/operate.md", "Pilot");
    run_commands(&commands("Pilot"), &server.folder, server.folder.path());
    wait_until("everybody is offered it", || told(&server, "192.168.1.99", OLD) == Some(20260301));
    run_commands(&commands("Withdraw"), &server.folder, server.folder.path());
    wait_until("the older one steps in", || told(&server, "192.168.1.99", OLD) == Some(20260101));
    // What came is in a folder elsewhere.
    let source = Folder::new();
    publish(&source, "20260301", 7);
    run_commands(&commands("Publish"), &server.folder, &source.path().join("firmware"));
    wait_until("it is offered again", || told(&server, "192.168.1.99", OLD) == Some(20260301));
    assert!(server.get("/firmware/20260301/upd_app.bin").body == image(7), "other bytes, vouched for");
}
