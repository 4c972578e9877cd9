//! Facts about delivery: one table, checked for every service on the bus.
//!
//! ```text
//! subject      a service under test: commands with one effect and one event each
//! tally        counts effects and events: each once, nothing left, nothing lost
//! duplicates   messages that are delivered or sent twice
//! clients      messages as clients in other languages send them
//! crashes      SIGKILL at every point between a delivery and its end
//! deaths       a process that dies again and again
//! outages      the broker or the database is away
//! bytes        properties that are no text, and tables without a bottom
//! stalls       a peer is silent, or gone without a word
//! parking      messages that cannot be read, cannot be handled, or cannot be handled yet
//! sizes        messages as large as they may be
//! stopping     SIGTERM
//! instances    two of a service side by side
//! ```

mod bytes;
mod clients;
mod crashes;
mod deaths;
mod duplicates;
mod instances;
mod outages;
mod parking;
mod sizes;
mod stalls;
mod stopping;
mod subject;
mod tally;
mod waiting;

use harness::{Fact, facts};
use subject::{Accounts, Ledger, Notifications, Subject};

/// The slowest facts come first, so that no single fact is left at the end of a run. The facts that
/// restart a broker stand apart from each other, because they share one broker.
pub fn facts() -> Vec<Fact> {
    let own = |facts: Vec<Fact>| facts.into_iter().map(|fact| fact.with_own_broker().under("bank"));
    let restart =
        facts![outages::a_broker_restart_loses_nothing_and_services_reconnect_by_themselves];
    let crash = facts![outages::a_broker_crash_loses_nothing_and_services_reconnect_by_themselves];
    let memory = facts![outages::a_broker_short_of_memory_holds_events_up_and_is_named];
    let shared = facts![
        parking::a_command_that_nobody_takes_goes_to_bank_unrouted,
        duplicates::ids_of_any_kind_are_known_once_and_old_days_go_whole,
        duplicates::an_old_id_that_is_sent_again_has_one_effect,
        duplicates::ids_of_the_future_and_without_a_time_have_one_effect,
        duplicates::an_id_older_than_what_is_known_is_refused_with_the_reason,
        duplicates::a_command_under_the_id_of_an_event_harms_nothing,
        stalls::queries_are_answered_when_the_database_has_vanished,
        stalls::readiness_reports_events_that_are_held_up,
        stalls::a_caller_is_answered_moments_after_an_outage,
        stalls::a_database_that_takes_no_writes_is_left_at_once,
        deaths::a_message_that_kills_its_service_is_parked_alone,
        deaths::restarts_alone_park_nothing,
        sizes::large_messages_are_taken_a_few_at_a_time,
    ];
    own(restart)
        .chain(table::<Ledger>())
        .chain(own(crash))
        .chain(table::<Accounts>())
        .chain(own(memory))
        .chain(table::<Notifications>())
        .chain(shared.into_iter().map(|fact| fact.under("bank")))
        .collect()
}

/// The table.
fn table<S: Subject>() -> Vec<Fact> {
    let facts = facts![
        crashes::a_commit_whose_answer_is_lost_has_one_effect_and_loses_no_event::<S>,
        instances::when_one_of_two_is_killed_the_other_takes_over_what_it_left::<S>,
        outages::a_database_outage_parks_nothing_and_loses_nothing::<S>,
        waiting::an_early_message_is_retried_until_it_can_be_handled::<S>,
        waiting::a_message_that_has_waited_often_enough_is_parked::<S>,
        crashes::a_crash_before_the_commit_leaves_the_message_to_be_done::<S>,
        crashes::a_crash_after_the_commit_and_before_the_ack_has_one_effect::<S>,
        crashes::a_crash_between_commit_and_publish_loses_no_event::<S>,
        crashes::a_lost_confirm_repeats_with_the_same_message_id::<S>,
        crashes::a_confirm_lost_with_its_connection_repeats_with_the_same_message_id::<S>,
        duplicates::a_duplicate_delivery_has_one_effect::<S>,
        duplicates::a_command_sent_again_gets_the_same_outcome::<S>,
        duplicates::the_same_id_with_other_content_is_refused_as_a_conflict::<S>,
        instances::two_instances_work_side_by_side::<S>,
        outages::a_stop_during_a_database_outage_gives_everything_back::<S>,
        outages::a_service_starts_before_its_broker_and_its_database::<S>,
        stalls::a_database_that_vanishes_is_replaced_in_seconds::<S>,
        stalls::a_consumer_that_is_set_up_too_late_holds_no_message::<S>,
        parking::an_undecodable_message_is_parked_with_its_reason_and_blocks_no_other::<S>,
        bytes::bytes_that_are_no_text_cost_one_message_each::<S>,
        clients::messages_of_any_client_are_handled_or_answered::<S>,
        clients::a_reply_names_every_field_that_is_missing::<S>,
        parking::a_poison_message_in_a_batch_harms_only_itself::<S>,
        parking::a_joined_message_with_poison_events_parks_only_those::<S>,
        stopping::a_graceful_stop_leaves_nothing_half_done::<S>,
        stopping::a_graceful_stop_waits_for_confirms::<S>,
    ];
    facts.into_iter().map(|fact| fact.under(S::SERVICE)).collect()
}
