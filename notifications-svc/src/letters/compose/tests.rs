//! Letters in three languages.

use std::borrow::Cow;

use super::*;
use crate::samples::{money, movement, recipient};

fn check(payload: &NotificationPayload<'_>, language: &str, subject: &str, body: &str) {
    let letter = compose(payload, &recipient(language));
    assert_eq!(letter.subject(), subject);
    assert_eq!(letter.body(), body);
}

fn rejection() -> Rejection<'static> {
    Rejection {
        transfer_id: movement().transfer_id,
        reason: "insufficient_funds".into(),
        money: money("50", "EUR"),
        counterparty: Some(Cow::Owned(AccountCode::settlement("AB"))),
        balance: Some("1.2".parse().expect("an amount")),
    }
}

#[test]
fn money_out_in_english() {
    check(
        &NotificationPayload::TransferPosted(movement()),
        "en",
        "1,234.50 EUR left your account",
        "Dear Ada King,\n\
         \n\
         1,234.50 EUR was paid from your account.\n\
         \n\
         Account: CZ65 … 5399\n\
         Amount: 1,234.50 EUR\n\
         To: another account\n\
         Reference: Rent\n\
         Booked on: 22 November 2026\n\
         Balance: 98,765.50 EUR\n\
         \n\
         Your bank\n\
         \n\
         -- \n\
         This e-mail was written by a machine. Nobody reads answers to it.\n",
    );
}

#[test]
fn money_in_in_czech() {
    let movement = Movement {
        direction: Direction::Credit,
        money: money("1234567.8", "CZK"),
        counterparty: Some(Cow::Owned(AccountCode("cash".to_owned()))),
        end_to_end_id: Some("VS42".into()),
        ..movement()
    };
    check(
        &NotificationPayload::TransferPosted(movement),
        "cs",
        "Na Váš účet přišlo 1\u{a0}234\u{a0}567,80 CZK",
        "Dobrý den,\n\
         \n\
         Na Váš účet bylo připsáno 1\u{a0}234\u{a0}567,80 CZK.\n\
         \n\
         Účet: CZ65 … 5399\n\
         Částka: 1\u{a0}234\u{a0}567,80 CZK\n\
         Plátce: hotovost\n\
         Zpráva: Rent\n\
         Reference platby: VS42\n\
         Zaúčtováno: 22. 11. 2026\n\
         Zůstatek: 98\u{a0}765,50 CZK\n\
         \n\
         Vaše banka\n\
         \n\
         -- \n\
         Tento e-mail byl vytvořen automaticky. Prosíme, neodpovídejte na něj.\n",
    );
}

#[test]
fn a_rejection_in_german() {
    check(
        &NotificationPayload::TransferRejected(rejection()),
        "de",
        "Zahlung über 50,00 EUR nicht ausgeführt",
        "Guten Tag Ada King,\n\
         \n\
         Die Zahlung über 50,00 EUR von Ihrem Konto wurde abgelehnt. Es wurde kein Geld bewegt.\n\
         \n\
         Konto: CZ65 … 5399\n\
         Betrag: 50,00 EUR\n\
         Empfänger: ein Konto bei einer anderen Bank (AB)\n\
         Grund: auf dem Konto ist nicht genug Geld\n\
         Kontostand: 1,20 EUR\n\
         \n\
         Ihre Bank\n\
         \n\
         -- \n\
         Diese E-Mail wurde maschinell erstellt. Bitte antworten Sie nicht darauf.\n",
    );
}

#[test]
fn a_freeze_in_english_for_a_language_without_texts() {
    let subject = |language: &str| {
        compose(&NotificationPayload::AccountFrozen(Freeze::default()), &recipient(language))
            .subject()
            .to_owned()
    };
    for (language, then) in [
        ("en", "Your account is frozen"),
        ("fr", "Your account is frozen"),
        ("", "Your account is frozen"),
        ("cs-CZ", "Váš účet je zablokován"),
        ("DE_at", "Ihr Konto ist gesperrt"),
    ] {
        assert_eq!(subject(language), then, "{language}");
    }
}

#[test]
fn a_freeze_of_one_direction_says_which() {
    for (language, blocks, subject, sentence) in [
        ("en", Blocks::Debits, "payments from it", "money can still be paid into it"),
        ("en", Blocks::Credits, "payments into it", "money can still leave it"),
        ("cs", Blocks::Debits, "odchozí platby", "přijímat platby může"),
        ("cs", Blocks::Credits, "příchozí platby", "platit z něj můžete"),
        ("de", Blocks::Debits, "für Auszahlungen", "Einzahlungen sind weiterhin möglich"),
        ("de", Blocks::Credits, "für Einzahlungen", "Auszahlungen sind weiterhin möglich"),
    ] {
        let letter =
            compose(&NotificationPayload::AccountFrozen(Freeze { blocks }), &recipient(language));
        assert!(letter.subject().contains(subject), "{}", letter.subject());
        assert!(letter.body().contains(sentence), "{}", letter.body());
    }
}

fn placed_hold() -> PlacedHold<'static> {
    PlacedHold {
        transfer_id: movement().transfer_id,
        money: money("50", "EUR"),
        counterparty: Some(Cow::Owned(AccountCode("cards".to_owned()))),
        available: "1200".parse().ok(),
        expires_at: "2026-11-29T10:00:00Z".parse().expect("an instant"),
        reference: Some("Hotel".into()),
        end_to_end_id: None,
    }
}

#[test]
fn a_hold_in_english() {
    check(
        &NotificationPayload::TransferHeld(placed_hold()),
        "en",
        "50.00 EUR is on hold",
        "Dear Ada King,\n\
         \n\
         50.00 EUR was set aside on your account. It is still yours, but it cannot be spent until \
         it is paid or given back.\n\
         \n\
         Account: CZ65 … 5399\n\
         Amount: 50.00 EUR\n\
         To: card payment\n\
         Reference: Hotel\n\
         Held until: 29 November 2026 10:00 UTC\n\
         Available: 1,200.00 EUR\n\
         \n\
         Your bank\n\
         \n\
         -- \n\
         This e-mail was written by a machine. Nobody reads answers to it.\n",
    );
}

#[test]
fn the_end_of_a_hold_says_why_and_that_nothing_was_paid() {
    let PlacedHold { transfer_id, money, counterparty, available, .. } = placed_hold();
    let ended = |cause| {
        let counterparty = counterparty.clone();
        let hold_id = transfer_id;
        NotificationPayload::HoldReleased(EndedHold {
            transfer_id,
            hold_id,
            cause,
            money,
            counterparty,
            available,
        })
    };
    let (released, expired) = (ended(ReleaseCause::Released), ended(ReleaseCause::Expired));
    for (language, released_by, expired_by, left) in [
        ("en", "was given back", "is over", "Available: 1,200.00 EUR"),
        ("cs", "byla zrušena", "uplynula", "K dispozici: 1\u{a0}200,00 EUR"),
        ("de", "wurde aufgehoben", "ist abgelaufen", "Verfügbar: 1.200,00 EUR"),
    ] {
        for (payload, sentence) in [(&released, released_by), (&expired, expired_by)] {
            let body = compose(payload, &recipient(language)).body().to_owned();
            assert!(body.contains(sentence) && body.contains(left), "{body}");
        }
    }
}

#[test]
fn a_reversal_and_an_exchange_are_named_as_such() {
    let back = |direction| {
        let reverses = Some(movement().transfer_id);
        NotificationPayload::TransferPosted(Movement { direction, reverses, ..movement() })
    };
    for (language, credit, debit) in [
        ("en", "came back to your account", "went back from your account"),
        ("cs", "se vrátilo", "bylo vráceno"),
        ("de", "zurückgebucht", "gingen"),
    ] {
        let body = |payload: &NotificationPayload<'_>| {
            compose(payload, &recipient(language)).body().to_owned()
        };
        assert!(body(&back(Direction::Credit)).contains(credit));
        assert!(body(&back(Direction::Debit)).contains(debit));
    }
    let rate = "1234.567".parse().ok();
    let counterparty = Some(Cow::Owned(AccountCode::fx_position()));
    let exchange =
        NotificationPayload::TransferPosted(Movement { rate, counterparty, ..movement() });
    let body = compose(&exchange, &recipient("de")).body().to_owned();
    assert!(body.contains("Empfänger: die Bank, Devisentausch\nKurs: 1.234,567\n"), "{body}");
}

#[test]
fn without_an_iban_the_account_is_not_named() {
    let mut recipient = recipient("en");
    recipient.iban = None;
    let letter = compose(&NotificationPayload::AccountClosed, &recipient);
    let expected = "Dear Ada King,\n\nYour account was closed.\n\nYour bank\n\n-- \n";
    assert!(letter.body().starts_with(expected), "{}", letter.body());
}

#[test]
fn money_has_the_digits_of_its_currency_and_the_marks_of_the_language() {
    for (amount, currency, en, cs, de) in [
        ("7", "JPY", "7 JPY", "7 JPY", "7 JPY"),
        ("999", "EUR", "999.00 EUR", "999,00 EUR", "999,00 EUR"),
        ("-1000", "EUR", "-1,000.00 EUR", "-1\u{a0}000,00 EUR", "-1.000,00 EUR"),
        ("1234567", "JPY", "1,234,567 JPY", "1\u{a0}234\u{a0}567 JPY", "1.234.567 JPY"),
        ("0.5", "KWD", "0.500 KWD", "0,500 KWD", "0,500 KWD"),
    ] {
        let shown =
            ["en", "cs", "de"].map(|language| phrases_of(language).money(money(amount, currency)));
        assert_eq!(shown, [en, cs, de]);
    }
}

/// A text by which a stranger would forge parts of a letter.
const EVIL: &str = "x\r\nBalance: 0\u{2028}Your account is blocked, call\u{2029}+1\u{85}\u{b}\u{c}\
    \u{202e}9\u{2066}8\u{2069}\u{200f}\u{61c}\u{200b}\u{ad}\u{feff}\u{1b}[2J\u{0}\u{e0041}";

#[test]
fn texts_of_strangers_add_no_line_and_hide_nothing_in_any_language() {
    let evil: Option<Cow<'static, str>> = Some(EVIL.into());
    let code = Some(Cow::Owned(AccountCode(format!("settlement:{EVIL}"))));
    let movement = Movement {
        reference: evil.clone(),
        end_to_end_id: evil.clone(),
        counterparty: code.clone(),
        ..movement()
    };
    let hold = PlacedHold { reference: evil.clone(), end_to_end_id: evil, ..placed_hold() };
    let rejection = Rejection { counterparty: code, ..rejection() };
    let plain = |language| RecipientContact { name: EVIL.to_owned(), ..recipient(language) };
    for payload in [
        NotificationPayload::TransferPosted(movement),
        NotificationPayload::TransferHeld(hold),
        NotificationPayload::TransferRejected(rejection),
        NotificationPayload::AccountClosed,
    ] {
        for language in ["en", "cs", "de"] {
            let letter = compose(&payload, &plain(language));
            let tame = compose(&tamed(&payload), &recipient(language));
            assert_eq!(
                letter.body().lines().count(),
                tame.body().lines().count(),
                "{}",
                letter.body()
            );
            assert_eq!(letter.subject(), tame.subject());
            // The only invisible characters are the ends of the letter's own lines.
            let hidden = letter.body().chars().filter(|c| {
                c.is_control() && *c != '\n'
                    || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{feff}'
                        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..)
            });
            assert_eq!(hidden.count(), 0, "{:?}", letter.body());
        }
    }
}

/// The same payload with one word in place of each text of a stranger.
fn tamed(payload: &NotificationPayload<'static>) -> NotificationPayload<'static> {
    let word = || Some("x".into());
    let bank = Some(Cow::Owned(AccountCode::settlement("AB")));
    match payload.clone() {
        NotificationPayload::TransferPosted(movement) => {
            NotificationPayload::TransferPosted(Movement {
                reference: word(),
                end_to_end_id: word(),
                counterparty: bank,
                ..movement
            })
        }
        NotificationPayload::TransferHeld(hold) => NotificationPayload::TransferHeld(PlacedHold {
            reference: word(),
            end_to_end_id: word(),
            ..hold
        }),
        NotificationPayload::TransferRejected(rejection) => {
            NotificationPayload::TransferRejected(Rejection { counterparty: bank, ..rejection })
        }
        other => other,
    }
}

#[test]
fn a_reason_code_that_no_language_knows_has_a_general_text() {
    let payload = |reason: &'static str| {
        NotificationPayload::TransferRejected(Rejection { reason: reason.into(), ..rejection() })
    };
    let body = compose(&payload("a_code_of_tomorrow"), &recipient("en")).body().to_owned();
    assert!(body.contains("Reason: another reason (a_code_of_tomorrow)\n"), "{body}");
    let body = compose(&payload("account_closed"), &recipient("en")).body().to_owned();
    assert!(body.contains("Reason: one of the accounts is closed\n"), "{body}");
}

#[test]
fn every_internal_account_has_a_name_in_every_language() {
    for phrases in ["en", "cs", "de"].map(phrases_of) {
        let names: std::collections::BTreeSet<String> = AccountCode::PLAIN
            .map(|code| party(phrases, Some(&AccountCode(code.to_owned()))))
            .into_iter()
            .collect();
        assert_eq!(names.len(), AccountCode::PLAIN.len());
        assert!(!names.iter().any(|name| name.contains('_')), "{names:?}");
    }
}
