//! Approves, declines, lists and shows. Promise: nobody approves its own command, and nobody
//! approves what its grants do not cover; a decision is made once.

use chrono::Utc;
use serde_json::{Value, value::RawValue};
use sqlx::PgConnection;

use super::{ApprovalRequest, record::ApprovalRecord, repo};
use crate::{
    access::{AccessDirectory, Grants},
    approvals::{
        APPROVALS_PAGE_MAX, ApprovalFound, ApprovalState, ApprovalsListed, ApproveCommand,
        DECLINE_REASON_CHARS_MAX, DeclineCommand, GetApproval, ListApprovals,
    },
    ids::CommandId,
    messaging::{
        access::AccessBoard,
        handler::{Event, Outcome},
    },
    page::{PAGE_BYTES_MAX, Page},
    refusal::MessageRefused,
    text::is_visible_line,
};

/// The records that are looked at in one statement, and the statements of one query: the queue has
/// one consumer, whose other askers wait.
const LOOKED_AT: i64 = 500;
const STATEMENTS_MAX: u32 = 10;
/// The items of a page, if the query names no number.
const PAGE_DEFAULT: u32 = 100;

/// Handles the queries and commands about the approvals of one service.
pub(crate) struct ApprovalsHandler {
    pub(crate) service: &'static str,
    pub(crate) access: AccessBoard,
}

/// A principal that asks.
struct Asker<'a> {
    name: &'a str,
    grants: Grants,
    directory: &'a AccessDirectory,
}

impl Asker<'_> {
    fn is_author_of(&self, record: &ApprovalRecord) -> bool {
        record.is_of(self.name)
    }

    fn approves(&self, record: &ApprovalRecord) -> bool {
        record.needs.iter().all(|needed| self.grants.approve(needed))
    }

    fn sees(&self, record: &ApprovalRecord) -> bool {
        self.is_author_of(record) || self.grants.read_all() || self.approves(record)
    }

    /// Why the asker may not approve a command, and who may.
    fn refusal(&self, record: &ApprovalRecord, why: &str) -> Event {
        let who = self.directory.approvers(&record.principal, &record.needs);
        Event::new(&MessageRefused::not_permitted(format!("{why}; {who} approve it")))
    }
}

impl ApprovalsHandler {
    pub(crate) async fn handle(
        &self,
        connection: &mut PgConnection,
        request: &ApprovalRequest,
        principal: &str,
    ) -> sqlx::Result<Outcome> {
        let directory = self.access.directory();
        let grants = directory.grants(principal);
        let asker = Asker { name: principal, grants, directory: &directory };
        match request {
            ApprovalRequest::List(query) => self.list(connection, query, &asker).await.map(told),
            ApprovalRequest::Get(query) => self.get(connection, query, &asker).await.map(told),
            ApprovalRequest::Approve(command) => self.approve(connection, command, &asker).await,
            ApprovalRequest::Decline(command) => self.decline(connection, command, &asker).await,
        }
    }

    async fn list(
        &self,
        connection: &mut PgConnection,
        query: &ListApprovals,
        asker: &Asker<'_>,
    ) -> sqlx::Result<Event> {
        let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, APPROVALS_PAGE_MAX);
        let mut after = match query.after {
            None => 0,
            Some(after) => match repo::number_in_tx(connection, after.uuid()).await? {
                Some(number) => number,
                None => {
                    let gone = "the command of `after` is not known here; list from the beginning";
                    return Ok(Event::new(&MessageRefused::not_found(gone)));
                }
            },
        };
        let (mut page, mut last, mut is_end) = (Page::new(limit as usize), None, false);
        // A command that is none of the asker's business takes no place.
        'looking: for _ in 0..STATEMENTS_MAX {
            let found = repo::after_in_tx(connection, after, query.state, LOOKED_AT).await?;
            is_end = found.is_empty();
            if is_end {
                break;
            }
            for (number, record) in found {
                if let Some(record) = &record
                    && asker.sees(record)
                    && !page.takes(record.shown())
                {
                    break 'looking;
                }
                after = number;
                last = record.map(|record| record.command).or(last);
            }
        }
        let next = last.filter(|_| !is_end);
        let (approvals, _) = page.finish();
        Ok(Event::owned(self.service, &ApprovalsListed { approvals, next }))
    }

    async fn get(
        &self,
        connection: &mut PgConnection,
        query: &GetApproval,
        asker: &Asker<'_>,
    ) -> sqlx::Result<Event> {
        let record = match find(connection, query.command_id, asker).await? {
            Ok(record) => record,
            Err(refusal) => return Ok(Event::new(&refusal)),
        };
        let found = ApprovalFound { approval: record.shown(), data: data_of(&record) };
        Ok(Event::owned(self.service, &found))
    }

    async fn approve(
        &self,
        connection: &mut PgConnection,
        ApproveCommand { command_id }: &ApproveCommand,
        asker: &Asker<'_>,
    ) -> sqlx::Result<Outcome> {
        let mut record = match find(connection, *command_id, asker).await? {
            Ok(record) => record,
            Err(refusal) => return Ok(Outcome::refused(&refusal)),
        };
        if asker.is_author_of(&record) {
            let why = format!("{command_id} is a command of {} itself", asker.name);
            return Ok(told(asker.refusal(&record, &why)));
        }
        if !asker.approves(&record) {
            let why = format!("no grant of {} approves {command_id}", asker.name);
            return Ok(told(asker.refusal(&record, &why)));
        }
        match record.state {
            ApprovalState::Approved | ApprovalState::Handled => {
                Ok(told(record.event(self.service, "")))
            }
            _ => self.decide(connection, &mut record, asker, (ApprovalState::Approved, None)).await,
        }
    }

    async fn decline(
        &self,
        connection: &mut PgConnection,
        DeclineCommand { command_id, reason }: &DeclineCommand,
        asker: &Asker<'_>,
    ) -> sqlx::Result<Outcome> {
        let fits = (1..=DECLINE_REASON_CHARS_MAX).contains(&reason.chars().count());
        if !(fits && is_visible_line(reason)) {
            let rule = format!("1 to {DECLINE_REASON_CHARS_MAX} visible characters");
            return Ok(Outcome::refused(&MessageRefused::invalid("reason", rule)));
        }
        let mut record = match find(connection, *command_id, asker).await? {
            Ok(record) => record,
            Err(refusal) => return Ok(Outcome::refused(&refusal)),
        };
        if !(asker.is_author_of(&record) || asker.approves(&record)) {
            let why = format!("no grant of {} approves {command_id}", asker.name);
            return Ok(told(asker.refusal(&record, &why)));
        }
        match record.state {
            ApprovalState::Declined => Ok(told(record.event(self.service, ""))),
            _ => {
                let declined = (ApprovalState::Declined, Some(reason.clone()));
                self.decide(connection, &mut record, asker, declined).await
            }
        }
    }

    /// Decides about a command that waits; a command that does not is refused.
    async fn decide(
        &self,
        connection: &mut PgConnection,
        record: &mut ApprovalRecord,
        asker: &Asker<'_>,
        (state, reason): (ApprovalState, Option<String>),
    ) -> sqlx::Result<Outcome> {
        let now = Utc::now();
        if !record.waits_at(now) {
            let rule = match record.state {
                ApprovalState::Waiting | ApprovalState::Expired => {
                    format!("waits no more: its deadline was {}", record.deadline)
                }
                state => format!("waits no more: it is {}", state.as_str()),
            };
            return Ok(Outcome::refused(&MessageRefused::invalid("command_id", rule)));
        }
        record.state = state;
        record.decided_by = Some(asker.name.to_owned());
        record.decided_at = Some(now);
        record.reason = reason;
        repo::decide_in_tx(connection, record).await?;
        let announce = vec![record.event(self.service, "")];
        Ok(Outcome::Done { announce, told: vec![] })
    }
}

/// A record that the asker sees, locked until the end of the transaction.
async fn find(
    connection: &mut PgConnection,
    command: CommandId,
    asker: &Asker<'_>,
) -> sqlx::Result<Result<ApprovalRecord, MessageRefused>> {
    let found = repo::find_in_tx(connection, command.uuid()).await?;
    let missing =
        || MessageRefused::not_found(format!("no command {command} needs an approval here"));
    Ok(found.filter(|record| asker.sees(record)).ok_or_else(missing))
}

/// The `data` of a command that is kept and fits a message.
fn data_of(record: &ApprovalRecord) -> Option<Value> {
    #[derive(serde::Deserialize)]
    struct Content<'c> {
        #[serde(borrow)]
        data: &'c RawValue,
    }
    let body = record.content.body.as_deref()?;
    let content: Content<'_> = serde_json::from_slice(body).ok()?;
    let fits = content.data.get().len() <= PAGE_BYTES_MAX;
    let data: Option<Value> = fits.then(|| serde_json::from_str(content.data.get()).ok()).flatten();
    data.map(without_secrets)
}

/// The same data, with secrets such as `webhook_secret` hidden: nobody needs them to approve.
fn without_secrets(data: Value) -> Value {
    match data {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| match name.ends_with("secret") && !value.is_null() {
                    true => (name, Value::String("(hidden)".to_owned())),
                    false => (name, without_secrets(value)),
                })
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        other => other,
    }
}

fn told(event: Event) -> Outcome {
    Outcome::Done { announce: vec![], told: vec![event] }
}
