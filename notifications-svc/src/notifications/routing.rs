//! Routes triggers to the channels of their holders. Promise: one unknown account delays no other:
//! a known holder is notified now, and the event comes again for the rest.

use std::collections::BTreeSet;

use shared_events::AccountId;

use crate::{
    recipients::{Channel, ContactChannelsByAccount},
    triggers::NotificationTrigger,
};

/// A trigger with the channels that carry its notification: none where the holder has or wants
/// none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutedNotification<'e> {
    pub(crate) trigger: NotificationTrigger<'e>,
    pub(crate) channels: Vec<Channel>,
}

/// The routes of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Routing<'e> {
    pub(crate) routed: Vec<RoutedNotification<'e>>,
    /// Accounts that exist and are not known here yet.
    pub(crate) unknown: BTreeSet<AccountId>,
}

/// Routes the triggers of one event, each by itself.
pub(crate) fn route<'e>(
    triggers: Vec<NotificationTrigger<'e>>,
    known: &ContactChannelsByAccount,
) -> Routing<'e> {
    let mut routing = Routing::default();
    for trigger in triggers {
        match known.get(&trigger.account_id) {
            Some(contact) => {
                let channels = contact.for_topic(trigger.topic());
                routing.routed.push(RoutedNotification { trigger, channels });
            }
            None if trigger.is_certain => {
                routing.unknown.insert(trigger.account_id);
            }
            None => {}
        }
    }
    routing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        recipients::{ContactChannels, Topic},
        samples::account,
        triggers::{Freeze, NotificationPayload},
    };

    fn contact(email: bool, webhook: bool, topics: &[Topic]) -> ContactChannels {
        ContactChannels { email, webhook, topics: topics.to_vec() }
    }

    fn trigger(number: u128, is_certain: bool) -> NotificationTrigger<'static> {
        let payload = NotificationPayload::AccountFrozen(Freeze::default());
        NotificationTrigger { account_id: account(number), is_certain, payload }
    }

    fn check(
        triggers: &[NotificationTrigger<'static>],
        known: &[(u128, ContactChannels)],
        then: &str,
    ) {
        let known = known.iter().map(|(id, contact)| (account(*id), contact.clone())).collect();
        let Routing { routed, unknown } = route(triggers.to_vec(), &known);
        let number = |id: AccountId| id.uuid().as_u128();
        let notified = routed
            .iter()
            .map(|routed| format!("{} {:?}", number(routed.trigger.account_id), routed.channels));
        let waits = unknown.iter().map(|id| format!("wait for {}", number(*id)));
        assert_eq!(notified.chain(waits).collect::<Vec<_>>().join(", "), then);
    }

    #[test]
    fn a_notification_takes_the_channels_that_exist_and_are_wanted() {
        let freeze = [trigger(1, true)];
        check(&freeze, &[(1, contact(true, true, &Topic::ALL))], "1 [Email, Webhook]");
        check(&freeze, &[(1, contact(true, false, &Topic::ALL))], "1 [Email]");
        check(&freeze, &[(1, contact(false, true, &[Topic::AccountFrozen]))], "1 [Webhook]");
        check(&freeze, &[(1, contact(true, true, &[Topic::AccountClosed]))], "1 []");
        check(&freeze, &[(1, contact(false, false, &Topic::ALL))], "1 []");
    }

    #[test]
    fn one_unknown_customer_delays_no_other() {
        let known = [(1, contact(true, false, &Topic::ALL))];
        check(&[trigger(1, true), trigger(2, true)], &known, "1 [Email], wait for 2");
        check(&[trigger(2, true), trigger(1, true)], &known, "1 [Email], wait for 2");
        check(&[trigger(7, true)], &known, "wait for 7");
    }

    #[test]
    fn an_account_that_may_never_have_existed_is_not_waited_for() {
        check(&[trigger(9, false)], &[], "");
        check(&[trigger(9, true)], &[], "wait for 9");
        let known = [(9, contact(true, false, &Topic::ALL))];
        check(&[trigger(9, false)], &known, "9 [Email]");
    }
}
