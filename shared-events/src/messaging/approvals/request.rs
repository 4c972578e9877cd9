//! Queries and commands about approvals. Promise: one set of them serves every service; a service
//! receives its own types alone, by the bindings of its queue.

use crate::{
    approvals::{ApproveCommand, DeclineCommand, GetApproval, ListApprovals, REQUESTS},
    message::{MessageSet, Undecodable, canonical_of, read_json},
};

/// A query or a command about approvals.
#[derive(Clone, Debug)]
pub(crate) enum ApprovalRequest {
    List(ListApprovals),
    Get(GetApproval),
    Approve(ApproveCommand),
    Decline(DeclineCommand),
}

/// The requests of all services in one list.
const ALL: [&str; 12] = {
    let mut all = [""; 12];
    let mut at = 0;
    while at < all.len() {
        all[at] = REQUESTS[at / 4][at % 4];
        at += 1;
    }
    all
};

impl MessageSet for ApprovalRequest {
    const TYPES: &'static [&'static str] = &ALL;

    fn decode(kind: &str, data: &str) -> Result<Self, Undecodable> {
        match ALL.iter().position(|known| *known == kind).map(|place| place % 4) {
            Some(0) => read_json(data).map(Self::List),
            Some(1) => read_json(data).map(Self::Get),
            Some(2) => read_json(data).map(Self::Approve),
            Some(_) => read_json(data).map(Self::Decline),
            None => Err(Undecodable::UnknownType { found: kind.to_owned(), known: Self::TYPES }),
        }
    }

    fn canonical(&self) -> Vec<u8> {
        match self {
            Self::List(query) => canonical_of("list", query),
            Self::Get(query) => canonical_of("get", query),
            Self::Approve(command) => canonical_of("approve", command),
            Self::Decline(command) => canonical_of("decline", command),
        }
    }
}
