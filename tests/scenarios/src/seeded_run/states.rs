//! Limits, freezes and closings of accounts, and the transfers that they stop.

use anyhow::Result;
use shared_events::{
    AccountId, Amount,
    accounts::{
        Blocks, ChangeLimits, CloseAccount, EraseHolder, FreezeAccount, SetLimits, SpendingLimit,
        SpendingLimits, UnfreezeAccount,
    },
};

use super::{
    money::{LATER, deposit, hold, pay_out, submit},
    people::{self, People},
    session::Session,
};
use crate::{
    bank_client::{amount, cash, customer},
    instructions::{capture, pay, release},
};

/// Sets and changes limits; each stops a payment.
pub(super) async fn limits(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("limits");
    let account_id = people.hana;
    deposit(session, account_id, "1000").await?;
    let none = SpendingLimits::default();
    let set = |spending| SetLimits { account_id, overdraft_limit: Amount::ZERO, spending };
    let by_transfer = set(Some(SpendingLimits { transfer: Some(amount(100)), ..none }));
    session.send_again(by_transfer, set(Some(none))).await?;
    pay_out(session, account_id, "100.01").await?;
    pay_out(session, account_id, "100").await?;
    session.send(set(Some(SpendingLimits { daily: Some(amount(150)), ..none }))).await?;
    pay_out(session, account_id, "50.01").await?;
    session.send(set(Some(SpendingLimits { monthly: Some(amount(150)), ..none }))).await?;
    pay_out(session, account_id, "50.01").await?;
    session.send(set(None)).await?;
    let nothing = ChangeLimits {
        account_id,
        overdraft_limit: None,
        transfer: None,
        daily: None,
        monthly: None,
        minimum_balance: None,
        lift: vec![],
    };
    let least = ChangeLimits {
        minimum_balance: Some(amount(899)),
        lift: vec![SpendingLimit::Monthly],
        ..nothing.clone()
    };
    session.send_again(least, nothing.clone()).await?;
    pay_out(session, account_id, "1.01").await?;
    pay_out(session, account_id, "1").await?;
    let both = ChangeLimits {
        transfer: Some(amount(1)),
        lift: vec![SpendingLimit::Transfer],
        ..nothing.clone()
    };
    let unknown =
        ChangeLimits { account_id: people.nobody, daily: Some(amount(1)), ..nothing.clone() };
    let negative = ChangeLimits { daily: Some(amount(-1)), ..nothing.clone() };
    let all = vec![SpendingLimit::MinimumBalance, SpendingLimit::Daily, SpendingLimit::Transfer];
    let lifted = ChangeLimits { overdraft_limit: Some(amount(10)), lift: all, ..nothing.clone() };
    for change in [both, unknown, negative, nothing, lifted] {
        session.send(change).await?;
    }
    session.send(SetLimits { account_id: people.nobody, ..set(None) }).await?;
    session.send(SetLimits { overdraft_limit: amount(-1), ..set(None) }).await
}

/// Freezes each direction, and unfreezes.
pub(super) async fn freezes(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("freezes");
    let account_id = people.finn;
    deposit(session, account_id, "50").await?;
    let freeze = |account_id: AccountId, blocks, reason: &str| FreezeAccount {
        account_id,
        blocks,
        reason: reason.to_owned(),
    };
    for blocks in [Blocks::Debits, Blocks::Credits, Blocks::Both] {
        session.send(freeze(account_id, blocks, "a lost card")).await?;
        pay_out(session, account_id, "1").await?;
        deposit(session, account_id, "1").await?;
    }
    session.send(freeze(account_id, Blocks::Both, "another reason")).await?;
    session
        .send_again(UnfreezeAccount { account_id }, UnfreezeAccount { account_id: people.ada })
        .await?;
    pay_out(session, account_id, "1").await?;
    session.send(UnfreezeAccount { account_id }).await?;
    session.send(UnfreezeAccount { account_id: people.nobody }).await?;
    session.send(freeze(people.nobody, Blocks::Both, "x")).await?;
    session.send(freeze(account_id, Blocks::Both, " ")).await?;
    let of_ada = freeze(people.ada, Blocks::Debits, "suspected");
    session.send_again(of_ada, freeze(people.ada, Blocks::Both, "suspected")).await?;
    session.send(UnfreezeAccount { account_id: people.ada }).await
}

/// Closes accounts: empty ones, with a payout, and in vain.
pub(super) async fn closings(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("closings");
    let close = |account_id, payout| CloseAccount { account_id, payout };
    let empty = people::open(session, "kim", "EUR").await?;
    session.send_again(close(empty, None), close(empty, Some(people.ada))).await?;
    session.send(close(empty, None)).await?;
    deposit(session, empty, "1").await?;
    session.send(UnfreezeAccount { account_id: empty }).await?;

    let rich = people::open(session, "lena", "EUR").await?;
    deposit(session, rich, "70.07").await?;
    session.send(close(rich, None)).await?;
    session.send(close(rich, Some(people.dan))).await?;
    session.send(close(rich, Some(people.nobody))).await?;
    session.send(close(rich, Some(rich))).await?;
    let held = hold(session, customer(rich), "20", LATER)?;
    submit(session, vec![held.clone()]).await?;
    session.send(close(rich, Some(people.ada))).await?;
    let captured = session.own(capture(held.transfer_id, Some(amount(5))));
    submit(session, vec![captured]).await?;
    session
        .send(FreezeAccount {
            account_id: rich,
            blocks: Blocks::Debits,
            reason: "in dispute".to_owned(),
        })
        .await?;
    session.send(close(rich, Some(people.ada))).await?;
    session.send(UnfreezeAccount { account_id: rich }).await?;
    session.send(close(rich, Some(people.ada))).await?;
    session.send(close(people.nobody, None)).await?;
    // Open, and closed too recently.
    session.send(EraseHolder { account_id: people.ada }).await?;
    session.send(EraseHolder { account_id: rich }).await?;
    let late = session.own(release(held.transfer_id));
    let into_closed = session.own(pay(cash(), customer(rich), "1", false)?);
    submit(session, vec![late, into_closed]).await
}
