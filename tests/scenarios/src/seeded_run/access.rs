//! Changes of grants, by an operator.

use anyhow::Result;
use shared_events::{
    access::{Grant, GrantBranches, RoleCode},
    accounts::{ListAccess, SetAccess},
};

use super::session::Session;

/// A principal gets grants, loses them, and gets none that break a rule.
pub(super) async fn change(session: &mut Session) -> Result<()> {
    session.transcript.chapter("access");
    let set = |grants| SetAccess { principal: "branch-7".to_owned(), grants };
    let mut clerk = Grant::of_role(RoleCode::Clerk);
    clerk.branches = GrantBranches::Only(vec!["branch-7".to_owned()]);
    session.send_again(set(vec![clerk.clone()]), set(vec![])).await?;
    clerk.branches = GrantBranches::Only(vec![]);
    session.send(set(vec![clerk])).await?;
    session.ask(ListAccess {}).await?;
    session.send(set(vec![])).await
}
