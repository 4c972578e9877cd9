//! The texts of an instruction, and how its record stands for them. Promise: a record contains no
//! text, and a commitment to the texts under a salt that follows from nothing that is stored.

use shared_events::{
    TransferId,
    evidence::{Hash256, Salt},
};

use super::instruction::Instruction;
use crate::journal::record_v2::commitment_to;

/// How a record stands for the texts of its instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// The record contains them, if there are any: a record of version 1.
    Contained,
    /// The instruction has none.
    None,
    /// The record commits to them.
    Committed {
        /// The commitment.
        commitment: Hash256,
        /// The salt. `None`: the texts were erased, with their salt.
        salt: Option<Salt>,
    },
}

impl Texts {
    /// The commitment of a record of version 2.
    #[must_use]
    pub const fn commitment(&self) -> Option<Hash256> {
        match self {
            Self::Committed { commitment, .. } => Some(*commitment),
            Self::Contained | Self::None => None,
        }
    }

    /// The salt that is stored beside the record.
    #[must_use]
    pub const fn salt(&self) -> Option<Salt> {
        match self {
            Self::Committed { salt, .. } => *salt,
            Self::Contained | Self::None => None,
        }
    }
}

/// Where the salts of one transaction come from: 32 random bytes, which nobody keeps.
#[derive(Clone, Debug, Default)]
pub struct Salts([u8; 32]);

impl Salts {
    /// Salts that nobody can guess.
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Commits to the texts of an instruction.
    pub(super) fn commit(&self, instruction: &Instruction) -> Texts {
        if !instruction.has_texts() {
            return Texts::None;
        }
        let salt = self.salt(instruction.transfer_id);
        let commitment = instruction.texts_under(salt);
        Texts::Committed { commitment, salt: Some(salt) }
    }

    /// The salt of a transfer: the first half of BLAKE3 of its id, with the random bytes as key.
    fn salt(&self, id: TransferId) -> Salt {
        let hash = blake3::keyed_hash(&self.0, id.uuid().as_bytes());
        let (salt, _) = hash.as_bytes().split_first_chunk().expect("32 bytes have 16");
        Salt(*salt)
    }
}

impl Instruction {
    /// Whether there is any text.
    pub(super) const fn has_texts(&self) -> bool {
        self.reference.is_some() || self.end_to_end_id.is_some()
    }

    /// The commitment to the texts under this salt.
    pub(super) fn texts_under(&self, salt: Salt) -> Hash256 {
        commitment_to(salt, self.reference.as_deref(), self.end_to_end_id.as_deref())
    }
}
