//! Errors by the caller's next step: correct the input, accept the refusal, or send the command
//! again.

use shared_events::{
    amqp::BusError,
    approvals::ApprovalRequested,
    client::RequestError,
    code::Open,
    envelope::RawEnvelope,
    message::Undecodable,
    refusal::{MessageRefused, RefusalCode},
};

use crate::input::InvalidInput;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum TellerError {
    /// Correct it. Nothing was sent.
    #[error(transparent)]
    Input(#[from] InvalidInput),
    /// The bank's answer is no. It stays so for this command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The command waits for the approval of another principal. Nothing was done yet.
    #[error("waits for an approval: {}", .0.message)]
    NeedsApproval(Box<ApprovalRequested>),
    /// Nobody knows. Send the same again, with the same id.
    #[error("no answer from the bank")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A refusal of the bank, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused: {code}: {}{message}", prefix(field.as_ref()))]
pub struct Refusal {
    /// The reason code, such as `insufficient_funds`.
    pub code: String,
    /// The field that breaks a rule, where there is one.
    pub field: Option<String>,
    /// The reason in words.
    pub message: String,
}

impl Refusal {
    /// Refused for this reason.
    #[must_use]
    pub fn new(code: impl serde::Serialize, message: impl Into<String>) -> Self {
        Self { code: code_of(code), field: None, message: message.into() }
    }

    /// Because this field breaks a rule.
    #[must_use]
    pub fn with_field(self, field: Option<String>) -> Self {
        Self { field, ..self }
    }
}

fn prefix(field: Option<&String>) -> String {
    field.map(|field| format!("{field}: ")).unwrap_or_default()
}

impl From<MessageRefused> for TellerError {
    fn from(refused: MessageRefused) -> Self {
        match refused.code {
            Open::Known(RefusalCode::Unavailable) => Self::NoAnswer(refused.message.into()),
            Open::Known(
                RefusalCode::NotFound
                | RefusalCode::InvalidField
                | RefusalCode::Unreadable
                | RefusalCode::ReplyTooLarge
                | RefusalCode::NotPermitted,
            )
            | Open::Unknown(_) => {
                Refusal::new(refused.code, refused.message).with_field(refused.field).into()
            }
        }
    }
}

impl From<RequestError> for TellerError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(refused) => refused.into(),
            RequestError::NotPermitted(error) => error.into(),
            RequestError::NoOutcome { .. } | RequestError::Reply(_) => Self::NoAnswer(error.into()),
        }
    }
}

impl From<BusError> for TellerError {
    fn from(error: BusError) -> Self {
        match error {
            BusError::NotPermitted { .. } => {
                Refusal::new("not_permitted", error.to_string()).into()
            }
            error => Self::NoAnswer(error.into()),
        }
    }
}

impl From<Undecodable> for TellerError {
    fn from(error: Undecodable) -> Self {
        Self::NoAnswer(error.into())
    }
}

/// An answer that is none to this command: its service speaks another contract.
pub(crate) fn unexpected(events: &[RawEnvelope]) -> TellerError {
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    TellerError::NoAnswer(format!("unexpected reply: {}", kinds.join(", ")).into())
}

/// The name that a code of the contract has on the wire.
#[must_use]
pub fn code_of(code: impl serde::Serialize) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(other) => other.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_code_field_and_message() {
        let refusal = Refusal::new(RefusalCode::InvalidField, "at most 140 characters");
        assert_eq!(refusal.to_string(), "refused: invalid_field: at most 140 characters");
        let refusal = refusal.with_field(Some("holder.name".to_owned()));
        let text = "refused: invalid_field: holder.name: at most 140 characters";
        assert_eq!(refusal.to_string(), text);
    }

    #[test]
    fn a_service_that_cannot_answer_now_has_not_refused() {
        let error = TellerError::from(MessageRefused::unavailable("the database is away"));
        assert!(matches!(error, TellerError::NoAnswer(_)));
        let error = TellerError::from(MessageRefused::not_found("no such account"));
        assert!(matches!(error, TellerError::Refused(_)));
    }

    #[test]
    fn a_missing_right_is_a_refusal() {
        let missing =
            || BusError::NotPermitted { user: "clerk".to_owned(), to: "send x".to_owned() };
        for error in [TellerError::from(missing()), RequestError::NotPermitted(missing()).into()] {
            let text = "refused: not_permitted: clerk has no role with a right to send x";
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn a_code_of_a_later_service_is_shown_as_it_arrived() {
        let json = r#"{"code":"of_tomorrow","message":"not on a holiday"}"#;
        let refused: MessageRefused = serde_json::from_str(json).expect("a refusal");
        let error = TellerError::from(refused);
        assert_eq!(error.to_string(), "refused: of_tomorrow: not on a holiday");
    }
}
