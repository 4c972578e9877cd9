//! House rules that no lint can see. Promise: each rule is a test, and its failure lists every
//! place that breaks it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use shared_events::topology::{self, LEDGER_COMMANDS, Principals, SERVICES};

use by_capability::by_capability;

#[path = "tidy/by_capability.rs"]
mod by_capability;
#[path = "tidy/foreign_text.rs"]
mod foreign_text;
#[path = "tidy/imports.rs"]
mod imports;

const FILE_LINES_MAX: usize = 400;
const LINE_CHARS_MAX: usize = 100;

/// A source file, with its path from the root of the repository.
struct Source {
    path: String,
    /// The folder of the member of the workspace.
    member: String,
    text: String,
    /// Whether it is compiled for tests only, because a parent says so.
    is_test: bool,
}

impl Source {
    /// Every Rust file of every member of the workspace.
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace is there");
        let (_, members) = manifest.split_once("members = [").expect("a workspace has members");
        let (members, _) = members.split_once(']').expect("the list of members ends");
        let mut sources = Vec::new();
        // Every other piece between quotes is a member.
        for member in members.split('"').skip(1).step_by(2) {
            collect(&root, member, &PathBuf::from(member), &mut sources);
        }
        assert!(sources.len() > 40, "only {} files found", sources.len());
        let tests: Vec<String> = sources.iter().flat_map(Self::test_modules).collect();
        for source in &mut sources {
            source.is_test = tests.iter().any(|module| {
                let below = source.path.strip_prefix(module.as_str());
                below.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
        }
        sources
    }

    /// The files that become part of what is shipped.
    fn shipped() -> impl Iterator<Item = Self> {
        let sources = Self::all().into_iter();
        let products = sources.filter(|source| !source.member().starts_with("tests/"));
        products.filter(|source| {
            let path = source.path.strip_prefix(source.member());
            path.is_some_and(|path| path.starts_with("/src/"))
        })
    }

    fn member(&self) -> &str {
        &self.member
    }

    fn is_below(&self, folder: &str) -> bool {
        self.path.contains(&format!("/{folder}/")) || self.path.ends_with(&format!("/{folder}.rs"))
    }

    fn is_of_a_service(&self) -> bool {
        self.member().ends_with("-svc")
    }

    fn is_of_teller(&self) -> bool {
        self.member().starts_with("teller/")
    }

    /// Lines with their numbers, without comments, and without what is for tests only.
    fn code(&self) -> Vec<(usize, &str)> {
        let mut lines = (1..).zip(self.text.lines()).filter(|_| !self.is_test);
        let mut code = Vec::new();
        while let Some((number, line)) = lines.next() {
            if line.trim() == "#[cfg(test)]" {
                match lines.next() {
                    // The tests are the last thing in a file.
                    Some((_, block)) if block.starts_with("mod ") && block.ends_with('{') => break,
                    Some(_) | None => continue,
                }
            }
            code.push((number, line.split("//").next().unwrap_or_default()));
        }
        code
    }

    /// The files and folders of modules that this file declares for tests only.
    fn test_modules(&self) -> Vec<String> {
        let folder = match self.path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
            Some(_) | None => self.path.trim_end_matches(".rs"),
        };
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
        let names = declared.filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'));
        names.map(|name| format!("{folder}/{name}")).collect()
    }

    /// The places in the code where any of `words` stands.
    fn mentions(&self, words: &[&str]) -> Vec<String> {
        let found = |(number, line): (usize, &str)| {
            let word = words.iter().find(|word| line.contains(*word))?;
            Some(format!("{}:{number}: {word}", self.path))
        };
        self.code().into_iter().filter_map(found).collect()
    }
}

fn collect(root: &Path, member: &str, folder: &Path, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(root.join(folder)).expect("members have folders");
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("a folder can be listed")).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = folder.join(entry.file_name());
        let is_folder = entry.file_type().expect("entries have types").is_dir();
        if is_folder && entry.file_name() != "target" {
            collect(root, member, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root.join(&path)).expect("sources are UTF-8");
            let path = path.display().to_string().replace('\\', "/");
            sources.push(Source { path, member: member.to_owned(), text, is_test: false });
        }
    }
}

fn check(rule: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn files_have_at_most_400_lines() {
    let lines = |source: &Source| source.text.lines().count();
    let long = Source::all().into_iter().filter(|source| lines(source) > FILE_LINES_MAX);
    check("split them", long.map(|source| format!("{}: {} lines", source.path, lines(&source))));
}

#[test]
fn lines_have_at_most_100_characters() {
    let mut found = Vec::new();
    for source in Source::all() {
        let long = (1..)
            .zip(source.text.lines())
            .filter(|(_, line)| line.chars().count() > LINE_CHARS_MAX);
        found.extend(long.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    check("break them", found);
}

#[test]
fn files_open_with_what_they_promise() {
    let silent = Source::all().into_iter().filter(|source| !source.text.starts_with("//! "));
    check("begin with `//! `", silent.map(|source| format!("{}:1", source.path)));
}

#[test]
fn shipped_code_never_unwraps() {
    let found =
        Source::shipped().flat_map(|source| source.mentions(&[".unwrap()", ".unwrap_err()"]));
    check("say with `expect` why it cannot fail", found);
}

#[test]
fn nothing_is_put_off() {
    // Put together here, so that this file keeps its own rule.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ig", "nore")];
    let mut found = Vec::new();
    for source in Source::all() {
        for (number, line) in (1..).zip(source.text.lines()) {
            let word = words.iter().find(|word| line.contains(*word));
            found.extend(word.map(|word| format!("{}:{number}: {word}", source.path)));
        }
    }
    check("do it, or leave it out", found);
}

#[test]
fn names_on_the_broker_stand_in_the_topology_only() {
    let names = broker_names();
    let mut found = Vec::new();
    for source in
        Source::shipped().filter(|source| !source.path.starts_with("shared-events/src/topology"))
    {
        for (number, line) in source.code() {
            let literals = line.split('"').skip(1).step_by(2);
            let named = literals.filter(|text| names.iter().any(|name| stands_in(name, text)));
            found.extend(named.map(|text| format!("{}:{number}: {text:?}", source.path)));
        }
    }
    check("use the constants of `topology`", found);
}

/// Every exchange and queue that the broker boots with.
fn broker_names() -> BTreeSet<String> {
    let definitions = topology::definitions(&Principals::development());
    let lists = [&definitions["exchanges"], &definitions["queues"]];
    let items = lists.into_iter().filter_map(|list| list.as_array()).flatten();
    let names = items.filter_map(|item| item["name"].as_str()).map(str::to_owned);
    let names: BTreeSet<String> = names.collect();
    assert!(names.contains(topology::COMMANDS) && names.contains(LEDGER_COMMANDS.name));
    names
}

/// Whether `name` is in `text` as a whole: `accounts.events`, not `accounts.events_seen`.
fn stands_in(name: &str, text: &str) -> bool {
    let goes_on = |next: Option<char>| next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(name).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + name.len()..]);
        !goes_on(before.chars().next_back()) && !goes_on(after.chars().next())
    })
}

/// Words of code that waits, reads a clock, makes ids, logs, or speaks to a database.
const MACHINERY: [&str; 12] = [
    "async ",
    ".await",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "SystemTime",
    "sqlx",
    "tracing",
    "tokio",
    "now_v7",
    "new_v4",
    "Id::new()",
];

#[test]
fn the_domain_is_values_in_and_values_out() {
    let domain =
        Source::shipped().filter(|source| source.is_of_a_service() && source.is_below("domain"));
    check("hand it in as an argument", domain.flat_map(|source| source.mentions(&MACHINERY)));
}

#[test]
fn claims_and_leases_go_by_the_clock_of_the_database() {
    // Two instances whose clocks differ by more than a lease would send the same letter twice.
    let of_channels = ["transports/webhook/client.rs", "retention/job.rs"];
    let others = Source::shipped().filter(|source| {
        let is_of_a_channel = of_channels.iter().any(|path| source.path.ends_with(path));
        source.member() == "notifications-svc" && !is_of_a_channel
    });
    let found = others.flat_map(|source| source.mentions(&["Utc::now", "SystemTime::now"]));
    check("say now() to the database", found);
}

#[test]
fn only_the_delivery_code_settles_deliveries() {
    // A service acknowledges through one function, and moved parked messages through another.
    let settle = ["messaging/delivery_broker.rs", "messaging/parked/queue.rs"];
    let settles =
        |path: &str| settle.iter().any(|file| path == format!("shared-events/src/{file}"));
    let others = Source::shipped().filter(|source| !settles(&source.path));
    let found = others.flat_map(|source| source.mentions(&[".ack(", ".reject("]));
    check("return an outcome instead", found);
}

#[test]
fn failed_deliveries_are_rejected_never_nacked() {
    let found = Source::shipped().flat_map(|source| source.mentions(&[".nack(", "basic_nack"]));
    check("RabbitMQ 4.3 does not count them", found);
}

#[test]
fn services_do_not_know_the_driver_of_the_broker() {
    let services = Source::shipped().filter(Source::is_of_a_service);
    check("speak through the bus", services.flat_map(|source| source.mentions(&["lapin"])));
}

#[test]
fn services_import_no_other_service() {
    let services = SERVICES.map(|service| format!("{service}_svc"));
    let mut found = Vec::new();
    for source in
        Source::shipped().filter(|source| source.is_of_a_service() || source.is_of_teller())
    {
        let own = source.member().replace('-', "_");
        let others = services.iter().filter(|name| **name != own);
        let mut imports: Vec<String> = others.map(|name| format!("{name}::")).collect();
        if source.is_of_a_service() {
            imports.push("teller_".to_owned());
        }
        found.extend(source.mentions(&imports.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    check("the contract is the only coupling", found);
}

#[test]
fn statements_stand_in_repositories() {
    let by_capability = by_capability();
    let allowed = |source: &Source| match by_capability.contains(source.member()) {
        true => source.has_role(&["repo"]),
        false => {
            source.is_below("store") || source.path.starts_with("shared-events/src/messaging/")
        }
    };
    let others = Source::shipped().filter(|source| !allowed(source));
    let statements = ["sqlx::query", "sqlx::raw_sql", "QueryBuilder", ".execute("];
    let found = others.flat_map(|source| source.mentions(&statements));
    check("one function per statement, in `repo`", found);
}
