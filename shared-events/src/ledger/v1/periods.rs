//! Closed periods. Promise: once a day is closed, nothing is booked on it or before it any more;
//! what is asked later goes into the open period, or is rejected.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::CommandId,
    message::{Query, messages},
};

/// How many days after today a booking date may lie where the bank is not configured otherwise.
pub const BOOKING_DAYS_AHEAD: u16 = 31;

/// `ledger.period.close.v1`: nothing is booked on this day or before it any more. The day must be
/// over, and closed days are never opened again. What is asked without a booking date, reversals
/// and what the ledger books by itself go into the open period; value dates are free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosePeriod {
    /// The last day of the period: at the latest yesterday by the bank's clock.
    pub through: NaiveDate,
}

/// `ledger.period.closed.v1`: nothing is booked on this day or before it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeriodClosed {
    /// The command that asked for it.
    pub command_id: CommandId,
    /// The last day that is closed.
    pub through: NaiveDate,
}

/// `ledger.period.get.v1`: the days on which can be booked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetPeriod {}

/// `ledger.period.found.v1`: the days on which can be booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeriodFound {
    /// The last day that is closed; absent: none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_through: Option<NaiveDate>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    /// The bank's day.
    pub today: NaiveDate,
    /// The latest booking date that is allowed today.
    pub latest: NaiveDate,
}

messages! {
    Command "ledger.period.close.v1" ClosePeriod, subject |it| it.through.to_string();
    Event "ledger.period.closed.v1" PeriodClosed, subject |it| it.through.to_string(), key |_| None;
    Query "ledger.period.get.v1" GetPeriod, subject |_| "period".to_owned();
    Reply "ledger.period.found.v1" PeriodFound, subject |_| "period".to_owned();
}

impl Query for GetPeriod {
    type Reply = PeriodFound;
}
