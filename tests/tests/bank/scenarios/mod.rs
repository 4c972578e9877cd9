//! Scenarios: what people and programs do with the running bank, through all its services.

mod desk;
mod queries;
mod reasons;
mod saga;
mod story;

use integration_tests::Fact;

pub(crate) fn facts() -> Vec<Fact> {
    let parts =
        [("saga", saga::facts()), ("queries", queries::facts()), ("reasons", reasons::facts())];
    let named = |(heading, facts): (&'static str, Vec<Fact>)| {
        facts.into_iter().map(move |fact| fact.under(heading))
    };
    parts.into_iter().flat_map(named).collect()
}
