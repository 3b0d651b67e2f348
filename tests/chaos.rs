//! Everything changes at random, under clients that check and load: whatever happens to the files, nobody is handed a byte that was
//! not an image, no check fails, and nobody is sent back to an older version.
//!
//! `SUSV_CHAOS_SEED` repeats a run, `SUSV_CHAOS_SECONDS` sets its length.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use common::{Folder, IMAGE_BYTES, Server, check_request, license_line, publish_sums};

const NAMES: [&str; 2] = ["upd_app.bin", "upd_app_for_old_frs.bin"];
const VERSIONS: [u32; 5] = [20260101, 20260201, 20260301, 20260401, 20260501];
/// A stop takes new downloads for two seconds: with those that come all the time it would take longer than the test waits.
const CONFIG: &str = "current_firmware_version = latest\nstop_seconds = 62\n";

/// Two looks of 2 s, and what a busy machine adds.
const NOTICED: Duration = Duration::from_secs(7);
/// Settling, two looks, and what a busy machine adds.
const TAKEN: Duration = Duration::from_secs(9);

/// Pseudo-random numbers: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    /// An image like no other.
    fn image(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(IMAGE_BYTES);
        while bytes.len() < IMAGE_BYTES {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// How a version's folder is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Whole, and standing still since then.
    Fit(Instant),
    /// Nothing that may be handed out, since then.
    Unfit(Instant),
    /// Being changed.
    Changing,
}

/// When an image was whole under a path.
struct Whole {
    path: String,
    digest: u64,
    from: Instant,
    to: Option<Instant>,
}

/// What is true of the files.
struct World {
    states: BTreeMap<u32, State>,
    images: Vec<Whole>,
    log: Vec<String>,
}

struct Chaos {
    world: Mutex<World>,
    /// Where the server is, and a number that is odd while it restarts.
    address: Mutex<(SocketAddr, u32)>,
    over: AtomicBool,
    checks: AtomicUsize,
    downloads: AtomicUsize,
    start: Instant,
}

impl Chaos {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, what: String) {
        let at = self.start.elapsed().as_millis();
        self.world().log.push(format!("{at:6} ms {what}"));
    }

    fn set(&self, version: u32, state: State) {
        self.world().states.insert(version, state);
    }

    /// The images of a version are whole no more.
    fn end_images(&self, version: u32) {
        let (now, prefix) = (Instant::now(), format!("{version}/"));
        for image in self.world().images.iter_mut().filter(|image| image.to.is_none() && image.path.starts_with(&prefix)) {
            image.to = Some(now);
        }
    }

    /// Images are whole from before the moment at which their last byte is written.
    fn begin_image(&self, version: u32, name: &str, bytes: &[u8]) {
        let image = Whole { path: format!("{version}/{name}"), digest: digest(bytes), from: Instant::now(), to: None };
        self.world().images.push(image);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn fail(&self, what: &str) -> ! {
        self.over.store(true, Ordering::Relaxed);
        let world = self.world();
        let recent = world.log.len().saturating_sub(60);
        panic!("at {:?}: {what}\n{}", self.start.elapsed(), world.log[recent..].join("\n"));
    }
}

/// One answer, or nothing if the connection ended before it was complete.
fn ask(address: SocketAddr, request: &str) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(common::PATIENCE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut received = Vec::new();
    let mut piece = vec![0; 65_536];
    loop {
        if let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..at]).into_owned();
            let status = head.get(9..12)?.parse().ok()?;
            let length: usize = head.split("Content-Length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
            if received.len() >= at + 4 + length {
                received.drain(..at + 4);
                return Some((status, received));
            }
        }
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => received.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
}

/// Checks, loads what it is offered or something else, and judges every answer.
fn run_client(chaos: &Chaos, seed: u64) {
    let mut random = Random(seed);
    while !chaos.is_over() {
        let (address, life) = *chaos.address.lock().expect("an address");
        let asked = Instant::now();
        let Some((status, body)) = ask(address, &check_request()) else {
            // Only a restart may end it.
            thread::sleep(Duration::from_millis(50));
            if life % 2 == 0 && chaos.address.lock().expect("an address").1 == life && !chaos.is_over() {
                chaos.fail("a check without an answer");
            }
            continue;
        };
        chaos.checks.fetch_add(1, Ordering::Relaxed);
        if status != 200 {
            chaos.fail(&format!("a check was answered {status}"));
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        let version: u32 = text.split("\"version\": ").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0);
        if text.starts_with("{\"update_available\": true") {
            judge_offer(chaos, version, asked);
        }
        let wanted = if random.below(3) == 0 { VERSIONS[random.below(VERSIONS.len())] } else { version };
        let path = format!("{wanted}/{}", NAMES[random.below(2)]);
        let asked = Instant::now();
        let request = format!("GET /firmware/{path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        match ask(address, &request) {
            Some((200, body)) => judge_image(chaos, &path, &body, asked),
            Some((_, body)) if !body.is_empty() => chaos.fail(&format!("an error with a body for {path}")),
            _ => {}
        }
        thread::sleep(Duration::from_millis(random.below(30) as u64));
    }
}

fn judge_offer(chaos: &Chaos, version: u32, asked: Instant) {
    let world = chaos.world();
    let newer = world.states.range(version + 1..).find_map(|(newer, state)| match state {
        State::Fit(since) if asked.saturating_duration_since(*since) > TAKEN => Some(*newer),
        _ => None,
    });
    let state = world.states.get(&version).copied();
    drop(world);
    if let Some(newer) = newer {
        chaos.fail(&format!("{version} is offered although {newer} is whole"));
    }
    match state {
        Some(State::Unfit(since)) if asked.saturating_duration_since(since) > NOTICED => {
            chaos.fail(&format!("{version} is offered and has been gone for {:?}", asked - since))
        }
        None => chaos.fail(&format!("{version} is offered and never was")),
        _ => {}
    }
}

fn judge_image(chaos: &Chaos, path: &str, body: &[u8], asked: Instant) {
    let (digest, now) = (digest(body), Instant::now());
    let world = chaos.world();
    let mut same = world.images.iter().filter(|image| image.path == path && image.digest == digest);
    let was_whole =
        same.any(|image| image.from <= now && image.to.is_none_or(|to| asked.saturating_duration_since(to) < NOTICED));
    drop(world);
    if !was_whole {
        chaos.fail(&format!("{path}: {} bytes that were no image at that time", body.len()));
    }
    chaos.downloads.fetch_add(1, Ordering::Relaxed);
}

/// Tells the clients to end.
struct OverAtEnd<'a>(&'a AtomicBool);

impl Drop for OverAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Who changes things.
struct Changer<'a> {
    chaos: &'a Chaos,
    random: Random,
    server: Option<Server>,
    folder: PathBuf,
    life: u32,
}

impl Changer<'_> {
    fn path(&self, version: u32) -> PathBuf {
        self.folder.join("firmware").join(version.to_string())
    }

    fn pause(&mut self, limit: usize) {
        let time = self.random.below(limit) as u64;
        thread::sleep(Duration::from_millis(time));
    }

    /// Nothing of a version is left.
    fn remove(&self, version: u32) {
        self.chaos.set(version, State::Changing);
        self.chaos.end_images(version);
        let path = self.path(version);
        if let Ok(metadata) = fs::symlink_metadata(&path) {
            let removed = if metadata.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.expect("removed");
        }
        self.chaos.set(version, State::Unfit(Instant::now()));
    }

    /// Published whole: built under another name and renamed.
    fn publish(&mut self, version: u32, with_sums: bool) {
        self.remove(version);
        self.chaos.set(version, State::Changing);
        let staged = Folder::at(&self.folder.join("staged"));
        let _ = fs::remove_dir_all(staged.path());
        for name in NAMES {
            let bytes = self.random.image();
            staged.write(&format!("firmware/{version}/{name}"), &bytes);
            self.chaos.begin_image(version, name, &bytes);
        }
        if with_sums {
            publish_sums(&staged, &version.to_string(), &[]);
        }
        fs::rename(staged.path().join("firmware").join(version.to_string()), self.path(version)).expect("published");
    }

    /// Written where it is served, with pauses; with luck to its end.
    fn copy_slowly(&mut self, version: u32, is_finished: bool) {
        self.remove(version);
        self.chaos.set(version, State::Changing);
        fs::create_dir(self.path(version)).expect("a folder");
        let images = [self.random.image(), self.random.image()];
        let stop = self.random.below(16);
        for (index, (name, bytes)) in NAMES.iter().zip(&images).enumerate() {
            let mut file = fs::File::create(self.path(version).join(name)).expect("a file");
            for (number, piece) in bytes.chunks(bytes.len().div_ceil(8)).enumerate() {
                if !is_finished && index * 8 + number == stop {
                    self.chaos.set(version, State::Unfit(Instant::now()));
                    return;
                }
                if number == 7 {
                    self.chaos.begin_image(version, name, bytes);
                }
                file.write_all(piece).expect("a piece");
                self.pause(if number == 3 { 2500 } else { 100 });
            }
        }
    }

    /// Overwrites an image in place with another one, or with a part of it; the checksums follow or do not.
    fn overwrite(&mut self, version: u32, is_whole: bool) {
        let path = self.path(version).join(NAMES[0]);
        let has_sums = self.path(version).join("SHA256SUMS").is_file();
        // A mixture that was never offered, and that nobody vouches for, cannot be told from an image.
        if !has_sums || !path.is_file() {
            return;
        }
        self.chaos.set(version, State::Changing);
        self.chaos.end_images(version);
        let bytes = self.random.image();
        let length = if is_whole { IMAGE_BYTES } else { 4096 + self.random.below(IMAGE_BYTES - 8192) };
        if is_whole {
            self.chaos.begin_image(version, NAMES[0], &bytes);
            let other = fs::read(self.path(version).join(NAMES[1])).unwrap_or_default();
            self.chaos.begin_image(version, NAMES[1], &other);
        }
        let mut file = fs::File::options().write(true).open(&path).expect("the file");
        for piece in bytes[..length].chunks(100_000) {
            file.write_all(piece).expect("a piece");
            self.pause(300);
        }
        if is_whole && self.path(version).join(NAMES[1]).is_file() {
            publish_sums(&Folder::at(&self.folder), &version.to_string(), &[]);
        } else {
            self.chaos.set(version, State::Unfit(Instant::now()));
        }
    }

    /// Ruins an image in one of many ways.
    fn ruin(&mut self, version: u32) {
        let path = self.path(version).join(NAMES[self.random.below(2)]);
        if fs::symlink_metadata(&path).is_err() {
            return;
        }
        self.chaos.set(version, State::Changing);
        self.chaos.end_images(version);
        match self.random.below(5) {
            0 => drop(fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(100_000))),
            kind => {
                if path.is_dir() {
                    fs::remove_dir_all(&path).expect("removed")
                } else {
                    fs::remove_file(&path).expect("removed")
                }
                match kind {
                    1 => symlink("/etc/passwd", &path).expect("a link"),
                    2 => assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success()),
                    3 => fs::create_dir(&path).expect("a folder"),
                    _ => {}
                }
            }
        }
        self.chaos.set(version, State::Unfit(Instant::now()));
    }

    /// Other stamps, the same bytes.
    fn touch(&mut self, version: u32) {
        for name in NAMES {
            let path = self.path(version).join(name);
            if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
                let mode = if self.random.below(2) == 0 { 0o644 } else { 0o640 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("rights");
                let file = fs::File::options().append(true).open(&path).expect("the file");
                file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(self.random.next() >> 34)).expect("a time");
            }
        }
    }

    fn configure(&mut self) {
        let text = match self.random.below(4) {
            0 => "nonsense\n".to_owned(),
            1 => format!("{CONFIG}current_firmware_description = {}\n", self.random.next()),
            2 => format!("{CONFIG}max_image_kb = 500\n"),
            _ => CONFIG.to_owned(),
        };
        fs::write(self.folder.join("config.ini"), format!("address = 127.0.0.1\nport = 0\n{text}")).expect("written");
        fs::write(self.folder.join("licenses/a.slf"), license_line(self.random.next() >> 12, 'a')).expect("written");
    }

    fn restart(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        self.life += 1;
        // From now on an answer may fail.
        self.chaos.address.lock().expect("an address").1 = self.life;
        server.signal(if self.random.below(2) == 0 { 9 } else { 15 });
        server.wait();
        // The folder goes on.
        std::mem::forget(std::mem::replace(&mut server.folder, Folder::new()));
        drop(server);
        let server = Server::start_in(std::mem::ManuallyDrop::into_inner(Folder::at(&self.folder)), CONFIG);
        self.life += 1;
        *self.chaos.address.lock().expect("an address") = (server.address, self.life);
        self.server = Some(server);
        // It must settle anew.
        let now = Instant::now();
        for state in self.chaos.world().states.values_mut() {
            if let State::Fit(since) = state {
                *since = now;
            }
        }
    }

    /// One change; what has become whole by it is fit from its end on.
    fn change(&mut self) {
        let version = VERSIONS[self.random.below(VERSIONS.len())];
        let kind = self.random.below(12);
        self.chaos.note(format!("change {kind} of {version}"));
        match kind {
            0 => self.publish(version, false),
            1 | 2 => self.publish(version, true),
            3 => self.copy_slowly(version, true),
            4 => self.copy_slowly(version, false),
            5 => self.overwrite(version, true),
            6 => self.overwrite(version, false),
            7 => self.ruin(version),
            8 => self.remove(version),
            9 => self.touch(version),
            10 => self.configure(),
            _ if self.random.below(4) == 0 => self.restart(),
            _ => self.server.as_ref().expect("a server").signal(1),
        }
        let mut world = self.chaos.world();
        if let Some(state) = world.states.get_mut(&version)
            && *state == State::Changing
        {
            // Other images under a number that was offered before are taken only with checksums.
            let is_vouched = self.folder.join(format!("firmware/{version}/SHA256SUMS")).is_file();
            *state = if is_vouched { State::Fit(Instant::now()) } else { State::Changing };
        }
    }
}

#[test]
fn whatever_happens_to_the_files_nobody_gets_anything_but_whole_images() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let random = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64);
    let seed = number("SUSV_CHAOS_SEED").unwrap_or_else(random).max(1);
    let time = Duration::from_secs(number("SUSV_CHAOS_SECONDS").unwrap_or(12));
    println!("SUSV_CHAOS_SEED={seed}");
    let folder = Folder::new();
    let own = folder.path().to_owned();
    for name in ["firmware", "licenses"] {
        fs::create_dir(own.join(name)).expect("a folder");
    }
    let server = Server::start_in(std::mem::ManuallyDrop::into_inner(Folder::at(&own)), CONFIG);
    let chaos = Chaos {
        world: Mutex::new(World { states: BTreeMap::new(), images: Vec::new(), log: Vec::new() }),
        address: Mutex::new((server.address, 0)),
        over: AtomicBool::new(false),
        checks: AtomicUsize::new(0),
        downloads: AtomicUsize::new(0),
        start: Instant::now(),
    };
    let mut changer = Changer { chaos: &chaos, random: Random(seed), server: Some(server), folder: own, life: 0 };
    changer.publish(VERSIONS[0], true);
    chaos.set(VERSIONS[0], State::Fit(Instant::now()));
    thread::scope(|scope| {
        // Where the changes fail, the clients must end too: the scope waits for them before it tells.
        let _over = OverAtEnd(&chaos.over);
        for client in 0..4_u64 {
            let chaos = &chaos;
            scope.spawn(move || run_client(chaos, seed.rotate_left(7) ^ (client + 1)));
        }
        while chaos.start.elapsed() < time && !chaos.is_over() {
            changer.change();
            changer.pause(1500);
        }
    });
    let (checks, downloads) = (chaos.checks.load(Ordering::Relaxed), chaos.downloads.load(Ordering::Relaxed));
    println!("{checks} checks, {downloads} downloads, SUSV_CHAOS_SEED={seed}");
    assert!(checks > 50 && downloads > 5, "{checks} checks, {downloads} downloads");
    drop(changer);
    drop(folder);
}
