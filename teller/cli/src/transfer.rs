//! `teller deposit`, `withdraw`, `transfer` and `transfer-status`.

use clap::Args;
use serde::Serialize;
use shared_events::{
    Currency, MessageId, TransferId,
    ledger::{AccountAfter, AccountCode, Action, Payment, PostedTransfer, TransferFound},
};
use teller_client::{
    Outcome, Refusal,
    input::{self, InvalidInput, PartyName},
};
use uuid::Uuid;

use crate::{
    failure::Failure,
    instruct::{Details, carry_out},
    output::{Text, card, digits, or_empty},
    session::Session,
};

#[derive(Debug, Args)]
pub(crate) struct Deposit {
    /// The account: id, IBAN or external reference
    account: String,
    #[command(flatten)]
    terms: Terms,
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// The account: id, IBAN or external reference
    account: String,
    #[command(flatten)]
    terms: Terms,
}

#[derive(Debug, Args)]
pub(crate) struct Between {
    /// The debtor: id, IBAN, external reference or code:<CODE>
    debtor: String,
    /// The creditor: id, IBAN, external reference or code:<CODE>
    creditor: String,
    #[command(flatten)]
    terms: Terms,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The transfer's id: the --id that it was sent with
    transfer_id: Uuid,
}

#[derive(Debug, Args)]
struct Terms {
    /// How much, such as 12.50
    amount: String,
    /// The currency, such as EUR
    currency: String,
    /// Move less if less is available, but not nothing
    #[arg(long)]
    up_to: bool,
    #[command(flatten)]
    details: Details,
}

impl Deposit {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let account = input::account("account", &self.account).map(PartyName::Account)?;
        self.terms.send(session, cash(), account).await
    }
}

impl Withdraw {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let account = input::account("account", &self.account).map(PartyName::Account)?;
        self.terms.send(session, account, cash()).await
    }
}

impl Between {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let debtor = input::party("debtor", &self.debtor)?;
        let creditor = input::party("creditor", &self.creditor)?;
        self.terms.send(session, debtor, creditor).await
    }
}

fn cash() -> PartyName {
    PartyName::Code(AccountCode("cash".to_owned()))
}

impl Terms {
    async fn send(
        self,
        session: &mut Session,
        debtor: PartyName,
        creditor: PartyName,
    ) -> Result<(), Failure> {
        if debtor == creditor {
            return Err(InvalidInput::new("creditor", "must not be the debtor").into());
        }
        let money = input::money(&self.amount, &self.currency)?;
        let details = self.details.checked()?;
        let bank = session.bank().await?;
        let (debtor, creditor) = (bank.resolve(&debtor).await?, bank.resolve(&creditor).await?);
        let sending = self.details.sending();
        let id = sending.id(session);
        let payment = Payment { debtor, creditor, money, up_to: self.up_to };
        let instruction = details.instruction(id, Action::Transfer(payment));
        if sending.dry_run {
            return carry_out(session, &bank, (id, true), instruction).await;
        }
        let outcome = bank.instruct_transfer(id, instruction).await?;
        show(session, id, outcome)
    }
}

#[derive(Serialize)]
struct Sent {
    id: MessageId,
    #[serde(flatten)]
    outcome: Outcome,
}

/// A rejection is a result for a program, which gets the whole of it, and a refusal.
fn show(session: &mut Session, id: MessageId, outcome: Outcome) -> Result<(), Failure> {
    let sent = Sent { id, outcome };
    match &sent.outcome {
        Outcome::Posted(transfer) => {
            session.out.show(&sent, || describe(transfer))?;
            Ok(())
        }
        Outcome::Rejected(rejected) => {
            if session.json() {
                session.out.show(&sent, Text::default)?;
            }
            let from = &rejected.debtor;
            let message = format!("{} from {from} to {}", rejected.money, rejected.creditor);
            let refusal = Refusal::new(&rejected.reason, message);
            Err(teller_client::TellerError::from(refusal).into())
        }
    }
}

fn describe(transfer: &PostedTransfer) -> Text {
    let currency = transfer.money.currency;
    card(&[
        ("posted", transfer.transfer_id.to_string()),
        ("amount", transfer.money.to_string()),
        ("debtor", side(&transfer.debtor, currency)),
        ("creditor", side(&transfer.creditor, currency)),
        ("reference", or_empty(transfer.reference.as_ref())),
        ("end-to-end id", or_empty(transfer.end_to_end_id.as_ref())),
        ("booked on", transfer.booking_date.to_string()),
        ("value date", or_empty(transfer.value_date.as_ref())),
    ])
}

fn side(account: &AccountAfter, currency: Currency) -> String {
    let name = match &account.code {
        Some(code) => code.to_string(),
        None => account.account_id.to_string(),
    };
    format!("{name}, balance {}", digits(account.balance, currency))
}

impl Status {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let bank = session.bank().await?;
        let found = bank.transfer_status(TransferId(self.transfer_id)).await?;
        session.out.show(&found, || describe_found(&found))?;
        Ok(())
    }
}

fn describe_found(found: &TransferFound) -> Text {
    let status = match &found.reason {
        Some(reason) => format!("{}: {reason}", found.status),
        None => found.status.to_string(),
    };
    card(&[
        ("transfer", found.transfer_id.to_string()),
        ("status", status),
        ("amount", found.money.to_string()),
        ("debtor", found.debtor.to_string()),
        ("creditor", found.creditor.to_string()),
        ("reference", or_empty(found.reference.as_ref())),
        ("end-to-end id", or_empty(found.end_to_end_id.as_ref())),
        ("booked on", found.booking_date.to_string()),
        ("decided at", found.decided_at.to_rfc3339()),
    ])
}
