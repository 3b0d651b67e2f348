//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::start_error::StartError;
use crate::config::Settings;
use crate::limits;
use crate::log;
use crate::sys;

/// The socket the service manager passed, ready to be used. It may come non-blocking, and all who share it are served by blocking.
pub fn take_inherited() -> Option<TcpListener> {
    let listener = sys::take_inherited_listener()?;
    listener.set_nonblocking(false).and_then(|()| set_accept_tick(&listener)).ok()?;
    Some(listener)
}

/// Opens what the settings ask for: the addresses they name, or all, IPv4 and IPv6. With port 0 all get the one port the
/// kernel chose for the first. An address that the machine does not have yet is served as soon as it has it.
pub fn open(settings: &Settings) -> Result<Vec<TcpListener>, StartError> {
    if settings.addresses.is_empty() {
        return open_everywhere(settings).map(|listener| vec![listener]);
    }
    let has_all_ipv4 = settings.addresses.contains(&IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let mut port = settings.port;
    let mut listeners = Vec::new();
    for (index, address) in settings.addresses.iter().enumerate() {
        if settings.addresses[..index].contains(address) {
            continue;
        }
        let address = SocketAddr::new(*address, port);
        let listener = match bind(address, !has_all_ipv4, false) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                log::warn(format_args!(
                    "event=address_missing address={} effect=\"not reachable there until this machine has the address\"",
                    address.ip()
                ));
                bind(address, !has_all_ipv4, true)
            }
            result => result,
        };
        let listener = listener.map_err(|error| explain(address, &error, settings))?;
        port = listener.local_addr().map_or(port, |local| local.port());
        listeners.push(listener);
    }
    Ok(listeners)
}

/// One IPv6 socket that takes IPv4 callers too; where the kernel has no IPv6, an IPv4 one.
fn open_everywhere(settings: &Settings) -> Result<TcpListener, StartError> {
    let everywhere = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), settings.port);
    match bind(everywhere, true, false) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            let everywhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), settings.port);
            bind(everywhere, true, false).map_err(|error| explain(everywhere, &error, settings))
        }
        result => result.map_err(|error| explain(everywhere, &error, settings)),
    }
}

fn bind(address: SocketAddr, takes_ipv4: bool, may_be_missing: bool) -> io::Result<TcpListener> {
    let takes_ipv4 = takes_ipv4 && address.ip().is_unspecified();
    let options = sys::ListenOptions { takes_ipv4, may_be_missing, backlog: limits::BACKLOG };
    let listener = sys::listen_on(address, options, prepare)?;
    set_accept_tick(&listener)?;
    Ok(listener)
}

/// Lets `accept` return every `limits::ACCEPT_TICK`. std has this setting for streams only; it is one of any socket.
fn set_accept_tick(listener: &TcpListener) -> io::Result<()> {
    let same_socket = TcpStream::from(OwnedFd::from(listener.try_clone()?));
    same_socket.set_read_timeout(Some(limits::ACCEPT_TICK))
}

/// Sets what every connection needs: no answer waits for the acknowledgement of the one before it, and a blocked send looks up every
/// tick, since a client that does not read could hold its thread for good. Done to a listening socket before it listens, it is done
/// for all its connections, which saves them the system calls.
fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_write_timeout(Some(limits::SEND_TICK))
}

fn explain(address: SocketAddr, error: &io::Error, settings: &Settings) -> StartError {
    let file = settings.file.to_string_lossy();
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program, or another susv, uses the port: stop it, or set another port in {file}")
        }
        io::ErrorKind::PermissionDenied => format!("ports below 1024 are root's: set a higher port in {file}"),
        _ => format!("check address and port in {file}"),
    };
    StartError::new(format!("cannot listen on {address} ({error}): {advice}"))
}

/// `address:port` as operators read it: an IPv4 address without its IPv6 clothing.
pub fn describe(listener: &TcpListener) -> String {
    match listener.local_addr() {
        Ok(address) => SocketAddr::new(address.ip().to_canonical(), address.port()).to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

/// A listening socket and the number of threads that wait at it.
pub struct Entrance {
    /// The socket.
    pub listener: TcpListener,
    /// It is the service manager's: after our end others go on with it.
    pub is_inherited: bool,
    /// Relaxed: a count that guards nothing, and whoever misses a change looks again.
    waiting: AtomicUsize,
}

/// A thread that waits at an entrance; dropped, it does not any more.
pub struct Attendance {
    entrance: Arc<Entrance>,
    is_counted: bool,
}

impl Attendance {
    /// Where it waits.
    pub fn entrance(&self) -> &Arc<Entrance> {
        &self.entrance
    }

    /// Leaves the entrance if more than `enough` threads wait there, this one counted; tells whether it did.
    pub fn leave_if_more_than(&mut self, enough: usize) -> bool {
        // In one step, so that of several who look at the same moment only as many leave as may.
        let one_less = |count: usize| (count > enough).then(|| count - 1);
        let has_left = self.entrance.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok();
        self.is_counted &= !has_left;
        has_left
    }

    /// Leaves the entrance to others; the last one hands its attendance over, so that there is always one.
    pub fn leave(mut self, hand_over: impl FnOnce(Attendance)) {
        if !self.leave_if_more_than(1) {
            hand_over(self);
        }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        if self.is_counted {
            self.entrance.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Entrance {
    /// An entrance nobody waits at yet.
    pub fn new(listener: TcpListener, is_inherited: bool) -> Arc<Entrance> {
        Arc::new(Entrance { listener, is_inherited, waiting: AtomicUsize::new(0) })
    }

    /// Threads that wait at it, and those whose caller is still at the door: they see to it that somebody waits again.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes a caller; one that comes within `limits::ACCEPT_TICK`, or an error.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.listener.accept()?;
        if self.is_inherited {
            // Others have let it listen, and callers have come before it could be prepared.
            prepare(&stream).map_err(|_| io::ErrorKind::ConnectionAborted)?;
        }
        Ok((stream, peer))
    }

    /// Callers that wait in the kernel's queue; where that is not known, many if there is one.
    pub fn count_callers(&self) -> usize {
        sys::count_callers(&self.listener)
            .unwrap_or_else(|| if sys::has_caller(&self.listener) { limits::BACKLOG as usize } else { 0 })
    }

    /// Counts a thread in.
    pub fn attend(self: &Arc<Entrance>) -> Attendance {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Attendance { entrance: self.clone(), is_counted: true }
    }

    /// Ends the listening at once, for those who wait in `accept` too. std closes a socket only with its last owner.
    pub fn close(&self) {
        if let Ok(same_socket) = self.listener.try_clone() {
            let _ = TcpStream::from(OwnedFd::from(same_socket)).shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn of_two_threads_that_look_at_the_same_moment_one_stays() {
        let entrance = Entrance::new(TcpListener::bind("127.0.0.1:0").expect("a port"), false);
        for round in 0..2000 {
            let ready = AtomicUsize::new(0);
            let leave = |mut attendance: Attendance| {
                ready.fetch_add(1, Ordering::Relaxed);
                while ready.load(Ordering::Relaxed) < 2 {
                    thread::yield_now();
                }
                (!attendance.leave_if_more_than(1)).then_some(attendance)
            };
            let (first, second) = (entrance.attend(), entrance.attend());
            let stayed = thread::scope(|scope| {
                let other = scope.spawn(|| leave(first));
                [leave(second), other.join().expect("no panic")]
            });
            assert_eq!((entrance.waiting(), stayed.iter().flatten().count()), (1, 1), "round {round}");
            drop(stayed);
            assert_eq!(entrance.waiting(), 0, "round {round}");
        }
    }
}
