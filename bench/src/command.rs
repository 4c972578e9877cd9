//! Commands ready to be sent. Promise: each is what a client of the contract would write, letter by
//! letter; only the ids in it are new. The text is made once: to write JSON anew for every command
//! would cost the load generator more than to send it.

use chrono::Utc;
use lapin::{BasicProperties, types::FieldTable};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Envelope, Message, Money, TransferId,
    envelope::CONTENT_TYPE,
    ids::MessageId,
    ledger::{Party, SubmitTransfers, Transfer},
    topology::PARTITION_KEY_HEADER,
};
use uuid::{Uuid, fmt::Hyphenated};

/// The currency of all payments.
pub(crate) const CURRENCY: &str = "EUR";
/// The client's name in `source`.
const SOURCE: &str = "/clients/bench";
/// AMQP's mark for messages that survive a restart of the broker.
pub(crate) const PERSISTENT: u8 = 2;

/// One payment to be written into a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: Uuid,
    pub(crate) debtor: Uuid,
    pub(crate) creditor: Uuid,
}

/// A command of so many payments, and where in it the ids stand.
pub(crate) struct Command {
    body: Vec<u8>,
    places: Vec<usize>,
    properties: BasicProperties,
}

impl Command {
    /// A command of `payments` payments, sent by the broker's user `user`.
    pub(crate) fn new(payments: usize, user: &str) -> Self {
        let marker = Uuid::max();
        let transfer = Transfer {
            transfer_id: TransferId(marker),
            debtor: Party::AccountId(AccountId(marker)),
            creditor: Party::AccountId(AccountId(marker)),
            money: Money {
                amount: Amount(Decimal::new(125, 2)),
                currency: CURRENCY.parse().expect("EUR is a currency"),
            },
            reference: None,
            end_to_end_id: None,
            booking_date: None,
        };
        let data = SubmitTransfers { transfers: vec![transfer; payments] };
        let (id, now) = (MessageId(marker), Utc::now());
        let body = Envelope::start(id, SOURCE.to_owned(), now, data).to_json();
        let places = places_of(marker.to_string().as_bytes(), &body);
        assert_eq!(places.len(), 3 + 3 * payments, "id, subject, correlation id, and the payments");
        let properties = BasicProperties::default()
            .with_content_type(CONTENT_TYPE.into())
            .with_delivery_mode(PERSISTENT)
            .with_type(SubmitTransfers::TYPE.into())
            .with_user_id(user.into())
            .with_app_id(SOURCE.into())
            .with_timestamp(u64::try_from(now.timestamp()).unwrap_or(0));
        Self { body, places, properties }
    }

    /// Writes the ids in: of the command, and of as many payments as it has.
    pub(crate) fn write(&mut self, id: Uuid, payments: &[Payment]) -> &[u8] {
        let mut places = self.places.iter();
        let subject = payments.first().map_or(Uuid::nil(), |payment| payment.debtor);
        let ids =
            payments.iter().flat_map(|payment| [payment.id, payment.debtor, payment.creditor]);
        for id in [id, subject, id].into_iter().chain(ids) {
            let place = *places.next().expect("a command has a fixed number of payments");
            id.as_hyphenated().encode_lower(&mut self.body[place..place + Hyphenated::LENGTH]);
        }
        &self.body
    }

    /// The properties of a command with this id and this first debtor.
    pub(crate) fn properties(&self, id: Uuid, debtor: Uuid) -> BasicProperties {
        let mut text = Uuid::encode_buffer();
        let id: &str = id.as_hyphenated().encode_lower(&mut text);
        let properties =
            self.properties.clone().with_message_id(id.into()).with_correlation_id(id.into());
        let mut headers = FieldTable::default();
        let key: &str = debtor.as_hyphenated().encode_lower(&mut text);
        headers
            .insert(PARTITION_KEY_HEADER.into(), lapin::types::AMQPValue::LongString(key.into()));
        properties.with_headers(headers)
    }
}

/// Where `marker` stands in `text`.
fn places_of(marker: &[u8], text: &[u8]) -> Vec<usize> {
    let (mut places, mut at) = (Vec::new(), 0);
    while at + marker.len() <= text.len() {
        if text[at..].starts_with(marker) {
            places.push(at);
            at += marker.len();
        } else {
            at += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use shared_events::{envelope::read_message, ledger::LedgerCommand};

    use super::*;

    #[test]
    fn a_command_is_read_by_the_contract_with_the_ids_that_were_written() {
        let mut command = Command::new(3, "client");
        for round in 0..2 {
            let id = Uuid::from_u128(round * 100 + 1);
            let new = |n| Uuid::from_u128(round * 100 + n);
            let payments =
                [2, 5, 8].map(|n| Payment { id: new(n), debtor: new(n + 1), creditor: new(n + 2) });
            let body = command.write(id, &payments).to_vec();
            let [envelope] =
                <[_; 1]>::try_from(read_message(CONTENT_TYPE, &body).expect("an envelope"))
                    .expect("one envelope");
            assert_eq!((envelope.id.0, envelope.correlationid.0), (id, id));
            assert_eq!(envelope.subject, Some(payments[0].debtor.to_string()));
            let read = envelope.decode::<LedgerCommand>().expect("a command of the ledger");
            let LedgerCommand::Submit(submitted) = read.data else { panic!("another command") };
            assert_eq!(submitted.transfers.len(), 3);
            for (transfer, payment) in submitted.transfers.iter().zip(payments) {
                assert_eq!(transfer.transfer_id.0, payment.id);
                assert_eq!(transfer.debtor, Party::AccountId(AccountId(payment.debtor)));
                assert_eq!(transfer.creditor, Party::AccountId(AccountId(payment.creditor)));
                assert_eq!(transfer.money.to_string(), "1.25 EUR");
            }
        }
    }

    #[test]
    fn its_properties_are_those_of_any_client() {
        let command = Command::new(1, "client");
        let (id, debtor) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let properties = command.properties(id, debtor);
        let text =
            |text: &Option<lapin::types::ShortString>| text.as_ref().map(ToString::to_string);
        assert_eq!(text(properties.message_id()), Some(id.to_string()));
        assert_eq!(text(properties.kind()), Some("ledger.transfers.submit.v1".to_owned()));
        assert_eq!(*properties.delivery_mode(), Some(PERSISTENT));
        let headers = properties.headers().as_ref().expect("there are headers");
        let key =
            headers.inner().get(PARTITION_KEY_HEADER).and_then(|value| value.as_long_string());
        assert_eq!(key.map(ToString::to_string), Some(debtor.to_string()));
    }
}
