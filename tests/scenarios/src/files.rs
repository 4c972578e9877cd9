//! Files of payments and instructions, sent again. Promise: for any edit of a file between two
//! runs, no payee is paid twice, no row is skipped unnoticed, and a fault is named with its line in
//! an editor.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use chrono::{TimeDelta, Utc};
use harness::{Bank, Fact, binaries::scratch_file, facts};
use serde_json::{Value, json};
use shared_events::{
    MessageId, TransferId,
    accounts::AccountKey,
    ledger::{Party, Transfer},
    topology::SERVICES,
};
use uuid::Uuid;

use super::cli_runner::{CliOutput, TellerCli};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_file_that_was_saved_anew_pays_nobody_twice,
        a_row_that_was_corrected_is_paid_and_the_others_are_not_paid_again,
        equal_rows_are_payments_of_their_own,
        a_row_that_was_changed_after_it_was_paid_stops_the_file,
        rows_that_an_earlier_version_paid_by_line_are_not_paid_again,
        a_list_of_instructions_is_done_once_in_any_order,
        an_instruction_that_was_changed_after_it_was_carried_out_stops_the_list,
        files_out_of_offices_are_read_or_refused_in_one_sentence,
    ]
}

const ROWS: [&str; 5] = [
    "ref:works,ref:ada,101.00,EUR,salary 1,E2E-001,",
    "ref:works,ref:bob,102.00,EUR,salary 2,E2E-002,",
    "ref:works,ref:ada,103.00,EUR,salary 3,E2E-003,",
    "ref:works,ref:bob,104.00,EUR,salary 4,E2E-004,",
    "ref:works,ref:ada,105.00,EUR,salary 5,E2E-005,",
];
const HEADER: &str = "debtor,creditor,amount,currency,reference,end_to_end_id,booking_date";

/// An employer with money, two payees, and the command line that pays them.
struct Employer {
    teller: TellerCli,
    bank: Bank,
    file: PathBuf,
}

impl Employer {
    async fn open(bank: Bank) -> Result<Self> {
        bank.start_all(&SERVICES).await?;
        let teller = TellerCli::of(&bank)?;
        for reference in ["works", "ada", "bob"] {
            let open = ["account", "open", "--name", reference, "--currency", "EUR"];
            teller.json(&[&open[..], &["--external-reference", reference]].concat()).await?;
        }
        teller.json(&["deposit", "works", "50000", "EUR"]).await?;
        let file = scratch_file("csv")?;
        Ok(Self { teller, bank, file })
    }

    async fn send(&self, command: &str, content: &[u8], id: &str) -> Result<CliOutput> {
        std::fs::write(&self.file, content)?;
        let path = self.file.to_str().context("a path is text")?;
        let output = self.teller.run(&["--json", command, path, "--id", id]).await?;
        std::fs::remove_file(&self.file)?;
        Ok(output)
    }

    /// Pays a file of which every row must be posted.
    async fn pay(&self, content: impl AsRef<[u8]>, id: &str) -> Result<Value> {
        let output = self.send("pay", content.as_ref(), id).await?;
        ensure!(output.code == 0, "{output:?}");
        let paid = output.json()?;
        ensure!(paid["posted"] == paid["rows"], "{paid}");
        Ok(paid)
    }

    /// The balance of an account.
    async fn has(&self, reference: &str) -> Result<String> {
        let found = self.teller.json(&["balance", &format!("ref:{reference}")]).await?;
        Ok(found["balance"].as_str().unwrap_or_default().to_owned())
    }

    async fn check(&self, ada: &str, bob: &str, when: &str) -> Result<()> {
        let has = (self.has("ada").await?, self.has("bob").await?);
        ensure!(has == (ada.to_owned(), bob.to_owned()), "{when}: {has:?}");
        Ok(())
    }
}

fn new_id() -> String {
    MessageId::new().to_string()
}

fn lines(rows: &[&str], end: &str) -> String {
    [&[HEADER][..], rows].concat().iter().map(|line| format!("{line}{end}")).collect()
}

async fn a_file_that_was_saved_anew_pays_nobody_twice(bank: Bank) -> Result<()> {
    let employer = Employer::open(bank).await?;
    let id = new_id();
    employer.pay(lines(&ROWS, "\n"), &id).await?;
    employer.check("309", "206", "paid").await?;
    let mut sorted = ROWS;
    sorted.reverse();
    let by_iban = employer.teller.json(&["account", "show", "ref:ada"]).await?;
    let iban = by_iban["iban"].as_str().context("the account has an IBAN")?;
    let spaced = format!("IBAN {} {}", &iban[..4], iban[4..].to_lowercase());
    for (when, content) in [
        ("the same", lines(&ROWS, "\n")),
        ("CR LF", lines(&ROWS, "\r\n")),
        ("CR", lines(&ROWS, "\r")),
        ("blank lines", lines(&ROWS, "\n\n")),
        ("sorted", lines(&sorted, "\r\n")),
        ("a row deleted", lines(&ROWS[1..], "\n")),
        ("another name of an account", lines(&ROWS, "\n").replace("ref:ada", &spaced)),
        ("amounts without cents", lines(&ROWS, "\n").replace(".00", "")),
        ("semicolons, decimal commas", lines(&ROWS, "\n").replace(',', ";").replace(".00", ",00")),
    ] {
        employer.pay(content, &id).await?;
        employer.check("309", "206", when).await?;
    }
    // Under another id it is another file.
    employer.pay(lines(&ROWS, "\n"), &new_id()).await?;
    employer.check("618", "412", "another id").await
}

async fn a_row_that_was_corrected_is_paid_and_the_others_are_not_paid_again(
    bank: Bank,
) -> Result<()> {
    let employer = Employer::open(bank).await?;
    for bad in [ROWS[1].replace("102", "1o2"), ROWS[1].replace("ref:bob", "ref:nobody-here")] {
        let (before, id) = (employer.has("ada").await?, new_id());
        let mut rows = ROWS;
        rows[1] = &bad;
        let output = employer.send("pay", lines(&rows, "\r\n").as_bytes(), &id).await?;
        let paid = output.json()?;
        let actual = (&paid["rows"], &paid["posted"], &paid["bad_rows"][0]["line"]);
        ensure!(output.code == 2 && actual == (&json!(5), &json!(4), &json!(3)), "{output:?}");
        let left: Vec<&str> = [&ROWS[..1], &ROWS[2..]].concat();
        let (ada, bob) = (employer.has("ada").await?, employer.has("bob").await?);
        ensure!(ada != before, "the good rows are paid");
        employer.pay(lines(&left, "\n"), &id).await?;
        employer.check(&ada, &bob, "the bad row is deleted").await?;
        employer.pay(lines(&ROWS, "\n"), &id).await?;
        let more = bob.parse::<i64>()? + 102;
        employer.check(&ada, &more.to_string(), "the bad row is corrected").await?;
    }
    Ok(())
}

async fn equal_rows_are_payments_of_their_own(bank: Bank) -> Result<()> {
    let employer = Employer::open(bank).await?;
    let id = new_id();
    let one = "ref:works,ref:ada,10,EUR,bonus,,";
    employer.pay(lines(&[one, one, one], "\n"), &id).await?;
    employer.check("30", "0", "three equal rows").await?;
    employer.pay(lines(&[one], "\n"), &id).await?;
    employer.check("30", "0", "one of them again").await?;
    let added = "ref:works,ref:bob,5,EUR,bonus,,";
    employer.pay(lines(&[added, one, one, one, one], "\n"), &id).await?;
    employer.check("40", "5", "a fourth, and another").await
}

async fn a_row_that_was_changed_after_it_was_paid_stops_the_file(bank: Bank) -> Result<()> {
    let employer = Employer::open(bank).await?;
    let id = new_id();
    employer.pay(lines(&ROWS, "\n"), &id).await?;
    for (row, now, said) in [
        (0, ROWS[0].replace("101.00", "111.00"), "line 2: amount was 101.00 EUR, is 111.00 EUR"),
        (2, ROWS[2].replace("salary 3", "wage"), r#"line 4: reference was "salary 3", is "wage""#),
        (3, ROWS[3].replace("ref:bob", "ref:ada"), "line 5: creditor was "),
    ] {
        let mut rows = ROWS;
        rows[row] = &now;
        let output = employer.send("pay", lines(&rows, "\n").as_bytes(), &id).await?;
        ensure!(output.code == 2 && output.out.is_empty(), "{output:?}");
        ensure!(output.err.contains("nothing was sent"), "{output:?}");
        ensure!(output.err.replace("\\\"", "\"").contains(said), "{said}: {output:?}");
        employer.check("309", "206", &now).await?;
    }
    Ok(())
}

async fn rows_that_an_earlier_version_paid_by_line_are_not_paid_again(bank: Bank) -> Result<()> {
    let employer = Employer::open(bank).await?;
    let id = MessageId::new();
    let client = teller_client::Teller::new(employer.bank.client("old-teller")?);
    let account = async |reference: &str| {
        let key = AccountKey::ExternalReference(reference.to_owned());
        let account = client.account(key).await?;
        anyhow::Ok(Party::AccountId(account.account_id))
    };
    let mut transfers: Vec<Transfer> = Vec::new();
    // As versions up to 0.1 sent it, interrupted after three rows.
    for (line, row) in (2..).zip(ROWS).take(3) {
        let fields: Vec<&str> = row.split(',').collect();
        let transfer_id = Uuid::new_v5(&id.0, format!("line:{line}").as_bytes());
        transfers.push(Transfer {
            transfer_id: TransferId(transfer_id),
            debtor: account("works").await?,
            creditor: account(fields[1].trim_start_matches("ref:")).await?,
            money: teller_client::input::money(fields[2], fields[3])?,
            reference: Some(fields[4].to_owned()),
            end_to_end_id: Some(fields[5].to_owned()),
            booking_date: None,
        });
    }
    client.submit(MessageId::new(), transfers).await?;
    employer.check("204", "102", "what the earlier version paid").await?;
    let id = id.to_string();
    employer.pay(lines(&ROWS[1..], "\r\n\r\n"), &id).await?;
    employer.check("309", "206", "the rest, by this one").await?;
    employer.pay(lines(&ROWS, "\n"), &id).await?;
    employer.check("309", "206", "the whole file again").await
}

async fn a_list_of_instructions_is_done_once_in_any_order(bank: Bank) -> Result<()> {
    let employer = Employer::open(bank).await?;
    let id = new_id();
    let pay = |amount: &str, bank: &str| {
        let (money, code) = (json!({"amount": amount, "currency": "EUR"}), json!({"code": "cash"}));
        let creditor = json!({"code": format!("settlement:{bank}")});
        let transfer = json!({"debtor": code, "creditor": creditor, "money": money});
        json!({"action": {"transfer": transfer}, "reference": format!("salary of {bank}")})
    };
    let (aa, bb, cc) = (pay("101", "AA"), pay("102.00", "BB"), pay("103", "CC"));
    let paid = async |list: &[&Value], id: &str| {
        let output = employer.send("instruct", json!(list).to_string().as_bytes(), id).await?;
        ensure!(output.code == 0, "{output:?}");
        let balance = ["balance", "code:cash", "--currency", "EUR"];
        let found = employer.teller.json(&balance).await?;
        Ok(found["balance"].as_str().unwrap_or_default().to_owned())
    };
    let first = paid(&[&aa, &bb, &cc, &aa], &id).await?;
    ensure!(first == "-50407", "the deposit and four of them: {first}");
    for list in [vec![&aa, &cc, &aa], vec![&cc, &aa, &bb]] {
        ensure!(paid(&list, &id).await? == first, "done twice: {list:?}");
    }
    // As an earlier version sent it: ids by places.
    let (old, by_place) = (new_id(), |place: usize, listed: &Value, id: &str| {
        let id: Uuid = id.parse().unwrap_or_default();
        let mut instruction = listed.clone();
        instruction["transfer_id"] =
            json!(Uuid::new_v5(&id, format!("instruction:{place}").as_bytes()));
        instruction
    });
    let sent = [by_place(0, &aa, &old), by_place(1, &bb, &old)];
    let second = paid(&[&sent[0], &sent[1]], &new_id()).await?;
    ensure!(paid(&[&bb, &cc, &aa], &old).await? == "-50713", "only the third is new, {second}");
    let changed = json!([aa, pay("102.50", "BB")]).to_string();
    let output = employer.send("instruct", changed.as_bytes(), &old).await?;
    ensure!(output.code == 2 && output.err.contains("amount was 102.00 EUR"), "{output:?}");
    Ok(())
}

/// One instruction of each kind that names the account that pays.
fn all_kinds() -> Vec<Value> {
    let own = |code: &str| json!({"code": code});
    let euros = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let pay = |to: &str, amount: &str| {
        let (debtor, creditor) = (own("cash"), own(to));
        json!({"debtor": debtor, "creditor": creditor, "money": euros(amount)})
    };
    let leg = |direction: &str, code: &str, amount: &str| {
        let account = own(code);
        json!({"account": account, "direction": direction, "money": euros(amount)})
    };
    let mut hold = pay("settlement:BB", "60.00");
    hold["expires_at"] = json!(Utc::now() + TimeDelta::days(2));
    let legs = [leg("debit", "cash", "7"), leg("credit", "fees", "3"), leg("credit", "cards", "4")];
    let exchange = json!({
        "debtor": own("cash"), "creditor": own("settlement:CC"), "sell": euros("10"), "buy": "CZK",
        "rate": "25"
    });
    let actions = [
        json!({"transfer": pay("settlement:AA", "101.00")}),
        json!({"hold": hold}),
        json!({"legs": {"legs": legs}}),
        json!({"exchange": exchange}),
    ];
    actions.into_iter().map(|action| json!({"action": action})).collect()
}

async fn an_instruction_that_was_changed_after_it_was_carried_out_stops_the_list(
    bank: Bank,
) -> Result<()> {
    let employer = Employer::open(bank).await?;
    let send = async |list: &[Value], id: &str| {
        employer.send("instruct", json!(list).to_string().as_bytes(), id).await
    };
    let (id, mut list) = (new_id(), all_kinds());
    let first = send(&list, &id).await?;
    ensure!(first.code == 0, "{first:?}");
    let sent =
        |place: usize| anyhow::Ok(first.json()?["instructions"][place]["transfer_id"].clone());
    let (transfer, hold) = (sent(0)?, sent(1)?);
    let capture = json!({"hold_id": hold, "amount": "20", "keep_rest": true});
    list.push(json!({"action": {"capture": capture}}));
    list.push(json!({"action": {"reverse": {"original_id": transfer, "amount": "5"}}}));
    ensure!(send(&list, &id).await?.code == 0, "two are added");
    let cash = ["balance", "code:cash", "--currency", "EUR"];
    let (before, shown) = (employer.teller.json(&cash).await?, hold.as_str().context("an id")?);
    let held = employer.teller.json(&["hold", "show", shown]).await?;
    ensure!(held["hold"]["remaining"] == "40", "{held}");

    for (place, field, now, said) in [
        (0, "/transfer/money/amount", json!("102.50"), "amount was 101.00 EUR, is 102.50 EUR"),
        (1, "/hold/money/amount", json!("70"), "amount was 60.00 EUR, is 70.00 EUR"),
        (
            2,
            "/legs/legs/1/account/code",
            json!("settlement:DD"),
            "legs[1] was credit fees 3.00 EUR",
        ),
        (3, "/exchange/rate", json!("26"), "rate was 25, is 26"),
        (4, "/capture/amount", json!("21"), "amount was 20, is 21"),
        (5, "/reverse/amount", json!("6"), "amount was 5, is 6"),
    ] {
        let mut edited = list.clone();
        let action = edited[place].get_mut("action").context("an action")?;
        *action.pointer_mut(field).context(field)? = now;
        let output = send(&edited, &id).await?;
        let said = format!("instructions[{place}]: {said}");
        ensure!(output.code == 2 && output.err.contains(&said), "{said}: {output:?}");
        ensure!(employer.teller.json(&cash).await? == before, "something was done: {output:?}");
        let held_still = employer.teller.json(&["hold", "show", shown]).await?;
        ensure!(held_still == held, "more is held: {held_still}");
    }
    // Some deleted, the rest in another order: nothing is done twice.
    list.reverse();
    ensure!(send(&list[1..4], &id).await?.code == 0 && send(&list, &id).await?.code == 0);
    ensure!(employer.teller.json(&cash).await? == before, "sorted and done again");
    Ok(())
}

async fn files_out_of_offices_are_read_or_refused_in_one_sentence(bank: Bank) -> Result<()> {
    let employer = Employer::open(bank).await?;
    let european = "sep=;\r\nDebtor;Creditor;Amount;Currency;Reference;Booking date\r\n\
                    ref:works;ref:ada;1234,50;eur;mzda říjen;30.11.2026\r\n\
                    ref:works;ref:bob;2\u{a0}345,60;EUR;mzda říjen;\r\n;;;;;\r\n;;;;;\r\n";
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(european.encode_utf16().flat_map(u16::to_le_bytes));
    let in_cp1250 = |c: char| match c {
        'ř' => 0xf8,
        other => u8::try_from(other).unwrap_or(b'?'),
    };
    let cp1250: Vec<u8> = european.chars().map(in_cp1250).collect();
    let id = new_id();
    for (content, encoding) in [
        (european.as_bytes().to_vec(), "UTF-8"),
        (format!("\u{feff}{european}").into_bytes(), "UTF-8"),
        (utf16, "UTF-16LE"),
        (cp1250, "windows-1250"),
    ] {
        let paid = employer.pay(content, &id).await?;
        ensure!(paid["encoding"] == encoding && paid["rows"] == 2, "{paid}");
        employer.check("1234.5", "2345.6", encoding).await?;
    }
    let quote = lines(&ROWS, "\r\n").replace("salary 2", "\"salary 2");
    let output = employer.send("pay", quote.as_bytes(), &new_id()).await?;
    let actual: Value = serde_json::from_str(output.err.trim())?;
    ensure!(output.code == 2 && actual["error"]["field"] == "line 3", "{output:?}");
    ensure!(output.err.contains("a quote that is not closed"), "{output:?}");
    let wrong = lines(
        &[
            "ref:works,CZ6308800000001000000209,1.00,EUR,wrong check,,",
            "ref:works,ref:ada,1.234,EUR,two meanings,,",
            "ref:works,ref:ada,1,EUR,two days,,1/2/2026",
        ],
        "\r\n",
    );
    let output = employer.send("pay", wrong.as_bytes(), &new_id()).await?;
    let actual = output.json()?;
    let rules: Vec<&str> = (0..3).filter_map(|n| actual["bad_rows"][n]["rule"].as_str()).collect();
    ensure!(rules.len() == 3 && rules[0].contains("check digits"), "{actual}");
    ensure!(rules[1].contains("more digits") && rules[2].contains("could be"), "{actual}");
    employer.check("1234.5", "2345.6", "no payment").await
}
