//! The kinds of instructions on the wire: one line for each direction.

use shared_events::ledger as contract;

use super::values::{outbound_party, outbound_rounding, party, rounding};
use crate::posting::{
    Capture, Exchange, Kind, Leg, MultiLeg, PlaceHold, Release, Reversal, Transfer,
};

/// The kind of a message's instruction.
pub(super) fn kind(action: &contract::Action) -> Kind {
    match action {
        contract::Action::Transfer(payment) => Kind::Transfer(Transfer {
            debtor: party(&payment.debtor),
            creditor: party(&payment.creditor),
            money: payment.money,
            allow_partial: payment.up_to,
        }),
        contract::Action::Hold(hold) => Kind::Hold(PlaceHold {
            debtor: party(&hold.debtor),
            creditor: party(&hold.creditor),
            money: hold.money,
            allow_partial: hold.up_to,
            expires_at: hold.expires_at,
        }),
        contract::Action::Capture(capture) => Kind::Capture(Capture {
            hold_id: capture.hold_id,
            amount: capture.amount,
            keep_rest: capture.keep_rest,
        }),
        contract::Action::Release(release) => Kind::Release(Release { hold_id: release.hold_id }),
        contract::Action::Reverse(reverse) => {
            Kind::Reversal(Reversal { original_id: reverse.original_id, amount: reverse.amount })
        }
        contract::Action::Legs(all) => {
            Kind::MultiLeg(MultiLeg { legs: all.legs.iter().map(leg).collect() })
        }
        contract::Action::Exchange(exchange) => Kind::Exchange(Exchange {
            debtor: party(&exchange.debtor),
            creditor: party(&exchange.creditor),
            sell: exchange.sell,
            buy: exchange.buy,
            rate: exchange.rate,
            rounding: rounding(exchange.rounding),
        }),
    }
}

fn leg(leg: &contract::Leg) -> Leg {
    Leg { account: party(&leg.account), direction: leg.direction, money: leg.money }
}

/// The action that a message shows.
pub(super) fn action(kind: &Kind) -> contract::Action {
    match kind {
        Kind::Transfer(transfer) => contract::Action::Transfer(contract::Payment {
            debtor: outbound_party(&transfer.debtor),
            creditor: outbound_party(&transfer.creditor),
            money: transfer.money,
            up_to: transfer.allow_partial,
        }),
        Kind::Hold(hold) => contract::Action::Hold(contract::Hold {
            debtor: outbound_party(&hold.debtor),
            creditor: outbound_party(&hold.creditor),
            money: hold.money,
            up_to: hold.allow_partial,
            expires_at: hold.expires_at,
        }),
        Kind::Capture(capture) => contract::Action::Capture(contract::Capture {
            hold_id: capture.hold_id,
            amount: capture.amount,
            keep_rest: capture.keep_rest,
        }),
        Kind::Release(release) => {
            contract::Action::Release(contract::Release { hold_id: release.hold_id })
        }
        Kind::Reversal(reversal) => contract::Action::Reverse(contract::Reverse {
            original_id: reversal.original_id,
            amount: reversal.amount,
        }),
        Kind::MultiLeg(all) => contract::Action::Legs(contract::Legs {
            legs: all.legs.iter().map(outbound_leg).collect(),
        }),
        Kind::Exchange(exchange) => contract::Action::Exchange(contract::Exchange {
            debtor: outbound_party(&exchange.debtor),
            creditor: outbound_party(&exchange.creditor),
            sell: exchange.sell,
            buy: exchange.buy,
            rate: exchange.rate,
            rounding: outbound_rounding(exchange.rounding),
        }),
    }
}

fn outbound_leg(leg: &Leg) -> contract::Leg {
    contract::Leg {
        account: outbound_party(&leg.account),
        direction: leg.direction,
        money: leg.money,
    }
}
