//! Closed periods. Promise: nothing is ever booked on a closed day or before; a later instruction
//! is booked in the open period, or rejected.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::CommandId,
    message::{Query, messages},
};

/// The maximal number of days between today and a booking date, in the default configuration of a
/// bank.
pub const BOOKING_DAYS_AHEAD: u16 = 31;

/// `ledger.period.close.v1`: closes all days up to this one for bookings. The day must be over, and
/// a closed day is never opened again. Instructions without a booking date, reversals and the
/// ledger's own bookings go into the open period; value dates are free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosePeriod {
    /// The last day of the period: yesterday at the latest, by the bank's clock.
    pub through: NaiveDate,
}

/// `ledger.period.closed.v1`: all days up to this one were closed for bookings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeriodClosed {
    /// The id of the command.
    pub command_id: CommandId,
    /// The last closed day.
    pub through: NaiveDate,
}

/// `ledger.period.get.v1`: asks for the days that are open for bookings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetPeriod {}

/// `ledger.period.found.v1`: the days that are open for bookings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeriodFound {
    /// The last closed day; absent if no day is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_through: Option<NaiveDate>,
    /// The instant of the closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    /// The bank's day today.
    pub today: NaiveDate,
    /// The latest booking date that is allowed today.
    pub latest: NaiveDate,
}

messages! {
    Command "ledger.period.close.v1" ClosePeriod, subject |message| message.through.to_string();
    Event "ledger.period.closed.v1" PeriodClosed,
        subject |message| message.through.to_string(), key |_| None;
    Query "ledger.period.get.v1" GetPeriod, subject |_| "period".to_owned();
    Reply "ledger.period.found.v1" PeriodFound, subject |_| "period".to_owned();
}

impl Query for GetPeriod {
    type Reply = PeriodFound;
}
