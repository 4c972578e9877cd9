//! Instructions of a message become instructions of the ledger.

use shared_events::ledger as contract;

use crate::{
    posting::{
        Capture, Exchange, Instruction, Kind, Leg, MultiLeg, PlaceHold, Release, Reversal, Transfer,
    },
    wire::values::{party, rounding},
};

/// The instructions of a list of transfers.
#[must_use]
pub fn transfers(command: &contract::SubmitTransfers) -> Vec<Instruction> {
    command.transfers.iter().map(transfer).collect()
}

fn transfer(transfer: &contract::Transfer) -> Instruction {
    Instruction {
        transfer_id: transfer.transfer_id,
        group: None,
        kind: Kind::Transfer(Transfer {
            debtor: party(&transfer.debtor),
            creditor: party(&transfer.creditor),
            money: transfer.money,
            allow_partial: false,
        }),
        reference: transfer.reference.clone(),
        end_to_end_id: transfer.end_to_end_id.clone(),
        booking_date: transfer.booking_date,
        value_date: None,
    }
}

/// The instruction of a message.
#[must_use]
pub fn instruction(instruction: &contract::Instruction) -> Instruction {
    Instruction {
        transfer_id: instruction.transfer_id,
        group: instruction.group,
        kind: kind(&instruction.action),
        reference: instruction.reference.clone(),
        end_to_end_id: instruction.end_to_end_id.clone(),
        booking_date: instruction.booking_date,
        value_date: instruction.value_date,
    }
}

fn kind(action: &contract::Action) -> Kind {
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
