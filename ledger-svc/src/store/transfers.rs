//! Transfers and their outcomes. The ledger's inbox: what stands here was decided.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Money, TransferId,
    bus::Tx,
    ledger::{AccountCode, Party, RejectReason, Transfer},
};
use uuid::Uuid;

use super::{accounts::currency, parsed};
use crate::domain::{After, Decided, Decision};

/// A row of `transfers`, with the codes of the accounts that it touched.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) digest: Vec<u8>,
    pub(super) command_id: Uuid,
    pub(super) debtor_id: Option<Uuid>,
    pub(super) debtor_code: Option<String>,
    pub(super) creditor_id: Option<Uuid>,
    pub(super) creditor_code: Option<String>,
    pub(super) amount: Decimal,
    pub(super) currency: String,
    pub(super) reference: Option<String>,
    pub(super) end_to_end_id: Option<String>,
    pub(super) booking_date: NaiveDate,
    pub(super) reason: Option<String>,
    pub(super) debtor_version: Option<i64>,
    pub(super) debtor_balance: Option<Decimal>,
    pub(super) debtor_available: Option<Decimal>,
    pub(super) debtor_own: Option<String>,
    pub(super) creditor_version: Option<i64>,
    pub(super) creditor_balance: Option<Decimal>,
    pub(super) creditor_available: Option<Decimal>,
    pub(super) creditor_own: Option<String>,
}

/// A party as it was named.
pub(super) fn party(id: Option<Uuid>, code: Option<String>) -> sqlx::Result<Party> {
    let named = match (code, id) {
        (Some(code), _) => Some(Party::Code(AccountCode(code))),
        (None, Some(id)) => Some(Party::AccountId(AccountId(id))),
        (None, None) => None,
    };
    parsed("transfers.debtor_id, creditor_id", "", named)
}

/// Reads a reason column.
pub(super) fn reason(code: &str) -> sqlx::Result<RejectReason> {
    parsed("transfers.reason", code, RejectReason::from_code(code))
}

fn after(
    id: Option<Uuid>,
    own: Option<String>,
    (version, balance, available): (Option<i64>, Option<Decimal>, Option<Decimal>),
) -> Option<After> {
    let id = AccountId(id?);
    let code = own.map(AccountCode);
    Some(After { id, code, balance: balance?, available, version: version? })
}

impl TryFrom<Row> for Decided {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let debtor_after = (row.debtor_version, row.debtor_balance, row.debtor_available);
        let creditor_after = (row.creditor_version, row.creditor_balance, row.creditor_available);
        let debtor = after(row.debtor_id, row.debtor_own, debtor_after);
        let creditor = after(row.creditor_id, row.creditor_own, creditor_after);
        let decision = match (&row.reason, debtor, creditor) {
            (Some(code), debtor, _) => Decision::Rejected { reason: reason(code)?, debtor },
            (None, Some(debtor), Some(creditor)) => Decision::Posted { debtor, creditor },
            (None, ..) => return parsed("transfers.debtor_version, creditor_version", "", None),
        };
        let digest = row.digest.try_into().ok();
        Ok(Self {
            transfer: Transfer {
                transfer_id: TransferId(row.id),
                debtor: party(row.debtor_id, row.debtor_code)?,
                creditor: party(row.creditor_id, row.creditor_code)?,
                money: Money::new(row.amount, currency(&row.currency)?),
                reference: row.reference,
                end_to_end_id: row.end_to_end_id,
                booking_date: Some(row.booking_date),
            },
            digest: parsed("transfers.digest", "", digest)?,
            command_id: shared_events::MessageId(row.command_id),
            debtor_id: row.debtor_id.map(AccountId),
            creditor_id: row.creditor_id.map(AccountId),
            booking_date: row.booking_date,
            decision,
        })
    }
}

/// Those of these transfers that were decided before, with their outcomes.
pub(crate) async fn decided_in_tx(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Decided>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, digest, command_id, debtor_id, debtor_code, creditor_id, creditor_code,
               amount, currency, reference, end_to_end_id, booking_date, reason,
               debtor_version, debtor_balance, debtor_available,
               (SELECT code FROM accounts WHERE accounts.id = debtor_id) AS debtor_own,
               creditor_version, creditor_balance, creditor_available,
               (SELECT code FROM accounts WHERE accounts.id = creditor_id) AS creditor_own
           FROM transfers WHERE id = ANY($1)"#,
        ids,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Decided::try_from).collect()
}

/// Decided transfers as columns, for an array statement.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    digests: Vec<&'a [u8]>,
    command_ids: Vec<Uuid>,
    debtor_ids: Vec<Option<Uuid>>,
    debtor_codes: Vec<Option<&'a str>>,
    creditor_ids: Vec<Option<Uuid>>,
    creditor_codes: Vec<Option<&'a str>>,
    amounts: Vec<Decimal>,
    currencies: Vec<&'static str>,
    references: Vec<Option<&'a str>>,
    end_to_end_ids: Vec<Option<&'a str>>,
    booking_dates: Vec<NaiveDate>,
    reasons: Vec<Option<&'static str>>,
    debtors: AfterColumns,
    creditors: AfterColumns,
}

#[derive(Default)]
struct AfterColumns {
    versions: Vec<Option<i64>>,
    balances: Vec<Option<Decimal>>,
    available: Vec<Option<Decimal>>,
}

impl AfterColumns {
    fn push(&mut self, after: Option<&After>) {
        self.versions.push(after.map(|it| it.version));
        self.balances.push(after.map(|it| it.balance));
        self.available.push(after.and_then(|it| it.available));
    }
}

impl<'a> Columns<'a> {
    fn push(&mut self, decided: &'a Decided) {
        let transfer = &decided.transfer;
        self.ids.push(transfer.transfer_id.uuid());
        self.digests.push(&decided.digest);
        self.command_ids.push(decided.command_id.uuid());
        self.debtor_ids.push(decided.debtor_id.map(AccountId::uuid));
        self.debtor_codes.push(code(&transfer.debtor));
        self.creditor_ids.push(decided.creditor_id.map(AccountId::uuid));
        self.creditor_codes.push(code(&transfer.creditor));
        self.amounts.push(transfer.money.amount.decimal());
        self.currencies.push(transfer.money.currency.code());
        self.references.push(transfer.reference.as_deref());
        self.end_to_end_ids.push(transfer.end_to_end_id.as_deref());
        self.booking_dates.push(decided.booking_date);
        let (reason, debtor, creditor) = match &decided.decision {
            Decision::Posted { debtor, creditor } => (None, Some(debtor), Some(creditor)),
            Decision::Rejected { reason, debtor } => (Some(*reason), debtor.as_ref(), None),
        };
        self.reasons.push(reason.map(RejectReason::as_str));
        self.debtors.push(debtor);
        self.creditors.push(creditor);
    }
}

fn code(party: &Party) -> Option<&str> {
    match party {
        Party::AccountId(_) => None,
        Party::Code(code) => Some(&code.0),
    }
}

/// Stores transfers with their outcomes.
pub(crate) async fn insert_in_tx<'a>(
    tx: &mut Tx<'_>,
    decided: impl Iterator<Item = &'a Decided>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut columns = Columns::default();
    decided.for_each(|one| columns.push(one));
    if columns.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO transfers (id, digest, command_id, debtor_id, debtor_code, creditor_id,
             creditor_code, amount, currency, reference, end_to_end_id, booking_date, reason,
             debtor_version, debtor_balance, debtor_available, creditor_version,
             creditor_balance, creditor_available, decided_at)
         SELECT *, $20 FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::uuid[], $5::text[],
             $6::uuid[], $7::text[], $8::numeric[], $9::text[], $10::text[], $11::text[],
             $12::date[], $13::text[], $14::bigint[], $15::numeric[], $16::numeric[],
             $17::bigint[], $18::numeric[], $19::numeric[])",
        &columns.ids,
        &columns.digests as _,
        &columns.command_ids,
        &columns.debtor_ids as _,
        &columns.debtor_codes as _,
        &columns.creditor_ids as _,
        &columns.creditor_codes as _,
        &columns.amounts,
        &columns.currencies as _,
        &columns.references as _,
        &columns.end_to_end_ids as _,
        &columns.booking_dates,
        &columns.reasons as _,
        &columns.debtors.versions as _,
        &columns.debtors.balances as _,
        &columns.debtors.available as _,
        &columns.creditors.versions as _,
        &columns.creditors.balances as _,
        &columns.creditors.available as _,
        now,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
