//! Amounts, currencies and dates as people and spreadsheets write them. Promise: a cell with two
//! possible meanings is refused, and both meanings are named.

use chrono::NaiveDate;
use shared_events::{Currency, Money};
use teller_client::input::{
    self, InvalidInput,
    space::{is_space, without_spaces},
};

/// A currency, in capitals or not.
pub fn cell_currency(text: &str) -> Result<Currency, InvalidInput> {
    input::currency(&text.to_uppercase())
}

/// An amount with a decimal point or comma, with or without groups of three digits.
pub fn cell_money(amount: &str, currency_code: &str) -> Result<Money, InvalidInput> {
    let currency = cell_currency(currency_code)?;
    input::money_of(&plain_amount(amount, currency)?, currency)
}

/// The amount as it is written here: digits, and a point before the decimals.
fn plain_amount(text: &str, currency: Currency) -> Result<String, InvalidInput> {
    let text = without_group_spaces(text);
    let marks: Vec<(usize, char)> =
        text.char_indices().filter(|(_, c)| matches!(c, '.' | ',')).collect();
    let ambiguous = |rule: String| Err(InvalidInput::new("amount", rule));
    match marks[..] {
        [] => Ok(text),
        [(at, mark)] => {
            let (whole, decimals) = (&text[..at], &text[at + 1..]);
            let may_be_group = decimals.len() == 3 && is_first_group(whole);
            // The form that is documented, in a currency that has three digits.
            let is_plain = mark == '.' && currency.digits() == 3;
            if may_be_group && !is_plain {
                let wrong = match currency.digits() {
                    digits @ 0..3 => format!("more digits than {currency} has ({digits})"),
                    3.. => format!("could be {whole}.{decimals}"),
                };
                return ambiguous(format!(
                    "{wrong}; if these are thousands, write {whole}{decimals}"
                ));
            }
            Ok(format!("{whole}.{decimals}"))
        }
        [.., (last, mark)] => {
            let group = if mark == '.' { ',' } else { '.' };
            let is_mixed = marks[..marks.len() - 1].iter().all(|(_, c)| *c == group);
            let is_grouped = marks.iter().all(|(_, c)| *c == mark);
            let (whole, decimals) = match (is_mixed, is_grouped) {
                (true, _) => (&text[..last], Some(&text[last + 1..])),
                (_, true) => (text.as_str(), None),
                (false, false) => return Ok(text),
            };
            let separator = if is_mixed { group } else { mark };
            match (joined_groups(whole, separator), decimals) {
                (Some(digits), Some(decimals)) => Ok(format!("{digits}.{decimals}")),
                (Some(digits), None) => Ok(digits),
                (None, _) => Ok(text),
            }
        }
    }
}

/// Groups of thousands may be apart by spaces or apostrophes; other spaces stay, and are wrong.
fn without_group_spaces(text: &str) -> String {
    let end = text.find(['.', ',']).unwrap_or(text.len());
    let is_group_space = |c: char| is_space(c) || matches!(c, '\'' | '’');
    let spaced: String =
        text[..end].chars().map(|c| if is_group_space(c) { ' ' } else { c }).collect();
    match joined_groups(&spaced, ' ') {
        Some(digits) => format!("{digits}{}", &text[end..]),
        None => text.to_owned(),
    }
}

/// One to three digits that may have groups of three behind them.
fn is_first_group(text: &str) -> bool {
    (1..=3).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
}

/// The digits of groups of three, if that is what they are.
fn joined_groups(text: &str, separator: char) -> Option<String> {
    let mut groups = text.split(separator);
    let is_group =
        |group: &str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
    let is_right = is_first_group(groups.next()?) && groups.all(is_group);
    is_right.then(|| text.replace(separator, ""))
}

/// A day: 2026-11-30, and as spreadsheets show it 30.11.2026, 30/11/2026 or 11/30/2026 where that
/// can mean one day only.
pub fn cell_date(field: &str, text: &str) -> Result<NaiveDate, InvalidInput> {
    let day = midnight_of(text);
    let Some(mark) = ['.', '/'].into_iter().find(|mark| day.contains(*mark)) else {
        return input::date(field, day);
    };
    let wrong = |rule: &str| Err(InvalidInput::new(field, rule));
    let day = without_spaces(day);
    let parts: Vec<Option<u32>> = day.split(mark).map(|part| part.parse().ok()).collect();
    let [Some(first), Some(second), Some(third)] = parts[..] else {
        return input::date(field, &day);
    };
    let date =
        |year: u32, month, day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    let found = match (mark, first, third) {
        (_, 1_000.., _) => date(first, second, third),
        (_, _, ..1_000) => return wrong("has a year of two digits; write it as 2026-11-22"),
        ('.', ..) => date(third, second, first),
        _ => match (date(third, second, first), date(third, first, second)) {
            (Some(one), Some(other)) if one != other => {
                return wrong(&format!("could be {one} or {other}; write it as 2026-11-22"));
            }
            (one, other) => one.or(other),
        },
    };
    found.map_or_else(|| wrong("not a day of the calendar"), Ok)
}

/// The day where a time of zero follows, as spreadsheets save dates.
fn midnight_of(text: &str) -> &str {
    match text.split_once([' ', 'T']) {
        Some((day, "00:00" | "0:00" | "00:00:00" | "0:00:00" | "00:00:00.000")) => day,
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str, currency: &str) -> String {
        match cell_money(text, currency) {
            Ok(money) => money.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_amount_is_read_where_it_can_mean_one_thing_only() {
        for (text, currency, expected) in [
            ("2400", "EUR", "2400.00 EUR"),
            ("2400.5", "eur", "2400.50 EUR"),
            ("2400,00", "EUR", "2400.00 EUR"),
            ("2 345,60", "EUR", "2345.60 EUR"),
            ("2\u{a0}345\u{202f}678,60", "EUR", "2345678.60 EUR"),
            ("2'345.60", "CHF", "2345.60 CHF"),
            ("2.345,60", "EUR", "2345.60 EUR"),
            ("2,345.60", "EUR", "2345.60 EUR"),
            ("1.234.567", "EUR", "1234567.00 EUR"),
            ("1,234,567.8", "EUR", "1234567.80 EUR"),
            ("0,500", "KWD", "0.500 KWD"),
            ("1.234", "KWD", "1.234 KWD"),
            ("1000,234", "KWD", "1000.234 KWD"),
        ] {
            assert_eq!(amount(text, currency), expected, "{text}");
        }
    }

    #[test]
    fn an_amount_that_could_mean_two_things_is_refused() {
        let two = |digits, currency, whole| {
            format!(
                "amount: more digits than {currency} has ({digits}); if these are thousands, \
                 write {whole}"
            )
        };
        assert_eq!(amount("1.234", "EUR"), two(2, "EUR", 1_234));
        assert_eq!(amount("1,234", "EUR"), two(2, "EUR", 1_234));
        assert_eq!(amount("12.500", "EUR"), two(2, "EUR", 12_500));
        assert_eq!(amount("1.500", "JPY"), two(0, "JPY", 1_500));
        assert_eq!(
            amount("1,234", "KWD"),
            "amount: could be 1.234; if these are thousands, write 1234"
        );
        for text in
            ["1,2,3", "1.2.3,4", "1,234.567,8", "1 2345", "12 34,5", "1o2.00", "1e3", "", ",5"]
        {
            let error = amount(text, "EUR");
            assert_eq!(error, "amount: not a decimal number such as 12.50", "{text}");
        }
        assert_eq!(amount("-1", "EUR"), "amount: must be more than zero");
    }

    #[test]
    fn a_day_is_read_where_it_can_mean_one_day_only() {
        for (text, expected) in [
            ("2026-11-30", "2026-11-30"),
            ("30.11.2026", "2026-11-30"),
            ("1. 2. 2026", "2026-02-01"),
            ("2026/11/30", "2026-11-30"),
            ("30/11/2026", "2026-11-30"),
            ("11/30/2026", "2026-11-30"),
            ("5/5/2026", "2026-05-05"),
            ("2026-11-30 00:00:00", "2026-11-30"),
            ("30.11.2026 0:00", "2026-11-30"),
            ("1/2/2026", "day: could be 2026-02-01 or 2026-01-02; write it as 2026-11-22"),
            ("30.11.26", "day: has a year of two digits; write it as 2026-11-22"),
            ("31.11.2026", "day: not a day of the calendar"),
            ("46356", "day: not a date such as 2026-11-22"),
            ("30. November", "day: not a date such as 2026-11-22"),
        ] {
            let read = cell_date("day", text);
            let read = read.map_or_else(|error| error.to_string(), |day| day.to_string());
            assert_eq!(read, expected, "{text}");
        }
    }
}
