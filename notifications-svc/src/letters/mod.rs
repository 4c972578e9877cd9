//! Letters: the e-mails of notifications in the languages of the bank. Promise: the same payload
//! makes the same letter; a letter is plain text, names no other customer, and shows both ends of
//! the holder's IBAN and nothing between.
//!
//! ```text
//! compose     payload and recipient ──> subject and lines
//! letter      the lines, each of visible characters
//! phrases     the texts that a language needs, and its notation of money
//! en, cs, de  the languages
//! ```

mod compose;
mod cs;
mod de;
mod en;
mod letter;
mod phrases;

pub(crate) use compose::compose;
#[cfg(test)]
pub(crate) use compose::has_text_for_reason;
pub(crate) use letter::Letter;
