//! Starting threads: with small stacks, and without `thread::spawn`, which panics where none can be had; and the memory that they need.

use std::hint::black_box;
use std::io::{self, ErrorKind};
use std::thread;

use crate::limits;

/// Runs `task` on a thread of its own.
pub fn spawn(task: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().stack_size(limits::THREAD_STACK).spawn(task).map(drop)
}

/// How many threads that serve connections fit into an address space of so many bytes.
pub fn count_that_fit(address_space: u64) -> usize {
    let bytes = usize::try_from(address_space).unwrap_or(usize::MAX);
    bytes.saturating_sub(limits::SPACE_BESIDE_THREADS) / limits::SPACE_PER_THREAD
}

/// The bytes of address space that so many such threads need.
pub fn space_for(threads: usize) -> usize {
    limits::SPACE_BESIDE_THREADS + threads * limits::SPACE_PER_THREAD
}

/// Whether there are `bytes` of memory, and what all threads need for small things besides: std ends the program where a small
/// allocation fails, so nobody may take the last of it.
pub fn find_memory(bytes: usize) -> io::Result<()> {
    let mut reserve: Vec<u8> = Vec::new();
    reserve.try_reserve_exact(bytes + limits::MEMORY_IN_RESERVE).map_err(|_| ErrorKind::OutOfMemory)?;
    // Else the compiler sees that nobody uses it.
    black_box(&reserve);
    Ok(())
}
