//! The lines of a witness's file: JSON, one for each statement, as it was heard.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{
    evidence::{ChainEnds, open_note, origin_of},
    topology::owner_of,
};
use teller_client::input::InvalidInput;

use super::keys::WitnessKeys;

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

    /// The statement, if the note is signed by its service and states ends of chains; otherwise
    /// what is wrong.
    pub(super) fn open(
        &self,
        keys: &WitnessKeys,
    ) -> Result<Result<ChainEnds, String>, InvalidInput> {
        let service = self.service();
        let keys = keys.of(service)?;
        let text = match open_note(&self.note, &origin_of(service), &keys) {
            Ok(text) => text,
            Err(why) => return Ok(Err(format!("the statement is not believed: {why}"))),
        };
        let stated = ChainEnds::parse(text);
        let stated = stated.ok().filter(|stated| stated.service() == service);
        Ok(stated.ok_or_else(|| "the signed text does not state the ends of its chains".to_owned()))
    }
}

/// The statement of a line, if it is one of a witness's file.
pub(crate) fn heard_in(
    text: &str,
    number: usize,
    keys: &WitnessKeys,
) -> Result<Option<ChainEnds>, InvalidInput> {
    let Some(heard) = Heard::of_line(text) else { return Ok(None) };
    if keys.is_empty() {
        let rule = "is a witness's: give the public keys of its statements by --key";
        return Err(InvalidInput::new("expect", rule));
    }
    let stated = heard.open(keys)?;
    let wrong = |why| InvalidInput::new("expect", format!("line {number}: {why}"));
    stated.map(Some).map_err(wrong)
}

/// Whether a file is empty, or may be a witness's whose first line was not finished.
pub(super) fn may_begin(mut file: &File) -> io::Result<bool> {
    let mut begin = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(BEGIN.len() as u64).read_to_end(&mut begin)?;
    Ok(BEGIN.as_bytes().starts_with(&begin))
}
