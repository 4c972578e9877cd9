//! The chains of the journal. Promise: no walked record was changed, left out, inserted or moved
//! since the hashes were made; every record before an anchor is still there, to the last bit.
//!
//! An attacker who can rewrite everything can also compute all hashes anew, from the first changed
//! record to the end of its chain. Anchors expose this: ends of chains that were kept elsewhere.

use std::collections::BTreeMap;

use shared_events::{
    code::Open,
    evidence::Hash256,
    ledger::{CHAINS, ChainEnd, InstructionOutcome, RejectReason, StoredRecord},
};

use super::{
    difference::{Checked, Row, Table},
    line::Line,
};

/// How far the chains were followed.
pub(super) struct Links {
    ends: Vec<ChainEnd>,
    anchors: BTreeMap<(i16, i64), Vec<Hash256>>,
}

/// The numbers of the chains.
pub(super) fn chains() -> impl Iterator<Item = i16> {
    (0..CHAINS).map(i16::from)
}

impl Links {
    /// The beginning of all chains. Walked records must have these hashes at these sequences.
    pub(super) fn new(anchored: &[ChainEnd]) -> Self {
        let begin = |chain| ChainEnd { chain, place: 0, hash: Hash256::default() };
        let mut anchors = BTreeMap::<_, Vec<Hash256>>::new();
        for anchor in anchored.iter().filter(|anchor| anchor.place > 0) {
            anchors.entry((anchor.chain, anchor.place)).or_default().push(anchor.hash);
        }
        Self { ends: chains().map(begin).collect(), anchors }
    }

    /// How far each chain was followed.
    pub(super) fn ends(&self) -> &[ChainEnd] {
        &self.ends
    }

    /// The place after the last that was followed.
    pub(super) fn next_place(&self, chain: usize) -> i64 {
        self.ends[chain].place + 1
    }

    /// Follows the next record of a chain, and reads it.
    pub(super) fn follow(&mut self, chain: usize, line: &Line) -> Checked<StoredRecord> {
        let (row, end) = (line.row(), &mut self.ends[chain]);
        if line.place != end.place + 1 {
            // The row that should stand here is gone; or another has taken a place before it.
            let here = Row::of(Table::Journal).in_chain(end.chain, end.place + 1);
            return Err(here.differs("place", end.place + 1, line.place));
        }
        let stored = StoredRecord::from_text(&line.record);
        let hash = end.hash.of_next(line.digest, &line.record);
        if hash != line.hash {
            // Where the digest is wrong too, that is what was changed.
            if let Ok(stored) = &stored {
                check_digest(row, stored, line.digest)?;
            }
            return Err(row.differs("hash of digest and record", hash, line.hash));
        }
        let stored = stored.map_err(|error| row.differs("record", "a record", error))?;
        check_version(row, &stored)?;
        row.has("transfer_id", stored.record.instruction.transfer_id, line.transfer_id)?;
        check_digest(row, &stored, line.digest)?;
        (end.place, end.hash) = (line.place, hash);
        for anchored in self.anchors.remove(&(end.chain, end.place)).unwrap_or_default() {
            let row = Row { table: Table::Anchor, ..row };
            row.has("hash", anchored, hash)?;
        }
        Ok(stored)
    }

    /// Checks that the chains end where they were followed to.
    pub(super) fn check_ends(&self, stated: &[ChainEnd]) -> Checked {
        for (end, stated) in self.ends.iter().zip(stated) {
            let row = Row { chain: Some(stated.chain), ..Row::of(Table::Chains) };
            row.has("place", end.place, stated.place)?;
            row.has("hash", end.hash, stated.hash)?;
        }
        Ok(())
    }

    /// Checks that a chain that is said to be longer does not end with the same record: then the
    /// stated sequence is wrong, and no record is missing.
    pub(super) fn check_same_hash(&self, stated: &ChainEnd) -> Checked {
        match self.ends.iter().find(|end| (end.chain, end.hash) == (stated.chain, stated.hash)) {
            Some(end) => Row { chain: Some(stated.chain), ..Row::of(Table::Chains) }.has(
                "place",
                end.place,
                stated.place,
            ),
            None => Ok(()),
        }
    }

    /// Checks that every anchor was passed.
    pub(super) fn check_anchors(&self) -> Checked {
        match self.anchors.first_key_value() {
            None => Ok(()),
            Some(((chain, place), _)) => {
                Err(Row::of(Table::Anchor).in_chain(*chain, *place).missing())
            }
        }
    }
}

/// Checks that these are ends of the chains that there are, one of each.
pub(super) fn check_chains(stated: &[ChainEnd]) -> Checked {
    let row = |chain| Row { chain: Some(chain), ..Row::of(Table::Chains) };
    if let Some(chain) = chains().find(|chain| stated.iter().all(|end| end.chain != *chain)) {
        return Err(row(chain).missing());
    }
    match stated
        .iter()
        .zip(chains().map(Some).chain([None]))
        .find(|(end, at)| Some(end.chain) != *at)
    {
        Some((end, _)) => Err(row(end.chain).too_many()),
        None => Ok(()),
    }
}

/// Checks that the record is of a version that this program knows: version 1, which does not name
/// its version, or version 2, which names its author and contains no texts.
fn check_version(row: Row, stored: &StoredRecord) -> Checked {
    let StoredRecord { version, texts: commitment, record } = stored;
    if !(1..=2).contains(version) {
        return Err(row.differs("version", "1 or 2", version));
    }
    let texts = (&record.instruction.reference, &record.instruction.end_to_end_id);
    match (version, &record.author, commitment, texts) {
        (1, None, None, _) | (2, Some(_), _, (None, None)) => Ok(()),
        _ => {
            let shape = format!("author and texts as version {version} has them");
            Err(row.differs("record", shape, "others"))
        }
    }
}

/// Checks the digest of the instruction, where the record keeps the whole instruction.
fn check_digest(row: Row, stored: &StoredRecord, digest: Hash256) -> Checked {
    if !keeps_all(stored) {
        return Ok(());
    }
    let asked = Hash256(stored.digest());
    if asked == digest {
        return Ok(());
    }
    // The first version of the ledger kept the booking date that it chose as if it had been asked.
    let mut without_date = stored.clone();
    without_date.record.instruction.booking_date = None;
    row.has("digest", Hash256(without_date.digest()), digest).map_err(|mut difference| {
        difference.expected = asked.to_string();
        difference
    })
}

/// Whether the record keeps all that its digest covers: the ledger leaves out dates that no
/// database takes, legs beyond the limit, and in version 1 texts of that kind, too.
const fn keeps_all(stored: &StoredRecord) -> bool {
    let InstructionOutcome::Rejected(rejected) = &stored.record.outcome else { return true };
    match rejected.reason {
        Open::Known(RejectReason::InvalidText) => stored.version > 1,
        Open::Known(
            RejectReason::InvalidBookingDate
            | RejectReason::InvalidValueDate
            | RejectReason::TooManyLegs,
        ) => false,
        _ => true,
    }
}
