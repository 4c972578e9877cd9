//! Letters in three languages.

use super::*;
use crate::samples::{money, movement, recipient};
use shared_events::ledger::RejectReason;

fn check(told: &Told, language: &str, subject: &str, body: &str) {
    let letter = write(told, &recipient(language));
    assert_eq!(letter.subject, subject);
    assert_eq!(letter.body, body);
}

fn rejection() -> Rejection {
    Rejection {
        transfer_id: movement().transfer_id,
        reason: RejectReason::InsufficientFunds,
        money: money("50", "EUR"),
        counterparty: Some(AccountCode::settlement("AB")),
        balance: Some("1.2".parse().expect("an amount")),
    }
}

#[test]
fn money_out_in_english() {
    check(
        &Told::TransferPosted(movement()),
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
        counterparty: Some(AccountCode("cash".to_owned())),
        end_to_end_id: Some("VS42".to_owned()),
        ..movement()
    };
    check(
        &Told::TransferPosted(movement),
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
        &Told::TransferRejected(rejection()),
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
fn a_freeze_in_english_for_whoever_reads_none_of_ours() {
    let subject = |language: &str| {
        write(&Told::AccountFrozen(Freeze::default()), &recipient(language)).subject
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
        let letter = write(&Told::AccountFrozen(Freeze { blocks }), &recipient(language));
        assert!(letter.subject.contains(subject), "{}", letter.subject);
        assert!(letter.body.contains(sentence), "{}", letter.body);
    }
}

fn set_aside() -> SetAside {
    SetAside {
        transfer_id: movement().transfer_id,
        money: money("50", "EUR"),
        counterparty: Some(AccountCode("cards".to_owned())),
        available: "1200".parse().ok(),
        expires_at: "2026-11-29T10:00:00Z".parse().expect("an instant"),
        reference: Some("Hotel".to_owned()),
        end_to_end_id: None,
    }
}

#[test]
fn a_hold_in_english() {
    check(
        &Told::TransferHeld(set_aside()),
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
    let SetAside { transfer_id, money, counterparty, available, .. } = set_aside();
    let ended = |cause| {
        let counterparty = counterparty.clone();
        let hold_id = transfer_id;
        Told::HoldReleased(GivenBack {
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
        for (told, sentence) in [(&released, released_by), (&expired, expired_by)] {
            let body = write(told, &recipient(language)).body;
            assert!(body.contains(sentence) && body.contains(left), "{body}");
        }
    }
}

#[test]
fn a_reversal_and_an_exchange_read_as_what_they_are() {
    let back = |direction| {
        let reverses = Some(movement().transfer_id);
        Told::TransferPosted(Movement { direction, reverses, ..movement() })
    };
    for (language, credit, debit) in [
        ("en", "came back to your account", "went back from your account"),
        ("cs", "se vrátilo", "bylo vráceno"),
        ("de", "zurückgebucht", "gingen"),
    ] {
        let body = |told: &Told| write(told, &recipient(language)).body;
        assert!(body(&back(Direction::Credit)).contains(credit));
        assert!(body(&back(Direction::Debit)).contains(debit));
    }
    let rate = "1234.567".parse().ok();
    let counterparty = Some(AccountCode::fx_position());
    let exchange = Told::TransferPosted(Movement { rate, counterparty, ..movement() });
    let body = write(&exchange, &recipient("de")).body;
    assert!(body.contains("Empfänger: die Bank, Devisentausch\nKurs: 1.234,567\n"), "{body}");
}

#[test]
fn without_an_iban_the_account_is_not_named() {
    let mut recipient = recipient("en");
    recipient.iban = None;
    let letter = write(&Told::AccountClosed, &recipient);
    let expected = "Dear Ada King,\n\nYour account was closed.\n\nYour bank\n\n-- \n";
    assert!(letter.body.starts_with(expected), "{}", letter.body);
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
        let shown = ["en", "cs", "de"].map(|it| words_of(it).money(money(amount, currency)));
        assert_eq!(shown, [en, cs, de]);
    }
}

/// What a stranger would like to write into somebody's letter.
const EVIL: &str = "x\r\nBalance: 0\u{2028}Your account is blocked, call\u{2029}+1\u{85}\u{b}\u{c}\
    \u{202e}9\u{2066}8\u{2069}\u{200f}\u{61c}\u{200b}\u{ad}\u{feff}\u{1b}[2J\u{0}\u{e0041}";

#[test]
fn what_strangers_wrote_adds_no_line_and_hides_nothing_in_any_language() {
    let evil = Some(EVIL.to_owned());
    let code = Some(AccountCode(format!("settlement:{EVIL}")));
    let movement = Movement {
        reference: evil.clone(),
        end_to_end_id: evil.clone(),
        counterparty: code.clone(),
        ..movement()
    };
    let hold = SetAside { reference: evil.clone(), end_to_end_id: evil, ..set_aside() };
    let rejection = Rejection { counterparty: code, ..rejection() };
    let plain = |language| Recipient { name: EVIL.to_owned(), ..recipient(language) };
    for told in [
        Told::TransferPosted(movement),
        Told::TransferHeld(hold),
        Told::TransferRejected(rejection),
        Told::AccountClosed,
    ] {
        for language in ["en", "cs", "de"] {
            let letter = write(&told, &plain(language));
            let tame = write(&tamed(&told), &recipient(language));
            assert_eq!(letter.body.lines().count(), tame.body.lines().count(), "{}", letter.body);
            assert_eq!(letter.subject, tame.subject);
            // The only characters that are not seen are the ends of our own lines.
            let hidden = letter.body.chars().filter(|c| {
                c.is_control() && *c != '\n'
                    || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{feff}'
                        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..)
            });
            assert_eq!(hidden.count(), 0, "{:?}", letter.body);
        }
    }
}

/// The same facts, in one word where strangers wrote.
fn tamed(told: &Told) -> Told {
    let word = || Some("x".to_owned());
    let bank = Some(AccountCode::settlement("AB"));
    match told.clone() {
        Told::TransferPosted(it) => Told::TransferPosted(Movement {
            reference: word(),
            end_to_end_id: word(),
            counterparty: bank,
            ..it
        }),
        Told::TransferHeld(it) => {
            Told::TransferHeld(SetAside { reference: word(), end_to_end_id: word(), ..it })
        }
        Told::TransferRejected(it) => {
            Told::TransferRejected(Rejection { counterparty: bank, ..it })
        }
        other => other,
    }
}

#[test]
fn every_reason_and_code_has_its_words_in_every_language() {
    for words in ["en", "cs", "de"].map(words_of) {
        for reason in RejectReason::ALL {
            assert!((words.reason_of)(*reason).len() > 5);
        }
        let names: std::collections::BTreeSet<String> = AccountCode::PLAIN
            .map(|code| party(words, Some(&AccountCode(code.to_owned()))))
            .into_iter()
            .collect();
        assert_eq!(names.len(), AccountCode::PLAIN.len());
        assert!(!names.iter().any(|name| name.contains('_')), "{names:?}");
    }
}
