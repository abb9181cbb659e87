//! What a runtime is built from: every value a method, every value a key of a file (SCH-44).
//!
//! Invariants
//! 1. Methods and keys come from one table, [`keys`], so neither can lack the other.
//! 2. A value outside its domain is kept until [`Builder::start`], which refuses it; a file refuses
//!    its own at once, with the line.
//! 3. Every refusal is `BAD_ARGUMENT` and names the key.

mod deadlines;
mod file;
mod govern;
mod keys;
mod layout;
mod record;
mod value;
mod waits;

use std::fmt::Write;
use std::path::Path;

use asr_base::{Error, Failure, Outcome, Status};
use asr_kernel::deadline::Warning;
use asr_kernel::futurelock::Futurelock;
use asr_kernel::sched::governor::{Governor, GovernorConfig};
use asr_kernel::{Config, Cx, WorkersConfig};

use deadlines::Deadlines;
use govern::Govern;
pub use layout::Layout;
use record::Record;
use waits::Waits;

use crate::tasks::Tasks;

/// A runtime to be: how many workers, which limits.
///
/// ```
/// use asr_rt::{Builder, Outcome};
///
/// let outcome = Builder::new().workers(2).run(async |cx| {
///     let child = cx.spawn(async |_| Ok(6 * 7))?;
///     child.join(&cx).await?.into_result()
/// });
/// assert!(matches!(outcome, Outcome::Ok(42)));
/// ```
///
/// What a method sets, a file can set too:
///
/// ```
/// use asr_rt::{Builder, Status};
///
/// let file = "
///     coop_budget = 64
///     shutdown_grace = '2 s'
/// ";
/// let builder = Builder::new().config_text("asr.toml", file)?;
/// assert!(builder.to_toml().contains("coop_budget = 64"));
///
/// let refused = Builder::new().config_text("asr.toml", "coop_budgt = 64").unwrap_err();
/// assert_eq!(refused.kind(), Status::BAD_ARGUMENT);
/// assert_eq!(
///     refused.message(),
///     "asr.toml:1: there is no key `coop_budgt`; did you mean `coop_budget`?"
/// );
/// # Ok::<(), asr_rt::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    workers: WorkersConfig,
    kernel: Config,
    queue_capacity: Option<usize>,
    deadlines: Deadlines,
    waits: Waits,
    govern: Govern,
    layout: Option<Layout>,
    record: Record,
}

impl Builder {
    /// Every value as its rule says.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Takes the values of a TOML file. What it does not name stays as it is.
    ///
    /// # Errors
    /// `BAD_ARGUMENT` that names file, line and key: of a key that there is not, of a value of the
    /// wrong type or outside its domain, of text that is no TOML. The system's error if the file
    /// cannot be read.
    pub fn config_file(self, path: impl AsRef<Path>) -> Result<Builder, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let kind = Error::from(error);
            Error::new(
                kind.kind(),
                format!("{}: {}", path.display(), kind.message()),
            )
        })?;
        self.config_text(&path.display().to_string(), &text)
    }

    /// The same for a text; `name` stands for the file in errors.
    ///
    /// # Errors
    /// As for [`config_file`](Builder::config_file).
    pub fn config_text(mut self, name: &str, text: &str) -> Result<Builder, Error> {
        file::read(&mut self, text)
            .map_err(|refused| refuse(format!("{name}:{}: {}", refused.line, refused.what)))?;
        Ok(self)
    }

    /// A TOML file of every key, with what it is and the value it has here. A key without a value
    /// stands in a comment, with an example.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for key in keys::KEYS {
            for line in key.docs {
                writeln!(text, "#{line}").expect("a string takes it");
            }
            let (mark, value) = match (key.show)(self) {
                Some(value) => ("", value),
                None => ("# ", key.example.to_owned()),
            };
            writeln!(text, "{mark}{} = {value}\n", key.name).expect("a string takes it");
        }
        text
    }

    /// Who is told of tasks that are about to miss their deadline, instead of standard error. Turns
    /// the monitor on.
    pub fn on_deadline_warning(
        mut self,
        warn: impl Fn(&Warning) + Send + Sync + 'static,
    ) -> Builder {
        self.deadlines.on = true;
        self.deadlines.tell(warn);
        self
    }

    /// Who is told of tasks that are not polled while others wait for what they hold, instead of
    /// standard error.
    pub fn on_futurelock(
        mut self,
        report: impl Fn(&Futurelock) + Send + Sync + 'static,
    ) -> Builder {
        self.waits.tell(report);
        self
    }

    /// Makes the governor of each worker, by its number (SCH-38). Turns governors on.
    pub fn govern_with(
        mut self,
        make: impl Fn(usize) -> Box<dyn Governor> + Send + Sync + 'static,
    ) -> Builder {
        self.govern.on = true;
        self.govern.make = Some(GovernorConfig::new(make));
        self
    }

    /// A runtime that is ready to run.
    ///
    /// # Errors
    /// `BAD_ARGUMENT` that names the value that is outside its domain; the system's error if it
    /// gives no threads.
    pub fn start(mut self) -> Result<Tasks, Error> {
        for key in keys::KEYS {
            (key.check)(&self).map_err(|what| refuse(format!("{}: {what}", key.name)))?;
        }
        let pool = &self.workers.pool;
        if pool.min_threads > pool.max_threads {
            return Err(refuse(format!(
                "blocking_min_threads: {} is more than blocking_max_threads, {}",
                pool.min_threads, pool.max_threads
            )));
        }
        self.kernel.monitor = self.deadlines.monitor();
        self.kernel.futurelock = Some(self.waits.config);
        self.kernel.governor = self.govern.config().map_err(refuse)?;
        if let Some(capacity) = self.queue_capacity {
            self.kernel.queue_capacity = capacity;
        }
        self.workers.topology = self.layout.map(Layout::into_topology);
        Tasks::start(self.workers, self.kernel, self.record.recorder())
    }

    /// Starts a runtime, runs `main` as its first task, and returns once nothing of it runs any
    /// more. What cannot start is an `Err`.
    pub fn run<T, F, Fut>(self, main: F) -> Outcome<T, Error>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        match self.start() {
            Ok(tasks) => tasks.run(main),
            Err(error) => Outcome::Err(error),
        }
    }
}

fn refuse(what: String) -> Error {
    Error::new(Status::BAD_ARGUMENT, what).permanent()
}
