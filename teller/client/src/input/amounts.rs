//! Amounts and currencies.

use rust_decimal::Decimal;
use shared_events::{Amount, Currency, Money, money::InvalidMoney};

use super::InvalidInput;

/// A currency of ISO 4217.
pub fn currency(text: &str) -> Result<Currency, InvalidInput> {
    text.parse().map_err(|error: InvalidMoney| InvalidInput::new("currency", error.to_string()))
}

/// An amount that can be transferred: positive, and with no more digits than its currency has.
pub fn money(amount: &str, currency_code: &str) -> Result<Money, InvalidInput> {
    money_of(amount, currency(currency_code)?)
}

/// The same, where the currency is known.
pub fn money_of(amount: &str, currency: Currency) -> Result<Money, InvalidInput> {
    let money = decimal("amount", amount, currency)?;
    match money.amount.decimal() > Decimal::ZERO {
        true => Ok(money),
        false => Err(InvalidInput::new("amount", "must be more than zero")),
    }
}

/// How far below zero an account may go: zero or more.
pub fn limit(amount: &str, currency: Currency) -> Result<Amount, InvalidInput> {
    limit_of("overdraft", amount, currency)
}

/// A limit of this name, zero or more, with no more digits than its currency.
pub fn limit_of(field: &str, amount: &str, currency: Currency) -> Result<Amount, InvalidInput> {
    let money = decimal(field, amount, currency)?;
    match money.amount >= Amount::ZERO {
        true => Ok(money.amount),
        false => Err(InvalidInput::new(field, "must be zero or more")),
    }
}

/// One end of a range of amounts: zero or more, of any currency.
pub fn range_end(field: &str, text: &str) -> Result<Amount, InvalidInput> {
    let wrong = |rule: String| InvalidInput::new(field, rule);
    let amount: Amount = text.parse().map_err(|error: InvalidMoney| wrong(error.to_string()))?;
    match amount >= Amount::ZERO {
        true => Ok(amount),
        false => Err(wrong("must be zero or more".to_owned())),
    }
}

fn decimal(field: &str, text: &str, currency: Currency) -> Result<Money, InvalidInput> {
    let wrong = |rule: String| InvalidInput::new(field, rule);
    let amount: Amount = text.parse().map_err(|error: InvalidMoney| wrong(error.to_string()))?;
    let money = Money { amount, currency };
    if !money.fits_currency() {
        let digits = currency.digits();
        return Err(wrong(format!("more digits than {currency} has ({digits})")));
    }
    if !money.is_within_bounds() {
        return Err(wrong(format!("more than {}", currency.amount_max())));
    }
    Ok(money)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_amount_is_named_with_its_rule() {
        for (amount, code, message) in [
            ("12.345", "EUR", "amount: more digits than EUR has (2)"),
            ("0.5", "JPY", "amount: more digits than JPY has (0)"),
            ("0", "EUR", "amount: must be more than zero"),
            ("-1", "EUR", "amount: must be more than zero"),
            ("1e3", "EUR", "amount: not a decimal number such as 12.50"),
            ("1,50", "EUR", "amount: not a decimal number such as 12.50"),
            ("1000000000000001", "EUR", "amount: more than 1000000000000000"),
            ("1", "EURO", "currency: not an ISO 4217 currency code such as EUR"),
        ] {
            let error = money(amount, code).expect_err(amount);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_right_amount_passes() {
        for (amount, code, shown) in [
            ("12.5", "EUR", "12.50 EUR"),
            ("12.500", "EUR", "12.50 EUR"),
            ("1000000000000000", "JPY", "1000000000000000 JPY"),
            ("0.001", "KWD", "0.001 KWD"),
        ] {
            assert_eq!(money(amount, code).expect(amount).to_string(), shown);
        }
    }

    #[test]
    fn a_limit_may_be_zero_but_not_less() {
        let eur = currency("EUR").expect("EUR is a currency");
        assert_eq!(limit("0", eur), Ok(Amount::ZERO));
        let error = limit("-1", eur).expect_err("less than zero");
        assert_eq!(error.to_string(), "overdraft: must be zero or more");
        let error = limit("0.001", eur).expect_err("too many digits");
        assert_eq!(error.to_string(), "overdraft: more digits than EUR has (2)");
    }
}
