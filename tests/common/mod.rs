//! What the integration tests share: temporary folders, the real server as a child process, and a client without manners.
//!
//! `SUSV_BIN` names another binary to test, `SUSV_RUNNER` a command to run it with (an emulator, say).

#![allow(dead_code, reason = "each test program uses a part")]

pub mod download;
pub mod lease;
pub mod preload;
pub mod scene;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing on loopback takes so long, on slow shared cores and under an emulator either.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Size of the images the tests publish; real ones have it too.
pub const IMAGE_BYTES: usize = 491_520;

/// A temporary folder that goes away with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("susv-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    /// A folder at a given path, within another one that goes away with its owner.
    pub fn at(path: &Path) -> std::mem::ManuallyDrop<Folder> {
        std::mem::ManuallyDrop::new(Folder(path.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file below the folder, making folders on the way.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders on the way");
        fs::write(&path, content).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes that differ with `seed` and position: a mixture of two images is neither of them.
pub fn image(seed: u8) -> Vec<u8> {
    (0..IMAGE_BYTES).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ seed).collect()
}

/// Publishes both images of `version`, made of two seeds, below `firmware/`.
pub fn publish(folder: &Folder, version: &str, seed: u8) {
    folder.write(&format!("firmware/{version}/upd_app.bin"), image(seed));
    folder.write(&format!("firmware/{version}/upd_app_for_old_frs.bin"), image(!seed));
}

/// A folder with version 20260301 and one licence file.
pub fn plain_folder() -> Folder {
    let folder = Folder::new();
    publish(&folder, "20260301", 1);
    folder.write("licenses/a.slf", license_line(12345, 'a'));
    folder
}

/// Writes a `SHA256SUMS` for the images of `version` as they are, and for `more` files.
pub fn publish_sums(folder: &Folder, version: &str, more: &[&str]) {
    let names = ["upd_app.bin", "upd_app_for_old_frs.bin"].iter().chain(more);
    let line = |name: &&str| {
        let bytes = fs::read(folder.path().join(format!("firmware/{version}/{name}"))).expect("a file");
        format!("{}  {name}\n", susv::text::to_hex(&susv::sha256::hash(&bytes)))
    };
    let lines: String = names.map(line).collect();
    folder.write(&format!("firmware/{version}/SHA256SUMS"), lines);
}

/// A port that a server may be told to take: none of those the system gives to callers, and each once in a process.
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u32> = 12_000..32_000;
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(61);
    loop {
        let at = begin.wrapping_add(NUMBER.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        let port = u16::try_from(PORTS.start + at).expect("a port");
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// A valid licence line whose hexadecimal digits are all `digit`.
pub fn license_line(serial: u64, digit: char) -> String {
    let hex = digit.to_string().repeat(128);
    format!("{serial:016}\t{hex}\t{hex}\n")
}

/// The program under test with its arguments.
pub fn susv() -> Command {
    // Cargo builds the program for tests of its own package alone.
    let built = option_env!("CARGO_BIN_EXE_susv");
    let binary = std::env::var_os("SUSV_BIN").or(built.map(Into::into)).expect("SUSV_BIN names the program to test");
    match std::env::var("SUSV_RUNNER") {
        Ok(runner) if !runner.trim().is_empty() => {
            let mut words = runner.split_whitespace();
            let mut command = Command::new(words.next().expect("a command"));
            command.args(words).arg(binary);
            command
        }
        _ => Command::new(binary),
    }
}

/// Lines a server has written so far.
#[derive(Default)]
struct Output {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

/// A running server; it is killed with its owner.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub folder: Folder,
    output: Arc<Output>,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1 with the settings of `config`, in a folder that `prepare` has filled.
    pub fn start(config: &str, prepare: impl FnOnce(&Folder)) -> Server {
        let folder = Folder::new();
        prepare(&folder);
        Server::start_in(folder, config)
    }

    /// Starts a server with version 20260301 offered and one licence file.
    pub fn start_plain(extra_settings: &str) -> Server {
        Server::start_in(plain_folder(), &format!("current_firmware_version = 20260301\n{extra_settings}"))
    }

    /// Like `start_plain`, from a shell that lowers a limit first.
    pub fn start_limited(limit: &str, extra_settings: &str) -> Server {
        let program = susv();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]).arg(program.get_program()).args(program.get_args());
        Server::start_command(plain_folder(), &format!("current_firmware_version = 20260301\n{extra_settings}"), command)
    }

    pub fn start_in(folder: Folder, config: &str) -> Server {
        Server::start_command(folder, config, susv())
    }

    /// Like `start_in`, with a prepared command.
    pub fn start_command(folder: Folder, config: &str, command: Command) -> Server {
        Server::start_with_input(folder, &format!("address = 127.0.0.1\nport = 0\n{config}"), command, Stdio::null())
    }

    /// Like `start_plain`, as a `user` who may have `threads` threads; `None` where that cannot be had.
    pub fn start_with_few_threads(threads: u32, user: &str, extra_settings: &str) -> Option<Server> {
        // Root has no limit on threads, so the server must be somebody else; an emulator has threads of its own.
        let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0);
        if std::env::var_os("SUSV_RUNNER").is_some() || !is_root {
            println!("skipped: threads can be limited by root only");
            return None;
        }
        let folder = plain_folder();
        // The program may lie where only root may look. Not copied by this process: a child that another test starts meanwhile would have
        // the copy open for writing for a moment, and a file that is open for writing cannot be run.
        let copy = folder.path().join("susv");
        let copied = Command::new("cp").arg(susv().get_program()).arg(&copy).status();
        assert!(copied.is_ok_and(|status| status.success()), "a copy anyone may run");
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", "prlimit", &format!("--nproc={threads}")]).arg(copy);
        Some(Server::start_command(folder, &format!("current_firmware_version = 20260301\n{extra_settings}"), command))
    }

    /// Like `start_command`, with all of the settings and with what the service manager passes as descriptor 0.
    pub fn start_with_input(folder: Folder, config: &str, mut command: Command, input: impl Into<Stdio>) -> Server {
        let config = folder.write("config.ini", config);
        command.arg("-c").arg(config).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let output = Arc::new(Output::default());
        collect_lines(child.stdout.take().expect("stdout"), output.clone());
        collect_lines(child.stderr.take().expect("stderr"), output.clone());
        let mut server = Server { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), folder, output };
        let line = server.wait_for_line("event=listening");
        let address = line.split("address=").nth(1).expect("an address").split([',', ' ']).next().expect("an address");
        server.address = address.trim().parse().expect("an address with a port");
        if server.address.ip().is_unspecified() {
            server.address.set_ip([127, 0, 0, 1].into());
        }
        // Told when everything that stands still has been loaded; on a busy machine callers may come in earlier.
        server.wait_for_line("event=licenses");
        server
    }

    /// Whether it has ended, without waiting for that.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_some()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its CPU time in clock ticks (hundredths of a second).
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("its statistics");
        let fields: Vec<_> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        fields[11..13].iter().map(|field| field.parse::<u64>().expect("a number")).sum()
    }

    /// The lines written so far.
    pub fn lines(&self) -> Vec<String> {
        self.output.lines.lock().expect("lines").clone()
    }

    /// Waits for a line that holds `text`, and returns it.
    pub fn wait_for_line(&self, text: &str) -> String {
        self.wait_for_lines(text, 1).pop().expect("a line")
    }

    /// Waits longer than usual for a line that holds `text`, and returns it.
    pub fn wait_for_line_within(&self, text: &str, time: Duration) -> String {
        self.wait_for_lines_within(text, 1, time).pop().expect("a line")
    }

    /// Waits until `count` lines hold `text`.
    pub fn wait_for_lines(&self, text: &str, count: usize) -> Vec<String> {
        self.wait_for_lines_within(text, count, PATIENCE)
    }

    /// Waits until `count` lines hold `text`, but no longer than `time`.
    pub fn wait_for_lines_within(&self, text: &str, count: usize, time: Duration) -> Vec<String> {
        let end = Instant::now() + time;
        let mut lines = self.output.lines.lock().expect("lines");
        loop {
            let found: Vec<_> = lines.iter().filter(|line| line.contains(text)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            let rest = end.saturating_duration_since(Instant::now());
            assert!(!rest.is_zero(), "no {count} lines with {text:?} among {lines:#?}");
            lines = self.output.grown.wait_timeout(lines, rest).expect("lines").0;
        }
    }

    /// Sends the server a signal by its number.
    pub fn signal(&self, number: i32) {
        let status = Command::new("kill").arg(format!("-{number}")).arg(self.id().to_string()).status().expect("kill");
        assert!(status.success());
    }

    /// Waits for the server's end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the server ends", || {
            status = self.child.try_wait().expect("its status");
            status.is_some()
        });
        status.expect("a status")
    }

    /// A new connection.
    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Sends `request` on a connection of its own and reads one answer.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(&request);
        client.read_answer(request.as_ref().starts_with(b"HEAD "))
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
    }

    /// `POST` of a JSON body.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(post_request(path, body))
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect_lines(source: impl Read + Send + 'static, output: Arc<Output>) {
    thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            output.lines.lock().expect("lines").push(line);
            output.grown.notify_all();
        }
    });
}

/// A POST as a registrar sends it.
pub fn post_request(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A valid check of a registrar that is out of date.
pub fn check_request() -> String {
    post_request("/check_firmware", "{\"build_date\": \"19.12.2017\"}")
}

/// Waits for a condition, looking often.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A client that sends whatever bytes it is told to.
pub struct Client {
    pub stream: TcpStream,
    /// Bytes received and not used.
    pub received: Vec<u8>,
}

/// An answer off the wire.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        Client { stream, received: Vec::new() }
    }

    /// Sends bytes; that the server has closed meanwhile shows when its answer is read.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Reads more; false at the end of the connection, be it a close or a reset.
    pub fn read_more(&mut self) -> bool {
        let mut piece = [0; 65_536];
        match self.stream.read(&mut piece) {
            Ok(count) => {
                self.received.extend_from_slice(&piece[..count]);
                count > 0
            }
            // A machine that was stopped for a moment, say.
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the server neither answered nor closed")
            }
            Err(_) => false,
        }
    }

    /// Reads one answer; panics if the connection ends before it does.
    pub fn read_answer(&mut self, is_head: bool) -> Answer {
        self.try_answer(is_head)
            .unwrap_or_else(|| panic!("the connection ended in {:?}", String::from_utf8_lossy(&self.received)))
    }

    /// Reads one answer; `None` if the connection ends before one is complete.
    pub fn try_answer(&mut self, is_head: bool) -> Option<Answer> {
        let head_end = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.read_more() {
                return None;
            }
        };
        let head = String::from_utf8(self.received[..head_end].to_vec()).expect("an ASCII head");
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().expect("a status line");
        let status =
            status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).expect("a status").parse().expect("a number");
        let fields: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").expect("a field"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length =
            fields.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().expect("a length"));
        let length = if is_head || status == 100 { 0 } else { length };
        while self.received.len() < head_end + length {
            if !self.read_more() {
                return None;
            }
        }
        let body = self.received[head_end..head_end + length].to_vec();
        self.received.drain(..head_end + length);
        Some(Answer { status, fields, body })
    }

    /// Reads until the connection ends, and returns all that came.
    pub fn read_to_end(&mut self) -> &[u8] {
        while self.read_more() {}
        &self.received
    }
}
