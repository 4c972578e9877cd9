//! The ledger's house rules. Promise: each rule is a test, and its failure lists every place that
//! breaks it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The files that may be async: the protocol, the doors, the jobs and the tables.
const ASYNC_ROLES: [&str; 5] = ["session", "command", "query", "job", "repo"];
/// The names of the contract's modules that every file may use: small values.
const VALUES: [&str; 2] =
    ["shared_events::ledger::AccountCode", "shared_events::ledger::Direction"];

/// A source file of the crate, by its path below `src`.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The files that become part of the service: without tests.
    fn shipped() -> Vec<Self> {
        let mut sources = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources);
        assert!(sources.len() > 60, "only {} files found", sources.len());
        let is_test = |source: &Self| {
            let test_files = ["/tests.rs", "_tests.rs", "properties.rs"];
            source.path.starts_with("properties")
                || test_files.iter().any(|name| source.path.ends_with(name))
        };
        sources.retain(|source| !is_test(source));
        sources
    }

    /// The module below the crate: a folder, or a file of the crate's root.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }

    /// The file's role: its name, up to the first underscore.
    fn role(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".rs").split('_').next().unwrap_or_default()
    }

    fn is_async(&self) -> bool {
        ASYNC_ROLES.contains(&self.role()) || ["lib.rs", "main.rs"].contains(&self.path.as_str())
    }

    /// The code without comments and without the tests at the end of the file.
    fn code(&self) -> String {
        let shipped = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = shipped.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Every path that the file imports, written out.
    fn imports(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut paths = BTreeSet::new();
        for statement in code.split("use ").skip(1) {
            let tree = statement.split(';').next().unwrap_or_default();
            if tree.starts_with("shared_events") || tree.starts_with("crate") {
                let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
                expand("", &tree, &mut paths);
            }
        }
        paths
    }

    /// The names that follow `prefix` anywhere in the code.
    fn names_after(&self, prefix: &str) -> BTreeSet<String> {
        let code = self.code();
        let names = code.split(prefix).skip(1).map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
        });
        names.filter(|name: &String| !name.is_empty()).collect()
    }
}

/// Writes a tree of imports out: `a::{b, c::d}` becomes `a::b` and `a::c::d`.
fn expand(prefix: &str, tree: &str, paths: &mut BTreeSet<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        if !path.is_empty() {
            paths.insert(format!("{prefix}{path}").trim_end_matches("::self").to_owned());
        }
        return;
    };
    let inner = tree[open + 1..].trim_end().trim_end_matches('}');
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let inner_end = tree.rfind('}').unwrap_or(tree.len());
    let inner = tree.get(open + 1..inner_end).unwrap_or(inner);
    let (mut depth, mut start) = (0_i32, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &inner[start..at], paths);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inner[start..], paths);
}

fn collect(folder: &Path, below: &str, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("the sources are there");
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("a listed entry")).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().expect("entries have types").is_dir() {
            collect(&entry.path(), &format!("{below}{name}/"), sources);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("sources are UTF-8");
            sources.push(Source { path: format!("{below}{name}"), text });
        }
    }
}

fn check(rule: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn only_the_wire_names_the_contracts_messages() {
    let messages =
        ["shared_events::ledger", "shared_events::accounts", "shared_events::notifications"];
    let mut found = Vec::new();
    for source in Source::shipped().iter().filter(|source| source.module() != "wire") {
        let imports = source.imports().into_iter();
        let imports = imports.filter(|path| messages.iter().any(|name| path.starts_with(name)));
        let named = imports.filter(|path| !VALUES.contains(&path.as_str()));
        found.extend(named.map(|path| format!("{}: {path}", source.path)));
        for module in messages {
            let inline = source.names_after(&format!("{module}::")).into_iter();
            let inline = inline.map(|name| format!("{module}::{name}"));
            let named = inline.filter(|path| !VALUES.contains(&path.as_str()));
            found.extend(named.map(|path| format!("{}: {path}", source.path)));
        }
    }
    check("turn the message into a value in `wire`", found);
}

/// Each module below the crate, with the modules that its files use.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let sources = Source::shipped();
    let modules: BTreeSet<String> =
        sources.iter().map(|source| source.module().to_owned()).collect();
    let mut uses = BTreeMap::<String, BTreeSet<String>>::new();
    for source in sources.iter().filter(|source| !["lib", "main"].contains(&source.module())) {
        let imported = source
            .imports()
            .into_iter()
            .filter_map(|path| path.strip_prefix("crate::")?.split("::").next().map(str::to_owned));
        let used: BTreeSet<String> = imported.chain(source.names_after("crate::")).collect();
        let others = used.into_iter().filter(|module| module != source.module());
        let known = others.filter(|module| modules.contains(module));
        uses.entry(source.module().to_owned()).or_default().extend(known);
    }
    uses
}

#[test]
fn no_module_uses_itself_through_others() {
    let uses = uses();
    assert!(uses["wire"].contains("posting"), "the imports are not read: {uses:?}");
    let mut circles = BTreeSet::new();
    for start in uses.keys() {
        let (mut reached, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(module) = next.pop() {
            for used in uses.get(module).into_iter().flatten() {
                if reached.insert(used) {
                    next.push(used);
                }
            }
        }
        if reached.contains(start) {
            circles.insert(format!("{start} -> {:?}", uses[start]));
        }
    }
    check("0 import circles", circles);
}

#[test]
fn no_capability_knows_the_wire() {
    let known = uses().into_iter().filter(|(_, used)| used.contains("wire"));
    check("return an outcome instead", known.map(|(module, _)| module));
}

#[test]
fn statements_stand_in_repo() {
    let words = ["sqlx::query", "sqlx::raw_sql", "QueryBuilder", ".execute("];
    let others = Source::shipped().into_iter().filter(|source| source.role() != "repo");
    let found = others.flat_map(|source| {
        let code = source.code();
        let words = words.iter().filter(|word| code.contains(**word));
        words.map(|word| format!("{}: {word}", source.path)).collect::<Vec<_>>()
    });
    check("one function per statement, in `repo`", found.collect::<Vec<_>>());
}

#[test]
fn rules_are_values_in_and_values_out() {
    const MACHINERY: [&str; 9] = [
        "async ",
        ".await",
        "Utc::now",
        "Instant::now",
        "SystemTime",
        "tokio",
        "now_v7",
        "new_v4",
        "Id::new()",
    ];
    let pure = Source::shipped().into_iter().filter(|source| !source.is_async());
    let found = pure.flat_map(|source| {
        let code = source.code();
        let words = MACHINERY.iter().filter(|word| code.contains(**word));
        words.map(|word| format!("{}: {word}", source.path)).collect::<Vec<_>>()
    });
    let rule = "only session, command, query, job and repo are async; hand it in as an argument";
    check(rule, found.collect::<Vec<_>>());
}

#[test]
fn kinds_of_instructions_are_told_apart_in_three_places() {
    // The dispatch, the stored record and the wire.
    let places = ["posting/kinds/mod.rs", "posting/stored_record.rs", "wire/kinds.rs"];
    let others = Source::shipped().into_iter().filter(|source| {
        let is_a_kind = source.path.starts_with("posting/kinds/");
        !is_a_kind && !places.contains(&source.path.as_str())
    });
    let found = others.filter(|source| source.code().contains("Kind::Reversal("));
    check("ask the kind for it", found.map(|source| source.path).collect::<Vec<_>>());
}
