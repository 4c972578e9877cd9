//! The modules and imports of a source file.

use super::Source;

impl Source {
    /// The path of the file's module below the crate: none for `lib.rs` and `main.rs`.
    pub(super) fn module(&self) -> Vec<String> {
        let below = self.path.split_once("/src/").map_or("", |(_, below)| below);
        let mut names: Vec<String> =
            below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            names.pop();
        }
        names
    }

    /// Whether the file, or a folder above it, is named for one of these roles.
    pub(super) fn has_role(&self, roles: &[&str]) -> bool {
        let below = self.path.split_once("/src/").map_or("", |(_, below)| below);
        below.trim_end_matches(".rs").split('/').any(|name| {
            let rest = |role: &&str| name.strip_prefix(*role).map(str::to_owned);
            roles.iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with('_'))
        })
    }

    /// The paths that the code imports or names in full, each from `crate` or from another crate,
    /// with the line where its statement begins.
    pub(super) fn paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut lines = self.code().into_iter();
        while let Some((number, line)) = lines.next() {
            let Some(statement) = import_in(line) else {
                found.extend(paths_within(line).map(|path| (number, path)));
                continue;
            };
            let mut tree = statement.trim().to_owned();
            while !tree.ends_with(';') {
                let Some((_, more)) = lines.next() else { break };
                tree.push_str(more.trim());
            }
            let paths = expand(tree.trim_end_matches(';'));
            found.extend(paths.into_iter().map(|path| (number, self.absolute(&path))));
        }
        found
    }

    /// A path of a `use` from the root of the crate.
    fn absolute(&self, path: &str) -> String {
        let mut module = self.module();
        let mut rest = path.strip_prefix("self::").unwrap_or(path);
        if !rest.starts_with("super::") {
            return path.to_owned();
        }
        while let Some(above) = rest.strip_prefix("super::") {
            module.pop();
            rest = above;
        }
        module.insert(0, "crate".to_owned());
        module.push(rest.to_owned());
        module.join("::")
    }
}

/// What a line imports, if it begins a `use`, public or not.
fn import_in(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let private = line.strip_prefix("pub").map(|rest| match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')').map_or("", |(_, rest)| rest),
        None => rest,
    });
    private.unwrap_or(line).trim_start().strip_prefix("use ")
}

/// The paths of a tree of imports: `a::{b, c::{d, e as f}}` has three.
fn expand(tree: &str) -> Vec<String> {
    let Some((prefix, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        return vec![path.trim_end_matches("::self").to_owned()];
    };
    let inner = inner.strip_suffix('}').expect("a tree ends where it begins");
    let (mut parts, mut depth) = (vec![String::new()], 0_i32);
    for character in inner.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (character, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().expect("there is one").push(character),
        }
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| expand(&format!("{prefix}{part}"))).collect()
}

/// The paths from `crate` or the contract that stand in a line of code.
fn paths_within(line: &str) -> impl Iterator<Item = String> {
    let starts = ["crate::", "shared_events::"]
        .into_iter()
        .flat_map(|start| line.match_indices(start).map(|(place, _)| place).collect::<Vec<_>>());
    starts.map(|place| {
        let is_of_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        line[place..].chars().take_while(|c| is_of_path(*c)).collect()
    })
}

#[test]
fn a_tree_of_imports_has_each_of_its_paths() {
    let paths = expand("a::{b, c::{self, d as e}, f}");
    assert_eq!(paths, ["a::b", "a::c", "a::c::d", "a::f"]);
    assert_eq!(expand("a::b as c"), ["a::b"]);
}
