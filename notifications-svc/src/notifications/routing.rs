//! Which news go where. Promise: news of an account that must exist and is not known here are not
//! dropped, and hold up nobody else's: who is known is told now, and the event waits for the rest.

use std::collections::{BTreeSet, HashMap};

use shared_events::{
    AccountId,
    notifications::{Channel, Topic},
};

use crate::domain::News;

/// How a holder can be reached, and what they want to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// There is an e-mail address, and it is wanted.
    pub(crate) email: bool,
    /// There is a webhook, and it is wanted.
    pub(crate) webhook: bool,
    pub(crate) topics: Vec<Topic>,
}

impl Reach {
    fn channels(&self, topic: Topic) -> Vec<Channel> {
        if !self.topics.contains(&topic) {
            return vec![];
        }
        let ways = [(Channel::Email, self.email), (Channel::Webhook, self.webhook)];
        ways.into_iter().filter(|(_, open)| *open).map(|(channel, _)| channel).collect()
    }
}

/// Every holder that a batch concerns and that is known here.
pub(crate) type Reaches = HashMap<AccountId, Reach>;

/// News with the ways that they take: none where the holder wants or has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Telling<'e> {
    pub(crate) news: News<'e>,
    pub(crate) channels: Vec<Channel>,
}

/// What to do with the news of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan<'e> {
    pub(crate) tellings: Vec<Telling<'e>>,
    /// Accounts that exist, and have not been heard of here yet.
    pub(crate) unknown: BTreeSet<AccountId>,
}

/// Decides about the news of one event, each by itself.
pub(crate) fn plan<'e>(news: Vec<News<'e>>, reaches: &Reaches) -> Plan<'e> {
    let mut plan = Plan::default();
    for news in news {
        match reaches.get(&news.account_id) {
            Some(reach) => {
                let channels = reach.channels(news.topic());
                plan.tellings.push(Telling { news, channels });
            }
            None if news.certain => {
                plan.unknown.insert(news.account_id);
            }
            None => {}
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use shared_events::notifications::NotifiableEvent;

    use super::*;
    use crate::domain::news;
    use crate::samples::{account, frozen, posted, rejected};

    fn reach(email: bool, webhook: bool, topics: &[Topic]) -> Reach {
        Reach { email, webhook, topics: topics.to_vec() }
    }

    fn check(event: &NotifiableEvent, known: &[(u128, Reach)], then: &str) {
        let reaches = known.iter().map(|(id, reach)| (account(*id), reach.clone())).collect();
        let Plan { tellings, unknown } = plan(news(event), &reaches);
        let number = |id: AccountId| id.uuid().as_u128();
        let told = tellings
            .iter()
            .map(|telling| format!("{} {:?}", number(telling.news.account_id), telling.channels));
        let waits = unknown.iter().map(|id| format!("wait for {}", number(*id)));
        assert_eq!(told.chain(waits).collect::<Vec<_>>().join(", "), then);
    }

    #[test]
    fn news_take_the_ways_that_are_there_and_wanted() {
        let event = frozen(account(1));
        check(&event, &[(1, reach(true, true, &Topic::ALL))], "1 [Email, Webhook]");
        check(&event, &[(1, reach(true, false, &Topic::ALL))], "1 [Email]");
        check(&event, &[(1, reach(false, true, &[Topic::AccountFrozen]))], "1 [Webhook]");
        check(&event, &[(1, reach(true, true, &[Topic::AccountClosed]))], "1 []");
        check(&event, &[(1, reach(false, false, &Topic::ALL))], "1 []");
    }

    #[test]
    fn one_unknown_customer_holds_up_nobody_else() {
        let known = [(1, reach(true, false, &Topic::ALL))];
        check(&posted(account(1), account(2)), &known, "1 [Email], wait for 2");
        check(&posted(account(2), account(1)), &known, "1 [Email], wait for 2");
        check(&frozen(account(7)), &known, "wait for 7");
    }

    #[test]
    fn a_rejected_transfer_may_name_an_account_that_never_was() {
        check(&rejected(account(9), false), &[], "");
        check(&rejected(account(9), true), &[], "wait for 9");
        let known = [(9, reach(true, false, &Topic::ALL))];
        check(&rejected(account(9), false), &known, "9 [Email]");
    }
}
