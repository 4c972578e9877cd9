//! The rule of each field of an opening, at its edges.

use super::*;

fn valid() -> Opening {
    Opening {
        account_id: AccountId::new(),
        holder: Holder {
            name: "Jana Nováková".to_owned(),
            email: Some("jana@example.com".to_owned()),
            webhook: Some("https://example.com/hook?of=jana".to_owned()),
            language: "cs".to_owned(),
        },
        product: "current".to_owned(),
        currency: "EUR".parse().expect("a currency"),
        overdraft_limit: "100.00".parse().expect("an amount"),
        external_reference: Some("4711".to_owned()),
        branch: "main".to_owned(),
    }
}

/// Checks an opening with one field changed; `then` is the field that is refused, if any.
fn check(given: &str, when: impl FnOnce(&mut Opening), then: Option<&str>) {
    let mut opening = valid();
    when(&mut opening);
    let refused = opening.checked().map_err(|invalid| invalid.field);
    assert_eq!(refused.err(), then, "{given}");
}

fn texts(then: &'static str, set: fn(&mut Opening, String), good: &[&str], bad: &[&str]) {
    for text in good {
        check(text, |opening| set(opening, (*text).to_owned()), None);
    }
    for text in bad {
        check(text, |opening| set(opening, (*text).to_owned()), Some(then));
    }
}

#[test]
fn a_wrong_holder_is_refused_with_the_path_of_the_field() {
    check("no name", |opening| opening.holder.name.clear(), Some("holder.name"));
}

#[test]
fn products_have_plain_names() {
    texts(
        "product",
        |opening, text| opening.product = text,
        &["a", "current-2", &"x".repeat(40)],
        &["", "Current", "current account", "účet", &"x".repeat(41)],
    );
}

#[test]
fn external_references_are_1_to_64_characters() {
    texts(
        "external_reference",
        |opening, text| opening.external_reference = Some(text),
        &["1", "A/b c", &"ř".repeat(64)],
        &["", " ", "a\tb", "a\0", "a\u{2066}b", "a\u{ad}b", &"ř".repeat(65)],
    );
}

#[test]
fn an_account_has_an_id_that_the_bank_does_not_need() {
    let set = |id| move |opening: &mut Opening| opening.account_id = id;
    check("version 7", set(AccountId::new()), None);
    check("follows from the reference", set(AccountId::of_reference("4711")), None);
    check(
        "follows from another reference",
        set(AccountId::of_reference("4712")),
        Some("account_id"),
    );
    check("nil", set(AccountId(uuid::Uuid::nil())), Some("account_id"));
}

#[test]
fn an_account_holds_money() {
    let set = |code: &str| {
        let currency = code.parse().expect("a currency of ISO 4217");
        move |opening: &mut Opening| {
            (opening.currency, opening.overdraft_limit) = (currency, Amount::ZERO);
        }
    };
    for code in ["EUR", "JPY", "KWD", "CLF", "XOF"] {
        check(code, set(code), None);
    }
    for code in ["XAU", "XDR", "XTS", "XXX", "HRK", "BGN"] {
        check(code, set(code), Some("currency"));
    }
}

#[test]
fn optional_fields_may_be_missing() {
    check("nothing", |_| (), None);
    check("no address", |opening| opening.holder.email = None, None);
    check("no webhook", |opening| opening.holder.webhook = None, None);
    check("no reference", |opening| opening.external_reference = None, None);
}
