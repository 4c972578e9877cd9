//! A name in the database that this version does not know.

/// A newer version of the service has written the name.
#[derive(Debug, thiserror::Error)]
#[error("{name:?} is no {kind} known here")]
pub(crate) struct UnknownName {
    kind: &'static str,
    name: String,
}

impl UnknownName {
    /// `kind` is the type of the column.
    pub(crate) fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}
