//! The query about the access log. Promise: one set of types serves every service; a service
//! receives its own type alone, by the bindings of its queue.

use crate::{access_log::ListAccessLog, owned::owned_set};

owned_set! {
    /// A query about the access log.
    pub(crate) enum AccessLogRequest {
        List(ListAccessLog) "list",
    }
}
