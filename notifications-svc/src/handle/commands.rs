//! Sets what holders want to be told. Promise: a command that breaks a rule changes nothing and is
//! told which rule. One about an account that is not known here yet waits: the accounts service may
//! have just opened it. In the end it is refused.

use shared_events::{
    bus::{HandleError, Handler, Outcome, Received, Tx},
    message::Message,
    notifications::{
        NotificationsCommand, NotificationsCommandRejected, NotificationsReason, SetPreferences,
    },
};

use crate::{domain::Preferences, store::recipients};

/// Handles `notifications.commands`.
pub(crate) struct Commands;

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
            outcomes.push(set_in_tx(tx, received).await?);
        }
        Ok(outcomes)
    }

    fn conflict(&self, received: &Received<NotificationsCommand>) -> Outcome {
        let rule = "this command id was used before, with other content";
        rejected(received, NotificationsReason::IdempotencyConflict, None, rule)
    }
}

async fn set_in_tx(
    tx: &mut Tx<'_>,
    received: &Received<NotificationsCommand>,
) -> Result<Outcome, HandleError> {
    let NotificationsCommand::SetPreferences(asked) = received.message();
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
    let NotificationsCommand::SetPreferences(asked) = received.message();
    Outcome::announce(&NotificationsCommandRejected {
        command_id: received.id(),
        command_type: SetPreferences::TYPE.to_owned(),
        account_id: asked.account_id,
        reason,
        field: field.map(str::to_owned),
        message: message.to_owned(),
    })
}
