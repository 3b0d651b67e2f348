//! The program `susv`; everything is in the library.

use std::process::ExitCode;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: susv::sys::QueueingAllocator = susv::sys::QueueingAllocator(std::sync::Mutex::new(()));

fn main() -> ExitCode {
    susv::cli::run(std::env::args_os().skip(1))
}
