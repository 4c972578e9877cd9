//! The command line. Promise: standard output carries results and nothing else; an error is one
//! line of standard error; the exit code tells the caller's next step.
//!
//! Each group of commands has a file. A command checks its input, connects, does one thing through
//! a library, and shows the result as a table or as JSON.

mod access;
mod access_log;
mod account;
mod account_history;
mod approvals;
mod audit;
mod books;
mod client;
mod completions;
mod failure;
mod global;
mod hold;
mod instruct;
mod interest;
mod legacy;
mod monitor;
mod moves;
mod notify;
mod order;
mod outcome;
mod output;
mod parked;
mod pay;
mod period;
mod progress;
mod search;
mod session;
mod spreadsheet;
mod statement;
mod terms;
mod transfer;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

use failure::Failure;
use global::Global;
use session::Session;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused by the bank; the reason code is printed. Of a file: some rows were rejected
  2  wrong input; the field and the rule are printed. Of a file: some rows were left out
  3  no answer: the bank cannot be reached, or there was no outcome in time. What was sent may
     still be done: send it again with the same --id, which has one effect and one outcome
  4  the books do not verify (`audit verify`), or a statement of chain ends contradicts an earlier
     one (`audit witness`); the first row that differs, or the contradiction, is printed

Names of accounts:
  an account is named by its id, its IBAN or its external reference (`ref:...` where it could be
  taken for one of the others); the bank's own accounts by their code: code:cash, code:cards,
  code:fees, code:interest_paid, code:interest_received, code:penalty_interest,
  code:fx_position, code:fx_rounding, code:settlement:<BANK>

Passwords:
  TELLER_AMQP_PASSWORD, or the content of the file that TELLER_AMQP_PASSWORD_FILE names, or the
  one in the URL. Only with BANKWIRE_DEVELOPMENT_SECRETS=1 the public one: `<user>-dev`";

/// Publishes the bank's commands, asks its questions and watches its events.
#[derive(Debug, Parser)]
#[command(name = "teller", version, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open, freeze, unfreeze, close, erase and look up accounts
    #[command(subcommand)]
    Account(account::Command),
    /// Change how far below zero an account may go, and how much may leave it
    #[command(subcommand)]
    Limits(terms::Limits),
    /// Change the holder of an account
    #[command(subcommand)]
    Holder(terms::Holder),
    /// Pay cash into an account
    Deposit(transfer::Deposit),
    /// Take cash out of an account
    Withdraw(transfer::Withdraw),
    /// Transfer money from one account to another
    Transfer(transfer::Between),
    /// Reserve money (a hold), and capture or release it later
    #[command(subcommand)]
    Hold(hold::Command),
    /// Move money of a posted transfer back, all of it or a part
    Reverse(moves::Back),
    /// Move money among 2 to 100 accounts at once
    Split(moves::Split),
    /// Move money from one currency into another
    Exchange(moves::Convert),
    /// Send a JSON file of instructions, each for itself or in groups
    Instruct(instruct::Instruct),
    /// Look up instructions of every kind
    #[command(subcommand)]
    Instruction(instruct::Lookup),
    /// Show the outcome of a transfer
    TransferStatus(transfer::Status),
    /// Send a CSV file of payments
    Pay(pay::Pay),
    /// Show the balance of an account, now or earlier
    Balance(books::Balance),
    /// Show the entries of an account, with opening and closing balance
    Statement(statement::Statement),
    /// Find entries of an account, or payments of the whole bank
    Search(search::Search),
    /// Set and show the terms of interest and fees of an account
    #[command(subcommand)]
    Terms(interest::Terms),
    /// Show the accrued interest of an account, day by day
    Interest(interest::Interest),
    /// Watch balances of accounts
    #[command(subcommand)]
    Monitor(monitor::Monitor),
    /// Set, cancel and show standing orders and scheduled transfers
    #[command(subcommand)]
    Order(order::Order),
    /// Close accounting periods, and show the possible booking dates
    #[command(subcommand)]
    Period(period::Period),
    /// Show the sums over all accounts, which are zero for each currency
    TrialBalance(books::TrialBalance),
    /// Show notifications, and send their deliveries again
    #[command(subcommand)]
    Notifications(notify::Notifications),
    /// Set and show the notification preferences of an account's holder
    #[command(subcommand)]
    Preferences(notify::Preferences),
    /// Show events as they happen
    Watch(watch::Watch),
    /// Show parked messages; replay, drop or edit them
    #[command(subcommand)]
    Parked(parked::Command),
    /// Show the commands that wait for an approval; approve or decline them
    #[command(subcommand)]
    Approvals(approvals::Command),
    /// Show and change who may do what: principals, their roles, branches and ceilings; show who
    /// has asked for what
    #[command(subcommand)]
    Access(access::Access),
    /// Add and list clients of the bank, give them new passwords, remove them
    #[command(subcommand)]
    Client(client::Command),
    /// Prove the books, and export the journal that proves them
    #[command(subcommand)]
    Audit(audit::Command),
    /// Import a legacy bank's books, and compare
    #[command(subcommand)]
    Legacy(legacy::Command),
    /// Print completions for a shell
    Completions(completions::Completions),
}

fn main() -> ExitCode {
    output::keep_panics_visible();
    let Cli { global, command } = match Cli::try_parse() {
        Ok(parsed) => parsed,
        Err(error) => return failure::wrong_arguments(&error),
    };
    let mut session = Session::new(global);
    let runtime = Runtime::new().expect("the system lets a process have threads");
    let ended = runtime.block_on(run(command, &mut session));
    // The driver's thread waits by the runtime's clock until the process ends. A runtime that is
    // shut down before makes it panic, which stands on standard error behind the result.
    std::mem::forget(runtime);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(session.json()),
    }
}

async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::Account(command) => command.run(session).await,
        Command::Limits(command) => command.run(session).await,
        Command::Holder(command) => command.run(session).await,
        Command::Deposit(command) => command.run(session).await,
        Command::Withdraw(command) => command.run(session).await,
        Command::Transfer(command) => command.run(session).await,
        Command::Hold(command) => command.run(session).await,
        Command::Reverse(command) => command.run(session).await,
        Command::Split(command) => command.run(session).await,
        Command::Exchange(command) => command.run(session).await,
        Command::Instruct(command) => command.run(session).await,
        Command::Instruction(command) => command.run(session).await,
        Command::TransferStatus(command) => command.run(session).await,
        Command::Pay(command) => command.run(session).await,
        Command::Balance(command) => command.run(session).await,
        Command::Statement(command) => command.run(session).await,
        Command::Search(command) => command.run(session).await,
        Command::Terms(command) => command.run(session).await,
        Command::Interest(command) => command.run(session).await,
        Command::Monitor(command) => command.run(session).await,
        Command::Order(command) => command.run(session).await,
        Command::Period(command) => command.run(session).await,
        Command::Approvals(command) => command.run(session).await,
        Command::Access(command) => command.run(session).await,
        Command::TrialBalance(command) => command.run(session).await,
        Command::Notifications(command) => command.run(session).await,
        Command::Preferences(command) => command.run(session).await,
        Command::Watch(command) => command.run(session).await,
        Command::Parked(command) => command.run(session).await,
        Command::Client(command) => command.run(session).await,
        Command::Audit(command) => command.run(session).await,
        Command::Legacy(command) => command.run(session).await,
        Command::Completions(command) => command.run(session),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
