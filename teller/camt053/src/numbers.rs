//! The ids and numbers of a statement. Promise: the same entries on the same days have the same ids
//! at every time and for every client; any other entry or figure has other ids.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use uuid::Uuid;

use super::Document;

/// The statement's id: its days, and a hash of its content. 33 characters.
pub(super) fn statement_id(of: &Document<'_>) -> String {
    let (from, to) = of.days;
    let (high, _) = content(of, "statement").as_u64_pair();
    format!("{}{}-{high:016x}", from.format("%Y%m%d"), to.format("%Y%m%d"))
}

/// The message's id: of the statement in this message. 32 characters.
pub(super) fn message_id(of: &Document<'_>) -> String {
    content(of, "message").simple().to_string()
}

fn content(of: &Document<'_>, name: &str) -> Uuid {
    let (statement, period) = (of.statement, of.period);
    let mut content = format!("{name} {:?} {}", of.days, statement.currency);
    for figure in [period.opening_balance, period.closing_balance, period.debits, period.credits] {
        content = format!("{content} {figure}");
    }
    for entry in &statement.entries {
        content = format!("{content} {}:{}", entry.version, entry.transfer_id);
    }
    Uuid::new_v5(&statement.account_id.0, content.as_bytes())
}

/// Which statement of its year it is: the number of its day, week, month, quarter or year; of other
/// days that of the last of them.
pub(super) fn sequence_number((from, to): (NaiveDate, NaiveDate)) -> u32 {
    let next = to.checked_add_days(Days::new(1));
    let is_of_months = |months| {
        from.day() == 1 && next.is_some() && from.checked_add_months(Months::new(months)) == next
    };
    if from == to {
        return to.ordinal();
    }
    if from.weekday() == Weekday::Mon && from.checked_add_days(Days::new(7)) == next {
        return to.iso_week().week();
    }
    match from.month0() {
        month if is_of_months(1) => month + 1,
        month if is_of_months(3) && month.is_multiple_of(3) => month / 3 + 1,
        0 if is_of_months(12) => 1,
        _ => to.ordinal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_numbered_within_their_year() {
        for (from, to, number) in [
            ("2026-01-01", "2026-01-01", 1),
            ("2026-12-31", "2026-12-31", 365),
            ("2026-11-23", "2026-11-29", 48),
            ("2026-02-01", "2026-02-28", 2),
            ("2024-02-01", "2024-02-29", 2),
            ("2026-12-01", "2026-12-31", 12),
            ("2026-10-01", "2026-12-31", 4),
            ("2026-01-01", "2026-12-31", 1),
            // None of these: by the last day.
            ("2026-11-02", "2026-12-01", 335),
            ("2026-02-01", "2026-04-30", 120),
        ] {
            let day = |text: &str| text.parse().expect("a day");
            assert_eq!(sequence_number((day(from), day(to))), number, "{from} to {to}");
        }
    }
}
