//! An exported journal, read again. Promise: it is proved with nothing but the file; memory holds
//! a line of each chain, however long the file is.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use serde::Deserialize;
use shared_events::ledger::ChainEnd;
use teller_client::{TellerError, input::InvalidInput};

use super::{
    Verdict, Verified,
    line::{Anchors, Ends, Line},
    links::chains,
    walk::{Piece, Source, Stop, Walk},
    witness::{Skipped, Statements, WitnessKeys},
};

/// Longer than any record: 100 legs are 40 KB.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One line of an export.
#[derive(Deserialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "most lines are records")]
pub(super) enum Entry {
    Record(Line),
    Ends(Ends),
}

/// The lines of a file, one at a time.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    number: usize,
    bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn of(reader: R) -> Self {
        Self { reader: BufReader::new(reader), number: 0, bytes: 0 }
    }

    /// How many bytes the lines had that were read.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line's text; the last one may have no end.
    fn text(&mut self) -> Result<Option<String>, InvalidInput> {
        let mut line = Vec::new();
        self.number += 1;
        let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        read.map_err(|error| wrong_line(self.number, &error.to_string()))?;
        let length = line.len() as u64;
        if length == LINE_BYTES_MAX && !line.ends_with(b"\n") {
            return Err(wrong_line(self.number, "too long"));
        }
        self.bytes += length;
        let text = match String::from_utf8(line) {
            Ok(text) => text,
            // Cut inside a character: not finished, like any line without an end.
            Err(cut) if !cut.as_bytes().ends_with(b"\n") => {
                String::from_utf8_lossy(cut.as_bytes()).into_owned()
            }
            Err(_) => return Err(wrong_line(self.number, "not UTF-8")),
        };
        Ok(Some(text).filter(|line| !line.is_empty()))
    }

    /// The number of the last line that was read, from 1.
    pub(super) const fn number(&self) -> usize {
        self.number
    }

    /// The text of the next line that is whole: one without an end was not finished.
    pub(super) fn whole_text(&mut self) -> Result<Option<String>, InvalidInput> {
        Ok(self.text()?.filter(|line| line.ends_with('\n')))
    }

    /// The next line that is whole.
    pub(super) fn next_whole(&mut self) -> Result<Option<Entry>, InvalidInput> {
        let Some(text) = self.whole_text()? else { return Ok(None) };
        match serde_json::from_str(&text) {
            Ok(entry) => Ok(Some(entry)),
            Err(_) => Err(wrong_line(self.number, "no line of an export")),
        }
    }
}

fn wrong_line(number: usize, rule: &str) -> InvalidInput {
    InvalidInput::new("file", format!("line {number}: {rule}"))
}

fn open(path: &Path) -> Result<Lines<File>, InvalidInput> {
    let opened = File::open(path).map(Lines::of);
    let unreadable = |error| format!("{} cannot be read: {error}", path.display());
    opened.map_err(|error| InvalidInput::new("file", unreadable(error)))
}

/// All ends of chains in a file: of an export, and each of its continuations, or of the output of
/// `audit verify --json`; or of a witness's file, whose statements these keys must have signed.
/// Lines of a witness's file that are no such statements are skipped, and returned as such: whoever
/// owns a database can have any line announced.
///
/// # Errors
/// If the file or a key cannot be read, if keys are missing, or if no line has the ends of chains.
pub fn anchors(path: &Path, keys: &WitnessKeys) -> Result<(Anchors, Skipped), InvalidInput> {
    let (mut lines, mut anchors) = (open(path)?, Anchors::default());
    let mut statements = Statements::default();
    while let Some(text) = lines.text()? {
        statements.read((lines.number(), &text), keys)?;
        if let Ok(found) = serde_json::from_str::<Ends>(&text) {
            anchors.add(found);
        }
    }
    let (anchors, skipped) = match statements.is_witness {
        true => (statements.believed, statements.skipped),
        false => (anchors, Skipped::default()),
    };
    match anchors.ends.is_empty() && anchors.history.is_empty() {
        true => Err(InvalidInput::new("expect", nothing_in(&skipped))),
        false => Ok((anchors, skipped)),
    }
}

fn nothing_in(skipped: &Skipped) -> String {
    let why = skipped.first.as_ref().map(|first| format!(": {first}")).unwrap_or_default();
    format!("no line has the ends of the chains{why}")
}

/// Whether a file is empty, or may be an export whose first line was not finished.
pub(super) fn may_begin_an_export(mut file: &File) -> io::Result<bool> {
    let mut begin = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(8).read_to_end(&mut begin)?;
    let like = |line: &str| line.as_bytes().starts_with(&begin);
    Ok(like(r#"{"chain""#) || like(r#"{"ends":"#))
}

/// A reader for each chain over the same file.
struct Readers(Vec<Lines<File>>);

impl Source for Readers {
    async fn after(&mut self, chain: usize, _: i64) -> Result<Vec<Piece>, Stop> {
        while let Some(entry) = self.0[chain].next_whole()? {
            match entry {
                Entry::Record(line) if usize::try_from(line.chain) == Ok(chain) => {
                    return Ok(vec![Piece::Alone(line)]);
                }
                Entry::Record(_) | Entry::Ends(_) => {}
            }
        }
        Ok(vec![])
    }
}

/// Proves an export with nothing but the file: its chains, and the books that its records lead to.
/// `expected` are ends of chains that were kept elsewhere. A file has no history of accounts, so
/// their ends are not looked for; nor are ends beyond the end of the file, which are counted.
pub async fn verify(
    path: &Path,
    expected: &Anchors,
    progress: impl Fn(usize, usize),
) -> Result<Verdict, TellerError> {
    match prove(path, expected, progress).await {
        Ok(verified) => Ok(Verdict::Verified(verified)),
        Err(Stop::Different(difference)) => Ok(Verdict::Different(difference)),
        Err(Stop::Teller(error)) => Err(error),
    }
}

async fn prove(
    path: &Path,
    expected: &Anchors,
    progress: impl Fn(usize, usize),
) -> Result<Verified, Stop> {
    let Closing { ends, mut anchors, records } = closing(path)?;
    let is_beyond = |expected: &&ChainEnd| {
        ends.iter().any(|end| end.chain == expected.chain && end.place < expected.place)
    };
    let (beyond, within): (Vec<_>, Vec<_>) = expected.ends.iter().partition(is_beyond);
    anchors.extend(within.into_iter().cloned());
    let readers: Result<_, InvalidInput> = chains().map(|_| open(path)).collect();
    let mut walk = Walk::new(Readers(readers?), &anchors);
    walk.advance(&ends, |done| progress(done, records)).await?;
    Ok(Verified { beyond: beyond.len(), ..walk.verified()? })
}

/// The last line of an export.
struct Closing {
    ends: Vec<ChainEnd>,
    /// The ends of every time that it was added to.
    anchors: Vec<ChainEnd>,
    records: usize,
}

fn closing(path: &Path) -> Result<Closing, InvalidInput> {
    let (mut lines, mut anchors, mut records) = (open(path)?, vec![], 0);
    let mut last = None;
    while let Some(entry) = lines.next_whole()? {
        last = match entry {
            Entry::Ends(known) => {
                anchors.extend_from_slice(&known.ends);
                Some(known.ends)
            }
            Entry::Record(line) if chains().any(|known| known == line.chain) => {
                records += 1;
                None
            }
            Entry::Record(_) => {
                return Err(wrong_line(lines.number, "of no chain that there is"));
            }
        };
    }
    // Records after the last ends were not closed: it was not finished, or cut off.
    let unfinished = || InvalidInput::new("file", "is not finished: export again to the same file");
    Ok(Closing { ends: last.ok_or_else(unfinished)?, anchors, records })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared_events::evidence::Hash256;

    use super::*;

    fn file(name: &str, content: &str) -> std::path::PathBuf {
        let name = format!("bankwire-audit-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).expect("a temporary file");
        path
    }

    /// A rewritten journal must agree with each anchor, not only with the last.
    #[test]
    fn all_that_a_file_tells_of_ends_is_an_anchor() {
        let ends = |place: i64, digit: &str| {
            json!({"ends": [{"chain": 0, "place": place, "hash": digit.repeat(64)}]}).to_string()
        };
        let path = file("anchors", &format!("{}\n{}\n", ends(3, "a"), ends(5, "b")));
        let (found, skipped) = anchors(&path, &WitnessKeys::default()).expect("there are ends");
        assert_eq!(skipped, Skipped::default());
        let places: Vec<i64> = found.ends.iter().map(|end| end.place).collect();
        std::fs::remove_file(path).expect("the file can be removed");
        assert_eq!(places, [3, 5]);
    }

    /// A witness goes on stating after an export.
    #[test]
    fn ends_beyond_the_end_of_a_file_are_counted_and_not_looked_for() {
        let end = |chain: i16, place: i64| ChainEnd { chain, place, hash: Hash256::default() };
        let ends: Vec<ChainEnd> = chains().map(|chain| end(chain, 0)).collect();
        let path = file("beyond", &format!("{}\n", json!({ "ends": ends })));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let expected = Anchors { ends: vec![end(0, 0), end(0, 1), end(2, 3)], history: vec![] };
        let proved = runtime.block_on(verify(&path, &expected, |_, _| {})).expect("a file");
        assert!(matches!(proved, Verdict::Verified(Verified { beyond: 2, .. })), "{proved:?}");
        let no_chain = Anchors { ends: vec![end(7, 1)], history: vec![] };
        let proved = runtime.block_on(verify(&path, &no_chain, |_, _| {})).expect("a file");
        std::fs::remove_file(path).expect("the file can be removed");
        assert!(matches!(proved, Verdict::Different(_)), "{proved:?}");
    }

    #[test]
    fn a_line_that_is_cut_inside_a_character_is_not_finished() {
        let ends = json!({"ends": []}).to_string();
        let cut = [ends.as_bytes(), b"\n{\"record\":\"\xc4"].concat();
        let mut lines = Lines::of(cut.as_slice());
        assert!(matches!(lines.next_whole(), Ok(Some(Entry::Ends(_)))));
        assert!(matches!(lines.next_whole(), Ok(None)));
        let mut lines = Lines::of(b"{\"record\":\"\xc4\"}\n".as_slice());
        assert!(lines.next_whole().is_err(), "a whole line that is no text");
    }

    #[test]
    fn only_an_export_is_written_into() {
        for (content, may) in
            [("", true), ("{\"chain\":0,\"pla", true), ("{\"en", true), ("{\"a\":1}", false)]
        {
            let path = file("begin", content);
            let opened = File::open(&path).expect("the file is there");
            assert_eq!(may_begin_an_export(&opened).ok(), Some(may), "{content}");
            std::fs::remove_file(path).expect("the file can be removed");
        }
    }
}
