//! The types of messages that roles send and read, in groups.

use crate::{
    access_log as g, accounts as a, approvals as q, chains as c, ledger as l, message::Message,
    notifications as n, owned::Shape as _, parked as p,
};

pub(super) const LOOK_UP: &[&str] = &[a::GetAccount::TYPE];
pub(super) const LIST_ACCOUNTS: &[&str] = &[a::ListAccounts::TYPE];
pub(super) const ADMINISTER_ACCOUNTS: &[&str] = &[
    a::OpenAccount::TYPE,
    a::UpdateHolder::TYPE,
    a::FreezeAccount::TYPE,
    a::CloseAccount::TYPE,
    n::SetPreferences::TYPE,
];
pub(super) const DECIDE_ON_ACCOUNTS: &[&str] = &[
    a::UnfreezeAccount::TYPE,
    a::SetLimits::TYPE,
    a::ChangeLimits::TYPE,
    l::SetTerms::TYPE,
    a::EraseHolder::TYPE,
];
pub(super) const PAY: &[&str] =
    &[l::SubmitTransfers::TYPE, l::SubmitInstructions::TYPE, l::PreviewInstructions::TYPE];
pub(super) const ARRANGE: &[&str] = &[
    l::SetOrder::TYPE,
    l::CancelOrder::TYPE,
    l::ListOrders::TYPE,
    l::GetOrder::TYPE,
    l::SetMonitor::TYPE,
    l::RemoveMonitor::TYPE,
    l::ListMonitors::TYPE,
];
pub(super) const READ_MONEY: &[&str] = &[
    l::GetBalance::TYPE,
    l::GetBalanceAt::TYPE,
    l::GetStatement::TYPE,
    l::GetTransfer::TYPE,
    l::GetInstruction::TYPE,
    l::GetInterest::TYPE,
    l::FindEntries::TYPE,
];
pub(super) const READ_BOOKS: &[&str] = &[
    l::GetTrialBalance::TYPE,
    l::GetBooks::TYPE,
    l::GetJournal::TYPE,
    l::FindPayments::TYPE,
    l::GetPeriod::TYPE,
    l::ListOrders::TYPE,
    l::GetOrder::TYPE,
    l::ListMonitors::TYPE,
];
pub(super) const CLOSE_BOOKS: &[&str] = &[l::ClosePeriod::TYPE, l::SetTerms::TYPE];
pub(super) const READ_NOTIFICATIONS: &[&str] =
    &[n::ListNotifications::TYPE, n::GetPreferences::TYPE];
pub(super) const READ_ACCESS: &[&str] = &[a::ListAccess::TYPE];
pub(super) const READ_HISTORY: &[&str] = &[a::GetHistory::TYPE];
pub(super) const READ_ACCESS_LOG: &[&str] = &g::ListAccessLog::TYPES;
pub(super) const READ_ACCOUNT_BOOKS: &[&str] = &[a::GetAccountBooks::TYPE];
/// The type of the command that changes the grants of a principal.
pub const SET_ACCESS: &str = a::SetAccess::TYPE;
pub(super) const CHANGE_ACCESS: &[&str] = &[SET_ACCESS];
pub(super) const REPAIR_DELIVERIES: &[&str] =
    &[n::ResendDelivery::TYPE, n::RecoverDeliveries::TYPE];

/// Events with a holder's name, address or contact, in one of their versions: a right is for all
/// versions of a type.
pub(super) const HOLDERS: &[&str] = &[
    a::v1::AccountOpened::TYPE,
    a::v2::AccountOpened::TYPE,
    a::v1::HolderUpdated::TYPE,
    a::v2::HolderUpdated::TYPE,
    a::HolderCurrent::TYPE,
    n::PreferencesChanged::TYPE,
];
pub(super) const ACCOUNTS: &[&str] = &[
    a::AccountActivated::TYPE,
    a::AccountFrozen::TYPE,
    a::AccountUnfrozen::TYPE,
    a::AccountClosing::TYPE,
    a::AccountClosed::TYPE,
    a::AccountCloseRefused::TYPE,
    a::LimitsChanged::TYPE,
    a::HolderErased::TYPE,
    a::HolderErasureCompleted::TYPE,
];
pub(super) const MONEY: &[&str] = &[
    l::TransfersPosted::TYPE,
    l::TransfersRejected::TYPE,
    l::TransfersHeld::TYPE,
    l::HoldsReleased::TYPE,
    l::LegsPosted::TYPE,
    l::InstructionsRejected::TYPE,
];
pub(super) const ARRANGEMENTS: &[&str] = &[
    l::OrderChanged::TYPE,
    l::OrderCancelled::TYPE,
    l::OrderExecuted::TYPE,
    l::OrderMissed::TYPE,
    l::MonitorChanged::TYPE,
    l::MonitorRemoved::TYPE,
    l::MonitorRaised::TYPE,
    l::ArrangementRejected::TYPE,
];
pub(super) const TERMS: &[&str] = &[l::TermsChanged::TYPE, l::PeriodClosed::TYPE];
pub(super) const LEDGER_ACCOUNTS: &[&str] = &[
    l::LedgerAccountOpened::TYPE,
    l::LedgerAccountLocked::TYPE,
    l::LedgerAccountCloseRefused::TYPE,
    l::TextsErased::TYPE,
];
pub(super) const REJECTIONS: &[&str] = &[
    a::AccountsCommandRejected::TYPE,
    l::LedgerCommandRejected::TYPE,
    n::NotificationsCommandRejected::TYPE,
];
pub(super) const ACCESS: &[&str] =
    &[a::AccessChanged::TYPE, a::AccessRejected::TYPE, a::AccessCurrent::TYPE];
/// Signed ends of the chains.
pub(super) const CHAINS: &[&str] =
    &[c::ChainsSigned::TYPES[ACCOUNTS_PLACE], c::ChainsSigned::TYPES[LEDGER]];
pub(super) const DELIVERIES: &[&str] = &[
    n::DeliverySucceeded::TYPE,
    n::DeliveryFailed::TYPE,
    n::DeliveryResent::TYPE,
    n::DeliveriesRecovered::TYPE,
    n::RecoveryRejected::TYPE,
    n::EndpointDisabled::TYPE,
    n::RecipientErased::TYPE,
];

/// Whether messages of this type are about the whole bank, and not about single accounts: a grant
/// for some branches does not permit them.
#[must_use]
pub fn is_of_whole_bank(kind: &str) -> bool {
    const TYPES: &[&[&str]] = &[
        READ_ACCESS,
        READ_ACCOUNT_BOOKS,
        CHANGE_ACCESS,
        REPAIR_DELIVERIES,
        &[l::ClosePeriod::TYPE, l::GetTrialBalance::TYPE, l::GetBooks::TYPE],
        &[l::GetJournal::TYPE, l::FindPayments::TYPE],
        &p::ListParked::TYPES,
        &p::GetParked::TYPES,
        &p::ReplayParked::TYPES,
        &p::DropParked::TYPES,
        &p::EditParked::TYPES,
        READ_ACCESS_LOG,
    ];
    TYPES.iter().any(|types| types.contains(&kind))
}

/// Queries about approvals, and withdrawals: a principal sees its own commands, and those that it
/// may approve.
pub(super) const OWN_APPROVALS: &[&str] = &own_approvals();
/// The same, in the ledger alone.
pub(super) const OWN_APPROVALS_OF_LEDGER: &[&str] = &[
    q::ListApprovals::TYPES[LEDGER],
    q::GetApproval::TYPES[LEDGER],
    q::DeclineCommand::TYPES[LEDGER],
];
pub(super) const APPROVE: &[&str] = &q::ApproveCommand::TYPES;
pub(super) const APPROVE_IN_LEDGER: &[&str] = &[q::ApproveCommand::TYPES[LEDGER]];
/// What became of commands that need an approval.
pub(super) const APPROVALS: &[&str] = &approvals();
/// The same, in the ledger alone.
pub(super) const APPROVALS_OF_LEDGER: &[&str] = &[
    q::ApprovalRequested::TYPES[LEDGER],
    q::ApprovalGiven::TYPES[LEDGER],
    q::ApprovalDeclined::TYPES[LEDGER],
    q::ApprovalExpired::TYPES[LEDGER],
];

/// The places of the accounts service and of the ledger in the types that each service has.
const ACCOUNTS_PLACE: usize = 0;
const LEDGER: usize = 1;

const fn own_approvals() -> [&'static str; 9] {
    let [a, b, c] = q::ListApprovals::TYPES;
    let [d, e, f] = q::GetApproval::TYPES;
    let [g, h, i] = q::DeclineCommand::TYPES;
    [a, b, c, d, e, f, g, h, i]
}

const fn approvals() -> [&'static str; 12] {
    let [a, b, c] = q::ApprovalRequested::TYPES;
    let [d, e, f] = q::ApprovalGiven::TYPES;
    let [g, h, i] = q::ApprovalDeclined::TYPES;
    let [j, k, l] = q::ApprovalExpired::TYPES;
    [a, b, c, d, e, f, g, h, i, j, k, l]
}
