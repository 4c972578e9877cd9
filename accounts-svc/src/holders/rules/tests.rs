//! Each rule at its edges.

use shared_events::AccountId;

use super::*;

fn valid() -> OpenAccount {
    OpenAccount {
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
    }
}

/// Opens an account with one field changed; `then` is the field that is refused, or nothing.
fn check(given: &str, when: impl FnOnce(&mut OpenAccount), then: Option<&str>) {
    let mut command = valid();
    when(&mut command);
    let refused = open(&command).map_err(|invalid| invalid.field);
    assert_eq!(refused.err(), then, "{given}");
}

fn texts(then: &'static str, set: fn(&mut OpenAccount, String), good: &[&str], bad: &[&str]) {
    for text in good {
        check(text, |it| set(it, (*text).to_owned()), None);
    }
    for text in bad {
        check(text, |it| set(it, (*text).to_owned()), Some(then));
    }
}

#[test]
fn names_are_1_to_140_characters_on_one_line() {
    texts(
        "holder.name",
        |it, text| it.holder.name = text,
        &["A", "王", &"á".repeat(140)],
        &[
            "",
            "  ",
            "\u{a0}",
            &"á".repeat(141),
            "a\nb",
            "a\0",
            "a\u{7f}",
            "a\u{2028}b",
            "\u{202e}b",
        ],
    );
}

#[test]
fn addresses_have_one_at_sign_and_no_spaces() {
    texts(
        "holder.email",
        |it, text| it.holder.email = Some(text),
        &[
            "a@b",
            "jana+bank@example.com",
            "user@müller.example",
            "jörg@example.com",
            &format!("{}@b.cz", "a".repeat(249)),
        ],
        &[
            "",
            "@",
            "a@",
            "@b",
            "a",
            "a@b@c",
            "a b@c",
            "a@b\r\nBcc: c@d",
            "a\0@b",
            "a\u{202e}@b",
            "a\u{200b}@b",
            "a@[192.0.2.1]",
            "a@192.0.2.1",
            "a@b%cz",
            "a@xn--a",
            &format!("{}@b.cz", "a".repeat(250)),
        ],
    );
}

#[test]
fn webhooks_are_web_addresses() {
    texts(
        "holder.webhook",
        |it, text| it.holder.webhook = Some(text),
        &["http://a", "https://[::1]:8443/x", &format!("https://a/{}", "x".repeat(1_990))],
        &[
            "",
            "a",
            "/hook",
            "ftp://a",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://",
            "https://a b",
            "https://a/\n",
            "https://a/\u{202e}gpj",
            "https://ada@example.com/",
            "https://:secret@example.com/",
            "http://ada:secret@broker:15672/api",
            &format!("https://a/{}", "x".repeat(1_991)),
        ],
    );
}

#[test]
fn languages_are_two_small_letters() {
    texts(
        "holder.language",
        |it, text| it.holder.language = text,
        &["en", "xx"],
        &["", "e", "eng", "EN", "é", "č"],
    );
}

#[test]
fn products_have_plain_names() {
    texts(
        "product",
        |it, text| it.product = text,
        &["a", "current-2", &"x".repeat(40)],
        &["", "Current", "current account", "účet", &"x".repeat(41)],
    );
}

#[test]
fn external_references_are_1_to_64_characters() {
    texts(
        "external_reference",
        |it, text| it.external_reference = Some(text),
        &["1", "A/b c", &"ř".repeat(64)],
        &["", " ", "a\tb", "a\0", "a\u{2066}b", "a\u{ad}b", &"ř".repeat(65)],
    );
}

#[test]
fn an_account_has_an_id_that_the_bank_does_not_need() {
    let set = |id| move |command: &mut OpenAccount| command.account_id = id;
    check("version 7", set(AccountId::new()), None);
    check("what the reference says", set(AccountId::of_reference("4711")), None);
    check("another reference's", set(AccountId::of_reference("4712")), Some("account_id"));
    check("of nothing", set(AccountId(uuid::Uuid::nil())), Some("account_id"));
}

#[test]
fn an_account_holds_money() {
    let set = |code: &str| {
        let currency = code.parse().expect("ISO 4217 lists it");
        move |command: &mut OpenAccount| {
            (command.currency, command.overdraft_limit) = (currency, Amount::ZERO);
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
fn what_is_optional_may_be_missing() {
    check("nothing", |_| (), None);
    check("no address", |it| it.holder.email = None, None);
    check("no webhook", |it| it.holder.webhook = None, None);
    check("no reference", |it| it.external_reference = None, None);
}

#[test]
fn overdraft_limits_are_amounts_of_the_currency() {
    for (limit, currency, rule) in [
        ("0", "EUR", None),
        ("0.01", "EUR", None),
        ("0.010", "EUR", None),
        ("1000000000000000", "JPY", None),
        ("0.001", "KWD", None),
        ("-0.01", "EUR", Some("0 to 1000000000000000")),
        ("1000000000000000.01", "EUR", Some("0 to 1000000000000000")),
        ("0.001", "EUR", Some("at most 2 digits after the point, as EUR has")),
        ("0.1", "JPY", Some("at most 0 digits after the point, as JPY has")),
    ] {
        let (limit, currency) = (limit.parse().expect(limit), currency.parse().expect(currency));
        let refused = overdraft_limit(limit, currency).err();
        assert_eq!(refused.map(|it| it.rule).as_deref(), rule, "{limit} {currency}");
    }
}

#[test]
fn reasons_are_1_to_140_characters() {
    assert_eq!(reason("court order"), Ok(()));
    assert_eq!(reason(&"x".repeat(140)), Ok(()));
    for text in ["", " ", "a\nb", "a\u{2029}b", &"x".repeat(141)] {
        assert_eq!(reason(text).expect_err(text).field, "reason");
    }
}
