//! What commands of one batch do to each other; and that a batch does what they do one by one.

use proptest::prelude::*;
use shared_events::accounts::AccountsReason::{
    self, AccountExists, ExternalReferenceTaken, InvalidField, UnknownAccount, WrongStatus,
};

use super::*;
use crate::domain::samples::{
    close, close_refused, freeze, iban, locked, open, opened, opening, set_limits, unfreeze,
    update_holder,
};

/// One batch on an empty bank in which reference 9 is taken; `then` has the account's version after
/// each command, or why it is refused.
fn check(when: &[AccountsCommand], then: &[Result<i64, AccountsReason>]) {
    let mut book = Book::new(vec![], ["9".to_owned()], (1..=10).map(iban).collect());
    let decisions: Vec<_> = when.iter().map(|command| book.decide(command)).collect();
    let brief = |it: &Decision| match it {
        Ok(changed) => Ok(changed.account.version),
        Err(refusal) => Err(refusal.reason()),
    };
    assert_eq!(decisions.iter().map(brief).collect::<Vec<_>>(), then, "{decisions:#?}");
}

#[test]
fn an_account_is_opened_once() {
    let commands = [open(1, None), open(1, None), open(2, None)];
    check(&commands, &[Ok(1), Err(AccountExists), Ok(1)]);
}

#[test]
fn an_external_reference_is_given_once() {
    let commands = [open(1, Some(9)), open(1, Some(8)), open(2, Some(8))];
    let taken = Err(ExternalReferenceTaken);
    check(&commands, &[taken, Ok(1), taken]);
}

#[test]
fn a_refused_account_leaves_its_reference_free() {
    let invalid = OpenAccount { product: "Current".to_owned(), ..opening(1, Some(8)) };
    check(&[invalid.into(), open(2, Some(8))], &[Err(InvalidField), Ok(1)]);
    let commands = [open(1, None), open(1, Some(8)), open(2, Some(8))];
    check(&commands, &[Ok(1), Err(AccountExists), Ok(1)]);
}

#[test]
fn a_command_sees_what_the_one_before_it_did() {
    let commands = [open(1, None), freeze(1, "too early"), update_holder(1, "Petr"), close(1)];
    check(&commands, &[Ok(1), Err(WrongStatus), Ok(2), Err(WrongStatus)]);
}

#[test]
fn an_account_is_looked_for_first_then_its_fields_then_its_status() {
    check(&[freeze(1, "")], &[Err(UnknownAccount)]);
    let commands = [open(1, None), freeze(1, ""), set_limits(1, "0.001"), update_holder(1, " ")];
    check(&commands, &[Ok(1), Err(InvalidField), Err(InvalidField), Err(InvalidField)]);
}

#[test]
fn an_account_opened_and_changed_in_one_batch_is_stored_once() {
    let mut book = Book::new(vec![], [], vec![iban(1)]);
    let _ = book.decide(&open(1, None));
    let _ = book.decide(&update_holder(1, "Petr"));
    assert_eq!(book.new_accounts().iter().map(|it| it.version).collect::<Vec<_>>(), [2]);
    assert_eq!(book.changed_accounts().len(), 0);
}

/// A command or an event.
#[derive(Clone, Debug)]
enum Message {
    Command(AccountsCommand),
    Event(LedgerAccountEvent),
}

fn message() -> impl Strategy<Value = Message> {
    let account = || 1..=4_u8;
    let command = prop_oneof![
        4 => (account(), prop::option::of(1..=3_u8)).prop_map(|(it, of)| open(it, of)),
        2 => account().prop_map(|it| freeze(it, "reason")),
        1 => account().prop_map(|it| freeze(it, "")),
        2 => account().prop_map(unfreeze),
        2 => account().prop_map(close),
        1 => account().prop_map(|it| set_limits(it, "7.5")),
        1 => account().prop_map(|it| update_holder(it, "Petr")),
    ];
    let event = prop_oneof![
        2 => account().prop_map(opened),
        1 => account().prop_map(locked),
        1 => account().prop_map(close_refused),
    ];
    prop_oneof![3 => command.prop_map(Message::Command), 2 => event.prop_map(Message::Event)]
}

/// What a database would hold.
type Stored = BTreeMap<AccountId, Account>;

/// Works one batch off as the service does: load, decide, save. Returns every outcome as text.
fn work_off(stored: &mut Stored, batch: &[Message], first_serial: u32) -> Vec<String> {
    let taken = stored.values().filter_map(|account| account.external_reference.clone());
    let count = u32::try_from(batch.len()).expect("batches are small");
    let ibans = (first_serial..first_serial + count).map(iban).collect();
    let mut book = Book::new(stored.values().cloned().collect(), taken, ibans);
    let mut work = |message: &Message| match message {
        Message::Command(command) => format!("{:?}", book.decide(command)),
        Message::Event(event) => format!("{:?}", book.follow(event)),
    };
    let outcomes = batch.iter().map(&mut work).collect();
    for account in book.new_accounts() {
        assert_eq!(stored.insert(account.account_id, account.clone()), None);
    }
    for account in book.changed_accounts() {
        assert!(stored.insert(account.account_id, account.clone()).is_some());
    }
    outcomes
}

proptest! {
    #[test]
    fn a_batch_does_what_its_messages_do_one_by_one(
        before in prop::collection::vec(message(), 0..20),
        batch in prop::collection::vec(message(), 1..40),
    ) {
        let mut together = Stored::new();
        work_off(&mut together, &before, 500);
        let mut alone = together.clone();

        let outcomes = work_off(&mut together, &batch, 1);
        let mut serial = 1;
        for (message, outcome) in batch.iter().zip(outcomes) {
            let one = work_off(&mut alone, std::slice::from_ref(message), serial);
            prop_assert_eq!(one, [outcome]);
            serial += u32::from(matches!(message, Message::Command(AccountsCommand::Open(_))));
        }
        prop_assert_eq!(together, alone);
    }
}
