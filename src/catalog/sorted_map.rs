//! A map of few entries, in the order of their keys.

use std::borrow::Borrow;

/// Finds in the time of a binary search; the thousand entries there are at most are moved faster than looked at. A tenth of the code
/// of std's `BTreeMap`, which is made for more.
#[derive(Debug)]
pub struct SortedMap<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> SortedMap<K, V> {
        SortedMap { entries: Vec::new() }
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    fn position<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.entries.binary_search_by(|(other, _)| other.borrow().cmp(key))
    }

    /// The entries, the least key first.
    pub fn entries(&self) -> &[(K, V)] {
        &self.entries
    }

    /// The values, that of the least key first.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The keys with the values to change, the least key first.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.position(key).ok().map(|index| &self.entries[index].1)
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.position(key).ok().map(|index| &mut self.entries[index].1)
    }

    /// The value of `key`, which is made if there is none.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let index = self.position(&key).unwrap_or_else(|index| {
            self.entries.insert(index, (key, make()));
            index
        });
        &mut self.entries[index].1
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.position(key).ok().map(|index| self.entries.remove(index).1)
    }

    /// Takes out the entry of the least key.
    pub fn remove_first(&mut self) {
        if !self.entries.is_empty() {
            self.entries.remove(0);
        }
    }

    pub fn retain(&mut self, mut is_kept: impl FnMut(&K, &V) -> bool) {
        self.entries.retain(|(key, value)| is_kept(key, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_in_the_order_of_their_keys() {
        let mut map = SortedMap::default();
        for key in [3, 1, 4, 1, 5, 9, 2, 6] {
            *map.get_or_insert_with(key, || 0) += key;
        }
        assert_eq!(map.entries(), [(1, 2), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (9, 9)]);
        map.remove_first();
        map.retain(|key, _| key % 2 == 1);
        assert_eq!((map.remove(&5), map.remove(&5), map.get(&1)), (Some(5), None, None));
        *map.get_mut(&3).expect("an entry") = 7;
        map.iter_mut().rev().take(1).for_each(|(key, value)| *value += key);
        assert_eq!(map.values().copied().collect::<Vec<_>>(), [7, 18]);
    }
}
