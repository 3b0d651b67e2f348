//! The servers under load as child processes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which server to start.
pub enum Server {
    /// The release binary, with or without request lines in its log.
    Susv {
        /// `log_requests`, into a pipe that is read.
        log: bool,
        /// `status_page`
        page: bool,
    },
    /// Another program with the settings of the one above: an earlier release, say.
    Other(OsString),
    /// This program's own floor.
    Floor,
    /// nginx, if it is on the PATH.
    Nginx,
    /// lighttpd, if it is on the PATH: for files only.
    Lighttpd,
}

/// A running server; it ends with its owner.
pub struct Process {
    pub name: &'static str,
    pub address: SocketAddr,
    /// From its start to its first answer.
    pub first_answer: Duration,
    /// The process whose CPU time and memory count.
    pid: u32,
    child: Child,
    folder: PathBuf,
}

/// Starts a server; `None` if it is not installed.
pub fn start(server: Server) -> Option<Process> {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
    let name = match server {
        Server::Susv { page: false, .. } => "susv, no page",
        Server::Susv { log: false, .. } => "susv",
        Server::Susv { log: true, .. } => "susv, log",
        Server::Other(_) => "other",
        Server::Floor => "floor",
        Server::Nginx => "nginx",
        Server::Lighttpd => "lighttpd",
    };
    let folder = std::env::temp_dir().join(format!("susv-bench-{}-{port}", std::process::id()));
    fs::create_dir_all(folder.join("logs")).expect("a folder");
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy_samples(project, &folder);
    let mut command = match server {
        Server::Susv { log, page } => susv_command(env!("CARGO_BIN_EXE_susv").as_ref(), &folder, port, log, page),
        Server::Other(ref program) => susv_command(program, &folder, port, false, true),
        Server::Floor => {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.arg("--floor").arg(port.to_string());
            command
        }
        Server::Nginx => {
            let config = nginx_config(&folder, port);
            fs::write(folder.join("nginx.conf"), config).expect("a configuration");
            let mut command = Command::new("nginx");
            command.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf")).args(["-e", "stderr"]);
            command
        }
        Server::Lighttpd => {
            let root = folder.display();
            let config = format!(
                "server.document-root = \"{root}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
                 server.max-keep-alive-requests = 1000000000\nindex-file.names = ( \"config.ini\" )\n"
            );
            fs::write(folder.join("lighttpd.conf"), config).expect("a configuration");
            fs::write(folder.join("config.ini"), "an index").expect("a file");
            let mut command = Command::new("lighttpd");
            command.arg("-D").arg("-f").arg(folder.join("lighttpd.conf"));
            command
        }
    };
    let begun = Instant::now();
    let Ok(mut child) = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
        let _ = fs::remove_dir_all(&folder);
        return None;
    };
    let mut output = child.stdout.take().expect("its output");
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    while TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{name} does not start");
        std::thread::sleep(Duration::from_micros(200));
    }
    super::load::ask_once(address, if name == "lighttpd" { super::PLAIN_FILE } else { super::CHECK });
    let first_answer = begun.elapsed();
    // nginx's master has one worker, which does the work.
    let pid = if name == "nginx" { child_of(child.id()).unwrap_or(child.id()) } else { child.id() };
    Some(Process { name, address, first_answer, pid, child, folder })
}

fn susv_command(program: &OsStr, folder: &Path, port: u16, log: bool, page: bool) -> Command {
    let [log_requests, status_page] = [log, page].map(|on| if on { "yes" } else { "no" });
    let config = format!(
        "address = 127.0.0.1\nport = {port}\ncurrent_firmware_version = latest\nlog_requests = {log_requests}\n\
         status_page = {status_page}\nmax_connections = 400\n"
    );
    fs::write(folder.join("config.ini"), config).expect("a configuration");
    let mut command = Command::new(program);
    command.arg("-c").arg(folder.join("config.ini"));
    command
}

fn copy_samples(project: &Path, folder: &Path) {
    let sample = project.join("firmware/20000101");
    let target = folder.join("firmware/20000101");
    fs::create_dir_all(&target).expect("a folder");
    fs::create_dir_all(folder.join("licenses")).expect("a folder");
    for name in ["upd_app.bin", "upd_app_for_old_frs.bin"] {
        fs::copy(sample.join(name), target.join(name)).expect("a copy");
    }
    fs::copy(sample.join("upd_app.bin"), folder.join("firmware/plain.bin")).expect("a copy");
    fs::copy(project.join("licenses/sample.slf"), folder.join("licenses/sample.slf")).expect("a copy");
}

fn nginx_config(folder: &Path, port: u16) -> String {
    let answer = "x".repeat(246);
    let root = folder.display();
    format!(
        "daemon off; worker_processes 1; pid {root}/nginx.pid; user root;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; client_body_temp_path {root}/body;\n\
         proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;\n\
         server {{ listen 127.0.0.1:{port} backlog=1024; root {root};\n\
         location = /check_firmware {{ default_type application/json; return 200 '{answer}'; }} }} }}\n"
    )
}

fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

impl Process {
    /// CPU time so far, in microseconds, of all threads that are or were.
    pub fn cpu_microseconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).expect("its statistics");
        let fields: Vec<_> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().expect("a number")).sum();
        ticks as f64 * 10_000.0
    }

    /// Resident memory in MB.
    pub fn memory_mb(&self) -> f64 {
        self.kilobytes("VmRSS:") / 1024.0
    }

    /// The most memory it has had so far, in MB.
    pub fn peak_mb(&self) -> f64 {
        self.kilobytes("VmHWM:") / 1024.0
    }

    fn kilobytes(&self, key: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("its status");
        let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0)
    }

    /// Publishes a version with images of `image_bytes` each, and waits until they are handed out.
    pub fn publish(&self, version: &str, image_bytes: usize) {
        let folder = self.folder.join(version);
        fs::create_dir(&folder).expect("a folder");
        let byte = |at: usize| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0];
        for (name, seed) in [("upd_app.bin", 0), ("upd_app_for_old_frs.bin", 255)] {
            fs::write(folder.join(name), (0..image_bytes).map(|at| byte(at) ^ seed).collect::<Vec<_>>()).expect("an image");
        }
        fs::rename(folder, self.folder.join("firmware").join(version)).expect("published");
        let request = format!("GET /firmware/{version}/upd_app.bin HTTP/1.1\r\nHost: 127.0.0.1:8888\r\n\r\n");
        let end = Instant::now() + Duration::from_secs(60);
        while super::load::ask_once(self.address, &request) < image_bytes {
            assert!(Instant::now() < end, "{} does not take a new version", self.name);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // nginx's master ends its worker on SIGTERM; a kill would leave it behind.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
