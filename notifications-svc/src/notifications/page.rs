//! How much of a list goes into one answer. Promise: a page fits a message, whatever receivers said
//! to its deliveries, and with `next` nothing is left out.

use shared_events::{
    envelope::MESSAGE_BYTES_MAX, ids::NotificationId, notifications::Notification,
};

/// A quarter is left for the envelope and the commas.
const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 4 * 3;

/// The first of `found` that fit one page of at most `limit`, and where the next page starts. More
/// than `limit` of them say that there is a next page.
pub(crate) fn page(
    mut found: Vec<Notification>,
    limit: usize,
) -> (Vec<Notification>, Option<NotificationId>) {
    let mut bytes = 0;
    let fits = |notification: &Notification| {
        bytes += bytes_of(notification);
        bytes <= PAGE_BYTES_MAX
    };
    let fitting = found.iter().take(limit).map(fits).take_while(|fits| *fits).count();
    let kept = fitting.max(1).min(found.len());
    let is_last = kept == found.len();
    found.truncate(kept);
    let next = found.last().filter(|_| !is_last).map(|last| last.notification_id);
    (found, next)
}

fn bytes_of(notification: &Notification) -> usize {
    serde_json::to_vec(notification).expect("a notification is plain JSON").len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{listed, notification_id};

    fn check(count: u128, error_chars: usize, limit: usize, then: (usize, Option<u128>)) {
        let found: Vec<Notification> = (0..count).map(|it| listed(it, error_chars)).collect();
        let (page, next) = page(found.clone(), limit);
        assert_eq!((page.len(), next), (then.0, then.1.map(notification_id)));
        assert_eq!(page, found[..page.len()]);
    }

    #[test]
    fn a_page_ends_at_its_limit() {
        check(0, 0, 3, (0, None));
        check(2, 0, 3, (2, None));
        check(3, 0, 3, (3, None));
        check(4, 0, 3, (3, Some(2)));
    }

    #[test]
    fn a_page_ends_where_the_message_would_be_too_large() {
        let half = PAGE_BYTES_MAX / 2 - 1_000;
        check(4, half, 3, (2, Some(1)));
        check(2, half, 3, (2, None));
        check(2, PAGE_BYTES_MAX, 3, (1, Some(0)));
    }
}
