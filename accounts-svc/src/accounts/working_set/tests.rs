//! Requests of one batch see each other, and a batch has the same result as its requests one by
//! one.

use proptest::prelude::*;

use super::*;
use crate::accounts::{
    Opening,
    samples::{
        close, close_refused, freeze, iban, locked, open, open_checked, opened, opening,
        set_limits, unfreeze, update_holder,
    },
};

/// A working set for these requests. New accounts are numbered from `first_serial` on.
fn working_set(
    accounts: Vec<Account>,
    taken_references: Vec<String>,
    requests: &[AccountRequest],
    first_serial: u32,
) -> WorkingSet {
    let everything = Rights::everything();
    let openings = requests.iter().filter_map(AccountRequest::opening);
    let openings: Vec<_> = openings.map(|opening| (opening, &everything)).collect();
    let admitted = opening::admit(&openings, &accounts, taken_references);
    let mut serials = first_serial..;
    let mut iban = || iban(serials.next().expect("there is no end"));
    let openings = admitted.into_iter().map(|opening| opening.map(|()| iban())).collect();
    WorkingSet::new(accounts, openings)
}

const ACCOUNT_EXISTS: &str = "account_exists";
const INVALID_FIELD: &str = "invalid_field";
const REFERENCE_TAKEN: &str = "external_reference_taken";
const UNKNOWN_ACCOUNT: &str = "unknown_account";
const WRONG_STATUS: &str = "wrong_status";

/// One batch on an empty bank in which reference 9 is taken; `then` has the account's version after
/// each request, or the code of the refusal.
fn check(when: &[AccountRequest], then: &[Result<i64, &str>]) {
    let mut working_set = working_set(vec![], vec!["9".to_owned()], when, 1);
    let decisions: Vec<_> =
        when.iter().map(|request| working_set.decide(request, &Rights::everything())).collect();
    let brief = |decision: &Decision| match decision {
        Ok(change) => Ok(change.account.version),
        Err(refusal) => Err(refusal.code()),
    };
    assert_eq!(decisions.iter().map(brief).collect::<Vec<_>>(), then, "{decisions:#?}");
}

#[test]
fn an_account_is_opened_once() {
    let requests = [open(1, None), open(1, None), open(2, None)];
    check(&requests, &[Ok(1), Err(ACCOUNT_EXISTS), Ok(1)]);
}

#[test]
fn an_external_reference_is_given_once() {
    let requests = [open(1, Some(9)), open(1, Some(8)), open(2, Some(8))];
    let taken = Err(REFERENCE_TAKEN);
    check(&requests, &[taken, Ok(1), taken]);
}

#[test]
fn a_refused_account_leaves_its_reference_free() {
    let invalid = Opening { product: "Current".to_owned(), ..opening(1, Some(8)) };
    check(&[open_checked(invalid), open(2, Some(8))], &[Err(INVALID_FIELD), Ok(1)]);
    let requests = [open(1, None), open(1, Some(8)), open(2, Some(8))];
    check(&requests, &[Ok(1), Err(ACCOUNT_EXISTS), Ok(1)]);
}

#[test]
fn a_request_sees_the_change_of_the_one_before() {
    let requests = [open(1, None), freeze(1, "early"), update_holder(1, "Petr"), close(1)];
    check(&requests, &[Ok(1), Ok(2), Ok(3), Err(WRONG_STATUS)]);
}

#[test]
fn the_account_is_checked_first_then_the_fields_then_the_status() {
    check(&[freeze(1, "")], &[Err(UNKNOWN_ACCOUNT)]);
    let requests = [open(1, None), freeze(1, ""), set_limits(1, "0.001"), update_holder(1, " ")];
    check(&requests, &[Ok(1), Err(INVALID_FIELD), Err(INVALID_FIELD), Err(INVALID_FIELD)]);
}

#[test]
fn an_account_opened_and_changed_in_one_batch_is_stored_once() {
    let requests = [open(1, None), update_holder(1, "Petr")];
    let mut working_set = working_set(vec![], vec![], &requests, 1);
    requests.iter().for_each(|request| drop(working_set.decide(request, &Rights::everything())));
    assert_eq!(
        working_set.new_accounts().iter().map(|account| account.version).collect::<Vec<_>>(),
        [2]
    );
    assert_eq!(working_set.changed_accounts().len(), 0);
}

/// One number is drawn for each admitted opening, and none for a refused one.
#[test]
fn a_refused_opening_takes_no_number() {
    let refused = (0..1_000).flat_map(|_| {
        let invalid = Opening { product: "Current".to_owned(), ..opening(2, None) };
        [open(1, None), open(2, Some(9)), open_checked(invalid)]
    });
    let requests: Vec<_> =
        [open(1, None)].into_iter().chain(refused).chain([open(3, None)]).collect();
    let mut working_set = working_set(vec![], vec!["9".to_owned()], &requests, 1);
    let opened = requests
        .iter()
        .filter_map(|request| working_set.decide(request, &Rights::everything()).ok());
    let ibans: Vec<_> = opened.map(|change| change.account.iban).collect();
    assert_eq!(ibans, [iban(1), iban(2)]);
}

/// A request or an answer of the ledger.
#[derive(Clone, Debug)]
enum Input {
    Request(AccountRequest),
    Answer(LedgerAnswer),
}

fn input() -> impl Strategy<Value = Input> {
    let account = || 1..=4_u8;
    let closing = || prop::option::of(1..=9_i64);
    let reference = || prop::option::of(1..=3_u8);
    let request = prop_oneof![
        4 => (account(), reference()).prop_map(|(number, reference)| open(number, reference)),
        2 => account().prop_map(|number| freeze(number, "reason")),
        1 => account().prop_map(|number| freeze(number, "")),
        2 => account().prop_map(unfreeze),
        2 => account().prop_map(close),
        1 => account().prop_map(|number| set_limits(number, "7.5")),
        1 => account().prop_map(|number| update_holder(number, "Petr")),
    ];
    let answer = prop_oneof![
        2 => account().prop_map(opened),
        1 => (account(), closing()).prop_map(|(number, version)| locked(number, version)),
        1 => (account(), closing()).prop_map(|(number, version)| close_refused(number, version)),
    ];
    prop_oneof![3 => request.prop_map(Input::Request), 2 => answer.prop_map(Input::Answer)]
}

/// The content of a database.
type Stored = BTreeMap<AccountId, Account>;

/// Carries out one batch as the service does: load, decide, save. Returns every outcome as text.
fn carry_out(stored: &mut Stored, batch: &[Input], first_serial: u32) -> Vec<String> {
    let taken = stored.values().filter_map(|account| account.external_reference.clone()).collect();
    let requests: Vec<AccountRequest> = batch
        .iter()
        .filter_map(|input| match input {
            Input::Request(request) => Some(request.clone()),
            Input::Answer(_) => None,
        })
        .collect();
    let accounts = stored.values().cloned().collect();
    let mut working_set = working_set(accounts, taken, &requests, first_serial);
    let mut outcome = |input: &Input| match input {
        Input::Request(request) => {
            format!("{:?}", working_set.decide(request, &Rights::everything()))
        }
        Input::Answer(answer) => format!("{:?}", working_set.follow(answer)),
    };
    let outcomes = batch.iter().map(&mut outcome).collect();
    for account in working_set.new_accounts() {
        assert_eq!(stored.insert(account.id, account.clone()), None);
    }
    for account in working_set.changed_accounts() {
        assert!(stored.insert(account.id, account.clone()).is_some());
    }
    outcomes
}

proptest! {
    #[test]
    fn a_batch_has_the_same_result_as_its_messages_one_by_one(
        before in prop::collection::vec(input(), 0..20),
        batch in prop::collection::vec(input(), 1..40),
    ) {
        let mut together = Stored::new();
        carry_out(&mut together, &before, 500);
        let mut alone = together.clone();

        let outcomes = carry_out(&mut together, &batch, 1);
        let mut serial = 1;
        for (input, outcome) in batch.iter().zip(outcomes) {
            let accounts_before = alone.len();
            let one = carry_out(&mut alone, std::slice::from_ref(input), serial);
            prop_assert_eq!(one, [outcome]);
            serial += u32::from(alone.len() > accounts_before);
        }
        prop_assert_eq!(together, alone);
    }
}
