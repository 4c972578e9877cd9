//! What an entry is, in the codes of ISO 20022 (external code set "Bank Transaction Code").

use shared_events::ledger::{AccountCode, Direction, Party, StatementEntry};

/// Domain, family and sub-family.
pub(super) type Code = [&'static str; 3];

/// No sub-family says more.
const NOT_AVAILABLE: &str = "NTAV";

/// The code of an entry. A reversal has that of what it reverses, which went the other way.
pub(super) fn transaction_code(entry: &StatementEntry) -> Code {
    let is_credit = (entry.direction == Direction::Credit) != entry.reverses.is_some();
    let either = |credit, debit| if is_credit { credit } else { debit };
    // Account management, miscellaneous; payments, credit transfers.
    let miscellaneous = either("MCOP", "MDOP");
    let transfers = either("RCDT", "ICDT");
    let Party::Code(AccountCode(code)) = &entry.counterparty else {
        return ["PMNT", transfers, "BOOK"];
    };
    match code.as_str() {
        "interest_paid" | "interest_received" | "penalty_interest" => {
            ["ACMT", miscellaneous, "INTR"]
        }
        "fees" => ["ACMT", miscellaneous, "FEES"],
        "cash" => ["PMNT", "CNTR", either("CDPT", "CWDL")],
        "cards" => ["PMNT", "CCRD", either("RIMB", "POSD")],
        "fx_position" | "fx_rounding" => ["FORX", "SPOT", NOT_AVAILABLE],
        settlement if settlement.starts_with("settlement:") => ["PMNT", transfers, NOT_AVAILABLE],
        _ => ["PMNT", transfers, "BOOK"],
    }
}

/// What people call one of the bank's own accounts.
pub(super) fn name_of(code: &AccountCode) -> String {
    match code.0.strip_prefix("settlement:") {
        Some(bank) => format!("Settlement with {bank}"),
        None => {
            let words = code.0.replace('_', " ");
            let mut letters = words.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    }
}
