//! What would keep the service from starting, or from writing its log: tried out.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::clock;
use crate::config::Settings;
use crate::file::folder_of;
use crate::json;
use crate::limits;
use crate::problem::Problem;
use crate::problem::service as texts;
use crate::sys;

/// The addresses the service would listen on.
pub fn listen_addresses(settings: &Settings) -> Vec<SocketAddr> {
    let everywhere = [IpAddr::from(Ipv6Addr::UNSPECIFIED)];
    let addresses = if settings.addresses.is_empty() { &everywhere[..] } else { &settings.addresses };
    let mut sockets = Vec::new();
    for address in addresses.iter().map(|address| SocketAddr::new(*address, settings.port)) {
        if !sockets.contains(&address) {
            sockets.push(address);
        }
    }
    sockets
}

/// Tries to listen wherever the service would.
pub fn check_listening(settings: &Settings) -> Vec<Problem> {
    listen_addresses(settings).into_iter().filter_map(|address| check_address(settings, address)).collect()
}

fn check_address(settings: &Settings, address: SocketAddr) -> Option<Problem> {
    let mut result = TcpListener::bind(address);
    if settings.addresses.is_empty() && result.as_ref().is_err_and(|error| !is_final(error)) {
        // A kernel without IPv6.
        result = TcpListener::bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), settings.port));
    }
    let error = result.err()?;
    let at = address.to_string();
    let (key, text, details) = match error.kind() {
        ErrorKind::AddrNotAvailable => ("address", &texts::NO_ADDRESS, vec![address.ip().into()]),
        ErrorKind::PermissionDenied => ("port", &texts::NO_RIGHT, vec![at.into()]),
        ErrorKind::AddrInUse => match ask_for_version(settings, address) {
            Some(version) => ("port", &texts::RUNNING, vec![at.into(), version.into()]),
            None => ("port", &texts::IN_USE, vec![at.into()]),
        },
        _ => ("address", &texts::CANNOT_LISTEN, vec![at.into(), error.into()]),
    };
    Some(settings.problem_of(key, text, details))
}

fn is_final(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

/// The version of the susv that listens at `address`; `None` if it is something else, or does not answer within a second.
fn ask_for_version(settings: &Settings, address: SocketAddr) -> Option<String> {
    let end = clock::now() + limits::VERSION_TIME;
    own_addresses(settings, address.ip()).into_iter().find_map(|ip| {
        let rest = end.saturating_duration_since(clock::now());
        let body = get_version(SocketAddr::new(ip, address.port()), rest).ok()?;
        let value = json::parse(&body).ok()?;
        Some(value.member("susv")?.as_str()?.to_owned())
    })
}

/// Where a listener at `address` can be reached from here. One that listens everywhere may admit only callers from the network
/// of its registrars: this machine's own addresses there are callers, too.
fn own_addresses(settings: &Settings, address: IpAddr) -> Vec<IpAddr> {
    if !address.is_unspecified() {
        return vec![address];
    }
    let loopback = match address {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let mut addresses = vec![loopback, Ipv4Addr::LOCALHOST.into()];
    addresses.extend(settings.allow.iter().filter_map(|block| find_source(block.address()).ok()));
    addresses.dedup();
    addresses
}

/// The address of this machine from which it would call `target`. Nothing is sent.
fn find_source(target: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // The port only has to be one.
    socket.connect((target, 9))?;
    Ok(socket.local_addr()?.ip())
}

/// The body of `GET /version`, in all within `time`.
fn get_version(address: SocketAddr, time: Duration) -> io::Result<Vec<u8>> {
    let end = clock::now() + time;
    let rest = |end: Instant| match end.saturating_duration_since(clock::now()) {
        Duration::ZERO => Err(io::Error::from(ErrorKind::TimedOut)),
        rest => Ok(rest),
    };
    let mut stream = TcpStream::connect_timeout(&address, rest(end)?)?;
    stream.set_write_timeout(Some(rest(end)?))?;
    write!(stream, "GET /version HTTP/1.1\r\nHost: {address}\r\nUser-Agent: susv -t\r\nConnection: close\r\n\r\n")?;
    let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
    while answer.len() < limits::VERSION_BYTES {
        stream.set_read_timeout(Some(rest(end)?))?;
        match stream.read(&mut piece)? {
            0 => break,
            count => answer.extend_from_slice(&piece[..count]),
        }
    }
    let head_end = answer.windows(4).position(|window| window == b"\r\n\r\n").ok_or(ErrorKind::InvalidData)?;
    if answer.starts_with(b"HTTP/1.1 200 ") { Ok(answer.split_off(head_end + 4)) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Tries to write the log file, and to make the files it is rotated to. Leaves nothing behind.
pub fn check_log_file(settings: &Settings) -> Option<Problem> {
    let path = &settings.log_file.path;
    if path.as_os_str().is_empty() {
        return None;
    }
    // Without waiting for the reader of a pipe.
    let opened = OpenOptions::new().append(true).custom_flags(sys::O_NONBLOCK).open(path).map(drop);
    if let Err(error) = &opened
        && error.kind() != ErrorKind::NotFound
    {
        return Some(Problem::with(path, &texts::LOG_FILE, vec![error.into()]));
    }
    let folder = match folder_of(path) {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let error = try_to_make_a_file(folder).err()?;
    Some(match opened {
        Ok(()) => Problem::with(folder, &texts::LOG_FOLDER, vec![error.into()]),
        Err(_) => Problem::with(path, &texts::LOG_FILE, vec![error.into()]),
    })
}

fn try_to_make_a_file(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".susv-test-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(probe)
}
