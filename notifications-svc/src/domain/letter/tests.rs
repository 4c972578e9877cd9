//! Letters in three languages.

use super::*;
use crate::domain::samples::{money, movement, recipient};
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
    let subject = |language: &str| write(&Told::AccountFrozen, &recipient(language)).subject;
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

#[test]
fn a_reference_cannot_write_lines_of_its_own() {
    let movement = Movement { reference: Some("x\r\nBalance: 0.00 EUR".to_owned()), ..movement() };
    let letter = write(&Told::TransferPosted(movement), &recipient("en"));
    assert!(letter.body.contains("\nReference: x  Balance: 0.00 EUR\n"), "{}", letter.body);
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
