//! Values that a batch works on. Promise: what is to be stored is exactly what was put; what was
//! taken back is not.

use std::collections::{BTreeMap, HashMap};

/// Values by id, and which of them have changed: `true` where the value is new.
#[derive(Clone, Debug)]
pub(crate) struct Tracked<K, V> {
    values: HashMap<K, V>,
    touched: BTreeMap<K, bool>,
}

/// A value as it was, and whether it had changed by then.
#[derive(Clone, Debug)]
pub(crate) struct Saved<V> {
    value: Option<V>,
    touched: Option<bool>,
}

impl<K: Copy + Ord + std::hash::Hash, V: Clone> Tracked<K, V> {
    pub(crate) fn loaded(values: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { values: values.into_iter().collect(), touched: BTreeMap::new() }
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.values.get(&key)
    }

    pub(crate) fn put(&mut self, key: K, value: V) {
        let is_new = self.values.insert(key, value).is_none();
        self.touched.entry(key).or_insert(is_new);
    }

    pub(crate) fn saved(&self, key: K) -> Saved<V> {
        Saved { value: self.values.get(&key).cloned(), touched: self.touched.get(&key).copied() }
    }

    pub(crate) fn restore(&mut self, key: K, before: Saved<V>) {
        match before.value {
            Some(value) => drop(self.values.insert(key, value)),
            None => drop(self.values.remove(&key)),
        }
        match before.touched {
            Some(is_new) => drop(self.touched.insert(key, is_new)),
            None => drop(self.touched.remove(&key)),
        }
    }

    pub(crate) fn touched(&self, new: bool) -> impl Iterator<Item = (K, &V)> {
        let touched = self.touched.iter().filter(move |(_, is_new)| **is_new == new);
        touched.filter_map(|(key, _)| Some((*key, self.values.get(key)?)))
    }
}
