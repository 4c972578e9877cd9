//! A file of instructions. Promise: an instruction's id follows from the file's id and from the
//! instruction's content, so the same list sent again, sorted or with instructions added or
//! deleted, has no second effect; neither has a list that an earlier version sent under ids by
//! position. Where an instruction was changed after it was executed, nothing is sent.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared_events::{
    MessageId, TransferId,
    ledger::{Action, Instruction},
};
use teller_client::input::InvalidInput;
use uuid::Uuid;

use crate::encoding::{Fallback, decode};

mod before;

pub use before::keep_what_was_instructed;

/// The version of the rule for ids. A new rule needs a new name, and a search for instructions
/// under ids of this rule.
const RULE: &str = "instruct:1";

/// An instruction of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The instruction, with its id.
    pub instruction: Instruction,
    /// Whether the file gives the id itself.
    pub names_its_id: bool,
}

/// An instruction as the contract has it; its id may be missing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    transfer_id: Option<TransferId>,
    #[serde(default)]
    group: Option<u32>,
    action: Action,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    end_to_end_id: Option<String>,
    #[serde(default)]
    booking_date: Option<NaiveDate>,
    #[serde(default)]
    value_date: Option<NaiveDate>,
}

/// The same list as the command's own JSON has it.
#[derive(Deserialize)]
struct Wrapped<'f> {
    #[serde(borrow)]
    instructions: Vec<&'f RawValue>,
}

/// Reads a list of instructions that is sent under `id`.
pub fn read(file: &[u8], id: MessageId) -> Result<Vec<Listed>, InvalidInput> {
    let text = decode(file, Fallback::default())?.text;
    let wrong = |error: serde_json::Error| InvalidInput::new("file", error.to_string());
    let all: Vec<&RawValue> = match text.trim_start().starts_with('{') {
        true => serde_json::from_str::<Wrapped<'_>>(&text).map_err(wrong)?.instructions,
        false => serde_json::from_str(&text).map_err(wrong)?,
    };
    let mut equals = HashMap::new();
    let read = |(place, raw): (usize, &RawValue)| {
        let written: Written = serde_json::from_str(raw.get()).map_err(|error| {
            let rule = rule_with_line(&error, &text, raw);
            InvalidInput::new(format!("instructions[{place}]"), rule)
        })?;
        Ok(listed(written, id, &mut equals))
    };
    all.into_iter().enumerate().map(read).collect()
}

/// The rule that an instruction breaks, with the line of the file.
fn rule_with_line(error: &serde_json::Error, text: &str, raw: &RawValue) -> String {
    let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
    let line = text[..start].matches('\n').count() + error.line();
    let text = error.to_string();
    let rule = text.split(" at line ").next().unwrap_or(&text);
    format!("{rule} (line {line})")
}

fn listed(written: Written, id: MessageId, equals: &mut HashMap<String, usize>) -> Listed {
    let nil = TransferId(Uuid::nil());
    let instruction = Instruction {
        transfer_id: written.transfer_id.unwrap_or(nil),
        group: written.group,
        action: written.action,
        reference: written.reference,
        end_to_end_id: written.end_to_end_id,
        booking_date: written.booking_date,
        value_date: written.value_date,
    };
    if written.transfer_id.is_some() {
        return Listed { instruction, names_its_id: true };
    }
    let content = content(&instruction);
    let nth = equals.entry(content.clone()).or_default();
    *nth += 1;
    let made = Uuid::new_v5(&id.0, format!("{RULE}:{nth}:{content}").as_bytes());
    let instruction = Instruction { transfer_id: TransferId(made), ..instruction };
    Listed { instruction, names_its_id: false }
}

/// The content of an instruction. Groups are numbered anew in each list.
fn content(instruction: &Instruction) -> String {
    let nil = TransferId(Uuid::nil());
    let bare = Instruction { transfer_id: nil, group: None, ..instruction.clone() };
    serde_json::to_string(&bare).expect("an instruction is plain JSON")
}

#[cfg(test)]
mod tests {
    use super::{before::id_by_place, *};
    use serde_json::{Value, json};

    const ID: MessageId = MessageId(Uuid::from_u128(1));

    fn pay(amount: &str, bank: &str) -> Value {
        let money = json!({"amount": amount, "currency": "EUR"});
        let creditor = json!({"code": format!("settlement:{bank}")});
        let transfer = json!({"debtor": {"code": "cash"}, "creditor": creditor, "money": money});
        json!({"action": {"transfer": transfer}})
    }

    fn list(all: &[Value]) -> Vec<Listed> {
        read(json!(all).to_string().as_bytes(), ID).expect("a list of instructions")
    }

    fn ids(list: &[Listed]) -> Vec<TransferId> {
        list.iter().map(|listed| listed.instruction.transfer_id).collect()
    }

    #[test]
    fn an_instruction_keeps_its_id_wherever_it_stands() {
        let (one, two) = (pay("1", "AA"), pay("2", "BB"));
        let first = ids(&list(&[one.clone(), two.clone(), one.clone()]));
        assert!(first[0] != first[1] && first[0] != first[2]);
        let second = ids(&list(&[two.clone(), one.clone(), one.clone()]));
        assert_eq!(second, [first[1], first[0], first[2]]);
        let mut grouped = pay("1.00", "AA");
        grouped["group"] = json!(7);
        assert_eq!(ids(&list(&[grouped])), first[..1]);
        let other = read(json!([one]).to_string().as_bytes(), MessageId(Uuid::from_u128(2)));
        assert_ne!(ids(&other.expect("a list")), first[..1]);
        let named = json!({"transfer_id": Uuid::from_u128(9), "action": two["action"]});
        let wrapped = json!({"instructions": [named]}).to_string();
        let wrapped = read(format!("\u{feff}{wrapped}").as_bytes(), ID).expect("a list");
        assert_eq!(ids(&wrapped), [TransferId(Uuid::from_u128(9))]);
    }

    /// A list that was sent by an earlier version must find its instructions: this never changes.
    #[test]
    fn the_rule_is_frozen() {
        assert_eq!(
            ids(&list(&[pay("12.5", "AA")]))[0].to_string(),
            "9e2bf669-389d-56ac-8d0f-ce16686dace1"
        );
        assert_eq!(id_by_place(ID, 0).to_string(), "decf1f51-f4d9-5213-b1ae-7e6f9ee89a37");
    }

    #[test]
    fn what_is_wrong_is_named_by_place_and_line() {
        for (file, message) in [
            ("[\n{},\n{}]", "instructions[0]: missing field `action` (line 2)"),
            (
                "[\n{\"action\":\n{\"transfer\": 1}}]",
                "instructions[0]: invalid type: integer `1`, expected struct Payment (line 3)",
            ),
            (
                "{\"instructions\": [\n{\"refrence\": \"x\"}]}",
                "instructions[0]: unknown field `refrence`, expected one of `transfer_id`, \
                 `group`, `action`, `reference`, `end_to_end_id`, `booking_date`, `value_date` \
                 (line 2)",
            ),
            ("[{\"group\": 1, \"group\": 2}]", "instructions[0]: duplicate field `group` (line 1)"),
            ("{}", "file: missing field `instructions` at line 1 column 2"),
            ("7", "file: invalid type: integer `7`, expected a sequence at line 1 column 1"),
        ] {
            let error = read(file.as_bytes(), ID).expect_err(file);
            assert_eq!(error.to_string(), message);
        }
    }
}
