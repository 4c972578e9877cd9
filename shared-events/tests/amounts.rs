//! Amounts and totals by their schemas. Promise: what a schema allows is read, what is written is
//! what the schema allows, and nothing on the way loses a digit.

use jsonschema::Validator;
use rust_decimal::Decimal;
use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared_events::{Amount, Total, money::exact::is_exact};

fn validator<T: JsonSchema>() -> Validator {
    jsonschema::options().build(&schema_for!(T).to_value()).expect("a schema")
}

/// Numbers of every length, with the point in every place, with and without a sign.
fn shapes() -> Vec<String> {
    let mut all = vec![];
    for digits in 1..=40 {
        for digit in ["0", "1", "7", "9"] {
            let number = digit.repeat(digits);
            for point in 0..digits {
                let text = match point {
                    0 => number.clone(),
                    _ => format!("{}.{}", &number[..point], &number[point..]),
                };
                all.push(format!("-{text}"));
                all.push(text);
            }
        }
    }
    all
}

/// The digits of a number, without zeros that say nothing.
fn significant(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    if whole.is_empty() && part.is_empty() {
        "0".to_owned()
    } else {
        format!("{sign}{whole}.{part}")
    }
}

fn check<T: JsonSchema + Serialize + DeserializeOwned>(may_be_read: fn(&T) -> bool) {
    let (schema, mut allowed) = (validator::<T>(), 0);
    for text in shapes() {
        let read = serde_json::from_value::<T>(json!(text));
        if schema.is_valid(&json!(text)) {
            allowed += 1;
            assert!(read.is_ok(), "{text} is allowed, and not read");
        }
        let Ok(number) = read else { continue };
        let written = serde_json::to_value(&number).expect("a number is JSON");
        let Value::String(again) = &written else { panic!("{written} is no text") };
        assert_eq!(significant(again), significant(&text), "{text} was written as {again}");
        if may_be_read(&number) {
            assert!(schema.is_valid(&written), "{written} is written, and not allowed");
        }
    }
    assert!(allowed > 1_000, "only {allowed} numbers are allowed");
}

#[test]
fn amounts_are_what_their_schema_says() {
    // Of more digits an old version has written some: they are read, and never written anew.
    check::<Amount>(|amount| is_exact(amount.decimal()));
}

#[test]
fn totals_are_what_their_schema_says() {
    check::<Total>(|_| true);
}

#[test]
fn what_decimals_round_away_exact_arithmetic_refuses() {
    let full: Decimal = "7922816251426433.7593543950335".parse().expect("96 bits");
    let last: Decimal = "0.0000000000001".parse().expect("a decimal");
    let rounded = full.checked_add(last).expect("it rounds");
    assert_ne!(rounded.checked_sub(last), Some(full), "a digit was lost");
    assert_eq!(shared_events::money::exact::exact_add(full, last), None);
}
