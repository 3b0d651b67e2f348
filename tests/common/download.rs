//! Downloads with all a slow link has: a small receive buffer, an address of its own, a pace. A reset is told from an end.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{PATIENCE, Server, image, plain_folder, susv};

/// The request for the image that `Server::start_plain` publishes.
pub const GET: &str = "GET /firmware/20260301/upd_app.bin HTTP/1.1\r\nHost: test\r\n\r\n";

unsafe extern "C" {
    fn socket(domain: i32, kind: i32, protocol: i32) -> i32;
    fn setsockopt(fd: i32, level: i32, name: i32, value: *const i32, length: u32) -> i32;
    fn bind(fd: i32, address: *const [u8; 16], length: u32) -> i32;
    fn connect(fd: i32, address: *const [u8; 16], length: u32) -> i32;
}

const SOL_SOCKET: i32 = 1;
const SO_RCVBUF: i32 = 8;
const SO_LINGER: i32 = 13;
const SOL_IP: i32 = 0;
const IP_BIND_ADDRESS_NO_PORT: i32 = 24;

fn encode(address: Ipv4Addr, port: u16) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&2_u16.to_ne_bytes());
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[4..8].copy_from_slice(&address.octets());
    bytes
}

/// Connects from an address of 127.0.0.0/8, with a receive buffer of so many bytes (0: the usual one). `None` if it is refused.
pub fn try_dial(to: SocketAddr, from: Ipv4Addr, receive_buffer: i32) -> Option<TcpStream> {
    let SocketAddr::V4(to) = to else { panic!("an IPv4 address") };
    // SAFETY: plain integers; the descriptor that the first call makes is owned by `owned` and open in all others, whose pointers are
    // to values of the given lengths that live through the calls.
    unsafe {
        let fd = socket(2, 1 | 0o2_000_000, 0);
        assert!(fd >= 0, "a socket: {}", std::io::Error::last_os_error());
        let owned = OwnedFd::from_raw_fd(fd);
        if receive_buffer > 0 {
            assert_eq!(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, 4), 0);
        }
        // The port is taken at the connect, so that one that other tests have just used will do.
        assert_eq!(setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &1, 4), 0);
        assert_eq!(bind(fd, &encode(from, 0), 16), 0, "{from}");
        if connect(fd, &encode(*to.ip(), to.port()), 16) != 0 {
            return None;
        }
        let stream = TcpStream::from(owned);
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time-out");
        Some(stream)
    }
}

/// Like `try_dial`, for a server that must take the connection.
pub fn dial(to: SocketAddr, from: Ipv4Addr, receive_buffer: i32) -> TcpStream {
    try_dial(to, from, receive_buffer).unwrap_or_else(|| panic!("refused: {}", std::io::Error::last_os_error()))
}

/// Closes with a reset, as a client does that is switched off and on.
pub fn reset(stream: TcpStream) {
    let linger = [1, 0];
    // SAFETY: the descriptor is open as long as `stream` lives; pointer and length describe `linger`.
    unsafe { setsockopt(stream.as_raw_fd(), SOL_SOCKET, SO_LINGER, linger.as_ptr(), 8) };
}

/// What became of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 200 and each byte of the image.
    Whole,
    /// 503 with an empty body.
    Busy,
    /// A normal end after so many bytes of the answer: a client may take it for whole.
    Closed(usize),
    /// A reset after so many bytes of the answer.
    Reset(usize),
    /// Nothing came for `PATIENCE` after so many bytes of the answer.
    Silent(usize),
    /// Something else.
    Other(u16),
}

/// A download under way.
pub struct Download {
    pub stream: TcpStream,
    pub received: Vec<u8>,
}

impl Download {
    /// Asks for the image from 127.0.0.1, with a receive buffer that holds little of it.
    pub fn ask(to: SocketAddr) -> Download {
        Download::ask_from(to, Ipv4Addr::LOCALHOST)
    }

    pub fn ask_from(to: SocketAddr, from: Ipv4Addr) -> Download {
        let mut stream = dial(to, from, 16 * 1024);
        let _ = stream.write_all(GET.as_bytes());
        Download { stream, received: Vec::new() }
    }

    /// Asks, and waits until the first bytes are there.
    pub fn begin(to: SocketAddr) -> Download {
        let mut download = Download::ask(to);
        assert_eq!(download.read_up_to(1000), None);
        download
    }

    /// Asks, and waits until all of the answer is with the kernel: the server writes its log line then.
    pub fn begin_handed_over(server: &Server) -> Download {
        let mut stream = dial(server.address, Ipv4Addr::LOCALHOST, 0);
        stream.write_all(GET.as_bytes()).expect("a request");
        server.wait_for_line("file=\"20260301/upd_app.bin\"");
        Download { stream, received: Vec::new() }
    }

    /// Asks for a file that the kernel cannot hold, and waits until the first bytes are there: the server is in the middle of sending
    /// for as long as nobody reads.
    pub fn begin_endless(server: &Server) -> Download {
        server.folder.write("firmware/archive.zip", vec![7; 30_000_000]);
        let mut stream = dial(server.address, Ipv4Addr::LOCALHOST, 16 * 1024);
        stream.write_all(GET.replace("20260301/upd_app.bin", "archive.zip").as_bytes()).expect("a request");
        let mut download = Download { stream, received: Vec::new() };
        assert_eq!(download.read_up_to(1000), None);
        download
    }

    /// The whole answer's length, once its head is there.
    fn length(&self) -> Option<usize> {
        let head = self.head()?;
        let text = String::from_utf8_lossy(&self.received[..head]).to_ascii_lowercase();
        let body = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        Some(head + body.expect("Content-Length in an answer"))
    }

    fn head(&self) -> Option<usize> {
        self.received.windows(4).take(4096).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
    }

    /// Reads until `count` bytes in all are there; says how it ended if it did before.
    pub fn read_up_to(&mut self, count: usize) -> Option<Ending> {
        while self.received.len() < count {
            if let Some(ending) = self.read_once(count - self.received.len()) {
                return Some(ending);
            }
        }
        None
    }

    fn read_once(&mut self, most: usize) -> Option<Ending> {
        let mut piece = [0; 16 * 1024];
        let at = self.received.len();
        match self.stream.read(&mut piece[..most.min(16 * 1024)]) {
            Ok(0) => Some(Ending::Closed(at)),
            Ok(count) => {
                self.received.extend_from_slice(&piece[..count]);
                None
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some(Ending::Silent(at)),
            Err(_) => Some(Ending::Reset(at)),
        }
    }

    /// Reads on at so many bytes a second until `is_enough`, or the end of the answer or of the connection.
    pub fn read_at(&mut self, bytes_per_second: usize, mut is_enough: impl FnMut() -> bool) -> Option<Ending> {
        let (begun, at_begin) = (Instant::now(), self.received.len());
        while !is_enough() && self.length().is_none_or(|length| self.received.len() < length) {
            let due = at_begin + begun.elapsed().as_millis() as usize * bytes_per_second / 1000;
            // A little at a time until the length is known, so that nothing of a next answer is read.
            let most = self.length().unwrap_or(self.received.len() + 64);
            let due = due.min(most).saturating_sub(self.received.len());
            if due == 0 {
                thread::sleep(Duration::from_millis(10));
            } else if let Some(ending) = self.read_once(due) {
                return Some(ending);
            }
        }
        None
    }

    /// Reads the rest of the answer, as fast as `bytes_per_second` allows, and judges all of it.
    pub fn finish_at(&mut self, bytes_per_second: usize) -> Ending {
        if let Some(ending) = self.read_at(bytes_per_second, || false) {
            return ending;
        }
        let head = self.head().expect("a head");
        let status = self.received.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0);
        let body = &self.received[head..];
        match status {
            200 if body == image(1) => Ending::Whole,
            503 if body.is_empty() => Ending::Busy,
            _ => Ending::Other(status),
        }
    }

    pub fn finish(&mut self) -> Ending {
        self.finish_at(100_000_000)
    }

    /// Reads all answers to the end of the connection and says how that was.
    pub fn read_to_end(&mut self) -> Ending {
        self.read_up_to(usize::MAX).expect("an end")
    }
}

/// A server with an offer that is known to be loaded, however slow the machine is.
pub fn start(extra_settings: &str) -> Server {
    let server = Server::start_plain(extra_settings);
    server.wait_for_line("event=offer version=20260301");
    server
}

/// A server on a socket of the service manager's.
pub fn start_inherited(listener: &TcpListener) -> Server {
    let socket = Stdio::from(OwnedFd::from(listener.try_clone().expect("the socket")));
    let server = Server::start_with_input(plain_folder(), "current_firmware_version = 20260301\n", susv(), socket);
    server.wait_for_line("event=offer version=20260301");
    server
}
