//! Transfers, balances and the trial balance.

use std::collections::HashMap;

use shared_events::{
    AccountId, Currency, Message, MessageId, Money, TransferId,
    accounts::Blocks,
    envelope::RawEnvelope,
    ledger::{
        BalanceFound, GetBalance, GetTransfer, GetTrialBalance, LedgerStatus, MonitorRaised, Party,
        SubmitTransfers, Transfer, TransferFound, TransfersPosted, TransfersRejected,
        TrialBalanceFound,
    },
    refusal::MessageRefused,
};

use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    error::{TellerError, unexpected},
    outcome::{Outcome, transfer_outcome},
    teller::{Teller, refusal_in},
};

/// A transfer with the id of its command, and with no optional field.
#[must_use]
pub const fn transfer(id: MessageId, debtor: Party, creditor: Party, money: Money) -> Transfer {
    Transfer {
        transfer_id: TransferId(id.0),
        debtor,
        creditor,
        money,
        reference: None,
        end_to_end_id: None,
        booking_date: None,
    }
}

impl Teller {
    /// Posts one transfer. `Ok` with its outcome, posted or rejected.
    pub async fn transfer(
        &self,
        id: MessageId,
        transfer: Transfer,
    ) -> Result<Outcome, TellerError> {
        let mut outcomes = self.submit(id, vec![transfer]).await?;
        outcomes.pop().ok_or_else(|| unexpected(&[]))
    }

    /// Posts 1 to 1,000 transfers, each for itself, in this order. Returns the outcome of each, in
    /// the same order.
    pub async fn submit(
        &self,
        id: MessageId,
        transfers: Vec<Transfer>,
    ) -> Result<Vec<Outcome>, TellerError> {
        let ids: Vec<TransferId> = transfers.iter().map(|transfer| transfer.transfer_id).collect();
        let command = SubmitTransfers { transfers };
        let events = self.client.request(id, command, &self.options(None)).await?;
        self.outcomes(&ids, &events).await
    }

    /// The outcome of each transfer, by the events that answer their command.
    pub(crate) async fn outcomes(
        &self,
        ids: &[TransferId],
        events: &[RawEnvelope],
    ) -> Result<Vec<Outcome>, TellerError> {
        self.completed(ids, events, outcomes_by_id(events)?, transfer_outcome).await
    }

    /// The balance of an account now.
    pub async fn balance(
        &self,
        account: Party,
        currency: Option<Currency>,
    ) -> Result<BalanceFound, TellerError> {
        self.ask(GetBalance { account, currency }).await
    }

    /// Waits until the ledger refuses this on an account; or nothing. A freeze is asked of the
    /// accounts service; it stops money once the ledger has followed.
    pub async fn until_ledger_refuses(
        &self,
        account_id: AccountId,
        blocks: Option<Blocks>,
    ) -> Result<(), TellerError> {
        let (until, mut backoff) = (self.until(), Backoff::start());
        let status = if blocks.is_some() { LedgerStatus::Frozen } else { LedgerStatus::Active };
        let followed = |found: BalanceFound| {
            // Earlier versions of the ledger do not name the refused direction.
            found.status == status && (found.blocks.is_none() || found.blocks == blocks)
        };
        while !followed(self.balance(Party::AccountId(account_id), None).await?) {
            if Instant::now() >= until {
                let late = format!("the ledger has not followed the change of {account_id} yet");
                return Err(TellerError::NoAnswer(late.into()));
            }
            backoff.wait().await;
        }
        Ok(())
    }

    /// The status of a transfer. Refused (`not_found`) where the ledger has not decided on the
    /// transfer.
    pub async fn transfer_status(
        &self,
        transfer_id: TransferId,
    ) -> Result<TransferFound, TellerError> {
        self.ask(GetTransfer { transfer_id }).await
    }

    /// The sums over all accounts, over as many pages as it takes.
    pub async fn trial_balance(&self) -> Result<TrialBalanceFound, TellerError> {
        let mut query = GetTrialBalance { in_pages: true, after: None };
        let mut whole = self.ask(query.clone()).await?;
        while let Some(next) = whole.next.take() {
            query.after = Some(next);
            let page = self.ask(query.clone()).await?;
            whole.lines.extend(page.lines);
            whole.next = page.next;
        }
        Ok(whole)
    }
}

/// The outcomes of transfers, out of the events that answer their command.
fn outcomes_by_id(events: &[RawEnvelope]) -> Result<HashMap<TransferId, Outcome>, TellerError> {
    let mut known = HashMap::new();
    for event in events {
        match event.kind.as_str() {
            TransfersPosted::TYPE => {
                let posted: TransfersPosted = event.read()?;
                let posted = posted.transfers.into_iter().map(Outcome::Posted);
                known.extend(posted.map(|outcome| (outcome.transfer_id(), outcome)));
            }
            TransfersRejected::TYPE => {
                let rejected: TransfersRejected = event.read()?;
                let rejected = rejected.transfers.into_iter().map(Outcome::Rejected);
                known.extend(rejected.map(|outcome| (outcome.transfer_id(), outcome)));
            }
            MonitorRaised::TYPE | MessageRefused::TYPE => {}
            _ => return Err(refusal_in(events)),
        }
    }
    Ok(known)
}
