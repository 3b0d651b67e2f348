//! Starting threads: with small stacks, and without `thread::spawn`, which panics where none can be had.

use std::io;
use std::thread;

use crate::limits;

/// Runs `task` on a thread of its own.
pub fn spawn(task: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().stack_size(limits::THREAD_STACK).spawn(task).map(drop)
}
