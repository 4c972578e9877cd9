//! Interest and fees. Promise: each month is capitalised once, in order, whoever is there to do it;
//! what was capitalised can be worked out again, and what comes late is made good.

use anyhow::{Context, Result, ensure};
use chrono::{Days, Months, NaiveDate, Utc};
use integration_tests::{Bank, Fact, Instance, PATIENCE, facts, wait_for};
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
    clerk::Clerk,
    desk::{Desk, cash, customer, own, transfer},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        past_months_are_capitalised_once_whoever_is_there,
        what_is_dated_back_is_made_good_by_the_next_month,
        a_frozen_account_waits_and_wrong_terms_are_refused,
        the_bank_takes_what_it_is_owed_beyond_the_overdraft,
        interest_is_arranged_and_shown_by_teller,
    ]
}

/// The bank's clock goes on by so many days, for what connects from now on.
pub(super) async fn goes_on(bank: &Bank, days: i64) -> Result<()> {
    let clock = format!(
        "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz
             LANGUAGE sql VOLATILE
             AS $$ SELECT pg_catalog.clock_timestamp() + interval '{days} days' $$;
         DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I
             SET search_path = public, pg_catalog', current_database()); END $$"
    );
    bank.execute("ledger", &clock).await
}

/// This day, as the bank sees it.
pub(super) async fn today(bank: &Bank) -> Result<NaiveDate> {
    let today = "SELECT (now() AT TIME ZONE 'Europe/Prague')::date - date '1970-01-01'";
    let days = bank.number("ledger", &format!("SELECT ({today})::bigint")).await?;
    Ok(NaiveDate::default() + Days::new(u64::try_from(days)?))
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

pub(super) async fn set(desk: &Desk, account_id: AccountId, terms: InterestTerms) -> Result<()> {
    let answer = desk.tell(SetTerms { account_id, terms: terms.clone() }).await?;
    let changed: TermsChanged = answer.first().context("it is answered")?.read()?;
    ensure!(changed == TermsChanged { account_id, terms });
    Ok(())
}

pub(super) async fn pay_in(
    desk: &Desk,
    account: AccountId,
    amount: &str,
    on: NaiveDate,
) -> Result<()> {
    let paid = transfer(cash(), customer(account), amount)?;
    ensure!(desk.send(Transfer { booking_date: Some(on), ..paid }).await? == "posted");
    Ok(())
}

async fn capitalised(bank: &Bank, months: i64) -> Result<()> {
    wait_for(&format!("{months} months are capitalised"), PATIENCE, async || {
        let count = "SELECT count(*) FROM interest_capitalised";
        Ok(bank.number("ledger", count).await? == months)
    })
    .await
}

async fn found(desk: &Desk, account_id: AccountId, from: NaiveDate) -> Result<InterestFound> {
    let to = month(&desk.bank, 0).await? - Days::new(1);
    Ok(desk.client.ask(GetInterest { account_id, from, to, known_at: None }).await?)
}

fn accrued(found: &InterestFound) -> Decimal {
    found.days.iter().map(|it| it.accrued.decimal()).sum()
}

async fn balance(desk: &Desk, code: &str) -> Result<Decimal> {
    let currency = Some("EUR".parse()?);
    Ok(desk.client.ask(GetBalance { account: own(code), currency }).await?.balance.decimal())
}

async fn of(desk: &Desk, account: AccountId) -> Result<Decimal> {
    let asked = GetBalance { account: customer(account), currency: None };
    Ok(desk.client.ask(asked).await?.balance.decimal())
}

/// What was capitalised is what the days come to, rounded once.
async fn adds_up(desk: &Desk, account: AccountId, from: NaiveDate) -> Result<InterestFound> {
    let found = found(desk, account, from).await?;
    let capitalised: Decimal = found
        .capitalised
        .iter()
        .map(|it| it.credit_interest.decimal() - it.debit_interest.decimal())
        .sum();
    ensure!(capitalised == accrued(&found).round_dp(2), "{capitalised}: {found:#?}");
    Ok(found)
}

async fn past_months_are_capitalised_once_whoever_is_there(bank: Bank) -> Result<()> {
    let ledgers: Vec<Instance> = bank.start_all(&["ledger", "ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let from = month(&bank, 3).await?;
    for account in [ada, bob] {
        pay_in(&desk, account, "36500", from).await?;
    }
    for account in [ada, bob] {
        set(&desk, account, terms(from, 1, 0, Some("2.50".parse()?))).await?;
    }
    capitalised(&bank, 6).await?;
    let found = adds_up(&desk, ada, from).await?;
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
    // Nothing is done again by whoever comes later, nor for terms that are set again.
    for ledger in &ledgers[..2] {
        ledger.kill().await?;
    }
    bank.start("ledger").await?;
    set(&desk, ada, terms(from, 1, 0, Some("2.50".parse()?))).await?;
    let carol = desk.account("carol").await?;
    set(&desk, carol, terms(from, 1, 0, None)).await?;
    capitalised(&bank, 9).await?;
    let again = self::found(&desk, ada, from).await?;
    ensure!((&again.days, &again.capitalised) == (&found.days, &found.capitalised), "{again:?}");
    let interest: Decimal = accrued(&found).round_dp(2);
    ensure!(of(&desk, ada).await? == Decimal::new(3_650_000 - 750, 2) + interest);
    ensure!(balance(&desk, "interest_paid").await? == -interest * Decimal::TWO);
    ensure!(balance(&desk, "fees").await? == Decimal::from(15));
    ensure!(of(&desk, carol).await? == Decimal::ZERO);
    let lines = desk.trial_balance().await?.lines;
    ensure!(Total::sum(lines.iter().map(|line| line.balance)) == Some(Total::ZERO));
    // Each posting left as an event, once.
    let heard = bank.events().of_kind("ledger.transfers.posted.v1").await?;
    let told = heard.iter().filter(|it| it.event.data.to_string().contains("statement fee"));
    ensure!(told.count() == 6, "{heard:#?}");
    Ok(())
}

async fn what_is_dated_back_is_made_good_by_the_next_month(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let ada = desk.account("ada").await?;
    let (from, this) = (month(&bank, 2).await?, month(&bank, 0).await?);
    pay_in(&desk, ada, "1000", from).await?;
    set(&desk, ada, terms(from, 12, 0, None)).await?;
    capitalised(&bank, 2).await?;
    let then = Utc::now();
    let before = adds_up(&desk, ada, from).await?;
    // A deposit and terms of the first month come late.
    pay_in(&desk, ada, "500", from).await?;
    set(&desk, ada, terms(from, 24, 0, None)).await?;
    let late = found(&desk, ada, from).await?;
    ensure!(late.capitalised == before.capitalised && accrued(&late) > accrued(&before));
    let to = this - Days::new(1);
    let known_at = Some(then);
    let query = GetInterest { account_id: ada, from, to, known_at };
    let as_it_was = desk.client.ask(query).await?;
    ensure!(as_it_was == before, "what was known then: {as_it_was:#?}");
    started[0].stop().await?;
    goes_on(&bank, 32).await?;
    bank.start("ledger").await?;
    capitalised(&bank, 3).await?;
    let to = this + Months::new(1) - Days::new(1);
    let whole = GetInterest { account_id: ada, from, to, known_at: None };
    let whole = desk.client.ask(whole).await?;
    let sum: Decimal = whole.capitalised.iter().map(|it| it.credit_interest.decimal()).sum();
    ensure!(sum == accrued(&whole).round_dp(2), "{sum}: {whole:#?}");
    ensure!(of(&desk, ada).await? == Decimal::from(1_500) + sum);
    Ok(())
}

async fn a_frozen_account_waits_and_wrong_terms_are_refused(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank.clone()).await?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let from = month(&bank, 1).await?;
    pay_in(&desk, ada, "1000", from).await?;
    let blocks = Blocks::Both;
    desk.tell(FreezeAccount { blocks, account_id: ada, reason: "test".to_owned() }).await?;
    wait_for("the ledger has frozen it", PATIENCE, async || {
        let frozen = "SELECT count(*) FROM accounts WHERE status = 'frozen'";
        Ok(bank.number("ledger", frozen).await? == 1)
    })
    .await?;
    set(&desk, ada, terms(from, 10, 0, None)).await?;
    set(&desk, bob, terms(from, 10, 0, None)).await?;
    capitalised(&bank, 1).await?;
    ensure!(found(&desk, ada, from).await?.capitalised.is_empty(), "it is frozen");
    desk.tell(UnfreezeAccount { account_id: ada }).await?;
    capitalised(&bank, 2).await?;
    adds_up(&desk, ada, from).await?;

    let good = terms(from, 1, 1, None);
    let early = from - Months::new(200);
    for (account_id, terms, expected) in [
        (AccountId::new(), good.clone(), "unknown_account -"),
        (ada, terms(early, 1, 1, None), "invalid_field terms.valid_from"),
        (ada, terms(from, -1, 1, None), "invalid_field terms.credit_rate"),
        (ada, terms(from, 1, 1_001, None), "invalid_field terms.debit_rate"),
        (ada, terms(from, 1, 1, Some("0.001".parse()?)), "invalid_field terms.statement_fee"),
    ] {
        let answer = desk.tell(SetTerms { account_id, terms }).await?;
        let event = answer.first().context("it is answered")?;
        ensure!(event.kind == ArrangementRejected::TYPE, "{event:?}");
        let rejected: ArrangementRejected = event.read()?;
        let field = rejected.field.as_deref().unwrap_or("-");
        ensure!(format!("{} {field}", rejected.reason) == expected, "{rejected:?}");
    }
    let kept = bank.number("ledger", "SELECT count(*) FROM interest_terms").await?;
    ensure!(kept == 2, "{kept} terms");
    Ok(())
}

async fn the_bank_takes_what_it_is_owed_beyond_the_overdraft(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank.clone()).await?;
    let ada = desk.account_with("ada", |it| it.overdraft_limit = Amount(365.into())).await?;
    let from = month(&bank, 1).await?;
    let spent = transfer(customer(ada), cash(), "365")?;
    ensure!(desk.send(Transfer { booking_date: Some(from), ..spent }).await? == "posted");
    set(&desk, ada, terms(from, 0, 10, Some("1".parse()?))).await?;
    capitalised(&bank, 1).await?;
    let owed = -accrued(&adds_up(&desk, ada, from).await?);
    ensure!(owed > Decimal::TWO, "{owed}");
    ensure!(of(&desk, ada).await? == Decimal::from(-366) - owed);
    ensure!(balance(&desk, "interest_received").await? == owed);
    let more = transfer(customer(ada), cash(), "0.01")?;
    ensure!(desk.send(more).await? == "insufficient_funds");
    Ok(())
}

async fn interest_is_arranged_and_shown_by_teller(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let clerk = Clerk::of(&bank)?;
    let open = ["account", "open", "--name", "ada", "--currency", "EUR"];
    clerk.json(&[&open[..], &["--external-reference", "ada"]].concat()).await?;
    let (from, this) = (month(&bank, 1).await?, month(&bank, 0).await?);
    let (day, last) = (from.to_string(), (this - Days::new(1)).to_string());
    clerk.json(&["deposit", "ada", "1000", "EUR", "--booking-date", &day]).await?;
    let set = ["terms", "set", "ada", "--valid-from", &day, "--credit-rate", "3.6"];
    let more = ["--day-count", "30e/360", "--statement-fee", "1.50", "--rounding", "half_up"];
    let set = clerk.json(&[&set[..], &more].concat()).await?;
    ensure!(set["terms"]["credit_rate"] == "3.6" && set["id"].is_string(), "{set}");
    capitalised(&bank, 1).await?;
    let shown = clerk.json(&["interest", "ada", "--from", &day, "--to", &last]).await?;
    // A month is 30 days of 360, whichever it is.
    ensure!(shown["capitalised"][0]["credit_interest"] == "3", "{shown}");
    ensure!(shown["capitalised"][0]["statement_fee"] == "1.5", "{shown}");
    let table = clerk.run(&["interest", "ada", "--from", &day, "--to", &last]).await?;
    ensure!(table.code == 0 && table.out.contains("1/360"), "{table:?}");
    ensure!(table.out.contains("3.00 ┆"), "{table:?}");
    let statement = ["statement", "ada", "--from", &day, "--to", "2199-12-31"];
    let camt = clerk.run(&[&statement[..], &["--format", "camt053"]].concat()).await?;
    for code in ["<SubFmlyCd>INTR", "<SubFmlyCd>FEES", "<Nm>Interest paid</Nm>"] {
        ensure!(camt.code == 0 && camt.out.contains(code), "{code} in {camt:?}");
    }
    let terms = clerk.json(&["terms", "show", "ada"]).await?;
    ensure!(terms[0]["terms"] == set["terms"], "{terms}");
    let wrong =
        clerk.run(&["terms", "set", "ada", "--valid-from", &day, "--rounding", "up"]).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("rounding"), "{wrong:?}");
    let high = ["terms", "set", "ada", "--valid-from", &day, "--debit-rate", "1001"];
    let refused = clerk.run(&high).await?;
    ensure!(refused.code == 1 && refused.err.contains("terms.debit_rate"), "{refused:?}");
    Ok(())
}
