//! The authors of a batch, with their rights. Promise: neighbours of one author and one type cost
//! one look-up.

use super::{
    access::Authority,
    origin::{Origin, Principal},
};
use crate::access::Rights;

/// The author of a delivery, and what it may do with messages of the delivery's type.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) principal: Principal,
    pub(crate) rights: Rights,
}

/// The authors of a batch. Neighbours are mostly of one author and type, who is then looked up and
/// stored once.
pub(crate) struct Authors<'a> {
    authority: &'a Authority,
    last: Option<(Box<str>, Author)>,
}

impl<'a> Authors<'a> {
    pub(crate) const fn new(authority: &'a Authority) -> Self {
        Self { authority, last: None }
    }

    pub(crate) fn author(&mut self, origin: &Origin<'_>) -> Author {
        match &self.last {
            Some((kind, author))
                if **kind == *origin.kind() && author.principal.as_str() == origin.author =>
            {
                author.clone()
            }
            _ => {
                let rights = self.authority.rights(origin.author, origin.kind());
                let author = Author { principal: origin.author.into(), rights };
                self.last.insert((origin.kind().into(), author)).1.clone()
            }
        }
    }
}
