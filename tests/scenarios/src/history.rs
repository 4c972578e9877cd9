//! The past. Promise: a balance at an instant or by a date is the sum of the entries until then,
//! for accounts of any length; a statement leads from its opening to its closing balance; a search
//! finds the matching entries and no others.

use anyhow::{Context, Result, ensure};
use chrono::{Duration, NaiveDate, Utc};
use harness::{Bank, Fact, facts};
use serde_json::{Value, json};
use shared_events::{
    AccountId, Amount, Message, TransferId,
    ledger::{
        Action, AsOf, Direction, FindEntries, FindPayments, GetBalanceAt, GetStatement,
        Instruction, Party, Payment, PaymentName, SubmitInstructions, Transfer, TransfersPosted,
    },
    refusal::RefusalCode,
};

use super::{
    bank_client::{BankClient, amount, cash, customer, own, transfer},
    cli_runner::TellerCli,
    queries::refused,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_back_dated_transfer_moves_the_balance_by_value_date_and_not_by_instant,
        a_balance_as_of_any_day_is_the_sum_of_the_entries,
        a_statement_leads_from_the_opening_to_the_closing_balance,
        entries_are_found_by_what_is_known_of_them,
        payments_are_found_by_name_over_the_whole_bank,
        teller_shows_past_balances_and_statements,
    ]
}

fn day(text: &str) -> Result<NaiveDate> {
    Ok(text.parse()?)
}

async fn balance(client: &BankClient, account: AccountId, as_of: AsOf) -> Result<Amount> {
    let query = GetBalanceAt { account: customer(account), currency: None, as_of };
    Ok(client.query(query).await?.balance)
}

/// Pays cash into an account, with this value date.
async fn deposit(
    client: &BankClient,
    account: AccountId,
    units: &str,
    value: NaiveDate,
) -> Result<()> {
    let money = transfer(cash(), customer(account), units)?.money;
    let (debtor, creditor) = (cash(), customer(account));
    let instruction = Instruction {
        transfer_id: TransferId::new(),
        group: None,
        action: Action::Transfer(Payment { debtor, creditor, money, up_to: false }),
        reference: None,
        end_to_end_id: None,
        booking_date: None,
        value_date: Some(value),
    };
    let actual = client.request(SubmitInstructions { instructions: vec![instruction] }).await?;
    ensure!(actual.iter().all(|event| event.kind == TransfersPosted::TYPE));
    Ok(())
}

async fn a_back_dated_transfer_moves_the_balance_by_value_date_and_not_by_instant(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "10").await?;
    let before = client.query(statement_of(customer(alice))).await?.entries[0].posted_at;
    deposit(&client, alice, "5", day("2026-01-15")?).await?;
    deposit(&client, alice, "3", day("2190-01-15")?).await?;
    for (as_of, expected) in [
        (AsOf::Instant(before - Duration::microseconds(1)), 0),
        (AsOf::Instant(before), 10),
        (AsOf::Instant(Utc::now() + Duration::days(1)), 18),
        (AsOf::ValueDate(day("2026-01-14")?), 0),
        (AsOf::ValueDate(day("2026-01-15")?), 5),
        (AsOf::ValueDate(day("2190-01-14")?), 15),
        (AsOf::ValueDate(day("2190-01-15")?), 18),
        (AsOf::BookingDate(day("2026-01-15")?), 0),
        (AsOf::BookingDate(day("2190-01-14")?), 18),
    ] {
        let found = balance(&client, alice, as_of).await?;
        ensure!(found == amount(expected), "{as_of:?}: {found}, not {expected}");
    }
    let cash_account = GetBalanceAt {
        account: cash(),
        currency: "EUR".parse().ok(),
        as_of: AsOf::ValueDate(day("2026-01-15")?),
    };
    let found = client.query(cash_account.clone()).await?;
    ensure!(found.balance == amount(-5) && found.code.is_some(), "{found:?}");
    let no_currency = GetBalanceAt { currency: None, ..cash_account.clone() };
    refused(&client, no_currency, RefusalCode::InvalidField, Some("currency")).await?;
    let nobody = GetBalanceAt { account: customer(AccountId::new()), ..cash_account.clone() };
    refused(&client, nobody, RefusalCode::NotFound, None).await?;
    for (as_of, field) in [
        (AsOf::ValueDate(day("1899-12-31")?), "as_of.value_date"),
        (AsOf::BookingDate(day("2200-01-01")?), "as_of.booking_date"),
        (AsOf::Instant("2200-01-01T00:00:00Z".parse()?), "as_of.instant"),
    ] {
        let wrong = GetBalanceAt { as_of, ..cash_account.clone() };
        refused(&client, wrong, RefusalCode::InvalidField, Some(field)).await?;
    }
    Ok(())
}

/// Four accounts, 1,500 entries each, of all kinds: dated on the day of posting, back, ahead, both
/// dates apart, several at one instant, around midnight in both time zones, versions with gaps.
const RANDOM_ENTRIES: &str = "
    SELECT setseed(0.618);
    INSERT INTO entries (account_id, version, transfer_id, amount, balance_after, booking_date,
        value_date, posted_at)
    SELECT account, version, gen_random_uuid(), amount,
        sum(amount) OVER (PARTITION BY account ORDER BY version), booked,
        CASE WHEN random() < 0.7 THEN booked ELSE booked + (random() * 60)::int - 40 END, posted_at
    FROM (SELECT *, CASE WHEN random() < 0.6 THEN (posted_at AT TIME ZONE 'Europe/Prague')::date
            ELSE (posted_at AT TIME ZONE 'UTC')::date + (random() * 40)::int - 30 END AS booked
        FROM (SELECT ('00000000-0000-0000-0000-00000000000' || number)::uuid AS account,
                step * 3 + (random() * 2)::int AS version,
                (random() * 200)::numeric(12, 2) - 100.005 AS amount,
                '2026-01-01'::timestamptz + (step / 3) * interval '3 hours 7 minutes' AS posted_at
            FROM generate_series(1, 4) AS number, generate_series(1, 1500) AS step)
            AS posted) AS dated";

/// How many answers differ from the sum over all entries.
const WRONG_BALANCES: &str = "
    SELECT count(*) FROM
        (SELECT DISTINCT account_id FROM entries) AS accounts,
        generate_series(0, 150) AS days,
        LATERAL (SELECT '2025-12-15'::date + days AS day,
            '2025-12-31'::timestamptz + days * interval '12 hours 28 minutes' AS instant,
            CASE WHEN days % 2 = 0 THEN 9223372036854775807 ELSE 2000 + days * 10 END AS until)
            AS asked,
        LATERAL (SELECT
            coalesce(sum(amount) FILTER (WHERE value_date <= day), 0) AS by_value_date,
            coalesce(sum(amount) FILTER (WHERE booking_date <= day), 0) AS by_booking_date,
            coalesce(sum(amount) FILTER (WHERE posted_at < instant), 0) AS by_instant,
            coalesce(array_agg(version ORDER BY version)
                FILTER (WHERE booking_date BETWEEN day - 9 AND day), '{}') AS booked
            FROM entries WHERE account_id = accounts.account_id AND version <= until) AS summed
    WHERE by_value_date <> balance_by_value_date(account_id, day, until)
        OR by_booking_date <> balance_by_booking_date(account_id, day, until)
        OR by_instant <> balance_after(account_id, posted_before(account_id, instant, until))
        OR booked <> ARRAY(SELECT version FROM booked(account_id, day - 9, day,
            posted_before(account_id, (day - 9)::timestamp AT TIME ZONE 'UTC', until),
            posted_before(account_id, (day + 1)::timestamp AT TIME ZONE 'UTC', until),
            0, until, NULL) ORDER BY version)";

async fn a_balance_as_of_any_day_is_the_sum_of_the_entries(bank: Bank) -> Result<()> {
    bank.start("ledger").await?;
    bank.execute("ledger", RANDOM_ENTRIES).await?;
    let entries = bank.number("ledger", "SELECT count(*) FROM entries").await?;
    ensure!(entries == 6_000, "{entries} entries");
    let wrong = bank.number("ledger", WRONG_BALANCES).await?;
    ensure!(wrong == 0, "{wrong} of 604 answers differ from the sums");
    let indexed = "SELECT count(*) FROM entries
        WHERE value_date <> (posted_at AT TIME ZONE 'UTC')::date";
    let indexed = bank.number("ledger", indexed).await?;
    ensure!((2_000..5_000).contains(&indexed), "{indexed} entries are no mixture");
    Ok(())
}

fn statement_of(account: Party) -> GetStatement {
    GetStatement {
        account,
        currency: None,
        from: None,
        to: None,
        after: None,
        limit: None,
        totals: true,
        until: None,
    }
}

async fn a_statement_leads_from_the_opening_to_the_closing_balance(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    // Not in the order of their booking dates; the last is booked ahead.
    for (units, booked) in
        [("1", 9), ("2", 10), ("4", 12), ("8", 8), ("16", 11), ("32", 31), ("64", 10)]
    {
        let date = NaiveDate::from_ymd_opt(2026, 1, booked);
        let deposit = Transfer { booking_date: date, ..transfer(cash(), customer(alice), units)? };
        ensure!(client.submit(deposit).await? == "posted");
    }
    let fee = Transfer {
        booking_date: Some(day("2026-01-11")?),
        ..transfer(customer(alice), own("fees"), "100")?
    };
    ensure!(client.submit(fee).await? == "posted");
    let middle = GetStatement {
        from: Some(day("2026-01-10")?),
        to: Some(day("2026-01-12")?),
        limit: Some(2),
        ..statement_of(customer(alice))
    };
    let first = client.query(middle.clone()).await?;
    let period = first.period.clone().context("its figures were asked for")?;
    let actual = json!({"opening_balance": "9", "closing_balance": "-5", "debits": "100",
        "credits": "86", "debit_count": 1, "credit_count": 4, "until": 9});
    ensure!(json!(period) == actual, "{}", json!(period));
    // A posting between two pages is neither in the totals nor on the pages of that statement.
    let late = Transfer {
        booking_date: Some(day("2026-01-11")?),
        ..transfer(cash(), customer(alice), "7")?
    };
    ensure!(client.submit(late).await? == "posted");
    let mut entries = first.entries;
    let mut next = first.next;
    while let Some(after) = next {
        let (after, until) = (Some(after), Some(period.until));
        let page = GetStatement { after, until, totals: false, ..middle.clone() };
        let page = client.query(page).await?;
        ensure!(page.entries.len() <= 2 && page.period.is_none(), "{page:?}");
        entries.extend(page.entries);
        next = page.next;
    }
    let amounts: Vec<String> = entries.iter().map(|entry| entry.amount.to_string()).collect();
    ensure!(amounts == ["2", "4", "16", "64", "100"], "{amounts:?}");
    let now = client.query(GetStatement { limit: None, ..middle.clone() }).await?;
    let closing = now.period.context("asked for")?.closing_balance;
    ensure!(now.entries.len() == 6 && closing == amount(2), "{closing}");
    let then = GetStatement { until: Some(period.until), ..middle.clone() };
    ensure!(client.query(then).await?.period == Some(period), "the period has other figures");
    let backwards = GetStatement { to: Some(day("2026-01-09")?), ..middle };
    refused(&client, backwards, RefusalCode::InvalidField, Some("to")).await
}

fn all_of(account: AccountId) -> FindEntries {
    FindEntries {
        account: customer(account),
        currency: None,
        reference: None,
        end_to_end_id: None,
        counterparty: None,
        direction: None,
        amount_min: None,
        amount_max: None,
        from: None,
        to: None,
        after: None,
        limit: None,
    }
}

async fn entries_are_found_by_what_is_known_of_them(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let (alice, bob) = (client.account("alice").await?, client.account("bob").await?);
    let day_of = |number| NaiveDate::from_ymd_opt(2026, 1, number);
    for (from, to, units, text) in [
        (cash(), customer(alice), "100", "Salary, January"),
        (customer(alice), customer(bob), "30.50", "Rent 100% sure"),
        (customer(alice), own("fees"), "1", "Fee"),
        (customer(bob), customer(alice), "2", "Change of the RENT"),
    ] {
        let plain = transfer(from, to, units)?;
        let number = text.len();
        let end_to_end_id = Some(format!("e2e-{number}"));
        let (reference, booking_date) = (Some(text.to_owned()), day_of(number as u32));
        let paid = Transfer { reference, end_to_end_id, booking_date, ..plain };
        ensure!(client.submit(paid).await? == "posted", "{text}");
    }
    let all = all_of(alice);
    let units = |text: &str| text.parse::<Amount>().ok();
    let find = async |query: FindEntries| -> Result<String> {
        let found = client.query(query).await?;
        ensure!(found.next.is_none(), "{found:?}");
        Ok(found.entries.iter().map(|entry| entry.amount.to_string()).collect::<Vec<_>>().join(" "))
    };
    let text = |text: &str| Some(text.to_owned());
    for (query, expected) in [
        (all.clone(), "100 30.5 1 2"),
        (FindEntries { reference: text("rent"), ..all.clone() }, "30.5 2"),
        (FindEntries { reference: text("t_1"), ..all.clone() }, ""),
        (FindEntries { end_to_end_id: text("e2e-3"), ..all.clone() }, "1"),
        (FindEntries { end_to_end_id: text("e2e"), ..all.clone() }, ""),
        (FindEntries { counterparty: Some(customer(bob)), ..all.clone() }, "30.5 2"),
        (FindEntries { counterparty: Some(own("fees")), ..all.clone() }, "1"),
        (FindEntries { counterparty: Some(customer(alice)), ..all.clone() }, ""),
        (FindEntries { direction: Some(Direction::Debit), ..all.clone() }, "30.5 1"),
        (FindEntries { amount_min: units("2"), ..all.clone() }, "100 30.5 2"),
        (FindEntries { amount_min: units("1"), amount_max: units("2"), ..all.clone() }, "1 2"),
        (FindEntries { from: day_of(14), to: day_of(15), ..all.clone() }, "100 30.5"),
        (FindEntries { reference: text("rent"), amount_max: units("1"), ..all.clone() }, ""),
        (FindEntries { account: customer(bob), reference: text("fee"), ..all.clone() }, ""),
    ] {
        let found = find(query.clone()).await?;
        ensure!(found == expected, "{query:?} found {found}, not {expected}");
    }
    let page = client.query(FindEntries { limit: Some(3), ..all.clone() }).await?;
    let rest = FindEntries { limit: Some(3), after: page.next, ..all.clone() };
    ensure!(page.next.is_some() && find(rest).await? == "2", "{page:?}");
    for (query, field) in [
        (FindEntries { reference: text(""), ..all.clone() }, "reference"),
        (FindEntries { reference: text("a\0b"), ..all.clone() }, "reference"),
        (FindEntries { end_to_end_id: text(&"x".repeat(36)), ..all.clone() }, "end_to_end_id"),
        (FindEntries { counterparty: Some(own("tea")), ..all.clone() }, "counterparty.code"),
        (
            FindEntries { amount_min: units("2"), amount_max: units("1"), ..all.clone() },
            "amount_max",
        ),
        (FindEntries { from: day_of(2), to: day_of(1), ..all.clone() }, "to"),
        (FindEntries { limit: Some(0), ..all.clone() }, "limit"),
    ] {
        refused(&client, query, RefusalCode::InvalidField, Some(field)).await?;
    }
    refused(&client, all_of(AccountId::new()), RefusalCode::NotFound, None).await
}

async fn payments_are_found_by_name_over_the_whole_bank(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let (alice, bob) = (client.account("alice").await?, client.account("bob").await?);
    for (from, to, units, outcome) in [
        (cash(), customer(alice), "10", "posted"),
        (customer(alice), customer(bob), "3", "posted"),
        (customer(bob), own("fees"), "4", "insufficient_funds"),
    ] {
        let plain = transfer(from, to, units)?;
        let (reference, end_to_end_id) = (Some("Tea".to_owned()), Some(format!("tea-{units}")));
        let paid = Transfer { reference, end_to_end_id, ..plain };
        ensure!(client.submit(paid).await? == outcome);
    }
    let find = |name| FindPayments { name, after: None, limit: None };
    let by_reference = find(PaymentName::Reference("Tea".to_owned()));
    let all = client.query(by_reference.clone()).await?;
    ensure!(all.payments.len() == 3 && all.next.is_none(), "{all:?}");
    let mut found = Vec::new();
    let mut query = FindPayments { limit: Some(2), ..by_reference.clone() };
    loop {
        let page = client.query(query.clone()).await?;
        found.extend(page.payments);
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    ensure!(found == all.payments, "{found:?}");
    let one = client.query(find(PaymentName::EndToEndId("tea-4".to_owned()))).await?;
    let outcome = json!(one.payments)[0]["outcome"]["rejected"]["reason"].clone();
    ensure!(one.payments.len() == 1 && outcome == "insufficient_funds", "{one:?}");
    for nothing in
        [PaymentName::Reference("tea".to_owned()), PaymentName::EndToEndId("Tea".to_owned())]
    {
        ensure!(client.query(find(nothing)).await?.payments.is_empty());
    }
    let empty = find(PaymentName::Reference(String::new()));
    refused(&client, empty, RefusalCode::InvalidField, Some("name.reference")).await?;
    let too_many = FindPayments { limit: Some(251), ..by_reference };
    refused(&client, too_many, RefusalCode::InvalidField, Some("limit")).await
}

async fn teller_shows_past_balances_and_statements(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank.clone()).await?;
    let alice = client.account("Alice & sons").await?;
    let teller = TellerCli::of(&bank)?;
    let id = alice.to_string();
    for (units, booked) in [("20", "2026-01-10"), ("5", "2026-02-10")] {
        teller.json(&["deposit", &id, units, "EUR", "--booking-date", booked]).await?;
    }
    let rent = ["withdraw", &id, "7.50", "EUR", "--booking-date", "2026-02-11"];
    teller.json(&[&rent[..], &["--reference", "Rent <1>"]].concat()).await?;
    let as_of = teller.json(&["balance", &id, "--value-date", "2026-02-10"]).await?;
    ensure!(as_of["balance"] == "25", "{as_of}");
    let long_ago = teller.run(&["balance", &id, "--at", "2020-01-01T00:00:00Z"]).await?;
    ensure!(long_ago.code == 0 && long_ago.out.contains("0.00 EUR"), "{long_ago:?}");
    let february = ["statement", &id, "--from", "2026-02-01", "--to", "2026-02-28"];
    let format = |name| [&february[..], &["--format", name]].concat();
    let table = teller.run(&february).await?;
    for text in ["opening balance 20.00", "closing balance 17.50", "1 debits 7.50"] {
        ensure!(table.out.contains(text), "no {text}: {table:?}");
    }
    let csv = teller.run(&format("csv")).await?;
    let rows: Vec<&str> = csv.out.lines().collect();
    ensure!(rows.len() == 5 && rows[1].starts_with("opening,,,,,EUR,20.00,"), "{csv:?}");
    ensure!(rows[3].contains("-7.50,EUR,17.50") && rows[4].contains("17.50"), "{csv:?}");
    let answer: Value = teller.run(&format("json")).await?.json()?;
    ensure!(answer["period"]["closing_balance"] == "17.5", "{answer}");
    let camt = teller.run(&format("camt053")).await?;
    ensure!(camt.code == 0 && camt.out.starts_with("<?xml"), "{camt:?}");
    for text in ["<IBAN>CZ", "<Nm>Alice &amp; sons</Nm>", "<Ustrd>Rent &lt;1&gt;</Ustrd>"] {
        ensure!(camt.out.contains(text), "no {text}: {}", camt.out);
    }
    let no_days = teller.run(&["statement", &id, "--format", "camt053"]).await?;
    ensure!(no_days.code == 2 && no_days.err.contains("from: is needed"), "{no_days:?}");
    let found = teller.json(&["search", &id, "--max", "7.50", "--direction", "debit"]).await?;
    ensure!(found["entries"].as_array().is_some_and(|found| found.len() == 1), "{found}");
    let found = teller.json(&["search", "--reference", "Rent <1>"]).await?;
    ensure!(found["payments"].as_array().is_some_and(|found| found.len() == 1), "{found}");
    let nothing = teller.run(&["search"]).await?;
    ensure!(nothing.code == 2, "{nothing:?}");
    Ok(())
}
