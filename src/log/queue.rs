//! The lines on their way to one output. Each output has a thread of its own that takes them from here, so that one which is
//! slow, blocked or hung holds up neither the others nor whoever logs.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::line::Line;
use crate::clock;
use crate::limits;

#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    /// Signals the writer that there are lines, and whoever waits for the end that there are none.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Line>,
    /// Lines that found the queue full since the writer last came.
    lost: u32,
    /// The writer holds what it has taken since then.
    writing_since: Option<Instant>,
    writer_waits: bool,
    /// The writer shall come although there are no lines.
    is_woken: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line. A full queue counts it as lost and gives it back.
    pub fn push(&self, line: Line) -> Result<(), Line> {
        let mut state = self.lock();
        if state.lines.len() >= limits::LOG_LINES {
            state.lost = state.lost.saturating_add(1);
            return Err(line);
        }
        state.lines.push_back(line);
        if state.writer_waits {
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Makes `take` return.
    pub fn wake(&self) {
        self.lock().is_woken = true;
        self.changed.notify_all();
    }

    /// Waits for lines, at most for `patience`, and moves all to `lines`, which is empty. What was taken before counts as
    /// written. Returns how many lines are lost in front of these.
    pub fn take(&self, lines: &mut VecDeque<Line>, patience: Option<Duration>) -> u32 {
        let mut state = self.lock();
        state.writing_since = None;
        self.changed.notify_all();
        let end = patience.map(|patience| clock::now() + patience);
        while state.lines.is_empty() && !state.is_woken {
            state.writer_waits = true;
            state = match end.map(|end| end.saturating_duration_since(clock::now())) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(rest) if rest.is_zero() => break,
                Some(rest) => self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        state.writer_waits = false;
        if !state.lines.is_empty() {
            drop(state);
            // Whoever logs meanwhile need not wake us.
            thread::sleep(limits::LOG_GATHER);
            state = self.lock();
        }
        state.is_woken = false;
        state.writing_since = Some(clock::now());
        std::mem::swap(lines, &mut state.lines);
        std::mem::take(&mut state.lost)
    }

    /// Whether the writer has been busy with the same lines for at least `time`.
    pub fn is_stuck(&self, now: Instant, time: Duration) -> bool {
        self.lock().writing_since.is_some_and(|since| now.saturating_duration_since(since) >= time)
    }

    /// Waits until all is written, but not past `end`.
    pub fn wait_until_written(&self, end: Instant) {
        let mut state = self.lock();
        while !state.lines.is_empty() || state.writing_since.is_some() {
            let rest = end.saturating_duration_since(clock::now());
            if rest.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::line::Level;

    fn line(number: usize) -> Line {
        Line::new(Level::Info, number.to_string())
    }

    #[test]
    fn a_writer_that_never_comes_back_holds_up_nobody() {
        let queue = Queue::default();
        let mut lines = VecDeque::new();
        queue.push(line(0)).expect("room");
        assert_eq!(queue.take(&mut lines, None), 0);
        let start = clock::now();
        assert!(!queue.is_stuck(start, limits::LOG_STUCK) && queue.is_stuck(start + limits::LOG_STUCK, limits::LOG_STUCK));
        for number in 0..limits::LOG_LINES {
            queue.push(line(number)).expect("room");
        }
        for number in 0..7 {
            assert!(queue.push(line(number)).is_err());
        }
        queue.wait_until_written(start + Duration::from_millis(50));
        assert!(clock::now() >= start + Duration::from_millis(50), "there was something to wait for");
        lines.clear();
        assert_eq!(queue.take(&mut lines, None), 7, "what was lost is told once");
        assert_eq!(lines.len(), limits::LOG_LINES);
        assert!(!queue.is_stuck(clock::now(), limits::LOG_STUCK));
        lines.clear();
        assert_eq!(queue.take(&mut lines, Some(Duration::ZERO)), 0);
    }

    #[test]
    fn a_writer_without_lines_comes_when_it_is_woken_or_impatient() {
        let queue = Queue::default();
        let mut lines = VecDeque::new();
        queue.wake();
        queue.take(&mut lines, None);
        let start = clock::now();
        queue.take(&mut lines, Some(Duration::from_millis(20)));
        assert!(lines.is_empty() && clock::now() >= start + Duration::from_millis(20));
    }
}
