//! Answers to operators. Promise: a refusal says which rule the request breaks; a stored answer is
//! told again as it was.

use serde_json::value::RawValue;

use super::request::ParkedRequest;
use crate::{
    catalogue,
    messaging::handler::{Event, HandleError, Outcome, Received},
    owned::Shape as _,
    parked::{ChosenParked, DropParked, MOVES_MAX, ParkedReplayed, ReplayParked},
    refusal::MessageRefused,
};

/// An AMQP id has no more bytes.
const NAME_BYTES_MAX: usize = 255;

/// The answer to the asker alone.
pub(super) fn told(event: Event) -> Outcome {
    Outcome::Done { announce: vec![], told: vec![event] }
}

/// The refusal of a command that names more messages than one command may move.
pub(super) fn too_many(request: &ParkedRequest) -> Option<Event> {
    let (ParkedRequest::Replay(ReplayParked { chosen, .. })
    | ParkedRequest::Drop(DropParked { chosen, .. })) = request
    else {
        return None;
    };
    let ChosenParked::Named(names) = chosen else { return None };
    let fits = names.len() <= MOVES_MAX && names.iter().all(|name| name.len() <= NAME_BYTES_MAX);
    let rule = format!("at most {MOVES_MAX} names of {NAME_BYTES_MAX} bytes");
    (!fits).then(|| Event::new(&MessageRefused::invalid("chosen.named", rule)))
}

pub(super) fn not_found(name: &str) -> Event {
    Event::new(&MessageRefused::not_found(format!("no parked message is called {name:?}")))
}

pub(super) fn conflict<M>(received: &Received<M>) -> Outcome {
    let why = format!("message id {} came before with other content", received.id());
    Outcome::Hopeless { why }
}

/// The stored answer. Its type is one of the contract.
pub(super) fn event_of(kind: &str, data: String) -> Result<Event, HandleError> {
    let entry = catalogue::find(kind)
        .ok_or_else(|| HandleError::Hopeless(format!("stored answer of type {kind}").into()))?;
    let data = RawValue::from_string(data).map_err(|error| HandleError::Hopeless(error.into()))?;
    Ok(Event {
        kind: entry.kind_name,
        subject: ParkedReplayed::SUBJECT.to_owned(),
        partition_key: None,
        data,
    })
}
