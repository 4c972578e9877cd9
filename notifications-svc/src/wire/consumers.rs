//! Does what it is asked about the telling of holders. Promise: a command that breaks a rule
//! changes nothing and is told which rule. One about an account that is not known here yet waits:
//! the accounts service may have just opened it. In the end it is refused.

use std::sync::Arc;

use shared_events::{
    message::Message,
    messaging::{HandleError, Handler, Outcome, Received, Tx},
    notifications::{
        Channel, DeliveriesRecovered, DeliveryResent, NotificationsCommand,
        NotificationsCommandRejected, NotificationsReason, RecoverDeliveries, RecoveryRejected,
        ResendDelivery, SetPreferences,
    },
};

use crate::{
    deliveries::job::wakeup::Bells,
    domain::{Preferences, Recovery},
    store::{deliveries, recipients},
};

/// The most deliveries that one command recovers: its transaction stays short.
const RECOVERED_MAX: u32 = 10_000;

/// Handles `notifications.commands`.
pub(crate) struct Commands {
    bells: Arc<Bells>,
}

impl Handler for Commands {
    type Message = NotificationsCommand;

    /// One statement a command: holders change their minds rarely.
    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<NotificationsCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            outcomes.push(match received.message() {
                NotificationsCommand::SetPreferences(asked) => {
                    set_in_tx(tx, received, asked).await?
                }
                NotificationsCommand::Resend(asked) => {
                    self.resend_in_tx(tx, received, asked).await?
                }
                NotificationsCommand::Recover(asked) => {
                    self.recover_in_tx(tx, received, asked).await?
                }
            });
        }
        Ok(outcomes)
    }

    fn conflict(&self, received: &Received<NotificationsCommand>) -> Outcome {
        let rule = "this command id was used before, with other content";
        rejected(received, NotificationsReason::IdempotencyConflict, None, rule)
    }
}

impl Commands {
    pub(crate) const fn new(bells: Arc<Bells>) -> Self {
        Self { bells }
    }

    async fn resend_in_tx(
        &self,
        tx: &mut Tx<'_>,
        received: &Received<NotificationsCommand>,
        asked: &ResendDelivery,
    ) -> Result<Outcome, HandleError> {
        let id = asked.delivery_id;
        let Some(again) = deliveries::resend_in_tx(tx, id).await? else {
            let missing = format!("delivery {id} is not known, or was deleted since");
            return Ok(rejected(received, NotificationsReason::UnknownDelivery, None, &missing));
        };
        if !again.is_due {
            let pending = format!("delivery {id} has not ended: it is being tried");
            return Ok(rejected(received, NotificationsReason::DeliveryPending, None, &pending));
        }
        self.bells.ring(std::iter::once(again.channel));
        Ok(Outcome::announce(&DeliveryResent {
            delivery_id: again.delivery_id,
            notification_id: again.notification_id,
            account_id: again.account_id,
            topic: again.topic,
            event_id: again.event_id,
            channel: again.channel,
        }))
    }

    async fn recover_in_tx(
        &self,
        tx: &mut Tx<'_>,
        received: &Received<NotificationsCommand>,
        asked: &RecoverDeliveries,
    ) -> Result<Outcome, HandleError> {
        let recovery = match Recovery::try_new(asked) {
            Ok(recovery) => recovery,
            Err(rule) => {
                let (reason, field) = (NotificationsReason::InvalidField, Some("until"));
                return Ok(rejected(received, reason, field, &rule.to_string()));
            }
        };
        let recovered = deliveries::recover_in_tx(tx, &recovery, RECOVERED_MAX.into()).await?;
        let recovered = u32::try_from(recovered).unwrap_or(u32::MAX);
        self.bells.ring([Channel::Email, Channel::Webhook].into_iter());
        Ok(Outcome::announce(&DeliveriesRecovered {
            account_id: asked.account_id,
            channel: asked.channel,
            since: asked.since,
            until: asked.until,
            recovered,
            more: recovered >= RECOVERED_MAX,
        }))
    }
}

async fn set_in_tx(
    tx: &mut Tx<'_>,
    received: &Received<NotificationsCommand>,
    asked: &SetPreferences,
) -> Result<Outcome, HandleError> {
    let preferences = match Preferences::try_new(asked) {
        Ok(preferences) => preferences,
        Err(rule) => {
            let (reason, field) = (NotificationsReason::InvalidField, Some("webhook_secret"));
            return Ok(rejected(received, reason, field, &rule.to_string()));
        }
    };
    let asked_at = received.envelope.time;
    // While it waited, its holder may have had another wish: the last one holds.
    if received.attempt > 0
        && let Some(newer) =
            recipients::newer_preferences_in_tx(tx, asked.account_id, asked_at).await?
    {
        return Ok(Outcome::announce(&newer));
    }
    if recipients::set_preferences_in_tx(tx, &preferences, asked_at).await? {
        return Ok(Outcome::announce(&preferences.changed()));
    }
    let missing = format!("account {} is not known", asked.account_id);
    if !received.has_waited_long_enough() {
        return Ok(Outcome::Later { why: missing });
    }
    Ok(rejected(received, NotificationsReason::UnknownAccount, None, &missing))
}

fn rejected(
    received: &Received<NotificationsCommand>,
    reason: NotificationsReason,
    field: Option<&str>,
    message: &str,
) -> Outcome {
    let (command_id, field) = (received.id(), field.map(str::to_owned));
    let message = message.to_owned();
    let command_type = match received.message() {
        NotificationsCommand::SetPreferences(asked) => {
            return Outcome::announce(&NotificationsCommandRejected {
                command_id,
                command_type: SetPreferences::TYPE.to_owned(),
                account_id: asked.account_id,
                reason,
                field,
                message,
            });
        }
        NotificationsCommand::Resend(_) => ResendDelivery::TYPE.to_owned(),
        NotificationsCommand::Recover(_) => RecoverDeliveries::TYPE.to_owned(),
    };
    Outcome::announce(&RecoveryRejected { command_id, command_type, reason, field, message })
}
