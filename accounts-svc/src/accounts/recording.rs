//! A change of an account as the history records it: the whole account after the change.

use std::borrow::Cow;

use super::{
    change::{AccountChange, ChangeKind},
    entity::{Account, Blocks},
};
use crate::history::{Change, ChangeV1, ChangedAccount, RefusalV1, StateV1, TextsV1};

/// The record of a change.
pub(super) fn recorded(AccountChange { account, kind }: &AccountChange) -> Change<'_> {
    let (mut payout, mut refusal, mut reason_of_freeze) = (None, None, None);
    let change = match kind {
        ChangeKind::Opened => ChangeV1::Opened,
        ChangeKind::Activated => ChangeV1::Activated,
        ChangeKind::Frozen { reason, .. } => {
            reason_of_freeze = Some(reason.as_str());
            ChangeV1::Frozen
        }
        ChangeKind::Unfrozen => ChangeV1::Unfrozen,
        ChangeKind::Closing { payout: to } => {
            payout = *to;
            ChangeV1::Closing
        }
        ChangeKind::Closed => ChangeV1::Closed,
        ChangeKind::CloseRefused { reason, balance } => {
            let reason = Cow::Borrowed(reason.as_str());
            refusal = Some(RefusalV1 { reason, balance: *balance });
            ChangeV1::CloseRefused
        }
        ChangeKind::LimitsChanged => ChangeV1::LimitsChanged,
        ChangeKind::HolderUpdated => ChangeV1::HolderUpdated,
        ChangeKind::Erased => ChangeV1::Erased,
    };
    let texts = TextsV1 { reason: reason_of_freeze.map(Cow::Borrowed), ..holder(account) };
    let changed = ChangedAccount {
        account_id: account.id,
        number: account.version,
        change,
        state: state(account),
        payout,
        refusal,
        texts,
    };
    Change::Account(Box::new(changed))
}

fn state(account: &Account) -> StateV1<'_> {
    StateV1 {
        iban: Cow::Borrowed(account.iban.as_str()),
        product: Cow::Borrowed(account.product.as_str()),
        currency: account.currency,
        overdraft_limit: account.overdraft_limit,
        transfer_limit: account.spending_limits.transfer,
        daily_limit: account.spending_limits.daily,
        monthly_limit: account.spending_limits.monthly,
        minimum_balance: account.spending_limits.minimum_balance,
        blocks: account.blocks.map(Blocks::as_str).map(Cow::Borrowed),
        external_reference: account.external_reference.as_deref().map(Cow::Borrowed),
        branch: Cow::Borrowed(account.branch.as_str()),
        status: Cow::Borrowed(account.status.as_str()),
        closing_version: account.closing_version,
    }
}

fn holder(account: &Account) -> TextsV1<'_> {
    let holder = &account.holder;
    TextsV1 {
        name: Some(Cow::Borrowed(holder.name.as_str())),
        email: holder.email.as_deref().map(Cow::Borrowed),
        webhook: holder.webhook.as_deref().map(Cow::Borrowed),
        language: Some(Cow::Borrowed(holder.language.as_str())),
        reason: None,
    }
}

#[cfg(test)]
mod tests;
