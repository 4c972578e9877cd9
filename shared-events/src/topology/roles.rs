//! Roles of clients, by message type. Promise: the broker's permissions of a client follow from the
//! roles that the file of principals gives it, and from this table alone; every command, query and
//! event of the catalogue belongs to a role.

use super::{AUDIT, Kind, Message, any_version, catalogue, debits::Debits};
use crate::{
    accounts::{self as a, RoleCode},
    ledger as l, notifications as n,
    parked::{self as p, Shape as _},
};

/// The events that a role may read.
#[derive(Clone, Copy, Debug)]
enum ReadableEvents {
    /// These types, in every version.
    Types(&'static [&'static [&'static str]]),
    /// All events, also those of later versions, and the stream of past events.
    All,
}

/// A role: what a client with it may send, read and debit.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// The role's code in grants.
    pub code: RoleCode,
    /// The name in the file of principals.
    pub name: &'static str,
    /// Who has the role.
    pub purpose: &'static str,
    /// The accounts that it may debit.
    pub debits: Debits,
    /// Whether it may read the balances of the bank's own accounts.
    pub reads_own_accounts: bool,
    sends: &'static [&'static [&'static str]],
    reads: ReadableEvents,
}

const LOOK_UP: &[&str] = &[a::GetAccount::TYPE];
const LIST_ACCOUNTS: &[&str] = &[a::ListAccounts::TYPE];
const ADMINISTER_ACCOUNTS: &[&str] = &[
    a::OpenAccount::TYPE,
    a::UpdateHolder::TYPE,
    a::FreezeAccount::TYPE,
    a::CloseAccount::TYPE,
    n::SetPreferences::TYPE,
];
const DECIDE_ON_ACCOUNTS: &[&str] =
    &[a::UnfreezeAccount::TYPE, a::SetLimits::TYPE, a::ChangeLimits::TYPE, l::SetTerms::TYPE];
const PAY: &[&str] =
    &[l::SubmitTransfers::TYPE, l::SubmitInstructions::TYPE, l::PreviewInstructions::TYPE];
const ARRANGE: &[&str] = &[
    l::SetOrder::TYPE,
    l::CancelOrder::TYPE,
    l::ListOrders::TYPE,
    l::GetOrder::TYPE,
    l::SetMonitor::TYPE,
    l::RemoveMonitor::TYPE,
    l::ListMonitors::TYPE,
];
const READ_MONEY: &[&str] = &[
    l::GetBalance::TYPE,
    l::GetBalanceAt::TYPE,
    l::GetStatement::TYPE,
    l::GetTransfer::TYPE,
    l::GetInstruction::TYPE,
    l::GetInterest::TYPE,
    l::FindEntries::TYPE,
];
const READ_BOOKS: &[&str] = &[
    l::GetTrialBalance::TYPE,
    l::GetBooks::TYPE,
    l::GetJournal::TYPE,
    l::FindPayments::TYPE,
    l::GetPeriod::TYPE,
    l::ListOrders::TYPE,
    l::GetOrder::TYPE,
    l::ListMonitors::TYPE,
];
const CLOSE_BOOKS: &[&str] = &[l::ClosePeriod::TYPE, l::SetTerms::TYPE];
const READ_NOTIFICATIONS: &[&str] = &[n::ListNotifications::TYPE, n::GetPreferences::TYPE];
const READ_ACCESS: &[&str] = &[a::ListAccess::TYPE];
const CHANGE_ACCESS: &[&str] = &[a::SetAccess::TYPE];
const REPAIR_DELIVERIES: &[&str] = &[n::ResendDelivery::TYPE, n::RecoverDeliveries::TYPE];

/// Events with a holder's name, address or contact.
const HOLDERS: &[&str] =
    &[a::AccountOpened::TYPE, a::HolderUpdated::TYPE, n::PreferencesChanged::TYPE];
const ACCOUNTS: &[&str] = &[
    a::AccountActivated::TYPE,
    a::AccountFrozen::TYPE,
    a::AccountUnfrozen::TYPE,
    a::AccountClosing::TYPE,
    a::AccountClosed::TYPE,
    a::AccountCloseRefused::TYPE,
    a::LimitsChanged::TYPE,
];
const MONEY: &[&str] = &[
    l::TransfersPosted::TYPE,
    l::TransfersRejected::TYPE,
    l::TransfersHeld::TYPE,
    l::HoldsReleased::TYPE,
    l::LegsPosted::TYPE,
    l::InstructionsRejected::TYPE,
];
const ARRANGEMENTS: &[&str] = &[
    l::OrderChanged::TYPE,
    l::OrderCancelled::TYPE,
    l::OrderExecuted::TYPE,
    l::OrderMissed::TYPE,
    l::MonitorChanged::TYPE,
    l::MonitorRemoved::TYPE,
    l::MonitorRaised::TYPE,
    l::ArrangementRejected::TYPE,
];
const TERMS: &[&str] = &[l::TermsChanged::TYPE, l::PeriodClosed::TYPE];
const LEDGER_ACCOUNTS: &[&str] = &[
    l::LedgerAccountOpened::TYPE,
    l::LedgerAccountLocked::TYPE,
    l::LedgerAccountCloseRefused::TYPE,
];
const REJECTIONS: &[&str] = &[
    a::AccountsCommandRejected::TYPE,
    l::LedgerCommandRejected::TYPE,
    n::NotificationsCommandRejected::TYPE,
];
const ACCESS: &[&str] = &[a::AccessChanged::TYPE, a::AccessRejected::TYPE, a::AccessCurrent::TYPE];
const DELIVERIES: &[&str] = &[
    n::DeliverySucceeded::TYPE,
    n::DeliveryFailed::TYPE,
    n::DeliveryResent::TYPE,
    n::DeliveriesRecovered::TYPE,
    n::RecoveryRejected::TYPE,
    n::EndpointDisabled::TYPE,
];

/// Whether messages of this type are about the whole bank, and not about single accounts: a grant
/// for some branches does not permit them.
#[must_use]
pub fn is_of_whole_bank(kind: &str) -> bool {
    const TYPES: &[&[&str]] = &[
        READ_ACCESS,
        CHANGE_ACCESS,
        REPAIR_DELIVERIES,
        &[l::ClosePeriod::TYPE, l::GetTrialBalance::TYPE, l::GetBooks::TYPE],
        &[l::GetJournal::TYPE, l::FindPayments::TYPE],
        &p::ListParked::TYPES,
        &p::GetParked::TYPES,
        &p::ReplayParked::TYPES,
        &p::DropParked::TYPES,
        &p::EditParked::TYPES,
    ];
    TYPES.iter().any(|types| types.contains(&kind))
}

/// All roles.
pub const ROLES: [Role; 6] = [
    Role {
        code: RoleCode::CustomerChannel,
        name: RoleCode::CustomerChannel.as_str(),
        purpose: "pays and asks for customers: a web bank, an app, a payment gateway",
        debits: Debits::OF_CUSTOMERS,
        reads_own_accounts: false,
        sends: &[LOOK_UP, PAY, ARRANGE, READ_MONEY, READ_NOTIFICATIONS],
        reads: ReadableEvents::Types(&[ACCOUNTS, MONEY, ARRANGEMENTS, REJECTIONS]),
    },
    Role {
        code: RoleCode::Clerk,
        name: RoleCode::Clerk.as_str(),
        purpose: "opens and administers accounts, takes and pays out cash",
        debits: Debits::OF_CUSTOMERS_AND_CASH,
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            LIST_ACCOUNTS,
            ADMINISTER_ACCOUNTS,
            PAY,
            ARRANGE,
            READ_MONEY,
            READ_NOTIFICATIONS,
        ],
        reads: ReadableEvents::Types(&[HOLDERS, ACCOUNTS, MONEY, ARRANGEMENTS, REJECTIONS]),
    },
    Role {
        code: RoleCode::Supervisor,
        name: RoleCode::Supervisor.as_str(),
        purpose: "unfreezes accounts, and decides on limits and terms",
        debits: Debits::NONE,
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            LIST_ACCOUNTS,
            ADMINISTER_ACCOUNTS,
            DECIDE_ON_ACCOUNTS,
            READ_MONEY,
            READ_NOTIFICATIONS,
        ],
        reads: ReadableEvents::Types(&[HOLDERS, ACCOUNTS, MONEY, TERMS, REJECTIONS]),
    },
    Role {
        code: RoleCode::Treasury,
        name: RoleCode::Treasury.as_str(),
        purpose: "moves the bank's own money, sets terms and closes periods",
        debits: Debits::OF_THE_BANK,
        reads_own_accounts: true,
        sends: &[LOOK_UP, PAY, ARRANGE, READ_MONEY, READ_BOOKS, CLOSE_BOOKS],
        reads: ReadableEvents::Types(&[MONEY, ARRANGEMENTS, TERMS, LEDGER_ACCOUNTS, REJECTIONS]),
    },
    Role {
        code: RoleCode::Auditor,
        name: RoleCode::Auditor.as_str(),
        purpose: "reads everything, also the stream bank.audit, and changes nothing",
        debits: Debits::NONE,
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            LIST_ACCOUNTS,
            READ_MONEY,
            READ_BOOKS,
            READ_NOTIFICATIONS,
            READ_ACCESS,
            &p::ListParked::TYPES,
            &p::GetParked::TYPES,
        ],
        reads: ReadableEvents::All,
    },
    Role {
        code: RoleCode::Operator,
        name: RoleCode::Operator.as_str(),
        purpose: "keeps the bank running: deliveries, parked messages, principals",
        debits: Debits::NONE,
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            READ_NOTIFICATIONS,
            REPAIR_DELIVERIES,
            READ_ACCESS,
            CHANGE_ACCESS,
            &p::ListParked::TYPES,
            &p::GetParked::TYPES,
            &p::ReplayParked::TYPES,
            &p::DropParked::TYPES,
            &p::EditParked::TYPES,
        ],
        reads: ReadableEvents::Types(&[
            ACCOUNTS,
            LEDGER_ACCOUNTS,
            DELIVERIES,
            REJECTIONS,
            ACCESS,
            &p::ParkedReplayed::TYPES,
            &p::ParkedDropped::TYPES,
            &p::ParkedEdited::TYPES,
        ]),
    },
];

impl Role {
    /// The role with this code.
    #[must_use]
    pub fn of(code: RoleCode) -> &'static Self {
        let found = ROLES.iter().find(|role| role.code == code);
        found.expect("every code is a role")
    }

    /// The role with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        ROLES.iter().find(|role| role.name == name)
    }

    /// The types of commands and queries that the role may send.
    pub fn sends(&self) -> impl Iterator<Item = &'static str> {
        self.sends.iter().copied().flatten().copied()
    }

    /// Whether the role may read events of this type.
    #[must_use]
    pub fn may_read(&self, kind: &str) -> bool {
        match self.reads {
            ReadableEvents::All => true,
            ReadableEvents::Types(types) => types.iter().any(|group| group.contains(&kind)),
        }
    }

    /// Whether the role may read all events, and the stream of past ones.
    #[must_use]
    pub const fn reads_all(&self) -> bool {
        matches!(self.reads, ReadableEvents::All)
    }
}

/// The routing keys that clients with these roles may publish to `bank.commands`.
pub(super) fn sendable(roles: &[&Role]) -> String {
    any_of(roles.iter().flat_map(|role| role.sends()), "v[0-9]+")
}

/// The binding keys on `bank.events` of clients with these roles.
pub(super) fn readable(roles: &[&Role]) -> String {
    if roles.iter().any(|role| role.reads_all()) {
        return ".*".to_owned();
    }
    let events = catalogue::PUBLISHED.iter().filter(|entry| entry.kind == Kind::Event);
    let read = events.map(|entry| entry.kind_name);
    // A binding for any version is allowed, too.
    any_of(read.filter(|kind| roles.iter().any(|role| role.may_read(kind))), r"(v[0-9]+|\*)")
}

/// The resources that clients with these roles may read, apart from exchanges and own queues.
pub(super) fn streams(roles: &[&Role]) -> &'static [&'static str] {
    if roles.iter().any(|role| role.reads_all()) { &[AUDIT] } else { &[] }
}

/// A pattern of these types in the given versions, each type once and in order.
fn any_of(types: impl Iterator<Item = &'static str>, version: &str) -> String {
    let stems: std::collections::BTreeSet<String> =
        types.map(|kind| any_version(kind).trim_end_matches(".*").replace('.', "\\.")).collect();
    match stems.is_empty() {
        true => "^$".to_owned(),
        false => {
            let stems: Vec<String> = stems.into_iter().collect();
            format!("^({})\\.{version}$", stems.join("|"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_type_belongs_to_a_role() {
        for entry in catalogue::PUBLISHED {
            let named = match entry.kind {
                Kind::Command | Kind::Query => {
                    ROLES.iter().any(|role| role.sends().any(|kind| kind == entry.kind_name))
                }
                // The auditor's right needs no list, so the event must stand in another role.
                Kind::Event => {
                    ROLES.iter().any(|role| !role.reads_all() && role.may_read(entry.kind_name))
                }
                Kind::Reply => true,
            };
            assert!(named, "{} belongs to no role", entry.kind_name);
        }
    }

    #[test]
    fn roles_name_commands_and_queries_to_send_and_events_to_read() {
        for role in &ROLES {
            for kind in role.sends() {
                let entry = catalogue::find(kind).expect("a role names published types");
                let sent = matches!(entry.kind, Kind::Command | Kind::Query);
                assert!(sent, "{} sends {kind}", role.name);
            }
            if let ReadableEvents::Types(types) = role.reads {
                for kind in types.iter().copied().flatten() {
                    let entry = catalogue::find(kind).expect("a role names published types");
                    assert_eq!(entry.kind, Kind::Event, "{} reads {kind}", role.name);
                }
            }
        }
    }

    #[test]
    fn every_code_is_a_role() {
        for code in RoleCode::ALL {
            assert_eq!(Role::of(*code).name, code.as_str());
        }
        assert_eq!(ROLES.len(), RoleCode::ALL.len());
    }

    #[test]
    fn only_the_auditor_reads_everything_and_it_changes_nothing() {
        let all: Vec<&Role> = ROLES.iter().filter(|role| role.reads_all()).collect();
        assert_eq!(all.iter().map(|role| role.name).collect::<Vec<_>>(), ["auditor"]);
        let commands = all[0]
            .sends()
            .filter(|kind| catalogue::find(kind).is_some_and(|entry| entry.kind == Kind::Command));
        assert_eq!(commands.count(), 0);
    }

    #[test]
    fn holders_are_read_by_those_who_administer_them() {
        let readers = |kind| {
            let readers = ROLES.iter().filter(|role| role.may_read(kind));
            readers.map(|role| role.name).collect::<Vec<_>>()
        };
        for kind in HOLDERS {
            assert_eq!(readers(kind), ["clerk", "supervisor", "auditor"], "{kind}");
        }
    }
}
