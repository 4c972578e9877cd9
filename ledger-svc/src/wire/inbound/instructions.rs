//! Instructions of a message become instructions of the ledger.

use shared_events::ledger as contract;

use crate::{
    posting::{Instruction, Kind, Transfer},
    wire::{kinds::kind, values::party},
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
