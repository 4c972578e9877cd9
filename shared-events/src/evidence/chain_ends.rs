//! Where the chains of a service ended at an instant, as the text that the service signs. Promise:
//! one statement has one text and one text is one statement, so equal statements are equal bytes.
//!
//! ```text
//! ledger/chains                        the origin, and the name of the key that signs it
//! 2026-11-22T09:31:03.482Z             the instant, by the service's clock
//! 0 1041 <64 hexadecimal digits>       a chain, the place of its last record, the hash there
//! 1 998 <64 hexadecimal digits>
//! ```

use std::fmt;

use chrono::{DateTime, SubsecRound as _, Utc};

use super::hash::{Hash256, bytes_of};

/// After the service's name in the origin of a statement.
const ORIGIN_SUFFIX: &str = "/chains";
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";
const TIME_DIGITS: u16 = 3;
/// A service has fewer chains.
const CHAINS_MAX: usize = 64;

/// The end of one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedEnd {
    /// Which chain, from 0.
    pub chain: i16,
    /// The place of the last record: the number of records. 0 before the first.
    pub place: i64,
    /// The hash at that place.
    pub hash: Hash256,
}

/// The ends of all chains of a service at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEnds {
    service: String,
    at: DateTime<Utc>,
    ends: Vec<StatedEnd>,
}

/// A text that states no ends of chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its text does not state the ends of chains")]
pub struct NoChainEnds;

impl ChainEnds {
    /// The ends of the chains of a service, in the order of their numbers, at this instant, which
    /// counts in milliseconds.
    #[must_use]
    pub fn new(service: &str, at: DateTime<Utc>, ends: Vec<StatedEnd>) -> Self {
        Self { service: service.to_owned(), at: at.trunc_subsecs(TIME_DIGITS), ends }
    }

    /// The statement that a text makes.
    ///
    /// # Errors
    /// If the text has another form.
    pub fn parse(text: &str) -> Result<Self, NoChainEnds> {
        let read = parsed(text).ok_or(NoChainEnds)?;
        // What can be read in another form is not what a service writes.
        if read.to_string() == text { Ok(read) } else { Err(NoChainEnds) }
    }

    /// The service whose chains they are.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The instant of the statement, by the service's clock.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The ends, in the order of the chains' numbers.
    #[must_use]
    pub fn ends(&self) -> &[StatedEnd] {
        &self.ends
    }
}

/// The origin of the statements of a service, and the name of the key that signs them.
#[must_use]
pub fn origin_of(service: &str) -> String {
    format!("{service}{ORIGIN_SUFFIX}")
}

fn parsed(text: &str) -> Option<ChainEnds> {
    let mut lines = text.lines();
    let service = lines.next()?.strip_suffix(ORIGIN_SUFFIX)?.to_owned();
    let at = DateTime::parse_from_rfc3339(lines.next()?).ok()?.to_utc();
    let ends: Vec<StatedEnd> = lines.map(stated_end).collect::<Option<_>>()?;
    let is_ascending = ends.is_sorted_by(|one, next| one.chain < next.chain);
    let is_service = !service.is_empty() && service.chars().all(|c| c.is_ascii_lowercase());
    let is_bounded = (1..=CHAINS_MAX).contains(&ends.len());
    let is_possible = ends.iter().all(|end| end.chain >= 0 && end.place >= 0);
    (is_ascending && is_service && is_bounded && is_possible).then_some(ChainEnds {
        service,
        at,
        ends,
    })
}

fn stated_end(line: &str) -> Option<StatedEnd> {
    let mut fields = line.split(' ');
    let (chain, place, hash) = (fields.next()?, fields.next()?, fields.next()?);
    let hash = Hash256(bytes_of(hash)?);
    let end = StatedEnd { chain: chain.parse().ok()?, place: place.parse().ok()?, hash };
    fields.next().is_none().then_some(end)
}

impl fmt::Display for ChainEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, at, ends } = self;
        writeln!(f, "{}\n{}", origin_of(service), at.format(TIME_FORMAT))?;
        ends.iter().try_for_each(|end| writeln!(f, "{end}"))
    }
}

impl fmt::Display for StatedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, place, hash } = self;
        write!(f, "{chain} {place} {hash}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let (one, none) = ("0f".repeat(32), "0".repeat(64));
        format!("ledger/chains\n2026-11-22T09:31:03.482Z\n0 1041 {one}\n1 0 {none}\n")
    }

    #[test]
    fn a_statement_is_read_as_it_was_written() {
        let at = "2026-11-22T09:31:03.482911Z".parse().expect("an instant");
        let ends = vec![
            StatedEnd { chain: 0, place: 1041, hash: Hash256([0x0f; 32]) },
            StatedEnd { chain: 1, place: 0, hash: Hash256::default() },
        ];
        let stated = ChainEnds::new("ledger", at, ends);
        assert_eq!(stated.to_string(), text());
        assert_eq!(ChainEnds::parse(&text()), Ok(stated));
    }

    #[test]
    fn only_the_written_form_states_something() {
        let changes = [
            ("ledger/chains", "ledger/chain"),
            ("ledger/chains", "/chains"),
            ("ledger/chains", "ledger+x/chains"),
            (".482Z", ".4820Z"),
            (".482Z", "Z"),
            (".482Z", ".482+00:00"),
            ("2026-11-22", "2026-11-31"),
            ("0 1041", "0 01041"),
            ("0 1041", "0 +1041"),
            ("0 1041", "0  1041"),
            ("0 1041", "0 -1"),
            ("0 1041", "1 1041"),
            ("0 1041", "2 1041"),
            ("0 1041", "-1 1041"),
            ("0f0f", "0F0f"),
            ("0f0f", "0f"),
            ("\n1 0 ", "\r\n1 0 "),
            ("\n1 0 ", "\n\n1 0 "),
            ("\n1 0 ", " x\n1 0 "),
            ("00\n", "00"),
            ("00\n", "00\n\n"),
        ];
        for (from, to) in changes {
            let changed = text().replacen(from, to, 1);
            assert_ne!(changed, text(), "{from}");
            assert_eq!(ChainEnds::parse(&changed), Err(NoChainEnds), "{from} {to}");
        }
        let no_chain = "ledger/chains\n2026-11-22T09:31:03.482Z\n";
        assert_eq!(ChainEnds::parse(no_chain), Err(NoChainEnds));
        assert_eq!(ChainEnds::parse(""), Err(NoChainEnds));
    }
}
