//! Postings with more than a debtor and a creditor. Promise: legs, groups, exchanges and reversals
//! are posted whole or not at all, a dry run shows the later outcome, and the same command again
//! has the same outcome.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, facts};
use shared_events::{
    AccountId, Amount, Total,
    ledger::{Action, Hold, Instruction, Party},
};

use super::{
    bank_client::{BankClient, amount, cash, customer, own},
    instructions::{A_DAY, capture, exchange, hold, legs, money, pay, reverse},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        legs_of_several_currencies_are_posted_all_or_none,
        a_group_is_done_whole_or_not_at_all_beside_what_stands_alone,
        a_transfer_up_to_an_amount_moves_the_available_part,
        an_exchange_books_the_rounding_difference,
        a_transfer_is_reversed_in_parts_up_to_all_of_it,
    ]
}

/// Asks each on its own, and compares what became of it.
async fn check(client: &BankClient, steps: Vec<(Instruction, &str)>) -> Result<()> {
    for (instruction, then) in steps {
        let actual = client.outcome_of(instruction.clone()).await?;
        ensure!(actual == then, "{actual}\nand not\n{then}\nfor {instruction:?}");
    }
    Ok(())
}

async fn with_money(client: &mut BankClient, name: &str, euros: &str) -> Result<AccountId> {
    let account = client.account(name).await?;
    client.deposit(account, euros).await?;
    Ok(account)
}

async fn legs_of_several_currencies_are_posted_all_or_none(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = with_money(&mut client, "alice", "100").await?;
    let bob = client.account("bob").await?;
    let yuki = client
        .account_with("yuki", |command| command.currency = "JPY".parse().expect("yen"))
        .await?;
    let [a, b, y] = [alice, bob, yuki].map(customer);
    let (fees, cash) = (own("fees"), cash());
    let two = legs(&[(a.clone(), "-10", "EUR"), (b.clone(), "10", "EUR")])?;
    let four = |out: &str| {
        let yen = [(y.clone(), "300", "JPY"), (cash.clone(), "-300", "JPY")];
        let rest = if out == "-20" { "19.50" } else { "99.50" };
        let euros =
            [(a.clone(), out, "EUR"), (b.clone(), rest, "EUR"), (fees.clone(), "0.50", "EUR")];
        legs(&[&euros[..], &yen[..]].concat())
    };
    check(
        &client,
        vec![
            (two, "posted -10 alice 90 (90); +10 bob 10 (10)"),
            (
                four("-20")?,
                "posted -20 alice 70 (70); +19.5 bob 29.5 (29.5); +0.5 fees 0.5; \
                 +300 yuki 300 (300); -300 cash -300",
            ),
            (four("-100")?, "insufficient_funds"),
        ],
    )
    .await?;
    // The most legs that there can be: from alice to 99 banks.
    let banks: Vec<Party> = (1..100).map(|n| own(&format!("settlement:B{n}"))).collect();
    let credits = banks.iter().map(|bank| (bank.clone(), "0.50", "EUR"));
    let most: Vec<_> = std::iter::once((a, "-49.50", "EUR")).chain(credits).collect();
    let actual = client.outcome_of(legs(&most)?).await?;
    ensure!(
        actual.starts_with("posted -49.5 alice 20.5 (20.5); +0.5 settlement:B1 0.5;"),
        "{actual}"
    );
    ensure!(actual.matches("+0.5 settlement:").count() == 99, "{actual}");
    balanced(&client).await
}

/// Debits equal credits, for each currency.
async fn balanced(client: &BankClient) -> Result<()> {
    let sums = client.trial_balance().await?;
    for line in &sums.lines {
        let same =
            |other: &&shared_events::ledger::TrialBalanceLine| other.currency == line.currency;
        let sum = Total::sum(sums.lines.iter().filter(same).map(|line| line.balance));
        ensure!(sum == Some(Total::ZERO), "{} {sum:?}: {sums:?}", line.currency);
    }
    Ok(())
}

async fn a_group_is_done_whole_or_not_at_all_beside_what_stands_alone(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = with_money(&mut client, "alice", "10").await?;
    let bob = client.account("bob").await?;
    let pays = |euros, group| -> Result<Instruction> {
        Ok(Instruction { group, ..pay(customer(alice), customer(bob), euros, false)? })
    };
    let held = Instruction { group: Some(1), ..hold(customer(alice), own("cards"), "3", A_DAY)? };
    let captured = Instruction { group: Some(1), ..capture(held.transfer_id, None) };
    let actual = client
        .outcomes_of(vec![
            pays("1", None)?,
            held,
            pays("2", Some(2))?,
            pays("50", None)?,
            captured,
            pays("5", Some(2))?,
            pays("1", Some(1))?,
            pays("1", None)?,
        ])
        .await?;
    let expected = [
        "posted -1 alice 9 (9); +1 bob 1 (1)",
        // Group 1 is decided where its first member stands, and is done.
        "held 3.00 EUR: alice 9 (6); cards 0",
        // Group 2: the first could be done, but the second cannot.
        "group_rejected",
        "insufficient_funds",
        "posted -3 alice 6 (6); +3 cards 3; 0 still held, 0 given back",
        "insufficient_funds",
        "posted -1 alice 5 (5); +1 bob 2 (2)",
        "posted -1 alice 4 (4); +1 bob 3 (3)",
    ];
    ensure!(actual == expected, "{actual:#?}");
    Ok(())
}

async fn a_transfer_up_to_an_amount_moves_the_available_part(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account_with("alice", |command| command.overdraft_limit = amount(5)).await?;
    client.deposit(alice, "10").await?;
    let all = |euros| pay(customer(alice), own("fees"), euros, true);
    let mut held = hold(customer(alice), own("cards"), "100", A_DAY)?;
    if let Action::Hold(hold) = &mut held.action {
        *hold = Hold { up_to: true, ..hold.clone() };
    }
    check(
        &client,
        vec![
            (all("4")?, "posted -4 alice 6 (11); +4 fees 4"),
            (all("8")?, "posted -8 alice -2 (3); +8 fees 12"),
            (held, "held 3.00 EUR: alice -2 (0); cards 0"),
            (all("1")?, "insufficient_funds"),
        ],
    )
    .await
}

async fn an_exchange_books_the_rounding_difference(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = with_money(&mut client, "alice", "100").await?;
    let yuki = client
        .account_with("yuki", |command| command.currency = "JPY".parse().expect("yen"))
        .await?;
    let sell = |euros, rate| {
        let sides = (customer(alice), customer(yuki));
        exchange(sides, money(euros, "EUR")?, "JPY".parse()?, rate)
    };
    let first = sell("10.01", "162.345")?;
    let id = first.transfer_id;
    check(
        &client,
        vec![
            // 1,625.07345 yen become 1,625: the bank keeps the rest.
            (
                first,
                "posted -10.01 alice 89.99 (89.99); +10.01 fx_position 10.01; \
                 -1625.07345 fx_position -1625.07345; +1625 yuki 1625 (1625); \
                 +0.07345 fx_rounding 0.07345",
            ),
            // 162.6 yen become 163: the bank pays the difference.
            (
                sell("1", "162.6")?,
                "posted -1 alice 88.99 (88.99); +1 fx_position 11.01; \
                 -162.6 fx_position -1787.67345; +163 yuki 1788 (1788); \
                 -0.4 fx_rounding -0.32655",
            ),
            // Nothing to round, nothing to book.
            (
                sell("1", "162")?,
                "posted -1 alice 87.99 (87.99); +1 fx_position 12.01; \
                 -162 fx_position -1949.67345; +162 yuki 1950 (1950)",
            ),
            (sell("0.01", "0.1")?, "amount_not_positive"),
            (sell("88", "162")?, "insufficient_funds"),
            (reverse(id, Some(amount(1))), "not_reversible"),
            (
                reverse(id, None),
                "posted -0.07345 fx_rounding -0.4; -1625 yuki 325 (325); \
                 +1625.07345 fx_position -324.6; -10.01 fx_position 2; +10.01 alice 98 (98)",
            ),
            (reverse(id, None), "exceeds_original"),
        ],
    )
    .await?;
    balanced(&client).await
}

async fn a_transfer_is_reversed_in_parts_up_to_all_of_it(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = with_money(&mut client, "alice", "30").await?;
    let bob = client.account("bob").await?;
    let original = pay(customer(alice), customer(bob), "30", false)?;
    let id = original.transfer_id;
    let first = reverse(id, Some(amount(10)));
    let back = first.transfer_id;
    let part = |euros: &str| -> Result<Instruction> { Ok(reverse(id, Some(euros.parse()?))) };
    check(
        &client,
        vec![
            (original, "posted -30 alice 0 (0); +30 bob 30 (30)"),
            (first, "posted -10 bob 20 (20); +10 alice 10 (10)"),
            (part("20.01")?, "exceeds_original"),
            (reverse(back, None), "not_reversible"),
            (part("4.50")?, "posted -4.5 bob 15.5 (15.5); +4.5 alice 14.5 (14.5)"),
            (pay(customer(bob), cash(), "1", false)?, "posted -1 bob 14.5 (14.5); +1 cash -29"),
            // Money that bob has spent cannot come back.
            (reverse(id, None), "insufficient_funds"),
            (part("14.50")?, "posted -14.5 bob 0 (0); +14.5 alice 29 (29)"),
        ],
    )
    .await?;
    client.deposit(bob, "1").await?;
    let rest = reverse(id, None);
    let last = rest.transfer_id;
    check(
        &client,
        vec![
            (rest, "posted -1 bob 0 (0); +1 alice 30 (30)"),
            (reverse(id, None), "exceeds_original"),
        ],
    )
    .await?;
    ensure!(client.instruction(id).await?.reversed == Some(amount(30)));
    let linked = serde_json::to_value(client.instruction(last).await?.record.outcome)?;
    ensure!(linked["posted"]["reverses"] == id.to_string(), "{linked}");
    ensure!(client.instruction(last).await?.reversed.unwrap_or(Amount::ZERO) == Amount::ZERO);
    Ok(())
}
