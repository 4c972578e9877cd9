//! Tracked values. Promise: exactly the values that changed, and were not restored, are stored.

use std::collections::{BTreeMap, HashMap};

/// Values by id, with the ids of the changed values: `true` for a value that is new.
#[derive(Clone, Debug)]
pub(super) struct Tracked<K, V> {
    values: HashMap<K, V>,
    touched: BTreeMap<K, bool>,
}

/// A value at an earlier time, and whether it had changed by then.
#[derive(Clone, Debug)]
pub(super) struct Saved<V> {
    value: Option<V>,
    touched: Option<bool>,
}

impl<K: Copy + Ord + std::hash::Hash, V: Clone> Tracked<K, V> {
    pub(super) fn loaded(values: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { values: values.into_iter().collect(), touched: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.values.get(&key)
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        let is_new = self.values.insert(key, value).is_none();
        self.touched.entry(key).or_insert(is_new);
    }

    pub(super) fn saved(&self, key: K) -> Saved<V> {
        Saved { value: self.values.get(&key).cloned(), touched: self.touched.get(&key).copied() }
    }

    pub(super) fn restore(&mut self, key: K, before: Saved<V>) {
        match before.value {
            Some(value) => drop(self.values.insert(key, value)),
            None => drop(self.values.remove(&key)),
        }
        match before.touched {
            Some(is_new) => drop(self.touched.insert(key, is_new)),
            None => drop(self.touched.remove(&key)),
        }
    }

    pub(super) fn touched(&self, new: bool) -> impl Iterator<Item = (K, &V)> {
        let touched = self.touched.iter().filter(move |(_, is_new)| **is_new == new);
        touched.filter_map(|(key, _)| Some((*key, self.values.get(key)?)))
    }
}
