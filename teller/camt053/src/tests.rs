//! The document to the letter. Its text was checked against the schema of camt.053.001.08.

use shared_events::ledger::Direction;

use super::*;

fn amount(text: &str) -> Amount {
    text.parse().expect("an amount")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

pub(super) fn entry(version: i64, direction: Direction, counterparty: Party) -> StatementEntry {
    StatementEntry {
        version,
        transfer_id: "01a20297-921c-7e1e-86ef-802734b3179e".parse().expect("an id"),
        direction,
        amount: amount("1250.5"),
        balance_after: amount("-1250.5"),
        counterparty,
        reference: None,
        end_to_end_id: None,
        booking_date: day("2026-11-22"),
        value_date: None,
        posted_at: "2026-11-22T09:30:14Z".parse().expect("an instant"),
        reverses: None,
        author: None,
    }
}

/// A debit to a customer with all that can be said, and a credit from the bank with the least.
fn statement() -> (Party, StatementFound, HashMap<Party, Side>) {
    let ada: AccountId = "01a20297-501b-7814-a817-c4463ceaaf30".parse().expect("an id");
    let bob: AccountId = "01a20297-51b8-7ab1-8251-3f839dfb369b".parse().expect("an id");
    let (account, bob) = (Party::AccountId(ada), Party::AccountId(bob));
    let cash = Party::Code(AccountCode("cash".to_owned()));
    let mut debit = entry(3, Direction::Debit, bob.clone());
    debit.reference = Some("Rent <November> & more".to_owned());
    debit.end_to_end_id = Some("RENT-2026-11".to_owned());
    debit.value_date = Some(day("2026-11-20"));
    let side = |name: &str, iban: &str| Side {
        name: name.to_owned(),
        account: AccountName::Iban(iban.to_owned()),
        currency: Some("EUR".parse().expect("a currency")),
    };
    let own = Side {
        name: "Bankwire".to_owned(),
        account: AccountName::Own(AccountCode("cash".to_owned())),
        currency: None,
    };
    let found = StatementFound {
        account_id: ada,
        currency: "EUR".parse().expect("a currency"),
        entries: vec![debit, entry(4, Direction::Credit, cash.clone())],
        next: None,
        period: Some(StatementPeriod {
            opening_balance: amount("-7"),
            closing_balance: amount("-7"),
            debits: amount("1250.5"),
            credits: amount("1250.5"),
            debit_count: 1,
            credit_count: 1,
            until: 4,
        }),
    };
    let sides = HashMap::from([
        (account.clone(), side("Ada Lovelace", "CZ6508000000192000145399")),
        (bob, side("Bob", "CZ9455000000001011038930")),
        (cash, own),
    ]);
    (account, found, sides)
}

const DAYS: (&str, &str) = ("2026-11-01", "2026-11-30");

fn written(of: &(Party, StatementFound, HashMap<Party, Side>), (from, to): (&str, &str)) -> String {
    let (account, statement, sides) = of;
    let bic = Some("BANKCZPP".to_owned());
    xml::document(&Document {
        created_at: "2026-12-01T02:00:00Z".parse().expect("an instant"),
        servicer: &Servicer { name: "Bankwire".to_owned(), bic },
        days: (day(from), day(to)),
        owner: &sides[account],
        statement,
        period: statement.period.as_ref().expect("the period is set"),
        sides,
    })
}

/// Every document that a test writes is held to the schema.
fn valid(documents: &[String]) {
    xsd::check(documents).unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn a_statement_is_written_as_the_schema_says() {
    let document = written(&statement(), DAYS);
    assert_eq!(document, include_str!("../tests/data/camt053.xml"));
    valid(&[document]);
}

/// The text of the first element with this name.
fn element<'d>(document: &'d str, name: &str) -> &'d str {
    let (_, rest) = document.split_once(&format!("<{name}>")).unwrap_or_default();
    rest.split_once("</").unwrap_or_default().0
}

fn ids(document: &str) -> (&str, &str) {
    (element(document, "MsgId"), element(document.split_once("<Stmt>").expect("one").1, "Id"))
}

#[test]
fn a_statement_keeps_its_ids_until_something_of_its_days_changes() {
    let of = statement();
    let first = written(&of, DAYS);
    let mut later = of.clone();
    // Postings on other days move the account's version on, and nothing of these days.
    later.1.period.as_mut().expect("the period is set").until = 99;
    let again = written(&later, DAYS);
    assert_eq!(ids(&first), ids(&again));
    assert!(ids(&first).0.len() <= 35 && ids(&first).1.len() <= 35, "{:?}", ids(&first));
    let mut changed = of.clone();
    changed.1.entries.push(entry(9, Direction::Credit, changed.0.clone()));
    let mut opened = of.clone();
    opened.1.period.as_mut().expect("the period is set").opening_balance = amount("1");
    let others = [
        written(&changed, DAYS),
        written(&opened, DAYS),
        written(&of, ("2026-11-02", "2026-11-30")),
    ];
    for other in &others {
        let ((message, id), (other_message, other_id)) = (ids(&first), ids(other));
        assert!(message != other_message && id != other_id, "{id} {other_id}");
    }
    valid(&others);
    valid(&[first, again]);
}

#[test]
fn entries_say_what_they_are() {
    let code = |code: &str| Party::Code(AccountCode(code.to_owned()));
    let (debit, credit) = (Direction::Debit, Direction::Credit);
    let mut documents = Vec::new();
    for (direction, party, reverses, expected) in [
        (credit, code("interest_paid"), false, "ACMT MCOP INTR"),
        (debit, code("interest_received"), false, "ACMT MDOP INTR"),
        (debit, code("fees"), false, "ACMT MDOP FEES"),
        // A reversed fee is a fee still.
        (credit, code("fees"), true, "ACMT MDOP FEES"),
        (credit, code("cash"), false, "PMNT CNTR CDPT"),
        (debit, code("cash"), false, "PMNT CNTR CWDL"),
        (debit, code("cards"), false, "PMNT CCRD POSD"),
        (debit, code("fx_position"), false, "FORX SPOT NTAV"),
        (credit, code("settlement:AB"), false, "PMNT RCDT NTAV"),
        (debit, statement().0, false, "PMNT ICDT BOOK"),
        (credit, statement().0, true, "PMNT ICDT BOOK"),
    ] {
        let mut of = statement();
        let mut entry = entry(3, direction, party.clone());
        entry.reverses = reverses.then_some(entry.transfer_id);
        of.1.entries = vec![entry];
        let own = of.2[&of.0].clone();
        of.2.entry(party).or_insert(own);
        let document = written(&of, DAYS);
        let (_, domain) = document.split_once("<Domn>").expect("a code");
        let family = domain.split_once("<Fmly>").expect("a family").1;
        let found =
            [element(domain, "Cd"), element(family, "Cd"), element(domain, "SubFmlyCd")].join(" ");
        assert_eq!(found, expected);
        assert_eq!(document.contains("<RvslInd>true</RvslInd>"), reverses);
        documents.push(document);
    }
    valid(&documents);
}

#[test]
fn a_sum_with_a_digit_too_many_is_left_out() {
    let mut of = statement();
    let largest = amount("9999999999999999.99");
    for entry in &mut of.1.entries {
        entry.amount = largest;
    }
    let period = of.1.period.as_mut().expect("the period is set");
    (period.debits, period.credits) = (largest, largest);
    let period = period.clone();
    check_amounts(&of.1, &period).expect("each amount is carried");
    let document = written(&of, DAYS);
    assert!(!document.contains("<Sum>19999999999999999.98</Sum>"), "{document}");
    assert_eq!(document.matches("<Sum>").count(), 2, "{document}");
    valid(&[document]);
}

/// The document is valid with hostile text and with the largest figures.
#[test]
fn no_input_makes_a_document_that_the_schema_refuses() {
    let nasty = [
        "\0\u{1}\u{8}\u{b}\u{1f}",
        "]]><!-- & \u{fffe}\u{ffff} -->",
        "\u{2028}\u{202e}\u{85}\r\n\t",
        " ",
        "'\"<Ntry>&amp;&#0;",
        "\u{10ffff}\u{e0001}\u{feff}",
        "Ž",
    ];
    let figures = ["0", "0.01", "-0.01", "9999999999999999.99", "-9999999999999999.99", "1.12345"];
    let mut documents = Vec::new();
    for text in nasty {
        for repeated in [1, 140 / text.chars().count()] {
            for figure in figures {
                let mut of = statement();
                let long = text.repeat(repeated);
                let short: String = long.chars().take(35).collect();
                for entry in &mut of.1.entries {
                    entry.reference = Some(long.clone());
                    entry.end_to_end_id = Some(short.clone());
                    entry.amount = Amount(amount(figure).decimal().abs());
                    entry.value_date = Some(day("2199-12-31"));
                    entry.reverses = Some(entry.transfer_id);
                }
                of.2.values_mut().for_each(|side| side.name.clone_from(&long));
                let period = of.1.period.as_mut().expect("the period is set");
                (period.opening_balance, period.closing_balance) = (amount(figure), amount(figure));
                (period.debits, period.credits) =
                    (amount("0"), Amount(amount(figure).decimal().abs()));
                documents.push(written(&of, ("1900-01-01", "9999-12-31")));
            }
        }
    }
    valid(&documents);
}

#[test]
fn amounts_that_the_schema_does_not_take_are_refused() {
    let check = |text: &str| {
        let (_, mut statement, _) = statement();
        statement.entries[0].amount = amount(text);
        let period = statement.period.clone().expect("the period is set");
        check_amounts(&statement, &period).is_ok()
    };
    for fits in ["0.01", "1000000000000000", "9999999999999999.99", "1.12345"] {
        assert!(check(fits), "{fits}");
    }
    for too_long in ["1.123456", "10000000000000000", "123456789012345.1234"] {
        assert!(!check(too_long), "{too_long}");
    }
}
