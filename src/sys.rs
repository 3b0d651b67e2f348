//! The only `unsafe` code and the only numbers of the kernel: what std does not offer and a server on a router needs.
//!
//! The functions are the C library's, declared here because the project uses no packages. The constants are the
//! kernel's; MIPS has its own.

#[cfg(target_env = "musl")]
use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CString, OsStr, c_char, c_int, c_short, c_ulong, c_void};
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
#[cfg(target_env = "musl")]
use std::sync::{Mutex, PoisonError};

mod kernel;

use kernel::*;

/// For `open`: do not wait for the other end of a pipe. Of no effect on a regular file.
pub const O_NONBLOCK: i32 = kernel::O_NONBLOCK;

/// For std's `OpenOptions`: a folder for `open_beneath`, whose files one need not be allowed to list.
pub const OPEN_FOLDER: i32 = O_PATH | O_DIRECTORY;

unsafe extern "C" {
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn bind(fd: c_int, address: *const SocketAddress, length: u32) -> c_int;
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
    fn getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, length: *mut u32) -> c_int;
    fn listen(fd: c_int, backlog: c_int) -> c_int;
    fn poll(entries: *mut PollEntry, count: c_ulong, milliseconds: c_int) -> c_int;
    // The request is `unsigned long` in glibc and `int` in musl; ours fits both, and both take it in a full register.
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    // A handler's address, or `SIG_IGN`, which is 1.
    fn signal(number: c_int, handler: usize) -> usize;
    fn getrlimit(resource: c_int, limit: *mut ResourceLimit) -> c_int;
    fn setrlimit(resource: c_int, limit: *const ResourceLimit) -> c_int;
    fn openat(folder: c_int, path: *const c_char, flags: c_int, ...) -> c_int;
    fn setgroups(count: usize, groups: *const u32) -> c_int;
    fn setgid(gid: u32) -> c_int;
    fn setuid(uid: u32) -> c_int;
}

/// From root to another user for good; root's further groups are left, too. Where an error stops it, it goes on with what it has.
pub fn become_user(uid: u32, gid: u32) -> io::Result<()> {
    // SAFETY: no groups are read where their number is 0.
    check(unsafe { setgroups(0, std::ptr::null()) })?;
    // SAFETY: plain integers. The user comes last: it may change neither its group nor its groups.
    check(unsafe { setgid(gid) })?;
    // SAFETY: plain integers.
    check(unsafe { setuid(uid) }).map(drop)
}

/// Opens for reading what stands at `names` below the open `folder`, a name for each level, without following a link anywhere and
/// without waiting: whatever is swapped meanwhile, it cannot lie elsewhere. For a link the error is that of `is_link_loop`.
pub fn open_beneath<'a>(folder: File, names: impl Iterator<Item = &'a OsStr>) -> io::Result<File> {
    let mut names = names.peekable();
    let mut opened = folder;
    while let Some(name) = names.next() {
        let own = if names.peek().is_some() { O_PATH | O_DIRECTORY } else { O_NONBLOCK };
        let flags = own | O_NOFOLLOW | O_CLOEXEC;
        let name = CString::new(name.as_bytes())?;
        // SAFETY: the descriptor is open as long as `opened` lives, and the name is a C string that lives through the call.
        let descriptor = unsafe { openat(opened.as_raw_fd(), name.as_ptr(), flags) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has just made the descriptor, and nobody else knows it.
        opened = unsafe { File::from_raw_fd(descriptor) };
    }
    Ok(opened)
}

/// Whether an error means that descriptors or memory have run out: nothing is wrong with what was asked for, and it may be asked
/// for again.
pub fn is_out_of_resources(error: &io::Error) -> bool {
    match error.raw_os_error() {
        Some(number) => matches!(number, EMFILE | ENFILE | ENOMEM | ENOBUFS),
        None => error.kind() == io::ErrorKind::OutOfMemory,
    }
}

/// Whether a path has a link where none may be, or too many of them; std has no stable name for it.
pub fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ELOOP)
}

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn set_option<T>(socket: &impl AsRawFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `socket` lives; pointer and length describe `value`.
    check(unsafe { setsockopt(socket.as_raw_fd(), level, name, (&raw const *value).cast(), size_of::<T>() as u32) }).map(drop)
}

fn integer_option(fd: c_int, name: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as u32;
    // SAFETY: the pointers describe two integers that live through the call; whatever `fd` is, even closed, the call only fails.
    check(unsafe { getsockopt(fd, SOL_SOCKET, name, (&raw mut value).cast(), &raw mut length) }).map(|_| value)
}

/// Sets whether the end of `stream`, by whatever cause, is a reset (RST) that drops what is not sent yet, or an ordinary one after
/// which the kernel delivers it.
pub fn set_reset_on_close(stream: &TcpStream, is_reset: bool) {
    let linger = Linger { on: c_int::from(is_reset), seconds: 0 };
    // It fails on a socket that has no other end any more, and then there is nothing left to decide.
    let _ = set_option(stream, SOL_SOCKET, SO_LINGER, &linger);
}

/// How a listening socket relates to addresses.
#[derive(Debug, Clone, Copy)]
pub struct ListenOptions {
    /// An IPv6 socket takes IPv4 callers too, whatever `net.ipv6.bindv6only` says.
    pub takes_ipv4: bool,
    /// The address may be one that this machine does not have yet.
    pub may_be_missing: bool,
    /// Callers the kernel holds; std's is 128.
    pub backlog: i32,
}

/// Opens a listening socket. std's has none of these options, and they must be set before the address is taken. `prepare` is called
/// before it listens: what it sets, each connection has from its begin.
pub fn listen_on(
    address: SocketAddr,
    options: ListenOptions,
    prepare: impl FnOnce(&TcpStream) -> io::Result<()>,
) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AF_INET } else { AF_INET6 };
    // SAFETY: plain integers.
    let fd = check(unsafe { socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0) })?;
    // SAFETY: the descriptor was just opened, and nothing else owns it.
    let socket = TcpStream::from(unsafe { OwnedFd::from_raw_fd(fd) });
    let one: c_int = 1;
    set_option(&socket, SOL_SOCKET, SO_REUSEADDR, &one)?;
    if address.is_ipv6() {
        set_option(&socket, IPPROTO_IPV6, IPV6_V6ONLY, &c_int::from(!options.takes_ipv4))?;
    }
    if options.may_be_missing {
        set_option(&socket, IPPROTO_IP, IP_FREEBIND, &one)?;
    }
    let (bytes, length) = encode_address(address);
    // SAFETY: pointer and length describe `bytes`, which holds an address of the socket's family.
    check(unsafe { bind(socket.as_raw_fd(), &raw const bytes, length) })?;
    prepare(&socket)?;
    // SAFETY: plain integers, and the descriptor is open as long as `socket` lives.
    check(unsafe { listen(socket.as_raw_fd(), options.backlog) })?;
    Ok(TcpListener::from(OwnedFd::from(socket)))
}

/// Bytes written to `stream` that the peer has not acknowledged yet; 0 where the kernel does not say.
pub fn unacknowledged_bytes(stream: &TcpStream) -> u64 {
    count_bytes(stream, TIOCOUTQ)
}

/// Bytes that have arrived on `stream` and not been read yet; 0 where the kernel does not say.
pub fn unread_bytes(stream: &TcpStream) -> u64 {
    count_bytes(stream, FIONREAD)
}

fn count_bytes(stream: &TcpStream, request: i32) -> u64 {
    let mut count: c_int = 0;
    // SAFETY: both requests write one `int` to the pointer, which lives through the call.
    let result = unsafe { ioctl(stream.as_raw_fd(), request as c_ulong, &raw mut count) };
    if result == 0 { u64::try_from(count).unwrap_or(0) } else { 0 }
}

/// Whether a caller waits in the kernel's queue of `listener`.
pub fn has_caller(listener: &TcpListener) -> bool {
    poll_now(listener, POLLIN) & POLLIN != 0
}

/// How many callers wait there; `None` where the kernel (or an emulator) does not say.
pub fn count_callers(listener: &TcpListener) -> Option<usize> {
    // The first fields of `tcp_info`; of a listening socket `tcpi_unacked` is the length of its queue.
    const UNACKED: usize = 6;
    let mut info = [0_u32; UNACKED + 1];
    let mut length = size_of_val(&info) as u32;
    // SAFETY: pointer and length describe `info`, of which the kernel fills as much as fits; both live through the call.
    let result = unsafe { getsockopt(listener.as_raw_fd(), IPPROTO_TCP, TCP_INFO, (&raw mut info).cast(), &raw mut length) };
    let is_whole = result == 0 && length as usize == size_of_val(&info);
    is_whole.then(|| usize::try_from(info[UNACKED]).unwrap_or(usize::MAX))
}

/// Whether the other end of `stream` has closed or reset it, or will send nothing more. Unread bytes do not hide it.
pub fn has_hung_up(stream: &TcpStream) -> bool {
    poll_now(stream, POLLRDHUP) & (POLLRDHUP | POLLHUP | POLLERR) != 0
}

/// Those of `events`, and POLLHUP and POLLERR, that are true now.
fn poll_now(socket: &impl AsRawFd, events: c_short) -> c_short {
    let mut entry = PollEntry { fd: socket.as_raw_fd(), events, found: 0 };
    // SAFETY: the pointer is to one entry that lives through the call; nothing is waited for.
    let result = unsafe { poll(&raw mut entry, 1, 0) };
    if result > 0 { entry.found } else { 0 }
}

/// Standard output without std's buffer and lock, which a blocked reader would hold.
pub fn standard_output() -> BorrowedFd<'static> {
    // SAFETY: std opens descriptors 0 to 2 at the start of the program if they are closed, and nothing here closes 1.
    unsafe { BorrowedFd::borrow_raw(1) }
}

/// Whether the service manager passed a listening socket of ours as descriptor 0 (systemd's `StandardInput=socket`).
pub fn has_inherited_listener() -> bool {
    let is_listening = integer_option(0, SO_ACCEPTCONN).is_ok_and(|value| value != 0);
    // A socket of another family, such as AF_UNIX, has no callers for us.
    let is_internet = integer_option(0, SO_DOMAIN).is_ok_and(|family| family == AF_INET || family == AF_INET6);
    is_listening && is_internet
}

/// The listening socket that the service manager passed, if it did. May be called once: the listener owns the descriptor from
/// then on.
pub fn take_inherited_listener() -> Option<TcpListener> {
    // SAFETY: descriptor 0 is an open listening socket, and nothing else in this program uses standard input.
    has_inherited_listener().then(|| unsafe { TcpListener::from_raw_fd(0) })
}

fn limit_of(resource: c_int) -> io::Result<ResourceLimit> {
    let mut limit = ResourceLimit { soft: 0, hard: 0 };
    // SAFETY: the pointer is to a struct of the C library's layout that lives through the call.
    check(unsafe { getrlimit(resource, &raw mut limit) }).map(|_| limit)
}

/// How many bytes of address space the process may have (`ulimit -v`), if there is a limit.
pub fn address_space_limit() -> Option<u64> {
    let limit = limit_of(RLIMIT_AS).ok()?.soft;
    #[allow(clippy::unnecessary_cast, reason = "the type is narrower on 32-bit glibc")]
    (limit != ResourceAmount::MAX).then_some(limit as u64)
}

/// Raises the soft limit on open descriptors to `wanted` where the hard limit allows, and returns what is in force.
pub fn raise_descriptor_limit(wanted: u64) -> io::Result<u64> {
    let mut limit = limit_of(RLIMIT_NOFILE)?;
    #[allow(clippy::unnecessary_cast, reason = "the type is narrower on 32-bit glibc")]
    let (soft, hard) = (limit.soft as u64, limit.hard as u64);
    if soft >= wanted {
        return Ok(soft);
    }
    limit.soft = wanted.min(hard) as ResourceAmount;
    // SAFETY: as in `limit_of`, read only.
    if unsafe { setrlimit(RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Ok(soft);
    }
    Ok(wanted.min(hard))
}

/// Seconds of the system's clock since 1970, negative for earlier times. Not std's: on 32-bit musl that asks a function which knows
/// times until 2038-01-19 only, and panics beyond.
#[cfg(all(target_env = "musl", target_pointer_width = "32"))]
pub fn wall_clock_seconds() -> i64 {
    unsafe extern "C" {
        fn __clock_gettime64(clock: c_int, time: *mut [i64; 2]) -> c_int;
    }
    const CLOCK_REALTIME: c_int = 0;
    let mut time = [0; 2];
    // SAFETY: musl's 64-bit `timespec` is 16 bytes with the seconds in the first 8; the pointer lives through the call.
    unsafe { __clock_gettime64(CLOCK_REALTIME, &raw mut time) };
    time[0]
}

/// Seconds of the system's clock since 1970, negative for earlier times.
#[cfg(not(all(target_env = "musl", target_pointer_width = "32")))]
pub fn wall_clock_seconds() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    let seconds = |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => seconds(since),
        Err(error) => -seconds(error.duration()),
    }
}

/// The system's allocator, one thread at a time. Zig's C library, which the static builds have, guards its own by locks that are spun
/// on: with many more threads than processors all of them spin while the one that holds a lock does not run. Here they sleep.
#[cfg(target_env = "musl")]
pub struct QueueingAllocator(pub Mutex<()>);

#[cfg(target_env = "musl")]
impl QueueingAllocator {
    fn in_turn<T>(&self, act: impl FnOnce() -> T) -> T {
        let _turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act()
    }
}

// SAFETY: every call is handed on to the system's allocator as it came, and that keeps to the contract.
#[cfg(target_env = "musl")]
unsafe impl GlobalAlloc for QueueingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract.
        self.in_turn(|| unsafe { System.alloc(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        self.in_turn(|| unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        self.in_turn(|| unsafe { System.dealloc(memory, layout) });
    }
}

/// Signals are levels, not a queue: however many come, the handler only leaves these two for the thread that looks.
/// Relaxed suffices for both: each is a value of its own and guards nothing else.
static STOPS_ASKED_FOR: AtomicU32 = AtomicU32::new(0);
static RELOAD_ASKED_FOR: AtomicBool = AtomicBool::new(false);

extern "C" fn note_signal(number: c_int) {
    if number == SIGHUP {
        RELOAD_ASKED_FOR.store(true, Ordering::Relaxed);
    } else {
        STOPS_ASKED_FOR.fetch_add(1, Ordering::Relaxed);
    }
}

/// From now on SIGTERM and SIGINT ask for a stop and SIGHUP for a reload; signals that would only kill the server (a log file
/// past `ulimit -f`, a stray timer) do nothing.
pub fn receive_signals() {
    const SIG_IGN: usize = 1;
    let handler = note_signal as extern "C" fn(c_int) as usize;
    for number in [SIGHUP, SIGINT, SIGTERM] {
        // SAFETY: the handler only stores to atomics, which is allowed in a signal handler.
        unsafe { signal(number, handler) };
    }
    for number in [SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM] {
        // SAFETY: no code of ours runs for an ignored signal.
        unsafe { signal(number, SIG_IGN) };
    }
}

/// How often a stop was asked for since the start.
pub fn stops_asked_for() -> u32 {
    STOPS_ASKED_FOR.load(Ordering::Relaxed)
}

/// Whether a reload was asked for since the last call.
pub fn take_reload_request() -> bool {
    RELOAD_ASKED_FOR.swap(false, Ordering::Relaxed)
}
