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

/// What the system grants.
#[derive(Debug, Clone, Copy)]
pub struct Means {
    /// Descriptors, our own included.
    pub descriptors: usize,
    /// Threads that serve connections.
    pub threads: usize,
}

impl Means {
    /// Where nothing is limited.
    pub const UNLIMITED: Means = Means { descriptors: usize::MAX, threads: usize::MAX };
}

impl Capacity {
    /// What `max_connections` asks for, cut to what `means` bear.
    pub fn new(max_connections: usize, means: Means) -> Capacity {
        let bearable = (1..=max_connections).rev().map(Capacity::uncut);
        let is_bearable =
            |capacity: &Capacity| capacity.descriptors() <= means.descriptors && capacity.threads() <= means.threads;
        // Few steps: the first one fits nearly always. Below the smallest there is nothing left to cut.
        let mut capacity = bearable.into_iter().find(is_bearable).unwrap_or(Capacity::uncut(1));
        // A waiting download holds its thread and its socket alone.
        let most = (4 * max_connections).min(limits::WAITING_DOWNLOADS);
        let descriptors_left = means.descriptors.saturating_sub(capacity.descriptors());
        capacity.waiting = most.min(descriptors_left).min(means.threads.saturating_sub(capacity.threads()));
        capacity
    }

    fn uncut(max_connections: usize) -> Capacity {
        let downloads = (max_connections * 3 / 4).max(1);
        let disk = (max_connections / 8).max(1);
        let places = max_connections.max(downloads + 2 * disk + limits::PLACES_FOR_CHECKS);
        Capacity { places, downloads, disk, waiting: 0 }
    }

    /// Threads needed for all at once.
    pub fn threads(&self) -> usize {
        self.places + self.waiting
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
            let capacity = Capacity::new(max, Means { descriptors, ..Means::UNLIMITED });
            assert_eq!(capacity, Capacity { places, downloads, disk, waiting }, "{max} with {descriptors}");
            // Those who use the disk and those who wait for it: neither gives way.
            assert!(capacity.places >= capacity.downloads + 2 * capacity.disk + 8, "{capacity:?}: some are left for checks");
        }
    }

    #[test]
    fn threads_bound_places_and_what_waits_beside_them() {
        // Threads, places, waiting; of 256 connections.
        for (threads, places, waiting) in
            [(10_000, 264, 256), (520, 264, 256), (300, 264, 36), (264, 264, 0), (100, 100, 0), (5, 11, 0)]
        {
            let capacity = Capacity::new(256, Means { threads, ..Means::UNLIMITED });
            assert_eq!((capacity.places, capacity.waiting), (places, waiting), "{threads}");
        }
    }
}
