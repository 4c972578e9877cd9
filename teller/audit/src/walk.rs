//! One walk over all chains. Promise: records come in an order in which every account's versions
//! follow, across the chains; the walk stops at a changed record.
//!
//! A chain is in the order of commits, and so are an account's versions. So among the next records
//! of all chains one is always the next of every account that it changes.

use std::collections::VecDeque;

use shared_events::ledger::{ChainEnd, ChainedRecord, JournalRecord};
use teller_client::{TellerError, input::InvalidInput};

use super::{
    Turnover, Verified,
    beside::{self, Texts},
    difference::{Checked, Difference, Row, Table},
    erased::ErasedRecords,
    line::Line,
    links::{Links, chains, check_chains},
    replay::Replay,
};

/// Why a proof ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something differs.
    Different(Box<Difference>),
    /// It cannot be read.
    Teller(TellerError),
}

impl From<Box<Difference>> for Stop {
    fn from(difference: Box<Difference>) -> Self {
        Self::Different(difference)
    }
}

impl From<TellerError> for Stop {
    fn from(error: TellerError) -> Self {
        Self::Teller(error)
    }
}

impl From<InvalidInput> for Stop {
    fn from(error: InvalidInput) -> Self {
        Self::Teller(error.into())
    }
}

/// Where records come from.
pub(super) trait Source {
    /// The records of a chain after a place, as many as are at hand; none: it has no more.
    async fn after(&mut self, chain: usize, place: i64) -> Result<Vec<Piece>, Stop>;
}

/// A record, with the rows beside it where they are known.
#[derive(Debug)]
pub(super) enum Piece {
    Alone(Line),
    Beside(ChainedRecord),
}

/// A record that was followed in its chain, and waits for its turn among the others.
struct Head {
    row: Row,
    record: JournalRecord,
}

/// The walk.
pub(super) struct Walk<S> {
    source: S,
    links: Links,
    pub(super) replay: Replay,
    pub(super) erased: ErasedRecords,
    pieces: Vec<VecDeque<Piece>>,
    heads: Vec<Option<Head>>,
}

impl<S: Source> Walk<S> {
    /// A walk from the beginning; walked records must agree with the anchors.
    pub(super) fn new(source: S, anchors: &[ChainEnd]) -> Self {
        Self {
            source,
            links: Links::new(anchors),
            replay: Replay::default(),
            erased: ErasedRecords::default(),
            pieces: chains().map(|_| VecDeque::new()).collect(),
            heads: chains().map(|_| None).collect(),
        }
    }

    /// Walks to these ends. They are of one instant: no record before them depends on one after
    /// them.
    pub(super) async fn advance(
        &mut self,
        ends: &[ChainEnd],
        walked: impl Fn(usize),
    ) -> Result<(), Stop> {
        check_chains(ends)?;
        loop {
            for (chain, end) in ends.iter().enumerate() {
                self.fill(chain, end).await?;
            }
            let there = self.heads.iter_mut().filter(|head| head.is_some());
            let replay = &self.replay;
            let next = there.min_by_key(|head| {
                let record = head.as_ref().map(|piece| &piece.record);
                // Where none is next, the earliest shows what is wrong.
                record.map(|record| (!replay.is_next(record), record.decided_at))
            });
            let Some(head) = next.and_then(Option::take) else { break };
            self.replay.follow(head.row, &head.record)?;
            walked(usize::try_from(self.replay.records).unwrap_or(usize::MAX));
        }
        Ok(self.links.check_ends(ends)?)
    }

    /// Has the next record of a chain at hand, if there is one before its end.
    async fn fill(&mut self, chain: usize, end: &ChainEnd) -> Result<(), Stop> {
        let place = self.links.next_place(chain);
        if self.heads[chain].is_some() || place > end.place {
            return Ok(());
        }
        if self.pieces[chain].is_empty() {
            self.pieces[chain].extend(self.source.after(chain, place - 1).await?);
        }
        let Some(piece) = self.pieces[chain].pop_front() else {
            self.links.check_same_hash(end)?;
            return Err(Row::of(Table::Journal).in_chain(end.chain, place).missing().into());
        };
        self.heads[chain] = Some(self.link(chain, &piece)?);
        Ok(())
    }

    fn link(&mut self, chain: usize, piece: &Piece) -> Checked<Head> {
        match piece {
            Piece::Alone(line) => {
                let record = self.links.follow(chain, line)?.record;
                Ok(Head { row: line.row(), record })
            }
            Piece::Beside(found) => {
                let line = Line::from(found);
                let stored = self.links.follow(chain, &line)?;
                match beside::check(line.row(), &stored, found)? {
                    Texts::Proved => {}
                    Texts::Missing => self.erased.add(line.row(), &line.record),
                }
                Ok(Head { row: line.row(), record: stored.record })
            }
        }
    }

    /// How far the chains were walked.
    pub(super) fn ends(&self) -> &[ChainEnd] {
        self.links.ends()
    }

    /// Where records come from.
    pub(super) const fn source(&self) -> &S {
        &self.source
    }

    /// Checks that no anchored record is gone, and returns the figures of the proved books.
    pub(super) fn verified(self) -> Checked<Verified> {
        self.links.check_anchors()?;
        let Replay { accounts, holds, reversed, turnover, records, entries } = self.replay;
        let turnover = turnover.into_iter().map(|(currency, sides)| Turnover {
            currency,
            debits: sides.debits,
            credits: sides.credits,
        });
        Ok(Verified {
            records,
            entries,
            accounts: accounts.len(),
            holds: holds.len(),
            reversals: reversed.len(),
            turnover: turnover.collect(),
            ends: self.links.ends().to_vec(),
            history: None,
            erased: self.erased.count,
            beyond: 0,
        })
    }
}
