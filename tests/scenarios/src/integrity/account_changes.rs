//! The changes of accounts in the run: openings, freezes, unfreezes and limits. Promise: each
//! change is followed by payments in both directions with the partition key of the account, so that
//! the ledger must have followed the change by then; late duplicates are published as well.

use std::{cell::Cell, collections::BTreeMap};

use anyhow::{Context, Result};
use harness::{Bank, Message};
use oracle::checker::Command;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, Iban, MessageId, Money, TransferId,
    accounts::{
        AccountFrozen, AccountOpened, AccountUnfrozen, Blocks, LimitsChanged, SpendingLimits,
    },
    ledger::{AccountCode, Action, Party, Payment},
};

use super::{
    Sent,
    random_commands::{KeyedCommand, instruction},
};

/// Publishes the events of the accounts service.
pub(super) struct AccountChanges {
    bank: Bank,
    chance: StdRng,
    accounts: Vec<(AccountId, Currency)>,
    versions: BTreeMap<AccountId, i64>,
    announced: Vec<Message>,
}

impl AccountChanges {
    /// Opens accounts: `count` of each currency.
    pub(super) async fn open(
        bank: &Bank,
        seed: u64,
        currencies: [(Currency, usize); 3],
    ) -> Result<Self> {
        let chance = StdRng::seed_from_u64(seed);
        let (mut accounts, mut versions) = (vec![], BTreeMap::new());
        for (currency, count) in currencies {
            for _ in 0..count {
                let account_id = AccountId::new();
                let opened = opened(account_id, currency)?;
                bank.publish(&Message::of(MessageId::new(), opened)).await?;
                accounts.push((account_id, currency));
                versions.insert(account_id, 1);
            }
        }
        Ok(Self { bank: bank.clone(), chance, accounts, versions, announced: vec![] })
    }

    pub(super) fn accounts(&self) -> &[(AccountId, Currency)] {
        &self.accounts
    }

    /// Makes life hard on one account after another, and good again, until `done`.
    pub(super) async fn work(
        &mut self,
        done: &Cell<bool>,
        send: impl AsyncFn(KeyedCommand) -> Result<Sent>,
    ) -> Result<Vec<Sent>> {
        let mut sent = vec![];
        while !done.get() {
            let (id, _) = self.accounts[self.chance.random_range(0..self.accounts.len())];
            // One freeze may take the place of another.
            let changes: &[fn(&mut Self, AccountId, i64) -> Message] =
                match self.chance.random_range(0..4) {
                    0 => &[Self::frozen, Self::unfrozen],
                    1 => &[Self::frozen, Self::frozen, Self::unfrozen],
                    _ => &[Self::tight, Self::wide],
                };
            for change in changes {
                let version = self.versions.get_mut(&id).context("the account was opened")?;
                *version += 1;
                let version = *version;
                let change = change(self, id, version);
                self.bank.publish(&change).await?;
                self.announced.push(change);
                let probe = self.probe((id, version))?;
                sent.push(send(probe).await?);
                if self.chance.random_range(0..4) == 0 {
                    let late = self.chance.random_range(0..self.announced.len());
                    self.bank.publish(&self.announced[late]).await?;
                }
            }
        }
        Ok(sent)
    }

    fn frozen(&mut self, account_id: AccountId, version: i64) -> Message {
        let blocks = [Blocks::Both, Blocks::Debits, Blocks::Credits];
        let blocks = blocks[self.chance.random_range(0..blocks.len())];
        let reason = "a crowd".to_owned();
        let previous_blocks = None;
        announced(AccountFrozen { account_id, reason, blocks, previous_blocks, version })
    }

    fn unfrozen(&mut self, account_id: AccountId, version: i64) -> Message {
        announced(AccountUnfrozen { account_id, version })
    }

    /// The amounts spent on a day grow with the run: limits of any size, so that some are near.
    fn tight(&mut self, account_id: AccountId, version: i64) -> Message {
        let mut limit = |digits: std::ops::Range<u32>| {
            let digits = self.chance.random_range(digits);
            let up_to = 10_i64.pow(digits);
            let limited: bool = self.chance.random();
            limited.then(|| Amount(Decimal::from(self.chance.random_range(0..up_to))))
        };
        let spending = Some(SpendingLimits {
            transfer: limit(1..3),
            daily: limit(2..6),
            monthly: limit(2..6),
            minimum_balance: limit(1..4),
        });
        let overdraft_limit = Amount::ZERO;
        announced(LimitsChanged { account_id, overdraft_limit, spending, version })
    }

    fn wide(&mut self, account_id: AccountId, version: i64) -> Message {
        let overdraft_limit = Amount(Decimal::from(self.chance.random_range(0..100)));
        announced(LimitsChanged { account_id, overdraft_limit, spending: None, version })
    }

    /// A little money out of the account, and into it.
    fn probe(&mut self, behind: (AccountId, i64)) -> Result<KeyedCommand> {
        let (id, _) = behind;
        let of = self
            .accounts
            .iter()
            .find(|account| account.0 == id)
            .context("the account was opened")?
            .1;
        let cash = Party::Code(AccountCode("cash".to_owned()));
        let mut pay = |debtor: Party, creditor: Party| {
            let money = Money::new(Decimal::from(self.chance.random_range(1..30)), of);
            let payment = Payment { debtor, creditor, money, up_to: false };
            instruction(TransferId::new(), Action::Transfer(payment))
        };
        let account = Party::AccountId(id);
        let instructions = vec![pay(account.clone(), cash.clone()), pay(cash, account)];
        let command = Command { id: MessageId::new(), instructions, behind: Some(behind) };
        Ok(KeyedCommand { command, key: id.to_string() })
    }
}

/// An event as the accounts service announces it: on the account's own partition.
fn announced<M: shared_events::Message>(event: M) -> Message {
    Message::of(MessageId::new(), event)
}

fn opened(account_id: AccountId, currency: Currency) -> Result<AccountOpened> {
    Ok(AccountOpened {
        account_id,
        iban: Iban::try_new("CZ6508000000192000145399")?,
        product: "current".to_owned(),
        currency,
        overdraft_limit: Amount::ZERO,
        external_reference: None,
        branch: None,
        version: 1,
    })
}
