//! The only `unsafe` code: what std does not offer and a server on a router needs.
//!
//! The functions are the C library's, declared here because the project uses no packages. The constants are the
//! kernel's; MIPS has its own.

use std::ffi::{CString, OsStr, c_char, c_int, c_ulong, c_void};
use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicI32, Ordering};

/// Reload now.
pub const SIGHUP: u8 = 1;
/// Stop (Ctrl-C).
pub const SIGINT: u8 = 2;
/// Stop (service manager).
pub const SIGTERM: u8 = 15;

#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
mod kernel {
    pub const SOL_SOCKET: i32 = 0xffff;
    pub const SO_LINGER: i32 = 0x80;
    pub const SO_ACCEPTCONN: i32 = 0x1009;
    pub const TIOCOUTQ: i32 = 0x7472;
    pub const FIONREAD: i32 = 0x467f;
    pub const RLIMIT_NOFILE: i32 = 5;
    pub const O_NONBLOCK: i32 = 0x80;
    pub const ENOBUFS: i32 = 132;
}
#[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
mod kernel {
    pub const SOL_SOCKET: i32 = 1;
    pub const SO_LINGER: i32 = 13;
    pub const SO_ACCEPTCONN: i32 = 30;
    pub const TIOCOUTQ: i32 = 0x5411;
    pub const FIONREAD: i32 = 0x541b;
    pub const RLIMIT_NOFILE: i32 = 7;
    pub const O_NONBLOCK: i32 = 0o4000;
    pub const ENOBUFS: i32 = 105;
}

/// For `open`: do not wait for the other end of a pipe. Of no effect on a regular file.
pub const O_NONBLOCK: i32 = kernel::O_NONBLOCK;

/// Whether an error says that descriptors or memory have run out: it tells nothing about the file it was met at.
pub fn is_out_of_resources(error: &io::Error) -> bool {
    const ENOMEM: i32 = 12;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    match error.raw_os_error() {
        Some(number) => [ENOMEM, ENFILE, EMFILE, kernel::ENOBUFS].contains(&number),
        None => error.kind() == io::ErrorKind::OutOfMemory,
    }
}

/// Flags of `open`, which differ between architectures.
#[cfg(any(target_arch = "arm", target_arch = "aarch64"))]
mod open_flags {
    pub const DIRECTORY: i32 = 0o40_000;
    pub const NOFOLLOW: i32 = 0o100_000;
    pub const CLOEXEC: i32 = 0o2_000_000;
}
#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
mod open_flags {
    pub const DIRECTORY: i32 = 0x1_0000;
    pub const NOFOLLOW: i32 = 0x2_0000;
    pub const CLOEXEC: i32 = 0x8_0000;
}
#[cfg(not(any(target_arch = "arm", target_arch = "aarch64", target_arch = "mips", target_arch = "mips64")))]
mod open_flags {
    pub const DIRECTORY: i32 = 0o200_000;
    pub const NOFOLLOW: i32 = 0o400_000;
    pub const CLOEXEC: i32 = 0o2_000_000;
}
/// The same everywhere but on Alpha, PA-RISC and SPARC: a handle that needs no right to read.
const O_PATH: i32 = 0o10_000_000;

/// For std's `OpenOptions`: a folder for `open_beneath`, whose files one need not be allowed to list.
pub const OPEN_FOLDER: i32 = O_PATH | open_flags::DIRECTORY;

/// musl's `rlim_t` is 64 bits wide everywhere, glibc's is a word.
#[cfg(target_env = "musl")]
type ResourceAmount = u64;
#[cfg(not(target_env = "musl"))]
type ResourceAmount = c_ulong;

#[repr(C)]
struct ResourceLimit {
    soft: ResourceAmount,
    hard: ResourceAmount,
}

#[repr(C)]
struct Linger {
    on: c_int,
    seconds: c_int,
}

unsafe extern "C" {
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
    fn getsockopt(fd: c_int, level: c_int, name: c_int, value: *mut c_void, length: *mut u32) -> c_int;
    fn listen(fd: c_int, backlog: c_int) -> c_int;
    // The request is `unsigned long` in glibc and `int` in musl; ours fits both, and both take it in a full register.
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn write(fd: c_int, bytes: *const c_void, length: usize) -> isize;
    fn getrlimit(resource: c_int, limit: *mut ResourceLimit) -> c_int;
    fn setrlimit(resource: c_int, limit: *const ResourceLimit) -> c_int;
    fn openat(folder: c_int, path: *const c_char, flags: c_int, ...) -> c_int;
}

/// Opens for reading what stands at `names` below the open `folder`, a name for each level, without following a link anywhere and
/// without waiting: whatever is swapped meanwhile, it cannot lie elsewhere. For a link the error is that of `is_link_loop`.
pub fn open_beneath<'a>(folder: File, names: impl Iterator<Item = &'a OsStr>) -> io::Result<File> {
    let mut names = names.peekable();
    let mut opened = folder;
    while let Some(name) = names.next() {
        let own = if names.peek().is_some() { O_PATH | open_flags::DIRECTORY } else { O_NONBLOCK };
        let flags = own | open_flags::NOFOLLOW | open_flags::CLOEXEC;
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

/// Whether a path has a link where none may be, or too many of them (ELOOP).
pub fn is_link_loop(error: &io::Error) -> bool {
    let number = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 90 } else { 40 };
    error.raw_os_error() == Some(number)
}

/// Makes the coming close of `stream` a reset (RST): the peer must not take what it has for a whole file.
pub fn reset_on_close(stream: &TcpStream) {
    let linger = Linger { on: 1, seconds: 0 };
    // SAFETY: the descriptor is open as long as `stream` lives; the pointer and length describe `linger`.
    // A failure leaves an ordinary close, and there is nothing else to try.
    unsafe {
        setsockopt(
            stream.as_raw_fd(),
            kernel::SOL_SOCKET,
            kernel::SO_LINGER,
            (&raw const linger).cast(),
            size_of::<Linger>() as u32,
        );
    }
}

/// Widens the queue of callers the kernel holds for `listener`; std's is 128.
pub fn widen_backlog(listener: &TcpListener, backlog: i32) -> io::Result<()> {
    // SAFETY: plain integers, and the descriptor is open as long as `listener` lives.
    match unsafe { listen(listener.as_raw_fd(), backlog) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Bytes written to `stream` that the peer has not acknowledged yet; 0 where the kernel does not say.
pub fn unacknowledged_bytes(stream: &TcpStream) -> u64 {
    count_bytes(stream, kernel::TIOCOUTQ)
}

/// Bytes that have arrived on `stream` and not been read yet; 0 where the kernel does not say.
pub fn unread_bytes(stream: &TcpStream) -> u64 {
    count_bytes(stream, kernel::FIONREAD)
}

fn count_bytes(stream: &TcpStream, request: i32) -> u64 {
    let mut count: c_int = 0;
    // SAFETY: both requests write one `int` to the pointer, which lives through the call.
    let result = unsafe { ioctl(stream.as_raw_fd(), request as c_ulong, &raw mut count) };
    if result == 0 { u64::try_from(count).unwrap_or(0) } else { 0 }
}

/// Standard output without std's buffer and lock, which a blocked reader would hold (and which are 2 KB of program).
pub fn standard_output() -> BorrowedFd<'static> {
    // SAFETY: std opens descriptors 0 to 2 at the start of the program if they are closed, and nothing here closes 1.
    unsafe { BorrowedFd::borrow_raw(1) }
}

/// Whether the service manager passed a listening socket as descriptor 0 (systemd's `StandardInput=socket`).
pub fn has_inherited_listener() -> bool {
    let mut listening: c_int = 0;
    let mut length = size_of::<c_int>() as u32;
    // SAFETY: the pointers describe two integers that live through the call; descriptor 0 may be anything, even closed:
    // then the call fails.
    let result =
        unsafe { getsockopt(0, kernel::SOL_SOCKET, kernel::SO_ACCEPTCONN, (&raw mut listening).cast(), &raw mut length) };
    result == 0 && listening != 0
}

/// The listening socket that the service manager passed, if it did. May be called once: the listener owns the descriptor from
/// then on.
pub fn take_inherited_listener() -> Option<TcpListener> {
    if !has_inherited_listener() {
        return None;
    }
    // SAFETY: descriptor 0 is an open listening socket, and nothing else in this program uses standard input.
    Some(unsafe { TcpListener::from_raw_fd(0) })
}

/// Raises the soft limit on open descriptors to `wanted` where the hard limit allows, and returns what is in force.
pub fn raise_descriptor_limit(wanted: u64) -> io::Result<u64> {
    let mut limit = ResourceLimit { soft: 0, hard: 0 };
    // SAFETY: the pointer is to a struct of the C library's layout that lives through the call.
    if unsafe { getrlimit(kernel::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    #[allow(clippy::unnecessary_cast, reason = "the type is narrower on 32-bit glibc")]
    let (soft, hard) = (limit.soft as u64, limit.hard as u64);
    if soft >= wanted {
        return Ok(soft);
    }
    limit.soft = wanted.min(hard) as ResourceAmount;
    // SAFETY: as above, read only.
    if unsafe { setrlimit(kernel::RLIMIT_NOFILE, &raw const limit) } != 0 {
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

/// Where the signal handler writes; -1 while there is no receiver.
static SIGNAL_RECEIVER: AtomicI32 = AtomicI32::new(-1);

extern "C" fn forward_signal(number: c_int) {
    let byte = number as u8;
    let receiver = SIGNAL_RECEIVER.load(Ordering::Relaxed);
    // SAFETY: write(2) is async-signal-safe; the pointer is to one byte on this stack. A full or closed pipe is an error we
    // can only ignore here.
    unsafe {
        write(receiver, (&raw const byte).cast(), 1);
    }
}

/// From now on each SIGHUP, SIGINT and SIGTERM arrives as one byte (its number) written to `receiver`, which must stay open
/// as long as the program runs.
pub fn forward_signals_to(receiver: &impl AsRawFd) {
    SIGNAL_RECEIVER.store(receiver.as_raw_fd(), Ordering::Relaxed);
    for number in [SIGHUP, SIGINT, SIGTERM] {
        // SAFETY: the handler only does what is allowed in a signal handler.
        unsafe {
            signal(c_int::from(number), forward_signal);
        }
    }
}
