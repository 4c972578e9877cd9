//! Each kind of change is the golden record of its name, and the texts beside it.

use std::{fs, path::Path};

use chrono::DateTime;
use shared_events::evidence::{Authorship, Salt};

use super::*;
use crate::{
    accounts::{
        AccountStatus, CloseRefusal, SpendingLimits,
        samples::{account, amount, id},
    },
    history::{Cause, ChainEnd},
    holders::Holder,
};

/// An account with every field.
fn full(status: AccountStatus, version: i64) -> Account {
    let holder = Holder {
        name: "Jana \"Jo\" Nováková".to_owned(),
        email: Some("jana@example.com".to_owned()),
        webhook: Some("https://example.com/bank".to_owned()),
        language: "cs".to_owned(),
    };
    Account {
        holder,
        overdraft_limit: amount("500.00"),
        spending_limits: SpendingLimits {
            transfer: Some(amount("1000")),
            daily: Some(amount("2000.50")),
            monthly: Some(amount("30000")),
            minimum_balance: Some(amount("0")),
        },
        blocks: (status == AccountStatus::Frozen).then_some(Blocks::Debits),
        external_reference: Some("184-7".to_owned()),
        branch: "prague".to_owned(),
        status,
        closing_version: (status == AccountStatus::Closing).then_some(version),
        version,
        ..account(1)
    }
}

fn changes() -> Vec<(&'static str, AccountChange)> {
    use AccountStatus::{Active, Closed, Closing, Erased, Frozen};
    let refused =
        ChangeKind::CloseRefused { reason: CloseRefusal::BalanceNotZero, balance: amount("12.50") };
    let frozen = ChangeKind::Frozen { reason: "court order".to_owned(), previous_blocks: None };
    let after = |account: Account, kind: ChangeKind| AccountChange { account, kind };
    vec![
        ("opened", after(account(1), ChangeKind::Opened)),
        ("activated", after(full(Active, 2), ChangeKind::Activated)),
        ("frozen", after(full(Frozen, 3), frozen)),
        ("unfrozen", after(full(Active, 4), ChangeKind::Unfrozen)),
        ("limits_changed", after(full(Active, 5), ChangeKind::LimitsChanged)),
        ("holder_updated", after(full(Active, 6), ChangeKind::HolderUpdated)),
        ("closing", after(full(Closing, 7), ChangeKind::Closing { payout: None })),
        ("close_refused", after(full(Active, 8), refused)),
        (
            "closing_with_payout",
            after(full(Closing, 9), ChangeKind::Closing { payout: Some(id(2)) }),
        ),
        ("closed", after(full(Closed, 10), ChangeKind::Closed)),
        (
            "erased",
            after(Account { holder: Holder::erased(), ..full(Erased, 11) }, ChangeKind::Erased),
        ),
    ]
}

/// Every second change is of the ledger, the others of an author with every field.
fn cause(number: usize) -> Cause {
    if number.is_multiple_of(2) {
        return Cause { author: Authorship::of("ledger"), command_id: None };
    }
    let name = |name: &str| Some(name.to_owned());
    let author = Authorship {
        principal: "clerk".to_owned(),
        actor: name("jana.novakova@branch-7"),
        edited_by: name("operations"),
        approved_by: name("supervisor"),
    };
    let command = "01a20298-8068-7dd7-a62c-bb8c66cedcd4".parse().expect("an id");
    Cause { author, command_id: Some(command) }
}

#[test]
fn each_kind_of_change_is_recorded_as_its_golden_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/history/golden");
    let at = DateTime::from_timestamp_micros(1_795_426_276_500_000).expect("an instant");
    let none = ChainEnd { place: 0, hash: shared_events::evidence::Hash256::default() };
    for (number, (name, change)) in (1_u8..).zip(changes()) {
        let (cause, salt) = (cause(number.into()), Salt([number; 16]));
        let recorded = (&cause, recorded(&change));
        let records = none.records(at, [(&recorded, salt)]);
        let read = |name: String| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let golden = (read(format!("{name}.json")), read(format!("{name}.texts.json")));
        let texts = records[0].texts.clone().unwrap_or_default();
        assert_eq!((records[0].record.clone(), texts), golden, "{name}");
    }
}
