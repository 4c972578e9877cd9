//! The document to the letter. Its text was checked against the schema of camt.053.001.08.

use shared_events::ledger::{AccountCode, Direction};

use super::*;

fn amount(text: &str) -> Amount {
    text.parse().expect("an amount")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn entry(version: i64, direction: Direction, counterparty: Party) -> StatementEntry {
    StatementEntry {
        version,
        transfer_id: "01a20297-921c-7e1e-86ef-802734b3179e".parse().expect("an id"),
        direction,
        amount: amount("1250.5"),
        balance_after: amount("-1250.5"),
        counterparty,
        reference: None,
        end_to_end_id: None,
        booking_date: day("2026-11-22"),
        value_date: None,
        posted_at: "2026-11-22T09:30:14Z".parse().expect("an instant"),
    }
}

/// A debit to a customer with all that can be said, and a credit from the bank with the least.
fn statement() -> (Party, StatementFound, HashMap<Party, Side>) {
    let ada: AccountId = "01a20297-501b-7814-a817-c4463ceaaf30".parse().expect("an id");
    let bob: AccountId = "01a20297-51b8-7ab1-8251-3f839dfb369b".parse().expect("an id");
    let (account, bob) = (Party::AccountId(ada), Party::AccountId(bob));
    let cash = Party::Code(AccountCode("cash".to_owned()));
    let mut debit = entry(3, Direction::Debit, bob.clone());
    debit.reference = Some("Rent <November> & more".to_owned());
    debit.end_to_end_id = Some("RENT-2026-11".to_owned());
    debit.value_date = Some(day("2026-11-20"));
    let side = |name: &str, iban: &str| Side {
        name: Some(name.to_owned()),
        account: AccountName::Iban(iban.to_owned()),
    };
    let own = Side { name: None, account: AccountName::Own("cash".to_owned()) };
    let found = StatementFound {
        account_id: ada,
        currency: "EUR".parse().expect("a currency"),
        entries: vec![debit, entry(4, Direction::Credit, cash.clone())],
        next: None,
        period: Some(StatementPeriod {
            opening_balance: amount("-7"),
            closing_balance: amount("-7"),
            debits: amount("1250.5"),
            credits: amount("1250.5"),
            debit_count: 1,
            credit_count: 1,
            until: 4,
        }),
    };
    let sides = HashMap::from([
        (account.clone(), side("Ada Lovelace", "CZ6508000000192000145399")),
        (bob, side("Bob", "CZ9455000000001011038930")),
        (cash, own),
    ]);
    (account, found, sides)
}

#[test]
fn a_statement_is_written_as_the_schema_says() {
    let (account, statement, sides) = statement();
    let document = xml::document(&Document {
        message_id: "01a20297-b8a6-7559-9134-290900d781c6".parse().expect("an id"),
        created_at: "2026-12-01T02:00:00Z".parse().expect("an instant"),
        days: (day("2026-11-01"), day("2026-11-30")),
        owner: &sides[&account],
        statement: &statement,
        period: statement.period.as_ref().expect("it was set"),
        sides: &sides,
    });
    assert_eq!(document, include_str!("../../tests/data/camt053.xml"));
}

#[test]
fn amounts_that_the_schema_does_not_take_are_refused() {
    let check = |text: &str| {
        let (_, mut statement, _) = statement();
        statement.entries[0].amount = amount(text);
        let period = statement.period.clone().expect("it was set");
        check_amounts(&statement, &period).is_ok()
    };
    for fits in ["0.01", "1000000000000000", "9999999999999999.99", "1.12345"] {
        assert!(check(fits), "{fits}");
    }
    for too_long in ["1.123456", "10000000000000000", "123456789012345.1234"] {
        assert!(!check(too_long), "{too_long}");
    }
}
