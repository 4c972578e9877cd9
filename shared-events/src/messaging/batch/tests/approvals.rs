//! Commands that need an approval.

use super::*;
use crate::{
    accounts::{ApprovalBounds, GrantApproval, GrantCeilings},
    approvals::ApprovalState,
    messaging::test_messages::{CLIENT, grant_all, returned},
};

const APPROVER: &str = "carla";

/// A bank whose client opens accounts with the approval of a supervisor.
fn bench() -> Bench {
    let bench = Bench::new();
    grant(&bench, &[RoleCode::Supervisor]);
    bench
}

/// Gives the approver these roles.
fn grant(bench: &Bench, roles: &[RoleCode]) {
    let commands = vec!["accounts.account.open".to_owned()];
    let approval = ApprovalBounds { commands, ceilings: GrantCeilings::None {} };
    let clerk =
        Grant { approval: GrantApproval::Needed(approval), ..Grant::of_role(RoleCode::Clerk) };
    let approver = roles.iter().map(|role| Grant::of_role(*role)).collect();
    grant_all(&bench.processor.access, &[(CLIENT, vec![clerk]), (APPROVER, approver)]);
}

impl Bench {
    fn approval(&self) -> ApprovalState {
        let tables = self.store.tables();
        let [record] = tables.approvals.as_slice() else { panic!("{:?}", tables.approvals) };
        record.state
    }

    fn decide(&self, state: ApprovalState) {
        let mut tables = self.store.tables();
        let record = tables.approvals.last_mut().expect("a command was set aside");
        (record.state, record.decided_by) = (state, Some(APPROVER.to_owned()));
    }

    fn applied(&self) -> Vec<String> {
        self.store.tables().applied.clone()
    }

    fn last_reply(&self) -> String {
        String::from_utf8(self.replies().pop().expect("a reply")).expect("a reply is text")
    }
}

#[tokio::test]
async fn a_command_waits_for_its_approval() {
    let bench = bench();
    let batch = [asking(command(1, &envelope("a")))];
    for sending in 1..=2 {
        assert_eq!(bench.process(&batch).await, Some(Settled::All));
        assert_eq!(bench.approval(), ApprovalState::Waiting);
        assert_eq!(bench.applied(), [""; 0], "nothing is done");
        assert_eq!(bench.store.tables().inbox.len(), 1, "nobody else may use its id");
        assert_eq!(bench.replies().len(), sending);
        let reply = bench.last_reply();
        assert!(reply.contains("accounts.approvals.requested.v1"), "{reply}");
        assert!(reply.contains("carla may approve it"), "{reply}");
    }
    let announced = bench.store.tables().outbox;
    assert_eq!(announced, 1, "it is announced once");
}

#[tokio::test]
async fn an_approved_command_is_handled_once() {
    let (bench, sent) = (bench(), envelope("a"));
    bench.process(&[command(1, &sent)]).await;
    bench.decide(ApprovalState::Approved);
    bench.process(&[returned(2, &sent, CLIENT)]).await;
    assert_eq!((bench.applied(), bench.approval()), (vec!["a".to_owned()], ApprovalState::Handled));
    bench.process(&[returned(3, &sent, CLIENT), asking(command(4, &sent))]).await;
    assert_eq!(bench.applied(), ["a"]);
    assert!(bench.last_reply().contains("bank.message.refused.v1"), "the fake's own answer");
    // An inbox forgets.
    bench.store.tables().inbox.clear();
    bench.process(&[asking(command(5, &sent))]).await;
    assert_eq!(bench.applied(), ["a"]);
    assert!(bench.last_reply().contains("approvals.approved.v1"), "{}", bench.last_reply());
}

#[tokio::test]
async fn an_approved_command_that_cannot_be_handled_yet_keeps_its_approval_and_its_id() {
    let (bench, sent) = (bench(), envelope("later"));
    bench.process(&[command(1, &sent)]).await;
    bench.decide(ApprovalState::Approved);
    bench.process(&[returned(2, &sent, CLIENT)]).await;
    assert_eq!((bench.approval(), bench.store.tables().inbox.len()), (ApprovalState::Approved, 1));
    assert_eq!(bench.journal.calls_of("publish"), ["publish accounts.commands.retry.10m"]);
}

/// A decision holds also after the grants of the author have changed.
#[tokio::test]
async fn decisions_hold_also_where_no_approval_is_needed_any_more() {
    for (state, applied) in [
        (ApprovalState::Declined, vec![]),
        (ApprovalState::Waiting, vec![]),
        (ApprovalState::Approved, vec!["a".to_owned()]),
    ] {
        let (bench, sent) = (bench(), envelope("a"));
        bench.process(&[command(1, &sent)]).await;
        bench.decide(state);
        let clerk = vec![Grant::of_role(RoleCode::Clerk)];
        grant_all(&bench.processor.access, &[(CLIENT, clerk)]);
        bench.process(&[command(2, &sent)]).await;
        assert_eq!(bench.applied(), applied, "{state:?}");
    }
}

#[tokio::test]
async fn an_approved_command_whose_author_lost_all_rights_ends() {
    let (bench, sent) = (bench(), envelope("a"));
    bench.process(&[command(1, &sent)]).await;
    bench.decide(ApprovalState::Approved);
    grant_all(&bench.processor.access, &[]);
    bench.process(&[returned(2, &sent, CLIENT)]).await;
    assert_eq!((bench.applied(), bench.approval()), (vec![], ApprovalState::Handled));
}

#[tokio::test]
async fn each_command_of_a_joined_delivery_is_set_aside_as_it_came() {
    let (bench, events) = (bench(), [envelope("a"), envelope("b")]);
    let bodies: Vec<Vec<u8>> = events.iter().map(body_of).collect();
    let joined = [b"[", bodies.join(&b","[..]).as_slice(), b"]"].concat();
    bench.process(&[delivery(1, COMMANDS, CONTENT_TYPE_BATCH, joined)]).await;
    let kept: Vec<_> = bench.store.tables().approvals.clone();
    let kept: Vec<_> = kept.into_iter().filter_map(|record| record.content.body).collect();
    assert_eq!(kept, bodies);
}

#[tokio::test]
async fn what_nobody_approved_is_not_done() {
    for state in [ApprovalState::Declined, ApprovalState::Expired] {
        let (bench, sent) = (bench(), envelope("a"));
        bench.process(&[command(1, &sent)]).await;
        bench.decide(state);
        bench.process(&[asking(command(2, &sent)), returned(3, &sent, CLIENT)]).await;
        assert_eq!((bench.applied(), bench.approval()), (vec![], state));
        assert!(bench.last_reply().contains(state.as_str()), "{}", bench.last_reply());
    }
}

#[tokio::test]
async fn an_approver_that_has_lost_the_right_makes_nothing_happen() {
    let (bench, sent) = (bench(), envelope("a"));
    bench.process(&[command(1, &sent)]).await;
    bench.decide(ApprovalState::Approved);
    grant(&bench, &[RoleCode::Auditor]);
    bench.process(&[returned(2, &sent, CLIENT)]).await;
    assert_eq!(bench.applied(), [""; 0]);
}

#[tokio::test]
async fn an_id_that_waits_is_no_other_commands() {
    let (bench, sent) = (bench(), envelope("a"));
    bench.process(&[command(1, &sent)]).await;
    let other = RawEnvelope { id: sent.id, ..envelope("b") };
    bench.process(&[asking(command(2, &other))]).await;
    assert_eq!((bench.applied(), bench.approval()), (vec![], ApprovalState::Waiting));
    assert!(bench.last_reply().contains("came before"), "{}", bench.last_reply());
}
