//! Standing orders: order.asc. Promise: no order pays before the day that the clerk names, so the
//! imported books stay as they are; an order that is loaded again is set once.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use chrono::{Datelike, NaiveDate};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use shared_events::{
    MessageId, Money, OrderId,
    ledger::{AccountCode, HolidayRule, OrderTerms, Party, Repeat, Schedule, SetOrder},
};
use teller_client::{AT_ONCE, Teller, TellerError, input, input::InvalidInput};
use uuid::Uuid;

use super::{
    customers::{self, ACCOUNT_FILE, CLIENT_FILE, DISP_FILE, number, unique, unknown_code},
    lines::{BadRow, Line, split},
    plan::{NAMESPACE, account_id},
    read::file,
    transactions::{CURRENCY, settlement, words},
};

const ORDER_FILE: &str = "order.asc";
const COLUMNS: [&str; 6] =
    ["order_id", "account_id", "bank_to", "account_to", "amount", "k_symbol"];
/// The legacy bank's only kind of order.
const OPERATION: &str = "PREVOD NA UCET";
/// The export does not name the legacy bank's retries after insufficient funds: a week's banking
/// days.
const RETRY_DAYS: u32 = 5;

/// A standing order of the legacy bank: a remittance each month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyOrder {
    /// Its line in order.asc.
    pub line: usize,
    /// Its number there.
    pub number: u64,
    /// The number of the account that pays.
    pub account: u64,
    /// The bank's own account for settlement with the bank that is paid.
    pub creditor: AccountCode,
    /// How much.
    pub money: Money,
    /// The remittance information, in the legacy bank's words.
    pub reference: String,
}

/// The standing orders of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyOrders {
    /// The valid orders, in the order of the file.
    pub orders: Vec<LegacyOrder>,
    /// How many rows order.asc has, with the bad ones.
    pub rows_total: usize,
    /// The omitted rows, with their rules.
    pub bad_rows: Vec<BadRow>,
}

/// The result of loading the standing orders of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadedOrders {
    /// How many rows order.asc has.
    pub rows: usize,
    /// How many orders are set, now or by an earlier run.
    pub set: usize,
    /// How many the bank refused; the reasons are among the bad rows.
    pub refused: usize,
    /// The omitted rows, with their rules.
    pub bad_rows: Vec<BadRow>,
}

/// Reads the standing orders of an export. Fails where a file is missing or is another; bad rows
/// are listed.
pub fn read_orders(folder: &Path) -> Result<LegacyOrders, InvalidInput> {
    let account = file(folder, ACCOUNT_FILE)?;
    let (client, disp) = (file(folder, CLIENT_FILE)?, file(folder, DISP_FILE)?);
    // The import of the accounts lists their bad rows.
    let accounts = customers::accounts(&account, &client, &disp, &mut Vec::new())?;
    let accounts = accounts.iter().map(|account| account.number).collect();
    parse(&file(folder, ORDER_FILE)?, &accounts)
}

fn parse(file: &[u8], accounts: &HashSet<u64>) -> Result<LegacyOrders, InvalidInput> {
    let table = split(ORDER_FILE, file, &COLUMNS)?;
    let mut found =
        LegacyOrders { orders: Vec::new(), rows_total: table.total, bad_rows: table.bad };
    let mut seen = HashMap::new();
    for line in table.lines {
        let order = parse_order(&line, accounts).and_then(|order| {
            unique("order_id", order.number, line.number, &mut seen)?;
            Ok(order)
        });
        match order {
            Ok(order) => found.orders.push(order),
            Err(why) => found.bad_rows.push(BadRow::new(ORDER_FILE, line.number, why)),
        }
    }
    found.bad_rows.sort_by_key(|bad| bad.line);
    Ok(found)
}

fn parse_order(line: &Line, accounts: &HashSet<u64>) -> Result<LegacyOrder, InvalidInput> {
    let [order, account, bank, other, amount, symbol] = line.fields.as_slice() else {
        return Err(InvalidInput::new("line", "does not have the columns of the file"));
    };
    let symbol = symbol.trim();
    let account = number("account_id", account)?;
    if !accounts.contains(&account) {
        let rule = format!("there is no account {account} that can be opened");
        return Err(InvalidInput::new("account_id", rule));
    }
    if !matches!(symbol, "" | "SIPO" | "POJISTNE" | "UVER" | "LEASING") {
        return Err(unknown_code("k_symbol", symbol));
    }
    let creditor = settlement(bank).map_err(|error| InvalidInput::new("bank_to", error.rule))?;
    Ok(LegacyOrder {
        line: line.number,
        number: number("order_id", order)?,
        account,
        creditor,
        money: input::money(amount, CURRENCY)?,
        reference: input::reference(&words(OPERATION, symbol, bank, other))?,
    })
}

/// The command that sets an order: each month on the day of `first`, from then on.
fn command(order: &LegacyOrder, first: NaiveDate) -> (MessageId, SetOrder) {
    let repeat = Some(Repeat::Months { every: 1, day: first.day() });
    let terms = OrderTerms {
        creditor: Party::Code(order.creditor.clone()),
        money: order.money,
        up_to: false,
        reference: Some(order.reference.clone()),
        end_to_end_id: Some(order.number.to_string()),
        schedule: Schedule { first, repeat, last: None, times: None },
        on_holiday: HolidayRule::After,
        retry_days: RETRY_DAYS,
    };
    let name = format!("order:{}", order.number);
    let order_id = OrderId(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
    let command = SetOrder { account_id: account_id(order.account), order_id, terms };
    let content = serde_json::to_vec(&command).expect("a command is plain JSON");
    (MessageId(Uuid::new_v5(&NAMESPACE, &content)), command)
}

/// Sets the standing orders of an export whose accounts were imported: each month on the day
/// of `first`, from then on. `each` is called after each order with the number of done orders.
pub async fn load_orders(
    bank: &Teller,
    orders: LegacyOrders,
    first: NaiveDate,
    mut each: impl FnMut(usize),
) -> Result<LoadedOrders, TellerError> {
    let LegacyOrders { orders, rows_total, mut bad_rows } = orders;
    let mut done = stream::iter(orders)
        .map(async |order| {
            let (id, command) = command(&order, first);
            (order.line, bank.set_order(id, command).await)
        })
        .buffer_unordered(AT_ONCE)
        .enumerate();
    let (mut set, mut refused) = (0, 0);
    while let Some((count, (line, outcome))) = done.next().await {
        match outcome {
            Ok(_) => set += 1,
            Err(TellerError::Refused(refusal)) => {
                refused += 1;
                let why = InvalidInput::new("line", refusal.to_string());
                bad_rows.push(BadRow::new(ORDER_FILE, line, why));
            }
            Err(error) => return Err(error),
        }
        each(count + 1);
    }
    bad_rows.sort_by_key(|bad| bad.line);
    Ok(LoadedOrders { rows: rows_total, set, refused, bad_rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#""order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol""#;

    fn read(rows: &str) -> LegacyOrders {
        let file = format!("{HEADER}\r\n{rows}");
        parse(file.as_bytes(), &HashSet::from([2])).expect("the header is right")
    }

    #[test]
    fn an_order_becomes_a_monthly_remittance_under_the_same_ids() {
        let found = read("29402;2;\"ST\";\"89597016\";3372.70;\"UVER\"\r\n");
        let [order] = found.orders.as_slice() else { panic!("{found:?}") };
        let first = NaiveDate::from_ymd_opt(2027, 1, 15).expect("a day");
        let (id, set) = command(order, first);
        assert_eq!(command(order, first), (id, set.clone()));
        assert_eq!(set.account_id, account_id(2));
        assert_eq!(set.terms.creditor.to_string(), "settlement:ST");
        assert_eq!(set.terms.money.to_string(), "3372.70 CZK");
        let reference = set.terms.reference.as_deref();
        assert_eq!(reference, Some("UVER, PREVOD NA UCET, ST 89597016"));
        assert_eq!(set.terms.schedule.repeat, Some(Repeat::Months { every: 1, day: 15 }));
        // Another first day is another command for the same order.
        let (other, again) = command(order, first.succ_opt().expect("a day"));
        assert!(other != id && again.order_id == set.order_id);
    }

    #[test]
    fn a_bad_row_is_listed_with_its_rule_and_stops_no_other() {
        let found = read(concat!(
            "1;2;\"ST\";\"7\";1.00;\" \"\n",
            "2;3;\"ST\";\"7\";1.00;\" \"\n",
            "3;2;\"st\";\"7\";1.00;\" \"\n",
            "4;2;\"ST\";\"7\";0.00;\" \"\n",
            "5;2;\"ST\";\"7\";1.00;\"DAR\"\n",
            "1;2;\"ST\";\"7\";1.00;\"SIPO\"\n",
            "6;2;\"ST\"\n",
        ));
        assert_eq!((found.orders.len(), found.rows_total), (1, 7));
        let bad =
            found.bad_rows.iter().map(|bad| format!("{}: {}: {}", bad.line, bad.field, bad.rule));
        assert_eq!(
            bad.collect::<Vec<_>>(),
            [
                "3: account_id: there is no account 3 that can be opened",
                r#"4: bank_to: not the code of a bank (1 to 11 of A-Z and 0-9): "st""#,
                "5: amount: must be more than zero",
                r#"6: k_symbol: unknown code "DAR""#,
                "7: order_id: 1 stands on line 2 already",
                "8: line: has 3 fields, not 6",
            ]
        );
    }
}
