//! The driver seam: time, entropy, scheduling choice and the outside world reach the kernel here
//! and nowhere else, so that production and lab differ in one type.
//!
//! Protocol
//! 1. The kernel calls [`Driver::enqueue`] once for each time that a task becomes runnable; the
//!    driver gives the task back to [`Kernel::run`](crate::Kernel::run) exactly once for it.
//! 2. [`Driver::promote`] says that a task it holds belongs into the cancel lane now, at most once
//!    for a task. It may be on its way to the queue at that moment; its [`Runnable::lane`] is then
//!    already right. A driver that cannot move the task may give it to the kernel twice: whichever
//!    comes second is stale, and dropped there.
//! 3. The driver calls [`Kernel::advance`](crate::Kernel::advance) when the time it reports reaches
//!    [`Kernel::next_turn`](crate::Kernel::next_turn).
//!
//! No lock of a task or region is held when the kernel calls the driver (SCH-36). For `now` that of
//! the timers, or of the record of one token, may be.

use asr_base::{TaskId, Time};

use crate::blocking::Job;
use crate::cx::Caps;
use crate::inject::{Injection, Point};
use crate::task::{Phase, TaskRef};

/// What the kernel asks of the world.
pub trait Driver: Send + Sync + 'static {
    /// Monotone time since the start.
    fn now(&self) -> Time;

    /// A task became runnable.
    fn enqueue(&self, task: Runnable);

    /// Tasks became runnable, one after the other; takes them all out.
    fn enqueue_all(&self, tasks: &mut Vec<Runnable>) {
        for task in tasks.drain(..) {
            self.enqueue(task);
        }
    }

    /// A queued task got a cancel: it belongs into the cancel lane (CAN-27).
    fn promote(&self, task: TaskId);

    /// How many threads run tasks, each at a place of its own ([`Kernel::occupy`]): they keep some
    /// free records aside. 0 for a driver that does not say, and for one whose ids must be the same
    /// in each run whatever its threads are.
    ///
    /// [`Kernel::occupy`]: crate::Kernel::occupy
    fn threads(&self) -> usize {
        0
    }

    /// The effects that it interprets, of those that it may leave out: randomness and I/O. Asked
    /// once, when the kernel is made. A call for one that is left out gives `UNSUPPORTED` (CAP-11).
    fn interprets(&self) -> Caps {
        Caps::ALL
    }

    /// Randomness for the `call`-th request of a task. The lab derives it from seed, task and call
    /// only (CAP-4).
    fn entropy(&self, task: TaskId, call: u64) -> u64;

    /// What is done to a watched task at this point, in order: nothing, but in tests.
    fn inject(&self, _task: &TaskRef, _point: Point) -> Vec<Injection> {
        Vec::new()
    }

    /// Work that blocks its thread. A driver without threads to spare runs it at once.
    fn block(&self, job: Job) {
        job.run();
    }

    /// Work that was given to [`block`](Driver::block) was taken back before it began.
    fn work_withdrawn(&self) {}

    /// An earlier timer was armed: who sleeps until a later one wakes up.
    fn timer_armed(&self, deadline: Time);

    /// A shutdown began whose grace ends then: who sleeps until a timer or a wake has this to wait
    /// for as well.
    fn grace_began(&self, ends: Time) {
        self.timer_armed(ends);
    }

    /// The root region closed: nothing will run any more.
    fn root_closed(&self);
}

/// The three lanes, the preferred first (SCH-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Tasks with a cancel, or finalizing.
    Cancel,
    /// Tasks with a deadline, the earliest first.
    Timed,
    /// All others.
    Ready,
}

/// The highest priority outside of the cancel lane (SCH-3).
const HIGHEST: u8 = 199;

/// A task that wants to run: the queue's own reference to it.
#[derive(Debug)]
pub struct Runnable(pub(crate) TaskRef);

impl Runnable {
    /// The task.
    pub fn id(&self) -> TaskId {
        self.0.id()
    }

    /// The lane it belongs to now.
    pub fn lane(&self) -> Lane {
        let snapshot = self.0.word.load();
        if snapshot.cancel_pending() || snapshot.phase() == Phase::Finalizing || self.is_finalizer()
        {
            Lane::Cancel
        } else if self.0.queued.is_timed() {
            Lane::Timed
        } else {
            Lane::Ready
        }
    }

    /// The deadline that orders the timed lane.
    pub fn deadline(&self) -> Time {
        self.0.budget().deadline
    }

    /// Priority in its lane: 200 to 255 in the cancel lane (SCH-2), at most 199 elsewhere (SCH-3).
    pub fn priority(&self) -> u8 {
        let own = self.0.priority();
        if self.lane() != Lane::Cancel {
            return own.min(HIGHEST);
        }
        cancel_priority(self.0.word.load().cancel_rank(), own)
    }

    /// True once the task is complete: it needs no run.
    pub fn is_complete(&self) -> bool {
        self.0.word.load().phase() == Phase::Completed
    }

    /// Its priority is one of the cancel lane, which it is not in (SCH-3).
    pub(crate) fn is_clamped(&self) -> bool {
        self.0.priority() > HIGHEST && !self.is_stale() && self.lane() != Lane::Cancel
    }

    /// True if a run would do nothing: the task is complete, or another entry of it was faster. A
    /// hint for counts: another entry may be faster yet.
    pub fn is_stale(&self) -> bool {
        !self.0.word.load().is_queued()
    }

    /// The worker that alone may run it, if it is pinned (SCH-16).
    pub fn pin(&self) -> Option<u16> {
        self.0.pin()
    }

    fn is_finalizer(&self) -> bool {
        self.0.tier() == crate::task::Tier::Finalizer
    }
}

/// SCH-2: kinds first, then the priority of the budget, in 200 to 255.
pub fn cancel_priority(rank: u8, priority: u8) -> u8 {
    200 + 8 * rank.min(6) + (u16::from(priority) * 7 / 255) as u8
}
