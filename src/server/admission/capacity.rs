//! How much of everything there is, worked out once at the start.

use crate::limits;

/// The bounds that all threads, memory and descriptors follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Connections served at a time, but for downloads that wait.
    pub places: usize,
    /// Of these, how many may send a download at a time.
    pub downloads: usize,
    /// Of these, how many may use the disk for anything else at a time, while as many more wait for it.
    pub disk: usize,
    /// Downloads that wait, beside the places.
    pub waiting: usize,
}

impl Capacity {
    /// What `max_connections` asks for, cut to what `descriptors` bear.
    pub fn new(max_connections: usize, descriptors: usize) -> Capacity {
        let bearable = (1..=max_connections).rev().map(Capacity::uncut);
        // Few steps: the first one fits nearly always. Below the smallest there is nothing left to cut.
        let mut capacity =
            bearable.into_iter().find(|capacity| capacity.descriptors() <= descriptors).unwrap_or(Capacity::uncut(1));
        // A waiting download holds its socket alone.
        let most = (4 * max_connections).min(limits::WAITING_DOWNLOADS);
        capacity.waiting = most.min(descriptors.saturating_sub(capacity.descriptors()));
        capacity
    }

    fn uncut(max_connections: usize) -> Capacity {
        let downloads = (max_connections * 3 / 4).max(1);
        let disk = (max_connections / 8).max(1);
        let places = max_connections.max(downloads + 2 * disk + limits::PLACES_FOR_CHECKS);
        Capacity { places, downloads, disk, waiting: 0 }
    }

    /// Descriptors needed for all at once: a socket each, a file for each permit, and our own.
    pub fn descriptors(&self) -> usize {
        self.places + self.waiting + self.downloads + self.disk + limits::OWN_DESCRIPTORS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_follows_from_max_connections_and_descriptors() {
        let cases = [
            // max_connections, descriptors, places, downloads, disk, waiting
            (1, 10_000, 11, 1, 1, 4),
            (2, 10_000, 11, 1, 1, 8),
            (3, 10_000, 12, 2, 1, 12),
            (8, 10_000, 16, 6, 1, 32),
            (64, 10_000, 72, 48, 8, 256),
            (256, 10_000, 264, 192, 32, 256),
            (256, 1024, 264, 192, 32, 256),
            (256, 512, 264, 192, 32, 8),
            (256, 64, 29, 17, 2, 0),
            (100, 40, 16, 6, 1, 1),
            (100, 8, 11, 1, 1, 0),
        ];
        for (max, descriptors, places, downloads, disk, waiting) in cases {
            let capacity = Capacity::new(max, descriptors);
            assert_eq!(capacity, Capacity { places, downloads, disk, waiting }, "{max} with {descriptors}");
            // Those who use the disk and those who wait for it: neither gives way.
            assert!(capacity.places >= capacity.downloads + 2 * capacity.disk + 8, "{capacity:?}: some are left for checks");
        }
    }
}
