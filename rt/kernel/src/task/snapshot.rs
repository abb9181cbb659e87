//! The bits of the state word, one reading of it, and what its changes report.

pub(super) const WAKE: u64 = 0b11;
/// Nobody will poll until somebody wakes.
pub(super) const IDLE: u64 = 0;
/// In exactly one queue.
pub(super) const NOTIFIED: u64 = 1;
/// Being polled.
pub(super) const POLLING: u64 = 2;
/// Being polled, and woken since that poll began.
pub(super) const POLLING_NOTIFIED: u64 = 3;

pub(super) const PHASE_SHIFT: u32 = 2;
pub(super) const PHASE: u64 = 0b111 << PHASE_SHIFT;

/// The task lives inside the future of its scope. Never changes.
pub(super) const FIBER: u64 = 1 << 5;
/// A cancel was requested. Never unset.
pub(super) const CANCEL: u64 = 1 << 6;
/// The cleanup budget ended: drop the future instead of polling it. Never unset.
pub(super) const ESCALATE: u64 = 1 << 7;
/// The future is dropped because of a cancel or a panic: tokens that go with it are no leaks.
pub(super) const UNWINDING: u64 = 1 << 8;
/// Nobody will ask for the output.
pub(super) const HANDLE_GONE: u64 = 1 << 9;
/// The output was moved out.
pub(super) const TAKEN: u64 = 1 << 10;

/// The driver is asked at its polls and cancel points. Set before the task is queued.
pub(super) const WATCHED: u64 = 1 << 11;

/// A finalizer of the task was registered since its end last looked for some.
pub(super) const DEFERRED: u64 = 1 << 12;

/// A scope of the task was opened outside its own polls. Never unset.
pub(super) const SCOPED: u64 = 1 << 13;

/// Its poll lasts long: the next checkpoint takes this, and the task yields where it can.
pub(super) const YIELD: u64 = 1 << 14;

/// Wakers that are not the task's own were registered for its cancel. Never unset.
pub(super) const AWAITED: u64 = 1 << 15;

/// The rank of the strongest kind of cancel that was requested.
pub(super) const RANK_SHIFT: u32 = 16;
pub(super) const RANK: u64 = 0b111 << RANK_SHIFT;

/// Which thread polls compiled code of the task, by its number (`compiled::poller`); 0 is none.
pub(super) const POLLER_SHIFT: u32 = 19;
pub(super) const POLLER: u64 = 0x7ff << POLLER_SHIFT;

/// Its handle is with compiled code, which names it by the id of the task.
pub(super) const LENT: u64 = 1 << 30;

pub(super) const REF: u64 = 1 << 32;

/// How far a task is (TSK-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Not polled yet.
    Created = 0,
    /// Polled, no cancel.
    Running = 1,
    /// A cancel was requested and not observed yet.
    CancelRequested = 2,
    /// The cancel was observed: the task cleans up.
    Cancelling = 3,
    /// The body ended; finalizers of the task run.
    Finalizing = 4,
    /// The outcome stands.
    Completed = 5,
}

impl Phase {
    const ALL: [Phase; 6] = [
        Phase::Created,
        Phase::Running,
        Phase::CancelRequested,
        Phase::Cancelling,
        Phase::Finalizing,
        Phase::Completed,
    ];

    pub(super) fn of(word: u64) -> Phase {
        Phase::ALL[((word & PHASE) >> PHASE_SHIFT) as usize]
    }
}

/// One reading of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot(pub(super) u64);

impl Snapshot {
    /// How far the task was.
    pub fn phase(self) -> Phase {
        Phase::of(self.0)
    }

    /// A cancel was requested, observed or not.
    pub fn cancel_pending(self) -> bool {
        self.0 & CANCEL != 0
    }

    /// The rank of the strongest kind of cancel that was requested; 0 without one.
    pub fn cancel_rank(self) -> u8 {
        ((self.0 & RANK) >> RANK_SHIFT) as u8
    }

    /// Somebody registered a waker for the cancel.
    pub fn is_awaited(self) -> bool {
        self.0 & AWAITED != 0
    }

    /// The driver is asked at its polls and cancel points.
    pub fn is_watched(self) -> bool {
        self.0 & WATCHED != 0
    }

    /// The next poll drops the future instead.
    pub fn escalated(self) -> bool {
        self.0 & ESCALATE != 0
    }

    /// The future is being dropped because of a cancel or a panic.
    pub fn unwinding(self) -> bool {
        self.0 & UNWINDING != 0
    }

    /// The task lives in the future of its scope.
    pub fn is_fiber(self) -> bool {
        self.0 & FIBER != 0
    }

    /// The handle was dropped before.
    pub fn handle_gone(self) -> bool {
        self.0 & HANDLE_GONE != 0
    }

    /// The output was moved out before.
    pub fn taken(self) -> bool {
        self.0 & TAKEN != 0
    }

    /// A finalizer was registered since the end last looked.
    pub fn is_deferred(self) -> bool {
        self.0 & DEFERRED != 0
    }

    /// A scope of it was opened outside its own polls.
    pub fn is_scoped(self) -> bool {
        self.0 & SCOPED != 0
    }

    /// Somebody polls it now.
    pub fn is_polling(self) -> bool {
        self.0 & WAKE >= POLLING
    }

    /// In a queue, or woken while it is polled.
    pub fn is_notified(self) -> bool {
        matches!(self.0 & WAKE, NOTIFIED | POLLING_NOTIFIED)
    }

    /// Woken, not complete, and nobody polls it yet.
    pub fn is_queued(self) -> bool {
        self.0 & WAKE == NOTIFIED && self.phase() != Phase::Completed
    }

    /// The number of the thread that polls compiled code of it; 0 is none.
    pub fn poller(self) -> u16 {
        ((self.0 & POLLER) >> POLLER_SHIFT) as u16
    }

    /// Its handle is with compiled code.
    pub fn handle_lent(self) -> bool {
        self.0 & LENT != 0
    }

    /// Asked to yield.
    pub fn is_asked_to_yield(self) -> bool {
        self.0 & YIELD != 0
    }

    /// References to the record.
    pub fn refs(self) -> u64 {
        self.0 / REF
    }
}

/// What a wake has to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Put the task into a queue. The wake took a reference for the queue.
    Enqueue,
    /// The same for a fiber: the queue is that of its scope.
    EnqueueFiber,
    /// It is in a queue, will go there after the poll, or is complete.
    Nothing,
}

/// What the end of a pending poll has to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPoll {
    /// A wake came during the poll: put it back; the poller's reference goes to the queue.
    Enqueue,
    /// Wait for a wake; the poller's reference is gone, and the task may be anybody's by now.
    Idle,
}

/// What a cancel request found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// First request; the task was in this phase.
    First(Phase),
    /// One was pending already.
    Again,
    /// The outcome stands (TSK-8).
    Late,
}
