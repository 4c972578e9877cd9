//! The import's plan, executed on paper: no bus, no ledger, the same figures.

use std::{collections::HashMap, path::Path};

use rust_decimal::Decimal;
use shared_events::{AccountId, ledger::Party};
use teller_legacy::{
    Comparison, Entry, Export, LedgerEntries, Plan, Tally, account_id, compare, plan, read,
};

/// Posts the plan in memory as the ledger would. Fails where an account passes its limit.
fn replay(export: &Export, plan: &Plan) -> LedgerEntries {
    let limits: HashMap<AccountId, Decimal> = plan
        .accounts
        .iter()
        .map(|account| (account.command.account_id, account.command.overdraft_limit.decimal()))
        .collect();
    let numbers: HashMap<AccountId, u64> = export
        .accounts
        .iter()
        .map(|account| (account_id(account.number), account.number))
        .collect();
    let mut books = LedgerEntries::new();
    for row in &plan.rows {
        let transfer = &row.transfer;
        let amount = transfer.money.amount.decimal();
        let change = if transfer.debtor == Party::AccountId(row.account_id) {
            -amount
        } else {
            assert_eq!(transfer.creditor, Party::AccountId(row.account_id));
            amount
        };
        let entries = books.entry(numbers[&row.account_id]).or_default();
        let balance_after =
            entries.last().map_or(Decimal::ZERO, |entry| entry.balance_after) + change;
        assert!(balance_after >= -limits[&row.account_id], "line {} is refused", row.line);
        let booking_date = transfer.booking_date.expect("an import books on the row's day");
        let transfer_id = transfer.transfer_id;
        entries.push(Entry { transfer_id, booking_date, balance_after });
    }
    books
}

fn reconciled(export: &Export) -> Comparison {
    compare(export, &replay(export, &plan(export)))
}

fn small() -> Export {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/legacy-small");
    read(&folder).expect("the small export can be read")
}

#[test]
fn the_small_export_gives_the_figures_of_its_readme() {
    let export = small();
    assert_eq!((export.rows_total, export.rows.len()), (34, 16));
    let comparison = reconciled(&export);
    assert_eq!(comparison.account_days, Tally { exact: 12, rounding: 1, mismatch: 1 });
    assert_eq!(comparison.accounts, Tally { exact: 1, rounding: 1, mismatch: 1 });
    assert_eq!(comparison.closing_sum.to_string(), "7295.27");
    let json = serde_json::to_string(&comparison.mismatches).expect("plain JSON");
    let expected = r#"[{"account":90103,"day":"1993-01-20","ledger":"3800.00","#;
    assert_eq!(json, format!(r#"{expected}"printed":"3900.00","difference":"100.00"}}]"#));
}

#[test]
fn every_bad_row_is_listed_with_line_and_rule_and_stops_nothing_else() {
    let export = small();
    let bad: Vec<String> = export
        .bad_rows
        .iter()
        .map(|bad| format!("{}:{}: {}: {}", bad.file, bad.line, bad.field, bad.rule))
        .collect();
    let expected = include_str!("data/legacy-small/bad-rows.txt");
    assert_eq!(bad.join("\n"), expected.trim_end());
}

#[test]
fn rows_are_posted_by_date_then_in_the_order_of_the_file() {
    let lines: Vec<usize> = plan(&small()).rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 11, 15, 3, 4, 10, 5, 6, 7, 16, 17, 8, 9, 12, 13, 14]);
}

#[test]
fn an_account_may_go_as_far_below_zero_as_it_needs_and_no_further() {
    let plan = plan(&small());
    let limits: Vec<(Option<&str>, String)> = plan
        .accounts
        .iter()
        .map(|account| &account.command)
        .map(|command| (command.external_reference.as_deref(), command.overdraft_limit.to_string()))
        .collect();
    let expected = [("90101", "0"), ("90102", "302.5"), ("90103", "0")];
    assert_eq!(limits, expected.map(|(number, limit)| (Some(number), limit.to_owned())));
}

#[test]
fn accounts_and_transfers_keep_their_numbers_and_words() {
    let plan = plan(&small());
    let command = &plan.accounts[1].command;
    assert_eq!(command.holder.name, "Client 13");
    assert_eq!(command.product, "statement-weekly");
    let latin1 = plan.rows.iter().find(|row| row.line == 15).expect("line 15 is good");
    let reference = latin1.transfer.reference.as_deref();
    assert_eq!(reference, Some("PREVOD Z UCTU, AB Kafé U Ráje"));
    assert_eq!(latin1.transfer.end_to_end_id.as_deref(), Some("9000014"));
    assert_eq!(latin1.transfer.debtor.to_string(), "settlement:AB");
}

#[test]
fn the_same_export_makes_the_same_plan() {
    assert_eq!(plan(&small()), plan(&small()));
}

#[test]
fn the_real_books_give_the_figures_of_their_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/legacy-bank");
    if !folder.exists() {
        use std::io::Write as _;
        let skipped = format!("SKIPPED: {} does not exist here\n", folder.display());
        std::io::stderr().write_all(skipped.as_bytes()).expect("stderr takes text");
        return;
    }
    let export = read(&folder).expect("the real export can be read");
    assert_eq!(export.bad_rows, []);
    assert_eq!(
        (export.accounts.len(), export.rows_total, export.rows.len()),
        (591, 23_932, 23_932)
    );
    let comparison = reconciled(&export);
    assert_eq!(comparison.account_days, Tally { exact: 11_024, rounding: 8_447, mismatch: 16 });
    assert_eq!(comparison.accounts, Tally { exact: 171, rounding: 404, mismatch: 16 });
    assert_eq!(comparison.closing_sum.to_string(), "19057313.70");
    let overdrawn = plan(&export)
        .accounts
        .iter()
        .filter(|account| !account.command.overdraft_limit.decimal().is_zero())
        .count();
    assert_eq!(overdrawn, 18);
}
