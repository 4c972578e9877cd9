//! Names of the CloudEvents specification: its version, its content types, and the forms of a body.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The content type of one event.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";
/// The content type of a JSON array of events.
pub const CONTENT_TYPE_BATCH: &str = "application/cloudevents-batch+json";

/// The supported version of CloudEvents.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum SpecVersion {
    /// `1.0`
    #[default]
    #[serde(rename = "1.0")]
    V1,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One event.
    One,
    /// A JSON array of events.
    Several,
}
