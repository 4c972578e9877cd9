//! The largest numbers. Promise: a bank whose clients go to the bounds has books that can be read,
//! and one that an old version has led beyond them opens, goes on and is brought back.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chrono::{SubsecRound, Utc};
use harness::{Bank, Fact, Instance, PATIENCE, binaries::scratch_file, facts, wait_for};
use oracle::model::changes::own_account_id;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use shared_events::{
    AccountId, Amount, Currency, MessageId, Money, Total, TransferId,
    evidence::Hash256,
    ledger::{
        AccountAfter, AccountCode, Action, Direction, Exchange, GetBalance, Instruction,
        InstructionOutcome, JournalRecord, Party, Posted, PostedLeg, Rounding, SubmitInstructions,
    },
};
use sqlx::PgPool;
use teller_audit::{Anchors, Verdict, verify_books};
use teller_client::Teller;

use super::{
    bank_client::{BankClient, cash, own},
    cli_runner::TellerCli,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        exchanges_of_the_largest_amount_leave_books_that_can_be_read,
        a_bank_that_an_old_version_led_beyond_the_bounds_opens_and_is_brought_back,
    ]
}

const LARGE: &str = "999999999999999.99";
const RATE: &str = "0.9876543211";

fn currency(code: &str) -> Result<Currency> {
    Ok(code.parse()?)
}

fn exchange(sell: &str, from: &str, to: &str, rate: &str) -> Result<Instruction> {
    let amount = |text: &str| text.parse::<Amount>();
    Ok(Instruction {
        transfer_id: TransferId::new(),
        group: None,
        action: Action::Exchange(Exchange {
            debtor: cash(),
            creditor: cash(),
            sell: Money { amount: amount(sell)?, currency: currency(from)? },
            buy: currency(to)?,
            rate: amount(rate)?,
            rounding: Rounding::HalfEven,
        }),
        reference: None,
        end_to_end_id: None,
        booking_date: None,
        value_date: None,
    })
}

/// Carries out instructions, and returns for each kind of event how many it tells of.
async fn event_counts(
    client: &BankClient,
    instructions: Vec<Instruction>,
) -> Result<BTreeMap<String, usize>> {
    let mut actual = BTreeMap::new();
    for event in client.request(SubmitInstructions { instructions }).await? {
        let data: Value = serde_json::from_str(event.data.get())?;
        let lists = ["transfers", "instructions"].map(|list| data[list].as_array().map(Vec::len));
        *actual.entry(event.kind).or_default() += lists.into_iter().flatten().sum::<usize>();
    }
    Ok(actual)
}

/// The proof verifies, and each currency adds up to zero.
async fn check_books(client: &BankClient) -> Result<()> {
    let auditor = Teller::new(client.bank.client("auditor")?);
    match verify_books(&auditor, &Anchors::default(), |_, _| {}).await? {
        Verdict::Verified(_) => {}
        Verdict::Different(difference) => anyhow::bail!("the books differ: {difference}"),
    }
    let mut sums = BTreeMap::<Currency, Vec<Total>>::new();
    for line in client.trial_balance().await?.lines {
        sums.entry(line.currency).or_default().push(line.balance);
    }
    for (currency, all) in sums {
        ensure!(Total::sum(all.iter().copied()) == Some(Total::ZERO), "{currency}: {all:?}");
    }
    Ok(())
}

async fn balance(client: &BankClient, code: &str, of: &str) -> Result<Amount> {
    let (account, currency) = (own(code), Some(currency(of)?));
    Ok(client.query(GetBalance { account, currency }).await?.balance)
}

async fn exchanges_of_the_largest_amount_leave_books_that_can_be_read(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let one = json!({"action": {"exchange": {
        "debtor": {"code": "cash"}, "creditor": {"code": "cash"}, "buy": "USD",
        "sell": {"amount": LARGE, "currency": "EUR"}, "rate": RATE, "rounding": "half_even",
    }}});
    let file = scratch_file("json")?;
    std::fs::write(&file, json!(vec![one; 11]).to_string())?;
    let teller = TellerCli::of(&client.bank)?;
    let path = file.to_str().context("a path is text")?;
    let output = teller.run(&["--json", "instruct", path]).await?;
    std::fs::remove_file(&file)?;
    ensure!(output.code == 1, "{output:?}");
    let outcomes = output.json()?["instructions"].as_array().cloned().context("outcomes")?;
    let posted = outcomes.iter().filter(|outcome| outcome["outcome"]["posted"].is_object()).count();
    let last = &outcomes[10]["outcome"]["rejected"]["reason"];
    ensure!((posted, last) == (10, &json!("balance_too_large")), "{outcomes:?}");
    check_books(&client).await?;

    // Customers and auditors are served as before.
    let ada = client.account("ada").await?;
    ensure!(client.deposit(ada, "100").await? == "posted");
    let sold = exchange("10", "EUR", "USD", "1.1")?;
    let Action::Exchange(action) = sold.action else { anyhow::bail!("an exchange") };
    let action = Action::Exchange(Exchange { debtor: Party::AccountId(ada), ..action });
    let served = event_counts(&client, vec![Instruction { action, ..sold }]).await?;
    ensure!(served.get("ledger.legs.posted.v1") == Some(&1), "{served:?}");
    // An exchange can be reversed, which makes room.
    let first = outcomes[0]["transfer_id"].as_str().context("an id")?;
    teller.json(&["reverse", first]).await?;
    let again = event_counts(&client, vec![exchange(LARGE, "EUR", "USD", RATE)?]).await?;
    ensure!(again.get("ledger.legs.posted.v1") == Some(&1), "{again:?}");
    check_books(&client).await?;
    let verified = teller.run(&["audit", "verify"]).await?;
    ensure!(verified.code == 0, "{verified:?}");
    ensure!(client.bank.parked("ledger").await?.is_empty(), "something was parked");
    ensure!(client.bank.parked("notifications").await?.is_empty(), "something was parked");
    Ok(())
}

/// The row of an account with decimals of 96 bits, which round when they are full.
struct Old {
    id: AccountId,
    code: AccountCode,
    debits: Decimal,
    credits: Decimal,
    version: i64,
}

/// The first version of the ledger, as far as it exchanged money for the bank itself.
struct OldLedger {
    pool: PgPool,
    accounts: BTreeMap<(String, String), Old>,
    place: i64,
    hash: Hash256,
}

impl OldLedger {
    /// Goes on with the books of a ledger that has exchanged once.
    async fn of(bank: &Bank) -> Result<Self> {
        let pool = bank.pool("ledger").await?;
        let mut accounts = BTreeMap::new();
        for of in ["EUR", "USD"] {
            for code in ["cash", "fx_position", "fx_rounding"] {
                let code = AccountCode(code.to_owned());
                let id = own_account_id(&code, currency(of)?);
                let row: Option<(Decimal, Decimal, i64)> = sqlx::query_as(
                    "SELECT posted_debits, posted_credits, version FROM accounts WHERE id = $1",
                )
                .bind(id.uuid())
                .fetch_optional(&pool)
                .await?;
                let Some((debits, credits, version)) = row else { continue };
                let key = (code.0.clone(), of.to_owned());
                accounts.insert(key, Old { id, code, debits, credits, version });
            }
        }
        let (place, hash): (i64, Vec<u8>) =
            sqlx::query_as("SELECT place, hash FROM chains WHERE chain = 0")
                .fetch_one(&pool)
                .await?;
        let hash = Hash256(hash.try_into().ok().context("32 bytes")?);
        Ok(Self { pool, accounts, place, hash })
    }

    fn leg(&mut self, code: &str, of: &str, signed: Decimal) -> Result<PostedLeg> {
        let account = self.accounts.get_mut(&(code.to_owned(), of.to_owned()));
        let account = account.context("the account is open")?;
        match signed.is_sign_negative() {
            true => account.debits -= signed,
            false => account.credits += signed,
        }
        account.version += 1;
        let is_debit = signed.is_sign_negative();
        Ok(PostedLeg {
            account: AccountAfter {
                account_id: account.id,
                code: Some(account.code.clone()),
                balance: Amount(account.credits - account.debits),
                available: None,
                version: account.version,
            },
            direction: if is_debit { Direction::Debit } else { Direction::Credit },
            money: Money::new(signed.abs(), currency(of)?),
        })
    }

    /// Posts one exchange of the largest amount: the record, its entries, and the balances.
    async fn exchange(&mut self) -> Result<()> {
        let instruction = exchange(LARGE, "EUR", "USD", RATE)?;
        let (sold, exact) =
            (LARGE.parse::<Decimal>()?, LARGE.parse::<Decimal>()? * RATE.parse::<Decimal>()?);
        let bought = exact.round_dp(2);
        let legs = vec![
            self.leg("cash", "EUR", -sold)?,
            self.leg("fx_position", "EUR", sold)?,
            self.leg("fx_position", "USD", -exact)?,
            self.leg("cash", "USD", bought)?,
            self.leg("fx_rounding", "USD", exact - bought)?,
        ];
        // The database keeps microseconds.
        let now = Utc::now().trunc_subsecs(6);
        let today = now.date_naive();
        let digest = instruction.digest();
        // A record of version 1.
        let record = JournalRecord {
            author: None,
            instruction: instruction.clone(),
            command_id: MessageId::new(),
            decided_at: now,
            booking_date: today,
            value_date: today,
            outcome: InstructionOutcome::Posted(Posted {
                legs: legs.clone(),
                hold: None,
                reverses: None,
            }),
        };
        self.hash = self.hash.of_next(Hash256(digest), &serde_json::to_string(&record)?);
        self.place += 1;
        self.store(&record, &legs).await
    }

    async fn store(&self, record: &JournalRecord, legs: &[PostedLeg]) -> Result<()> {
        let text = serde_json::to_string(record)?;
        let digest = record.instruction.digest();
        let id = record.instruction.transfer_id.uuid();
        let mut tx = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO journal (chain, transfer_id, digest, place, hash, record)
             VALUES (0, $1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(digest.as_slice())
        .bind(self.place)
        .bind(self.hash.0.as_slice())
        .bind(text)
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE chains SET place = $1, hash = $2 WHERE chain = 0")
            .bind(self.place)
            .bind(self.hash.0.as_slice())
            .execute(&mut *tx)
            .await?;
        for leg in legs {
            let amount = leg.money.amount.decimal();
            let signed = if leg.direction == Direction::Debit { -amount } else { amount };
            sqlx::query("INSERT INTO entries VALUES ($1, $2, $3, $4, $5, $6, $6, $7)")
                .bind(leg.account.account_id.uuid())
                .bind(leg.account.version)
                .bind(id)
                .bind(signed)
                .bind(leg.account.balance.decimal())
                .bind(record.booking_date)
                .bind(record.decided_at)
                .execute(&mut *tx)
                .await?;
        }
        for account in self.accounts.values() {
            sqlx::query(
                "UPDATE accounts SET posted_debits = $2, posted_credits = $3, version = $4
                 WHERE id = $1",
            )
            .bind(account.id.uuid())
            .bind(account.debits)
            .bind(account.credits)
            .bind(account.version)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn a_bank_that_an_old_version_led_beyond_the_bounds_opens_and_is_brought_back(
    bank: Bank,
) -> Result<()> {
    let mut services = bank.start_all(&["accounts", "notifications", "ledger"]).await?;
    let ledger: Instance = services.pop().context("the ledger")?;
    let client = BankClient::new(bank)?;
    event_counts(&client, vec![exchange("2", "EUR", "USD", RATE)?]).await?;
    ledger.stop().await?;
    // The database as it was before this version saw it.
    let before = "DROP FUNCTION mend_totals; DELETE FROM _sqlx_migrations WHERE version = 14";
    client.bank.execute("ledger", before).await?;
    let mut old = OldLedger::of(&client.bank).await?;
    for _ in 0..99 {
        old.exchange().await?;
    }
    let booked = "SELECT (sum(posted_debits - posted_credits) <> 0)::int::bigint FROM accounts
        WHERE currency = 'USD'";
    ensure!(client.bank.number("ledger", booked).await? == 1, "digits were lost");

    client.bank.migrate("ledger").await?;
    ledger.start().await?;
    wait_for("the digits are taken off", PATIENCE, async || {
        Ok(balance(&client, "fx_position", "USD").await.is_ok())
    })
    .await?;
    let now = balance(&client, "fx_position", "USD").await?.to_string();
    ensure!(now == "-97777777788900000.99", "{now}");
    check_books(&client).await?;
    // A posting that would make the balance larger is refused, and one that makes it smaller is
    // posted.
    let large = || exchange(LARGE, "EUR", "USD", RATE);
    let refused = event_counts(&client, vec![large()?]).await?;
    ensure!(refused.get("ledger.instructions.rejected.v1") == Some(&1), "{refused:?}");
    let back: Result<Vec<_>> =
        (0..95).map(|_| exchange("1000000000000000", "USD", "EUR", "1")).collect();
    let back = event_counts(&client, back?).await?;
    ensure!(back.get("ledger.legs.posted.v1") == Some(&95), "{back:?}");
    let again = event_counts(&client, vec![large()?]).await?;
    ensure!(again.get("ledger.legs.posted.v1") == Some(&1), "{again:?}");
    check_books(&client).await?;
    ensure!(client.bank.parked("ledger").await?.is_empty(), "something was parked");
    Ok(())
}
