//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use super::StartError;
use crate::config::Settings;
use crate::limits;
use crate::sys;

/// The socket the service manager passed, ready to be used.
pub fn take_inherited() -> Option<TcpListener> {
    let listener = sys::take_inherited_listener()?;
    // It may come non-blocking; all else about it is the service manager's business.
    listener.set_nonblocking(false).and_then(|()| set_accept_tick(&listener)).ok()?;
    Some(listener)
}

/// Ends the listening at once, for those who wait in `accept` too. std closes a socket only with its last owner.
pub fn close(listener: &TcpListener) {
    if let Ok(same_socket) = listener.try_clone() {
        let _ = TcpStream::from(OwnedFd::from(same_socket)).shutdown(Shutdown::Both);
    }
}

/// Opens what the settings ask for: the addresses they name, or all, IPv4 and IPv6. With port 0 all get the one port the
/// kernel chose for the first.
pub fn open(settings: &Settings) -> Result<Vec<TcpListener>, StartError> {
    let mut port = settings.port;
    let mut listeners = Vec::new();
    if settings.addresses.is_empty() {
        // One IPv6 socket takes IPv4 callers too; where the kernel has no IPv6, an IPv4 one.
        let everywhere = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
        let listener = match bind(everywhere) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse && error.kind() != io::ErrorKind::PermissionDenied => {
                let everywhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
                bind(everywhere).map_err(|error| explain(everywhere, &error, settings))?
            }
            result => result.map_err(|error| explain(everywhere, &error, settings))?,
        };
        listeners.push(listener);
    }
    for address in &settings.addresses {
        let address = SocketAddr::new(*address, port);
        let listener = bind(address).map_err(|error| explain(address, &error, settings))?;
        port = listener.local_addr().map_or(port, |local| local.port());
        listeners.push(listener);
    }
    Ok(listeners)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    sys::widen_backlog(&listener, limits::BACKLOG)?;
    set_accept_tick(&listener)?;
    Ok(listener)
}

/// Lets `accept` return every `limits::ACCEPT_TICK`. std has this setting for streams only; it is one of any socket.
fn set_accept_tick(listener: &TcpListener) -> io::Result<()> {
    let same_socket = TcpStream::from(OwnedFd::from(listener.try_clone()?));
    same_socket.set_read_timeout(Some(limits::ACCEPT_TICK))
}

fn explain(address: SocketAddr, error: &io::Error, settings: &Settings) -> StartError {
    let file = settings.file.to_string_lossy();
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program, or another susv, uses the port: stop it, or set another port in {file}")
        }
        io::ErrorKind::PermissionDenied => format!("ports below 1024 are root's: set a higher port in {file}"),
        io::ErrorKind::AddrNotAvailable => format!("this machine has no such address: correct address in {file}"),
        _ => format!("check address and port in {file}"),
    };
    StartError(format!("cannot listen on {address} ({error}): {advice}"))
}

/// `address:port` as operators read it: an IPv4 address without its IPv6 clothing.
pub fn describe(listener: &TcpListener) -> String {
    match listener.local_addr() {
        Ok(address) => SocketAddr::new(IpAddr::to_canonical(&address.ip()), address.port()).to_string(),
        Err(_) => "unknown".to_owned(),
    }
}
