//! The events of a bank as text. Promise: the text has the facts that a reader of events relies on
//! (types, parties, amounts, balances, versions, reasons), and no value that differs between runs.

use anyhow::{Result, ensure};
use harness::Recorded;
use serde_json::Value;

/// The fields of an event that are told, where it has them.
const FIELDS: [&str; 10] = [
    "command_type",
    "reason",
    "field",
    "overdraft_limit",
    "balance",
    "holder.name",
    "channel",
    "topic",
    "attempts",
    "version",
];

/// One event a line: `accounts.account.frozen.v1 alice reason=lost version=3`.
pub(crate) fn of(events: &[Recorded], names: &[(String, String)]) -> String {
    let names = Names(names);
    events.iter().map(|event| names.line(&event.event.kind, &event.event.data)).collect()
}

/// Fails with both texts where they differ. Spaces at the edges do not count.
pub(crate) fn compare(actual: &str, expected: &str) -> Result<()> {
    let (actual, expected) = (actual.trim(), expected.trim());
    ensure!(actual == expected, "the transcript differs:\n{actual}\n\nand not:\n{expected}\n");
    Ok(())
}

struct Names<'n>(&'n [(String, String)]);

impl Names<'_> {
    fn line(&self, kind: &str, data: &Value) -> String {
        if let Some(transfers) = data["transfers"].as_array() {
            return transfers
                .iter()
                .map(|transfer| format!("{kind} {}\n", self.transfer(transfer)))
                .collect();
        }
        let mut line = format!("{kind} {}", self.name(&data["account_id"]));
        for field in FIELDS {
            let path = format!("/{}", field.replace('.', "/"));
            if let Some(value) = data.pointer(&path) {
                line.push_str(&format!(" {field}={}", plain(value)));
            }
        }
        line + "\n"
    }

    /// `alice -> bob 30.00 EUR: alice 70 v3, bob 30 v2`, or the reason instead of the balances.
    fn transfer(&self, transfer: &Value) -> String {
        let money = format!(
            "{} {}",
            plain(&transfer["money"]["amount"]),
            plain(&transfer["money"]["currency"])
        );
        let (debtor, creditor) = (&transfer["debtor"], &transfer["creditor"]);
        let way = format!("{} -> {} {money}", self.party(debtor), self.party(creditor));
        match transfer["reason"].as_str() {
            Some(reason) => format!("{way}: {reason}"),
            None => format!("{way}: {}, {}", self.after(debtor), self.after(creditor)),
        }
    }

    fn after(&self, account: &Value) -> String {
        let balance = plain(&account["balance"]);
        format!("{} {balance} v{}", self.party(account), plain(&account["version"]))
    }

    fn party(&self, party: &Value) -> String {
        match party["code"].as_str() {
            Some(code) => code.to_owned(),
            None => self.name(&party["account_id"]),
        }
    }

    fn name(&self, id: &Value) -> String {
        let id = plain(id);
        let found = self.0.iter().find(|(known, _)| *known == id);
        found.map_or(id, |(_, name)| name.clone())
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
