//! The stored bytes are the golden ones. `golden/chain.txt` lists every golden record in the order
//! of one chain, with its hash and the salt of its texts. No file is ever changed; a new record is
//! added at the end, and the tests show its hash.

use std::{fs, path::Path};

use super::*;

struct Golden {
    name: String,
    hash: String,
    /// `None`: the record has no texts.
    salt: Option<Salt>,
}

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/history/golden");
    fs::read_to_string(folder.join(name)).expect(name)
}

fn golden() -> Vec<Golden> {
    let line = |line: &str| {
        let mut columns = line.split(' ').map(str::to_owned);
        let mut column = || columns.next().expect("three columns");
        let (name, hash, salt) = (column(), column(), column());
        let salt = (salt != "-").then(|| serde_json::from_value(salt.into()).expect("a salt"));
        Golden { name, hash, salt }
    };
    let all: Vec<Golden> = file("chain.txt").lines().map(line).collect();
    assert!(all.len() >= 13, "no golden record is removed");
    all
}

#[test]
fn a_golden_record_is_read_and_written_byte_for_byte() {
    for Golden { name, .. } in golden() {
        let text = file(&format!("{name}.json"));
        let record: RecordV1<'_> = serde_json::from_str(&text).expect("a record of version 1");
        assert_eq!(record.to_text(), text, "{name}");
        assert_eq!(record.version, 1, "{name}");
        assert_ne!(record.account.is_some(), record.grants.is_some(), "{name}");
    }
}

#[test]
fn the_golden_chain_has_the_hashes_that_it_had() {
    let mut end = Hash256::default();
    for Golden { name, hash, .. } in golden() {
        end = end.of_next_text(&file(&format!("{name}.json")));
        assert_eq!(end.to_string(), hash, "{name}");
    }
}

#[test]
fn a_golden_record_commits_to_the_texts_beside_it() {
    for Golden { name, salt, .. } in golden() {
        let text = file(&format!("{name}.json"));
        let record: RecordV1<'_> = serde_json::from_str(&text).expect("a record of version 1");
        let Some(salt) = salt else {
            assert!(record.account.is_none(), "{name}");
            continue;
        };
        let beside = file(&format!("{name}.texts.json"));
        let texts: TextsV1<'_> = serde_json::from_str(&beside).expect("texts of version 1");
        assert_eq!(texts.to_text(), beside, "{name}");
        let account = record.account.expect("grants have no texts");
        assert_eq!(account.texts, texts.commitment(salt), "{name}");
    }
}
