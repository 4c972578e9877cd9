//! Kinds of instructions, parties and directions as stored, and back.

use std::borrow::Cow;

use shared_events::ledger::{AccountCode, Direction};

use crate::{
    journal::record_v1::{
        ActionV1, CaptureV1, DirectionV1, ExchangeV1, HoldV1, LegV1, LegsV1, PartyV1, PaymentV1,
        ReleaseV1, ReverseV1, RoundingV1,
    },
    posting::{
        kinds::{Capture, Exchange, Kind, Leg, MultiLeg, PlaceHold, Release, Reversal, Transfer},
        party::Party,
        rounding::Rounding,
    },
};

pub(super) fn stored_kind(kind: &Kind) -> ActionV1<'_> {
    match kind {
        Kind::Transfer(payment) => ActionV1::Transfer(PaymentV1 {
            debtor: stored_party(&payment.debtor),
            creditor: stored_party(&payment.creditor),
            money: payment.money,
            up_to: payment.allow_partial,
        }),
        Kind::Hold(hold) => ActionV1::Hold(HoldV1 {
            debtor: stored_party(&hold.debtor),
            creditor: stored_party(&hold.creditor),
            money: hold.money,
            up_to: hold.allow_partial,
            expires_at: hold.expires_at,
        }),
        Kind::Capture(capture) => ActionV1::Capture(CaptureV1 {
            hold_id: capture.hold_id,
            amount: capture.amount,
            keep_rest: capture.keep_rest,
        }),
        Kind::Release(release) => ActionV1::Release(ReleaseV1 { hold_id: release.hold_id }),
        Kind::Reversal(reverse) => ActionV1::Reverse(ReverseV1 {
            original_id: reverse.original_id,
            amount: reverse.amount,
        }),
        Kind::MultiLeg(all) => {
            ActionV1::Legs(LegsV1 { legs: all.legs.iter().map(stored_leg).collect() })
        }
        Kind::Exchange(exchange) => ActionV1::Exchange(ExchangeV1 {
            debtor: stored_party(&exchange.debtor),
            creditor: stored_party(&exchange.creditor),
            sell: exchange.sell,
            buy: exchange.buy,
            rate: exchange.rate,
            rounding: match exchange.rounding {
                Rounding::HalfEven => RoundingV1::HalfEven,
                Rounding::HalfUp => RoundingV1::HalfUp,
                Rounding::Down => RoundingV1::Down,
            },
        }),
    }
}

pub(super) fn read_kind(action: ActionV1<'_>) -> Kind {
    match action {
        ActionV1::Transfer(payment) => Kind::Transfer(Transfer {
            debtor: read_party(payment.debtor),
            creditor: read_party(payment.creditor),
            money: payment.money,
            allow_partial: payment.up_to,
        }),
        ActionV1::Hold(hold) => Kind::Hold(PlaceHold {
            debtor: read_party(hold.debtor),
            creditor: read_party(hold.creditor),
            money: hold.money,
            allow_partial: hold.up_to,
            expires_at: hold.expires_at,
        }),
        ActionV1::Capture(capture) => Kind::Capture(Capture {
            hold_id: capture.hold_id,
            amount: capture.amount,
            keep_rest: capture.keep_rest,
        }),
        ActionV1::Release(release) => Kind::Release(Release { hold_id: release.hold_id }),
        ActionV1::Reverse(reverse) => {
            Kind::Reversal(Reversal { original_id: reverse.original_id, amount: reverse.amount })
        }
        ActionV1::Legs(all) => {
            Kind::MultiLeg(MultiLeg { legs: all.legs.into_iter().map(read_leg).collect() })
        }
        ActionV1::Exchange(exchange) => Kind::Exchange(Exchange {
            debtor: read_party(exchange.debtor),
            creditor: read_party(exchange.creditor),
            sell: exchange.sell,
            buy: exchange.buy,
            rate: exchange.rate,
            rounding: match exchange.rounding {
                RoundingV1::HalfEven => Rounding::HalfEven,
                RoundingV1::HalfUp => Rounding::HalfUp,
                RoundingV1::Down => Rounding::Down,
            },
        }),
    }
}

fn stored_leg(leg: &Leg) -> LegV1<'_> {
    LegV1 {
        account: stored_party(&leg.account),
        direction: stored_direction(leg.direction),
        money: leg.money,
    }
}

fn read_leg(leg: LegV1<'_>) -> Leg {
    Leg {
        account: read_party(leg.account),
        direction: read_direction(leg.direction),
        money: leg.money,
    }
}

fn stored_party(party: &Party) -> PartyV1<'_> {
    match party {
        Party::AccountId(id) => PartyV1::AccountId(*id),
        Party::Code(code) => PartyV1::Code(Cow::Borrowed(&code.0)),
    }
}

fn read_party(party: PartyV1<'_>) -> Party {
    match party {
        PartyV1::AccountId(id) => Party::AccountId(id),
        PartyV1::Code(code) => Party::Code(AccountCode(code.into_owned())),
    }
}

pub(super) const fn stored_direction(direction: Direction) -> DirectionV1 {
    match direction {
        Direction::Debit => DirectionV1::Debit,
        Direction::Credit => DirectionV1::Credit,
    }
}

pub(super) const fn read_direction(direction: DirectionV1) -> Direction {
    match direction {
        DirectionV1::Debit => Direction::Debit,
        DirectionV1::Credit => Direction::Credit,
    }
}
