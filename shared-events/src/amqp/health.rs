//! The health of a process, part by part. Promise: a failed part shows its reason until the part
//! works again, in words that an operator can act on.

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

    /// `part` does not exist any more.
    pub fn forget(&self, part: &str) {
        self.parts().remove(part);
    }

    /// Every part by name, with its fault, if any.
    #[must_use]
    pub fn report(&self) -> BTreeMap<String, Option<String>> {
        self.parts().clone()
    }

    /// Whether there is a part and none has a fault.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.parts();
        !parts.is_empty() && parts.values().all(Option::is_none)
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
