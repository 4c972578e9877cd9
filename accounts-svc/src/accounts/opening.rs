//! Opening an account: the client asks, the account is pending, the ledger opens its side, the
//! account is active. Promise: ids and external references are given once, and a refused opening
//! uses no serial number.

use std::collections::HashSet;

use shared_events::{
    AccountId, Amount, Currency, Iban,
    access::{Act, BRANCH_RULE, Rights, Verdict, is_branch},
};

use super::{
    change::{AccountChange, ChangeKind, Decision, advance},
    entity::{Account, AccountStatus, SpendingLimits},
    lifecycle::Step,
    limits,
    refusal::Refusal,
};
use crate::{
    fields::{FieldCheck, InvalidField, must, visible_text},
    holders::Holder,
};

const PRODUCT_CHARS_MAX: usize = 40;
const EXTERNAL_REFERENCE_CHARS_MAX: usize = 64;

/// An account to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) account_id: AccountId,
    pub(crate) holder: Holder,
    pub(crate) product: String,
    pub(crate) currency: Currency,
    pub(crate) overdraft_limit: Amount,
    pub(crate) external_reference: Option<String>,
    pub(crate) branch: String,
}

/// An opening whose fields keep the rules, or the field that breaks one.
pub(crate) type CheckedOpening = Result<Box<Opening>, InvalidField>;

impl Opening {
    /// The same opening, if every field keeps its rule.
    pub(crate) fn checked(self) -> Result<Self, InvalidField> {
        let reference = self.external_reference.as_deref();
        check_id(self.account_id, reference)?;
        let holder = self.holder.checked()?;
        check_product(&self.product)?;
        check_currency(self.currency)?;
        limits::check_overdraft(self.overdraft_limit, self.currency)?;
        reference.map_or(Ok(()), check_reference)?;
        must(is_branch(&self.branch), "branch", || BRANCH_RULE.to_owned())?;
        Ok(Self { holder, ..self })
    }

    /// The pending account.
    pub(super) fn open(&self, iban: Iban) -> AccountChange {
        let account = Account {
            id: self.account_id,
            iban,
            holder: self.holder.clone(),
            product: self.product.clone(),
            currency: self.currency,
            overdraft_limit: self.overdraft_limit,
            spending_limits: SpendingLimits::default(),
            blocks: None,
            external_reference: self.external_reference.clone(),
            branch: self.branch.clone(),
            status: AccountStatus::Pending,
            closing_version: None,
            version: 1,
        };
        AccountChange { account, kind: ChangeKind::Opened }
    }
}

/// Decides which openings of a batch are admitted, in the order of the batch. The other commands of
/// the batch have no influence: ids and references are never free again. So the caller draws serial
/// numbers for admitted openings only, and refused ones cannot use the numbers up.
pub(crate) fn admit(
    openings: &[(&CheckedOpening, &Rights)],
    accounts: &[Account],
    taken_references: Vec<String>,
) -> Vec<Result<(), Refusal>> {
    let mut ids: HashSet<AccountId> = accounts.iter().map(|account| account.id).collect();
    let mut references: HashSet<String> = taken_references.into_iter().collect();
    let mut admit_one = |opening: &Opening, rights: &Rights| {
        let verdict = rights.judge(&Act::OnBranch(&opening.branch));
        if verdict == Verdict::NotPermitted {
            return Err(Refusal::NotPermitted(opening.branch.clone()));
        }
        if ids.contains(&opening.account_id) {
            return Err(Refusal::AccountExists(opening.account_id));
        }
        let reference = opening.external_reference.as_ref();
        if let Some(reference) = reference.filter(|reference| references.contains(*reference)) {
            return Err(Refusal::ExternalReferenceTaken(reference.clone()));
        }
        if let Verdict::NeedsApproval(needs) = verdict {
            return Err(Refusal::NeedsApproval(needs));
        }
        references.extend(reference.cloned());
        ids.insert(opening.account_id);
        Ok(())
    };
    let admit = |(opening, rights): &(&CheckedOpening, &Rights)| match opening {
        Ok(opening) => admit_one(opening, rights),
        Err(invalid) => Err(invalid.clone().into()),
    };
    openings.iter().map(admit).collect()
}

/// The ledger has opened its side.
pub(super) fn activate(account: &Account) -> Decision {
    advance(account, Step::Activate, ChangeKind::Activated)
}

/// The bank must never need the id for an internal account of its own.
fn check_id(id: AccountId, reference: Option<&str>) -> FieldCheck {
    must(id.is_for_client(reference), "account_id", || {
        "a UUID of version 4 or 7, or the one that follows from the external reference".to_owned()
    })
}

fn check_product(text: &str) -> FieldCheck {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let holds = (1..=PRODUCT_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_allowed);
    must(holds, "product", || format!("1 to {PRODUCT_CHARS_MAX} of a-z, 0-9 and -"))
}

fn check_currency(currency: Currency) -> FieldCheck {
    currency
        .holdable()
        .map(drop)
        .map_err(|reason| InvalidField { field: "currency", rule: reason.to_string() })
}

fn check_reference(text: &str) -> FieldCheck {
    visible_text("external_reference", text, EXTERNAL_REFERENCE_CHARS_MAX)
}

#[cfg(test)]
mod tests;
