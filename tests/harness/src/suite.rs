//! The list of facts and their run. Promise: each fact has a bank of its own, which is removed
//! afterwards; the error of a fact that fails comes with the logs of its services, and fails the
//! run.

use std::{
    panic::AssertUnwindSafe,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use futures_util::{FutureExt, future::LocalBoxFuture};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::{Handle, Runtime};

use crate::{
    Bank, binaries,
    diagnosis::diagnosis,
    results::{Results, cause},
    run::Run,
};

/// Facts wait more than they work.
const THREADS: usize = 4;
/// A fact that takes longer hangs.
const FACT_DEADLINE: Duration = Duration::from_secs(300);
/// The folders of the facts, as backtraces name them.
const FACTS: [&str; 2] = ["tests/conformance/", "tests/scenarios/"];
/// The duration of each fact, slowest first, in a file beside the logs of the services.
const DURATIONS: &str = "times.txt";

type Check = Box<dyn FnOnce(Bank) -> LocalBoxFuture<'static, Result<()>> + Send>;

/// Something that must hold, and how to find out. Made by [`facts!`](crate::facts).
pub struct Fact {
    name: String,
    own_broker: bool,
    deadline: Duration,
    check: Check,
}

impl Fact {
    /// A fact, named by the path of the function that checks it.
    pub fn new<F, Fut>(path: &str, check: F) -> Self
    where
        F: FnOnce(Bank) -> Fut + Send + 'static,
        Fut: Future<Output = Result<()>> + 'static,
    {
        let bare = path.split('<').next().unwrap_or(path).replace(' ', "");
        let name = bare.trim_end_matches(':').rsplit("::").next().unwrap_or_default().to_owned();
        let check: Check = Box::new(|bank| check(bank).boxed_local());
        Self { name, own_broker: false, deadline: FACT_DEADLINE, check }
    }

    /// The same fact, under a heading: `ledger::a_duplicate_delivery_has_one_effect`.
    #[must_use]
    pub fn under(mut self, heading: &str) -> Self {
        self.name = format!("{heading}::{}", self.name);
        self
    }

    /// The same fact, with a broker that it may restart. Such facts run one after another.
    #[must_use]
    pub fn with_own_broker(mut self) -> Self {
        self.own_broker = true;
        self
    }

    /// The same fact, which hangs only if it takes longer than this.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// Facts from the functions that check them: `async fn(Bank) -> Result<()>`.
#[macro_export]
macro_rules! facts {
    ($($check:expr),+ $(,)?) => {
        vec![$($crate::Fact::new(stringify!($check), $check),)+]
    };
}

/// Runs what the command line asks for. The whole of the test binary's `main`.
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "this is what a test harness does")]
pub fn run(facts: Vec<Fact>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let named = |fact: &Fact| Trial::test(fact.name.clone(), || Ok(()));
    if arguments.list || facts.iter().all(|fact| arguments.is_filtered_out(&named(fact))) {
        // Nothing will be checked: no container is needed.
        let named = facts.iter().map(named).collect();
        return libtest_mimic::run(&arguments, named).exit_code();
    }
    for outdated in binaries::outdated() {
        eprintln!("\nwarning: {outdated}: cargo build --workspace");
    }
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("integration tests: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Containers are removed within the runtime, also while unwinding.
    let _within = runtime.enter();
    let run = match runtime.block_on(Run::start()) {
        Ok(run) => Arc::new(run),
        Err(error) => {
            eprintln!("integration tests: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let results = Results::default();
    let trial = |fact: Fact| {
        let (run, results) = (Arc::clone(&run), results.clone());
        let (name, handle) = (fact.name.clone(), runtime.handle().clone());
        Trial::test(name, move || check(&run, &handle, fact, &results))
    };
    let trials = facts.into_iter().map(trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Err(error) = std::fs::write(run.folder.join(DURATIONS), results.all_durations()) {
        eprintln!("integration tests: {DURATIONS}: {error}");
    }
    if let Some(run) = Arc::into_inner(run)
        && let Err(error) = runtime.block_on(run.stop())
    {
        eprintln!("integration tests: a container was not removed: {error:#}");
    }
    // The last lines: a reader of a long run looks for the facts that failed here.
    println!("{}", results.report());
    conclusion.exit_code()
}

/// The error of a fact: for the report, and in full with the logs of its services.
struct Failure {
    cause: String,
    diagnosis: String,
    text: String,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let (cause, text) = (cause(&error), with_causes(&error));
        Self { cause, diagnosis: String::new(), text }
    }
}

/// Opens a bank, checks one fact in it, closes it.
fn check(run: &Arc<Run>, handle: &Handle, fact: Fact, results: &Results) -> Result<(), Failed> {
    let began = Instant::now();
    let name = fact.name.clone();
    let checked = handle.block_on(check_in_bank(run, fact));
    let shown = |failure: &Failure| (failure.cause.clone(), failure.diagnosis.clone());
    let failure = checked.as_ref().err().map(shown);
    results.add(name, began.elapsed(), failure);
    checked.map_err(|failure| Failed::from(failure.text))
}

async fn check_in_bank(run: &Arc<Run>, fact: Fact) -> Result<(), Failure> {
    let own_broker = match fact.own_broker {
        true => Some(run.own_broker().await?),
        false => None,
    };
    let bank = Bank::open(Arc::clone(run), &fact.name, own_broker).await?;
    let checking = AssertUnwindSafe((fact.check)(bank.clone())).catch_unwind();
    let checked = match tokio::time::timeout(fact.deadline, checking).await {
        Ok(Ok(checked)) => checked,
        Ok(Err(panic)) => Err(anyhow!("panicked: {}", panic_message(&*panic))),
        Err(_) => Err(anyhow!("not done after {} s", fact.deadline.as_secs())),
    };
    let checked = match checked {
        Ok(()) => Ok(()),
        Err(error) => Err(diagnosed(error.into(), &bank).await),
    };
    let closed = bank.close().await.map_err(Failure::from);
    checked.and(closed)
}

/// A failure with what the bank was doing, and the last lines of its services' logs.
async fn diagnosed(failure: Failure, bank: &Bank) -> Failure {
    let instances = bank.instances();
    let diagnosis = diagnosis(bank, &instances).await;
    let logs: String = instances.iter().map(|instance| instance.log_tail(30)).collect();
    let text = format!("{}\n{diagnosis}\n{logs}", failure.text);
    Failure { diagnosis, text, ..failure }
}

/// An error with its causes, and its place in the facts if `RUST_BACKTRACE` is set.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  because: {cause}"));
    }
    let backtrace = error.backtrace().to_string();
    let is_of_facts = |line: &&str| FACTS.iter().any(|folder| line.contains(folder));
    for line in backtrace.lines().filter(is_of_facts) {
        text.push_str(&format!("\n  {}", line.trim()));
    }
    text
}

/// The message of a panic.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}
