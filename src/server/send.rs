//! Sending: answers and downloads, judged by whether they move.

use std::fs::File;
use std::io::{ErrorKind, IoSlice, Write};
use std::os::unix::fs::FileExt;
use std::time::Instant;

use super::door::{Phase, Seat};
use super::downloads::Downloads;
use super::end::End;
use crate::limits;
use crate::routes::{Body, FileBody};
use crate::stamp::Stamp;
use crate::sys;

/// One answer being sent.
pub struct Sender<'a> {
    seat: &'a Seat,
    downloads: &'a Downloads,
    /// Bytes handed to the kernel.
    written: u64,
    pace: Option<Pace>,
}

/// How an answer moves. Counted in acknowledged bytes: the kernel's buffer alone can hold a minute of a slow link.
struct Pace {
    moved: u64,
    moved_at: Instant,
    window_moved: u64,
    window_start: Instant,
}

impl<'a> Sender<'a> {
    /// For one answer on `seat`, which gives way if it is slow and one of `downloads` waits.
    pub fn new(seat: &'a Seat, downloads: &'a Downloads) -> Sender<'a> {
        Sender { seat, downloads, written: 0, pace: None }
    }

    /// Sends `head` (status line and fields) and `body`. Returns the bytes of the body handed to the kernel, and why the
    /// connection ends if they are not all.
    pub fn send(mut self, head: &mut Vec<u8>, body: &Body) -> (u64, Result<(), End>) {
        let head_length = head.len() as u64;
        let result = match body {
            Body::Absent => self.send_small(head),
            Body::Text(text) => {
                head.extend_from_slice(text.as_bytes());
                self.send_small(head)
            }
            Body::Image(image, range) => {
                self.seat.enter(Phase::Sending);
                self.write_all(head, image.bytes.get(range.clone()).unwrap_or_default())
            }
            Body::File(body) => {
                self.seat.enter(Phase::Sending);
                self.send_file(head, body)
            }
        };
        self.seat.set_slow(false);
        (self.written.saturating_sub(head_length), result)
    }

    fn send_small(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.seat.enter(Phase::Answering);
        self.write_all(bytes, &[])
    }

    /// Pieces of a file. The last one is held back until it is certain that the file did not change meanwhile: no short body
    /// that looks complete, no mixture of two versions.
    fn send_file(&mut self, head: &[u8], body: &FileBody) -> Result<(), End> {
        // Several writes: without this the last one waits for the client's delayed acknowledgement (40 ms).
        let _ = self.seat.stream.set_nodelay(true);
        if body.first.len() as u64 == body.length {
            // All of it was compared with the stamp when it was read.
            return self.write_all(head, &body.first);
        }
        self.write_all(head, &body.first)?;
        let mut piece = vec![0; body.length.min(limits::FILE_PIECE as u64) as usize];
        let mut sent = body.first.len() as u64;
        while sent < body.length {
            let wanted = piece.len().min(usize::try_from(body.length - sent).unwrap_or(usize::MAX));
            let piece = &mut piece[..wanted];
            body.file.read_exact_at(piece, body.start + sent).map_err(|_| End::FileChanged)?;
            let is_last = sent + wanted as u64 == body.length;
            if is_last && has_changed(&body.file, &body.stamp) {
                return Err(End::FileChanged);
            }
            self.write_all(&[], piece)?;
            sent += wanted as u64;
        }
        Ok(())
    }

    /// Writes `first` and `second`, in one system call if the kernel takes them.
    fn write_all(&mut self, mut first: &[u8], mut second: &[u8]) -> Result<(), End> {
        while !(first.is_empty() && second.is_empty()) {
            let written = if second.is_empty() {
                (&self.seat.stream).write(first)
            } else {
                (&self.seat.stream).write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
            };
            match written {
                Ok(0) => return Err(End::ClientGone),
                Ok(count) => {
                    self.written += count as u64;
                    let of_first = count.min(first.len());
                    first = &first[of_first..];
                    second = &second[(count - of_first).min(second.len())..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Err(End::ClientGone),
            }
            if !(first.is_empty() && second.is_empty()) {
                self.look_up()?;
            }
        }
        Ok(())
    }

    /// Called when the kernel did not take all: is the client still taking any, and are we still wanted?
    fn look_up(&mut self) -> Result<(), End> {
        if self.seat.must_leave() {
            return Err(End::GaveWay);
        }
        let now = Instant::now();
        let moved = self.written.saturating_sub(sys::unacknowledged_bytes(&self.seat.stream));
        let pace = self.pace.get_or_insert(Pace { moved, moved_at: now, window_moved: moved, window_start: now });
        if moved > pace.moved {
            (pace.moved, pace.moved_at) = (moved, now);
        } else if now.duration_since(pace.moved_at) >= limits::STALL_TIME {
            return Err(End::Stalled);
        }
        if now.duration_since(pace.window_start) >= limits::SLOW_TIME {
            let is_slow = moved - pace.window_moved.min(moved) < limits::SLOW_BYTES;
            if is_slow && self.downloads.has_waiting() {
                return Err(End::GaveWay);
            }
            self.seat.set_slow(is_slow);
            (pace.window_moved, pace.window_start) = (moved, now);
        }
        Ok(())
    }
}

fn has_changed(file: &File, stamp: &Stamp) -> bool {
    file.metadata().map_or(true, |metadata| Stamp::from(&metadata) != *stamp)
}
