//! Folding: what is warned of again and again is counted instead of repeated, so that the log stays readable and small.

use std::time::Instant;

use crate::limits;

struct Repeat {
    text: String,
    since: Instant,
    more: u32,
}

/// The warnings of the last minute.
#[derive(Default)]
pub struct Folding {
    repeats: Vec<Repeat>,
}

impl Folding {
    /// Whether a warning was not made in the last `limits::REPEAT_TIME`; otherwise it is counted. While there are too many
    /// different ones, further ones are news: the log's own limits hold.
    pub fn is_news(&mut self, text: &str, now: Instant) -> bool {
        if let Some(repeat) = self.repeats.iter_mut().find(|repeat| repeat.text == text) {
            repeat.more = repeat.more.saturating_add(1);
            return false;
        }
        if self.repeats.len() < limits::REPEAT_KINDS {
            self.repeats.push(Repeat { text: text.to_owned(), since: now, more: 0 });
        }
        true
    }

    /// Forgets the warnings whose time is over; returns those that came again, and how often.
    pub fn take_over(&mut self, now: Instant) -> Vec<(String, u32)> {
        let mut over = Vec::new();
        self.repeats.retain_mut(|repeat| {
            let is_over = now.saturating_duration_since(repeat.since) >= limits::REPEAT_TIME;
            if is_over && repeat.more > 0 {
                over.push((std::mem::take(&mut repeat.text), repeat.more));
            }
            !is_over
        });
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_news_once_a_minute_and_repetitions_are_counted() {
        let (start, mut folding) = (Instant::now(), Folding::default());
        assert!(folding.is_news("a", start) && folding.is_news("b", start));
        for _ in 0..318 {
            assert!(!folding.is_news("a", start));
        }
        assert_eq!(folding.take_over(start + limits::REPEAT_TIME / 2), []);
        assert_eq!(folding.take_over(start + limits::REPEAT_TIME), [("a".to_owned(), 318)]);
        assert!(folding.is_news("a", start) && folding.is_news("b", start));
    }

    #[test]
    fn many_different_warnings_take_bounded_memory() {
        let (start, mut folding) = (Instant::now(), Folding::default());
        for number in 0..10_000 {
            assert!(folding.is_news(&number.to_string(), start));
        }
        assert_eq!(folding.repeats.len(), limits::REPEAT_KINDS);
    }
}
