//! Pages of lists. Promise: a page fits a message, with any items; a page has one item at least, so
//! a reader that follows `next` reaches the end of the list.

use std::io::{self, Write};

use serde::Serialize;

use crate::envelope::MESSAGE_BYTES_MAX;

/// The maximal number of bytes of a page's items. A quarter of a message is left for the envelope,
/// the commas and the other fields of the reply.
pub const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 4 * 3;

/// A page that takes one item after another.
#[derive(Debug)]
pub struct Page<T> {
    items: Vec<T>,
    limit: usize,
    bytes: usize,
    more: bool,
}

impl<T: Serialize> Page<T> {
    /// An empty page for at most `limit` items.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { items: vec![], limit, bytes: 0, more: false }
    }

    /// Takes an item if the item fits. Otherwise the item and all later ones belong to the next
    /// page.
    pub fn takes(&mut self, item: T) -> bool {
        let bytes = self.bytes.saturating_add(bytes_of(&item));
        let fits = self.items.len() < self.limit && bytes <= PAGE_BYTES_MAX;
        if self.more || !(fits || self.items.is_empty()) {
            self.more = true;
            return false;
        }
        self.bytes = bytes;
        self.items.push(item);
        true
    }

    /// The items, and whether there is a next page.
    #[must_use]
    pub fn finish(self) -> (Vec<T>, bool) {
        (self.items, self.more)
    }
}

/// The first items of `found` that fit one page of at most `limit`, and whether there are more.
#[must_use]
pub fn page<T: Serialize>(found: impl IntoIterator<Item = T>, limit: usize) -> (Vec<T>, bool) {
    let mut page = Page::new(limit);
    for item in found {
        if !page.takes(item) {
            break;
        }
    }
    page.finish()
}

/// The size of an item in JSON, in bytes.
#[must_use]
pub fn bytes_of<T: Serialize>(item: &T) -> usize {
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, item).expect("a contract's type writes plain JSON");
    counted.0
}

/// A writer that counts bytes and keeps none.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(items: &[String], limit: usize, then: (usize, bool)) {
        let (page, more) = page(items.iter().cloned(), limit);
        assert_eq!((page.len(), more), then);
        assert_eq!(page, items[..page.len()]);
    }

    #[test]
    fn a_page_ends_at_its_limit() {
        let items: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        check(&items[..0], 3, (0, false));
        check(&items[..2], 3, (2, false));
        check(&items[..3], 3, (3, false));
        check(&items, 3, (3, true));
    }

    #[test]
    fn a_page_ends_where_the_message_would_be_too_large() {
        let half = vec!["x".repeat(PAGE_BYTES_MAX / 2 - 100); 4];
        check(&half, 3, (2, true));
        check(&half[..2], 3, (2, false));
        let whole = vec!["x".repeat(PAGE_BYTES_MAX); 2];
        check(&whole, 3, (1, true));
        check(&whole[..1], 3, (1, false));
    }

    #[test]
    fn bytes_are_those_of_the_json() {
        assert_eq!(bytes_of(&"a\"ř"), 7);
    }
}
