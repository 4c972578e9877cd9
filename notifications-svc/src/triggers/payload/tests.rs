//! The stored form of a payload is frozen, and texts of strangers cannot hide anything.

use super::*;
use crate::samples::movement;

#[test]
fn what_strangers_wrote_is_one_line_of_visible_characters() {
    let evil = "Rent\u{2028}Balance: 0\u{2029}\u{85}\u{202e}diap\u{202c}\u{200b}\u{feff}\u{1b}[2J";
    let hold = SetAside {
        transfer_id: movement().transfer_id,
        money: movement().money,
        counterparty: None,
        available: None,
        expires_at: DateTime::UNIX_EPOCH,
        reference: Some(evil.to_owned()),
        end_to_end_id: Some(evil.to_owned()),
    };
    let posted = Movement {
        reference: Some(evil.to_owned()),
        end_to_end_id: Some(evil.to_owned()),
        ..movement()
    };
    for told in [Told::TransferPosted(posted), Told::TransferHeld(hold)] {
        let stored = serde_json::to_string(&told).expect("facts write plain JSON");
        let read = Told::read(&stored).expect("it is read");
        let texts = match read {
            Told::TransferPosted(it) => [it.reference, it.end_to_end_id],
            Told::TransferHeld(it) => [it.reference, it.end_to_end_id],
            other => panic!("{other:?}"),
        };
        for text in texts.into_iter().flatten() {
            assert!(text.contains("Rent") && text.contains("Balance: 0"), "{text:?}");
            let hidden = [
                '\u{2028}', '\u{2029}', '\u{85}', '\u{202e}', '\u{202c}', '\u{200b}', '\u{feff}',
                '\u{1b}', '\n',
            ];
            assert!(!text.contains(hidden), "{text:?}");
        }
    }
}

#[test]
fn what_is_stored_is_read_again_and_what_a_newer_version_wrote_is_not() {
    let frozen = Told::AccountFrozen(Freeze { blocks: Blocks::Debits });
    for told in [Told::TransferPosted(movement()), frozen, Told::AccountClosed] {
        let stored = serde_json::to_string(&told).expect("facts write plain JSON");
        assert_eq!(Told::read(&stored), Some(told));
    }
    assert_eq!(Told::read(r#"{"topic":"weather"}"#), None);
    assert_eq!(Told::read("{}"), None);
}

/// The stored form of each kind of payload, byte for byte. Rows of every age have this form, and so
/// do the bodies of webhooks: a new field needs a default, and no field changes its name.
const FROZEN: &str = include_str!("stored.jsonl");

#[test]
fn the_stored_form_is_frozen() {
    assert_eq!(FROZEN.lines().count(), 10);
    for stored in FROZEN.lines() {
        let told = Told::read(stored).expect(stored);
        assert_eq!(serde_json::to_string(&told).expect("plain JSON"), stored);
    }
}
