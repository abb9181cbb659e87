//! The closed set of semantic event kinds (TRC-1), as one table.
//!
//! A kind has a name and says what the three numbers of an event mean for it. Numbers that are
//! ids are marked as such, because a fingerprint renames ids and nothing else (TRC-11).

/// What one of the numbers `a`, `b`, `c` of an event holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Word {
    /// Nothing; always zero.
    Empty,
    /// A plain number, part of the canonical form as it is.
    Number,
    /// The number of a text, by [`text_number`](crate::text_number).
    Text,
    /// Nanoseconds.
    Time,
    /// Bits of a `RegionId`, or zero.
    Region,
    /// Bits of a `TaskId`, or zero.
    Task,
    /// Bits of an `ObligationId`, or zero for a token that is only counted (OBL-33).
    Obligation,
    /// Bits of a `TimerId`.
    Timer,
    /// Bits of an I/O token.
    Token,
}

impl Word {
    /// Whether the number is an id that a fingerprint renames.
    pub fn is_id(self) -> bool {
        matches!(
            self,
            Word::Region | Word::Task | Word::Obligation | Word::Timer | Word::Token
        )
    }
}

/// The name and meaning of one number of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in exports; empty where there is none.
    pub name: &'static str,
    /// What the number holds.
    pub word: Word,
}

impl Field {
    /// A number without meaning.
    pub const NONE: Field = Field {
        name: "",
        word: Word::Empty,
    };

    /// A field of this name and meaning.
    pub const fn new(name: &'static str, word: Word) -> Field {
        Field { name, word }
    }
}

/// The fields named in a row of a table, filled up with empty ones.
pub(crate) const fn three(given: &[Field]) -> [Field; 3] {
    let mut all = [Field::NONE; 3];
    let mut i = 0;
    while i < given.len() {
        all[i] = given[i];
        i += 1;
    }
    all
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal [$($field:ident $word:ident),*],)*) => {
        /// A semantic event kind. The set is closed; everything else is a [`Sub`](crate::Sub).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind, in the order of their numbers.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The name in exports.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// What `a`, `b` and `c` hold in a semantic event of this kind.
            pub fn fields(self) -> [Field; 3] {
                match self {
                    $(Kind::$kind => const {
                        three(&[$(Field::new(stringify!($field), Word::$word)),*])
                    },)*
                }
            }
        }
    };
}

kinds! {
    /// A region came to be; `region` is the new one. 256 is added to the policy if cancels of
    /// outer regions stop at it. The deadline is the effective one.
    RegionOpen "region.open" [parent Region, policy Number, deadline Time],
    /// It takes no more children.
    RegionClosing "region.closing" [],
    /// It waits for its children.
    RegionDraining "region.draining" [live Number],
    /// It runs its finalizers.
    RegionFinalizing "region.finalizing" [finalizers Number],
    /// It is over.
    RegionClosed "region.closed" [severity Number],
    /// `task` (none for the root) made the task `child` in `region`. The deadline is the effective
    /// one.
    TaskSpawn "task.spawn" [child Task, tier Number, deadline Time],
    /// The first poll of `task` begins.
    TaskStart "task.start" [],
    /// A poll of `task` begins; its budget allows so many after it.
    TaskPoll "task.poll" [polls Number],
    /// The task `woken` became ready.
    TaskWake "task.wake" [woken Task],
    /// `task` is terminal.
    TaskComplete "task.complete" [severity Number],
    /// Cancel was asked for; the target, a task or a region, is the first object.
    CancelRequest "cancel.request" [cancel Number, origin Number],
    /// `task` saw its cancel at a checkpoint.
    CancelObserve "cancel.observe" [cancel Number],
    /// A cleanup budget ended.
    CancelEscalate "cancel.escalate" [cancel Number, mode Number],
    /// Cancel was asked for after completion; the target is the first object.
    CancelLate "cancel.late" [cancel Number],
    /// `task` masks cancel.
    MaskBegin "mask.begin" [depth Number, bound Number],
    /// `task` unmasks cancel.
    MaskEnd "mask.end" [depth Number, polls Number],
    /// A token was made, held by `task` (by the region if none) in the place of `region`.
    ObligationReserve "obligation.reserve" [id Obligation, kind Number],
    /// A token was resolved by its commit verb.
    ObligationCommit "obligation.commit" [id Obligation, kind Number],
    /// A token was resolved by an abort verb or implicitly.
    ObligationAbort "obligation.abort" [id Obligation, kind Number, class Number],
    /// A token moved from the place of `region` to that of `to`, to the task `holder` if any.
    ObligationTransfer "obligation.transfer" [id Obligation, kind Number, to Region],
    /// A leak was found; the token is aborted by an event of its own.
    ObligationLeak "obligation.leak" [id Obligation, kind Number, class Number],
    /// A finalizer was registered; the owner, a task or a region, is the first object.
    FinalizerRegister "finalizer.register" [index Number],
    /// A finalizer starts to run; the owner is the first object.
    FinalizerRun "finalizer.run" [index Number],
    /// A finalizer was given up; the owner is the first object.
    FinalizerEscalate "finalizer.escalate" [index Number, polls Number],
    /// A timer was armed.
    TimerSet "timer.set" [timer Timer, deadline Time],
    /// A timer fired.
    TimerFire "timer.fire" [timer Timer, deadline Time],
    /// A timer was disarmed.
    TimerCancel "timer.cancel" [timer Timer],
    /// `task` passed a checkpoint.
    Checkpoint "checkpoint" [site Number, message Text],
    /// The program says something.
    User "user" [code Number, value Number, more Number],
    /// Chaos was injected.
    Chaos "chaos" [injection Number, value Number],
    /// A task holds an obligation and is not polled.
    Futurelock "futurelock" [held Number, idle Number],
    /// A choice was made.
    Decision "decision" [purpose Number, choice Number, alternatives Number],
    /// An operation went to the system.
    IoSubmit "io.submit" [token Token, operation Number],
    /// An operation came back.
    IoComplete "io.complete" [token Token, result Number],
    /// A message went to another node.
    RemoteSend "remote.send" [message Number, node Number],
    /// A message came from another node.
    RemoteReceive "remote.receive" [message Number, node Number],
    /// An actor ended.
    ActorDown "actor.down" [actor Task, severity Number],
    /// An actor runs anew.
    ActorRestart "actor.restart" [actor Task, restarts Number],
    /// An anomaly was handled.
    Repair "repair" [anomaly Number, result Number],
}

impl Kind {
    /// The kind of this number.
    pub fn from_u8(number: u8) -> Option<Kind> {
        Kind::ALL.get(usize::from(number)).copied()
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}
