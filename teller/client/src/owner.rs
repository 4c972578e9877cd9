//! The service that owns a message which each service has under a type of its own.

use shared_events::{
    MessageId,
    owned::{Accounts, Asks, Ledger, Notifications, Of, Owner as _, Shape},
    topology::SERVICES,
};

use crate::{error::TellerError, input::InvalidInput, teller::Teller};

/// A service with parked messages, and with commands that need an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwningService {
    /// The accounts service.
    Accounts,
    /// The ledger.
    Ledger,
    /// The notifications service.
    Notifications,
}

impl OwningService {
    /// All services.
    pub const ALL: [Self; 3] = [Self::Accounts, Self::Ledger, Self::Notifications];

    /// The service with this name.
    pub fn named(name: &str) -> Result<Self, InvalidInput> {
        let place = SERVICES.iter().position(|service| *service == name);
        let must =
            || InvalidInput::new("service", format!("must be one of {}", SERVICES.join(", ")));
        place.map(|place| Self::ALL[place]).ok_or_else(must)
    }

    /// The service's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => Accounts::NAME,
            Self::Ledger => Ledger::NAME,
            Self::Notifications => Notifications::NAME,
        }
    }

    /// The service that owns messages of this type.
    pub fn of_type(kind: &str) -> Result<Self, InvalidInput> {
        Self::named(kind.split('.').next().unwrap_or_default())
    }
}

impl Teller {
    pub(crate) async fn send_owner<C: Shape, E: Shape>(
        &self,
        of: OwningService,
        id: MessageId,
        command: C,
    ) -> Result<E, TellerError> {
        match of {
            OwningService::Accounts => self
                .send(id, Of::<Accounts, C>::new(command))
                .await
                .map(Of::<Accounts, E>::into_inner),
            OwningService::Ledger => {
                self.send(id, Of::<Ledger, C>::new(command)).await.map(Of::<Ledger, E>::into_inner)
            }
            OwningService::Notifications => self
                .send(id, Of::<Notifications, C>::new(command))
                .await
                .map(Of::<Notifications, E>::into_inner),
        }
    }

    pub(crate) async fn ask_owner<Q: Asks + Clone>(
        &self,
        of: OwningService,
        query: Q,
    ) -> Result<Q::Answer, TellerError> {
        match of {
            OwningService::Accounts => {
                self.ask(Of::<Accounts, Q>::new(query)).await.map(Of::into_inner)
            }
            OwningService::Ledger => {
                self.ask(Of::<Ledger, Q>::new(query)).await.map(Of::into_inner)
            }
            OwningService::Notifications => {
                self.ask(Of::<Notifications, Q>::new(query)).await.map(Of::into_inner)
            }
        }
    }
}
