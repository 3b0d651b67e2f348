//! The kernel's numbers. MIPS has its own for most of them, ARM for the flags of `open`.

use std::ffi::{c_int, c_short};

pub use architecture::*;
pub use open_flags::*;

pub const AF_INET: c_int = 2;
pub const AF_INET6: c_int = 10;
pub const SOCK_CLOEXEC: c_int = O_CLOEXEC;
pub const IPPROTO_IP: c_int = 0;
pub const IP_FREEBIND: c_int = 15;
pub const IPPROTO_TCP: c_int = 6;
pub const TCP_INFO: c_int = 11;
pub const IPPROTO_IPV6: c_int = 41;
pub const IPV6_V6ONLY: c_int = 26;
pub const POLLIN: c_short = 1;
pub const POLLERR: c_short = 8;
pub const POLLHUP: c_short = 0x10;
pub const POLLRDHUP: c_short = 0x2000;
pub const SIGHUP: c_int = 1;
pub const SIGINT: c_int = 2;
pub const SIGALRM: c_int = 14;
pub const SIGTERM: c_int = 15;
pub const ENOMEM: i32 = 12;
pub const ENFILE: i32 = 23;
pub const EMFILE: i32 = 24;
pub const O_CLOEXEC: i32 = 0o2_000_000;
/// A handle that needs no right to read.
pub const O_PATH: i32 = 0o10_000_000;

#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
mod architecture {
    pub const SOCK_STREAM: i32 = 2;
    pub const SOL_SOCKET: i32 = 0xffff;
    pub const SO_REUSEADDR: i32 = 4;
    pub const SO_LINGER: i32 = 0x80;
    pub const SO_ACCEPTCONN: i32 = 0x1009;
    pub const SO_DOMAIN: i32 = 0x1029;
    pub const TIOCOUTQ: i32 = 0x7472;
    pub const FIONREAD: i32 = 0x467f;
    pub const RLIMIT_NOFILE: i32 = 5;
    pub const ENOBUFS: i32 = 132;
    pub const ELOOP: i32 = 90;
    pub const O_NONBLOCK: i32 = 0x80;
    pub const SIGUSR1: i32 = 16;
    pub const SIGUSR2: i32 = 17;
    pub const SIGXFSZ: i32 = 31;
}

#[cfg(not(any(target_arch = "mips", target_arch = "mips64")))]
mod architecture {
    pub const SOCK_STREAM: i32 = 1;
    pub const SOL_SOCKET: i32 = 1;
    pub const SO_REUSEADDR: i32 = 2;
    pub const SO_LINGER: i32 = 13;
    pub const SO_ACCEPTCONN: i32 = 30;
    pub const SO_DOMAIN: i32 = 39;
    pub const TIOCOUTQ: i32 = 0x5411;
    pub const FIONREAD: i32 = 0x541b;
    pub const RLIMIT_NOFILE: i32 = 7;
    pub const ENOBUFS: i32 = 105;
    pub const ELOOP: i32 = 40;
    pub const O_NONBLOCK: i32 = 0o4000;
    pub const SIGUSR1: i32 = 10;
    pub const SIGUSR2: i32 = 12;
    pub const SIGXFSZ: i32 = 25;
}

#[cfg(any(target_arch = "arm", target_arch = "aarch64"))]
mod open_flags {
    pub const O_DIRECTORY: i32 = 0o40_000;
    pub const O_NOFOLLOW: i32 = 0o100_000;
}

#[cfg(any(target_arch = "mips", target_arch = "mips64"))]
mod open_flags {
    pub const O_DIRECTORY: i32 = 0x1_0000;
    pub const O_NOFOLLOW: i32 = 0x2_0000;
}

#[cfg(not(any(target_arch = "arm", target_arch = "aarch64", target_arch = "mips", target_arch = "mips64")))]
mod open_flags {
    pub const O_DIRECTORY: i32 = 0o200_000;
    pub const O_NOFOLLOW: i32 = 0o400_000;
}
