//! Queries and commands about parked messages. Promise: one set of them serves every service; a
//! service receives its own types alone, by the bindings of its queue.

use crate::{
    message::{MessageSet, Undecodable, canonical_of, read_json},
    parked::{DropParked, EditParked, GetParked, ListParked, REQUESTS, ReplayParked},
};

/// A query or a command of an operator.
#[derive(Clone, Debug)]
pub(crate) enum ParkedRequest {
    List(ListParked),
    Get(GetParked),
    Replay(ReplayParked),
    Drop(DropParked),
    Edit(EditParked),
}

/// The requests of all services in one list.
const ALL: [&str; 15] = {
    let mut all = [""; 15];
    let mut at = 0;
    while at < all.len() {
        all[at] = REQUESTS[at / 5][at % 5];
        at += 1;
    }
    all
};

impl MessageSet for ParkedRequest {
    const TYPES: &'static [&'static str] = &ALL;

    fn decode(kind: &str, data: &str) -> Result<Self, Undecodable> {
        match ALL.iter().position(|known| *known == kind).map(|place| place % 5) {
            Some(0) => read_json(data).map(Self::List),
            Some(1) => read_json(data).map(Self::Get),
            Some(2) => read_json(data).map(Self::Replay),
            Some(3) => read_json(data).map(Self::Drop),
            Some(_) => read_json(data).map(Self::Edit),
            None => Err(Undecodable::UnknownType { found: kind.to_owned(), known: Self::TYPES }),
        }
    }

    fn canonical(&self) -> Vec<u8> {
        match self {
            Self::List(query) => canonical_of("list", query),
            Self::Get(query) => canonical_of("get", query),
            Self::Replay(command) => canonical_of("replay", command),
            Self::Drop(command) => canonical_of("drop", command),
            Self::Edit(command) => canonical_of("edit", command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{owned::Shape as _, topology::SERVICES};

    #[test]
    fn each_service_has_types_of_its_own_that_are_read_alike() {
        for (place, service) in SERVICES.iter().enumerate() {
            let kinds = REQUESTS[place];
            assert!(kinds.iter().all(|kind| kind.starts_with(&format!("{service}.parked."))));
            let read = |kind: &str, data| ParkedRequest::decode(kind, data);
            assert!(matches!(read(ListParked::TYPES[place], "{}"), Ok(ParkedRequest::List(_))));
            let all = r#"{"chosen":{"all":{}}}"#;
            assert!(matches!(read(ReplayParked::TYPES[place], all), Ok(ParkedRequest::Replay(_))));
            assert!(matches!(read(DropParked::TYPES[place], all), Ok(ParkedRequest::Drop(_))));
            let named = r#"{"message":"fp-1"}"#;
            assert!(matches!(read(GetParked::TYPES[place], named), Ok(ParkedRequest::Get(_))));
            let edit = r#"{"message":"fp-1","data":{}}"#;
            assert!(matches!(read(EditParked::TYPES[place], edit), Ok(ParkedRequest::Edit(_))));
        }
        assert!(ParkedRequest::decode("kitchen.parked.list.v1", "{}").is_err());
    }
}
