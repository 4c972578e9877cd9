//! The wire keeps the published forms: codes, records, digests and terms are the same on both
//! sides.

use std::{fs, path::Path};

use shared_events::ledger as contract;

use super::{
    inbound::instructions::instruction,
    outbound::outcomes::{record, reject_reason},
    values::{order_terms, outbound_order_terms},
};
use crate::posting::{RejectReason, stored_record};

fn golden_records() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/golden");
    let entries = fs::read_dir(folder).expect("the golden files");
    let paths = entries.map(|entry| entry.expect("a listed file").path());
    let records = paths.filter(|path| path.extension().is_some_and(|name| name == "json"));
    records.map(|path| fs::read_to_string(path).expect("a golden file")).collect()
}

#[test]
fn a_reason_is_published_under_its_own_code() {
    let published = contract::RejectReason::ALL;
    assert_eq!(RejectReason::ALL.len(), published.len());
    for (own, published) in RejectReason::ALL.iter().zip(published) {
        assert_eq!(own.as_str(), published.as_str());
        assert_eq!(reject_reason(*own), *published, "{own:?}");
    }
}

#[test]
fn a_golden_record_is_shown_as_it_is_stored() {
    for text in golden_records() {
        let stored = stored_record::read_v1(&text).expect("a record that the ledger understands");
        let shown = serde_json::to_string(&record(stored)).expect("a message is JSON");
        assert_eq!(shown, text);
    }
}

#[test]
fn an_instruction_has_the_digest_that_the_contract_gives_it() {
    for text in golden_records() {
        let shown: contract::JournalRecord = serde_json::from_str(&text).expect("a record");
        let own = instruction(&shown.instruction);
        assert_eq!(stored_record::digest_v1(&own), shown.instruction.digest(), "{text}");
    }
}

#[test]
fn terms_of_an_order_go_through_the_ledger_unchanged() {
    for text in include_str!("../standing_orders/golden/terms.jsonl").lines() {
        let terms: contract::OrderTerms = serde_json::from_str(text).expect("terms");
        let again = outbound_order_terms(order_terms(&terms));
        assert_eq!(serde_json::to_string(&again).expect("a message is JSON"), text);
    }
}
