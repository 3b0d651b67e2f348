//! The kernel's numbers and layouts. MIPS has its own of most numbers, ARM of the flags of `open`.

#[cfg(not(target_env = "musl"))]
use std::ffi::c_ulong;
use std::ffi::{c_int, c_short};
use std::net::SocketAddr;

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

/// musl's `rlim_t` is 64 bits wide everywhere, glibc's is a word.
#[cfg(target_env = "musl")]
pub type ResourceAmount = u64;
#[cfg(not(target_env = "musl"))]
pub type ResourceAmount = c_ulong;

#[repr(C)]
pub struct ResourceLimit {
    pub soft: ResourceAmount,
    pub hard: ResourceAmount,
}

#[repr(C)]
pub struct Linger {
    pub on: c_int,
    pub seconds: c_int,
}

/// A socket address of either family as the kernel takes it: `sockaddr_in6` is the longer one.
#[repr(C, align(4))]
pub struct SocketAddress(pub [u8; 28]);

#[repr(C)]
pub struct PollEntry {
    pub fd: c_int,
    pub events: c_short,
    pub found: c_short,
}

/// `sockaddr_in` or `sockaddr_in6`, and its length.
pub fn encode_address(address: SocketAddr) -> (SocketAddress, u32) {
    let mut bytes = [0; 28];
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    let (family, length) = match address {
        SocketAddr::V4(address) => {
            bytes[4..8].copy_from_slice(&address.ip().octets());
            (AF_INET, 16)
        }
        SocketAddr::V6(address) => {
            bytes[8..24].copy_from_slice(&address.ip().octets());
            bytes[24..28].copy_from_slice(&address.scope_id().to_ne_bytes());
            (AF_INET6, 28)
        }
    };
    bytes[..2].copy_from_slice(&(family as u16).to_ne_bytes());
    (SocketAddress(bytes), length)
}

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
    pub const RLIMIT_AS: i32 = 6;
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
    pub const RLIMIT_AS: i32 = 9;
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
