//! The answers to each command and query. Promise: a test names a command or a query without any.

use crate::{
    access_log::v1 as access_log,
    accounts::{v1 as accounts, v2},
    approvals::v1 as approvals,
    ledger::v1 as ledger,
    message::{Message, Query},
    notifications::v1 as notifications,
    owned::{Accounts, Ledger, Notifications, Of},
    parked::v1 as parked,
};

/// A type, and the types of its answers.
pub(super) type Answered = (&'static str, &'static [&'static str]);

/// The answers of a service to each command and query, apart from the refusal.
pub(super) const ANSWERS: &[Answered] = &[
    command::<accounts::OpenAccount>(&[
        v2::AccountOpened::TYPE,
        accounts::AccountOpened::TYPE,
        ACCOUNTS_NO,
    ]),
    command::<accounts::FreezeAccount>(&[accounts::AccountFrozen::TYPE, ACCOUNTS_NO]),
    command::<accounts::UnfreezeAccount>(&[accounts::AccountUnfrozen::TYPE, ACCOUNTS_NO]),
    command::<accounts::CloseAccount>(&[accounts::AccountClosing::TYPE, ACCOUNTS_NO]),
    command::<accounts::SetLimits>(&[accounts::LimitsChanged::TYPE, ACCOUNTS_NO]),
    command::<accounts::ChangeLimits>(&[accounts::LimitsChanged::TYPE, ACCOUNTS_NO]),
    command::<accounts::UpdateHolder>(&[
        v2::HolderUpdated::TYPE,
        accounts::HolderUpdated::TYPE,
        ACCOUNTS_NO,
    ]),
    command::<accounts::EraseHolder>(&[accounts::HolderErased::TYPE, ACCOUNTS_NO]),
    query::<accounts::GetAccount>(),
    query::<accounts::ListAccounts>(),
    command::<ledger::SubmitTransfers>(&[
        ledger::TransfersPosted::TYPE,
        ledger::TransfersRejected::TYPE,
        ledger::MonitorRaised::TYPE,
        ledger::LedgerCommandRejected::TYPE,
    ]),
    command::<ledger::SubmitInstructions>(&[
        ledger::TransfersPosted::TYPE,
        ledger::LegsPosted::TYPE,
        ledger::TransfersHeld::TYPE,
        ledger::HoldsReleased::TYPE,
        ledger::TransfersRejected::TYPE,
        ledger::InstructionsRejected::TYPE,
        ledger::MonitorRaised::TYPE,
        ledger::LedgerCommandRejected::TYPE,
    ]),
    command::<accounts::SetAccess>(&[
        accounts::AccessChanged::TYPE,
        accounts::AccessRejected::TYPE,
    ]),
    query::<accounts::ListAccess>(),
    query::<accounts::GetHistory>(),
    query::<accounts::GetAccountBooks>(),
    query::<ledger::PreviewInstructions>(),
    query::<ledger::GetInstruction>(),
    query::<ledger::GetJournal>(),
    query::<ledger::GetBooks>(),
    command::<ledger::SetTerms>(&[ledger::TermsChanged::TYPE, ARRANGEMENTS_NO]),
    query::<ledger::GetInterest>(),
    command::<ledger::SetMonitor>(&[ledger::MonitorChanged::TYPE, ARRANGEMENTS_NO]),
    command::<ledger::RemoveMonitor>(&[ledger::MonitorRemoved::TYPE, ARRANGEMENTS_NO]),
    query::<ledger::ListMonitors>(),
    command::<ledger::SetOrder>(&[ledger::OrderChanged::TYPE, ORDER_MISSED, ARRANGEMENTS_NO]),
    command::<ledger::CancelOrder>(&[ledger::OrderCancelled::TYPE, ORDER_MISSED, ARRANGEMENTS_NO]),
    query::<ledger::ListOrders>(),
    query::<ledger::GetOrder>(),
    command::<ledger::ClosePeriod>(&[
        ledger::PeriodClosed::TYPE,
        ledger::LedgerCommandRejected::TYPE,
    ]),
    query::<ledger::GetPeriod>(),
    query::<ledger::GetBalance>(),
    query::<ledger::GetStatement>(),
    query::<ledger::GetTransfer>(),
    query::<ledger::GetTrialBalance>(),
    query::<ledger::GetBalanceAt>(),
    query::<ledger::FindEntries>(),
    query::<ledger::FindPayments>(),
    command::<notifications::SetPreferences>(&[
        notifications::PreferencesChanged::TYPE,
        notifications::NotificationsCommandRejected::TYPE,
    ]),
    command::<notifications::ResendDelivery>(&[notifications::DeliveryResent::TYPE, RECOVERY_NO]),
    command::<notifications::RecoverDeliveries>(RECOVERED),
    query::<notifications::ListNotifications>(),
    query::<notifications::GetPreferences>(),
    query::<Of<Accounts, parked::ListParked>>(),
    query::<Of<Accounts, parked::GetParked>>(),
    command::<Of<Accounts, parked::ReplayParked>>(&[Of::<Accounts, parked::ParkedReplayed>::TYPE]),
    command::<Of<Accounts, parked::DropParked>>(&[Of::<Accounts, parked::ParkedDropped>::TYPE]),
    command::<Of<Accounts, parked::EditParked>>(&[Of::<Accounts, parked::ParkedEdited>::TYPE]),
    query::<Of<Accounts, approvals::ListApprovals>>(),
    query::<Of<Accounts, approvals::GetApproval>>(),
    command::<Of<Accounts, approvals::ApproveCommand>>(&[
        Of::<Accounts, approvals::ApprovalGiven>::TYPE,
    ]),
    command::<Of<Accounts, approvals::DeclineCommand>>(&[Of::<
        Accounts,
        approvals::ApprovalDeclined,
    >::TYPE]),
    query::<Of<Ledger, parked::ListParked>>(),
    query::<Of<Ledger, parked::GetParked>>(),
    command::<Of<Ledger, parked::ReplayParked>>(&[Of::<Ledger, parked::ParkedReplayed>::TYPE]),
    command::<Of<Ledger, parked::DropParked>>(&[Of::<Ledger, parked::ParkedDropped>::TYPE]),
    command::<Of<Ledger, parked::EditParked>>(&[Of::<Ledger, parked::ParkedEdited>::TYPE]),
    query::<Of<Ledger, approvals::ListApprovals>>(),
    query::<Of<Ledger, approvals::GetApproval>>(),
    command::<Of<Ledger, approvals::ApproveCommand>>(&[
        Of::<Ledger, approvals::ApprovalGiven>::TYPE,
    ]),
    command::<Of<Ledger, approvals::DeclineCommand>>(&[
        Of::<Ledger, approvals::ApprovalDeclined>::TYPE,
    ]),
    query::<Of<Notifications, parked::ListParked>>(),
    query::<Of<Notifications, parked::GetParked>>(),
    command::<Of<Notifications, parked::ReplayParked>>(&[Of::<
        Notifications,
        parked::ParkedReplayed,
    >::TYPE]),
    command::<Of<Notifications, parked::DropParked>>(&[
        Of::<Notifications, parked::ParkedDropped>::TYPE,
    ]),
    command::<Of<Notifications, parked::EditParked>>(&[
        Of::<Notifications, parked::ParkedEdited>::TYPE,
    ]),
    query::<Of<Notifications, approvals::ListApprovals>>(),
    query::<Of<Notifications, approvals::GetApproval>>(),
    command::<Of<Notifications, approvals::ApproveCommand>>(&[Of::<
        Notifications,
        approvals::ApprovalGiven,
    >::TYPE]),
    command::<Of<Notifications, approvals::DeclineCommand>>(&[Of::<
        Notifications,
        approvals::ApprovalDeclined,
    >::TYPE]),
    query::<Of<Accounts, access_log::ListAccessLog>>(),
    query::<Of<Ledger, access_log::ListAccessLog>>(),
    query::<Of<Notifications, access_log::ListAccessLog>>(),
];

const ACCOUNTS_NO: &str = accounts::AccountsCommandRejected::TYPE;
const ORDER_MISSED: &str = ledger::OrderMissed::TYPE;
const ARRANGEMENTS_NO: &str = ledger::ArrangementRejected::TYPE;
const RECOVERY_NO: &str = notifications::RecoveryRejected::TYPE;
const RECOVERED: &[&str] = &[notifications::DeliveriesRecovered::TYPE, RECOVERY_NO];

const fn command<C: Message>(answers: &'static [&'static str]) -> Answered {
    (C::TYPE, answers)
}

const fn query<Q: Query>() -> Answered {
    (Q::TYPE, &[<Q::Reply as Message>::TYPE])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue::PUBLISHED, message::Kind};

    #[test]
    fn every_command_and_query_has_its_answers() {
        for entry in PUBLISHED {
            let asked = matches!(entry.kind, Kind::Command | Kind::Query);
            let answered = ANSWERS.iter().filter(|(kind, _)| *kind == entry.kind_name).count();
            assert_eq!(answered, usize::from(asked), "{}", entry.kind_name);
        }
    }
}
