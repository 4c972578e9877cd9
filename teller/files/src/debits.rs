//! The debits of an account, by its entries.

use chrono::NaiveDate;
use shared_events::{
    Currency,
    ledger::{Direction, FindEntries, Party, StatementEntry},
};
use teller_client::{Teller, TellerError};

/// The debits of this account in this currency with a booking date from this day on. There are none
/// of an account that the ledger does not know, or of another currency.
pub(crate) async fn debits(
    bank: &Teller,
    account: Party,
    currency: Currency,
    from: Option<NaiveDate>,
) -> Result<Vec<StatementEntry>, TellerError> {
    let query = FindEntries {
        currency: matches!(account, Party::Code(_)).then_some(currency),
        account,
        reference: None,
        end_to_end_id: None,
        counterparty: None,
        direction: Some(Direction::Debit),
        amount_min: None,
        amount_max: None,
        from,
        to: None,
        after: None,
        limit: None,
    };
    match bank.find_entries(query, usize::MAX).await {
        Ok(found) if found.currency == currency => Ok(found.entries),
        Ok(_) => Ok(vec![]),
        Err(TellerError::Refused(refusal)) if refusal.code == "not_found" => Ok(vec![]),
        Err(error) => Err(error),
    }
}
