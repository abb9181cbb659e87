//! The ranks: every lock of the runtime, and what each may be taken under.
//!
//! Invariants
//! 1. A lock is taken under the rows that its own names, and under those that these are taken
//!    under; never under another of its own row. Most are taken under nothing.
//! 2. A row names rows above it only, or this does not compile. So the order of the rows is one
//!    order of all locks, and no circle of threads waits for each other.
//! 3. Each row says what it guards, and why it stands where it does. A new lock is a new row, and a
//!    lock taken under a new one is a decision that is written down here.

/// What is known of a rank.
#[derive(Debug)]
#[non_exhaustive]
pub struct Info {
    /// Crate and lock.
    pub name: &'static str,
    /// What it guards, and why it stands here.
    pub why: &'static str,
    /// Its row.
    pub place: usize,
    /// Rows that it may be taken under, as bits.
    under: u64,
}

impl Info {
    /// Whether a lock of this rank may be taken while one of the other is held.
    #[inline]
    pub const fn goes_under(&self, held: &Info) -> bool {
        self.under >> held.place & 1 == 1
    }
}

/// The rank of a lock. Only the rows of the table have it.
pub trait Rank: row::Row {
    /// Its row of the table.
    const INFO: &'static Info = &TABLE[Self::PLACE];
}

mod row {
    pub trait Row {
        const PLACE: usize;
    }
}

impl<R: row::Row> Rank for R {}

/// The rows, a type for each, and what follows from them. The text of a row is its documentation.
macro_rules! ranks {
    ($($(#[doc = $why:literal])+ $rank:ident $name:literal under [$($under:ident),*],)+) => {
        #[derive(Clone, Copy)]
        enum Place { $($rank),+ }

        $(
            $(#[doc = $why])+
            #[derive(Debug)]
            pub struct $rank;

            impl row::Row for $rank {
                const PLACE: usize = Place::$rank as usize;
            }
        )+

        const ROWS: usize = [$(Place::$rank),+].len();

        /// All ranks, the outermost first.
        pub static TABLE: [Info; ROWS] = {
            let under: [u64; ROWS] = closed([$(0 $(| 1 << Place::$under as usize)*),+]);
            [$(Info {
                name: $name,
                why: concat!($($why),+).trim_ascii_start(),
                place: Place::$rank as usize,
                under: under[Place::$rank as usize],
            }),+]
        };
    };
}

/// What each row may be taken under, by way of others too.
const fn closed(mut under: [u64; ROWS]) -> [u64; ROWS] {
    let mut row = 0;
    while row < ROWS {
        assert!(under[row] >> row == 0, "a row is taken under rows above it");
        let mut above = 0;
        while above < row {
            if under[row] >> above & 1 == 1 {
                under[row] |= under[above];
            }
            above += 1;
        }
        row += 1;
    }
    under
}

ranks! {
    /// The runtime that C started. Held over start and stop, which come before and after all else.
    RtRunning "rt.running" under [],
    /// One supervisor starts at a time; the runtime starts it.
    HealStarting "heal.starting" under [RtRunning],
    /// Who may change the table of handlers; the runtime registers its own as it starts.
    HealHandlers "heal.handlers" under [RtRunning],
    /// Who may change the table of compiled code, or needs it to stay; the runtime registers its
    /// own.
    CodeRegistry "code.registry" under [RtRunning],
    /// What sanitizers may remove.
    RtTaint "rt.taint" under [],
    /// Which ids name which channels and locks of compiled code.
    RtObjects "rt.objects" under [],
    /// The words in a channel of compiled code.
    RtChannel "rt.channel" under [],
    /// Who takes part in a race, and who has won.
    SyncContest "sync.contest" under [],
    /// Where the receiver of a channel lives.
    SyncLodging "sync.lodging" under [],
    /// What is in an unbounded channel, and who waits for it.
    SyncChannel "sync.channel" under [],
    /// Who waits for a permit, in order; wakes after it is given back.
    SyncUnits "sync.units" under [],
    /// Who waits for a notification, in order; wakes after it is given back.
    SyncNotify "sync.notify" under [],
    /// A receiver that waits outside its region; wakes after it is given back.
    SyncWatch "sync.watch" under [],
    /// The threads of the workers; held over the start of one, so that whoever joins finds it.
    SchedThreads "sched.threads" under [],
    /// What changed for the thread that waits for the end of a runtime.
    SchedControl "sched.control" under [],
    /// The sleep of the ticker.
    SchedTicker "sched.ticker" under [],
    /// The governor of a worker, while no thread is that worker.
    SchedGoverning "sched.governing" under [],
    /// The sleep of a thread that waits for wakes and time only.
    SchedGate "sched.gate" under [],
    /// Where events go. Emitters try it, wherever they are, and look at the place of the event
    /// under it.
    TraceGate "trace.gate" under [],
    /// What is runnable in the lab; the lane of a task follows from its budget.
    LabPool "lab.pool" under [],
    /// What chaos has done and will do.
    LabTrouble "lab.trouble" under [],
    /// The record of a token; a token changes its holder in one step, in the holder's list as
    /// well.
    Obligation "obligation" under [],
    /// All of a region but its word. Never that of a parent and a child together.
    Region "region" under [TraceGate, LabPool, Obligation],
    /// What few tasks have: a budget, a cancel, finalizers, tokens. Never together with a region.
    Task "task" under [TraceGate, LabPool, LabTrouble, Obligation],
    /// What the monitor of deadlines has learnt.
    Deadlines "deadlines" under [],
    /// Which resources somebody waited for.
    Futurelocks "futurelocks" under [],
    /// One kind of obligation is added at a time.
    ObligationKinds "obligation.kinds" under [],
    /// The counts of closed regions.
    ObligationTotals "obligation.totals" under [],
    /// The one timer of all cleanups; armed before it is taken.
    Cleanup "cleanup" under [],
    /// Who sleeps until the next timer; asked for while it is taken.
    SchedDuty "sched.duty" under [],
    /// The wheel; what fires runs after it is given back.
    Timers "timers" under [SchedDuty],
    /// The cancel and timed lanes of a worker.
    SchedUrgent "sched.urgent" under [],
    /// The queue of all workers.
    SchedInjector "sched.injector" under [],
    /// Who sleeps; wakes after it is given back.
    SchedIdle "sched.idle" under [],
    /// The word of a worker's thread, while that runs.
    SchedThreadFlag "sched.thread-flag" under [],
    /// Queue and threads of the blocking pool.
    Pool "pool" under [],
    /// One piece of blocking work; the pool looks which of them are withdrawn.
    Job "pool.job" under [Pool],
    /// A slab gets its next piece; a region is locked while a child is admitted.
    SlabGrow "slab.grow" under [Region],
    /// Memory of frames that no thread keeps for itself; a region is locked while a child is
    /// admitted.
    Frames "frames" under [Region],
    /// The flag word of a thread that polls compiled tasks; taken by who asks such a task.
    Poller "poller" under [],
    /// Which numbers of pollers are free.
    Pollers "pollers" under [],
    /// The trace of a lab and its oracles; what becomes of a token is traced in its step.
    LabTape "lab.tape" under [TraceGate, Obligation],
    /// A part of a recorder, taken as the tape is; mostly only tried.
    TraceShard "trace.shard" under [TraceGate, Obligation],
}
