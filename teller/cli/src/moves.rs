//! `teller reverse`, `split` and `exchange`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared_events::{
    Currency, TransferId,
    ledger::{
        Action, Direction, Exchange, InstructionOutcome, Leg, Legs, RATE_DIGITS_MAX, Reverse,
        Rounding,
    },
};
use teller_client::{
    Teller, TellerError,
    input::{self, InvalidInput, PartyName},
};
use teller_files::{Cells, Columns, Row, cell_money, table};
use uuid::Uuid;

use crate::{
    failure::Failure,
    hold::part,
    instruct::{Details, carry_out},
    session::Session,
};

#[derive(Debug, Args)]
pub(crate) struct Back {
    /// The posted transfer's id
    transfer_id: Uuid,
    /// The amount [default: the rest that has not been reversed]
    #[arg(long)]
    amount: Option<String>,
    #[command(flatten)]
    details: Details,
}

impl Back {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        part(self.amount.as_ref(), None)?;
        let details = self.details.checked()?;
        let bank = session.bank().await?;
        let original_id = TransferId(self.transfer_id);
        let amount = match &self.amount {
            Some(_) => part(self.amount.as_ref(), currency(&bank, original_id).await?)?,
            None => None,
        };
        let sending = self.details.sending();
        let id = sending.id(session);
        let action = Action::Reverse(Reverse { original_id, amount });
        let instruction = details.instruction(id, action);
        carry_out(session, &bank, (id, sending.dry_run), instruction).await
    }
}

/// The currency of a posted transfer.
async fn currency(bank: &Teller, id: TransferId) -> Result<Option<Currency>, TellerError> {
    match bank.instruction(id).await?.record.outcome {
        InstructionOutcome::Posted(posted) => Ok(posted.legs.first().map(|leg| leg.money.currency)),
        InstructionOutcome::Held(_)
        | InstructionOutcome::Released(_)
        | InstructionOutcome::Rejected(_) => Ok(None),
    }
}

const SPLIT_HELP: &str = "\
All legs are posted, or none. For each currency debits must equal credits; each account stands once.
The file is CSV; its first line names the columns account, direction (debit or credit), amount,
currency. For example:
  teller split --currency EUR --debit ref:employer=4800 --credit ada=2400 --credit bob=2400";

#[derive(Debug, Args)]
#[command(after_help = SPLIT_HELP)]
pub(crate) struct Split {
    /// An account to debit, and its amount
    #[arg(long, value_name = "ACCOUNT=AMOUNT", requires = "currency")]
    debit: Vec<String>,
    /// An account to credit, and its amount
    #[arg(long, value_name = "ACCOUNT=AMOUNT", requires = "currency")]
    credit: Vec<String>,
    /// The currency of the legs on the command line
    #[arg(long)]
    currency: Option<String>,
    /// Legs from a file, behind those on the command line
    #[arg(long, value_name = "FILE.csv")]
    file: Option<PathBuf>,
    /// The encoding of the file, such as windows-1252 [default: UTF-8 or UTF-16, else windows-1250]
    #[arg(long, value_name = "NAME", requires = "file")]
    encoding: Option<String>,
    #[command(flatten)]
    details: Details,
}

/// A leg whose account is not looked up yet.
type NamedLeg = (PartyName, Direction, shared_events::Money);

impl Split {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mut named = Vec::new();
        let currency = self.currency.as_deref().unwrap_or_default();
        for (all, direction) in [(&self.debit, Direction::Debit), (&self.credit, Direction::Credit)]
        {
            for text in all {
                named.push(written(text, direction, currency)?);
            }
        }
        if let Some(file) = &self.file {
            named.extend(rows(&teller_files::file(file)?, self.encoding.as_deref())?);
        }
        let details = self.details.checked()?;
        let bank = session.bank().await?;
        let mut legs = Vec::with_capacity(named.len());
        for (name, direction, money) in named {
            legs.push(Leg { account: bank.resolve(&name).await?, direction, money });
        }
        let sending = self.details.sending();
        let id = sending.id(session);
        let instruction = details.instruction(id, Action::Legs(Legs { legs }));
        carry_out(session, &bank, (id, sending.dry_run), instruction).await
    }
}

/// `ada=12.50`.
fn written(text: &str, direction: Direction, currency: &str) -> Result<NamedLeg, InvalidInput> {
    let field = field_of(direction);
    let (account, amount) = text
        .rsplit_once('=')
        .ok_or_else(|| InvalidInput::new(field, format!("{text:?} is not ACCOUNT=AMOUNT")))?;
    Ok((input::party(field, account)?, direction, input::money(amount, currency)?))
}

const fn field_of(direction: Direction) -> &'static str {
    match direction {
        Direction::Debit => "debit",
        Direction::Credit => "credit",
    }
}

/// The columns of a file of legs.
const LEG_COLUMNS: Columns =
    Columns { known: &["account", "direction", "amount", "currency"], required: 4 };

/// The legs of a file. As all are posted or none, a row that is wrong makes the file wrong.
fn rows(content: &[u8], encoding: Option<&str>) -> Result<Vec<NamedLeg>, InvalidInput> {
    let rows = table(content, encoding, LEG_COLUMNS)?.rows;
    let leg = |Row { line, cells }| {
        let wrong =
            |error: InvalidInput| InvalidInput::new(format!("line {line}"), error.to_string());
        cells.and_then(|cells| leg(&cells)).map_err(wrong)
    };
    rows.into_iter().map(leg).collect()
}

fn leg(cells: &Cells) -> Result<NamedLeg, InvalidInput> {
    let direction = match cells.get("direction").to_lowercase().as_str() {
        "debit" => Direction::Debit,
        "credit" => Direction::Credit,
        other => {
            let rule = format!("{other:?} is neither debit nor credit");
            return Err(InvalidInput::new("direction", rule));
        }
    };
    let party = input::party("account", cells.get("account"))?;
    Ok((party, direction, cell_money(cells.get("amount"), cells.get("currency"))?))
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The debtor: id, IBAN, external reference or code:<CODE>
    debtor: String,
    /// The creditor: id, IBAN, external reference or code:<CODE>
    creditor: String,
    /// The debtor's amount, such as 100.00
    amount: String,
    /// The debtor's currency, such as EUR
    currency: String,
    /// The creditor's currency, such as CZK
    #[arg(long)]
    buy: String,
    /// Units of the bought currency for one unit of the sold one, such as 24.35
    #[arg(long)]
    rate: String,
    /// The rounding of the creditor's amount; the difference is booked on code:fx_rounding
    #[arg(long, value_enum, default_value_t = RoundingRule::HalfEven)]
    rounding: RoundingRule,
    #[command(flatten)]
    details: Details,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoundingRule {
    /// To the nearest; from the middle to the even digit
    HalfEven,
    /// To the nearest; from the middle away from zero
    HalfUp,
    /// Towards zero
    Down,
}

impl From<RoundingRule> for Rounding {
    fn from(rule: RoundingRule) -> Self {
        match rule {
            RoundingRule::HalfEven => Self::HalfEven,
            RoundingRule::HalfUp => Self::HalfUp,
            RoundingRule::Down => Self::Down,
        }
    }
}

impl Convert {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let debtor = input::party("debtor", &self.debtor)?;
        let creditor = input::party("creditor", &self.creditor)?;
        let sell = input::money(&self.amount, &self.currency)?;
        let buy =
            input::currency(&self.buy).map_err(|wrong| InvalidInput::new("buy", wrong.rule))?;
        let rate: shared_events::Amount =
            self.rate.parse().map_err(|error: shared_events::money::InvalidMoney| {
                InvalidInput::new("rate", error.to_string())
            })?;
        if rate <= shared_events::Amount::ZERO || rate.decimal().scale() > RATE_DIGITS_MAX {
            let rule = format!("more than zero, at most {RATE_DIGITS_MAX} digits after the point");
            return Err(InvalidInput::new("rate", rule).into());
        }
        let details = self.details.checked()?;
        let bank = session.bank().await?;
        let (debtor, creditor) = (bank.resolve(&debtor).await?, bank.resolve(&creditor).await?);
        let sending = self.details.sending();
        let id = sending.id(session);
        let rounding = self.rounding.into();
        let exchange = Exchange { debtor, creditor, sell, buy, rate, rounding };
        let instruction = details.instruction(id, Action::Exchange(exchange));
        carry_out(session, &bank, (id, sending.dry_run), instruction).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<Vec<String>, String> {
        let legs = rows(file.as_bytes(), None).map_err(|error| error.to_string())?;
        let shown = |(party, direction, money): &NamedLeg| format!("{party} {direction:?} {money}");
        Ok(legs.iter().map(shown).collect())
    }

    #[test]
    fn legs_are_read_by_the_names_of_the_columns() {
        let legs = ["code:cash Debit 1234.50 EUR", "ref:ada Credit 1234.50 EUR"];
        let legs = Ok(legs.map(str::to_owned).to_vec());
        let file = "Amount;Currency;Account;Direction\r\n1234,50;EUR;code:cash;debit\r\n\
                    1 234,50;eur;ada;Credit\r\n;;;\r\n";
        assert_eq!(read(file), legs);
        let file = "account,direction,amount,currency\ncode:cash,debit,1234.5,EUR\n\
                    ada,credit,1234.50,EUR\n";
        assert_eq!(read(file), legs);
    }

    #[test]
    fn a_wrong_row_of_legs_is_named_by_line_and_column() {
        let header = "account,direction,amount,currency\r\n\r\n";
        for (row, error) in [
            ("ada,credit,1o,EUR", "line 3: amount: not a decimal number such as 12.50"),
            ("ada,both,1,EUR", r#"line 3: direction: "both" is neither debit nor credit"#),
            ("ada,credit,1", "line 3: line: has 3 fields, not 4"),
        ] {
            assert_eq!(read(&format!("{header}{row}\r\n")), Err(error.to_owned()));
        }
        assert_eq!(read("account,amount\n"), Err("header: lacks column direction".to_owned()));
    }
}
