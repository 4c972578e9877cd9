//! A CSV file of payments. Promise: every row is checked for itself; a bad one is named by line,
//! field and rule, and stops no other. The same file sent again with the same id pays nothing
//! twice.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use csv::{ByteRecord, ReaderBuilder, Trim};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use shared_events::{
    MessageId, Money, TransferId,
    ledger::{Party, Transfer},
};
use uuid::Uuid;

use crate::{
    Teller, TellerError,
    bank::AT_ONCE,
    in_order::batches,
    input::{self, InvalidInput, PartyName},
    results::{Rejection, Results},
};

/// The columns, in any order. The header must name them; the last three may be missing.
pub const COLUMNS: [&str; 7] =
    ["debtor", "creditor", "amount", "currency", "reference", "end_to_end_id", "booking_date"];
const REQUIRED: usize = 4;

/// A payment as a row asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The row's line in the file, from 1; the header is line 1.
    pub line: usize,
    /// Who pays.
    pub debtor: PartyName,
    /// Who is paid.
    pub creditor: PartyName,
    /// How much.
    pub money: Money,
    /// What it is for.
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    pub end_to_end_id: Option<String>,
    /// The day to book it on.
    pub booking_date: Option<NaiveDate>,
}

/// A row that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadPayment {
    /// Its line in the file, from 1; the header is line 1.
    pub line: usize,
    /// The column, or `line` where the line as a whole is wrong.
    pub field: String,
    /// The rule that it breaks.
    pub rule: String,
}

/// A file of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFile {
    /// The rows that can be sent, in their order.
    pub payments: Vec<Payment>,
    /// The rows that cannot.
    pub bad_rows: Vec<BadPayment>,
}

/// What became of a file of payments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paid {
    /// The id under which the file may be sent again.
    pub id: MessageId,
    /// How many rows the file has.
    pub rows: usize,
    /// How many are posted, now or by an earlier run.
    pub posted: usize,
    /// How many are rejected, now or by an earlier run.
    pub rejected: usize,
    /// How many were rejected for which reason.
    pub rejected_by_reason: BTreeMap<&'static str, usize>,
    /// The rejected rows.
    pub rejections: Vec<Rejection>,
    /// The rows that were not sent, and why.
    pub bad_rows: Vec<BadPayment>,
}

/// Reads a file. Fails where its header is wrong; bad rows are listed.
pub fn parse(file: &[u8]) -> Result<PaymentFile, InvalidInput> {
    let mut reader =
        ReaderBuilder::new().flexible(true).trim(Trim::All).has_headers(false).from_reader(file);
    let mut records = reader.byte_records();
    let unreadable = |error: csv::Error| InvalidInput::new("header", error.to_string());
    let header = records.next().transpose().map_err(unreadable)?.unwrap_or_default();
    let columns = columns(&header)?;
    let (mut payments, mut bad_rows) = (Vec::new(), Vec::new());
    for record in records {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        match payment(line, &record, &columns) {
            Ok(payment) => payments.push(payment),
            Err(InvalidInput { field, rule }) => bad_rows.push(BadPayment { line, field, rule }),
        }
    }
    Ok(PaymentFile { payments, bad_rows })
}

/// The names of the columns as they stand in the file.
fn columns(header: &ByteRecord) -> Result<Vec<&'static str>, InvalidInput> {
    let wrong = |rule: String| InvalidInput::new("header", rule);
    let mut columns = Vec::new();
    for name in header {
        let name = String::from_utf8_lossy(name);
        match COLUMNS.into_iter().find(|column| *column == name) {
            Some(column) if columns.contains(&column) => {
                return Err(wrong(format!("names column {column} twice")));
            }
            Some(column) => columns.push(column),
            None => {
                let known = COLUMNS.join(", ");
                return Err(wrong(format!("has column {name:?}; known are {known}")));
            }
        }
    }
    match COLUMNS[..REQUIRED].iter().find(|column| !columns.contains(column)) {
        Some(missing) => Err(wrong(format!("lacks column {missing}"))),
        None => Ok(columns),
    }
}

fn payment(line: usize, record: &ByteRecord, columns: &[&str]) -> Result<Payment, InvalidInput> {
    if record.len() != columns.len() {
        let rule = format!("has {} fields, not {}", record.len(), columns.len());
        return Err(InvalidInput::new("line", rule));
    }
    let mut fields = HashMap::new();
    for (column, field) in columns.iter().zip(record) {
        let text =
            std::str::from_utf8(field).map_err(|_| InvalidInput::new(*column, "not UTF-8 text"))?;
        fields.insert(*column, text);
    }
    let field = |name: &str| fields.get(name).copied().unwrap_or_default();
    let given = |name: &str| Some(field(name)).filter(|text| !text.is_empty());
    Ok(Payment {
        line,
        debtor: input::party("debtor", field("debtor"))?,
        creditor: input::party("creditor", field("creditor"))?,
        money: input::money(field("amount"), field("currency"))?,
        reference: input::checked(given("reference"), input::reference)?,
        end_to_end_id: input::checked(given("end_to_end_id"), input::end_to_end_id)?,
        booking_date: given("booking_date")
            .map(|text| input::date("booking_date", text))
            .transpose()?,
    })
}

/// The id of the transfer on one line of a file that is sent under `id`.
#[must_use]
pub fn transfer_id(id: MessageId, line: usize) -> TransferId {
    TransferId(Uuid::new_v5(&id.0, format!("line:{line}").as_bytes()))
}

impl Teller {
    /// Sends a file of payments under `id`, in the order of its rows, up to `batch` of them in one
    /// command. `each` is told after each command how many rows have an outcome, and of how many.
    pub async fn pay(
        &self,
        id: MessageId,
        file: PaymentFile,
        batch: usize,
        mut each: impl FnMut(usize, usize),
    ) -> Result<Paid, TellerError> {
        let PaymentFile { payments, mut bad_rows } = file;
        let rows = payments.len() + bad_rows.len();
        let parties = self.resolve_all(&payments).await?;
        let mut transfers = Vec::with_capacity(payments.len());
        for payment in payments {
            let line = payment.line;
            match resolved(id, payment, &parties) {
                Ok(transfer) => transfers.push((transfer, line)),
                Err(InvalidInput { field, rule }) => {
                    bad_rows.push(BadPayment { line, field, rule });
                }
            }
        }
        bad_rows.sort_by_key(|bad| bad.line);
        let mut results = Results::of(transfers.iter().map(|(it, line)| (it.transfer_id, *line)));
        let total = transfers.len();
        let transfers = transfers.into_iter().map(|(transfer, _)| transfer).collect();
        self.submit_in_order(&format!("pay:{id}"), batches(id.0, transfers, batch), |outcomes| {
            results.take(outcomes);
            each(results.count(), total);
        })
        .await?;
        Ok(Paid {
            id,
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
        &self,
        payments: &[Payment],
    ) -> Result<HashMap<String, Result<Party, String>>, TellerError> {
        let names = payments.iter().flat_map(|payment| [&payment.debtor, &payment.creditor]);
        let names: HashMap<String, PartyName> =
            names.map(|name| (name.to_string(), name.clone())).collect();
        let mut asked = stream::iter(names)
            .map(async |(text, name)| (self.resolve(&name).await, text))
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
}

fn resolved(
    id: MessageId,
    payment: Payment,
    parties: &HashMap<String, Result<Party, String>>,
) -> Result<Transfer, InvalidInput> {
    let party = |field: &str, name: &PartyName| match parties.get(&name.to_string()) {
        Some(Ok(party)) => Ok(party.clone()),
        Some(Err(rule)) => Err(InvalidInput::new(field, rule)),
        None => Err(InvalidInput::new(field, "was not looked up")),
    };
    Ok(Transfer {
        transfer_id: transfer_id(id, payment.line),
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
        let file = parse(file.as_bytes()).expect("the header is right");
        let line = |it: &BadPayment| format!("{}: {}: {}", it.line, it.field, it.rule);
        file.bad_rows.iter().map(line).collect()
    }

    #[test]
    fn rows_are_read_by_the_names_of_the_columns() {
        let file = "amount, currency,creditor,debtor,booking_date\n\
                    12.50, EUR ,ref:7,code:cash,2026-11-22\n\
                    1,EUR,ref:8,code:cash,\n";
        let file = parse(file.as_bytes()).expect("the header is right");
        assert_eq!(file.bad_rows, []);
        let [first, second] = file.payments.as_slice() else {
            panic!("two rows: {file:?}");
        };
        assert_eq!((first.line, second.line), (2, 3));
        assert_eq!(first.money.to_string(), "12.50 EUR");
        assert_eq!(first.creditor.to_string(), "ref:7");
        assert_eq!(first.booking_date.map(|it| it.to_string()).as_deref(), Some("2026-11-22"));
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
                "5: amount: more digits than EUR has (2)",
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
            assert_eq!(parse(file.as_bytes()).expect_err(file).to_string(), message);
        }
        let error = parse(b"debtor,creditor,amount,currency,refrence").expect_err("a typo");
        assert!(error.to_string().starts_with(r#"header: has column "refrence"; known are"#));
    }

    #[test]
    fn a_line_sent_again_with_the_same_id_is_the_same_transfer() {
        let (id, other) = (MessageId(Uuid::from_u128(1)), MessageId(Uuid::from_u128(2)));
        assert_eq!(transfer_id(id, 2), transfer_id(id, 2));
        assert_ne!(transfer_id(id, 2), transfer_id(id, 3));
        assert_ne!(transfer_id(id, 2), transfer_id(other, 2));
    }
}
