//! A test ledger that decides with the model, and its evidence.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use shared_events::{
    AccountId, Amount, CommandId, Currency, Envelope, Iban, Message, MessageId, Money, Total,
    TransferId,
    accounts::AccountOpened,
    code::Open,
    evidence::Hash256,
    ledger::{
        AccountAfter, Action, BalanceFound, Capture, ChainedRecord, HeldTransfer, Hold,
        HoldsReleased, Instruction, InstructionOutcome, InstructionsRejected, JournalRecord, Party,
        Payment, PostedTransfer, RejectReason, RejectedInstruction, RejectedTransfer, ReleaseCause,
        Released, ReleasedHold, TransfersHeld, TransfersPosted, TransfersRejected,
        TrialBalanceLine,
    },
};
use uuid::Uuid;

use crate::{
    checker::{
        Command, Evidence,
        announcements::{self, Announcement},
    },
    model::{Answer, Model, Now, changes::AccountEvent},
};

pub(super) const ALICE: AccountId = AccountId(Uuid::from_u128(1));
pub(super) const BOB: AccountId = AccountId(Uuid::from_u128(2));

fn eur() -> Currency {
    "EUR".parse().expect("a currency")
}

pub(super) fn start() -> DateTime<Utc> {
    "2026-03-04T10:00:00Z".parse().expect("an instant")
}

pub(super) fn transfer_id(n: u128) -> TransferId {
    TransferId(Uuid::from_u128(n))
}

pub(super) fn command_id(n: u128) -> CommandId {
    MessageId(Uuid::from_u128(1_000 + n))
}

/// A ledger that decides with the model and records the evidence.
#[derive(Default)]
pub(super) struct TestLedger {
    model: Model,
    pub(super) evidence: Evidence,
    /// Since the start: each thing takes one.
    pub(super) seconds: i64,
}

impl TestLedger {
    /// Alice and Bob have 100 each.
    pub(super) fn funded() -> Self {
        let mut ledger = Self::default();
        for id in [ALICE, BOB] {
            let opened = ledger.announce(AccountOpened {
                account_id: id,
                iban: Iban::try_new("CZ6508000000192000145399").expect("an IBAN"),
                product: "current".to_owned(),
                currency: eur(),
                overdraft_limit: Amount::ZERO,
                external_reference: None,
                branch: None,
                version: 1,
            });
            ledger.follow(opened);
        }
        let cash = || Party::Code("cash".to_owned().try_into().expect("a code"));
        ledger.submit(1, vec![pay(1, cash(), of(ALICE), 100), pay(2, cash(), of(BOB), 100)]);
        ledger
    }

    /// Two transfers, a hold with its capture, and a transfer above the balance.
    pub(super) fn with_payments() -> Self {
        let mut ledger = Self::funded();
        ledger.submit(2, vec![pay(3, of(ALICE), of(BOB), 30)]);
        ledger.submit(3, vec![pay(4, of(BOB), of(ALICE), 20), pay(5, of(BOB), of(ALICE), 200)]);
        ledger.submit(4, vec![hold(6)]);
        ledger.submit(5, vec![capture(7, 6)]);
        ledger
    }

    fn instant(&self) -> DateTime<Utc> {
        start() + TimeDelta::seconds(self.seconds)
    }

    /// The accounts service announces a change; the ledger has not followed it yet.
    pub(super) fn announce(&mut self, event: impl Message) -> (AccountId, i64, AccountEvent) {
        self.seconds += 1;
        let event = envelope(MessageId::new(), self.instant(), event);
        let announcement = announcements::of(&event).expect("the event can be read").remove(0);
        self.evidence.events.push(event);
        let Announcement::AccountChange(id, version, change) = announcement else {
            panic!("a change")
        };
        (id, version, change)
    }

    /// The ledger follows it.
    pub(super) fn follow(&mut self, (id, version, change): (AccountId, i64, AccountEvent)) {
        self.model.follow(id, version, &change);
    }

    pub(super) fn submit(&mut self, id: u128, instructions: Vec<Instruction>) {
        self.submit_behind(id, None, instructions);
    }

    pub(super) fn submit_behind(
        &mut self,
        id: u128,
        behind: Option<(AccountId, i64)>,
        instructions: Vec<Instruction>,
    ) {
        self.seconds += 1;
        let (id, decided_at) = (command_id(id), self.instant());
        let day = decided_at.date_naive();
        let now = Now { instant: decided_at, today: day, closed_through: None };
        let answers = self.model.submit(&instructions, now);
        for (instruction, answer) in instructions.iter().zip(answers) {
            let transfer_id = instruction.transfer_id;
            match answer {
                Answer::New(outcome) => {
                    let record = JournalRecord {
                        author: None,
                        instruction: instruction.clone(),
                        command_id: id,
                        decided_at,
                        booking_date: day,
                        value_date: day,
                        outcome: *outcome,
                    };
                    self.evidence.events.extend(events(&record));
                    self.write(transfer_id, &record);
                }
                Answer::Known => {}
                Answer::Refused(reason) => {
                    let event = rejected(id, instruction, reason, None);
                    self.evidence.events.push(envelope(id, decided_at, event));
                }
            }
        }
        self.evidence.commands.push(Command { id, instructions, behind });
    }

    fn write(&mut self, transfer_id: TransferId, record: &JournalRecord) {
        let record = serde_json::to_string(record).expect("a record is JSON");
        let place = i64::try_from(self.evidence.journal.len()).expect("few") + 1;
        let (hash, digest) = (Hash256::default(), Hash256::default());
        let entries = vec![];
        let (chain, record) = (0, record);
        let (reference, end_to_end_id) = (None, None);
        let chained = ChainedRecord {
            chain,
            place,
            transfer_id,
            hash,
            digest,
            record,
            reference,
            end_to_end_id,
            salt: None,
            entries,
        };
        self.evidence.journal.push(chained);
    }

    pub(super) fn evidence(mut self) -> Evidence {
        for (id, account) in &self.model.accounts {
            let amount = Amount;
            let total = |number| Total::of(number).expect("a small one");
            self.evidence.balances.push(BalanceFound {
                account_id: *id,
                code: account.code.clone(),
                currency: account.currency,
                status: account.terms.status.into(),
                blocks: None,
                posted_debits: Total::ZERO,
                posted_credits: total(account.posted),
                pending_debits: amount(account.pending_out),
                pending_credits: amount(account.pending_in),
                balance: amount(account.posted),
                overdraft_limit: account.terms.overdraft.map(amount),
                available: account.available().map(amount),
                version: account.version,
            });
        }
        let cash = self.evidence.balances.iter().find(|balance| balance.code.is_some());
        let cash = cash.expect("cash was paid").clone();
        let line = |code, accounts, balance: Total| TrialBalanceLine {
            code,
            currency: eur(),
            accounts,
            debits: Total::ZERO,
            credits: balance,
            balance,
        };
        let on_cash = Total::of(cash.balance.decimal()).expect("a small one");
        self.evidence.trial_balance =
            vec![line(None, 2, on_cash.negated()), line(cash.code, 1, on_cash)];
        self.evidence
    }
}

pub(super) fn of(id: AccountId) -> Party {
    Party::AccountId(id)
}

fn euros(units: i64) -> Money {
    Money::new(units.into(), eur())
}

fn instruction(n: u128, action: Action) -> Instruction {
    Instruction {
        transfer_id: transfer_id(n),
        group: None,
        action,
        reference: None,
        end_to_end_id: None,
        booking_date: None,
        value_date: None,
    }
}

pub(super) fn pay(n: u128, debtor: Party, creditor: Party, units: i64) -> Instruction {
    let money = euros(units);
    instruction(n, Action::Transfer(Payment { debtor, creditor, money, up_to: false }))
}

pub(super) fn hold(n: u128) -> Instruction {
    let (debtor, creditor, money) = (of(ALICE), of(BOB), euros(10));
    let expires_at = start() + TimeDelta::days(1);
    instruction(n, Action::Hold(Hold { debtor, creditor, money, up_to: false, expires_at }))
}

pub(super) fn capture(n: u128, hold: u128) -> Instruction {
    let (hold_id, amount) = (transfer_id(hold), Some(Amount(4.into())));
    instruction(n, Action::Capture(Capture { hold_id, amount, keep_rest: false }))
}

pub(super) fn envelope(cause: MessageId, at: DateTime<Utc>, data: impl Message) -> Envelope<Value> {
    let mut event = Envelope::start(MessageId::new(), "/ledger".to_owned(), at, data);
    event.causationid = Some(cause);
    let data = serde_json::to_value(&event.data).expect("an event is JSON");
    event.with(data)
}

fn rejected(
    command_id: CommandId,
    instruction: &Instruction,
    reason: impl Into<Open<RejectReason>>,
    debtor_account: Option<AccountAfter>,
) -> TransfersRejected {
    let Action::Transfer(payment) = &instruction.action else { panic!("a transfer") };
    let Payment { debtor, creditor, money, .. } = payment.clone();
    let transfer_id = instruction.transfer_id;
    let reason = reason.into();
    let one = RejectedTransfer { transfer_id, reason, debtor, creditor, money, debtor_account };
    TransfersRejected { command_id, transfers: vec![one] }
}

/// The events of a record.
fn events(record: &JournalRecord) -> Vec<Envelope<Value>> {
    let (command_id, at) = (record.command_id, record.decided_at);
    let transfer_id = record.instruction.transfer_id;
    match record.outcome.clone() {
        InstructionOutcome::Posted(posted) => {
            let [debit, credit] = &posted.legs[..] else { panic!("two legs") };
            let (debtor, creditor) = (debit.account.clone(), credit.account.clone());
            let one = PostedTransfer {
                transfer_id,
                debtor: debtor.clone(),
                creditor: creditor.clone(),
                money: debit.money,
                reference: None,
                end_to_end_id: None,
                booking_date: record.booking_date,
                value_date: None,
                hold: posted.hold.clone(),
                reverses: None,
            };
            let posting = TransfersPosted { command_id, transfers: vec![one] };
            let rest = posted.hold.map(|hold| {
                let (hold_id, cause) = (hold.hold_id, ReleaseCause::Captured);
                let money = Money { amount: hold.released, ..debit.money };
                let released = Released { hold_id, cause: cause.into(), debtor, creditor, money };
                let holds = vec![ReleasedHold { transfer_id, released }];
                envelope(command_id, at, HoldsReleased { command_id: Some(command_id), holds })
            });
            std::iter::once(envelope(command_id, at, posting)).chain(rest).collect()
        }
        InstructionOutcome::Held(held) => {
            let one = HeldTransfer {
                transfer_id,
                debtor: held.debtor,
                creditor: held.creditor,
                money: held.money,
                expires_at: held.expires_at,
                reference: None,
                end_to_end_id: None,
            };
            vec![envelope(command_id, at, TransfersHeld { command_id, transfers: vec![one] })]
        }
        InstructionOutcome::Rejected(why) => match &record.instruction.action {
            Action::Transfer(_) => {
                let rejected = rejected(command_id, &record.instruction, why.reason, why.account);
                vec![envelope(command_id, at, rejected)]
            }
            _ => {
                let one = RejectedInstruction { transfer_id, about: None, rejected: why };
                let instructions = vec![one];
                vec![envelope(command_id, at, InstructionsRejected { command_id, instructions })]
            }
        },
        InstructionOutcome::Released(_) => panic!("no ledger releases a hold"),
    }
}
