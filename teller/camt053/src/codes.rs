//! The kind of an entry, in the codes of ISO 20022 (external code set "Bank Transaction Code").

use shared_events::{
    Currency,
    ledger::{AccountCode, Direction, Party, StatementEntry},
};

/// Domain, family and sub-family.
pub(super) type Code = [&'static str; 3];

/// No sub-family says more.
const NOT_AVAILABLE: &str = "NTAV";
/// Foreign exchange, spot.
const EXCHANGE: Code = ["FORX", "SPOT", NOT_AVAILABLE];

/// The code of an entry in this currency, whose other side holds that one, where it holds only one.
/// A reversal has the code of its original, in the other direction.
pub(super) fn transaction_code(
    entry: &StatementEntry,
    of: Currency,
    other: Option<Currency>,
) -> Code {
    let is_credit = (entry.direction == Direction::Credit) != entry.reverses.is_some();
    let either = |credit, debit| if is_credit { credit } else { debit };
    // Account management, miscellaneous; payments, credit transfers.
    let miscellaneous = either("MCOP", "MDOP");
    let transfers = either("RCDT", "ICDT");
    let Party::Code(AccountCode(code)) = &entry.counterparty else {
        return match other.is_some_and(|other| other != of) {
            // The ledger names the customer who sold, and not the bank's own account between.
            true => EXCHANGE,
            false => ["PMNT", transfers, "BOOK"],
        };
    };
    match code.as_str() {
        "interest_paid" | "interest_received" | "penalty_interest" => {
            ["ACMT", miscellaneous, "INTR"]
        }
        "fees" => ["ACMT", miscellaneous, "FEES"],
        "cash" => ["PMNT", "CNTR", either("CDPT", "CWDL")],
        "cards" => ["PMNT", "CCRD", either("RIMB", "POSD")],
        "fx_position" | "fx_rounding" => EXCHANGE,
        settlement if settlement.starts_with("settlement:") => ["PMNT", transfers, NOT_AVAILABLE],
        _ => ["PMNT", transfers, "BOOK"],
    }
}

/// The name of an internal account in plain words.
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

#[cfg(test)]
mod tests {
    use super::{super::tests::entry, *};

    /// The codes of ISO's code set (codification of 23 October 2017) that entries here may have.
    const LISTED: [&str; 13] = [
        "ACMT MCOP FEES", // account management, miscellaneous credit: fees
        "ACMT MCOP INTR", // interest
        "ACMT MDOP FEES", // account management, miscellaneous debit: fees
        "ACMT MDOP INTR", // interest
        "FORX SPOT NTAV", // foreign exchange, spot: not available
        "PMNT CCRD POSD", // payments, customer's card: point of sale
        "PMNT CCRD RIMB", // reimbursement
        "PMNT CNTR CDPT", // payments, counter: cash deposit
        "PMNT CNTR CWDL", // cash withdrawal
        "PMNT ICDT BOOK", // payments, issued credit transfer: internal book transfer
        "PMNT ICDT NTAV", // not available
        "PMNT RCDT BOOK", // payments, received credit transfer: internal book transfer
        "PMNT RCDT NTAV", // not available
    ];

    #[test]
    fn every_code_is_one_of_the_code_set() {
        let plain = AccountCode::PLAIN.map(|code| AccountCode(code.to_owned()));
        let own = plain.into_iter().chain([AccountCode::settlement("AB")]).map(Party::Code);
        let id = "01a20297-921c-7e1e-86ef-802734b3179e";
        let customer = Party::AccountId(id.parse().expect("an id"));
        let [euro, yen] = ["EUR", "JPY"].map(|code| code.parse().expect("a currency"));
        for counterparty in own.chain([customer]) {
            for direction in [Direction::Debit, Direction::Credit] {
                for (reverses, other) in [(None, None), (Some(id), Some(euro)), (None, Some(yen))] {
                    let reverses = reverses.map(|id| id.parse().expect("an id"));
                    let entry = entry(3, direction, counterparty.clone());
                    let entry = StatementEntry { reverses, ..entry };
                    let code = transaction_code(&entry, euro, other).join(" ");
                    assert!(LISTED.contains(&code.as_str()), "{code} of {counterparty}");
                }
            }
        }
    }
}
