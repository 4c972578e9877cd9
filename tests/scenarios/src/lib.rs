//! Facts about the bank: people and programs use all its services.

mod access;
mod access_log;
mod account_history;
mod approvals;
mod audit;
mod bank_client;
mod batch_cost;
mod bench;
mod bounds;
mod broker;
mod cli;
mod cli_instructions;
mod cli_runner;
mod client_limits;
mod client_tool;
mod closing;
mod concurrency;
mod database_rights;
mod due_work;
mod early;
mod erasure;
mod files;
mod foreign_text;
mod history;
mod holds;
mod instructions;
mod integrity;
mod interest;
mod legacy;
mod letters;
mod limits;
mod mail_server;
mod monitors;
mod notifications;
mod operations;
mod orders;
mod origin;
mod outgoing;
mod parked_messages;
mod periods;
mod personal;
mod pooler;
mod postings;
mod principal;
mod principals;
mod python;
mod queries;
mod races;
mod reasons;
mod recovery;
mod refused;
mod rights;
mod rotation;
mod saga;
mod seeded_run;
mod sizes;
mod tls;
mod transcript;
mod vanished;
mod webhook_receiver;
mod webhooks;
mod witness;

use harness::Fact;

pub fn facts() -> Vec<Fact> {
    // The slowest first, so that the others run beside them.
    let parts = [
        ("legacy", legacy::facts()),
        ("integrity", integrity::facts()),
        ("seeded_run", seeded_run::facts()),
        ("access", access::facts()),
        ("access_log", access_log::facts()),
        ("approvals", approvals::facts()),
        ("account_history", account_history::facts()),
        ("audit", audit::facts()),
        ("witness", witness::facts()),
        ("bounds", bounds::facts()),
        ("saga", saga::facts()),
        ("database_rights", database_rights::facts()),
        ("limits", limits::facts()),
        ("queries", queries::facts()),
        ("history", history::facts()),
        ("reasons", reasons::facts()),
        ("interest", interest::facts()),
        ("closing", closing::facts()),
        ("periods", periods::facts()),
        ("due_work", due_work::facts()),
        ("monitors", monitors::facts()),
        ("orders", orders::facts()),
        ("races", races::facts()),
        ("holds", holds::facts()),
        ("postings", postings::facts()),
        ("refused", refused::facts()),
        ("batch_cost", batch_cost::facts()),
        ("sizes", sizes::facts()),
        ("notifications", notifications::facts()),
        ("early", early::facts()),
        ("webhooks", webhooks::facts()),
        ("letters", letters::facts()),
        ("foreign_text", foreign_text::facts()),
        ("outgoing", outgoing::facts()),
        ("recovery", recovery::facts()),
        ("concurrency", concurrency::facts()),
        ("broker", broker::facts()),
        ("rights", rights::facts()),
        ("origin", origin::facts()),
        ("client_limits", client_limits::facts()),
        ("principals", principals::facts()),
        ("client_tool", client_tool::facts()),
        ("rotation", rotation::facts()),
        ("tls", tls::facts()),
        ("cli", cli::facts()),
        ("files", files::facts()),
        ("cli_instructions", cli_instructions::facts()),
        ("operations", operations::facts()),
        ("parked_messages", parked_messages::facts()),
        ("vanished", vanished::facts()),
        ("bench", bench::facts()),
        ("personal", personal::facts()),
        ("erasure", erasure::facts()),
        ("pooler", pooler::facts()),
        ("python", python::facts()),
    ];
    let named = |(heading, facts): (&'static str, Vec<Fact>)| {
        facts.into_iter().map(move |fact| fact.under(heading))
    };
    parts.into_iter().flat_map(named).collect()
}
