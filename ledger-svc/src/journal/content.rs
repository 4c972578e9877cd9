//! The digest of an instruction's content. Promise: frozen like the records. The same content has
//! the same digest, in every command and in every notation: `1.1` is `1.10`.

use chrono::NaiveDate;
use shared_events::evidence::Hash256;

use super::{
    record_v1::{ActionV1, InstructionV1, PartyV1, PaymentV1},
    record_v2::InstructionV2,
};

impl InstructionV1<'_> {
    /// The digest of the instruction's content, by which a duplicate is known: BLAKE3 over
    /// everything but the id and the group. `1.1` and `1.10` are the same content.
    ///
    /// # Panics
    /// Never: the types here write plain JSON.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut content = Content::default();
        content.action(&self.action);
        content.text(b"reference", self.reference.as_deref());
        content.text(b"end_to_end_id", self.end_to_end_id.as_deref());
        content.date(b"booking_date", self.booking_date);
        content.date(b"value_date", self.value_date);
        content.digest()
    }
}

impl InstructionV2<'_> {
    /// The digest of the instruction's content, as in version 1, with the commitment to the texts
    /// in place of the texts.
    ///
    /// # Panics
    /// Never: the types here write plain JSON.
    #[must_use]
    pub fn digest(&self, texts: Option<Hash256>) -> [u8; 32] {
        let mut content = Content::default();
        content.action(&self.action);
        if let Some(Hash256(texts)) = &texts {
            content.field(b"texts", texts);
        }
        content.date(b"booking_date", self.booking_date);
        content.date(b"value_date", self.value_date);
        content.digest()
    }
}

/// The content of an instruction, as fields: name, length, value. No two different contents make
/// the same bytes.
#[derive(Default)]
struct Content(blake3::Hasher);

impl Content {
    /// A plain transfer is hashed field by field, since the first version of the ledger.
    fn action(&mut self, action: &ActionV1<'_>) {
        match action {
            ActionV1::Transfer(payment @ PaymentV1 { up_to: false, .. }) => self.payment(payment),
            action => {
                let json = serde_json::to_vec(action).expect("an action writes plain JSON");
                self.field(b"action", &json);
            }
        }
    }

    fn payment(&mut self, payment: &PaymentV1<'_>) {
        for party in [&payment.debtor, &payment.creditor] {
            match party {
                PartyV1::AccountId(id) => self.field(b"id", id.uuid().as_bytes()),
                PartyV1::Code(code) => self.field(b"code", code.as_bytes()),
            }
        }
        self.field(b"amount", &payment.money.amount.decimal().normalize().serialize());
        self.field(b"currency", payment.money.currency.code().as_bytes());
    }

    fn text(&mut self, name: &[u8], text: Option<&str>) {
        if let Some(text) = text {
            self.field(name, text.as_bytes());
        }
    }

    fn date(&mut self, name: &[u8], date: Option<NaiveDate>) {
        if let Some(date) = date {
            self.field(name, date.to_string().as_bytes());
        }
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.0.update(name).update(&(value.len() as u64).to_be_bytes()).update(value);
    }

    fn digest(self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }
}
