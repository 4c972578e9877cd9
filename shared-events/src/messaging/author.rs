//! The authors of a batch, with their rights. Promise: neighbours of one author and one type cost
//! one look-up.

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    access::{AccessBoard, Authority},
    decode::{DecodedBatch, QueueDelivery},
    origin::{Origin, Principal},
};
use crate::{access::Rights, message::MessageSet};

/// Decodes a batch of deliveries to `service`, with the rights of its authors. Waits while the
/// rights cannot be told; `None` when the service stops before.
pub(crate) async fn decode_with_rights<M: MessageSet>(
    batch: &[QueueDelivery],
    service: &str,
    access: &AccessBoard,
    shutdown: &CancellationToken,
) -> Option<DecodedBatch<M>> {
    loop {
        let decoded = DecodedBatch::decode(batch, service, &access.authority());
        let lack = decoded.messages.iter().find_map(|message| message.rights.lack());
        let Some(lack) = lack else { return Some(decoded) };
        warn!(lack, messages = decoded.messages.len(), "a batch waits for the grants");
        tokio::select! {
            () = access.fresh() => {}
            () = shutdown.cancelled() => return None,
        }
    }
}

/// The author of a delivery, and what it may do with messages of the delivery's type.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) principal: Principal,
    pub(crate) rights: Rights,
}

/// The authors of a batch. Neighbours are mostly of one author and type, who is then looked up and
/// stored once.
pub(crate) struct Authors<'a> {
    authority: &'a Authority,
    last: Option<(Box<str>, Author)>,
}

impl<'a> Authors<'a> {
    pub(crate) const fn new(authority: &'a Authority) -> Self {
        Self { authority, last: None }
    }

    pub(crate) fn author(&mut self, origin: &Origin<'_>) -> Author {
        match &self.last {
            Some((kind, author))
                if **kind == *origin.kind() && author.principal.as_str() == origin.author =>
            {
                author.clone()
            }
            _ => {
                let rights = self.authority.rights(origin.author, origin.kind());
                let author = Author { principal: origin.author.into(), rights };
                self.last.insert((origin.kind().into(), author)).1.clone()
            }
        }
    }
}
