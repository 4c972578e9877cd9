//! The rules of services that are cut by capability: such a service has a folder `wire`.

use std::collections::{BTreeMap, BTreeSet};

use shared_events::topology::SERVICES;

use super::{MACHINERY, Source, check};

/// The services that are cut by capability.
pub(super) fn by_capability() -> BTreeSet<String> {
    let of_services = Source::shipped().filter(Source::is_of_a_service);
    let of_wire = of_services.filter(|source| source.path.contains("/src/wire/"));
    let services: BTreeSet<String> = of_wire.map(|source| source.member().to_owned()).collect();
    assert!(services.contains("accounts-svc"), "{services:?}");
    services
}

#[test]
fn rules_are_values_in_and_values_out() {
    // A role is the name of a file, or of a folder of files; `repo_row` and `repo/row` are of
    // `repo`.
    const ROLES: [&str; 6] = ["session", "command", "query", "job", "repo", "consumers"];
    // The edges of a service: the receivers of notifications, and its assembly.
    const EDGES: [&str; 4] = ["lib", "main", "transports", "time_limit"];
    let by_capability = by_capability();
    let rules = Source::shipped().filter(|source| by_capability.contains(source.member()));
    let rules = rules.filter(|source| !source.has_role(&ROLES) && !source.has_role(&EDGES));
    let found = rules.flat_map(|source| {
        // A mapping of the wire logs an outcome that it had to change.
        let may_log = source.path.contains("/src/wire/");
        let machinery = MACHINERY.into_iter().filter(|word| !(may_log && *word == "tracing"));
        source.mentions(&machinery.collect::<Vec<_>>())
    });
    check("hand it in as an argument", found);
}

#[test]
fn messages_are_named_at_the_border_only() {
    // The small types of the contract that are everybody's vocabulary.
    const VOCABULARY: [&str; 2] = ["AccountCode", "Direction"];
    let by_capability = by_capability();
    let mut found = Vec::new();
    for source in Source::shipped().filter(|source| by_capability.contains(source.member())) {
        let is_border = source.path.contains("/src/wire/");
        for (number, path) in source.paths().into_iter().filter(|_| !is_border) {
            let of_service = SERVICES.iter().any(|service| {
                let below = path.strip_prefix("shared_events::");
                let below = below.and_then(|below| below.strip_prefix(service));
                below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
            });
            let item = path.rsplit("::").next().unwrap_or_default();
            if of_service && !VOCABULARY.contains(&item) {
                found.push(format!("{}:{number}: {path}", source.path));
            }
        }
    }
    check("use the service's own type, and map it in `wire`", found);
}

#[test]
fn only_the_assembly_of_a_service_names_its_wire() {
    let by_capability = by_capability();
    let mut found = Vec::new();
    for source in Source::shipped().filter(|source| by_capability.contains(source.member())) {
        // `lib.rs` and `main.rs` are of no module.
        let is_capability = source.module().first().is_some_and(|module| module != "wire");
        let paths = source.paths().into_iter().filter(|_| is_capability);
        let of_wire = paths.filter(|(_, path)| path.starts_with("crate::wire"));
        found.extend(of_wire.map(|(number, path)| format!("{}:{number}: {path}", source.path)));
    }
    check("return an outcome, and map it in `wire`", found);
}

#[test]
fn the_modules_of_a_service_form_no_circle() {
    for service in by_capability() {
        let sources: Vec<Source> =
            Source::shipped().filter(|source| source.member() == service).collect();
        let modules: BTreeSet<String> =
            sources.iter().filter_map(|source| source.module().first().cloned()).collect();
        // Which module imports which, with one place of each.
        let mut imports: BTreeMap<(String, String), String> = BTreeMap::new();
        for source in &sources {
            let Some(own) = source.module().first().cloned() else { continue };
            for (number, path) in source.paths() {
                let imported =
                    path.strip_prefix("crate::").and_then(|path| path.split("::").next());
                let imported = imported.filter(|name| modules.contains(*name) && **name != *own);
                let place = format!("{}:{number}: {path}", source.path);
                imported.map(|name| imports.entry((own.clone(), name.to_owned())).or_insert(place));
            }
        }
        assert!(imports.len() > 5, "{service}: {imports:?}");
        // A module that imports nothing of the rest is in no circle. What remains is.
        let mut rest = modules;
        loop {
            let is_free = |module: &String| {
                !rest.iter().any(|other| imports.contains_key(&(module.clone(), other.clone())))
            };
            let free: Vec<String> = rest.iter().filter(|module| is_free(module)).cloned().collect();
            if free.is_empty() {
                break;
            }
            rest.retain(|module| !free.contains(module));
        }
        let within = |(own, name): &(String, String)| rest.contains(own) && rest.contains(name);
        let circle = imports.into_iter().filter(|(edge, _)| within(edge)).map(|(_, place)| place);
        check("let one of them know nothing of the other", circle);
    }
}

#[test]
fn kinds_of_instructions_are_told_apart_in_three_places() {
    // The dispatch, the stored record and the wire.
    let places = ["posting/kinds/", "posting/stored_record/kinds.rs", "wire/kinds.rs"]
        .map(|path| format!("ledger-svc/src/{path}"));
    let matches_on_kinds: Vec<String> = Source::shipped()
        .filter(|source| source.member() == "ledger-svc")
        .flat_map(|source| source.mentions(&["Kind::Reversal("]))
        .collect();
    assert!(!matches_on_kinds.is_empty(), "the kinds are named otherwise than they used to be");
    let others = matches_on_kinds
        .into_iter()
        .filter(|place| !places.iter().any(|path| place.starts_with(path.as_str())));
    check("ask the kind for it", others);
}
