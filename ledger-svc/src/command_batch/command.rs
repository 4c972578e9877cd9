//! Decides a batch. The phases, their statements and their order are those of
//! [`posting`](crate::posting). If the batch closes accounts, their interest is read before the
//! accounts are locked, and brought up to date under the locks.

use std::collections::{BTreeMap, BTreeSet};

use shared_events::{
    AccountId, CommandId, MessageId,
    approvals::NeededApproval,
    evidence::Authorship,
    messaging::{Asker, Tx},
};
use uuid::Uuid;

use super::request::{CommandRefusal, LedgerRequest};
use crate::{
    account_lifecycle::{self, Applied},
    bank_calendar::{self, BankTime},
    interest::{self, Settlement, repo_due::DueReading},
    posting::{
        Author, Instruction, LockSet, PostingSession, PostingState, Submitted, count_outcomes,
    },
};

/// The decision about one message.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    /// About instructions.
    Submitted(Vec<Submitted>),
    /// The command is refused as a whole.
    Refused(CommandRefusal),
    /// No grant of the author permits the command, which was not carried out before: the missing
    /// right.
    NotPermitted(String),
    /// The command needs the approval of another principal before any of it is decided.
    NeedsApproval(Vec<NeededApproval>),
    /// About a change of an account, by its number at the accounts service.
    Applied((AccountId, i64), Applied),
}

/// The decisions of a batch, in the order of its messages, and the state that they left.
pub(crate) struct DecidedBatch {
    pub(crate) state: PostingState,
    pub(crate) settlement: Settlement,
    pub(crate) decisions: Vec<(CommandId, Decision)>,
}

/// Decides a batch, and stores all its changes.
pub(crate) async fn decide_in_tx(
    tx: &mut Tx<'_>,
    requests: Vec<(Author, LedgerRequest)>,
    time: BankTime,
) -> sqlx::Result<DecidedBatch> {
    // Load.
    let mut set = LockSet::default();
    requests.iter().for_each(|(_, request)| request.refers(&mut set));
    let closing = requests.iter().filter_map(|(_, request)| request.closes());
    let closing: BTreeSet<Uuid> = closing.map(AccountId::uuid).collect();
    let closing: Vec<Uuid> = closing.into_iter().collect();
    let readings = read_closing(tx, &closing, &mut set).await?;
    let mut session = PostingSession::open_in_tx(tx, set, time).await?;
    let mut settlement = refreshed_in_tx(tx, readings, &closing).await?;

    // Decide.
    let decide = |(author, request): (Author, _)| {
        (author.command, decide(&mut session, &mut settlement, &author, request))
    };
    let decisions = requests.into_iter().map(decide).collect();

    // Save.
    let capitalised = settlement.all_capitalised();
    interest::repo::capitalised_in_tx(tx, capitalised, session.now.instant).await?;
    let state = session.save_in_tx(tx).await?;
    count_outcomes(&state);
    Ok(DecidedBatch { state, settlement, decisions })
}

fn decide(
    session: &mut PostingSession,
    settlement: &mut Settlement,
    author: &Author,
    request: LedgerRequest,
) -> Decision {
    let PostingSession { state, now, .. } = session;
    // What was done stays done, also where the author has lost the right since.
    let was_done = |_: &&str| match &request {
        LedgerRequest::Instructions(all) => state.knows_command(author, all),
        LedgerRequest::Refused(_) | LedgerRequest::Change(..) => false,
    };
    if let Some(missing) = author.rights.refusal().filter(|why| !was_done(why)) {
        return Decision::NotPermitted(missing.to_owned());
    }
    match request {
        LedgerRequest::Instructions(all) => {
            let needs = state.needed_approvals(author, &all);
            if !needs.is_empty() {
                return Decision::NeedsApproval(needs);
            }
            Decision::Submitted(state.submit_all(author, all, *now))
        }
        LedgerRequest::Refused(refusal) => Decision::Refused(refusal),
        LedgerRequest::Change(key, change) => {
            let applied =
                account_lifecycle::apply(state, settlement, author.command, key, &change, *now);
            Decision::Applied(key, applied)
        }
    }
}

/// Reads the interest of accounts that are to be closed, before anything is locked.
async fn read_closing(
    tx: &mut Tx<'_>,
    closing: &[Uuid],
    set: &mut LockSet,
) -> sqlx::Result<Vec<DueReading>> {
    if closing.is_empty() {
        return Ok(vec![]);
    }
    let readings = interest::repo_due::read(tx, closing).await?;
    readings.iter().for_each(|reading| reading.add_internal(set));
    Ok(readings)
}

/// The same, now that the accounts are locked.
async fn refreshed_in_tx(
    tx: &mut Tx<'_>,
    readings: Vec<DueReading>,
    closing: &[Uuid],
) -> sqlx::Result<Settlement> {
    if closing.is_empty() {
        return Ok(Settlement::default());
    }
    let readings = interest::repo_due::refresh_in_tx(tx, readings, closing).await?;
    let due = readings.iter().map(|reading| (reading.next.account, reading.due().ok()));
    Ok(Settlement::new(due.collect::<BTreeMap<_, _>>()))
}

/// The outcomes that instructions would have now, with the approvals that they need: the same
/// decisions, on a state that nobody stores.
pub(crate) async fn preview(
    tx: &mut Tx<'_>,
    instructions: Vec<Instruction>,
    asker: Asker<'_>,
    time: BankTime,
) -> sqlx::Result<(PostingState, Vec<Submitted>)> {
    let mut set = LockSet::default();
    instructions.iter().for_each(|instruction| instruction.refers(&mut set));
    let mut state = PostingSession::preview_in_tx(tx, set).await?;
    let now = time.now(bank_calendar::repo::clock(tx).await?);
    // The id of a command that is never sent.
    let by = Authorship::of(asker.principal);
    let author = Author::new(MessageId(Uuid::nil()), asker.rights.if_approved(), by);
    let submitted = state.submit_all(&author, instructions, now);
    Ok((state, submitted))
}
