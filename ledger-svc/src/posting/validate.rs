//! The checks of an instruction that need no account. Promise: of all rules that stand against an
//! instruction, the first in the order of [`RejectReason::ALL`] is the reason.

use chrono::{Datelike, NaiveDate};
use shared_events::text::is_visible_line;

use super::{
    instruction::Instruction,
    reason::{Checked, RejectReason, first_of},
    view::PostingView,
};
use crate::bank_calendar::{BOOKING_YEARS, Now};

/// The most characters of a reference (ISO 20022 remittance information).
pub(crate) const REFERENCE_CHARS_MAX: usize = 140;
/// The most characters of an end-to-end id (ISO 20022 `Max35Text`).
pub(crate) const END_TO_END_ID_CHARS_MAX: usize = 35;

/// Checks an instruction: the rules of its kind, then text and dates.
pub(super) fn validate(state: &dyn PostingView, instruction: &Instruction, now: Now) -> Checked {
    let of_kind = instruction.kind.rules().validates(state, now);
    first_of([of_kind, check_texts(instruction), check_dates(instruction, now)].into_iter())
}

/// Whether a text is one line of visible characters, and not too long.
pub(crate) fn is_valid_text(text: Option<&str>, chars_max: usize) -> bool {
    let text = text.unwrap_or_default();
    text.chars().count() <= chars_max && is_visible_line(text)
}

fn check_texts(instruction: &Instruction) -> Checked {
    let Instruction { reference, end_to_end_id, .. } = instruction;
    let is_valid = is_valid_text(reference.as_deref(), REFERENCE_CHARS_MAX)
        && is_valid_text(end_to_end_id.as_deref(), END_TO_END_ID_CHARS_MAX);
    if is_valid { Ok(()) } else { Err(RejectReason::InvalidText) }
}

fn check_dates(instruction: &Instruction, now: Now) -> Checked {
    let is_invalid =
        |date: Option<NaiveDate>| date.is_some_and(|day| !BOOKING_YEARS.contains(&day.year()));
    if is_invalid(instruction.booking_date) {
        return Err(RejectReason::InvalidBookingDate);
    }
    if let Some(day) = instruction.booking_date {
        now.bookable.check(day, now.today)?;
    }
    match is_invalid(instruction.value_date) {
        true => Err(RejectReason::InvalidValueDate),
        false => Ok(()),
    }
}
