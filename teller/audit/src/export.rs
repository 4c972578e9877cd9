//! The journal as JSON Lines. Promise: the lines carry the bytes that were hashed; an incomplete
//! export is continued at its end; memory holds one page.
//!
//! The chains follow one after another. The last line has the ends of the chains: an anchor. The
//! journal is written as it stands, also where it does not verify.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Seek, Write},
    path::Path,
};

use serde::Serialize;
use shared_events::{
    ledger::{BooksPart, ChainEnd, GetJournal, JOURNAL_PAGE_MAX},
    text::visible_json,
};
use teller_client::{Teller, TellerError, input::InvalidInput};

use super::{
    books::records,
    file::{Entry, Lines, may_begin_an_export},
    history,
    line::{Ends, Line},
};

/// The result of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// How many records were written now.
    pub records: usize,
    /// How many were there before.
    pub before: usize,
    /// Where the chains ended.
    pub ends: Vec<ChainEnd>,
}

/// The cause of an incomplete export. The written lines stay, and the export can be continued.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The journal cannot be read, or the file is no export.
    #[error(transparent)]
    Teller(#[from] TellerError),
    /// The lines cannot be written.
    #[error("the export cannot be written")]
    Output(#[from] io::Error),
}

/// Writes the journal to a file. An existing file must be an export: the missing records are
/// appended.
pub async fn export_journal_to(
    bank: &Teller,
    path: &Path,
    progress: impl Fn(usize, usize),
) -> Result<Exported, ExportError> {
    let (file, places) = begun(path)?;
    let mut out = BufWriter::new(file);
    let exported = export_journal(bank, &mut out, &places, progress).await?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(exported)
}

/// Writes the records after these places, and then where the chains ended.
pub async fn export_journal(
    bank: &Teller,
    out: &mut (impl Write + Send),
    places: &BTreeMap<i16, i64>,
    progress: impl Fn(usize, usize),
) -> Result<Exported, ExportError> {
    let ends = bank.books_page(BooksPart::Accounts, None, 1).await?.ends;
    let history = history::end(bank).await?;
    let (total, before) = (records(&ends), places.values().sum::<i64>());
    let before = usize::try_from(before).unwrap_or_default();
    let mut written = 0;
    for end in &ends {
        let mut place = places.get(&end.chain).copied().unwrap_or_default();
        while place < end.place {
            let chain = u8::try_from(end.chain).unwrap_or(u8::MAX);
            let limit = Some(JOURNAL_PAGE_MAX);
            let page = bank.ask(GetJournal { chain, after: Some(place), limit }).await?;
            let lines = page.records.iter().filter(|record| record.place <= end.place);
            let lines: Vec<Line> = lines.map(Line::from).collect();
            // A chain that has been cut off is exported as it is.
            let Some(last) = lines.last() else { break };
            place = last.place;
            for line in &lines {
                put(out, line)?;
            }
            written += lines.len();
            progress(before + written, total);
        }
    }
    put(out, &Ends { ends: ends.clone(), history: Some(history) })?;
    out.flush()?;
    Ok(Exported { records: written, before, ends })
}

fn put(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(line).expect("a line is plain JSON");
    // A terminal may read it: a record quotes strangers.
    writeln!(out, "{}", visible_json(&json))
}

/// The file, open at its end, and the last place of each chain in it.
fn begun(path: &Path) -> Result<(File, BTreeMap<i16, i64>), ExportError> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(path)?;
    let (mut places, mut complete) = (BTreeMap::new(), 0);
    let mut lines = Lines::of(&file);
    while let Some(entry) = lines.next_whole().map_err(TellerError::from)? {
        if let Entry::Record(line) = entry {
            places.insert(line.chain, line.place);
        }
        complete = lines.bytes();
    }
    if complete == 0 && !may_begin_an_export(&file)? {
        let refused = InvalidInput::new("file", "the file exists, and is no export");
        return Err(TellerError::from(refused).into());
    }
    // A line that was not finished is written again.
    file.set_len(complete)?;
    file.seek(io::SeekFrom::End(0))?;
    Ok((file, places))
}
