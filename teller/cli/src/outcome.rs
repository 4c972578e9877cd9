//! The outcome of an instruction, for people.

use shared_events::{
    Currency, TransferId,
    ledger::{
        AccountAfter, Direction, HoldAfter, InstructionOutcome, Posted, PostedLeg, Rejected,
        Released,
    },
};
use teller_client::{Decided, Refusal};

use crate::output::{Column, Text, card, digits, or_empty, table};

/// One word for it: `posted`, `held`, `released`, or why it was rejected.
pub(crate) fn word(outcome: &InstructionOutcome) -> &str {
    match outcome {
        InstructionOutcome::Posted(_) => "posted",
        InstructionOutcome::Held(_) => "held",
        InstructionOutcome::Released(_) => "released",
        InstructionOutcome::Rejected(rejected) => rejected.reason.as_str(),
    }
}

/// The whole outcome, with the balances afterwards.
pub(crate) fn describe(decided: &Decided) -> Text {
    let id = decided.transfer_id;
    match &decided.outcome {
        InstructionOutcome::Posted(outcome) => posted(id, outcome),
        InstructionOutcome::Held(held) => card(&[
            ("held", id.to_string()),
            ("amount", held.money.to_string()),
            ("debtor", side(&held.debtor, held.money.currency)),
            ("creditor", side(&held.creditor, held.money.currency)),
            ("expires at", held.expires_at.to_rfc3339()),
        ]),
        InstructionOutcome::Released(outcome) => released(id, outcome),
        InstructionOutcome::Rejected(rejected) => {
            card(&[("rejected", id.to_string()), ("reason", rejected.reason.as_str().to_owned())])
        }
    }
}

fn posted(id: TransferId, posted: &Posted) -> Text {
    let currency = posted.legs.last().map(|leg| leg.money.currency);
    let of_hold = |amount: fn(&HoldAfter) -> shared_events::Amount| match (&posted.hold, currency) {
        (Some(hold), Some(currency)) => digits(amount(hold), currency),
        _ => String::new(),
    };
    let head = card(&[
        ("posted", id.to_string()),
        ("reverses", or_empty(posted.reverses.as_ref())),
        ("hold", or_empty(posted.hold.as_ref().map(|hold| hold.hold_id).as_ref())),
        ("still held", of_hold(|hold| hold.remaining)),
        ("released", of_hold(|hold| hold.released)),
    ]);
    let columns = [
        Column::Left("account"),
        Column::Right("debit"),
        Column::Right("credit"),
        Column::Left("currency"),
        Column::Right("balance"),
        Column::Right("available"),
    ];
    head.then(&table(&columns, posted.legs.iter().map(leg)))
}

fn leg(leg: &PostedLeg) -> Vec<String> {
    let currency = leg.money.currency;
    let amount = digits(leg.money.amount, currency);
    let (debit, credit) = match leg.direction {
        Direction::Debit => (amount, String::new()),
        Direction::Credit => (String::new(), amount),
    };
    let available = leg.account.available.map(|leg| digits(leg, currency)).unwrap_or_default();
    let balance = digits(leg.account.balance, currency);
    vec![name(&leg.account), debit, credit, currency.to_string(), balance, available]
}

fn released(id: TransferId, released: &Released) -> Text {
    card(&[
        (released.cause.as_str(), id.to_string()),
        ("hold", released.hold_id.to_string()),
        ("amount", released.money.to_string()),
        ("debtor", side(&released.debtor, released.money.currency)),
        ("creditor", side(&released.creditor, released.money.currency)),
    ])
}

/// A rejection as a refusal: the instruction, and the account that stands in the way.
pub(crate) fn refusal(id: TransferId, rejected: &Rejected) -> Refusal {
    let account = rejected.account.as_ref().map(|account| {
        let available =
            account.available.map(|account| format!(", available {account}")).unwrap_or_default();
        format!(", account {} has balance {}{available}", name(account), account.balance)
    });
    Refusal::new(&rejected.reason, format!("{id}{}", account.unwrap_or_default()))
}

fn name(account: &AccountAfter) -> String {
    match &account.code {
        Some(code) => code.to_string(),
        None => account.account_id.to_string(),
    }
}

fn side(account: &AccountAfter, currency: Currency) -> String {
    let available =
        account.available.map(|available| format!(", available {}", digits(available, currency)));
    let balance = digits(account.balance, currency);
    format!("{}, balance {balance}{}", name(account), available.unwrap_or_default())
}
