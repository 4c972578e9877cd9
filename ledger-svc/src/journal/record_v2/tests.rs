//! The stored bytes are the golden ones. `golden_v2/records.jsonl` has a record on each line, and
//! `golden_v2/chain.txt` on the same line the digest of its instruction and its hash in one chain.
//! No line is ever changed; a new record is added at the end of both, and the tests show its digest
//! and its hash.

use shared_events::evidence::Hash256;

use super::*;
use crate::journal::ChainHash;

/// The texts, and for each the digest of its instruction and its hash.
fn golden() -> Vec<(&'static str, Hash256, Hash256)> {
    let hash = |digits: &str| serde_json::from_value(digits.into()).expect("a hash");
    let texts = include_str!("../golden_v2/records.jsonl").lines();
    let chain = include_str!("../golden_v2/chain.txt").lines();
    let both = texts.zip(chain).map(|(text, line)| {
        let (digest, end) = line.split_once(' ').expect("two columns");
        (text, hash(digest), hash(end))
    });
    let all: Vec<_> = both.collect();
    assert!(all.len() >= 80, "no golden record is removed");
    all
}

#[test]
fn a_golden_record_is_read_and_written_byte_for_byte() {
    for (text, ..) in golden() {
        assert!(RecordV2::is_of(text), "{text}");
        let record = RecordV2::from_text(text).expect("a record of version 2");
        assert_eq!(record.to_text(), text);
    }
}

#[test]
fn the_digest_of_a_golden_instruction_is_the_stored_one() {
    for (text, digest, _) in golden() {
        let record = RecordV2::from_text(text).expect("a record of version 2");
        assert_eq!(Hash256(record.instruction.digest(record.texts)), digest, "{text}");
    }
}

#[test]
fn the_golden_chain_has_the_hashes_that_it_had() {
    let mut end = ChainHash::default();
    for (text, digest, hash) in golden() {
        end = end.of_next(digest.0, text);
        assert_eq!(Hash256(end.0), hash, "{text}");
    }
}
