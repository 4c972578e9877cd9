//! The content of an instruction. Promise: equal contents have equal digests, in every command and
//! in every notation: `1.1` is `1.10`.

use super::{Action, Instruction, Party, Payment};
use crate::evidence::Hash256;

impl Instruction {
    /// BLAKE3 over the whole instruction except its id and its group.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut content = Content::default();
        content.action(&self.action);
        content.text(b"reference", self.reference.as_ref());
        content.text(b"end_to_end_id", self.end_to_end_id.as_ref());
        content.text(b"booking_date", self.booking_date.as_ref());
        content.text(b"value_date", self.value_date.as_ref());
        *content.0.finalize().as_bytes()
    }

    /// The same with a commitment to the texts in place of the texts, as records of version 2 have
    /// it.
    pub(super) fn digest_with(&self, texts: Option<Hash256>) -> [u8; 32] {
        let mut content = Content::default();
        content.action(&self.action);
        if let Some(texts) = texts {
            content.field(b"texts", &texts.0);
        }
        content.text(b"booking_date", self.booking_date.as_ref());
        content.text(b"value_date", self.value_date.as_ref());
        *content.0.finalize().as_bytes()
    }
}

#[derive(Default)]
struct Content(blake3::Hasher);

impl Content {
    fn action(&mut self, action: &Action) {
        match action {
            Action::Transfer(payment @ Payment { up_to: false, .. }) => self.payment(payment),
            action => {
                let json = serde_json::to_vec(action).expect("an action writes plain JSON");
                self.field(b"action", &json);
            }
        }
    }

    /// The transfer of `ledger.transfers.submit.v1`. Its digests are stored for ever.
    fn payment(&mut self, payment: &Payment) {
        for party in [&payment.debtor, &payment.creditor] {
            match party {
                Party::AccountId(id) => self.field(b"id", id.uuid().as_bytes()),
                Party::Code(code) => self.field(b"code", code.0.as_bytes()),
            }
        }
        self.field(b"amount", &payment.money.amount.decimal().normalize().serialize());
        self.field(b"currency", payment.money.currency.code().as_bytes());
    }

    fn text(&mut self, name: &[u8], value: Option<&impl ToString>) {
        if let Some(value) = value {
            self.field(name, value.to_string().as_bytes());
        }
    }

    /// Name, length, value: different contents are different bytes.
    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.0.update(name).update(&(value.len() as u64).to_be_bytes()).update(value);
    }
}
