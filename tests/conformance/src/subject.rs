//! A service under test: commands with one effect and one event each, events that the service
//! follows, and a trigger by which its database refuses one of them.

use anyhow::Result;
use harness::{Bank, Message};
use shared_events::{
    AccountId, Amount, Iban, MessageId, Money, TransferId,
    accounts::{AccountFrozen, AccountOpened, Holder, HolderCurrent, OpenAccount, UpdateHolder},
    ledger::{AccountCode, LedgerAccountOpened, Party, SubmitTransfers, Transfer},
    notifications::{SetPreferences, Topic},
};

/// A message that comes before what it is about, that, and a query that gives 1 when both are done.
pub(crate) struct Early {
    pub(crate) message: Message,
    pub(crate) awaited: Message,
    pub(crate) done: String,
}

/// Joined events that the service follows, the last of which its database refuses.
pub(crate) struct Followed {
    pub(crate) good: Vec<Message>,
    pub(crate) poison: Message,
    /// A query that counts the events that the service has followed.
    pub(crate) count: &'static str,
}

/// A service that the facts are about.
pub(crate) trait Subject: Copy + 'static {
    /// Its name in the topology.
    const SERVICE: &'static str;
    /// How the names of the queues that its commands come to begin.
    const COMMANDS: &'static str;
    /// How the names of the queues that the events of [`Followed`] come to begin.
    const EVENTS: &'static str;
    /// How many events a command announces.
    const EVENTS_OF_A_COMMAND: i64 = 1;
    /// Makes the database refuse [`Subject::poison`] and the poison of [`Followed`].
    const POISON_GUARD: &'static str;
    /// Gives 0 as long as what is stored fits together.
    const FAULTS: &'static str;

    /// Puts in place what the commands need. The service runs.
    async fn prepare(bank: &Bank) -> Result<Self>;
    /// A new command. It has one effect and leads to one event; all have the same partition key.
    fn command(self) -> Message;
    /// The same command with other content.
    fn altered(self, command: &Message) -> Message;
    /// A command that the database refuses once [`Subject::POISON_GUARD`] stands.
    fn poison(self) -> Message;
    /// Gives the number of effects so far.
    fn effects(self) -> String;
    /// Events to follow.
    async fn followed(self, bank: &Bank) -> Result<Followed>;
    /// A message that must wait.
    fn early(self) -> Early;
}

/// The ledger. A command moves 1 EUR from the bank's cash to its fees.
#[derive(Clone, Copy)]
pub(crate) struct Ledger;

/// The accounts service. A command gives the holder of one account another name.
#[derive(Clone, Copy)]
pub(crate) struct Accounts {
    account: AccountId,
}

/// The notifications service. A command sets the preferences of one holder.
#[derive(Clone, Copy)]
pub(crate) struct Notifications {
    account: AccountId,
}

const POISON: &str = "Poison";
/// The overdraft limit of an account whose opening is poisonous.
const POISONOUS_LIMIT: i64 = 666;

fn holder(name: &str) -> Holder {
    Holder { name: name.to_owned(), email: None, webhook: None, language: "en".to_owned() }
}

fn iban() -> Iban {
    Iban::try_new("CZ6508000000192000145399").expect("the standard's example")
}

/// The holder of an account that nobody has described before.
fn held_by(account_id: AccountId, name: &str) -> Message {
    let (holder, version) = (holder(name), 1);
    let current = HolderCurrent { account_id, iban: iban(), branch: None, holder, version };
    Message::of(MessageId::new(), current)
}

fn opened(account_id: AccountId, overdraft_limit: i64) -> Message {
    Message::of(
        MessageId::new(),
        AccountOpened {
            account_id,
            iban: iban(),
            product: "current".to_owned(),
            currency: "EUR".parse().expect("a currency"),
            overdraft_limit: Amount(overdraft_limit.into()),
            external_reference: None,
            branch: None,
            version: 1,
        },
    )
}

fn open(account_id: AccountId, name: &str) -> Message {
    Message::of(
        MessageId::new(),
        OpenAccount {
            account_id,
            holder: holder(name),
            product: "current".to_owned(),
            currency: "EUR".parse().expect("a currency"),
            overdraft_limit: Amount::ZERO,
            external_reference: None,
            branch: None,
        },
    )
}

fn frozen(account_id: AccountId) -> Message {
    let reason = "asked by the police".to_owned();
    Message::of(
        MessageId::new(),
        AccountFrozen {
            blocks: shared_events::accounts::Blocks::Both,
            account_id,
            reason,
            previous_blocks: None,
            version: 2,
        },
    )
}

/// The same envelope around other data, in the same clothes.
fn with_data(message: &Message, data: &impl serde::Serialize) -> Message {
    let data = serde_json::to_value(data).expect("messages are JSON");
    message.clone().edited(|envelope| envelope["data"] = data)
}

impl Ledger {
    fn transfer(id: TransferId, euros: u32, reference: Option<&str>) -> SubmitTransfers {
        let own = |code: &str| Party::Code(AccountCode(code.to_owned()));
        let transfer = Transfer {
            transfer_id: id,
            debtor: own("cash"),
            creditor: own("fees"),
            money: Money::new(euros.into(), "EUR".parse().expect("a currency")),
            reference: reference.map(str::to_owned),
            end_to_end_id: None,
            booking_date: None,
        };
        SubmitTransfers { transfers: vec![transfer] }
    }
}

impl Subject for Ledger {
    const SERVICE: &'static str = "ledger";
    const COMMANDS: &'static str = "ledger.commands.";
    const EVENTS: &'static str = "ledger.commands.";
    const POISON_GUARD: &'static str = "
        CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
        CREATE TRIGGER guard BEFORE INSERT ON journal FOR EACH ROW
            WHEN (NEW.reference = 'Poison') EXECUTE FUNCTION poison();
        CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW
            WHEN (NEW.overdraft_limit = 666) EXECUTE FUNCTION poison()";
    const FAULTS: &'static str = "
        SELECT count(*) FROM accounts
        WHERE posted_credits - posted_debits <>
            (SELECT coalesce(sum(amount), 0) FROM entries WHERE account_id = id)";

    async fn prepare(_: &Bank) -> Result<Self> {
        Ok(Self)
    }

    fn command(self) -> Message {
        Message::of(MessageId::new(), Self::transfer(TransferId::new(), 1, None))
    }

    fn altered(self, command: &Message) -> Message {
        command
            .clone()
            .edited(|envelope| envelope["data"]["transfers"][0]["money"]["amount"] = "2.00".into())
    }

    fn poison(self) -> Message {
        Message::of(MessageId::new(), Self::transfer(TransferId::new(), 1, Some(POISON)))
    }

    fn effects(self) -> String {
        "SELECT coalesce(sum(posted_debits), 0)::bigint FROM accounts WHERE code = 'cash'".into()
    }

    async fn followed(self, _: &Bank) -> Result<Followed> {
        Ok(Followed {
            good: (0..2).map(|_| opened(AccountId::new(), 0)).collect(),
            poison: opened(AccountId::new(), POISONOUS_LIMIT),
            count: "SELECT count(*) FROM accounts WHERE code IS NULL",
        })
    }

    fn early(self) -> Early {
        let id = AccountId::new();
        let done = format!("SELECT count(*) FROM accounts WHERE id = '{id}' AND status = 'frozen'");
        Early { message: frozen(id), awaited: opened(id, 0), done }
    }
}

impl Subject for Accounts {
    const SERVICE: &'static str = "accounts";
    const COMMANDS: &'static str = "accounts.commands";
    const EVENTS: &'static str = "accounts.events";
    /// The opening, and the holder.
    const EVENTS_OF_A_COMMAND: i64 = 2;
    const POISON_GUARD: &'static str = "
        CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
        CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW
            WHEN (NEW.holder_name = 'Poison') EXECUTE FUNCTION refuse_poison()";
    const FAULTS: &'static str = "SELECT count(*) FROM accounts
        WHERE version IS DISTINCT FROM
            (SELECT count(*) FROM history WHERE account_id = accounts.id)";

    async fn prepare(bank: &Bank) -> Result<Self> {
        let account = AccountId::new();
        let command = open(account, "Jana");
        bank.publish(&command).await?;
        bank.events().outcome(command.id()).await?;
        Ok(Self { account })
    }

    fn command(self) -> Message {
        let id = MessageId::new();
        let holder = holder(&format!("Jana {id}"));
        Message::of(id, UpdateHolder { account_id: self.account, holder })
    }

    fn altered(self, command: &Message) -> Message {
        let holder = holder("Petr");
        with_data(command, &UpdateHolder { account_id: self.account, holder })
    }

    fn poison(self) -> Message {
        open(AccountId::new(), POISON)
    }

    fn effects(self) -> String {
        // Where the ledger runs too, the account's activation is one more version.
        let effects = "version - 1 - (status <> 'pending')::int::bigint";
        format!("SELECT {effects} FROM accounts WHERE id = '{}'", self.account)
    }

    async fn followed(self, bank: &Bank) -> Result<Followed> {
        let mut events = Vec::new();
        for name in ["Jana", "Petr", POISON] {
            let account_id = AccountId::new();
            let command = open(account_id, name);
            bank.publish(&command).await?;
            bank.events().outcome(command.id()).await?;
            events.push(ledger_opened(account_id));
        }
        Ok(Followed {
            poison: events.pop().expect("three accounts"),
            good: events,
            count: "SELECT count(*) FROM accounts WHERE status = 'active'",
        })
    }

    fn early(self) -> Early {
        let id = AccountId::new();
        let done = format!("SELECT count(*) FROM accounts WHERE id = '{id}' AND status = 'active'");
        Early { message: ledger_opened(id), awaited: open(id, "Jana"), done }
    }
}

fn ledger_opened(account_id: AccountId) -> Message {
    let currency = "EUR".parse().expect("a currency");
    Message::of(MessageId::new(), LedgerAccountOpened { account_id, currency, version: 1 })
}

impl Accounts {
    /// The account whose holder the commands name.
    pub(crate) const fn account(self) -> AccountId {
        self.account
    }
}

impl Notifications {
    /// A subject for an account, once the service knows the account. Preferences have no history:
    /// a trigger of the fact counts the changes.
    pub(crate) async fn about(bank: &Bank, account: AccountId) -> Result<Self> {
        let known = format!("SELECT count(*) FROM recipients WHERE account_id = '{account}'");
        super::tally::wait_number(bank, Self::SERVICE, &known, 1).await?;
        let count = "
            CREATE TABLE effects (at timestamptz NOT NULL DEFAULT now());
            CREATE FUNCTION count_effect() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
                AS $$ BEGIN INSERT INTO effects DEFAULT VALUES; RETURN NULL; END $$;
            CREATE TRIGGER effects AFTER UPDATE OF topics ON recipients FOR EACH ROW
                EXECUTE FUNCTION count_effect()";
        bank.execute(Self::SERVICE, count).await?;
        Ok(Self { account })
    }

    fn preferences(self, topics: &[Topic]) -> SetPreferences {
        SetPreferences {
            account_id: self.account,
            email: true,
            webhook: true,
            topics: topics.to_vec(),
            webhook_secret: None,
        }
    }
}

impl Subject for Notifications {
    const SERVICE: &'static str = "notifications";
    const COMMANDS: &'static str = "notifications.commands";
    const EVENTS: &'static str = "notifications.events";
    const POISON_GUARD: &'static str = "
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
        CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON recipients FOR EACH ROW
            WHEN (NEW.name = 'Poison' OR NEW.topics = '{account_closed}')
            EXECUTE FUNCTION refuse()";
    const FAULTS: &'static str = "
        SELECT count(*) - count(DISTINCT (account_id, event_id)) FROM notifications";

    async fn prepare(bank: &Bank) -> Result<Self> {
        let account = AccountId::new();
        bank.publish(&held_by(account, "Jana")).await?;
        Self::about(bank, account).await
    }

    fn command(self) -> Message {
        Message::of(MessageId::new(), self.preferences(Topic::ALL))
    }

    fn altered(self, command: &Message) -> Message {
        with_data(command, &self.preferences(&[]))
    }

    fn poison(self) -> Message {
        Message::of(MessageId::new(), self.preferences(&[Topic::AccountClosed]))
    }

    fn effects(self) -> String {
        "SELECT count(*) FROM effects".to_owned()
    }

    async fn followed(self, _: &Bank) -> Result<Followed> {
        Ok(Followed {
            good: (0..2).map(|_| held_by(AccountId::new(), "Petr")).collect(),
            poison: held_by(AccountId::new(), POISON),
            count: "SELECT count(*) FROM recipients WHERE name = 'Petr'",
        })
    }

    fn early(self) -> Early {
        let id = AccountId::new();
        let done = format!("SELECT count(*) FROM notifications WHERE account_id = '{id}'");
        Early { message: frozen(id), awaited: held_by(id, "Jana"), done }
    }
}
