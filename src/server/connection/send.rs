//! Sending: answers and downloads, judged by whether they move.

use std::fs::File;
use std::io::{ErrorKind, IoSlice, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::close_reason::CloseReason;
use crate::clock;
use crate::limits;
use crate::routes::{Body, FileBody};
use crate::server::admission::{Phase, Place};
use crate::stamp::Stamp;
use crate::sys;

/// A connection's sending side.
pub struct Sender {
    /// Bytes of all answers handed to the kernel so far …
    written: u64,
    /// … and those of them that had arrived at the last look.
    acknowledged: u64,
    /// How long the answer may take that is being written …
    patience: Duration,
    /// … and when that is over, once the kernel did not take it at once.
    deadline: Option<Instant>,
    /// A download's head has been begun, and its last byte is not with the kernel yet.
    is_in_download: bool,
}

impl Sender {
    /// Nothing is sent yet.
    pub fn new() -> Sender {
        Sender { written: 0, acknowledged: 0, patience: limits::ANSWER_TIME, deadline: None, is_in_download: false }
    }

    /// Whether a download was cut: nothing may make its end look like a whole file's.
    pub fn is_in_download(&self) -> bool {
        self.is_in_download
    }

    /// Bytes of all answers that had arrived at the last look.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Bytes of all answers that have arrived. The kernel is asked only if there may be more than at the last look.
    pub fn look_at_acknowledged(&mut self, place: &Place) -> u64 {
        if self.acknowledged < self.written {
            self.note_missing(sys::unacknowledged_bytes(&place.stream));
        }
        self.acknowledged
    }

    /// Notes that so many bytes were on their way at a look.
    pub fn note_missing(&mut self, missing: u64) {
        self.acknowledged = self.written.saturating_sub(missing);
    }

    /// Sends `head` (status line and fields) and `body`. Returns the bytes of the body handed to the kernel, and why the
    /// connection ends if they are not all. A small body is added to `head`: one piece costs the kernel less than two.
    pub fn send(&mut self, place: &Place, head: &mut Vec<u8>, body: &Body) -> (u64, Result<(), CloseReason>) {
        let begin = self.written + head.len() as u64;
        let result = match body {
            Body::Absent => self.send_small(place, head, ""),
            Body::Text(text) if head.len() + text.len() <= limits::ANSWER_BUFFER => {
                head.extend_from_slice(text.as_bytes());
                self.send_small(place, head, "")
            }
            Body::Text(text) => self.send_small(place, head, text),
            Body::Image(image, range) => self
                .send_download(place, |sender| sender.write_all(place, head, image.bytes.get(range.clone()).unwrap_or_default())),
            Body::File(body) => self.send_download(place, |sender| sender.send_file(place, head, body)),
        };
        (self.written.saturating_sub(begin), result)
    }

    fn send_small(&mut self, place: &Place, head: &[u8], text: &str) -> Result<(), CloseReason> {
        place.enter(Phase::Answering);
        (self.patience, self.deadline) = (patience_for(text.len()), None);
        self.write_all(place, head, text.as_bytes())
    }

    /// From the first byte of a download's head until its last byte is with the kernel, whatever ends the connection or the process
    /// is a reset: after a normal end the Java client takes what it has for a whole file (CLIENTS.md).
    fn send_download(
        &mut self,
        place: &Place,
        send: impl FnOnce(&mut Sender) -> Result<(), CloseReason>,
    ) -> Result<(), CloseReason> {
        place.enter(Phase::Sending);
        self.is_in_download = true;
        sys::set_reset_on_close(&place.stream, true);
        send(self)?;
        sys::set_reset_on_close(&place.stream, false);
        self.is_in_download = false;
        Ok(())
    }

    /// Pieces of a file. The last one is held back until it is certain that the file did not change meanwhile: no short body
    /// that looks complete, no mixture of two versions.
    fn send_file(&mut self, place: &Place, head: &[u8], body: &FileBody) -> Result<(), CloseReason> {
        // The first piece was compared with the stamp when it was read.
        self.write_all(place, head, &body.first)?;
        let mut sent = body.first.len() as u64;
        let length = (body.length - sent).min(limits::FILE_PIECE as u64) as usize;
        let mut piece = Vec::new();
        piece.try_reserve_exact(length).map_err(|_| CloseReason::OutOfMemory)?;
        piece.resize(length, 0);
        let mut looked_at = clock::now();
        while sent < body.length {
            let wanted = piece.len().min(usize::try_from(body.length - sent).unwrap_or(usize::MAX));
            let piece = &mut piece[..wanted];
            body.file.read_exact_at(piece, body.start + sent).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => CloseReason::FileChanged,
                _ => CloseReason::FileUnreadable,
            })?;
            let is_last = sent + wanted as u64 == body.length;
            if is_last && has_changed(&body.file, &body.stamp) {
                return Err(CloseReason::FileChanged);
            }
            // Pieces the kernel takes at once are progress too, and nobody else would note it.
            let now = clock::now();
            if now.saturating_duration_since(looked_at) >= limits::SEND_TICK {
                self.look_up(place)?;
                looked_at = now;
            }
            self.write_all(place, piece, &[])?;
            sent += wanted as u64;
        }
        Ok(())
    }

    /// Writes `first` and `second`, in one system call if the kernel takes them.
    fn write_all(&mut self, place: &Place, mut first: &[u8], mut second: &[u8]) -> Result<(), CloseReason> {
        while !(first.is_empty() && second.is_empty()) {
            let written = if second.is_empty() {
                (&place.stream).write(first)
            } else {
                (&place.stream).write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
            };
            match written {
                Ok(0) => return Err(CloseReason::ClientGone),
                Ok(count) => {
                    self.written += count as u64;
                    let of_first = count.min(first.len());
                    first = &first[of_first..];
                    second = &second[(count - of_first).min(second.len())..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Err(CloseReason::ClientGone),
            }
            if !(first.is_empty() && second.is_empty()) {
                self.look_up(place)?;
            }
        }
        Ok(())
    }

    /// Called between two writes: is the client still taking any, and are we still wanted?
    fn look_up(&mut self, place: &Place) -> Result<(), CloseReason> {
        let now = clock::now();
        self.look_at_acknowledged(place);
        let mut stage = place.stage();
        if let Some(progress) = &mut stage.progress {
            progress.note(self.acknowledged, now);
            let stood_still = progress.stood_still(now);
            return match stage.gives_way {
                true => Err(CloseReason::GaveWay),
                false if stood_still >= limits::STALL_TIME => Err(CloseReason::Stalled),
                false => Ok(()),
            };
        }
        let deadline = *self.deadline.get_or_insert(now + self.patience);
        match stage.asked_to_leave {
            Some(_) => Err(CloseReason::GaveWay),
            None if now >= deadline => Err(CloseReason::TooSlow),
            None => Ok(()),
        }
    }
}

/// How long an answer that is no file may take.
fn patience_for(length: usize) -> Duration {
    limits::ANSWER_TIME + Duration::from_secs((length / limits::ANSWER_BYTES_PER_SECOND) as u64)
}

fn has_changed(file: &File, stamp: &Stamp) -> bool {
    file.metadata().map_or(true, |metadata| Stamp::from(&metadata) != *stamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_large_page_has_time_on_a_slow_link_and_no_answer_has_it_for_ever() {
        for (length, seconds) in [(0, 30), (200, 30), (64 * 1024, 38), (640 * 1024, 110)] {
            assert_eq!(patience_for(length), Duration::from_secs(seconds), "{length}");
        }
    }

    #[test]
    fn whoever_takes_an_answer_too_slowly_is_closed_although_it_moves() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
        let (stream, peer) = listener.accept().expect("the same connection");
        stream.set_write_timeout(Some(Duration::from_millis(20))).expect("a time-out");
        let place = Place::new(stream, peer);
        let reader = std::thread::spawn(move || {
            let mut piece = vec![0; 64 * 1024];
            while client.read(&mut piece).is_ok_and(|count| count > 0) {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let begun = clock::now();
        let mut sender = Sender { patience: Duration::from_millis(300), ..Sender::new() };
        let written = sender.write_all(&place, &vec![0; 256 * 1024 * 1024], &[]);
        assert_eq!(written, Err(CloseReason::TooSlow));
        assert!(begun.elapsed() >= Duration::from_millis(300) && sender.written > 0);
        drop(place);
        reader.join().expect("the reader");
    }

    #[test]
    fn a_file_that_never_blocks_is_seen_to_move() {
        // Holes of a file take no room. Nobody reads to its end.
        const LENGTH: u64 = 1 << 36;
        let path = std::env::temp_dir().join(format!("susv-send-{}", std::process::id()));
        let file =
            File::create_new(&path).and_then(|file| file.set_len(LENGTH)).and_then(|()| File::open(&path)).expect("a file");
        std::fs::remove_file(&path).expect("removed, and still open");
        let stamp = Stamp::from(&file.metadata().expect("its metadata"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
        let (stream, peer) = listener.accept().expect("the same connection");

        let place = Place::new(stream, peer);
        assert!(place.begin_download(0));
        let begun = clock::now();
        let has_moved = || {
            let now = clock::now();
            place.stage().progress.expect("a download").stood_still(now) < now - begun
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Closed at its end, with bytes unread: that is a reset, and no writer waits for its window.
                let mut client = client;
                let mut piece = vec![0; 1 << 20];
                while !has_moved() && begun.elapsed() < Duration::from_secs(20) {
                    client.read_exact(&mut piece).expect("more of it");
                }
            });
            let body = Body::File(FileBody { file, stamp, first: Vec::new(), start: 0, length: LENGTH });
            Sender::new().send(&place, &mut Vec::new(), &body).1.expect_err("nobody reads to the end");
        });
        assert!(has_moved(), "nothing was noted");
    }
}
