//! Queries and commands about parked messages. Promise: one set of them serves every service; a
//! service receives its own types alone, by the bindings of its queue.

use crate::{
    owned::owned_set,
    parked::{DropParked, EditParked, GetParked, ListParked, ReplayParked},
};

owned_set! {
    /// A query or a command of an operator.
    pub(crate) enum ParkedRequest {
        List(ListParked) "list",
        Get(GetParked) "get",
        Replay(ReplayParked) "replay",
        Drop(DropParked) "drop",
        Edit(EditParked) "edit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        message::MessageSet as _, owned::Shape as _, parked::REQUESTS, topology::SERVICES,
    };

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
