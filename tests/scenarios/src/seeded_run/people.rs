//! Account holders: openings, holders, and all refusals of both.

use anyhow::Result;
use shared_events::{
    AccountId,
    accounts::{Holder, OpenAccount, UpdateHolder},
};
use uuid::Uuid;

use super::session::Session;
use crate::{
    bank_client::{amount, opening},
    webhook_receiver::WebhookReceiver,
};

/// The customers of the run.
pub(super) struct People {
    /// Hears of everything by e-mail and webhook.
    pub(super) ada: AccountId,
    /// Hears by e-mail, in Czech.
    pub(super) bob: AccountId,
    /// Has an overdraft.
    pub(super) cleo: AccountId,
    /// Has yen.
    pub(super) dan: AccountId,
    /// Has korunas.
    pub(super) eva: AccountId,
    /// Is frozen and unfrozen.
    pub(super) finn: AccountId,
    /// Has limits.
    pub(super) hana: AccountId,
    /// Has dinars.
    pub(super) omar: AccountId,
    /// Bears interest.
    pub(super) ivo: AccountId,
    /// Has standing orders.
    pub(super) jana: AccountId,
    /// Does not exist.
    pub(super) nobody: AccountId,
}

fn terms(account_id: AccountId, name: &str, code: &str) -> Result<OpenAccount> {
    Ok(OpenAccount { account_id, currency: code.parse()?, ..opening(name)? })
}

/// Opens an account.
pub(super) async fn open(session: &mut Session, name: &str, code: &str) -> Result<AccountId> {
    let account = session.account_id(name);
    session.send(terms(account, name, code)?).await?;
    Ok(account)
}

/// Opens all accounts.
pub(super) async fn open_all(session: &mut Session, hook: &WebhookReceiver) -> Result<People> {
    session.transcript.chapter("accounts are opened");
    session.transcript.names.add(hook.url(), "ada's webhook");
    let ada = session.account_id("ada");
    let mut of_ada = terms(ada, "Ada Nováková", "EUR")?;
    of_ada.holder.email = Some("ada@example.com".to_owned());
    of_ada.holder.webhook = Some(hook.url());
    of_ada.external_reference = Some("legacy-1".to_owned());
    session.send(of_ada.clone()).await?;
    let bob = session.account_id("bob");
    let mut of_bob = terms(bob, "Bob", "EUR")?;
    of_bob.holder.email = Some("bob@example.com".to_owned());
    of_bob.holder.language = "cs".to_owned();
    let other = OpenAccount { product: "savings".to_owned(), ..of_bob.clone() };
    session.send_again(of_bob, other).await?;
    let cleo = session.account_id("cleo");
    let of_cleo = terms(cleo, "Cleo", "EUR")?;
    session.send(OpenAccount { overdraft_limit: amount(500), ..of_cleo }).await?;
    let dan = open(session, "dan", "JPY").await?;
    let eva = open(session, "eva", "CZK").await?;
    let finn = open(session, "finn", "EUR").await?;
    let hana = open(session, "hana", "EUR").await?;
    let omar = open(session, "omar", "KWD").await?;
    let ivo = open(session, "ivo", "EUR").await?;
    let jana = open(session, "jana", "EUR").await?;
    let nobody = session.account_id("nobody");
    refused_openings(session, &of_ada).await?;
    Ok(People { ada, bob, cleo, dan, eva, finn, hana, omar, ivo, jana, nobody })
}

/// Openings that break one rule each.
async fn refused_openings(session: &mut Session, of_ada: &OpenAccount) -> Result<()> {
    session.send(OpenAccount { external_reference: None, ..of_ada.clone() }).await?;
    let mallory = session.account_id("mallory");
    session.send(OpenAccount { account_id: mallory, ..of_ada.clone() }).await?;
    let right = terms(mallory, "Mallory", "EUR")?;
    let internal = AccountId(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"internal"));
    session.transcript.names.add(internal, "internal id");
    let edits: [&dyn Fn(&mut OpenAccount); 9] = [
        &|open| open.account_id = internal,
        &|open| open.product = "Current account".to_owned(),
        &|open| open.currency = "XAU".parse().expect("gold is listed"),
        &|open| open.currency = "HRK".parse().expect("the kuna is listed"),
        &|open| open.overdraft_limit.0 = (-1).into(),
        &|open| open.external_reference = Some(String::new()),
        &|open| open.holder.name = "two\nlines".to_owned(),
        &|open| open.holder.email = Some("nowhere".to_owned()),
        &|open| open.holder.webhook = Some("ftp://example.com".to_owned()),
    ];
    for edit in edits {
        let mut wrong = right.clone();
        edit(&mut wrong);
        session.send(wrong).await?;
    }
    Ok(())
}

/// Changes holders, and fails to.
pub(super) async fn update(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("holders are updated");
    let holder = |name: &str, email: Option<&str>| Holder {
        name: name.to_owned(),
        email: email.map(str::to_owned),
        webhook: None,
        language: "de".to_owned(),
    };
    let update = |account_id, holder| UpdateHolder { account_id, holder };
    let married = update(people.bob, holder("Bob Black", Some("bob.black@example.com")));
    let other = update(people.bob, holder("Bob White", None));
    session.send_again(married, other).await?;
    session.send(update(people.cleo, holder("Cléo", None))).await?;
    session.send(update(people.cleo, holder("Cléo", None))).await?;
    session.send(update(people.nobody, holder("Nobody", None))).await?;
    for (name, email) in [("", None), ("Cleo", Some("cleo@")), ("Cleo\u{202e}", None)] {
        session.send(update(people.cleo, holder(name, email))).await?;
    }
    let mut french = holder("Cleo", None);
    french.language = "FR".to_owned();
    session.send(update(people.cleo, french)).await
}
