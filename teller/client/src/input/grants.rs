//! Grants as a person writes them.

use shared_events::{
    Money,
    access::{
        ApprovalBounds, BRANCH_RULE, Grant, GrantApproval, GrantBranches, GrantCeilings,
        GrantFault, RoleCode, check_grants, is_branch,
    },
};

use super::{InvalidInput, money};

const RULE: &str = "a role, then any of branch=NAME, ceiling='AMOUNT CURRENCY', approval=COMMAND, \
                    approval=debits and approval-above='AMOUNT CURRENCY', with commas between \
                    them: clerk,branch=prague,ceiling='1000 EUR'";

/// The branch of an account.
pub fn branch(text: &str) -> Result<String, InvalidInput> {
    match is_branch(text) {
        true => Ok(text.to_owned()),
        false => Err(InvalidInput::new("branch", BRANCH_RULE)),
    }
}

/// Grants, each as its role with its bounds.
pub fn grants(texts: &[String]) -> Result<Vec<Grant>, InvalidInput> {
    let grants = texts.iter().map(|text| grant(text)).collect::<Result<Vec<_>, _>>()?;
    let wrong = |GrantFault { field, rule }| InvalidInput::new(field, rule);
    check_grants(&grants).map_err(wrong)?;
    Ok(grants)
}

fn grant(text: &str) -> Result<Grant, InvalidInput> {
    let mut parts = text.split(',').map(str::trim);
    let role = parts.next().unwrap_or_default();
    let Some(role) = RoleCode::from_code(role) else {
        let roles: Vec<&str> = RoleCode::ALL.iter().map(|role| role.as_str()).collect();
        let rule = format!("{role:?} is no role; the roles are {}", roles.join(", "));
        return Err(InvalidInput::new("grant", rule));
    };
    let (mut branches, mut ceilings) = (Vec::new(), Vec::new());
    let (mut approved, mut unapproved) = (Vec::new(), None::<Vec<Money>>);
    for part in parts {
        match part.split_once('=') {
            Some(("branch", name)) => {
                branches.push(branch(name)?);
            }
            Some(("ceiling", amount)) => ceilings.push(ceiling("ceiling", amount)?),
            Some(("approval-above", amount)) => {
                unapproved.get_or_insert_default().push(ceiling("approval-above", amount)?);
            }
            Some(("approval", "debits")) => drop(unapproved.get_or_insert_default()),
            Some(("approval", command)) => approved.push(command.to_owned()),
            Some(_) | None => return Err(InvalidInput::new("grant", RULE)),
        }
    }
    let mut grant = Grant::of_role(role);
    if !branches.is_empty() {
        grant.branches = GrantBranches::Only(branches);
    }
    if !ceilings.is_empty() {
        grant.ceilings = GrantCeilings::UpTo(ceilings);
    }
    if !approved.is_empty() || unapproved.is_some() {
        let ceilings = unapproved.map_or(GrantCeilings::None {}, GrantCeilings::UpTo);
        grant.approval = GrantApproval::Needed(ApprovalBounds { commands: approved, ceilings });
    }
    Ok(grant)
}

fn ceiling(field: &'static str, text: &str) -> Result<Money, InvalidInput> {
    let amount = text.trim_matches('\'');
    let (amount, code) = amount
        .split_once(' ')
        .ok_or_else(|| InvalidInput::new(field, "AMOUNT CURRENCY: 1000 EUR"))?;
    money(amount, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_a_role_and_its_bounds() {
        let texts = ["clerk, branch=prague,branch=brno,ceiling='1000 EUR'".to_owned()];
        let read = grants(&texts).expect("a grant");
        let json = serde_json::to_value(&read).expect("grants are JSON");
        let expected = serde_json::json!([{
            "role": "clerk",
            "branches": { "only": ["prague", "brno"] },
            "ceilings": { "up_to": [{ "amount": "1000.00", "currency": "EUR" }] },
            "approval": { "none": {} },
        }]);
        assert_eq!(json, expected);
    }

    #[test]
    fn a_grant_says_what_another_principal_has_to_approve() {
        for (text, commands, ceilings) in [
            (
                "clerk,approval-above='100 EUR'",
                vec![],
                serde_json::json!({ "up_to": [
                { "amount": "100.00", "currency": "EUR" },
            ] }),
            ),
            ("treasury,approval=debits", vec![], serde_json::json!({ "up_to": [] })),
            (
                "supervisor,approval=accounts.account.close",
                vec!["accounts.account.close"],
                serde_json::json!({ "none": {} }),
            ),
        ] {
            let read = grants(&[text.to_owned()]).expect("a grant");
            let json = serde_json::to_value(&read[0].approval).expect("grants are JSON");
            let needed = serde_json::json!({ "commands": commands, "ceilings": ceilings });
            assert_eq!(json, serde_json::json!({ "needed": needed }), "{text}");
        }
        let wrong = grants(&["clerk,approval=accounts.sing.loud".to_owned()]);
        assert!(wrong.is_err_and(|error| error.to_string().contains("is no command")));
    }

    #[test]
    fn a_wrong_grant_names_the_rule() {
        for (text, rule) in [
            ("king", "the roles are customer_channel"),
            ("clerk,prague", "a role, then any of"),
            ("clerk,branch=Prague", "a-z"),
            ("clerk,ceiling=much", "AMOUNT CURRENCY"),
        ] {
            let error = grants(&[text.to_owned()]).expect_err(text);
            assert!(error.to_string().contains(rule), "{text}: {error}");
        }
    }
}
