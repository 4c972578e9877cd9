//! Decides about a change of grants. Promise: afterwards some principal can still change grants.

use shared_events::{
    access::{Act, GrantFault, Grants, PRINCIPALS_MAX, Rights, SET_ACCESS, Verdict, check_grants},
    topology::check_client_name,
};

use super::entity::{CurrentGrants, GrantChange};

/// All grants travel in one message, of which this is half.
const ANNOUNCED_BYTES_MAX: usize = 512 * 1024;

/// Why the grants of a principal are not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GrantRefusal {
    #[error("{}", _0.rule)]
    Invalid(GrantFault),
    #[error(
        "afterwards nobody could change grants: give another principal the role operator; where \
         changes need an approval, two need it"
    )]
    LastOperator,
}

/// Checks a change.
pub(super) fn check(current: &CurrentGrants, change: &GrantChange) -> Result<(), GrantRefusal> {
    let GrantChange { principal, grants } = change;
    let wrong = |field: &str, rule: String| {
        Err(GrantRefusal::Invalid(GrantFault { field: field.to_owned(), rule }))
    };
    if let Err(rule) = check_client_name(principal) {
        return wrong("principal", rule);
    }
    check_grants(grants).map_err(GrantRefusal::Invalid)?;
    if current.principals().len() >= PRINCIPALS_MAX && !current.of.contains_key(principal) {
        return wrong("principal", format!("a bank has at most {PRINCIPALS_MAX}"));
    }
    let mut after = current.clone();
    after.apply(change);
    if serde_json::to_vec(&after.principals()).map_or(0, |json| json.len()) > ANNOUNCED_BYTES_MAX {
        let rule = format!("all grants of the bank have at most {ANNOUNCED_BYTES_MAX} bytes");
        return wrong("grants", rule);
    }
    let could = |grants: &CurrentGrants| can_change_grants(grants);
    match could(current) && !could(&after) {
        true => Err(GrantRefusal::LastOperator),
        false => Ok(()),
    }
}

/// Whether some principal can change grants by itself, or two can with each other's approval.
fn can_change_grants(current: &CurrentGrants) -> bool {
    let all: Vec<Grants> = current.of.values().map(|grants| Grants::of(grants)).collect();
    let rights = all.iter().map(|grants| Rights::of(grants, SET_ACCESS));
    let verdicts = rights.map(|rights| {
        rights.map_or(Verdict::NotPermitted, |rights| rights.judge(&Act::OfWholeBank))
    });
    verdicts.enumerate().any(|(place, verdict)| match verdict {
        Verdict::Permitted => true,
        Verdict::NotPermitted => false,
        Verdict::NeedsApproval(needs) => all.iter().enumerate().any(|(other, grants)| {
            other != place && needs.iter().all(|needed| grants.approve(needed))
        }),
    })
}

#[cfg(test)]
mod tests {
    use shared_events::access::{Grant, RoleCode};

    use super::*;

    fn grants(roles: &[RoleCode]) -> Vec<Grant> {
        roles.iter().map(|role| Grant::of_role(*role)).collect()
    }

    fn change(principal: &str, roles: &[RoleCode]) -> GrantChange {
        GrantChange { principal: principal.to_owned(), grants: grants(roles) }
    }

    fn bank(principals: &[(&str, &[RoleCode])]) -> CurrentGrants {
        let mut current = CurrentGrants::default();
        for (principal, roles) in principals {
            current.apply(&change(principal, roles));
        }
        current
    }

    #[test]
    fn somebody_can_always_change_grants() {
        use RoleCode::{Clerk, Operator};
        let one = bank(&[("ops", &[Operator]), ("jan", &[Clerk])]);
        for (changed, expected) in [
            (change("ops", &[]), Err(GrantRefusal::LastOperator)),
            (change("ops", &[Clerk]), Err(GrantRefusal::LastOperator)),
            (change("ops", &[Operator, Clerk]), Ok(())),
            (change("jan", &[]), Ok(())),
        ] {
            assert_eq!(check(&one, &changed), expected, "{changed:?}");
        }
        let two = bank(&[("ops", &[Operator]), ("eva", &[Operator])]);
        assert_eq!(check(&two, &change("ops", &[])), Ok(()));
        assert_eq!(check(&bank(&[]), &change("jan", &[Clerk])), Ok(()), "the first principal");
    }

    #[test]
    fn a_principal_is_named_like_a_user_of_the_broker() {
        let current = bank(&[]);
        for (name, holds) in
            [("jan", true), ("web-2", true), ("", false), ("Jan", false), ("ledger", false)]
        {
            assert_eq!(check(&current, &change(name, &[])).is_ok(), holds, "{name:?}");
        }
        assert!(check(&current, &change(&"a".repeat(33), &[])).is_err());
    }

    #[test]
    fn a_change_counts_the_version_up_and_shows_what_was_before() {
        let mut current = bank(&[("jan", &[RoleCode::Clerk])]);
        let changed = current.apply(&change("jan", &[]));
        assert_eq!((changed.version, changed.before), (2, grants(&[RoleCode::Clerk])));
        assert_eq!(current.principals(), []);
    }
}
