//! The ids of a file's payments. Promise: an id follows from the payment, and not from its notation
//! in the file, so the same payment has the same id in every copy of the file.

use std::collections::HashMap;

use shared_events::{MessageId, TransferId, ledger::Transfer};
use uuid::Uuid;

/// The version of the rule for ids. A new rule needs a new name, and a search for payments under
/// ids of this rule.
const RULE: &str = "payment:1";

/// Gives ids to the payments of one file.
pub(super) struct Ids {
    id: MessageId,
    equals: HashMap<String, usize>,
}

impl Ids {
    /// For a file that is sent under `id`.
    pub(super) fn under(id: MessageId) -> Self {
        Self { id, equals: HashMap::new() }
    }

    /// The transfer with its id. Of equal ones each has an id of its own: two equal rows are two
    /// payments.
    pub(super) fn give(&mut self, transfer: Transfer) -> Transfer {
        let content = content(&transfer);
        let occurrence = self.equals.entry(content.clone()).or_default();
        *occurrence += 1;
        Transfer { transfer_id: transfer_id(self.id, &content, *occurrence), ..transfer }
    }
}

/// The fields by which two payments differ: debtor, creditor, amount, reference and date. Accounts
/// stand by their ids, under any name that the row gives them.
pub(super) fn content(transfer: &Transfer) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        transfer.debtor.to_string(),
        transfer.creditor.to_string(),
        transfer.money.amount.to_string(),
        transfer.money.currency.to_string(),
        text(&transfer.reference),
        text(&transfer.end_to_end_id),
        transfer.booking_date.map(|day| day.to_string()).unwrap_or_default(),
    ];
    serde_json::to_string(&fields).expect("texts are plain JSON")
}

/// The id of the payment that is the n-th with this content, from 1.
pub(super) fn transfer_id(id: MessageId, content: &str, occurrence: usize) -> TransferId {
    TransferId(Uuid::new_v5(&id.0, format!("{RULE}:{occurrence}:{content}").as_bytes()))
}

/// The id that earlier versions gave to the payment on this line of a file.
pub(super) fn id_by_line(id: MessageId, line: usize) -> TransferId {
    TransferId(Uuid::new_v5(&id.0, format!("line:{line}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_events::ledger::{AccountCode, Party};
    use teller_client::input;

    fn transfer(amount: &str, reference: &str) -> Transfer {
        let code = |code: &str| Party::Code(AccountCode(code.to_owned()));
        let money = input::money(amount, "EUR").expect("money");
        let bare =
            teller_client::transfer(MessageId(Uuid::nil()), code("cash"), code("fees"), money);
        let reference = Some(reference.to_owned()).filter(|text| !text.is_empty());
        Transfer { reference, ..bare }
    }

    fn ids(id: u128, transfers: &[Transfer]) -> Vec<TransferId> {
        let mut ids = Ids::under(MessageId(Uuid::from_u128(id)));
        transfers.iter().map(|transfer| ids.give(transfer.clone()).transfer_id).collect()
    }

    #[test]
    fn the_same_payments_have_the_same_ids_in_any_order() {
        let (one, two) = (transfer("10", "a"), transfer("10", "b"));
        let there = ids(1, &[one.clone(), two.clone()]);
        let mut back = ids(1, &[two.clone(), one.clone()]);
        back.reverse();
        assert_eq!(there, back);
        assert_eq!(ids(1, &[two]), there[1..]);
        assert_ne!(ids(2, std::slice::from_ref(&one)), there[..1]);
        assert_eq!(ids(1, &[transfer("10.00", "a")]), there[..1]);
        assert_ne!(ids(1, &[transfer("10.01", "a")]), there[..1]);
    }

    #[test]
    fn equal_payments_have_ids_of_their_own() {
        let one = transfer("10", "a");
        let three = ids(1, &[one.clone(), one.clone(), one.clone()]);
        assert!(three[0] != three[1] && three[1] != three[2] && three[0] != three[2]);
        assert_eq!(ids(1, &[one.clone(), one]), three[..2]);
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let first = Transfer { end_to_end_id: Some("b".to_owned()), ..transfer("1", "a") };
        let second = Transfer { end_to_end_id: Some("".to_owned()), ..transfer("1", "a\",\"b") };
        assert_ne!(content(&first), content(&second));
    }

    /// A file that was sent by an earlier version must find its payments: this never changes.
    #[test]
    fn the_rule_is_frozen() {
        let id = ids(1, &[transfer("12.5", "rent")])[0];
        assert_eq!(id.to_string(), "087d2bcc-445e-58d3-9d72-0f71f54ba143");
        let id = id_by_line(MessageId(Uuid::from_u128(1)), 2);
        assert_eq!(id.to_string(), "dc402998-63b2-5d2d-9c6b-67f67ebe7e30");
    }
}
