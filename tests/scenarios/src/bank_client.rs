//! A client of a bank with all its services, for most scenarios. Promise: the effect of a call is
//! there when the call returns, and the next step of a scenario can rely on it.

use anyhow::{Context, Result};
use harness::{Bank, PATIENCE, wait_for};
use shared_events::{
    AccountId, Amount, Message, MessageId, Money, Query, TransferId,
    accounts::{AccountActivated, Holder, OpenAccount},
    client::{AskError, Client, SendOptions},
    envelope::RawEnvelope,
    ledger::{
        AccountCode, GetTrialBalance, Party, SubmitTransfers, Transfer, TransfersPosted,
        TransfersRejected, TrialBalanceFound,
    },
    topology::SERVICES,
};

use super::transcript;

/// A client of the bank, and the names of the accounts that it has opened.
pub(crate) struct BankClient {
    pub(crate) bank: Bank,
    client: Client,
    names: Vec<(String, String)>,
}

impl BankClient {
    /// Starts the three services.
    pub(crate) async fn with_services(bank: Bank) -> Result<Self> {
        bank.start_all(&SERVICES).await?;
        Self::new(bank)
    }

    /// A client in a bank whose services the scenario starts itself.
    pub(crate) fn new(bank: Bank) -> Result<Self> {
        let client = bank.client("scenario")?;
        Ok(Self { bank, client, names: vec![] })
    }

    /// Opens an empty account in EUR without overdraft.
    pub(crate) async fn account(&mut self, name: &str) -> Result<AccountId> {
        self.account_with(name, |_| {}).await
    }

    /// Opens an account on other terms. Money can move on it when this returns.
    pub(crate) async fn account_with(
        &mut self,
        name: &str,
        terms: impl FnOnce(&mut OpenAccount),
    ) -> Result<AccountId> {
        let mut command = opening(name)?;
        terms(&mut command);
        let account = command.account_id;
        self.names.push((account.to_string(), name.to_owned()));
        self.request(command).await?;
        self.wait_event(AccountActivated::TYPE, account).await?;
        Ok(account)
    }

    /// Sends a command and returns the events that answer it.
    pub(crate) async fn request<C: Message>(&self, command: C) -> Result<Vec<RawEnvelope>> {
        self.request_as(MessageId::new(), command).await
    }

    /// The same under an id that the scenario chooses.
    pub(crate) async fn request_as<C: Message>(
        &self,
        id: MessageId,
        command: C,
    ) -> Result<Vec<RawEnvelope>> {
        let options = SendOptions { deadline: PATIENCE, ..SendOptions::default() };
        let answer = self.client.request(id, command, &options).await;
        answer.with_context(|| format!("{} {id}", C::TYPE))
    }

    /// Sends a query, and returns its answer.
    pub(crate) async fn query<Q: Query>(&self, query: Q) -> Result<Q::Reply, AskError> {
        self.client.ask(query).await
    }

    /// Sends one transfer, and returns `posted` or the reason why not.
    pub(crate) async fn submit(&self, transfer: Transfer) -> Result<String> {
        let answer = self.request(SubmitTransfers { transfers: vec![transfer] }).await?;
        let event = answer.first().context("a transfer has an outcome")?;
        if event.kind == TransfersPosted::TYPE {
            return Ok("posted".to_owned());
        }
        let rejected = event.read::<TransfersRejected>()?;
        let first = rejected.transfers.first().context("a rejection lists its transfers")?;
        Ok(first.reason.as_str().to_owned())
    }

    /// Pays cash into an account.
    pub(crate) async fn deposit(&self, account: AccountId, amount: &str) -> Result<String> {
        self.submit(transfer(cash(), Party::AccountId(account), amount)?).await
    }

    /// Waits until an event of this type about this account was heard.
    pub(crate) async fn wait_event(&self, kind: &str, account: AccountId) -> Result<()> {
        let subject = account.to_string();
        wait_for(&format!("{kind} of {subject}"), PATIENCE, async || {
            let events = self.bank.events().of_kind(kind).await?;
            Ok(events.iter().any(|event| event.event.subject.as_deref() == Some(&subject)))
        })
        .await
    }

    /// Waits until the notifications service knows every account.
    pub(crate) async fn wait_recipients(&self) -> Result<()> {
        wait_for("every holder is known", PATIENCE, async || {
            let opened = self.bank.number("accounts", "SELECT count(*) FROM accounts").await?;
            let known = "SELECT count(*) FROM recipients";
            Ok(self.bank.number("notifications", known).await? == opened)
        })
        .await
    }

    /// All that was heard so far, one event a line.
    pub(crate) async fn transcript(&self) -> Result<String> {
        Ok(transcript::of(&self.bank.events().events().await?, &self.names))
    }

    /// Waits until what was heard is this story, and says how it differs if it never is. An answer
    /// may be faster than its event.
    pub(crate) async fn expect_transcript(&self, expected: &str) -> Result<()> {
        let actual = wait_for("the story is told", PATIENCE, async || {
            Ok(transcript::compare(&self.transcript().await?, expected).is_ok())
        });
        match actual.await {
            Ok(()) => Ok(()),
            Err(_) => transcript::compare(&self.transcript().await?, expected),
        }
    }

    /// The name under which an account was opened here.
    pub(crate) fn name_of(&self, account: AccountId) -> String {
        let id = account.to_string();
        let found = self.names.iter().find(|(known, _)| *known == id);
        found.map_or(id, |(_, name)| name.clone())
    }

    /// The sums over all accounts.
    pub(crate) async fn trial_balance(&self) -> Result<TrialBalanceFound> {
        Ok(self.query(GetTrialBalance::default()).await?)
    }
}

/// The command that opens an empty account in EUR without overdraft.
pub(crate) fn opening(name: &str) -> Result<OpenAccount> {
    let holder =
        Holder { name: name.to_owned(), email: None, webhook: None, language: "en".to_owned() };
    Ok(OpenAccount {
        account_id: AccountId::new(),
        holder,
        product: "current".to_owned(),
        currency: "EUR".parse()?,
        overdraft_limit: "0".parse()?,
        external_reference: None,
        branch: None,
    })
}

/// A transfer in EUR that nobody has sent before.
pub(crate) fn transfer(debtor: Party, creditor: Party, amount: &str) -> Result<Transfer> {
    let amount: Amount = amount.parse()?;
    Ok(Transfer {
        transfer_id: TransferId::new(),
        debtor,
        creditor,
        money: Money::new(amount.decimal(), "EUR".parse()?),
        reference: None,
        end_to_end_id: None,
        booking_date: None,
    })
}

/// Whole units.
pub(crate) fn amount(units: i64) -> Amount {
    Amount(units.into())
}

/// The bank's own account for cash.
pub(crate) fn cash() -> Party {
    own("cash")
}

/// One of the bank's own accounts.
pub(crate) fn own(code: &str) -> Party {
    Party::Code(AccountCode(code.to_owned()))
}

/// A customer's account.
pub(crate) fn customer(account: AccountId) -> Party {
    Party::AccountId(account)
}
