//! `teller audit witness`: hears the signed ends of the chains, and keeps them.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use chrono::Utc;
use clap::Args;
use serde::Serialize;
use shared_events::{
    chains::ChainsSigned, client::Watch, envelope::RawEnvelope, evidence::ChainEnds,
    owned::Shape as _, topology::owner_of,
};
use teller_audit::{Contradiction, Heard, KeyFile, Witness, WitnessError, WitnessKeys};
use teller_client::{Teller, input::InvalidInput};
use tokio::time::{Instant, sleep_until};

use crate::{
    failure::{Exit, Failure},
    output::{Text, card, note},
    session::Session,
    watch::reconnected,
};

#[derive(Debug, Args)]
pub(crate) struct Command {
    /// The file that keeps the statements, where nobody with access to the bank's databases can
    /// write. A file that is there is judged again, and continued
    file: PathBuf,
    /// A file with the public keys (PEM) of a service: ledger=FILE, accounts=FILE. May be given
    /// several times, and the file may have several keys, so that older ones stay valid
    #[arg(long = "key", value_name = "SERVICE=FILE", required = true)]
    keys: Vec<KeyFile>,
    /// Warn when a service has stated nothing for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 300,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    silence: u64,
    /// End after this many statements
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,
}

/// When each service has stated something for the last time.
struct Silence {
    limit: Duration,
    heard: BTreeMap<&'static str, Instant>,
}

/// A statement that fits, as programs are told.
#[derive(Serialize)]
struct Stated<'a> {
    service: &'a str,
    stated_at: String,
    ends: Vec<StatedEnd>,
    late: bool,
}

#[derive(Serialize)]
struct StatedEnd {
    chain: i16,
    place: i64,
    hash: String,
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let keys = WitnessKeys::new(self.keys.clone());
        let services: Vec<&str> = keys.services().collect();
        let silence = Silence::new(Duration::from_secs(self.silence), &services);
        let witness = match Witness::open(&self.file, keys) {
            Ok(witness) => witness,
            Err(error) => return Err(ended(session, error)),
        };
        note(&format!("the file has {} statements", witness.lines()));
        let is_wanted = |kind: &&str| owner_of(kind).is_some_and(|of| services.contains(&of));
        let types: Vec<String> = ChainsSigned::TYPES
            .iter()
            .filter(|kind| is_wanted(kind))
            .map(ToString::to_string)
            .collect();
        let bank = session.patient_bank().await?;
        let watch = bank.watch(&types).await?;
        note("listening; end with Ctrl-C");
        let mut listening = Listening { bank, types, watch, witness, silence };
        listening.run(session, self.count).await
    }
}

/// A witness that hears the bank.
struct Listening {
    bank: Teller,
    types: Vec<String>,
    watch: Watch,
    witness: Witness,
    silence: Silence,
}

impl Listening {
    async fn run(&mut self, session: &mut Session, count: Option<u64>) -> Result<(), Failure> {
        let mut left = count;
        while left != Some(0) {
            let event = tokio::select! {
                event = self.watch.next() => event,
                () = self.silence.comes() => {
                    self.silence.warn();
                    continue;
                }
            };
            let Some(event) = event else {
                note("the connection is lost; what is stated until it is back is not kept");
                self.watch = reconnected(&self.bank, &self.types).await;
                note("listening again");
                continue;
            };
            self.hear(session, &event)?;
            left = left.map(|left| left - 1);
        }
        Ok(())
    }

    fn hear(&mut self, session: &mut Session, event: &RawEnvelope) -> Result<(), Failure> {
        // What is no such event is kept as it is, and is no statement.
        let read = serde_json::from_str::<ChainsSigned>(event.data.get());
        let note = read.map_or_else(|_| event.data.get().to_owned(), |signed| signed.note);
        let heard = Heard { heard_at: Utc::now(), kind: event.kind.clone(), note };
        let (stated, is_latest) = match self.witness.hear(&heard) {
            Ok(heard) => heard,
            Err(error) => return Err(ended(session, error)),
        };
        if is_latest {
            self.silence.ends(stated.service());
        }
        let told = Stated::of(&stated, !is_latest);
        Ok(session.out.show(&told, || Text::line(&told.line()))?)
    }
}

impl Silence {
    fn new(limit: Duration, services: &[&'static str]) -> Self {
        let now = Instant::now();
        Self { limit, heard: services.iter().map(|service| (*service, now)).collect() }
    }

    fn ends(&mut self, service: &str) {
        if let Some(heard) = self.heard.get_mut(service) {
            *heard = Instant::now();
        }
    }

    /// Waits until a service has stated nothing for too long.
    async fn comes(&self) {
        match self.heard.values().min() {
            Some(heard) => sleep_until(*heard + self.limit).await,
            None => std::future::pending().await,
        }
    }

    /// Warns of each service that has stated nothing for too long, and waits as long again.
    fn warn(&mut self) {
        let (now, limit) = (Instant::now(), self.limit);
        for (service, heard) in self.heard.iter_mut().filter(|(_, heard)| **heard + limit <= now) {
            let seconds = limit.as_secs();
            note(&format!(
                "warning: {service} has stated no ends of its chains for {seconds} s: is it down, \
                 does it have its key (evidence.key), is this witness permitted to hear it?"
            ));
            *heard = now;
        }
    }
}

impl<'a> Stated<'a> {
    fn of(stated: &'a ChainEnds, late: bool) -> Self {
        let ends = stated.ends().iter().map(|end| StatedEnd {
            chain: end.chain,
            place: end.place,
            hash: end.hash.to_string(),
        });
        let stated_at = stated.at().format("%Y-%m-%dT%H:%M:%SZ").to_string();
        Self { service: stated.service(), stated_at, ends: ends.collect(), late }
    }

    /// `2026-11-22T09:31:03Z ledger 0:1041 1:998`, each chain with its number of records.
    fn line(&self) -> String {
        let ends = self.ends.iter().map(|end| format!(" {}:{}", end.chain, end.place));
        let late = if self.late { " (late)" } else { "" };
        format!("{} {}{}{late}", self.stated_at, self.service, ends.collect::<String>())
    }
}

/// Shows a contradiction, or passes a failure on.
fn ended(session: &mut Session, error: WitnessError) -> Failure {
    match error {
        WitnessError::Input(wrong) => wrong.into(),
        WitnessError::File(error) => {
            InvalidInput::new("file", format!("cannot be used: {error}")).into()
        }
        WitnessError::Contradiction(found) => match session.out.show(&found, || describe(&found)) {
            Ok(()) => Failure::Shown(Exit::NotVerified),
            Err(error) => error.into(),
        },
    }
}

fn describe(found: &Contradiction) -> Text {
    let heading = "a statement of chain ends contradicts an earlier one, or is not of its service:";
    let fields = card(&[
        ("service", found.service.clone()),
        ("line of the file", found.line.to_string()),
        ("what is wrong", found.why.clone()),
    ]);
    Text::line(heading).then(&fields)
}
