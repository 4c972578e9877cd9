//! Sends deliveries again. Promise: a delivery that is sent again keeps its id and gets as many
//! attempts as a new one.

use shared_events::{ids::DeliveryId, messaging::Tx};

use super::{Recovery, ResentDelivery, Wakeup, repo};
use crate::recipients::Channel;

/// The most deliveries that one command recovers, so that its transaction stays short.
const RECOVERED_MAX: u32 = 10_000;

/// The outcome of sending one delivery again.
#[derive(Clone, Debug)]
pub(crate) enum ResendOutcome {
    Resent(ResentDelivery),
    /// The delivery has not ended.
    StillPending,
    /// The delivery never existed, or was deleted.
    Unknown,
}

/// The outcome of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recovered {
    pub(crate) count: u32,
    /// More failed deliveries may be left.
    pub(crate) has_more: bool,
}

/// Sends one delivery again that has ended.
pub(crate) async fn resend_in_tx(
    tx: &mut Tx<'_>,
    id: DeliveryId,
    wakeup: &Wakeup,
) -> sqlx::Result<ResendOutcome> {
    match repo::resend_in_tx(tx, id).await? {
        Some(delivery) if delivery.is_due => {
            wakeup.notify(std::iter::once(delivery.channel));
            Ok(ResendOutcome::Resent(delivery))
        }
        Some(_) => Ok(ResendOutcome::StillPending),
        None => Ok(ResendOutcome::Unknown),
    }
}

/// Sends failed deliveries again.
pub(crate) async fn recover_in_tx(
    tx: &mut Tx<'_>,
    recovery: &Recovery,
    wakeup: &Wakeup,
) -> sqlx::Result<Recovered> {
    let count = repo::recover_in_tx(tx, recovery, RECOVERED_MAX.into()).await?;
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    wakeup.notify(Channel::ALL.into_iter());
    Ok(Recovered { count, has_more: count >= RECOVERED_MAX })
}
