//! Scenarios: what people and programs do with the running bank, through all its services.

mod any_queue;
mod asked;
mod audit;
mod bench;
mod bounds;
mod broker;
mod by_hand;
mod clerk;
mod cli;
mod closing;
mod crowd;
mod desk;
mod due;
mod early;
mod files;
mod history;
mod holds;
mod hooks;
mod integrity;
mod interest;
mod legacy;
mod letters;
mod limits;
mod lookout;
mod mailbox;
mod monitors;
mod moves;
mod orders;
mod periods;
mod pooler;
mod python;
mod queries;
mod races;
mod reasons;
mod recovery;
mod refused;
mod rights;
mod saga;
mod shape;
mod sizes;
mod story;
mod tell;
mod vanished;
mod webhooks;

use harness::Fact;

pub fn facts() -> Vec<Fact> {
    // The slowest first, so that the others run beside them.
    let parts = [
        ("legacy", legacy::facts()),
        ("integrity", integrity::facts()),
        ("audit", audit::facts()),
        ("bounds", bounds::facts()),
        ("saga", saga::facts()),
        ("limits", limits::facts()),
        ("queries", queries::facts()),
        ("history", history::facts()),
        ("reasons", reasons::facts()),
        ("interest", interest::facts()),
        ("closing", closing::facts()),
        ("periods", periods::facts()),
        ("due", due::facts()),
        ("monitors", monitors::facts()),
        ("orders", orders::facts()),
        ("races", races::facts()),
        ("holds", holds::facts()),
        ("moves", moves::facts()),
        ("refused", refused::facts()),
        ("shape", shape::facts()),
        ("sizes", sizes::facts()),
        ("tell", tell::facts()),
        ("early", early::facts()),
        ("webhooks", webhooks::facts()),
        ("letters", letters::facts()),
        ("recovery", recovery::facts()),
        ("crowd", crowd::facts()),
        ("broker", broker::facts()),
        ("rights", rights::facts()),
        ("cli", cli::facts()),
        ("files", files::facts()),
        ("by_hand", by_hand::facts()),
        ("lookout", lookout::facts()),
        ("any_queue", any_queue::facts()),
        ("vanished", vanished::facts()),
        ("bench", bench::facts()),
        ("pooler", pooler::facts()),
        ("python", python::facts()),
    ];
    let named = |(heading, facts): (&'static str, Vec<Fact>)| {
        facts.into_iter().map(move |fact| fact.under(heading))
    };
    parts.into_iter().flat_map(named).collect()
}
