//! The parameters of queries.

use shared_events::ledger as contract;

use crate::{
    audit::SnapshotPart,
    statements::{AsOf, EntrySearch, PaymentName, StatementRange},
    wire::values::party,
};

pub(in crate::wire) const fn as_of(as_of: contract::AsOf) -> AsOf {
    match as_of {
        contract::AsOf::Instant(instant) => AsOf::Instant(instant),
        contract::AsOf::ValueDate(day) => AsOf::ValueDate(day),
        contract::AsOf::BookingDate(day) => AsOf::BookingDate(day),
    }
}

pub(in crate::wire) const fn statement_range(query: &contract::GetStatement) -> StatementRange {
    StatementRange { from: query.from, to: query.to, until: query.until }
}

pub(in crate::wire) fn entry_search(query: &contract::FindEntries) -> EntrySearch {
    EntrySearch {
        reference: query.reference.clone(),
        end_to_end_id: query.end_to_end_id.clone(),
        counterparty: query.counterparty.as_ref().map(party),
        direction: query.direction,
        amount_min: query.amount_min,
        amount_max: query.amount_max,
        from: query.from,
        to: query.to,
        after: query.after,
    }
}

pub(in crate::wire) fn payment_name(name: &contract::PaymentName) -> PaymentName {
    match name {
        contract::PaymentName::Reference(text) => PaymentName::Reference(text.clone()),
        contract::PaymentName::EndToEndId(text) => PaymentName::EndToEndId(text.clone()),
    }
}

pub(in crate::wire) const fn snapshot_part(part: contract::BooksPart) -> SnapshotPart {
    match part {
        contract::BooksPart::Accounts => SnapshotPart::Accounts,
        contract::BooksPart::Holds => SnapshotPart::Holds,
        contract::BooksPart::Reversals => SnapshotPart::Reversals,
        contract::BooksPart::Entries => SnapshotPart::Entries,
    }
}
