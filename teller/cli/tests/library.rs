//! The library as a program uses it.

use shared_events::{MessageId, amqp::ConnectionParameters, client::Client};
use teller_client::{Teller, in_order::Batch};
use teller_files::payments::{self, FileId};
use teller_legacy::{self as legacy, Files};

fn can_be_spawned(_: impl Send) {}

#[test]
fn long_work_can_be_spawned() {
    let amqp =
        ConnectionParameters::new("amqp://teller@127.0.0.1:1/bank", None).expect("an address");
    let bank = Teller::new(Client::new(amqp, "test"));
    let files = Files {
        account: b"account_id;district_id;frequency;date".to_vec(),
        client: b"client_id;birth_number;district_id".to_vec(),
        disp: b"disp_id;client_id;account_id;type".to_vec(),
        trans: b"trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account"
            .to_vec(),
    };
    let export = legacy::parse(&files).expect("an empty export");
    can_be_spawned(legacy::import(&bank, &export, |_| {}));
    can_be_spawned(legacy::reconcile(&bank, &export, |_| {}));
    can_be_spawned(bank.submit_in_order("key", Vec::<Batch>::new(), |_| {}));
    let file = payments::parse(b"debtor,creditor,amount,currency", None).expect("an empty file");
    can_be_spawned(payments::pay(&bank, FileId::Given(MessageId::new()), file, 500, |_, _| {}));
    can_be_spawned(teller_audit::verify_books(&bank, &teller_audit::Anchors::default(), |_, _| {}));
    can_be_spawned(bank.trial_balance());
}
