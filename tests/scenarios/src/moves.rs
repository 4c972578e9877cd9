//! Money that moves otherwise than from one to another. Promise: legs, groups, exchanges and
//! reversals are done whole or not at all, a dry run tells what then happens, and the same again
//! is told the same.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, facts};
use shared_events::{
    AccountId, Amount, Total,
    ledger::{Action, Hold, Instruction, Party},
};

use super::{
    asked::{A_DAY, capture, exchange, hold, legs, money, pay, reverse},
    desk::{Desk, amount, cash, customer, own},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        legs_of_several_currencies_are_posted_all_or_none,
        a_group_is_done_whole_or_not_at_all_beside_what_stands_alone,
        up_to_moves_what_there_is,
        an_exchange_books_what_rounding_gives_and_takes,
        a_transfer_is_reversed_in_parts_up_to_all_of_it,
    ]
}

/// Asks each on its own, and compares what became of it.
async fn check(desk: &Desk, steps: Vec<(Instruction, &str)>) -> Result<()> {
    for (instruction, then) in steps {
        let told = desk.ask_one(instruction.clone()).await?;
        ensure!(told == then, "{told}\nand not\n{then}\nfor {instruction:?}");
    }
    Ok(())
}

async fn with_money(desk: &mut Desk, name: &str, euros: &str) -> Result<AccountId> {
    let account = desk.account(name).await?;
    desk.deposit(account, euros).await?;
    Ok(account)
}

async fn legs_of_several_currencies_are_posted_all_or_none(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = with_money(&mut desk, "alice", "100").await?;
    let bob = desk.account("bob").await?;
    let yuki = desk.account_with("yuki", |it| it.currency = "JPY".parse().expect("yen")).await?;
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
        &desk,
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
    let credits = banks.iter().map(|it| (it.clone(), "0.50", "EUR"));
    let most: Vec<_> = std::iter::once((a, "-49.50", "EUR")).chain(credits).collect();
    let told = desk.ask_one(legs(&most)?).await?;
    ensure!(told.starts_with("posted -49.5 alice 20.5 (20.5); +0.5 settlement:B1 0.5;"), "{told}");
    ensure!(told.matches("+0.5 settlement:").count() == 99, "{told}");
    balanced(&desk).await
}

/// Debits equal credits, for each currency.
async fn balanced(desk: &Desk) -> Result<()> {
    let sums = desk.trial_balance().await?;
    for line in &sums.lines {
        let same = |it: &&shared_events::ledger::TrialBalanceLine| it.currency == line.currency;
        let sum = Total::sum(sums.lines.iter().filter(same).map(|line| line.balance));
        ensure!(sum == Some(Total::ZERO), "{} {sum:?}: {sums:?}", line.currency);
    }
    Ok(())
}

async fn a_group_is_done_whole_or_not_at_all_beside_what_stands_alone(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = with_money(&mut desk, "alice", "10").await?;
    let bob = desk.account("bob").await?;
    let pays = |euros, group| -> Result<Instruction> {
        Ok(Instruction { group, ..pay(customer(alice), customer(bob), euros, false)? })
    };
    let held = Instruction { group: Some(1), ..hold(customer(alice), own("cards"), "3", A_DAY)? };
    let captured = Instruction { group: Some(1), ..capture(held.transfer_id, None) };
    let told = desk
        .ask(vec![
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
    ensure!(told == expected, "{told:#?}");
    Ok(())
}

async fn up_to_moves_what_there_is(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = desk.account_with("alice", |it| it.overdraft_limit = amount(5)).await?;
    desk.deposit(alice, "10").await?;
    let all = |euros| pay(customer(alice), own("fees"), euros, true);
    let mut held = hold(customer(alice), own("cards"), "100", A_DAY)?;
    if let Action::Hold(it) = &mut held.action {
        *it = Hold { up_to: true, ..it.clone() };
    }
    check(
        &desk,
        vec![
            (all("4")?, "posted -4 alice 6 (11); +4 fees 4"),
            (all("8")?, "posted -8 alice -2 (3); +8 fees 12"),
            (held, "held 3.00 EUR: alice -2 (0); cards 0"),
            (all("1")?, "insufficient_funds"),
        ],
    )
    .await
}

async fn an_exchange_books_what_rounding_gives_and_takes(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = with_money(&mut desk, "alice", "100").await?;
    let yuki = desk.account_with("yuki", |it| it.currency = "JPY".parse().expect("yen")).await?;
    let sell = |euros, rate| {
        let sides = (customer(alice), customer(yuki));
        exchange(sides, money(euros, "EUR")?, "JPY".parse()?, rate)
    };
    let first = sell("10.01", "162.345")?;
    let id = first.transfer_id;
    check(
        &desk,
        vec![
            // 1,625.07345 yen are 1,625: what is left over is the bank's.
            (
                first,
                "posted -10.01 alice 89.99 (89.99); +10.01 fx_position 10.01; \
                 -1625.07345 fx_position -1625.07345; +1625 yuki 1625 (1625); \
                 +0.07345 fx_rounding 0.07345",
            ),
            // 162.6 yen are 163: what is missing is the bank's, too.
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
    balanced(&desk).await
}

async fn a_transfer_is_reversed_in_parts_up_to_all_of_it(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = with_money(&mut desk, "alice", "30").await?;
    let bob = desk.account("bob").await?;
    let original = pay(customer(alice), customer(bob), "30", false)?;
    let id = original.transfer_id;
    let first = reverse(id, Some(amount(10)));
    let back = first.transfer_id;
    let part = |euros: &str| -> Result<Instruction> { Ok(reverse(id, Some(euros.parse()?))) };
    check(
        &desk,
        vec![
            (original, "posted -30 alice 0 (0); +30 bob 30 (30)"),
            (first, "posted -10 bob 20 (20); +10 alice 10 (10)"),
            (part("20.01")?, "exceeds_original"),
            (reverse(back, None), "not_reversible"),
            (part("4.50")?, "posted -4.5 bob 15.5 (15.5); +4.5 alice 14.5 (14.5)"),
            (pay(customer(bob), cash(), "1", false)?, "posted -1 bob 14.5 (14.5); +1 cash -29"),
            // What bob has spent cannot come back.
            (reverse(id, None), "insufficient_funds"),
            (part("14.50")?, "posted -14.5 bob 0 (0); +14.5 alice 29 (29)"),
        ],
    )
    .await?;
    desk.deposit(bob, "1").await?;
    let rest = reverse(id, None);
    let last = rest.transfer_id;
    check(
        &desk,
        vec![
            (rest, "posted -1 bob 0 (0); +1 alice 30 (30)"),
            (reverse(id, None), "exceeds_original"),
        ],
    )
    .await?;
    ensure!(desk.found(id).await?.reversed == Some(amount(30)));
    let linked = serde_json::to_value(desk.found(last).await?.record.outcome)?;
    ensure!(linked["posted"]["reverses"] == id.to_string(), "{linked}");
    ensure!(desk.found(last).await?.reversed.unwrap_or(Amount::ZERO) == Amount::ZERO);
    Ok(())
}
