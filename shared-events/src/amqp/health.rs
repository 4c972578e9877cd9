//! What works and what does not, part by part. Promise: a part that fails says so until it works
//! again, in words an operator can act on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The state of a process, shared by its tasks. `/readyz` shows it.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<String, Option<String>>>>);

impl Health {
    /// `part` works.
    pub fn good(&self, part: &str) {
        self.parts().insert(part.to_owned(), None);
    }

    /// `part` does not work, because of `why`.
    pub fn bad(&self, part: &str, why: impl Into<String>) {
        self.parts().insert(part.to_owned(), Some(why.into()));
    }

    /// `part` is not there any more, or not of interest.
    pub fn forget(&self, part: &str) {
        self.parts().remove(part);
    }

    /// Every part by name, with what is wrong with it, if anything.
    #[must_use]
    pub fn report(&self) -> BTreeMap<String, Option<String>> {
        self.parts().clone()
    }

    /// Whether there is a part, and nothing is wrong with any.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.parts();
        !parts.is_empty() && parts.values().all(Option::is_none)
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
