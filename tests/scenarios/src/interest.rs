//! Interest and fees. Promise: each month is capitalised once and in order, by any instance; the
//! figures can be computed again, and a late posting is corrected in the next month.

use anyhow::{Context, Result, ensure};
use chrono::{Days, Months, NaiveDate, Utc};
use harness::{Bank, Fact, Instance, PATIENCE, facts, today, wait_for};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Message, Total,
    accounts::{Blocks, FreezeAccount, UnfreezeAccount},
    ledger::{
        ArrangementRejected, AtClosing, DayCount, GetBalance, GetInterest, InterestFound,
        InterestTerms, Rounding, SetTerms, TermsChanged, Transfer,
    },
    topology::SERVICES,
};

use super::{
    bank_client::{BankClient, cash, customer, own, transfer},
    cli_runner::TellerCli,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        past_months_are_capitalised_once_whoever_is_there,
        a_back_dated_posting_is_corrected_in_the_next_month,
        a_frozen_account_waits_and_wrong_terms_are_refused,
        debit_interest_is_booked_beyond_the_overdraft,
        interest_is_arranged_and_shown_by_teller,
    ]
}

/// Advances the clock of the database by this number of days, for connections from now on.
pub(super) async fn advance_clock(bank: &Bank, days: i64) -> Result<()> {
    let clock = format!(
        "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz
             LANGUAGE sql VOLATILE
             AS $$ SELECT pg_catalog.clock_timestamp() + interval '{days} days' $$;
         DO $$ BEGIN EXECUTE format('ALTER DATABASE %I
             SET search_path = public, pg_catalog', current_database()); END $$"
    );
    bank.execute("ledger", &clock).await
}

/// The first day of the month so many months before this one, as the bank sees it.
pub(super) async fn month(bank: &Bank, ago: u32) -> Result<NaiveDate> {
    let first =
        chrono::Datelike::with_day(&today(bank).await?, 1).context("a month has a first day")?;
    Ok(first - Months::new(ago))
}

pub(super) fn terms(
    valid_from: NaiveDate,
    credit: i64,
    debit: i64,
    fee: Option<Amount>,
) -> InterestTerms {
    InterestTerms {
        valid_from,
        credit_rate: Amount(credit.into()),
        debit_rate: Amount(debit.into()),
        day_count: DayCount::Act365,
        rounding: Rounding::HalfEven,
        statement_fee: fee,
        at_closing: AtClosing::Forfeit,
    }
}

pub(super) async fn set(
    client: &BankClient,
    account_id: AccountId,
    terms: InterestTerms,
) -> Result<()> {
    let answer = client.request(SetTerms { account_id, terms: terms.clone() }).await?;
    let changed: TermsChanged = answer.first().context("the command has a reply")?.read()?;
    ensure!(changed == TermsChanged { account_id, terms });
    Ok(())
}

pub(super) async fn pay_in(
    client: &BankClient,
    account: AccountId,
    amount: &str,
    on: NaiveDate,
) -> Result<()> {
    let paid = transfer(cash(), customer(account), amount)?;
    ensure!(client.submit(Transfer { booking_date: Some(on), ..paid }).await? == "posted");
    Ok(())
}

async fn capitalised(bank: &Bank, months: i64) -> Result<()> {
    wait_for(&format!("{months} months are capitalised"), PATIENCE, async || {
        let count = "SELECT count(*) FROM interest_capitalised";
        Ok(bank.number("ledger", count).await? == months)
    })
    .await
}

async fn found(
    client: &BankClient,
    account_id: AccountId,
    from: NaiveDate,
) -> Result<InterestFound> {
    let to = month(&client.bank, 0).await? - Days::new(1);
    Ok(client.query(GetInterest { account_id, from, to, known_at: None }).await?)
}

fn accrued(found: &InterestFound) -> Decimal {
    found.days.iter().map(|day| day.accrued.decimal()).sum()
}

async fn balance(client: &BankClient, code: &str) -> Result<Decimal> {
    let currency = Some("EUR".parse()?);
    Ok(client.query(GetBalance { account: own(code), currency }).await?.balance.decimal())
}

async fn balance_of(client: &BankClient, account: AccountId) -> Result<Decimal> {
    let asked = GetBalance { account: customer(account), currency: None };
    Ok(client.query(asked).await?.balance.decimal())
}

/// The capitalised interest equals the accrued interest of the days, rounded once.
async fn adds_up(
    client: &BankClient,
    account: AccountId,
    from: NaiveDate,
) -> Result<InterestFound> {
    let found = found(client, account, from).await?;
    let capitalised: Decimal = found
        .capitalised
        .iter()
        .map(|month| month.credit_interest.decimal() - month.debit_interest.decimal())
        .sum();
    ensure!(capitalised == accrued(&found).round_dp(2), "{capitalised}: {found:#?}");
    Ok(found)
}

async fn past_months_are_capitalised_once_whoever_is_there(bank: Bank) -> Result<()> {
    let ledgers: Vec<Instance> = bank.start_all(&["ledger", "ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let from = month(&bank, 3).await?;
    for account in [ada, bob] {
        pay_in(&client, account, "36500", from).await?;
    }
    for account in [ada, bob] {
        set(&client, account, terms(from, 1, 0, Some("2.50".parse()?))).await?;
    }
    capitalised(&bank, 6).await?;
    let found = adds_up(&client, ada, from).await?;
    let days = month(&bank, 0).await?.signed_duration_since(from).num_days();
    ensure!(i64::try_from(found.days.len())? == days && found.capitalised.len() == 3, "{found:?}");
    // 36,500 at 1 % of 365 days is 1 a day. The first month's interest bears interest in the next.
    let first = &found.capitalised[0];
    let first_days = month(&bank, 2).await?.signed_duration_since(from).num_days();
    ensure!(first.credit_interest == Amount(first_days.into()), "{first:?}");
    ensure!(first.statement_fee == "2.50".parse()?, "{first:?}");
    let second_month = usize::try_from(first_days)?;
    let after_first: Decimal = Decimal::from(36_500 + first_days) - Decimal::new(250, 2);
    ensure!(found.days[second_month - 1].balance.decimal() == Decimal::from(36_500), "{found:?}");
    ensure!(found.days[second_month].balance.decimal() == after_first, "{found:?}");
    // Neither another instance nor the same terms, set again, capitalise a month twice.
    for ledger in &ledgers[..2] {
        ledger.kill().await?;
    }
    bank.start("ledger").await?;
    set(&client, ada, terms(from, 1, 0, Some("2.50".parse()?))).await?;
    let carol = client.account("carol").await?;
    set(&client, carol, terms(from, 1, 0, None)).await?;
    capitalised(&bank, 9).await?;
    let again = self::found(&client, ada, from).await?;
    ensure!((&again.days, &again.capitalised) == (&found.days, &found.capitalised), "{again:?}");
    let interest: Decimal = accrued(&found).round_dp(2);
    ensure!(balance_of(&client, ada).await? == Decimal::new(3_650_000 - 750, 2) + interest);
    ensure!(balance(&client, "interest_paid").await? == -interest * Decimal::TWO);
    ensure!(balance(&client, "fees").await? == Decimal::from(15));
    ensure!(balance_of(&client, carol).await? == Decimal::ZERO);
    let lines = client.trial_balance().await?.lines;
    ensure!(Total::sum(lines.iter().map(|line| line.balance)) == Some(Total::ZERO));
    // Each posting left as an event, once.
    let received = bank.events().of_kind("ledger.transfers.posted.v1").await?;
    let actual =
        received.iter().filter(|event| event.event.data.to_string().contains("statement fee"));
    ensure!(actual.count() == 6, "{received:#?}");
    Ok(())
}

async fn a_back_dated_posting_is_corrected_in_the_next_month(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    let (from, this) = (month(&bank, 2).await?, month(&bank, 0).await?);
    pay_in(&client, ada, "1000", from).await?;
    set(&client, ada, terms(from, 12, 0, None)).await?;
    capitalised(&bank, 2).await?;
    let then = Utc::now();
    let before = adds_up(&client, ada, from).await?;
    // A deposit and terms of the first month come late.
    pay_in(&client, ada, "500", from).await?;
    set(&client, ada, terms(from, 24, 0, None)).await?;
    let late = found(&client, ada, from).await?;
    ensure!(late.capitalised == before.capitalised && accrued(&late) > accrued(&before));
    let to = this - Days::new(1);
    let known_at = Some(then);
    let query = GetInterest { account_id: ada, from, to, known_at };
    let as_it_was = client.query(query).await?;
    ensure!(as_it_was == before, "what was known then: {as_it_was:#?}");
    started[0].stop().await?;
    // Into the next month, and not beyond it: on the 30th of a month 32 days may be two months.
    let next = this + Months::new(1) - today(&bank).await?;
    advance_clock(&bank, next.num_days()).await?;
    bank.start("ledger").await?;
    capitalised(&bank, 3).await?;
    let to = this + Months::new(1) - Days::new(1);
    let whole = GetInterest { account_id: ada, from, to, known_at: None };
    let whole = client.query(whole).await?;
    let sum: Decimal = whole.capitalised.iter().map(|month| month.credit_interest.decimal()).sum();
    ensure!(sum == accrued(&whole).round_dp(2), "{sum}: {whole:#?}");
    ensure!(balance_of(&client, ada).await? == Decimal::from(1_500) + sum);
    Ok(())
}

async fn a_frozen_account_waits_and_wrong_terms_are_refused(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank.clone()).await?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let from = month(&bank, 1).await?;
    pay_in(&client, ada, "1000", from).await?;
    let blocks = Blocks::Both;
    client.request(FreezeAccount { blocks, account_id: ada, reason: "test".to_owned() }).await?;
    wait_for("the ledger has frozen the account", PATIENCE, async || {
        let frozen = "SELECT count(*) FROM accounts WHERE status = 'frozen'";
        Ok(bank.number("ledger", frozen).await? == 1)
    })
    .await?;
    set(&client, ada, terms(from, 10, 0, None)).await?;
    set(&client, bob, terms(from, 10, 0, None)).await?;
    capitalised(&bank, 1).await?;
    ensure!(
        found(&client, ada, from).await?.capitalised.is_empty(),
        "a frozen account was capitalised"
    );
    client.request(UnfreezeAccount { account_id: ada }).await?;
    capitalised(&bank, 2).await?;
    adds_up(&client, ada, from).await?;

    let good = terms(from, 1, 1, None);
    let early = from - Months::new(200);
    for (account_id, terms, expected) in [
        (AccountId::new(), good.clone(), "unknown_account -"),
        (ada, terms(early, 1, 1, None), "invalid_field terms.valid_from"),
        (ada, terms(from, -1, 1, None), "invalid_field terms.credit_rate"),
        (ada, terms(from, 1, 1_001, None), "invalid_field terms.debit_rate"),
        (ada, terms(from, 1, 1, Some("0.001".parse()?)), "invalid_field terms.statement_fee"),
    ] {
        let answer = client.request(SetTerms { account_id, terms }).await?;
        let event = answer.first().context("the command has a reply")?;
        ensure!(event.kind == ArrangementRejected::TYPE, "{event:?}");
        let rejected: ArrangementRejected = event.read()?;
        let field = rejected.field.as_deref().unwrap_or("-");
        ensure!(format!("{} {field}", rejected.reason) == expected, "{rejected:?}");
    }
    let kept = bank.number("ledger", "SELECT count(*) FROM interest_terms").await?;
    ensure!(kept == 2, "{kept} terms");
    Ok(())
}

async fn debit_interest_is_booked_beyond_the_overdraft(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank.clone()).await?;
    let ada =
        client.account_with("ada", |command| command.overdraft_limit = Amount(365.into())).await?;
    let from = month(&bank, 1).await?;
    let spent = transfer(customer(ada), cash(), "365")?;
    ensure!(client.submit(Transfer { booking_date: Some(from), ..spent }).await? == "posted");
    set(&client, ada, terms(from, 0, 10, Some("1".parse()?))).await?;
    capitalised(&bank, 1).await?;
    let owed = -accrued(&adds_up(&client, ada, from).await?);
    ensure!(owed > Decimal::TWO, "{owed}");
    ensure!(balance_of(&client, ada).await? == Decimal::from(-366) - owed);
    ensure!(balance(&client, "interest_received").await? == owed);
    let more = transfer(customer(ada), cash(), "0.01")?;
    ensure!(client.submit(more).await? == "insufficient_funds");
    Ok(())
}

async fn interest_is_arranged_and_shown_by_teller(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let teller = TellerCli::of(&bank)?;
    let open = ["account", "open", "--name", "ada", "--currency", "EUR"];
    teller.json(&[&open[..], &["--external-reference", "ada"]].concat()).await?;
    let (from, this) = (month(&bank, 1).await?, month(&bank, 0).await?);
    let (day, last) = (from.to_string(), (this - Days::new(1)).to_string());
    teller.json(&["deposit", "ada", "1000", "EUR", "--booking-date", &day]).await?;
    let set = ["terms", "set", "ada", "--valid-from", &day, "--credit-rate", "3.6"];
    let more = ["--day-count", "30e/360", "--statement-fee", "1.50", "--rounding", "half_up"];
    let set = teller.json(&[&set[..], &more].concat()).await?;
    ensure!(set["terms"]["credit_rate"] == "3.6" && set["id"].is_string(), "{set}");
    capitalised(&bank, 1).await?;
    let shown = teller.json(&["interest", "ada", "--from", &day, "--to", &last]).await?;
    // Every month has 30 of 360 days.
    ensure!(shown["capitalised"][0]["credit_interest"] == "3", "{shown}");
    ensure!(shown["capitalised"][0]["statement_fee"] == "1.5", "{shown}");
    let table = teller.run(&["interest", "ada", "--from", &day, "--to", &last]).await?;
    ensure!(table.code == 0 && table.out.contains("1/360"), "{table:?}");
    ensure!(table.out.contains("3.00 ┆"), "{table:?}");
    let statement = ["statement", "ada", "--from", &day, "--to", "2199-12-31"];
    let camt = teller.run(&[&statement[..], &["--format", "camt053"]].concat()).await?;
    for code in ["<SubFmlyCd>INTR", "<SubFmlyCd>FEES", "<Nm>Interest paid</Nm>"] {
        ensure!(camt.code == 0 && camt.out.contains(code), "{code} in {camt:?}");
    }
    let terms = teller.json(&["terms", "show", "ada"]).await?;
    ensure!(terms[0]["terms"] == set["terms"], "{terms}");
    let wrong =
        teller.run(&["terms", "set", "ada", "--valid-from", &day, "--rounding", "up"]).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("rounding"), "{wrong:?}");
    let high = ["terms", "set", "ada", "--valid-from", &day, "--debit-rate", "1001"];
    let refused = teller.run(&high).await?;
    ensure!(refused.code == 1 && refused.err.contains("terms.debit_rate"), "{refused:?}");
    Ok(())
}
