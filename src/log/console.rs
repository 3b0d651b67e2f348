//! Standard output and standard error.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::thread;

use super::line::{self, Line};
use crate::limits;

/// Writes all of `bytes` and waits as long as that takes; returns how many were taken until an error.
pub fn write_fully(output: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut taken = 0;
    while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
        match output.write(rest) {
            Ok(0) => return (taken, Err(ErrorKind::WriteZero.into())),
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A pipe that somebody made non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(limits::LOG_BLOCKED),
            Err(error) => return (taken, Err(error)),
        }
    }
    (taken, Ok(()))
}

/// One output. Its errors are told nowhere but in itself, when it works again: how many lines are missing.
pub struct Stream<W> {
    output: W,
    with_time: bool,
    /// A part of a line has been written.
    is_mid_line: bool,
    /// Lines that are missing since the last one written.
    lost: u32,
}

impl<W: Write> Stream<W> {
    fn new(output: W, with_time: bool) -> Stream<W> {
        Stream { output, with_time, is_mid_line: false, lost: 0 }
    }

    /// Writes and removes all lines, in front of which `lost` others are lost.
    pub fn write(&mut self, lines: &mut VecDeque<Line>, lost: u32) {
        self.lost = self.lost.saturating_add(lost);
        if lines.is_empty() {
            return;
        }
        let mut text = String::new();
        if self.is_mid_line {
            text.push('\n');
        }
        if self.lost > 0 {
            line::overrun(self.lost).append_to(&mut text, self.with_time);
        }
        // Ends of lines that are none of `lines`.
        let extra = text.matches('\n').count();
        for line in lines.iter() {
            line.append_to(&mut text, self.with_time);
        }
        let (taken, result) = write_fully(&mut self.output, text.as_bytes());
        let taken = text.as_bytes().get(..taken).unwrap_or_default();
        let ends = taken.iter().filter(|byte| **byte == b'\n').count();
        if ends >= extra {
            self.lost = 0;
        }
        if result.is_err() {
            let missing = lines.len().saturating_sub(ends.saturating_sub(extra));
            self.lost = self.lost.saturating_add(u32::try_from(missing).unwrap_or(u32::MAX));
        }
        self.is_mid_line = taken.last().map_or(self.is_mid_line, |last| *last != b'\n');
        lines.clear();
    }
}

/// Standard output and standard error, as far as they can be had; only the first if both are the same, so that its lines keep
/// their order. Own descriptors past std's buffers and locks.
pub fn open() -> (Option<Stream<File>>, Option<Stream<File>>) {
    let own = |output: io::Result<OwnedFd>| output.ok().map(File::from);
    let info = own(io::stdout().as_fd().try_clone_to_owned());
    let warnings = own(io::stderr().as_fd().try_clone_to_owned());
    let identity = |file: &Option<File>| file.as_ref().and_then(|file| file.metadata().ok()).map(|data| (data.dev(), data.ino()));
    let is_shared = info.is_some() && identity(&info) == identity(&warnings);
    let is_file = info.as_ref().is_some_and(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()));
    let with_time = is_file || io::stdout().is_terminal();
    let stream = |file| Stream::new(file, with_time);
    (info.map(stream), warnings.filter(|_| !is_shared).map(stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::line::Level;

    /// Takes `pieces` of bytes, one at each call, then fails as a full disk does; 0 is a moment in which it would block.
    struct Reluctant {
        pieces: VecDeque<usize>,
        taken: Vec<u8>,
    }

    impl Write for Reluctant {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.pieces.pop_front() {
                Some(0) => Err(ErrorKind::WouldBlock.into()),
                Some(most) => {
                    let count = most.min(bytes.len());
                    self.taken.extend_from_slice(&bytes[..count]);
                    Ok(count)
                }
                None => Err(ErrorKind::StorageFull.into()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(texts: &[&str]) -> VecDeque<Line> {
        texts.iter().map(|text| Line::new(Level::Info, (*text).to_owned())).collect()
    }

    #[test]
    fn lines_that_an_output_takes_in_part_are_finished_or_counted() {
        // What the output takes of "aa", "bb", "cc", what it holds after that, and after one more line, "dd", for which it has room.
        for (pieces, held, at_last) in [
            (vec![9], "aa\nbb\ncc\n", "aa\nbb\ncc\ndd\n"),
            (vec![1, 0, 4, 0, 0, 4], "aa\nbb\ncc\n", "aa\nbb\ncc\ndd\n"),
            (vec![6], "aa\nbb\n", "aa\nbb\nevent=log_overrun lines_lost=1\ndd\n"),
            (vec![3, 2], "aa\nbb", "aa\nbb\nevent=log_overrun lines_lost=2\ndd\n"),
            (vec![4], "aa\nb", "aa\nb\nevent=log_overrun lines_lost=2\ndd\n"),
            (vec![], "", "event=log_overrun lines_lost=3\ndd\n"),
        ] {
            let mut stream = Stream::new(Reluctant { pieces: pieces.clone().into(), taken: Vec::new() }, false);
            stream.write(&mut lines(&["aa", "bb", "cc"]), 0);
            assert_eq!(String::from_utf8_lossy(&stream.output.taken), held, "{pieces:?}");
            stream.output.pieces = [1000].into();
            stream.write(&mut lines(&["dd"]), 0);
            assert_eq!(String::from_utf8_lossy(&stream.output.taken), at_last, "{pieces:?}");
        }
    }

    #[test]
    fn losses_add_up_until_they_are_told() {
        let mut stream = Stream::new(Reluctant { pieces: [2].into(), taken: Vec::new() }, false);
        stream.write(&mut lines(&["aa"]), 0);
        // The line break that ends the half line, and half of the line about the loss.
        stream.output.pieces = [10].into();
        stream.write(&mut lines(&["bb"]), 5);
        stream.output.pieces = [1000, 1000].into();
        stream.write(&mut lines(&["cc"]), 0);
        let text = String::from_utf8_lossy(&stream.output.taken).into_owned();
        assert_eq!(text, "aa\nevent=log\nevent=log_overrun lines_lost=7\ncc\n");
    }
}
