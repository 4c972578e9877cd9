//! Queries of all services about the bank that a run has left.

use anyhow::Result;
use shared_events::{
    AccountId, TransferId,
    accounts::{AccountKey, GetAccount, ListAccounts},
    ids::OrderId,
    ledger::{
        AsOf, BooksPart, CHAINS, FindEntries, FindPayments, GetBalance, GetBalanceAt, GetBooks,
        GetInstruction, GetInterest, GetJournal, GetOrder, GetPeriod, GetStatement, GetTransfer,
        GetTrialBalance, ListMonitors, ListOrders, Party, PaymentName, PreviewInstructions,
    },
    notifications::{GetPreferences, ListNotifications},
};

use super::{money::hold, people::People, session::Session};
use crate::{
    bank_client::{cash, customer, own},
    instructions::pay,
};

/// Asks every kind of query, and some that are refused.
pub(super) async fn ask_all(
    session: &mut Session,
    people: &People,
    instructions: [TransferId; 2],
    orders: Vec<OrderId>,
) -> Result<()> {
    session.transcript.chapter("queries");
    for key in [
        AccountKey::AccountId(people.ada),
        AccountKey::ExternalReference("legacy-1".to_owned()),
        AccountKey::AccountId(people.nobody),
    ] {
        session.ask(GetAccount { key }).await?;
    }
    session.ask(ListAccounts::default()).await?;
    session.ask(GetTrialBalance::default()).await?;
    for account in [people.ada, people.hana, people.finn, people.nobody] {
        session.ask(balance(customer(account), None)?).await?;
    }
    session.ask(balance(own("fees"), Some("EUR"))?).await?;
    for as_of in [AsOf::ValueDate("2025-02-15".parse()?), AsOf::BookingDate("2025-03-14".parse()?)]
    {
        session.ask(GetBalanceAt { account: customer(people.ivo), currency: None, as_of }).await?;
    }
    statements(session, people).await?;
    for transfer_id in instructions {
        session.ask(GetInstruction { transfer_id }).await?;
        session.ask(GetTransfer { transfer_id }).await?;
    }
    session.ask(ListMonitors { account_id: people.jana }).await?;
    session.ask(ListOrders { account_id: people.jana }).await?;
    for order_id in orders {
        let (account_id, before, limit) = (people.jana, None, None);
        session.ask(GetOrder { account_id, order_id, before, limit }).await?;
    }
    let from = "2025-01-01".parse()?;
    let to = "2025-04-30".parse()?;
    let interest = GetInterest { account_id: people.ivo, from, to, known_at: None };
    session.ask(interest.clone()).await?;
    session.ask(GetInterest { from: to, to: from, ..interest }).await?;
    session.ask(GetPeriod {}).await?;
    for part in [BooksPart::Accounts, BooksPart::Holds, BooksPart::Reversals, BooksPart::Entries] {
        session.ask(GetBooks { part, from: None, limit: Some(1_000) }).await?;
    }
    for chain in 0..=CHAINS {
        session.ask(GetJournal { chain, after: None, limit: Some(2) }).await?;
    }
    session.ask(GetPreferences { account_id: people.ada }).await?;
    session.ask(GetPreferences { account_id: people.nobody }).await?;
    let of_ada = Some(people.ada);
    session.ask(ListNotifications { account_id: of_ada, before: None, limit: Some(30) }).await?;
    session.ask(ListNotifications { account_id: of_ada, before: None, limit: Some(0) }).await
}

fn balance(account: Party, code: Option<&str>) -> Result<GetBalance> {
    Ok(GetBalance { account, currency: code.map(str::parse).transpose()? })
}

async fn statements(session: &mut Session, people: &People) -> Result<()> {
    let of = |account: AccountId| GetStatement {
        account: customer(account),
        currency: None,
        from: None,
        to: None,
        after: None,
        limit: None,
        totals: true,
        until: None,
    };
    session.ask(of(people.ivo)).await?;
    session.ask(of(people.jana)).await?;
    session.ask(GetStatement { limit: Some(3), ..of(people.ada) }).await?;
    session.ask(of(people.nobody)).await?;
    let find = FindEntries {
        account: customer(people.ada),
        currency: None,
        reference: Some("rent".to_owned()),
        end_to_end_id: None,
        counterparty: Some(cash()),
        direction: None,
        amount_min: None,
        amount_max: None,
        from: None,
        to: None,
        after: None,
        limit: None,
    };
    session.ask(find).await?;
    let name = PaymentName::EndToEndId("E2E-7".to_owned());
    session.ask(FindPayments { name, after: None, limit: Some(5) }).await?;
    let [payment, rejected] = [
        pay(cash(), customer(people.ada), "1", false)?,
        pay(customer(people.ada), own("tea"), "1", false)?,
    ]
    .map(|instruction| session.own(instruction));
    let held = hold(session, customer(people.ada), "5", super::money::LATER)?;
    let transfer_id = payment.transfer_id;
    let instructions = vec![payment, rejected, held];
    session.ask(PreviewInstructions { instructions }).await?;
    session.ask(GetInstruction { transfer_id }).await?;
    session.ask(GetTransfer { transfer_id }).await
}
