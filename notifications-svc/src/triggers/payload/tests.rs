//! The stored form of a payload is frozen, and texts of strangers cannot hide anything.

use super::*;
use crate::samples::movement;

#[test]
fn texts_of_strangers_are_one_line_of_visible_characters() {
    let evil = "Rent\u{2028}Balance: 0\u{2029}\u{85}\u{202e}diap\u{202c}\u{200b}\u{feff}\u{1b}[2J";
    let hold = PlacedHold {
        transfer_id: movement().transfer_id,
        money: movement().money,
        counterparty: None,
        available: None,
        expires_at: DateTime::UNIX_EPOCH,
        reference: Some(evil.into()),
        end_to_end_id: Some(evil.into()),
    };
    let posted =
        Movement { reference: Some(evil.into()), end_to_end_id: Some(evil.into()), ..movement() };
    for payload in
        [NotificationPayload::TransferPosted(posted), NotificationPayload::TransferHeld(hold)]
    {
        let stored = payload.to_json();
        let read = NotificationPayload::read(&stored).expect("this version wrote the row");
        let texts = match read {
            NotificationPayload::TransferPosted(movement) => {
                [movement.reference, movement.end_to_end_id]
            }
            NotificationPayload::TransferHeld(hold) => [hold.reference, hold.end_to_end_id],
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
fn a_stored_payload_is_read_again_and_one_of_a_newer_version_is_not() {
    let frozen = NotificationPayload::AccountFrozen(Freeze { blocks: Blocks::Debits });
    for payload in [
        NotificationPayload::TransferPosted(movement()),
        frozen,
        NotificationPayload::AccountClosed,
    ] {
        let stored = payload.to_json();
        assert_eq!(NotificationPayload::read(&stored), Some(payload));
    }
    assert_eq!(NotificationPayload::read(r#"{"topic":"weather"}"#), None);
    assert_eq!(NotificationPayload::read("{}"), None);
}

/// The stored form of each kind of payload, byte for byte. Rows of every age have this form, and so
/// do the bodies of webhooks: a new field needs a default, and no field changes its name.
const FROZEN: &str = include_str!("stored.jsonl");

#[test]
fn the_stored_form_is_frozen() {
    assert_eq!(FROZEN.lines().count(), 10);
    for stored in FROZEN.lines() {
        let payload = NotificationPayload::read(stored).expect(stored);
        assert_eq!(payload.to_json(), stored);
    }
}
