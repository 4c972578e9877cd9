//! The lines of a witness's file: JSON, one for each statement, as it was heard.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{
    evidence::{ChainEnds, VerifyingKey, open_note, origin_of},
    topology::owner_of,
};
use teller_client::input::InvalidInput;

use super::keys::{ReadKeys, WitnessKeys, services_has};
use crate::line::Anchors;

/// How a line begins.
const BEGIN: &str = r#"{"heard_at":""#;

/// A signed statement, as a witness has heard it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The instant, by the witness's clock.
    pub heard_at: DateTime<Utc>,
    /// The type of the event, which its service alone can announce.
    #[serde(rename = "type")]
    pub kind: String,
    /// The signed note.
    pub note: String,
}

impl Heard {
    /// A line of a witness's file, if it is one.
    pub(super) fn of_line(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The service that has announced it.
    pub(super) fn service(&self) -> &'static str {
        owner_of(&self.kind).unwrap_or("nobody")
    }

    /// The statement, if the note is signed by one of these keys of its service and states ends of
    /// chains; otherwise what is wrong.
    pub(super) fn open(&self, keys: &[VerifyingKey]) -> Result<ChainEnds, String> {
        let service = self.service();
        let text = open_note(&self.note, &origin_of(service), keys)
            .map_err(|why| format!("the statement is not believed: {why}"))?;
        let stated = ChainEnds::parse(text);
        let stated = stated.ok().filter(|stated| stated.service() == service);
        stated.ok_or_else(|| "the signed text does not state the ends of its chains".to_owned())
    }
}

/// The statements of a file that may be a witness's.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    /// The ends that services have stated and signed.
    pub(crate) believed: Anchors,
    /// Whether a line is a witness's: then others have no place in the file.
    pub(crate) is_witness: bool,
    /// The lines that count for nothing in a witness's file.
    pub(crate) skipped: Skipped,
    keys: Option<ReadKeys>,
}

/// Lines of a witness's file that are no statement of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub lines: usize,
    /// The number of the first, and what is wrong with it.
    pub first: Option<String>,
}

impl Skipped {
    fn add(&mut self, number: usize, why: &str) {
        self.lines = self.lines.saturating_add(1);
        self.first.get_or_insert_with(|| format!("line {number}: {why}"));
    }
}

impl Statements {
    /// Reads a line of the file, with the public keys of its statements.
    pub(crate) fn read(
        &mut self,
        (number, text): (usize, &str),
        keys: &WitnessKeys,
    ) -> Result<(), InvalidInput> {
        let Some(heard) = Heard::of_line(text) else {
            // The witness may be writing the last line.
            if text.ends_with('\n') {
                self.skipped.add(number, "it is no line of a witness");
            }
            return Ok(());
        };
        self.is_witness = true;
        if keys.is_empty() {
            let rule = "is a witness's: give the public keys of its statements by --key";
            return Err(InvalidInput::new("expect", rule));
        }
        if !services_has(heard.service()) {
            self.skipped.add(number, "it is of no service with chains");
            return Ok(());
        }
        let known = match self.keys.take() {
            Some(known) => known,
            None => keys.read()?,
        };
        match heard.open(self.keys.insert(known).of(heard.service())?) {
            Ok(stated) => self.believed.add_stated(&stated),
            Err(why) => self.skipped.add(number, &why),
        }
        Ok(())
    }
}

/// Whether a file is empty, or may be a witness's whose first line was not finished.
pub(super) fn may_begin(mut file: &File) -> io::Result<bool> {
    let mut begin = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(BEGIN.len() as u64).read_to_end(&mut begin)?;
    Ok(BEGIN.as_bytes().starts_with(&begin))
}
