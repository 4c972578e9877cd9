//! The consumers of the three subscriptions. Promise: every event makes its notifications once;
//! every command is answered by one event; a command for an account that is not known here yet
//! waits, because the accounts service may have opened the account a moment ago, and is refused in
//! the end.

use std::{sync::Arc, time::Duration};

use shared_events::{
    AccountId,
    access::{Act, Rights, Verdict},
    messaging::{
        Answer, Asker, HandleError, Handler, Idempotency, Outcome, QueryHandler, Received, Tx,
    },
    notifications::{
        GetPreferences, NotificationsReason, RecoverDeliveries, ResendDelivery, SetPreferences,
    },
    refusal::MessageRefused,
};

use super::{
    inbound::{self, InvalidField, NotifiableEvent, NotificationsCommand, NotificationsQuery},
    outbound::{self, Refusal},
};
use crate::{
    deliveries::{
        Wakeup,
        command::{self as deliveries, ResendOutcome},
    },
    notifications,
    recipients::{self, command::PreferencesOutcome},
};

/// Consumes `notifications.events`.
pub(crate) struct NotifiableEvents {
    /// The delay between a notification and the first attempt of its deliveries.
    first_delay: Duration,
    wakeup: Arc<Wakeup>,
}

impl NotifiableEvents {
    pub(crate) const fn new(first_delay: Duration, wakeup: Arc<Wakeup>) -> Self {
        Self { first_delay, wakeup }
    }
}

impl Handler for NotifiableEvents {
    type Message = NotifiableEvent;
    /// Ids of notifications follow from events, and profiles of holders have versions: the tables
    /// show which events were handled, and the inbox would add nothing. So an event may be handled
    /// in part and come again for the rest.
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<NotifiableEvent>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let events = batch.iter().map(inbound::event).collect();
        let unknown =
            notifications::notify_in_tx(tx, events, self.first_delay, &self.wakeup).await?;
        Ok(unknown.iter().map(outbound::notified).collect())
    }
}

/// Consumes `notifications.commands`.
pub(crate) struct NotificationCommands {
    wakeup: Arc<Wakeup>,
}

impl Handler for NotificationCommands {
    type Message = NotificationsCommand;

    /// One statement for each command: they are rare.
    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<NotificationsCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            let outcome = match received.message() {
                NotificationsCommand::SetPreferences(command) => {
                    set_preferences_in_tx(tx, received, command).await
                }
                NotificationsCommand::Resend(command) => self.resend_in_tx(tx, command).await,
                NotificationsCommand::Recover(command) => self.recover_in_tx(tx, command).await,
            };
            outcomes.push(match outcome {
                Ok(outcome) => outcome,
                Err(CommandError::Refused(refusal)) => refuse(received, refusal),
                Err(CommandError::Database(error)) => return Err(error.into()),
            });
        }
        Ok(outcomes)
    }

    fn conflict(&self, received: &Received<NotificationsCommand>) -> Outcome {
        let message = "this command id was used before, with other content".to_owned();
        refuse(received, Refusal::new(NotificationsReason::IdempotencyConflict, message))
    }

    fn not_permitted(&self, received: &Received<NotificationsCommand>, why: &str) -> Outcome {
        refuse(received, Refusal::new(NotificationsReason::NotPermitted, why.to_owned()))
    }
}

fn refuse(received: &Received<NotificationsCommand>, refusal: Refusal) -> Outcome {
    outbound::refused(received.id(), received.message(), refusal)
}

/// A command that is not carried out.
enum CommandError {
    /// The command is refused. The refusal is its answer.
    Refused(Refusal),
    /// The whole batch is tried again.
    Database(sqlx::Error),
}

impl From<InvalidField> for CommandError {
    fn from(invalid: InvalidField) -> Self {
        Self::Refused(invalid.into())
    }
}

impl From<sqlx::Error> for CommandError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl NotificationCommands {
    pub(crate) const fn new(wakeup: Arc<Wakeup>) -> Self {
        Self { wakeup }
    }

    async fn resend_in_tx(
        &self,
        tx: &mut Tx<'_>,
        ResendDelivery { delivery_id: id }: &ResendDelivery,
    ) -> Result<Outcome, CommandError> {
        let (reason, message) = match deliveries::resend_in_tx(tx, *id, &self.wakeup).await? {
            ResendOutcome::Resent(delivery) => return Ok(outbound::resent(&delivery)),
            ResendOutcome::StillPending => {
                let message = format!("delivery {id} has not ended: it is being tried");
                (NotificationsReason::DeliveryPending, message)
            }
            ResendOutcome::Unknown => {
                let message = format!("delivery {id} is not known, or was deleted since");
                (NotificationsReason::UnknownDelivery, message)
            }
        };
        Err(CommandError::Refused(Refusal::new(reason, message)))
    }

    async fn recover_in_tx(
        &self,
        tx: &mut Tx<'_>,
        command: &RecoverDeliveries,
    ) -> Result<Outcome, CommandError> {
        let recovery = inbound::recovery(command)?;
        let recovered = deliveries::recover_in_tx(tx, &recovery, &self.wakeup).await?;
        Ok(outbound::recovered(command, recovered))
    }
}

async fn set_preferences_in_tx(
    tx: &mut Tx<'_>,
    received: &Received<NotificationsCommand>,
    command: &SetPreferences,
) -> Result<Outcome, CommandError> {
    let verdict = judge_in_tx(tx, command.account_id, &received.rights).await?;
    if verdict == Some(Verdict::NotPermitted) {
        let refusal = Refusal::new(NotificationsReason::NotPermitted, OTHER_BRANCH.to_owned());
        return Err(CommandError::Refused(refusal));
    }
    let request = inbound::preferences(command)?;
    if let Some(Verdict::NeedsApproval(needs)) = verdict {
        return Ok(Outcome::NeedsApproval(needs));
    }
    let has_waited = received.attempt > 0 || received.approved_by().is_some();
    let asked_at = received.envelope.time;
    let outcome = match verdict {
        // Its branch is not known yet, so nobody can say whether it may be changed.
        None => PreferencesOutcome::UnknownAccount,
        Some(_) => {
            recipients::command::set_preferences_in_tx(tx, request, asked_at, has_waited).await?
        }
    };
    let account_id = command.account_id;
    let missing = match outcome {
        PreferencesOutcome::Current(preferences) => {
            return Ok(outbound::preferences_changed(account_id, &preferences));
        }
        PreferencesOutcome::Erased => {
            let erased = format!("the data of the holder of account {account_id} were erased");
            let refusal = Refusal::new(NotificationsReason::UnknownAccount, erased);
            return Err(CommandError::Refused(refusal));
        }
        PreferencesOutcome::UnknownAccount => format!("account {account_id} is not known"),
    };
    match received.has_waited_long_enough() {
        true => {
            let refusal = Refusal::new(NotificationsReason::UnknownAccount, missing);
            Err(CommandError::Refused(refusal))
        }
        false => Ok(Outcome::Later { why: missing }),
    }
}

/// Why an account is none of a sender's business.
const OTHER_BRANCH: &str = "no grant of the sender is for the branch of the account";

/// Whether the author of a command may change an account. `None`: the account is not known, and it
/// matters of which branch it is.
async fn judge_in_tx(
    tx: &mut Tx<'_>,
    account_id: AccountId,
    rights: &Rights,
) -> sqlx::Result<Option<Verdict>> {
    if rights.branches().is_none() && !rights.may_need_approval() {
        return Ok(Some(Verdict::Permitted));
    }
    let branch = recipients::repo::branch_in_tx(tx, account_id).await?;
    Ok(branch.map(|branch| rights.judge(&Act::OnBranch(&branch))))
}

/// Whether the rights hold for an account that is read. An unknown account is told apart later.
async fn is_in_scope(
    tx: &mut Tx<'_>,
    account_id: AccountId,
    rights: &Rights,
) -> sqlx::Result<bool> {
    if rights.branches().is_none() {
        return Ok(true);
    }
    let branch = recipients::repo::branch_in_tx(tx, account_id).await?;
    Ok(branch.is_none_or(|branch| rights.hold_for_branch(&branch)))
}

/// Consumes `notifications.queries`.
pub(crate) struct NotificationQueries;

impl QueryHandler for NotificationQueries {
    type Query = NotificationsQuery;

    async fn answer(
        &self,
        tx: &mut Tx<'_>,
        query: &NotificationsQuery,
        Asker { rights, .. }: Asker<'_>,
    ) -> Result<Answer, HandleError> {
        let account_id = match query {
            NotificationsQuery::List(list) => list.account_id,
            NotificationsQuery::Preferences(get) => Some(get.account_id),
        };
        let is_permitted = match account_id {
            Some(account_id) => is_in_scope(tx, account_id, rights).await?,
            // The notifications of all accounts.
            None => rights.branches().is_none(),
        };
        if !is_permitted {
            return Ok(Answer::refused(&MessageRefused::not_permitted(OTHER_BRANCH)));
        }
        let answer = match query {
            NotificationsQuery::List(list) => match inbound::listing(list) {
                Ok(listing) => {
                    let found = notifications::list_in_tx(tx, listing).await?;
                    outbound::listed(found, listing.limit)
                }
                Err(invalid) => outbound::invalid(invalid),
            },
            NotificationsQuery::Preferences(GetPreferences { account_id }) => {
                let found = recipients::repo::preferences_in_tx(tx, *account_id).await?;
                outbound::preferences_found(*account_id, found)
            }
        };
        Ok(answer)
    }
}
