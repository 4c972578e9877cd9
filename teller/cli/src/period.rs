//! `teller period ...`

use clap::{Args, Subcommand};
use serde::Serialize;
use shared_events::{
    MessageId,
    ledger::{ClosePeriod, PeriodClosed, PeriodFound},
};
use teller_client::input;

use crate::{
    failure::Failure,
    output::{Text, card, or_empty},
    session::{SendId, Session},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Period {
    /// Close a period: nothing is booked on its last day or before it any more. It is never opened
    /// again
    Close(Close),
    /// Show the possible booking dates
    Show,
}

#[derive(Debug, Args)]
pub(crate) struct Close {
    /// The last day of the period: at the latest yesterday
    #[arg(value_name = "YYYY-MM-DD")]
    through: String,
    #[command(flatten)]
    id: SendId,
}

/// The period that a command closed.
#[derive(Serialize)]
struct Closed {
    id: MessageId,
    #[serde(flatten)]
    closed: PeriodClosed,
}

impl Period {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Close(command) => command.run(session).await,
            Self::Show => show(session).await,
        }
    }
}

impl Close {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let through = input::date("through", &self.through)?;
        let bank = session.bank().await?;
        let id = session.id(&self.id);
        let closed = Closed { id, closed: bank.close_period(id, ClosePeriod { through }).await? };
        let text = || card(&[("closed through", closed.closed.through.to_string())]);
        session.out.show(&closed, text)?;
        Ok(())
    }
}

async fn show(session: &mut Session) -> Result<(), Failure> {
    let found = session.bank().await?.period().await?;
    session.out.show(&found, || describe(&found))?;
    Ok(())
}

fn describe(found: &PeriodFound) -> Text {
    card(&[
        ("closed through", or_empty(found.closed_through.as_ref())),
        ("closed at", or_empty(found.closed_at.as_ref())),
        ("today", found.today.to_string()),
        ("latest booking date", found.latest.to_string()),
    ])
}
