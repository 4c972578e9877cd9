//! The rules of grants, as a command or the file of principals gives them.

use rust_decimal::Decimal;

use crate::{
    accounts::{
        ApprovalBounds, GRANT_APPROVED_COMMANDS_MAX, GRANT_BRANCHES_MAX, GRANT_CEILINGS_MAX,
        GRANTS_MAX, Grant, GrantApproval, GrantBranches, GrantCeilings,
    },
    approvals::REQUESTS,
    catalogue::PUBLISHED,
    code::Open,
    message::Kind,
};

/// The most characters of a branch's name.
const BRANCH_CHARS_MAX: usize = 40;

/// A field of a grant that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct GrantFault {
    /// The path: `grants[0].branches`.
    pub field: String,
    /// The rule.
    pub rule: String,
}

/// The field of a grant that breaks a rule, and the rule.
type Broken = (&'static str, String);

/// Checks grants as a command or the file of principals gives them.
///
/// # Errors
/// When a field breaks its rule.
pub fn check_grants(grants: &[Grant]) -> Result<(), GrantFault> {
    if grants.len() > GRANTS_MAX {
        let rule = format!("at most {GRANTS_MAX}");
        return Err(GrantFault { field: "grants".to_owned(), rule });
    }
    for (number, grant) in grants.iter().enumerate() {
        check_grant(grant).map_err(|(field, rule)| {
            let field = format!("grants[{number}].{field}");
            GrantFault { field, rule }
        })?;
    }
    Ok(())
}

fn check_grant(grant: &Grant) -> Result<(), Broken> {
    if let Open::Unknown(code) = &grant.role {
        return Err(("role", format!("{:?} is no role", code.as_str())));
    }
    if let GrantBranches::Only(branches) = &grant.branches {
        if !(1..=GRANT_BRANCHES_MAX).contains(&branches.len()) {
            return Err(("branches", format!("1 to {GRANT_BRANCHES_MAX}")));
        }
        if let Some(branch) = branches.iter().find(|branch| !is_branch(branch)) {
            return Err(("branches", format!("{branch:?}: {BRANCH_RULE}")));
        }
    }
    check_ceilings("ceilings", &grant.ceilings)?;
    let GrantApproval::Needed(ApprovalBounds { commands, ceilings }) = &grant.approval else {
        return Ok(());
    };
    if commands.len() > GRANT_APPROVED_COMMANDS_MAX {
        return Err(("approval.commands", format!("at most {GRANT_APPROVED_COMMANDS_MAX}")));
    }
    if let Some(name) = commands.iter().find(|name| !is_command(name)) {
        let rule = format!(
            "{name:?} is no command that can need an approval; a command is named without its \
             version"
        );
        return Err(("approval.commands", rule));
    }
    let has = |name: &str| commands.iter().any(|command| command == name);
    if let Some([one, other]) = TWINS.iter().find(|[one, other]| has(one) != has(other)) {
        let rule = format!("{one} and {other} can do the same: name both or none");
        return Err(("approval.commands", rule));
    }
    check_ceilings("approval.ceilings", ceilings)
}

fn check_ceilings(field: &'static str, ceilings: &GrantCeilings) -> Result<(), Broken> {
    let GrantCeilings::UpTo(ceilings) = ceilings else { return Ok(()) };
    if ceilings.len() > GRANT_CEILINGS_MAX {
        return Err((field, format!("at most {GRANT_CEILINGS_MAX}")));
    }
    match ceilings.iter().all(|ceiling| ceiling.amount.decimal() >= Decimal::ZERO) {
        true => Ok(()),
        false => Err((field, "zero or more".to_owned())),
    }
}

/// Pairs of commands of which one can do what the other does.
const TWINS: [[&str; 2]; 2] = [
    ["accounts.limits.set", "accounts.limits.change"],
    ["ledger.transfers.submit", "ledger.instructions.submit"],
];

/// Whether a name is that of a command, without version. A word about an approval needs none.
fn is_command(name: &str) -> bool {
    let mut commands = PUBLISHED.iter().filter(|entry| entry.kind == Kind::Command);
    commands.any(|entry| without_version(entry.kind_name) == name)
        && !REQUESTS.iter().flatten().any(|request| without_version(request) == name)
}

/// A type without its version: what holds for a command holds for its later versions.
pub(super) fn without_version(kind: &str) -> &str {
    kind.rsplit_once('.').map_or(kind, |(name, _version)| name)
}

/// The rule of [`is_branch`], in words.
pub const BRANCH_RULE: &str = "1 to 40 of a-z, 0-9 and -";

/// Whether a text is the name of a branch.
#[must_use]
pub fn is_branch(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=BRANCH_CHARS_MAX).contains(&name.len()) && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::RoleCode;

    #[test]
    fn commands_that_need_an_approval_are_named_without_version_and_with_their_twins() {
        for (commands, holds) in [
            (vec![], true),
            (vec!["accounts.account.close", "ledger.parked.drop"], true),
            (vec!["accounts.limits.set", "accounts.limits.change"], true),
            (vec!["accounts.limits.set"], false),
            (vec!["ledger.instructions.submit"], false),
            (vec!["accounts.account.close.v1"], false),
            (vec!["accounts.account.get"], false),
            (vec!["accounts.approvals.approve"], false),
            (vec!["accounts.account.closed"], false),
        ] {
            let names = commands.iter().map(ToString::to_string).collect();
            let ceilings = GrantCeilings::None {};
            let approval = GrantApproval::Needed(ApprovalBounds { commands: names, ceilings });
            let grant = Grant { approval, ..Grant::of_role(RoleCode::Operator) };
            let checked = check_grants(&[grant]);
            assert_eq!(checked.is_ok(), holds, "{commands:?}: {checked:?}");
        }
    }
}
