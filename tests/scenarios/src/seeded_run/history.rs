//! The history of accounts and grants. Promise: what differs between two runs is left out, such as
//! salts, and hashes of what has them; all else of a record stands in the transcript.

use anyhow::Result;
use serde_json::Value;
use shared_events::accounts::{AccountBooksPart, GetAccountBooks, GetHistory};

use super::{people::People, session::Session};

/// Asks for the history of accounts, for rows beside it, and for some that are refused.
pub(super) async fn ask_all(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("history");
    let get = |account_id, limit| GetHistory { account_id, after: None, limit };
    for account in [people.ada, people.jana, people.nobody] {
        session.ask_plain(get(Some(account), None), plain).await?;
    }
    session.ask_plain(get(Some(people.ada), Some(1)), plain).await?;
    session.ask_plain(get(None, Some(501)), plain).await?;
    let books = |part, from: Option<&str>, limit| GetAccountBooks {
        part,
        from: from.map(str::to_owned),
        limit,
    };
    let (accounts, grants) = (AccountBooksPart::Accounts, AccountBooksPart::Grants);
    for query in [
        books(accounts, None, Some(1_000)),
        books(accounts, None, Some(2)),
        books(accounts, Some("ada"), None),
        books(grants, None, None),
        books(grants, Some("clerk"), Some(1)),
    ] {
        session.ask_plain(query, plain).await?;
    }
    Ok(())
}

/// Reads the records, and leaves out what differs.
fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), &*value) {
                    ("hash" | "head_hash" | "salt", _) | ("texts", Value::String(_)) => {
                        *value = "<differs>".into();
                    }
                    ("place" | "head_place", _) => *value = "<place>".into(),
                    ("record" | "grants", Value::String(text)) => {
                        *value = serde_json::from_str(text).unwrap_or_default();
                        plain(value);
                    }
                    _ => plain(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}
