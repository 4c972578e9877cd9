//! The stored bytes are the golden ones. `golden/chain.txt` lists every golden record in the order
//! of one chain, with the digest of its instruction and its chain hash, as the ledger wrote them
//! before this type existed. No file is ever changed; a new record is added at the end, and the
//! tests show its digest and its hash.

use std::{fs, path::Path};

use super::*;
use crate::journal::ChainHash;

/// The records of which the stored instruction is shorter than the submitted one, whose digest
/// stays: text that no database takes, dates that no calendar has, more legs than allowed.
const SHORTENED: [&str; 3] =
    ["transfer_rejected_invalid_text", "transfer_rejected_invalid_date", "legs_rejected_too_many"];

struct Golden {
    name: String,
    digest: String,
    hash: String,
    text: String,
}

fn golden() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/golden");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a golden file");
    let reasons = read("reasons.jsonl");
    let mut reasons = reasons.lines();
    let line = |line: &str| {
        let mut columns = line.split(' ').map(str::to_owned);
        let mut column = || columns.next().expect("three columns");
        let (name, digest, hash) = (column(), column(), column());
        let text = match name.starts_with("reason_") {
            true => reasons.next().expect("a line for each reason").to_owned(),
            false => read(&format!("{name}.json")),
        };
        Golden { name, digest, hash, text }
    };
    let all: Vec<Golden> = read("chain.txt").lines().map(line).collect();
    assert!(all.len() >= 74, "no golden record is removed");
    all
}

fn hexadecimal(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_golden_record_is_read_and_written_byte_for_byte() {
    for Golden { name, text, .. } in golden() {
        let record = RecordV1::from_text(&text).expect("a record of version 1");
        assert_eq!(record.to_text(), text, "{name}");
    }
}

#[test]
fn the_digest_of_a_golden_instruction_is_the_stored_one() {
    for Golden { name, digest, text, .. } in golden() {
        let record = RecordV1::from_text(&text).expect("a record of version 1");
        let found = hexadecimal(record.instruction.digest());
        match SHORTENED.contains(&name.as_str()) {
            true => assert_ne!(found, digest, "{name}"),
            false => assert_eq!(found, digest, "{name}"),
        }
    }
}

#[test]
fn the_golden_chain_has_the_hashes_that_it_had() {
    let mut end = ChainHash::default();
    for Golden { name, digest, hash, text } in golden() {
        let bytes: Vec<u8> = (0..32)
            .map(|n| u8::from_str_radix(&digest[2 * n..2 * n + 2], 16).expect("hexadecimal"))
            .collect();
        end = end.of_next(bytes.try_into().expect("32 bytes"), &text);
        assert_eq!(hexadecimal(end.0), hash, "{name}");
    }
}
