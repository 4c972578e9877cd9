//! Queries. Promise: every query is answered from the stored state, in pages without a gap, or
//! refused with the field at fault.

use anyhow::{Result, bail, ensure};
use chrono::NaiveDate;
use harness::{Bank, Fact, facts};
use shared_events::{
    AccountId, Iban, Query, Total, TransferId,
    accounts::{AccountKey, AccountStatus, FreezeAccount, GetAccount, ListAccounts},
    client::AskError,
    ledger::{
        GetBalance, GetStatement, GetTransfer, LedgerStatus, Party, RejectReason, StatementFound,
        Transfer, TransferStatus,
    },
    refusal::RefusalCode,
};

use super::bank_client::{BankClient, amount, cash, customer, own, transfer};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        an_account_is_found_by_each_of_its_names,
        accounts_are_listed_in_pages,
        a_statement_is_told_in_pages_and_by_day,
        balances_are_answered,
        the_outcome_of_a_transfer_is_answered,
        the_trial_balance_is_zero_for_each_currency,
    ]
}

async fn an_account_is_found_by_each_of_its_names(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let named = |command: &mut shared_events::accounts::OpenAccount| {
        command.external_reference = Some("crm-7".to_owned());
        command.overdraft_limit = amount(20);
    };
    let alice = client.account_with("alice", named).await?;
    client.account("bob").await?;
    let get = |key| GetAccount { key };
    let by_id = client.query(get(AccountKey::AccountId(alice))).await?.account;
    ensure!(by_id.account_id == alice && by_id.holder.name == "alice", "{by_id:?}");
    ensure!(by_id.status == AccountStatus::Active && by_id.version == 2, "{by_id:?}");
    ensure!(by_id.overdraft_limit == amount(20) && by_id.currency.code() == "EUR", "{by_id:?}");
    ensure!(by_id.iban.as_str().starts_with("CZ"), "{by_id:?}");
    for key in
        [AccountKey::Iban(by_id.iban.clone()), AccountKey::ExternalReference("crm-7".to_owned())]
    {
        let found = client.query(get(key.clone())).await?.account;
        ensure!(found == by_id, "{key:?} gave {found:?}");
    }
    let elsewhere = Iban::try_new("CZ6508000000192000145399")?;
    for key in [
        AccountKey::AccountId(AccountId::new()),
        AccountKey::Iban(elsewhere),
        AccountKey::ExternalReference("crm".to_owned()),
    ] {
        refused(&client, get(key), RefusalCode::NotFound, None).await?;
    }
    let broken = AccountKey::ExternalReference("a\0b".to_owned());
    let field = Some("key.external_reference");
    refused(&client, get(broken), RefusalCode::InvalidField, field).await
}

async fn accounts_are_listed_in_pages(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let mut all = Vec::new();
    for name in ["x-1", "x-2", "x-3", "y-1", "y-2"] {
        let reference = Some(name.to_owned());
        all.push(
            client.account_with(name, |command| command.external_reference = reference).await?,
        );
    }
    all.sort();
    let frozen = all[3];
    client
        .request(FreezeAccount {
            blocks: shared_events::accounts::Blocks::Both,
            account_id: frozen,
            reason: "test".to_owned(),
        })
        .await?;
    let list = async |filter: ListAccounts| -> Result<(Vec<AccountId>, Option<AccountId>)> {
        let page = client.query(filter).await?;
        Ok((page.accounts.iter().map(|account| account.account_id).collect(), page.next))
    };
    let page = |after| ListAccounts { after, limit: Some(2), ..ListAccounts::default() };
    let mut after = None;
    for (from, to) in [(0, 2), (2, 4), (4, 5)] {
        let (ids, next) = list(page(after)).await?;
        ensure!(ids == all[from..to], "page {from}..{to} is {ids:?} of {all:?}");
        ensure!(next == (to < all.len()).then(|| all[to - 1]), "after {to}: {next:?}");
        after = next;
    }
    let status = ListAccounts { status: Some(AccountStatus::Frozen), ..ListAccounts::default() };
    ensure!(list(status).await? == (vec![frozen], None));
    let prefix = Some("x-".to_owned());
    let prefix = ListAccounts { external_reference_prefix: prefix, ..ListAccounts::default() };
    ensure!(list(prefix).await?.0.len() == 3);
    for limit in [0, 1_001] {
        let wrong = ListAccounts { limit: Some(limit), ..ListAccounts::default() };
        refused(&client, wrong, RefusalCode::InvalidField, Some("limit")).await?;
    }
    Ok(())
}

async fn a_statement_is_told_in_pages_and_by_day(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    for (number, day) in (1..).zip([1, 1, 2, 3, 5]) {
        let booked = Transfer {
            reference: Some(format!("payment {number}")),
            end_to_end_id: Some(format!("e2e-{number}")),
            booking_date: Some(january(day)),
            ..transfer(cash(), customer(alice), &number.to_string())?
        };
        ensure!(client.submit(booked).await? == "posted");
    }
    let whole = GetStatement {
        account: customer(alice),
        currency: None,
        from: None,
        to: None,
        after: None,
        limit: None,
        totals: false,
        until: None,
    };
    let ask =
        async |query: GetStatement| -> Result<StatementFound> { Ok(client.query(query).await?) };
    let statement = ask(whole.clone()).await?;
    let actual = "2 Credit 1 1 cash 2026-01-01 payment 1 e2e-1
3 Credit 2 3 cash 2026-01-01 payment 2 e2e-2
4 Credit 3 6 cash 2026-01-02 payment 3 e2e-3
5 Credit 4 10 cash 2026-01-03 payment 4 e2e-4
6 Credit 5 15 cash 2026-01-05 payment 5 e2e-5";
    super::transcript::compare(&lines(&statement), actual)?;
    ensure!(statement.next.is_none() && statement.currency.code() == "EUR");
    let mut after = None;
    for (from, to) in [(0, 2), (2, 4), (4, 5)] {
        let page = ask(GetStatement { after, limit: Some(2), ..whole.clone() }).await?;
        ensure!(page.entries == statement.entries[from..to], "page {from}..{to}: {page:?}");
        after = page.next;
        ensure!(after == (to < 5).then(|| page.entries[1].version), "after {to}: {after:?}");
    }
    for (from, to, entries) in [
        (Some(2), Some(3), 2..4),
        (Some(2), None, 2..5),
        (None, Some(1), 0..2),
        (Some(4), Some(4), 0..0),
    ] {
        let (from, to) = (from.map(january), to.map(january));
        let some = ask(GetStatement { from, to, ..whole.clone() }).await?;
        ensure!(some.entries == statement.entries[entries], "{from:?} to {to:?}: {some:?}");
    }
    let other_side =
        GetStatement { account: cash(), currency: "EUR".parse().ok(), ..whole.clone() };
    ensure!(
        ask(other_side)
            .await?
            .entries
            .last()
            .is_some_and(|entry| entry.balance_after == amount(-15))
    );
    let unknown = GetStatement { account: customer(AccountId::new()), ..whole.clone() };
    refused(&client, unknown, RefusalCode::NotFound, None).await?;
    let too_many = GetStatement { limit: Some(1_001), ..whole };
    refused(&client, too_many, RefusalCode::InvalidField, Some("limit")).await
}

async fn balances_are_answered(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice =
        client.account_with("alice", |command| command.overdraft_limit = amount(20)).await?;
    client.deposit(alice, "12.50").await?;
    client.submit(transfer(customer(alice), own("fees"), "2.50")?).await?;
    let of = |account, currency: &str| GetBalance { account, currency: currency.parse().ok() };
    let found = client.query(of(customer(alice), "")).await?;
    let posted =
        [found.posted_debits, found.posted_credits].map(|total| total.to_string()).join(" ");
    let figures = [
        found.pending_debits,
        found.pending_credits,
        found.balance,
        found.overdraft_limit.unwrap_or_default(),
        found.available.unwrap_or_default(),
    ];
    let figures = figures.map(|figure| figure.to_string()).join(" ");
    ensure!((posted.as_str(), figures.as_str()) == ("2.5 12.5", "0 0 10 20 30"), "{found:?}");
    ensure!(found.status == LedgerStatus::Active && found.version == 3, "{found:?}");
    let cash_account = client.query(of(cash(), "EUR")).await?;
    ensure!(cash_account.balance.to_string() == "-12.5", "{cash_account:?}");
    ensure!(cash_account.available.is_none() && cash_account.code.is_some(), "{cash_account:?}");
    refused(&client, of(cash(), ""), RefusalCode::InvalidField, Some("currency")).await?;
    for nobody in [of(cash(), "JPY"), of(customer(AccountId::new()), ""), of(own("tea"), "EUR")] {
        refused(&client, nobody, RefusalCode::NotFound, None).await?;
    }
    Ok(())
}

async fn the_outcome_of_a_transfer_is_answered(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let posted = Transfer {
        reference: Some("Salary".to_owned()),
        booking_date: Some(january(31)),
        ..transfer(cash(), customer(alice), "7")?
    };
    let rejected = transfer(customer(alice), cash(), "8")?;
    client.submit(posted.clone()).await?;
    client.submit(rejected.clone()).await?;
    let get = |transfer_id| GetTransfer { transfer_id };
    let found = client.query(get(posted.transfer_id)).await?;
    ensure!(found.status == TransferStatus::Posted && found.reason.is_none(), "{found:?}");
    ensure!((found.debtor, found.creditor) == (posted.debtor, posted.creditor));
    ensure!((found.money, found.reference) == (posted.money, posted.reference));
    ensure!(found.booking_date == january(31));
    let found = client.query(get(rejected.transfer_id)).await?;
    ensure!(found.status == TransferStatus::Rejected, "{found:?}");
    ensure!(found.reason == Some(RejectReason::InsufficientFunds.into()), "{found:?}");
    refused(&client, get(TransferId::new()), RefusalCode::NotFound, None).await
}

async fn the_trial_balance_is_zero_for_each_currency(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    ensure!(client.trial_balance().await?.lines.is_empty(), "a new bank has no books");
    let alice = client.account("alice").await?;
    let yen = client.account_with("yen", |command| command.currency = jpy()).await?;
    client.deposit(alice, "100").await?;
    client.submit(transfer(customer(alice), own("settlement:AB"), "40.25")?).await?;
    let mut in_yen = transfer(own("interest_paid"), customer(yen), "3")?;
    in_yen.money.currency = jpy();
    client.submit(in_yen).await?;
    let lines = client.trial_balance().await?.lines;
    let actual: Vec<String> = lines
        .iter()
        .map(|line| {
            let whose = line.code.as_ref().map_or("customers", |code| &code.0);
            format!("{} {whose} {} {} {}", line.currency, line.accounts, line.debits, line.credits)
        })
        .collect();
    let expected = "EUR customers 1 40.25 100\nEUR cash 1 100 0\nEUR settlement:AB 1 0 40.25
JPY customers 1 0 3\nJPY interest_paid 1 3 0";
    super::transcript::compare(&actual.join("\n"), expected)?;
    for currency in ["EUR", "JPY"] {
        let of_currency = lines.iter().filter(|line| line.currency.code() == currency);
        let sum = Total::sum(of_currency.map(|line| line.balance));
        ensure!(sum == Some(Total::ZERO), "{currency}: {sum:?}");
    }
    Ok(())
}

fn lines(statement: &StatementFound) -> String {
    let line = |entry: &shared_events::ledger::StatementEntry| {
        let other = match &entry.counterparty {
            Party::Code(code) => code.to_string(),
            Party::AccountId(_) => "a customer".to_owned(),
        };
        let (reference, id) = (entry.reference.as_deref(), entry.end_to_end_id.as_deref());
        let (day, words) = (entry.booking_date, [reference, id].map(Option::unwrap_or_default));
        format!(
            "{} {:?} {} {} {other} {day} {}",
            entry.version,
            entry.direction,
            entry.amount,
            entry.balance_after,
            words.join(" ")
        )
    };
    statement.entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Asks, and must be refused for this reason.
pub(crate) async fn refused<Q: Query>(
    client: &BankClient,
    query: Q,
    code: RefusalCode,
    field: Option<&str>,
) -> Result<()> {
    match client.query(query).await {
        Err(AskError::Refused(refusal)) => {
            ensure!(refusal.code == code && refusal.field.as_deref() == field, "{refusal:?}");
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => bail!("{} was answered, and not refused: {code:?} {field:?}", Q::TYPE),
    }
}

fn january(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, day).expect("January has 31 days")
}

fn jpy() -> shared_events::Currency {
    "JPY".parse().expect("JPY is a currency")
}
