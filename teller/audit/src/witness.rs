//! What a witness keeps: every signed statement of chain ends that it has heard, in a file
//! that nobody with access to the bank's databases can write to. Promise: a statement is in the
//! file, and on the disk, before it is judged; a later run judges the whole file again, so a
//! contradiction stays one.
//!
//! ```text
//! keys     the public keys of the services, in files that are read again for each statement
//! history  decides (pure): whether a statement contradicts the ones before
//! record   the lines of the file
//! ```

mod history;
mod keys;
mod record;
#[cfg(test)]
mod tests;

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use serde::Serialize;
use shared_events::{
    evidence::{ChainEnds, VerifyingKey},
    text::visible_json,
};
use teller_client::input::InvalidInput;

use super::file::Lines;
use history::StatedHistory;

pub use keys::{KeyFile, WitnessKeys};
pub use record::{Heard, Skipped};

pub(super) use record::Statements;

/// A witness of the chains of the bank.
#[derive(Debug)]
pub struct Witness {
    file: File,
    keys: WitnessKeys,
    history: StatedHistory,
    lines: usize,
}

/// A statement that contradicts an earlier one, or is not of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// The line of the witness's file.
    pub line: usize,
    /// The service, as the event's type names it.
    pub service: String,
    /// What is wrong.
    pub why: String,
}

/// Why a witness stops.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// A key or the file cannot be used.
    #[error(transparent)]
    Input(#[from] InvalidInput),
    /// The file cannot be read or written.
    #[error("the witness's file cannot be written")]
    File(#[from] io::Error),
    /// A statement contradicts an earlier one, or is not of the service.
    #[error("line {}: {}: {}", .0.line, .0.service, .0.why)]
    Contradiction(Contradiction),
}

impl Witness {
    /// Opens a witness's file, or begins one, and judges what is in it. A line that was not
    /// finished is removed.
    ///
    /// # Errors
    /// If a statement of the file contradicts an earlier one, if a key is missing, or if another
    /// witness writes to the file.
    pub fn open(path: &Path, keys: WitnessKeys) -> Result<Self, WitnessError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock().map_err(|_| InvalidInput::new("file", "another witness writes to it"))?;
        let read = keys.read()?;
        let history = StatedHistory::default();
        let mut witness = Self { file: file.try_clone()?, keys, history, lines: 0 };
        let (mut lines, mut complete) = (Lines::of(&file), 0);
        while let Some(text) = lines.whole_text()? {
            let heard = Heard::of_line(&text).ok_or_else(|| {
                let rule = format!("line {}: no line of a witness's file", lines.number());
                InvalidInput::new("file", rule)
            })?;
            complete = lines.bytes();
            witness.judge(&heard, read.of(heard.service())?)?;
        }
        if complete == 0 && !record::may_begin(&file)? {
            return Err(InvalidInput::new("file", "the file exists, and is no witness's").into());
        }
        file.set_len(complete)?;
        witness.file.seek(SeekFrom::End(0))?;
        Ok(witness)
    }

    /// Keeps a statement, then judges it. Returns the statement, and whether it is the latest of
    /// its service: a statement may be late.
    ///
    /// # Errors
    /// If the statement contradicts an earlier one or is not of the service, or if it cannot be
    /// kept.
    pub fn hear(&mut self, heard: &Heard) -> Result<(ChainEnds, bool), WitnessError> {
        let line = serde_json::to_string(heard).expect("a line is plain JSON");
        // A terminal may read it.
        let line = format!("{}\n", visible_json(&line));
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()?;
        let keys = self.keys.read_of(heard.service())?;
        self.judge(heard, &keys)
    }

    /// The number of statements in the file.
    #[must_use]
    pub const fn lines(&self) -> usize {
        self.lines
    }

    fn judge(
        &mut self,
        heard: &Heard,
        keys: &[VerifyingKey],
    ) -> Result<(ChainEnds, bool), WitnessError> {
        self.lines += 1;
        let contradicts = |why: String| {
            let (line, service) = (self.lines, heard.service().to_owned());
            WitnessError::Contradiction(Contradiction { line, service, why })
        };
        let stated = heard.open(keys).map_err(contradicts)?;
        let is_latest = self.history.add(&stated).map_err(contradicts)?;
        Ok((stated, is_latest))
    }
}
