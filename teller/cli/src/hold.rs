//! `teller hold place`, `capture`, `release` and `show`.

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use shared_events::{
    Amount, Currency, MessageId, TransferId,
    ledger::{Action, Capture, Hold, InstructionOutcome, Release},
};
use teller_client::{
    Teller, TellerError,
    input::{self, InvalidInput},
};
use uuid::Uuid;

use crate::{
    failure::Failure,
    instruct::{Details, Show, carry_out},
    session::Session,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reserve money of an account for another
    Place(Place),
    /// Post money that is held, all of it or a part
    Capture(Take),
    /// Release the rest of a hold
    Release(GiveBack),
    /// Show a hold and its state
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The debtor: id, IBAN, external reference or code:<CODE>
    debtor: String,
    /// The creditor: id, IBAN, external reference or code:<CODE>
    creditor: String,
    /// How much, such as 12.50
    amount: String,
    /// The currency, such as EUR
    currency: String,
    /// Hold less if less is available, but not nothing
    #[arg(long)]
    up_to: bool,
    /// The duration of the hold from the instant of its id: a number with s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "7d", conflicts_with = "expires_at")]
    expires_in: String,
    /// The instant at which the hold expires, such as 2026-12-31T23:00:00Z
    #[arg(long, value_name = "TIMESTAMP")]
    expires_at: Option<String>,
    #[command(flatten)]
    details: Details,
}

#[derive(Debug, Args)]
pub(crate) struct Take {
    /// The hold's id
    hold_id: Uuid,
    /// The amount [default: the rest of the hold]
    amount: Option<String>,
    /// Keep the rest reserved for another capture, instead of releasing it
    #[arg(long)]
    keep_rest: bool,
    #[command(flatten)]
    details: Details,
}

#[derive(Debug, Args)]
pub(crate) struct GiveBack {
    /// The hold's id
    hold_id: Uuid,
    #[command(flatten)]
    details: Details,
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Place(command) => command.run(session).await,
            Self::Capture(command) => command.run(session).await,
            Self::Release(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
        }
    }
}

impl Place {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let debtor = input::party("debtor", &self.debtor)?;
        let creditor = input::party("creditor", &self.creditor)?;
        let money = input::money(&self.amount, &self.currency)?;
        let details = self.details.checked()?;
        let lasts = lasting(&self.expires_in)?;
        let until = self.expires_at.as_deref().map(instant).transpose()?;
        let bank = session.bank().await?;
        let (debtor, creditor) = (bank.resolve(&debtor).await?, bank.resolve(&creditor).await?);
        let sending = self.details.sending();
        let id = sending.id(session);
        let expires_at = match until {
            Some(until) => until,
            None => made_at(id)? + lasts,
        };
        let hold = Hold { debtor, creditor, money, up_to: self.up_to, expires_at };
        let instruction = details.instruction(id, Action::Hold(hold));
        carry_out(session, &bank, (id, sending.dry_run), instruction).await
    }
}

/// `90s`, `15m`, `12h`, `7d`.
fn lasting(text: &str) -> Result<TimeDelta, InvalidInput> {
    let wrong = || InvalidInput::new("expires_in", "not a time such as 90s, 15m, 12h or 7d");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number =
        text.strip_suffix(unit).and_then(|number| number.parse::<u32>().ok()).ok_or_else(wrong)?;
    let number = i64::from(number);
    match unit {
        's' => TimeDelta::try_seconds(number).ok_or_else(wrong),
        'm' => TimeDelta::try_minutes(number).ok_or_else(wrong),
        'h' => TimeDelta::try_hours(number).ok_or_else(wrong),
        'd' => {
            TimeDelta::try_days(number).filter(|span| span.num_days() < 36_500).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, InvalidInput> {
    let wrong = |_| InvalidInput::new("expires_at", "not a time such as 2026-12-31T23:00:00Z");
    DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc()).map_err(wrong)
}

/// When an id was made. The same again with the same id is the same hold, so the time it lasts
/// must not depend on when it is sent.
fn made_at(id: MessageId) -> Result<DateTime<Utc>, InvalidInput> {
    let made = id.0.get_timestamp().map(|time| time.to_unix());
    let made = made
        .and_then(|(seconds, nanos)| DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos));
    let rule = "is needed where --id does not say when it was made (UUIDv7)";
    made.ok_or_else(|| InvalidInput::new("expires_at", rule))
}

/// The currency of a hold.
async fn currency(bank: &Teller, hold: TransferId) -> Result<Option<Currency>, TellerError> {
    match bank.instruction(hold).await?.record.outcome {
        InstructionOutcome::Held(held) => Ok(Some(held.money.currency)),
        InstructionOutcome::Posted(_)
        | InstructionOutcome::Released(_)
        | InstructionOutcome::Rejected(_) => Ok(None),
    }
}

/// A part of something whose currency only the bank knows, checked as far as it can be.
pub(crate) fn part(
    amount: Option<&String>,
    currency: Option<Currency>,
) -> Result<Option<Amount>, InvalidInput> {
    // None has more digits than CLF.
    let any = input::currency("CLF")?;
    let checked = |text: &String| input::money_of(text, currency.unwrap_or(any));
    Ok(amount.map(checked).transpose()?.map(|money| money.amount))
}

impl Take {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        part(self.amount.as_ref(), None)?;
        let details = self.details.checked()?;
        let bank = session.bank().await?;
        let hold_id = TransferId(self.hold_id);
        let amount = match &self.amount {
            Some(_) => part(self.amount.as_ref(), currency(&bank, hold_id).await?)?,
            None => None,
        };
        let sending = self.details.sending();
        let id = sending.id(session);
        let capture = Capture { hold_id, amount, keep_rest: self.keep_rest };
        let instruction = details.instruction(id, Action::Capture(capture));
        carry_out(session, &bank, (id, sending.dry_run), instruction).await
    }
}

impl GiveBack {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let details = self.details.checked()?;
        let bank = session.bank().await?;
        let sending = self.details.sending();
        let id = sending.id(session);
        let release = Release { hold_id: TransferId(self.hold_id) };
        let instruction = details.instruction(id, Action::Release(release));
        carry_out(session, &bank, (id, sending.dry_run), instruction).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_lasts_for_seconds_minutes_hours_or_days() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(lasting(text).expect(text).num_seconds(), seconds);
        }
        for text in ["", "7", "d", "-1d", "1.5h", "7 d", "9999999999d", "1w", "1ž"] {
            assert!(lasting(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_id_makes_the_same_expiry() {
        let id = MessageId::new();
        assert_eq!(made_at(id), made_at(id));
        let error = made_at(MessageId(Uuid::nil())).expect_err("the id has no time");
        assert_eq!(error.field, "expires_at");
    }
}
