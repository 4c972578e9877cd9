//! Roles of clients, by message type. Promise: the broker's permissions of a client follow from the
//! roles that the file of principals gives it, and from this table alone; every command, query and
//! event of the catalogue belongs to a role.

use super::{
    debits::Debits,
    role_types::{
        ACCESS, ACCOUNTS, ADMINISTER_ACCOUNTS, APPROVALS, APPROVALS_OF_LEDGER, APPROVE,
        APPROVE_IN_LEDGER, ARRANGE, ARRANGEMENTS, CHAINS, CHANGE_ACCESS, CLOSE_BOOKS,
        DECIDE_ON_ACCOUNTS, DELIVERIES, HOLDERS, LEDGER_ACCOUNTS, LIST_ACCOUNTS, LOOK_UP, MONEY,
        OWN_APPROVALS, OWN_APPROVALS_OF_LEDGER, PAY, READ_ACCESS, READ_ACCESS_LOG,
        READ_ACCOUNT_BOOKS, READ_BOOKS, READ_HISTORY, READ_MONEY, READ_NOTIFICATIONS, REJECTIONS,
        REPAIR_DELIVERIES, TERMS,
    },
};
use crate::{accounts::RoleCode, approvals as q, owned::Shape as _, parked as p};

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
    /// The roles whose commands it may approve.
    pub approves: &'static [RoleCode],
    /// Whether it may read the balances of the bank's own accounts.
    pub reads_own_accounts: bool,
    sends: &'static [&'static [&'static str]],
    reads: ReadableEvents,
}

/// All roles.
pub const ROLES: [Role; 7] = [
    Role {
        code: RoleCode::CustomerChannel,
        name: RoleCode::CustomerChannel.as_str(),
        purpose: "pays and asks for customers: a web bank, an app, a payment gateway",
        debits: Debits::OF_CUSTOMERS,
        approves: &[],
        reads_own_accounts: false,
        sends: &[LOOK_UP, PAY, ARRANGE, READ_MONEY, READ_NOTIFICATIONS, OWN_APPROVALS_OF_LEDGER],
        reads: ReadableEvents::Types(&[
            ACCOUNTS,
            MONEY,
            ARRANGEMENTS,
            REJECTIONS,
            APPROVALS_OF_LEDGER,
        ]),
    },
    Role {
        code: RoleCode::Clerk,
        name: RoleCode::Clerk.as_str(),
        purpose: "opens and administers accounts, takes and pays out cash",
        debits: Debits::OF_CUSTOMERS_AND_CASH,
        approves: &[],
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            LIST_ACCOUNTS,
            ADMINISTER_ACCOUNTS,
            PAY,
            ARRANGE,
            READ_MONEY,
            READ_NOTIFICATIONS,
            OWN_APPROVALS,
        ],
        reads: ReadableEvents::Types(&[
            HOLDERS,
            ACCOUNTS,
            MONEY,
            ARRANGEMENTS,
            REJECTIONS,
            APPROVALS,
        ]),
    },
    Role {
        code: RoleCode::Supervisor,
        name: RoleCode::Supervisor.as_str(),
        purpose: "decides on frozen accounts, limits and terms; approves what clerks ask for",
        debits: Debits::NONE,
        approves: &[RoleCode::CustomerChannel, RoleCode::Clerk, RoleCode::Supervisor],
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            LIST_ACCOUNTS,
            ADMINISTER_ACCOUNTS,
            DECIDE_ON_ACCOUNTS,
            READ_HISTORY,
            READ_MONEY,
            READ_NOTIFICATIONS,
            OWN_APPROVALS,
            APPROVE,
        ],
        reads: ReadableEvents::Types(&[HOLDERS, ACCOUNTS, MONEY, TERMS, REJECTIONS, APPROVALS]),
    },
    Role {
        code: RoleCode::Treasury,
        name: RoleCode::Treasury.as_str(),
        purpose: "moves the bank's own money, sets terms and closes periods",
        debits: Debits::OF_THE_BANK,
        approves: &[RoleCode::Treasury],
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            PAY,
            ARRANGE,
            READ_MONEY,
            READ_BOOKS,
            CLOSE_BOOKS,
            OWN_APPROVALS_OF_LEDGER,
            APPROVE_IN_LEDGER,
        ],
        reads: ReadableEvents::Types(&[
            MONEY,
            ARRANGEMENTS,
            TERMS,
            LEDGER_ACCOUNTS,
            REJECTIONS,
            APPROVALS_OF_LEDGER,
        ]),
    },
    Role {
        code: RoleCode::Auditor,
        name: RoleCode::Auditor.as_str(),
        purpose: "reads everything, also the stream of past events, and changes nothing",
        debits: Debits::NONE,
        approves: &[],
        reads_own_accounts: true,
        sends: &[
            LOOK_UP,
            LIST_ACCOUNTS,
            READ_MONEY,
            READ_BOOKS,
            READ_NOTIFICATIONS,
            READ_ACCESS,
            READ_HISTORY,
            READ_ACCOUNT_BOOKS,
            &p::ListParked::TYPES,
            &p::GetParked::TYPES,
            &q::ListApprovals::TYPES,
            &q::GetApproval::TYPES,
            READ_ACCESS_LOG,
        ],
        reads: ReadableEvents::All,
    },
    Role {
        code: RoleCode::Operator,
        name: RoleCode::Operator.as_str(),
        purpose: "keeps the bank running: deliveries, parked messages, principals",
        debits: Debits::NONE,
        approves: &[RoleCode::Operator],
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
            OWN_APPROVALS,
            APPROVE,
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
            APPROVALS,
        ]),
    },
    Role {
        code: RoleCode::Witness,
        name: RoleCode::Witness.as_str(),
        purpose: "keeps the signed ends of the chains outside the bank, and sends nothing",
        debits: Debits::NONE,
        approves: &[],
        reads_own_accounts: false,
        sends: &[],
        reads: ReadableEvents::Types(&[CHAINS]),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue, message::Kind};

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
    fn a_witness_hears_the_signed_ends_and_sends_nothing() {
        let witness = Role::of(RoleCode::Witness);
        assert_eq!(witness.sends().count(), 0);
        let events = catalogue::PUBLISHED.iter().filter(|entry| entry.kind == Kind::Event);
        let heard = events.map(|entry| entry.kind_name).filter(|kind| witness.may_read(kind));
        let heard: Vec<&str> = heard.collect();
        assert_eq!(heard, ["accounts.chains.signed.v1", "ledger.chains.signed.v1"]);
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
