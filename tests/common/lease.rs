//! Leases on files, as Samba has them on what Windows writes: whoever opens such a file without waiting is told to try again.

use std::fs::File;
use std::os::fd::AsRawFd;

use crate::common::wait_until;

/// Takes a lease on a file that nobody else has open. It ends with the file.
pub fn take(file: &File) {
    unsafe extern "C" {
        fn fcntl(file: i32, command: i32, argument: i32) -> i32;
    }
    const SET_SIGNAL: i32 = 10;
    const SET_LEASE: i32 = 1024;
    const URGENT: i32 = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 21 } else { 23 };
    // SAFETY: the descriptor is open, and a signal that is ignored tells of who wants to read. A process that another test is just
    // starting has all files of this one for a moment.
    wait_until("a lease", || unsafe {
        (fcntl(file.as_raw_fd(), SET_SIGNAL, URGENT), fcntl(file.as_raw_fd(), SET_LEASE, 1)) == (0, 0)
    });
}
