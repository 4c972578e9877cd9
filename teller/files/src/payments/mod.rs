//! A file of payments. Promise: every row is checked for itself; a bad row is named by line, field
//! and rule, and stops no other. The same payments sent again with the same id are posted once,
//! through any change of the file in the meantime: other line ends, another order, rows added or
//! deleted.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use shared_events::{
    MessageId, Money, TransferId,
    ledger::{Party, Transfer},
};
use uuid::Uuid;

use crate::{
    cells::{cell_date, cell_money},
    results::{Rejection, Results},
    table::{Cells, Columns, Row, Table, table},
};

mod before;
mod ids;

use before::keep_what_was_paid;
use ids::Ids;
use teller_client::{
    AT_ONCE, Teller, TellerError,
    in_order::batches,
    input::{self, InvalidInput, PartyName},
};

/// The columns, in any order; the last three may be missing.
pub const COLUMNS: Columns = Columns {
    known: &[
        "debtor",
        "creditor",
        "amount",
        "currency",
        "reference",
        "end_to_end_id",
        "booking_date",
    ],
    required: 4,
};

/// The id under which a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileId {
    /// Made just now: nothing was sent under it before.
    New(MessageId),
    /// Something may have been sent under it before.
    Given(MessageId),
}

impl FileId {
    /// The id itself.
    #[must_use]
    pub const fn message_id(self) -> MessageId {
        match self {
            Self::New(id) | Self::Given(id) => id,
        }
    }
}

/// A payment as a row asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The row's line in the file, from 1, as an editor counts them.
    pub line: usize,
    /// The debtor.
    pub debtor: PartyName,
    /// The creditor.
    pub creditor: PartyName,
    /// How much.
    pub money: Money,
    /// The remittance information.
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    pub end_to_end_id: Option<String>,
    /// The day to book it on.
    pub booking_date: Option<NaiveDate>,
}

/// A row that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadPayment {
    /// Its line in the file, from 1, as an editor counts them.
    pub line: usize,
    /// The column, or `line` where the line as a whole is wrong.
    pub field: String,
    /// The rule that it breaks.
    pub rule: String,
}

/// A file of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFile {
    /// The encoding of its text, such as `UTF-8`.
    pub encoding: &'static str,
    /// The rows that can be sent, in their order.
    pub payments: Vec<Payment>,
    /// The rows that cannot.
    pub bad_rows: Vec<BadPayment>,
}

/// The outcome of a file of payments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paid {
    /// The id under which the file may be sent again.
    pub id: MessageId,
    /// The encoding of the file's text, such as `UTF-8`.
    pub encoding: &'static str,
    /// How many rows the file has.
    pub rows: usize,
    /// How many are posted, now or by an earlier run.
    pub posted: usize,
    /// How many are rejected, now or by an earlier run.
    pub rejected: usize,
    /// How many were rejected for which reason.
    pub rejected_by_reason: BTreeMap<String, usize>,
    /// The rejected rows.
    pub rejections: Vec<Rejection>,
    /// The rows that were not sent, and why.
    pub bad_rows: Vec<BadPayment>,
}

/// Reads a file, in the encoding of this name or else in the one that it shows. Fails where the
/// file as a whole is wrong; bad rows are listed.
pub fn parse(file: &[u8], encoding: Option<&str>) -> Result<PaymentFile, InvalidInput> {
    let Table { encoding, rows, .. } = table(file, encoding, COLUMNS)?;
    let (mut payments, mut bad_rows) = (Vec::new(), Vec::new());
    for Row { line, cells } in rows {
        match cells.and_then(|cells| payment(line, &cells)) {
            Ok(payment) => payments.push(payment),
            Err(InvalidInput { field, rule }) => bad_rows.push(BadPayment { line, field, rule }),
        }
    }
    Ok(PaymentFile { encoding, payments, bad_rows })
}

fn payment(line: usize, cells: &Cells) -> Result<Payment, InvalidInput> {
    Ok(Payment {
        line,
        debtor: input::party("debtor", cells.get("debtor"))?,
        creditor: input::party("creditor", cells.get("creditor"))?,
        money: cell_money(cells.get("amount"), cells.get("currency"))?,
        reference: input::checked(cells.given("reference"), input::reference)?,
        end_to_end_id: input::checked(cells.given("end_to_end_id"), input::end_to_end_id)?,
        booking_date: cells
            .given("booking_date")
            .map(|text| cell_date("booking_date", text))
            .transpose()?,
    })
}

/// Sends a file of payments under an id, in the order of its rows, up to `batch` of them in one
/// command. `each` is called after each command with the number of rows that have an outcome, and
/// of all.
///
/// Refused as a whole where a row that was paid under this id has been changed since.
pub async fn pay(
    bank: &Teller,
    id: FileId,
    file: PaymentFile,
    batch: usize,
    mut each: impl FnMut(usize, usize),
) -> Result<Paid, TellerError> {
    let PaymentFile { encoding, payments, mut bad_rows } = file;
    let rows = payments.len() + bad_rows.len();
    let parties = resolve_all(bank, &payments).await?;
    let mut transfers = Vec::with_capacity(payments.len());
    let mut ids = Ids::under(id.message_id());
    for payment in payments {
        let line = payment.line;
        match resolved(payment, &parties) {
            Ok(transfer) => transfers.push((ids.give(transfer), line)),
            Err(InvalidInput { field, rule }) => {
                bad_rows.push(BadPayment { line, field, rule });
            }
        }
    }
    bad_rows.sort_by_key(|bad| bad.line);
    if let FileId::Given(id) = id {
        keep_what_was_paid(bank, id, &mut transfers).await?;
    }
    let id = id.message_id();
    let ids: HashSet<TransferId> =
        transfers.iter().map(|(transfer, _)| transfer.transfer_id).collect();
    // With one id for two rows, one would be paid and both be reported as paid.
    assert_eq!(ids.len(), transfers.len(), "each row has an id of its own");
    let mut results =
        Results::of(transfers.iter().map(|(transfer, line)| (transfer.transfer_id, *line)));
    let total = transfers.len();
    let transfers = transfers.into_iter().map(|(transfer, _)| transfer).collect();
    bank.submit_in_order(&format!("pay:{id}"), batches(id.0, transfers, batch), |outcomes| {
        results.take(outcomes);
        each(results.count(), total);
    })
    .await?;
    Ok(Paid {
        id,
        encoding,
        rows,
        posted: results.posted,
        rejected: results.rejections.len(),
        rejected_by_reason: results.by_reason(),
        rejections: results.rejections,
        bad_rows,
    })
}

/// The party behind each name in the file, or the rule that the name breaks.
async fn resolve_all(
    bank: &Teller,
    payments: &[Payment],
) -> Result<HashMap<String, Result<Party, String>>, TellerError> {
    let names = payments.iter().flat_map(|payment| [&payment.debtor, &payment.creditor]);
    let names: HashMap<String, PartyName> =
        names.map(|name| (name.to_string(), name.clone())).collect();
    let mut asked = stream::iter(names)
        .map(async |(text, name)| (bank.resolve(&name).await, text))
        .buffer_unordered(AT_ONCE);
    let mut parties = HashMap::new();
    while let Some((party, text)) = asked.next().await {
        let party = match party {
            Ok(party) => Ok(party),
            Err(TellerError::Refused(refusal)) => Err(refusal.message),
            Err(error) => return Err(error),
        };
        parties.insert(text, party);
    }
    Ok(parties)
}

/// The transfer that a payment asks for, without an id.
fn resolved(
    payment: Payment,
    parties: &HashMap<String, Result<Party, String>>,
) -> Result<Transfer, InvalidInput> {
    let party = |field: &str, name: &PartyName| match parties.get(&name.to_string()) {
        Some(Ok(party)) => Ok(party.clone()),
        Some(Err(rule)) => Err(InvalidInput::new(field, rule)),
        None => Err(InvalidInput::new(field, "was not looked up")),
    };
    Ok(Transfer {
        transfer_id: TransferId(Uuid::nil()),
        debtor: party("debtor", &payment.debtor)?,
        creditor: party("creditor", &payment.creditor)?,
        money: payment.money,
        reference: payment.reference,
        end_to_end_id: payment.end_to_end_id,
        booking_date: payment.booking_date,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad_rows(file: &str) -> Vec<String> {
        let file = parse(file.as_bytes(), None).expect("the header is right");
        let line = |bad: &BadPayment| format!("{}: {}: {}", bad.line, bad.field, bad.rule);
        file.bad_rows.iter().map(line).collect()
    }

    #[test]
    fn rows_are_read_by_the_names_of_the_columns() {
        let file = "amount, currency,creditor,debtor,booking_date\n\
                    12.50, EUR ,ref:7,code:cash,2026-11-22\n\
                    1,EUR,ref:8,code:cash,\n";
        let file = parse(file.as_bytes(), None).expect("the header is right");
        assert_eq!(file.bad_rows, []);
        let [first, second] = file.payments.as_slice() else {
            panic!("two rows: {file:?}");
        };
        assert_eq!((first.line, second.line), (2, 3));
        assert_eq!(first.money.to_string(), "12.50 EUR");
        assert_eq!(first.creditor.to_string(), "ref:7");
        assert_eq!(first.booking_date.map(|day| day.to_string()).as_deref(), Some("2026-11-22"));
        assert_eq!((second.booking_date, second.reference.as_ref()), (None, None));
    }

    #[test]
    fn a_bad_row_is_named_by_line_field_and_rule() {
        let file = "debtor,creditor,amount,currency,reference\n\
                    code:cash,ref:7,1,EUR,ok\n\
                    code:gold,ref:7,1,EUR,\n\
                    code:cash,,1,EUR,\n\
                    code:cash,ref:7,1.005,EUR,\n\
                    code:cash,ref:7,1,EUX,\n\
                    code:cash,ref:7,1,EUR\n";
        let bad = bad_rows(file);
        assert!(bad[0].starts_with("3: debtor: the bank's own accounts are cash"), "{}", bad[0]);
        assert_eq!(
            bad[1..],
            [
                "4: creditor: must have 1 to 64 characters",
                "5: amount: more digits than EUR has (2); if these are thousands, write 1005",
                "6: currency: not an ISO 4217 currency code such as EUR",
                "7: line: has 4 fields, not 5",
            ]
        );
    }

    #[test]
    fn a_wrong_header_is_a_wrong_file() {
        for (file, message) in [
            ("", "header: lacks column debtor"),
            ("debtor,creditor,amount\n", "header: lacks column currency"),
            ("debtor,debtor\n", "header: names column debtor twice"),
        ] {
            assert_eq!(parse(file.as_bytes(), None).expect_err(file).to_string(), message);
        }
        let error = parse(b"debtor,creditor,amount,currency,refrence", None).expect_err("a typo");
        assert!(error.to_string().starts_with(r#"header: has column "refrence"; known are"#));
    }

    #[test]
    fn what_spreadsheets_save_is_read_as_what_it_means() {
        let file = "sep=;\r\nDebtor;Creditor;Amount;Currency;Reference;;\r\n\
                    code:cash;CZ63\u{a0}0880 0000 0010 0000 0208;2\u{a0}345,60;eur;mzda;;\r\n\
                    ;;;;;;\r\n\
                    code:cash;IBAN cz63-0880-0000-0010-0000-0208;1.234;EUR;;;\r\n\
                    code:cash;CZ63 0880 0000 0010 0000 0209;1;EUR;;;\r\n";
        let read = parse(file.as_bytes(), None).expect("the header is right");
        let [payment] = read.payments.as_slice() else { panic!("one row is good: {read:?}") };
        assert_eq!(payment.line, 3);
        assert_eq!(payment.creditor.to_string(), "CZ6308800000001000000208");
        assert_eq!(payment.money.to_string(), "2345.60 EUR");
        assert_eq!(
            bad_rows(file),
            [
                "5: amount: more digits than EUR has (2); if these are thousands, write 1234",
                "6: creditor: not an IBAN: its check digits are wrong, so some character of it is",
            ]
        );
    }

    #[test]
    fn a_bad_row_is_named_by_the_line_that_an_editor_shows() {
        for end in ["\n", "\r\n", "\r"] {
            let rows =
                ["debtor,creditor,amount,currency", "code:cash,a,1,EUR", "", "code:cash,a,1o,EUR"];
            let rule = "4: amount: not a decimal number such as 12.50";
            assert_eq!(bad_rows(&rows.join(end)), [rule], "{end:?}");
        }
    }
}
