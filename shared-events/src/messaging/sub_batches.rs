//! Parts of a batch: those within which each id comes once, and the messages that reach their
//! handler. Promise: the parts keep the batch's order.

use std::{borrow::Cow, collections::HashSet};

use super::{
    handler::{Idempotency, Outcome, Received},
    inbox::InboxState,
};
use crate::message::MessageSet;

/// Cuts a batch where an id comes again: the inbox sees each id once in a transaction.
pub(crate) fn sub_batches<M>(
    messages: &[Received<M>],
    idempotency: Idempotency,
) -> Vec<&[Received<M>]> {
    if messages.is_empty() {
        return vec![];
    }
    let (mut parts, mut start, mut ids) = (Vec::new(), 0, HashSet::new());
    for (number, message) in messages.iter().enumerate() {
        if !ids.insert(message.id()) && idempotency == Idempotency::Inbox {
            parts.push(&messages[start..number]);
            start = number;
            ids = HashSet::from([message.id()]);
        }
    }
    parts.push(&messages[start..]);
    parts
}

/// The new messages that reach their handler: nearly always all of them.
pub(super) fn to_handle<'m, M: MessageSet>(
    messages: &'m [Received<M>],
    states: &[InboxState],
    answered: &[Option<Outcome>],
) -> Cow<'m, [Received<M>]> {
    let is_handled = |((_, state), answered): &((&Received<M>, &InboxState), &Option<Outcome>)| {
        **state == InboxState::New && answered.is_none()
    };
    let mut all = messages.iter().zip(states).zip(answered);
    if all.clone().all(|one| is_handled(&one)) {
        return Cow::Borrowed(messages);
    }
    Cow::Owned(all.by_ref().filter(is_handled).map(|((message, _), _)| message.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::MessageId,
        messaging::test_messages::{TestMessage, received},
    };

    #[test]
    fn a_batch_is_cut_where_an_id_comes_again() {
        let ids = [MessageId::new(), MessageId::new()];
        let message = |number: usize| received(ids[number], "text");
        let table: [(&[usize], &[usize]); 5] = [
            (&[], &[]),
            (&[0], &[1]),
            (&[0, 1], &[2]),
            (&[0, 1, 0, 1], &[2, 2]),
            (&[0, 0, 0, 1], &[1, 1, 2]),
        ];
        for (order, expected) in table {
            let messages: Vec<Received<TestMessage>> = order.iter().map(|n| message(*n)).collect();
            let parts = sub_batches(&messages, Idempotency::Inbox);
            let sizes: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            assert_eq!(sizes, expected, "{order:?}");
            let whole = sub_batches(&messages, Idempotency::NaturalKey);
            assert!(whole.len() <= 1, "a natural key needs no cut");
        }
    }
}
