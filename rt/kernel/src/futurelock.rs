//! Futurelocks in production (OBL-19): a task that holds what another waits for, and is not polled
//! for long, mostly waits itself, in a branch of a `select` that nobody polls any more.
//!
//! What there is to wait for lives with its users, who move and drop it as they like. So the first
//! task that waits for a resource, in a runtime that looks for futurelocks, gives it a
//! [`Contended`], which both the resource and the kernel know: who waits first, who holds. Who
//! holds is noted by each holder, beside the resource until it has one; nothing else is paid where
//! nobody waits.
//!
//! Protocol of the timer
//! 1. Whoever begins to wait arms it, unless it is armed. A look first says that it is not, then
//!    looks, and arms it again while somebody waits for a holder that was not yet told of. So it
//!    does not run while nobody waits.
//! 2. A waiter writes that it waits, then reads whether the timer is armed; a look writes that it
//!    is not, then reads who waits. Both with a sequentially consistent fence between, so one of
//!    the two is later and sees the other.
//! 3. A holder that two looks find in one and the same poll, put down and not called, was idle
//!    between them.
//!
//! It may miss one: of the holders of a resource of many units the last comer alone is noted, and a
//! holder that takes a resource while its first waiter comes may be overlooked until the next one.
//! It tells of none that is not: who gives back takes his note away first. (But a guard that was
//! forgotten outlives its task, and is then said to be held by the next with that record.)

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Weak};

use asr_base::{Duration, Error, RegionId, Status, TaskId, Time};
use asr_trace::Resource;

use crate::event;
use crate::kernel::Kernel;
use crate::kernel::timers::Target;
use crate::obligation::Kind;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*, fence};
use crate::sync::{Mutex, lock, rank};
use crate::task::Phase;
use crate::task::cell::contained;

/// What the monitor is configured with.
#[derive(Clone)]
pub struct FuturelockConfig {
    /// A holder that others wait for may go without a poll for so long: 10 s; 1 ms at least.
    pub idle: Duration,
    /// Told of each futurelock.
    pub report: Arc<dyn Fn(&Futurelock) + Send + Sync>,
}

impl FuturelockConfig {
    /// The shortest time without a poll.
    pub const SHORTEST: Duration = Duration::from_millis(1);

    /// The default, and who is told.
    pub fn new(report: impl Fn(&Futurelock) + Send + Sync + 'static) -> FuturelockConfig {
        FuturelockConfig {
            idle: Duration::from_secs(10),
            report: Arc::new(report),
        }
    }

    /// The same, if every value makes sense.
    ///
    /// # Errors
    /// `BAD_ARGUMENT`, naming the value.
    pub fn checked(self) -> Result<FuturelockConfig, Error> {
        if self.idle < FuturelockConfig::SHORTEST {
            let what = "futurelock: `idle` must be 1 ms at least";
            return Err(Error::new(Status::BAD_ARGUMENT, what));
        }
        Ok(self)
    }
}

impl fmt::Debug for FuturelockConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuturelockConfig")
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// A task that keeps another from what it holds, and is not polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Futurelock {
    /// Who holds it.
    pub holder: TaskId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its region.
    pub region: RegionId,
    /// The kind of obligation that it holds.
    pub kind: Kind,
    /// The name of the kind.
    pub kind_name: Cow<'static, str>,
    /// What it holds.
    pub resource: Resource,
    /// Who waits for it, first of all.
    pub waiter: TaskId,
    /// For how long the holder was seen without a poll.
    pub idle: Duration,
}

impl fmt::Display for Futurelock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "futurelock: {}", self.holder)?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        write!(f, " holds a {} of ", self.kind_name)?;
        match self.resource {
            Resource::Lock(number) => write!(f, "lock {number}")?,
            Resource::Channel(number, _) => write!(f, "channel {number}")?,
            other => write!(f, "{other:?}")?,
        }
        let Futurelock { waiter, idle, .. } = self;
        write!(
            f,
            ", for which {waiter} waits, and was not polled for {idle:?}"
        )
    }
}

/// A resource that somebody waited for. Its owner keeps what it says true.
#[derive(Debug)]
pub struct Contended {
    kind: Kind,
    resource: Resource,
    /// Mark of a task; 0 is nobody.
    holder: AtomicUsize,
    /// Bits of an id; 0 is nobody.
    waiter: AtomicU64,
}

impl Contended {
    /// Who waits first; 0 if nobody does. Relaxed, as the next: what is read is looked at again
    /// before anybody is told of it.
    #[inline]
    pub fn waits(&self, waiter: u64) {
        self.waiter.store(waiter, Relaxed);
    }

    /// The mark of who holds it; 0 if nobody is known to.
    #[inline]
    pub fn holds(&self, holder: usize) {
        self.holder.store(holder, Relaxed);
    }
}

/// A resource, and its holder as the look before found it.
struct Seen {
    contended: Weak<Contended>,
    last: Option<Last>,
}

struct Last {
    holder: TaskId,
    /// Polls that had begun.
    turn: u8,
    since: Time,
    told: bool,
}

/// What a kernel knows of resources. See the module.
pub(crate) struct Futurelocks {
    config: FuturelockConfig,
    seen: Mutex<Vec<Seen>, rank::Futurelocks>,
    /// The timer is armed.
    armed: AtomicBool,
}

impl Futurelocks {
    pub(crate) fn new(config: FuturelockConfig) -> Futurelocks {
        Futurelocks {
            config,
            seen: Mutex::new(Vec::new()),
            armed: AtomicBool::new(false),
        }
    }

    /// A resource that somebody waits for.
    pub(crate) fn contended(&self, kind: Kind, resource: Resource) -> Arc<Contended> {
        let contended = Arc::new(Contended {
            kind,
            resource,
            holder: AtomicUsize::new(0),
            waiter: AtomicU64::new(0),
        });
        lock(&self.seen).push(Seen {
            contended: Arc::downgrade(&contended),
            last: None,
        });
        contended
    }

    /// Somebody waits: it has been written who.
    pub(crate) fn arm(&self, kernel: &Kernel) {
        // Step 2 of the protocol.
        fence(SeqCst);
        if !self.armed.load(Relaxed) && !self.armed.swap(true, Relaxed) {
            // Four looks, so that a holder is told of soon after it has been idle for so long.
            let pause = (self.config.idle / 4).max(FuturelockConfig::SHORTEST);
            // Refused once the root has closed: then nobody waits.
            let _ = kernel.timer_set(kernel.now().saturating_add(pause), Target::Futurelocks);
        }
    }

    /// Looks at each resource. True if there is a reason to look again.
    fn look(&self, kernel: &Kernel) -> bool {
        self.armed.store(false, Relaxed);
        fence(SeqCst);
        let now = kernel.now();
        // Taken out: tasks are looked at without the lock.
        let mut all = std::mem::take(&mut *lock(&self.seen));
        let mut again = false;
        all.retain_mut(|seen| {
            let Some(contended) = seen.contended.upgrade() else {
                return false;
            };
            let found = seen.look(kernel, &contended, now, self.config.idle);
            again |= matches!(found, Found::Watch);
            if let Found::Lock(report) = found {
                kernel.stats().futurelocks.add(1);
                contained(|| event::futurelock_of(kernel, &report));
                contained(|| (self.config.report)(&report));
            }
            true
        });
        lock(&self.seen).append(&mut all);
        again
    }
}

enum Found {
    /// Nobody waits, or it was told of.
    Nothing,
    /// Somebody waits.
    Watch,
    Lock(Futurelock),
}

impl Seen {
    fn look(&mut self, kernel: &Kernel, of: &Contended, now: Time, limit: Duration) -> Found {
        let before = self.last.take();
        let Some(waiter) = TaskId::from_bits(of.waiter.load(Relaxed)) else {
            return Found::Nothing;
        };
        let Some(task) = kernel.marked(of.holder.load(Relaxed)) else {
            return Found::Watch;
        };
        let word = task.word.load();
        if word.is_polling() || word.is_notified() || word.phase() == Phase::Completed {
            return Found::Watch;
        }
        let (holder, turn) = (task.id(), task.turns_since(0));
        let same = before.filter(|last| last.holder == holder && last.turn == turn);
        let last = self.last.insert(same.unwrap_or(Last {
            holder,
            turn,
            since: now,
            told: false,
        }));
        let idle = now.since(last.since);
        if last.told {
            return Found::Nothing;
        }
        if idle <= limit {
            return Found::Watch;
        }
        last.told = true;
        Found::Lock(Futurelock {
            holder,
            name: task.name(),
            region: task.region_id(),
            kind: of.kind,
            kind_name: (kernel.obligations().info(of.kind))
                .map_or_else(Cow::default, |info| info.name.clone()),
            resource: of.resource,
            waiter,
            idle,
        })
    }
}

/// The timer fired.
pub(crate) fn turn(kernel: &Kernel) {
    if let Some(futurelocks) = kernel.futurelocks()
        && futurelocks.look(kernel)
    {
        futurelocks.arm(kernel);
    }
}
