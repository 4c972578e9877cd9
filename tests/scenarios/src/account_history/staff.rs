//! The principals that change an account in every way.

use anyhow::{Result, ensure};
use harness::{Bank, Message};
use serde_json::json;
use shared_events::{
    AccountId, Message as _,
    access::RoleCode,
    accounts::{
        Blocks, ChangeLimits, CloseAccount, FreezeAccount, LimitsChanged, UnfreezeAccount,
        UpdateHolder,
    },
};

use super::{acted, id_of};
use crate::{
    approvals::{approve, is_requested, with_approval},
    bank_client::{BankClient, cash, customer, opening, transfer},
    principal::{Principal, with_data},
};

/// The principals that change an account, by their roles.
pub(super) struct Staff {
    pub(super) clerk: Principal,
    /// Changes of limits need an approval.
    pub(super) decider: Principal,
    pub(super) supervisor: Principal,
}

impl Staff {
    pub(super) async fn of(bank: &Bank) -> Result<Self> {
        let limits = ["accounts.limits.change"];
        let decider = with_approval(RoleCode::Supervisor, &limits, &json!({ "none": {} }))?;
        Ok(Self {
            clerk: Principal::of_role(bank, RoleCode::Clerk).await?,
            decider: Principal::new(bank, vec![decider]).await?,
            supervisor: Principal::of_role(bank, RoleCode::Supervisor).await?,
        })
    }

    /// Opens an account, and changes it in every way until it is closed.
    pub(super) async fn live(&self, client: &BankClient, holder: &str) -> Result<AccountId> {
        let opening = opening(holder)?;
        let (account_id, bank) = (opening.account_id, &client.bank);
        let done = async |who: &Principal, message: Message, kind: &str| -> Result<()> {
            let reply = who.ask(message).await?;
            ensure!(reply["type"] == kind, "{reply}");
            Ok(())
        };
        done(&self.clerk, acted(&opening)?, "accounts.account.opened.v2").await?;
        client.wait_event("accounts.account.activated.v1", account_id).await?;
        let mut holder = opening.holder.clone();
        holder.email = Some("new@example.com".to_owned());
        let update = UpdateHolder { account_id, holder };
        done(&self.clerk, acted(&update)?, "accounts.holder.updated.v2").await?;
        let (reason, blocks) = ("card lost".to_owned(), Blocks::Debits);
        let freeze = FreezeAccount { account_id, reason, blocks };
        done(&self.clerk, acted(&freeze)?, "accounts.account.frozen.v1").await?;
        let unfreeze = UnfreezeAccount { account_id };
        done(&self.supervisor, acted(&unfreeze)?, "accounts.account.unfrozen.v1").await?;
        let limits = json!({ "account_id": account_id, "daily": "250.50", "lift": [] });
        let limits = with_data(ChangeLimits::TYPE, &limits)?;
        let id = id_of(&limits)?;
        let requested = self.decider.ask(limits).await?;
        ensure!(is_requested(&requested), "{requested}");
        approve(&self.supervisor, "accounts", id).await?;
        client.wait_event(LimitsChanged::TYPE, account_id).await?;
        ensure!(client.deposit(account_id, "5").await? == "posted");
        let close = CloseAccount { account_id, payout: None };
        let closing = "accounts.account.closing.v1";
        done(&self.clerk, acted(&close)?, closing).await?;
        client.wait_event("accounts.account.close_refused.v1", account_id).await?;
        let withdrawal = transfer(customer(account_id), cash(), "5")?;
        ensure!(client.submit(withdrawal).await? == "posted");
        done(&self.clerk, acted(&close)?, closing).await?;
        client.wait_event("accounts.account.closed.v1", account_id).await?;
        ensure!(bank.parked("accounts").await?.is_empty());
        Ok(account_id)
    }
}
