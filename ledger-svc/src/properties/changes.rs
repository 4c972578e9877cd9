//! Changes of the state that no instruction of a client makes, as a test calls them.

use super::*;

/// The changes that follow no instruction of a client, as a test makes them.
pub(crate) trait Changes {
    fn follow(
        &mut self,
        cause: CommandId,
        key: (AccountId, i64),
        change: &AccountChange,
        now: Now,
    ) -> Applied;
    fn expire(&mut self, hold: TransferId, now: Now) -> Option<TransferId>;
    fn execute(&mut self, order: &Order, now: Now, calendar: &Calendar) -> Execution;
    fn capitalise(&mut self, month: &MonthlyInterest, now: Now) -> Option<Capitalised>;
    fn take_digits_off(&mut self, account: AccountId, now: Now) -> Option<TransferId>;
}

impl Changes for PostingState {
    fn follow(
        &mut self,
        cause: CommandId,
        key: (AccountId, i64),
        change: &AccountChange,
        now: Now,
    ) -> Applied {
        let mut settlement = Settlement::default();
        account_lifecycle::apply(self, &mut settlement, cause, key, change, now)
    }

    fn expire(&mut self, hold: TransferId, now: Now) -> Option<TransferId> {
        hold_expiry::expire(self, hold, now)
    }

    fn execute(&mut self, order: &Order, now: Now, calendar: &Calendar) -> Execution {
        standing_orders::execute(self, order, now, calendar)
    }

    fn capitalise(&mut self, month: &MonthlyInterest, now: Now) -> Option<Capitalised> {
        interest_rules::capitalise(self, month, now)
    }

    fn take_digits_off(&mut self, account: AccountId, now: Now) -> Option<TransferId> {
        digit_correction::correct(self, account, now)
    }
}
