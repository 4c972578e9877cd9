//! The list of facts, and how they are run. Promise: each fact has a bank of its own, which is gone
//! afterwards; a fact that fails is told with the logs of its services.

use std::{
    panic::AssertUnwindSafe,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use futures_util::{FutureExt, future::LocalBoxFuture};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::{Handle, Runtime};

use crate::{Bank, binaries, run::Run};

/// Facts wait more than they work.
const THREADS: usize = 4;
/// A fact that takes longer hangs.
const FACT_DEADLINE: Duration = Duration::from_secs(300);
const SLOWEST_SHOWN: usize = 5;
/// The folders of the facts, as backtraces name them.
const FACTS: [&str; 2] = ["tests/conformance/", "tests/scenarios/"];
/// How long each fact took, slowest first, beside the logs of the services.
const TIMES: &str = "times.txt";

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
    let times = Times::default();
    let trial = |fact: Fact| {
        let (run, times) = (Arc::clone(&run), times.clone());
        let (name, handle) = (fact.name.clone(), runtime.handle().clone());
        Trial::test(name, move || check(&run, &handle, fact, &times))
    };
    let trials = facts.into_iter().map(trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    println!("{}", times.slowest());
    if let Err(error) = std::fs::write(run.folder.join(TIMES), times.all()) {
        eprintln!("integration tests: {TIMES}: {error}");
    }
    if let Some(run) = Arc::into_inner(run)
        && let Err(error) = runtime.block_on(run.stop())
    {
        eprintln!("integration tests: a container was not removed: {error:#}");
    }
    conclusion.exit_code()
}

/// Opens a bank, checks one fact in it, closes it.
fn check(run: &Arc<Run>, handle: &Handle, fact: Fact, times: &Times) -> Result<(), Failed> {
    let began = Instant::now();
    let checked = handle.block_on(async {
        let own = match fact.own_broker {
            true => Some(run.own_broker().await.map_err(|error| told(&error))?),
            false => None,
        };
        let bank = Bank::open(Arc::clone(run), &fact.name, own).await;
        let bank = bank.map_err(|error| told(&error))?;
        let checking = AssertUnwindSafe((fact.check)(bank.clone())).catch_unwind();
        let checked = match tokio::time::timeout(fact.deadline, checking).await {
            Ok(Ok(checked)) => checked,
            Ok(Err(panic)) => Err(anyhow!("panicked: {}", said(&*panic))),
            Err(_) => Err(anyhow!("not done after {} s", fact.deadline.as_secs())),
        };
        let checked = checked.map_err(|error| format!("{}\n{}", told(&error), bank.report()));
        let closed = bank.close().await.map_err(|error| told(&error));
        checked.and(closed)
    });
    times.took(fact.name, began.elapsed());
    checked.map_err(Failed::from)
}

/// An error with its causes, and where in the facts it arose, if `RUST_BACKTRACE` is set.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  because: {cause}"));
    }
    let backtrace = error.backtrace().to_string();
    for line in backtrace.lines().filter(|line| FACTS.iter().any(|folder| line.contains(folder))) {
        text.push_str(&format!("\n  {}", line.trim()));
    }
    text
}

/// What a panic says.
fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}

/// How long each fact took.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<(String, Duration)>>>);

impl Times {
    fn took(&self, name: String, time: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, time));
    }

    /// A line for each fact, the slowest first.
    fn lines(&self) -> Vec<String> {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        times.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        let line =
            |(name, time): &(String, Duration)| format!("  {:6.1} s  {name}", time.as_secs_f32());
        times.iter().map(line).collect()
    }

    fn all(&self) -> String {
        self.lines().join("\n") + "\n"
    }

    fn slowest(&self) -> String {
        let lines = self.lines();
        format!("slowest:\n{}", lines[..lines.len().min(SLOWEST_SHOWN)].join("\n"))
    }
}
