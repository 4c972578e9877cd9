//! All published messages, each once. Promise: a message that is not listed here is not part of the
//! contract; a listed message has a JSON Schema, a golden file and a place in the AsyncAPI
//! document.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::Value;

use crate::{
    access_log::v1 as access_log,
    accounts::{v1 as accounts, v2 as accounts_v2},
    approvals::v1 as approvals,
    chains::v1 as chains,
    envelope::schema_urn,
    ledger::v1 as ledger,
    message::{Kind, Message, Undecodable},
    notifications::v1 as notifications,
    owned::{Accounts, Ledger, Notifications, Of},
    parked::v1 as parked,
    refusal,
};

/// One published message version.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The CloudEvents type.
    pub kind_name: &'static str,
    /// Command, query, reply or event.
    pub kind: Kind,
    schema: fn(&mut SchemaGenerator) -> Schema,
    recode: fn(&str) -> Result<String, Undecodable>,
}

impl Entry {
    const fn of<M: Message>() -> Self {
        Self {
            kind_name: M::TYPE,
            kind: M::KIND,
            schema: |generator| generator.root_schema_for::<M>(),
            recode: |json| {
                let message: M = crate::message::read_data(json)?;
                Ok(serde_json::to_string(&message).expect("a message's type writes plain JSON"))
            },
        }
    }

    /// The JSON Schema (draft 2020-12) of the data.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let mut schema = (self.schema)(&mut generator());
        schema.insert("$id".to_owned(), schema_urn(self.kind_name).into());
        schema
    }

    /// Reads JSON as this message and writes the message again. A golden file must survive this.
    pub fn recode(&self, json: &str) -> Result<String, Undecodable> {
        (self.recode)(json)
    }
}

/// Generates JSON Schema of draft 2020-12.
pub(crate) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().with_transform(RecursiveTransform(on_one_line)).into_generator()
}

/// Puts a description on one line: line breaks of doc comments are for readers of the source.
fn on_one_line(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        let paragraphs = description.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        *description = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
}

/// The message version with this type, if it is published.
#[must_use]
pub fn find(kind_name: &str) -> Option<&'static Entry> {
    PUBLISHED.iter().find(|entry| entry.kind_name == kind_name)
}

macro_rules! published {
    ($($message:ty,)+) => {
        /// All published messages, by service.
        pub const PUBLISHED: &[Entry] = &[$(Entry::of::<$message>(),)+];
    };
}

published! {
    accounts::OpenAccount,
    accounts::FreezeAccount,
    accounts::UnfreezeAccount,
    accounts::CloseAccount,
    accounts::SetLimits,
    accounts::ChangeLimits,
    accounts::UpdateHolder,
    accounts::EraseHolder,
    accounts::GetAccount,
    accounts::AccountFound,
    accounts::ListAccounts,
    accounts::AccountsListed,
    accounts::AccountOpened,
    accounts_v2::AccountOpened,
    accounts::AccountActivated,
    accounts::AccountFrozen,
    accounts::AccountUnfrozen,
    accounts::AccountClosing,
    accounts::AccountClosed,
    accounts::AccountCloseRefused,
    accounts::LimitsChanged,
    accounts::HolderUpdated,
    accounts_v2::HolderUpdated,
    accounts::HolderCurrent,
    accounts::HolderErased,
    accounts::HolderErasureCompleted,
    accounts::AccountsCommandRejected,
    accounts::SetAccess,
    accounts::ListAccess,
    accounts::AccessListed,
    accounts::AccessChanged,
    accounts::AccessRejected,
    accounts::AccessCurrent,
    accounts::GetHistory,
    accounts::HistoryFound,
    accounts::GetAccountBooks,
    accounts::AccountBooksFound,
    ledger::SubmitTransfers,
    ledger::SubmitInstructions,
    ledger::GetBalance,
    ledger::BalanceFound,
    ledger::GetStatement,
    ledger::StatementFound,
    ledger::GetTransfer,
    ledger::TransferFound,
    ledger::GetTrialBalance,
    ledger::TrialBalanceFound,
    ledger::PreviewInstructions,
    ledger::InstructionsPreviewed,
    ledger::GetInstruction,
    ledger::InstructionFound,
    ledger::GetJournal,
    ledger::JournalFound,
    ledger::GetBooks,
    ledger::BooksFound,
    ledger::GetBalanceAt,
    ledger::BalanceAtFound,
    ledger::FindEntries,
    ledger::EntriesFound,
    ledger::FindPayments,
    ledger::PaymentsFound,
    ledger::ArrangementRejected,
    ledger::SetTerms,
    ledger::TermsChanged,
    ledger::GetInterest,
    ledger::InterestFound,
    ledger::SetMonitor,
    ledger::RemoveMonitor,
    ledger::MonitorChanged,
    ledger::MonitorRemoved,
    ledger::MonitorRaised,
    ledger::ListMonitors,
    ledger::MonitorsListed,
    ledger::SetOrder,
    ledger::CancelOrder,
    ledger::OrderChanged,
    ledger::OrderCancelled,
    ledger::OrderExecuted,
    ledger::OrderMissed,
    ledger::ListOrders,
    ledger::OrdersListed,
    ledger::GetOrder,
    ledger::OrderFound,
    ledger::ClosePeriod,
    ledger::PeriodClosed,
    ledger::GetPeriod,
    ledger::PeriodFound,
    ledger::TransfersPosted,
    ledger::TransfersRejected,
    ledger::InstructionsRejected,
    ledger::LegsPosted,
    ledger::TransfersHeld,
    ledger::HoldsReleased,
    ledger::LedgerCommandRejected,
    ledger::LedgerAccountOpened,
    ledger::LedgerAccountLocked,
    ledger::LedgerAccountCloseRefused,
    ledger::TextsErased,
    notifications::SetPreferences,
    notifications::ResendDelivery,
    notifications::RecoverDeliveries,
    notifications::ListNotifications,
    notifications::NotificationsListed,
    notifications::GetPreferences,
    notifications::PreferencesFound,
    notifications::DeliverySucceeded,
    notifications::DeliveryFailed,
    notifications::PreferencesChanged,
    notifications::EndpointDisabled,
    notifications::DeliveryResent,
    notifications::DeliveriesRecovered,
    notifications::RecoveryRejected,
    notifications::RecipientErased,
    notifications::NotificationsCommandRejected,
    Of<Accounts, parked::ListParked>,
    Of<Accounts, parked::ParkedListed>,
    Of<Accounts, parked::GetParked>,
    Of<Accounts, parked::ParkedFound>,
    Of<Accounts, parked::ReplayParked>,
    Of<Accounts, parked::DropParked>,
    Of<Accounts, parked::EditParked>,
    Of<Accounts, parked::ParkedReplayed>,
    Of<Accounts, parked::ParkedDropped>,
    Of<Accounts, parked::ParkedEdited>,
    Of<Ledger, parked::ListParked>,
    Of<Ledger, parked::ParkedListed>,
    Of<Ledger, parked::GetParked>,
    Of<Ledger, parked::ParkedFound>,
    Of<Ledger, parked::ReplayParked>,
    Of<Ledger, parked::DropParked>,
    Of<Ledger, parked::EditParked>,
    Of<Ledger, parked::ParkedReplayed>,
    Of<Ledger, parked::ParkedDropped>,
    Of<Ledger, parked::ParkedEdited>,
    Of<Notifications, parked::ListParked>,
    Of<Notifications, parked::ParkedListed>,
    Of<Notifications, parked::GetParked>,
    Of<Notifications, parked::ParkedFound>,
    Of<Notifications, parked::ReplayParked>,
    Of<Notifications, parked::DropParked>,
    Of<Notifications, parked::EditParked>,
    Of<Notifications, parked::ParkedReplayed>,
    Of<Notifications, parked::ParkedDropped>,
    Of<Notifications, parked::ParkedEdited>,
    Of<Accounts, approvals::ListApprovals>,
    Of<Accounts, approvals::ApprovalsListed>,
    Of<Accounts, approvals::GetApproval>,
    Of<Accounts, approvals::ApprovalFound>,
    Of<Accounts, approvals::ApproveCommand>,
    Of<Accounts, approvals::DeclineCommand>,
    Of<Accounts, approvals::ApprovalRequested>,
    Of<Accounts, approvals::ApprovalGiven>,
    Of<Accounts, approvals::ApprovalDeclined>,
    Of<Accounts, approvals::ApprovalExpired>,
    Of<Accounts, access_log::ListAccessLog>,
    Of<Accounts, access_log::AccessLogListed>,
    Of<Ledger, approvals::ListApprovals>,
    Of<Ledger, approvals::ApprovalsListed>,
    Of<Ledger, approvals::GetApproval>,
    Of<Ledger, approvals::ApprovalFound>,
    Of<Ledger, approvals::ApproveCommand>,
    Of<Ledger, approvals::DeclineCommand>,
    Of<Ledger, approvals::ApprovalRequested>,
    Of<Ledger, approvals::ApprovalGiven>,
    Of<Ledger, approvals::ApprovalDeclined>,
    Of<Ledger, approvals::ApprovalExpired>,
    Of<Ledger, access_log::ListAccessLog>,
    Of<Ledger, access_log::AccessLogListed>,
    Of<Notifications, approvals::ListApprovals>,
    Of<Notifications, approvals::ApprovalsListed>,
    Of<Notifications, approvals::GetApproval>,
    Of<Notifications, approvals::ApprovalFound>,
    Of<Notifications, approvals::ApproveCommand>,
    Of<Notifications, approvals::DeclineCommand>,
    Of<Notifications, approvals::ApprovalRequested>,
    Of<Notifications, approvals::ApprovalGiven>,
    Of<Notifications, approvals::ApprovalDeclined>,
    Of<Notifications, approvals::ApprovalExpired>,
    Of<Notifications, access_log::ListAccessLog>,
    Of<Notifications, access_log::AccessLogListed>,
    Of<Accounts, chains::ChainsSigned>,
    Of<Ledger, chains::ChainsSigned>,
    refusal::MessageRefused,
}
