//! Payments, and an instruction for every reason to reject one.

use anyhow::Result;
use oracle::model::changes::expiry_id;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, TransferId,
    ledger::{
        Action, Hold, Instruction, Party, SubmitInstructions, SubmitTransfers, TRANSFERS_MAX,
        Transfer,
    },
};

use super::{people::People, session::Session};
use crate::{
    bank_client::{amount, cash, customer, own, transfer},
    instructions::{capture, exchange, legs, money, of, pay, release, reverse},
};

/// An expiry within the run, and one after it.
pub(super) const SOON: &str = "2025-03-14T20:00:00Z";
pub(super) const LATER: &str = "2025-08-31T22:00:00Z";

/// Sends instructions in one command.
pub(super) async fn submit(session: &mut Session, instructions: Vec<Instruction>) -> Result<()> {
    session.send(SubmitInstructions { instructions }).await
}

/// Sends one transfer.
async fn send(session: &mut Session, transfer: Transfer) -> Result<()> {
    session.send(SubmitTransfers { transfers: vec![transfer] }).await
}

/// A transfer in euros under an id of the seed.
pub(super) fn euros(
    session: &mut Session,
    debtor: Party,
    creditor: Party,
    amount: &str,
) -> Result<Transfer> {
    let transfer_id = session.transfer_id();
    Ok(Transfer { transfer_id, ..transfer(debtor, creditor, amount)? })
}

/// Pays cash in.
pub(super) async fn deposit(session: &mut Session, to: AccountId, amount: &str) -> Result<()> {
    let deposit = euros(session, cash(), customer(to), amount)?;
    send(session, deposit).await
}

/// Pays cash out.
pub(super) async fn pay_out(session: &mut Session, from: AccountId, amount: &str) -> Result<()> {
    let payment = euros(session, customer(from), cash(), amount)?;
    send(session, payment).await
}

/// A payment of a past day: `amount` with a minus pays out.
pub(super) async fn pay_on(
    session: &mut Session,
    account: AccountId,
    amount: &str,
    day: &str,
) -> Result<()> {
    let payment = match amount.strip_prefix('-') {
        Some(amount) => euros(session, customer(account), cash(), amount)?,
        None => euros(session, cash(), customer(account), amount)?,
    };
    send(session, Transfer { booking_date: Some(day.parse()?), ..payment }).await
}

/// A hold for the card scheme.
pub(super) fn hold(
    session: &mut Session,
    debtor: Party,
    euros: &str,
    expires_at: &str,
) -> Result<Instruction> {
    let (creditor, money) = (own("cards"), money(euros, "EUR")?);
    let expires_at = expires_at.parse()?;
    let hold = Hold { debtor, creditor, money, up_to: false, expires_at };
    Ok(session.own(of(Action::Hold(hold))))
}

/// One transfer for each reason to reject a transfer, and commands that are refused as a whole.
/// Returns the only transfer that is posted.
pub(super) async fn refused_transfers(
    session: &mut Session,
    people: &People,
) -> Result<TransferId> {
    session.transcript.chapter("transfers are rejected");
    let right = euros(session, customer(people.ada), customer(people.bob), "1")?;
    let altered = Transfer { reference: Some("altered".to_owned()), ..right.clone() };
    for transfer in [right.clone(), altered] {
        send(session, transfer).await?;
    }
    let reserved = expiry_id(right.transfer_id);
    session.transcript.names.add(reserved, "reserved id");
    send(session, Transfer { transfer_id: reserved, ..right.clone() }).await?;
    let text = |text: String| Some(text);
    let edits: [&dyn Fn(&mut Transfer); 19] = [
        &|wrong| wrong.money.amount = Amount::ZERO,
        &|wrong| wrong.money.amount = amount(-1),
        &|wrong| wrong.money.amount = Amount(Decimal::new(1, 3)),
        &|wrong| wrong.money.amount = amount(1_000_000_000_000_001),
        &|wrong| wrong.money.currency = "XAU".parse().expect("gold is listed"),
        &|wrong| wrong.money.currency = "HRK".parse().expect("the kuna is listed"),
        &|wrong| wrong.money.currency = "CZK".parse().expect("the koruna is listed"),
        &|wrong| wrong.reference = text("x".repeat(141)),
        &|wrong| wrong.end_to_end_id = text("a\u{7}b".to_owned()),
        &|wrong| wrong.booking_date = "1899-12-31".parse().ok(),
        &|wrong| wrong.booking_date = "2025-04-15".parse().ok(),
        &|wrong| wrong.creditor = customer(people.ada),
        &|wrong| wrong.creditor = customer(people.nobody),
        &|wrong| wrong.debtor = customer(people.nobody),
        &|wrong| wrong.creditor = own("coffee"),
        &|wrong| wrong.creditor = own("settlement:ab"),
        &|wrong| wrong.creditor = customer(people.dan),
        &|wrong| wrong.money.amount = amount(999_999),
        &|wrong| wrong.creditor = own("settlement:AB"),
    ];
    for edit in edits {
        let transfer_id = session.transfer_id();
        let mut wrong = Transfer { transfer_id, ..right.clone() };
        edit(&mut wrong);
        send(session, wrong).await?;
    }
    session.send(SubmitTransfers { transfers: vec![] }).await?;
    submit(session, vec![]).await?;
    let posted = right.transfer_id;
    let transfers = vec![right; TRANSFERS_MAX + 1];
    session.send(SubmitTransfers { transfers }).await?;
    Ok(posted)
}

/// One instruction for each further reason. Returns a hold that stays open, and one that expires.
pub(super) async fn refused_instructions(
    session: &mut Session,
    people: &People,
) -> Result<(TransferId, TransferId)> {
    session.transcript.chapter("instructions are rejected");
    let (ada, fees) = (customer(people.ada), own("fees"));
    let [expired, released, captured, open] =
        [SOON, LATER, LATER, LATER].map(|until| hold(session, cash(), "2", until));
    let (expired, released, captured, open) = (expired?, released?, captured?, open?);
    let [posted, several] = [
        pay(cash(), fees.clone(), "1", false)?,
        legs(&[(cash(), "-3", "EUR"), (fees.clone(), "1", "EUR"), (own("cards"), "2", "EUR")])?,
    ]
    .map(|instruction| session.own(instruction));
    let ids = [&released, &captured, &open, &posted, &several].map(|placed| placed.transfer_id);
    let expired_id = expired.transfer_id;
    let [released_id, captured_id, open_id, posted_id, several_id] = ids;
    submit(session, vec![expired, released, captured, open, posted, several]).await?;
    let reversal = session.own(reverse(posted_id, None));
    let reversal_id = reversal.transfer_id;
    let done = vec![release(released_id), capture(captured_id, None)];
    let mut done: Vec<_> = done.into_iter().map(|instruction| session.own(instruction)).collect();
    done.push(reversal);
    submit(session, done).await?;
    let one = || pay(cash(), ada.clone(), "1", false);
    let past = of(Action::Hold(Hold {
        debtor: ada.clone(),
        creditor: own("cards"),
        money: money("1", "EUR")?,
        up_to: false,
        expires_at: "2025-03-14T10:59:59Z".parse()?,
    }));
    let swap = |sell: &str, code: &str, rate: &str| {
        exchange((cash(), own("fees")), money(sell, "EUR")?, code.parse()?, rate)
    };
    let dinars = |amount: &str| {
        legs(&[(cash(), &format!("-{amount}"), "KWD"), (customer(people.omar), amount, "KWD")])
    };
    let nothing = session.transfer_id();
    let wrong = vec![
        Instruction { value_date: Some("2200-01-01".parse()?), ..one()? },
        past,
        legs(&[(cash(), "-1", "EUR")])?,
        legs(&vec![(cash(), "-1", "EUR"); 101])?,
        legs(&[(cash(), "-1", "EUR"), (ada.clone(), "2", "EUR")])?,
        legs(&[(cash(), "-1", "EUR"), (cash(), "1", "EUR")])?,
        swap("1", "CZK", "0")?,
        swap("1", "CZK", "1.00000000001")?,
        swap("1", "EUR", "1")?,
        swap("0.01", "JPY", "0.1")?,
        capture(nothing, None),
        capture(captured_id, None),
        capture(released_id, None),
        capture(open_id, Some(amount(3))),
        release(nothing),
        release(captured_id),
        reverse(nothing, None),
        reverse(reversal_id, None),
        reverse(posted_id, Some(amount(1))),
        reverse(several_id, Some(amount(1))),
        reverse(several_id, None),
        dinars("999999999999999.999")?,
        dinars("0.001")?,
    ];
    for instruction in wrong {
        let instruction = session.own(instruction);
        submit(session, vec![instruction]).await?;
    }
    refused_group(session, &ada).await?;
    Ok((open_id, expired_id))
}

/// A group in which one instruction is rejected, and the same instructions in another order.
async fn refused_group(session: &mut Session, ada: &Party) -> Result<()> {
    let one = || pay(cash(), ada.clone(), "1", false);
    let group = [one()?, pay(ada.clone(), cash(), "1000000", false)?, one()?, one()?];
    let groups = [Some(7), Some(7), None, Some(8)];
    let group = group.into_iter().zip(groups);
    let group = group.map(|(instruction, group)| session.own(Instruction { group, ..instruction }));
    let group: Vec<Instruction> = group.collect();
    session
        .send_again(
            SubmitInstructions { instructions: group.clone() },
            SubmitInstructions { instructions: group.into_iter().rev().collect() },
        )
        .await
}
