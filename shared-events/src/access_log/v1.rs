//! Version 1 of the messages about access logs. Promise: their shapes are written once; each
//! service has types of its own with these shapes, such as `ledger.access_log.list.v1`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    code::{Open, codes},
    ids::{AccessEntryId, MessageId},
    owned::{Asks, shapes},
};

/// The maximal number of entries on one page of a list.
pub const ACCESS_LOG_PAGE_MAX: u32 = 500;

codes! {
    /// What became of a query: answered, or the code of its refusal.
    pub enum AccessOutcome {
        /// The service has answered.
        Answered = "answered",
        /// What the query names does not exist.
        NotFound = "not_found",
        /// A field of the query breaks a rule.
        InvalidField = "invalid_field",
        /// The query could not be read.
        Unreadable = "unreadable",
        /// The service could not answer.
        Unavailable = "unavailable",
        /// No grant of the principal permits the query.
        NotPermitted = "not_permitted",
    }
}

/// A query that the service has received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLogEntry {
    /// The id of the entry, ordered by time.
    pub entry_id: AccessEntryId,
    /// The time at which the service has taken the query up.
    pub asked_at: DateTime<Utc>,
    /// The author of the query: the user of the broker who sent it.
    pub principal: String,
    /// The person or program on whose behalf the author asked, as the author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The id of the query. Absent if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_id: Option<MessageId>,
    /// The type of the query.
    pub query_type: String,
    /// The account, transfer, instruction, command or parked message that was asked for. An account
    /// is named by its id; one that was not found as the query named it, except by an external
    /// reference. Absent for lists of the whole bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What became of the query.
    pub outcome: Open<AccessOutcome>,
}

/// `<service>.access_log.list.v1`: asks who has asked the service for what, the oldest first, in
/// pages. Entries of the last seconds may still come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAccessLog {
    /// Lists the queries of this principal only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub principal: Option<String>,
    /// Lists the queries about this subject only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub subject: Option<String>,
    /// Lists the queries from this time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Lists the queries before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Lists the entries after this one: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AccessEntryId>,
    /// The maximal number of items, 1 to 500; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// `<service>.access_log.listed.v1`: a page of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessLogListed {
    /// The entries of this page.
    pub entries: Vec<AccessLogEntry>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<AccessEntryId>,
}

shapes! {
    "access_log":
    Query "list.v1" ListAccessLog;
    Reply "listed.v1" AccessLogListed;
}

impl Asks for ListAccessLog {
    type Answer = AccessLogListed;
}
