//! What became of an instruction, for people.

use shared_events::{
    Currency, TransferId,
    ledger::{
        AccountAfter, Direction, HoldAfter, InstructionOutcome, Posted, PostedLeg, Rejected,
        Released,
    },
};

use super::output::{Column, card, digits, or_empty, table};
use crate::{Decided, Refusal};

/// One word for it: `posted`, `held`, `released`, or why it was rejected.
pub(crate) fn word(outcome: &InstructionOutcome) -> &str {
    match outcome {
        InstructionOutcome::Posted(_) => "posted",
        InstructionOutcome::Held(_) => "held",
        InstructionOutcome::Released(_) => "released",
        InstructionOutcome::Rejected(rejected) => rejected.reason.as_str(),
    }
}

/// The whole of it, with what is on the accounts afterwards.
pub(crate) fn describe(decided: &Decided) -> String {
    let id = decided.transfer_id;
    match &decided.outcome {
        InstructionOutcome::Posted(it) => posted(id, it),
        InstructionOutcome::Held(it) => card(&[
            ("held", id.to_string()),
            ("amount", it.money.to_string()),
            ("debtor", side(&it.debtor, it.money.currency)),
            ("creditor", side(&it.creditor, it.money.currency)),
            ("expires at", it.expires_at.to_rfc3339()),
        ]),
        InstructionOutcome::Released(it) => released(id, it),
        InstructionOutcome::Rejected(it) => {
            card(&[("rejected", id.to_string()), ("reason", it.reason.as_str().to_owned())])
        }
    }
}

fn posted(id: TransferId, it: &Posted) -> String {
    let currency = it.legs.last().map(|leg| leg.money.currency);
    let of_hold = |amount: fn(&HoldAfter) -> shared_events::Amount| match (&it.hold, currency) {
        (Some(hold), Some(currency)) => digits(amount(hold), currency),
        _ => String::new(),
    };
    let head = card(&[
        ("posted", id.to_string()),
        ("reverses", or_empty(it.reverses.as_ref())),
        ("hold", or_empty(it.hold.as_ref().map(|hold| hold.hold_id).as_ref())),
        ("still held", of_hold(|hold| hold.remaining)),
        ("given back", of_hold(|hold| hold.released)),
    ]);
    let columns = [
        Column::Left("account"),
        Column::Right("debit"),
        Column::Right("credit"),
        Column::Left("currency"),
        Column::Right("balance"),
        Column::Right("available"),
    ];
    format!("{head}\n{}", table(&columns, it.legs.iter().map(leg)))
}

fn leg(it: &PostedLeg) -> Vec<String> {
    let currency = it.money.currency;
    let amount = digits(it.money.amount, currency);
    let (debit, credit) = match it.direction {
        Direction::Debit => (amount, String::new()),
        Direction::Credit => (String::new(), amount),
    };
    let available = it.account.available.map(|it| digits(it, currency)).unwrap_or_default();
    let balance = digits(it.account.balance, currency);
    vec![name(&it.account), debit, credit, currency.to_string(), balance, available]
}

fn released(id: TransferId, it: &Released) -> String {
    card(&[
        (it.cause.as_str(), id.to_string()),
        ("hold", it.hold_id.to_string()),
        ("amount", it.money.to_string()),
        ("debtor", side(&it.debtor, it.money.currency)),
        ("creditor", side(&it.creditor, it.money.currency)),
    ])
}

/// A rejection as a refusal: what was asked, and the account that stands in the way.
pub(crate) fn refusal(id: TransferId, rejected: &Rejected) -> Refusal {
    let account = rejected.account.as_ref().map(|it| {
        let available = it.available.map(|it| format!(", available {it}")).unwrap_or_default();
        format!(", account {} has balance {}{available}", name(it), it.balance)
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
    let available = account.available.map(|it| format!(", available {}", digits(it, currency)));
    let balance = digits(account.balance, currency);
    format!("{}, balance {balance}{}", name(account), available.unwrap_or_default())
}
