//! Golden records go through the ledger's own types and come back.

use std::{fs, path::Path};

use shared_events::evidence::Salt;

use super::*;

fn golden() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/golden");
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).expect("the golden files") {
        let path = entry.expect("a listed file").path();
        let text = fs::read_to_string(&path).expect("a golden file");
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => texts.push(text),
            Some("jsonl") => texts.extend(text.lines().map(str::to_owned)),
            _ => {}
        }
    }
    assert!(texts.len() >= 74, "no golden file is removed");
    texts
}

/// The decision of a record of version 1, as if it were made now.
fn decided_again(record: JournalRecord) -> Decided {
    let record = JournalRecord { author: Some(Arc::new(Authorship::of("acme"))), ..record };
    let texts = match record.instruction.has_texts() {
        false => Texts::None,
        true => {
            let salt = Salt([7; 16]);
            let commitment = record.instruction.texts_under(salt);
            Texts::Committed { commitment, salt: Some(salt) }
        }
    };
    let digest = digest(&record.instruction, texts.commitment());
    Decided { digest, texts, record }
}

/// The record as the journal keeps it.
fn kept(decided: &Decided) -> StoredRecord {
    let Instruction { reference, end_to_end_id, .. } = decided.record.instruction.clone();
    let beside = Beside { reference, end_to_end_id, salt: decided.texts.salt() };
    StoredRecord { digest: decided.digest, text: stored(decided).to_text(), beside }
}

#[test]
fn a_decision_is_the_same_after_a_turn_through_the_journal() {
    for text in golden() {
        let record = read_v1(&text).expect("a record that the ledger understands");
        let now = decided_again(record);
        let again = decided(kept(&now)).expect("a record that the ledger understands");
        assert_eq!(again, now, "{text}");
    }
}

#[test]
fn a_record_of_version_2_contains_no_text() {
    for text in golden() {
        let now = decided_again(read_v1(&text).expect("a record that the ledger understands"));
        let Instruction { reference, end_to_end_id, .. } = &now.record.instruction;
        let written = stored(&now).to_text();
        assert!(RecordV2::is_of(&written), "{written}");
        for text in [reference, end_to_end_id].into_iter().flatten().filter(|text| text.len() > 3) {
            assert!(!written.contains(text.as_str()), "{text} in {written}");
        }
    }
}

#[test]
fn a_record_of_another_version_is_read_by_nobody() {
    let text = stored(&decided_again(read_v1(&golden()[0]).expect("a record"))).to_text();
    for other in [text.replacen(":2,", ":3,", 1), text.replacen("{\"version\":2,", "{", 1)] {
        assert!(read(&other, Beside::default()).is_err(), "{other}");
    }
}
