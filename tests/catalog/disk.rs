//! Disks that fail for a while, and a server that runs out of descriptors or memory: no read error is for ever, and a shortage
//! changes nothing that was known.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::preload;
use crate::common::{Folder, Server, check_request, image, license_line, publish, publish_sums, wait_until};

const LATEST: &str = "current_firmware_version = latest\n";
const SIGHUP: i32 = 1;
const EIO: i32 = 5;
const ENOMEM: i32 = 12;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// Calls fail as the file `TEST_FAULTS` says, in lines of a call (`open`, `list`, `stat`, `read`; `load`: a large read), the number of its error, and a part
/// of the path.
const FAULTY_DISK: &str = r#"
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
static int fails(const char *call, const char *path) {
    char text[2048], *line = text, *rest, kind[8], part[256];
    const char *name = getenv("TEST_FAULTS");
    int number, file = name && path ? syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    long length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    text[length < 0 ? 0 : length] = 0;
    while ((line = strtok_r(line, "\n", &rest))) {
        if (sscanf(line, "%7s %d %255s", kind, &number, part) == 3 && !strcmp(kind, call) && strstr(path, part)) {
            errno = number;
            return 1;
        }
        line = NULL;
    }
    return 0;
}
static int fails_at(const char *call, int file, const char *below) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 300);
    path[length < 0 ? 0 : length] = 0;
    if (*below) strncat(strcat(path, "/"), below, 256);
    return fails(call, path);
}
#define OPEN(name) int name(const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \
    if (fails("open", path)) return -1; \
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); }
OPEN(open)
OPEN(open64)
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \
    if (at >= 0 ? fails_at("open", at, path) : fails("open", path)) return -1; \
    return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name))(at, path, flags, mode); }
OPENAT(openat)
OPENAT(openat64)
DIR *opendir(const char *path) {
    if (fails("list", path)) return NULL;
    return ((DIR *(*)(const char *))dlsym(RTLD_NEXT, "opendir"))(path);
}
int statx(int at, const char *path, int flags, unsigned mask, struct statx *found) {
    if (path && *path && fails("stat", path)) return -1;
    return ((int (*)(int, const char *, int, unsigned, struct statx *))dlsym(RTLD_NEXT, "statx"))(at, path, flags, mask, found);
}
ssize_t read(int file, void *bytes, size_t count) {
    if (fails_at("read", file, "") || count > 65536 && fails_at("load", file, "")) return -1;
    return ((ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read"))(file, bytes, count);
}
#define PREAD(name) ssize_t name(int file, void *bytes, size_t count, off64_t at) { \
    if (fails_at("read", file, "")) return -1; \
    return ((ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, #name))(file, bytes, count, at); }
PREAD(pread)
PREAD(pread64)
"#;

/// Lets calls fail from now on.
fn fail(folder: &Path, faults: &str) {
    fs::write(folder.join("faults.new"), faults).expect("the faults");
    fs::rename(folder.join("faults.new"), folder.join("faults")).expect("the faults");
}

/// A server on a disk that fails so from the start: two versions, one licence.
fn start(faults: &str) -> Option<Server> {
    start_prepared(faults, |_| {})
}

fn start_prepared(faults: &str, prepare: impl FnOnce(&Folder)) -> Option<Server> {
    let folder = Folder::new();
    prepare(&folder);
    publish(&folder, "20260101", 1);
    publish(&folder, "20260301", 2);
    publish_sums(&folder, "20260301", &[]);
    folder.write("licenses/a.slf", license_line(1, 'a'));
    let mut command = preload::with_library(&folder, FAULTY_DISK)?;
    fail(folder.path(), faults);
    command.env("TEST_FAULTS", folder.path().join("faults"));
    let server = Server::start_command(folder, LATEST, command);
    preload::is_loaded(&server).then_some(server)
}

fn offered(server: &Server) -> Option<u32> {
    let answer = server.ask(check_request());
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let version = text.split("\"version\": ").nth(1)?.split(',').next()?.parse().ok()?;
    text.starts_with("{\"update_available\": true").then_some(version)
}

fn license_status(server: &Server) -> u16 {
    server.post("/feature_licenses", "{\"serial\": \"0000000000000001\"}").status
}

/// As `cp -p` or `chown -R` leave them: the same bytes, and other stamps.
fn touch_everything(server: &Server) {
    let folder = server.folder.path();
    for name in ["firmware/20260301/upd_app.bin", "firmware/20260301/SHA256SUMS", "licenses/a.slf"] {
        let bytes = fs::read(folder.join(name)).expect("a file");
        fs::write(folder.join("copy"), bytes).expect("a copy");
        fs::rename(folder.join("copy"), folder.join(name)).expect("in its place");
    }
}

#[test]
fn what_cannot_be_read_at_the_start_is_taken_when_it_can() {
    let cases = [
        ("IMAGE-UNREADABLE", "read 5 upd_app.bin\nread 5 a.slf\n"),
        ("IMAGE-UNREADABLE", "open 5 upd_app.bin\nopen 5 a.slf\n"),
        ("IMAGE-UNREADABLE", "stat 5 upd_app.bin\nstat 5 a.slf\n"),
        ("SUMS-UNREADABLE", "read 5 SHA256SUMS\nread 5 a.slf\nread 5 20260101/upd_app.bin\n"),
        ("FOLDER-UNREADABLE", "list 5 20260\nlist 5 licenses\n"),
        ("FIRMWARE-UNREADABLE", "list 5 firmware\nlist 5 licenses\n"),
    ];
    // Each has a server of its own, and all of them wait at the same time.
    thread::scope(|scope| {
        for (problem, faults) in cases {
            scope.spawn(move || start(faults).iter().for_each(|server| assert_start_heals(server, problem, faults)));
        }
    });
}

fn assert_start_heals(server: &Server, problem: &str, faults: &str) {
    server.wait_for_line(problem);
    // More than two looks: it is told once, and nothing is offered.
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        assert_eq!(offered(server), None, "{faults}");
        assert_ne!(license_status(server), 200, "{faults}");
        thread::sleep(Duration::from_millis(100));
    }
    let told = server.lines().iter().filter(|line| line.contains("event=problem") && line.contains("a.slf")).count();
    assert!(told <= 1, "{faults}: {:#?}", server.lines());
    fail(server.folder.path(), "");
    // The older one may step in until the next look if it heals between the two.
    wait_until("the newest is offered", || offered(server) == Some(20260301));
    wait_until("the licence is given", || license_status(server) == 200);
    assert!(server.get("/firmware/20260301/upd_app.bin").body == image(2));
    wait_until("no problem is left", || server.get("/status").text().contains("\"problems\": []"));
}

#[test]
fn a_shortage_of_descriptors_or_memory_while_looking_changes_nothing() {
    let cases = [
        format!("list {EMFILE} /firmware"),
        format!("list {ENFILE} /licenses"),
        format!("list {EMFILE} /20260301"),
        format!("open {EMFILE} /firmware/"),
        format!("open {ENFILE} /licenses/"),
        format!("stat {ENOMEM} /firmware"),
        format!("stat {ENOMEM} /licenses"),
        format!("read {ENOMEM} /firmware/"),
        format!("read {ENOMEM} /licenses/"),
    ];
    thread::scope(|scope| {
        for faults in &cases {
            scope.spawn(move || start("").iter().for_each(|server| assert_shortage_changes_nothing(server, faults)));
        }
    });
}

/// Both while everything stands still, and when files have other stamps, so that they have to be read again.
fn assert_shortage_changes_nothing(server: &Server, faults: &str) {
    wait_until("it is offered", || offered(server) == Some(20260301));
    for is_touched in [false, true] {
        fail(server.folder.path(), faults);
        if is_touched {
            touch_everything(server);
        }
        server.signal(SIGHUP);
        let end = Instant::now() + Duration::from_millis(4500);
        while Instant::now() < end {
            assert_eq!(offered(server), Some(20260301), "{faults}, touched: {is_touched}: {:#?}", server.lines());
            let status = license_status(server);
            assert!(matches!(status, 200 | 503), "{faults}: a known serial is {status}: {:#?}", server.lines());
            thread::sleep(Duration::from_millis(100));
        }
        fail(server.folder.path(), "");
        wait_until("the licence is given", || license_status(server) == 200);
        assert_eq!(offered(server), Some(20260301));
    }
    let bad = ["event=problem", "event=withdrawn", "unsettled="];
    let lines = server.lines();
    assert!(!lines.iter().any(|line| bad.iter().any(|bad| line.contains(bad))), "{faults}: {lines:#?}");
}

#[test]
fn settings_that_descriptors_or_memory_do_not_suffice_for_are_read_later() {
    let cases = [("open", EMFILE), ("stat", ENOMEM), ("read", ENFILE)];
    thread::scope(|scope| {
        for (call, number) in cases {
            scope.spawn(move || {
                let Some(server) = start("") else { return };
                fail(server.folder.path(), &format!("{call} {number} /config.ini\n"));
                server.folder.write("config.ini", "address = 127.0.0.1\nport = 0\ncurrent_firmware_version = 20260101\n");
                let end = Instant::now() + Duration::from_secs(6);
                while Instant::now() < end {
                    assert_eq!(offered(&server), Some(20260301), "{call}: {:#?}", server.lines());
                    thread::sleep(Duration::from_millis(100));
                }
                fail(server.folder.path(), "");
                wait_until("the settings are in force", || offered(&server) == Some(20260101));
                let lines = server.lines();
                assert!(!lines.iter().any(|line| line.contains("event=problem")), "{call}: {lines:#?}");
            });
        }
    });
}

/// An image that is offered is in memory: what happens to its file is no change as long as nobody has to read it.
#[test]
fn read_errors_of_what_was_read_before_withdraw_nothing() {
    let Some(server) = start("") else { return };
    wait_until("it is offered", || offered(&server) == Some(20260301));
    fail(server.folder.path(), &format!("read {EIO} /firmware/\nopen {EIO} /firmware/\nread {EIO} /licenses/\n"));
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        assert_eq!(offered(&server), Some(20260301));
        assert_eq!(license_status(&server), 503);
        assert!(server.get("/firmware/20260301/upd_app.bin").body == image(2));
        thread::sleep(Duration::from_millis(200));
    }
    fail(server.folder.path(), "");
    wait_until("the licence is given", || license_status(&server) == 200);
}

/// Its images do not fit into memory, or cannot be read to their end; the one before is offered.
#[test]
fn what_is_offered_is_missed_at_once_however_many_folders_there_are_and_whatever_is_refused() {
    let server = start_prepared(&format!("load {ENOMEM} /20260301/\n"), |folder| {
        for number in 0..200 {
            fs::create_dir_all(folder.path().join(format!("firmware/{}0101", 1800 + number))).expect("a folder");
        }
    });
    let Some(server) = server else { return };
    server.wait_for_line("NO-MEMORY");
    assert_eq!(offered(&server), Some(20260101));
    for _ in 0..2 {
        let path = server.folder.path().join("firmware/20260101/upd_app.bin");
        fs::rename(&path, server.folder.path().join("away")).expect("away");
        let begun = Instant::now();
        wait_until("it is withdrawn", || offered(&server).is_none());
        // Two looks, on a busy machine.
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        fs::rename(server.folder.path().join("away"), &path).expect("back");
        wait_until("it is back", || offered(&server) == Some(20260101));
    }
}

/// What stands there now is not known, so nobody is sent to it.
#[test]
fn a_folder_that_cannot_be_looked_at_is_withdrawn_and_comes_back() {
    let Some(server) = start("") else { return };
    wait_until("it is offered", || offered(&server) == Some(20260301));
    fail(server.folder.path(), &format!("stat {EIO} /firmware/\n"));
    wait_until("nothing is offered", || offered(&server).inspect(|version| assert_eq!(*version, 20260301)).is_none());
    server.wait_for_line("event=withdrawn version=20260301");
    thread::sleep(Duration::from_secs(5));
    assert_eq!(offered(&server), None);
    fail(server.folder.path(), "");
    wait_until("the newest is back", || offered(&server).inspect(|version| assert_eq!(*version, 20260301)).is_some());
}
