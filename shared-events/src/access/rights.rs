//! The rights for one message.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    act::Act,
    grant::{Grants, HeldGrant, TypeGrant},
};
use crate::{accounts::RoleCode, approvals::NeededApproval};

/// What the author of a message may do with it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rights(Held);

#[derive(Clone, Debug)]
enum Held {
    /// The author is a service of the bank.
    Everything,
    /// The grants that permit messages of this type.
    Granted(Arc<[TypeGrant]>),
    /// The same, and the grants of the principal that has approved the message. `None`: judged as
    /// if one had, for a preview.
    Approved(Arc<[TypeGrant]>, Option<Grants>),
    /// No grant does.
    Nothing(Arc<str>),
    /// The grants are not known, or were not confirmed lately.
    Unknown(Arc<str>),
}

/// Whether an act may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Some grant permits the act.
    Permitted,
    /// Grants permit the act with the approval of another principal.
    NeedsApproval(Vec<NeededApproval>),
    /// No grant permits the act.
    NotPermitted,
}

impl Rights {
    /// The rights of the bank's services, and of work that no message asks for.
    #[must_use]
    pub const fn everything() -> Self {
        Self(Held::Everything)
    }

    /// No rights, for this reason.
    #[must_use]
    pub fn nothing(why: impl Into<Arc<str>>) -> Self {
        Self(Held::Nothing(why.into()))
    }

    /// Rights that cannot be told at the moment, for this reason: the message has to wait.
    #[must_use]
    pub fn unknown(why: impl Into<Arc<str>>) -> Self {
        Self(Held::Unknown(why.into()))
    }

    /// The rights of a principal with these grants for a message of this type; `None` if no grant
    /// permits such messages.
    #[must_use]
    pub fn of(grants: &Grants, kind: &str) -> Option<Self> {
        let grants = grants.for_type(kind);
        (!grants.is_empty()).then(|| Self(Held::Granted(grants.into())))
    }

    /// The same rights, for a message that the principal with these grants has approved.
    #[must_use]
    pub fn approved_by(&self, approver: Grants) -> Self {
        self.approved(Some(approver))
    }

    /// The rights that the author would have with an approval.
    #[must_use]
    pub fn if_approved(&self) -> Self {
        self.approved(None)
    }

    fn approved(&self, approver: Option<Grants>) -> Self {
        match &self.0 {
            Held::Granted(grants) | Held::Approved(grants, _) => {
                Self(Held::Approved(Arc::clone(grants), approver))
            }
            Held::Everything | Held::Nothing(_) | Held::Unknown(_) => self.clone(),
        }
    }

    /// Why the rights cannot be told at the moment, if that is so.
    #[must_use]
    pub fn lack(&self) -> Option<&str> {
        match &self.0 {
            Held::Unknown(why) => Some(why),
            Held::Everything | Held::Granted(_) | Held::Approved(..) | Held::Nothing(_) => None,
        }
    }

    /// Why the author may not send the message at all, if that is so.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        match &self.0 {
            Held::Nothing(why) | Held::Unknown(why) => Some(why),
            Held::Everything | Held::Granted(_) | Held::Approved(..) => None,
        }
    }

    fn grants(&self) -> &[TypeGrant] {
        match &self.0 {
            Held::Granted(grants) | Held::Approved(grants, _) => grants,
            Held::Everything | Held::Nothing(_) | Held::Unknown(_) => &[],
        }
    }

    const fn is_everything(&self) -> bool {
        matches!(self.0, Held::Everything)
    }

    /// Whether some act of the message may need an approval.
    #[must_use]
    pub fn may_need_approval(&self) -> bool {
        self.grants().iter().any(TypeGrant::may_need_approval)
    }

    /// Whether the author may do this.
    #[must_use]
    pub fn judge(&self, act: &Act<'_>) -> Verdict {
        if self.is_everything() {
            return Verdict::Permitted;
        }
        let mut with_approval: Vec<RoleCode> = vec![];
        for of_type in self.grants().iter().filter(|of_type| of_type.grant().permits(act)) {
            if !of_type.needs_approval(act) {
                return Verdict::Permitted;
            }
            with_approval.push(of_type.grant().role());
        }
        if with_approval.is_empty() {
            return Verdict::NotPermitted;
        }
        let needed = act.needed(&with_approval);
        match &self.0 {
            Held::Approved(_, None) => Verdict::Permitted,
            Held::Approved(_, Some(approver)) if approver.approve(&needed) => Verdict::Permitted,
            // The approver has lost the right since.
            Held::Approved(..) => Verdict::NotPermitted,
            _ => Verdict::NeedsApproval(vec![needed]),
        }
    }

    /// Whether the author may do all of this.
    #[must_use]
    pub fn judge_all<'a>(&self, acts: impl IntoIterator<Item = Act<'a>>) -> Verdict {
        let mut needs = vec![];
        for act in acts {
            match self.judge(&act) {
                Verdict::Permitted => {}
                Verdict::NeedsApproval(needed) => needs.extend(needed),
                Verdict::NotPermitted => return Verdict::NotPermitted,
            }
        }
        if needs.is_empty() { Verdict::Permitted } else { Verdict::NeedsApproval(needs) }
    }

    /// Whether the rights hold for accounts of this branch, as far as they are read.
    #[must_use]
    pub fn hold_for_branch(&self, branch: &str) -> bool {
        let mut grants = self.grants().iter().map(TypeGrant::grant);
        self.is_everything() || grants.any(|grant| grant.is_for_branch(branch))
    }

    /// The branches for whose accounts the rights hold. `None`: all branches.
    #[must_use]
    pub fn branches(&self) -> Option<BTreeSet<&str>> {
        if self.is_everything() {
            return None;
        }
        let grants = self.grants().iter().map(TypeGrant::grant);
        let branches: Option<Vec<_>> = grants.map(|grant| grant.branches()).collect();
        let named = branches?.into_iter().flatten();
        Some(named.map(|branch| &**branch).collect())
    }

    /// Whether the rights are those of the bank's staff, which sees the authors of instructions: of
    /// a role that reads the bank's own accounts, also where the grant is for some branches.
    #[must_use]
    pub fn are_of_staff(&self) -> bool {
        let mut grants = self.grants().iter().map(TypeGrant::grant);
        self.is_everything() || grants.any(HeldGrant::is_of_staff)
    }

    /// Whether the rights hold for the bank's own accounts, as far as they are read.
    #[must_use]
    pub fn read_own_accounts(&self) -> bool {
        let mut grants = self.grants().iter().map(TypeGrant::grant);
        self.is_everything() || grants.any(HeldGrant::reads_own_accounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{Debit, Debited},
        accounts::{Grant, GrantCeilings},
        money::Money,
    };

    const SUBMIT: &str = "ledger.transfers.submit.v1";

    fn euros(amount: &str) -> Money {
        let json = serde_json::json!({ "amount": amount, "currency": "EUR" });
        serde_json::from_value(json).expect("an amount of money")
    }

    /// A grant of a clerk of the branch `web`, which pays 100 EUR alone and 1,000 with an approval.
    fn clerk() -> Vec<Grant> {
        let json = serde_json::json!([{
            "role": "clerk",
            "branches": { "only": ["web"] },
            "ceilings": { "up_to": [euros("1000")] },
            "approval": { "needed": { "commands": [], "ceilings": { "up_to": [euros("100")] } } },
        }]);
        serde_json::from_value(json).expect("a grant")
    }

    fn pays<'a>(branch: &'a str, money: Option<Money>) -> Act<'a> {
        Act::Debit(Debit { account: Debited::Customer { branch }, money, is_reversal: false })
    }

    #[test]
    fn a_debit_is_judged_by_branch_ceiling_and_approval() {
        let rights = Rights::of(&Grants::of(&clerk()), SUBMIT).expect("a clerk pays");
        let other_currency = Money { currency: "USD".parse().expect("a currency"), ..euros("1") };
        for (name, act, expected) in [
            ("alone", pays("web", Some(euros("100"))), "permitted"),
            ("with an approval", pays("web", Some(euros("100.01"))), "needs approval"),
            ("with an approval, at most", pays("web", Some(euros("1000"))), "needs approval"),
            ("not beyond the ceiling", pays("web", Some(euros("1000.01"))), "not permitted"),
            ("of no unknown amount", pays("web", None), "not permitted"),
            ("in no other currency", pays("web", Some(other_currency)), "not permitted"),
            ("for no other branch", pays("north", Some(euros("1"))), "not permitted"),
        ] {
            let verdict = match rights.judge(&act) {
                Verdict::Permitted => "permitted",
                Verdict::NeedsApproval(_) => "needs approval",
                Verdict::NotPermitted => "not permitted",
            };
            assert_eq!(verdict, expected, "{name}");
        }
    }

    #[test]
    fn a_grant_without_approval_wins_and_an_approver_must_cover_the_act() {
        let act = pays("web", Some(euros("500")));
        let mut both = clerk();
        both.push(Grant::of_role(RoleCode::CustomerChannel));
        let rights = Rights::of(&Grants::of(&both), SUBMIT).expect("a clerk pays");
        assert_eq!(rights.judge(&act), Verdict::Permitted);
        let rights = Rights::of(&Grants::of(&clerk()), SUBMIT).expect("a clerk pays");
        let approver = |role, ceiling: Option<&str>| {
            let mut grant = Grant::of_role(role);
            if let Some(ceiling) = ceiling {
                grant.ceilings = GrantCeilings::UpTo(vec![euros(ceiling)]);
            }
            rights.approved_by(Grants::of(&[grant])).judge(&act) == Verdict::Permitted
        };
        assert!(approver(RoleCode::Supervisor, None));
        assert!(approver(RoleCode::Supervisor, Some("500")));
        assert!(!approver(RoleCode::Supervisor, Some("499.99")), "beyond the approver's ceiling");
        assert!(!approver(RoleCode::Operator, None), "another role's business");
        assert!(!approver(RoleCode::Clerk, None), "nobody approves for its own role");
        assert_eq!(rights.if_approved().judge(&act), Verdict::Permitted);
    }
}
