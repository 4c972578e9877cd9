//! What commands of one batch do to each other; and that a batch does what they do one by one.

use proptest::prelude::*;
use shared_events::accounts::AccountsReason::{
    self, AccountExists, ExternalReferenceTaken, InvalidField, UnknownAccount, WrongStatus,
};

use super::*;
use crate::accounts::samples::{
    close, close_refused, freeze, iban, locked, open, opened, opening, set_limits, unfreeze,
    update_holder,
};

/// A book for these commands, whose new accounts are numbered from `first_serial` on.
fn book(
    accounts: Vec<Account>,
    taken_references: Vec<String>,
    commands: &[AccountsCommand],
    first_serial: u32,
) -> Book {
    let commands = commands.iter().filter_map(|command| match command {
        AccountsCommand::Open(command) => Some(command),
        _ => None,
    });
    let openings = openings(commands, &accounts, taken_references);
    let mut serials = first_serial..;
    let mut iban = || iban(serials.next().expect("there is no end"));
    Book::new(accounts, openings.into_iter().map(|opening| opening.map(|()| iban())).collect())
}

/// One batch on an empty bank in which reference 9 is taken; `then` has the account's version after
/// each command, or why it is refused.
fn check(when: &[AccountsCommand], then: &[Result<i64, AccountsReason>]) {
    let mut book = book(vec![], vec!["9".to_owned()], when, 1);
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
    let commands = [open(1, None), freeze(1, "early"), update_holder(1, "Petr"), close(1)];
    check(&commands, &[Ok(1), Ok(2), Ok(3), Err(WrongStatus)]);
}

#[test]
fn an_account_is_looked_for_first_then_its_fields_then_its_status() {
    check(&[freeze(1, "")], &[Err(UnknownAccount)]);
    let commands = [open(1, None), freeze(1, ""), set_limits(1, "0.001"), update_holder(1, " ")];
    check(&commands, &[Ok(1), Err(InvalidField), Err(InvalidField), Err(InvalidField)]);
}

#[test]
fn an_account_opened_and_changed_in_one_batch_is_stored_once() {
    let commands = [open(1, None), update_holder(1, "Petr")];
    let mut book = book(vec![], vec![], &commands, 1);
    commands.iter().for_each(|command| drop(book.decide(command)));
    assert_eq!(book.new_accounts().iter().map(|it| it.version).collect::<Vec<_>>(), [2]);
    assert_eq!(book.changed_accounts().len(), 0);
}

/// One number for each account that is opened, and none for what is refused.
#[test]
fn a_refused_opening_takes_no_number() {
    let refused = (0..1_000).flat_map(|_| {
        let invalid = OpenAccount { product: "Current".to_owned(), ..opening(2, None) };
        [open(1, None), open(2, Some(9)), invalid.into()]
    });
    let commands: Vec<_> =
        [open(1, None)].into_iter().chain(refused).chain([open(3, None)]).collect();
    let mut book = book(vec![], vec!["9".to_owned()], &commands, 1);
    let opened = commands.iter().filter_map(|command| book.decide(command).ok());
    let ibans: Vec<_> = opened.map(|changed| changed.account.iban).collect();
    assert_eq!(ibans, [iban(1), iban(2)]);
}

/// A command or an event.
#[derive(Clone, Debug)]
enum Message {
    Command(AccountsCommand),
    Event(LedgerAccountEvent),
}

fn message() -> impl Strategy<Value = Message> {
    let account = || 1..=4_u8;
    let closing = || prop::option::of(1..=9_i64);
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
        1 => (account(), closing()).prop_map(|(it, version)| locked(it, version)),
        1 => (account(), closing()).prop_map(|(it, version)| close_refused(it, version)),
    ];
    prop_oneof![3 => command.prop_map(Message::Command), 2 => event.prop_map(Message::Event)]
}

/// What a database would hold.
type Stored = BTreeMap<AccountId, Account>;

/// Works one batch off as the service does: load, decide, save. Returns every outcome as text.
fn work_off(stored: &mut Stored, batch: &[Message], first_serial: u32) -> Vec<String> {
    let taken = stored.values().filter_map(|account| account.external_reference.clone()).collect();
    let commands: Vec<AccountsCommand> = batch
        .iter()
        .filter_map(|message| match message {
            Message::Command(command) => Some(command.clone()),
            Message::Event(_) => None,
        })
        .collect();
    let mut book = book(stored.values().cloned().collect(), taken, &commands, first_serial);
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
            let opened = alone.len();
            let one = work_off(&mut alone, std::slice::from_ref(message), serial);
            prop_assert_eq!(one, [outcome]);
            serial += u32::from(alone.len() > opened);
        }
        prop_assert_eq!(together, alone);
    }
}
