//! The rule of each field of a holder, at its edges.

use super::*;

/// Checks a holder with one field changed to each of these texts.
fn texts(field: &str, set: fn(&mut Holder, String), good: &[&str], bad: &[&str]) {
    let check_one = |text: &str| {
        let mut holder = Holder {
            name: "Jana Nováková".to_owned(),
            email: Some("jana@example.com".to_owned()),
            webhook: Some("https://example.com/hook?of=jana".to_owned()),
            language: "cs".to_owned(),
        };
        set(&mut holder, text.to_owned());
        check(&holder).map_err(|invalid| invalid.field)
    };
    for text in good {
        assert_eq!(check_one(text), Ok(()), "{text}");
    }
    for text in bad {
        assert_eq!(check_one(text), Err(field), "{text}");
    }
}

#[test]
fn names_are_1_to_140_characters_on_one_line() {
    texts(
        "holder.name",
        |holder, text| holder.name = text,
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
        |holder, text| holder.email = Some(text),
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
        |holder, text| holder.webhook = Some(text),
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
        |holder, text| holder.language = text,
        &["en", "xx"],
        &["", "e", "eng", "EN", "é", "č"],
    );
}
