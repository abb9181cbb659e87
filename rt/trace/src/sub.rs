//! The named sub-events, exactly the table of TRC-27.
//!
//! A sub-event says more about its parent kind and moves no state machine: the oracles pass over
//! it, and a full buffer drops it before any semantic event.

use crate::kind::{Field, Kind, Word, three};

macro_rules! subs {
    ($($(#[$doc:meta])* $sub:ident $name:literal $parent:ident [$($field:ident $word:ident),*],)*)
    => {
        /// The name of a sub-event; `None` for a semantic event.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Sub {
            /// No sub-event: the event is a semantic one.
            #[default]
            None,
            $($(#[$doc])* $sub,)*
        }

        impl Sub {
            /// Every name but `None`, in the order of their numbers from 1.
            pub const ALL: &[Sub] = &[$(Sub::$sub),*];

            /// The name of TRC-27; empty for `None`.
            pub fn name(self) -> &'static str {
                match self { Sub::None => "", $(Sub::$sub => $name,)* }
            }

            /// The kind it is a sub-event of.
            pub fn parent(self) -> Option<Kind> {
                match self { Sub::None => None, $(Sub::$sub => Some(Kind::$parent),)* }
            }

            /// What `a`, `b` and `c` hold.
            pub fn fields(self) -> [Field; 3] {
                match self {
                    Sub::None => [Field::NONE; 3],
                    $(Sub::$sub => const {
                        three(&[$(Field::new(stringify!($field), Word::$word)),*])
                    },)*
                }
            }
        }
    };
}

subs! {
    /// A policy took a panic in (VAL-7).
    PanicAbsorbed "policy.panic_absorbed" TaskComplete [policy Number, payload Text],
    /// A close waits for long (REG-34).
    CloseStalled "region.close_stalled" RegionClosing [blockers Number],
    /// A finalizer exceeded its budget (REG-18).
    FinalizerEscalated "finalizer.escalated" FinalizerEscalate [index Number, polls_used Number],
    /// A commit section exceeded its bound (REG-20).
    CommitSectionOverrun "commit_section.overrun" CancelEscalate [bound Number, polls_used Number],
    /// A value returned after cancel was thrown away (TSK-6).
    ResultDiscarded "task.result_discarded" TaskComplete [severity_before Number],
    /// One poll took long (SCH-45).
    LongPoll "task.long_poll" TaskPoll [site Number, duration Time],
    /// A cancel request came after completion (TSK-8).
    CancelLate "cancel.late" CancelLate [reason Number],
    /// A task goes on past an observed cancel (CAN-7).
    CancelSwallowed "cancel.swallowed" Checkpoint [passes Number, last_message Text],
    /// A mask exceeded its bound (CAN-17).
    MaskOverrun "cancel.mask_overrun" CancelEscalate [bound Number, polls_used Number],
    /// A cancelled task was given up (CAN-23).
    CancelEscalated "cancel.escalated" CancelEscalate [mode Number, reason Number, held Number],
    /// A cancelled task does not return from its poll (CAN-24).
    StuckInPoll "cancel.stuck_in_poll" CancelEscalate [worker Number, duration Time, probe Number],
    /// Messages were queued when the receiver closed (OBL-8).
    Undelivered "chan.undelivered" ObligationAbort [channel Number, count Number],
    /// A queue reached its limit (SCH-30).
    QueueCapacity "queue.capacity" TaskWake [queue Number, length Number, limit Number],
    /// A token did not allow an operation (CAP-8).
    CapDenied "cap.denied" User [operation Number, token Number],
    /// The result of a losing branch was thrown away (CMB-9).
    RaceDiscarded "race.discarded" TaskComplete [branch Number],
    /// A task holds an obligation and is not polled (LAB-13).
    FuturelockDetected "futurelock.detected" Futurelock [held Number, idle_steps Number],
    /// A message that its protocol state does not allow (REM-17).
    ProtocolViolation "remote.protocol_violation" RemoteReceive [state Number, message Number],
    /// Two outcomes for one call (REM-19).
    RemoteConflict "remote.conflict" RemoteReceive [first Number, second Number],
    /// A message was given up (REM-46).
    DeadLetter "remote.dead_letter" RemoteSend [subject Text, deliveries Number],
    /// Two replicas resolved one obligation (REM-28).
    ObligationConflict "obligation.conflict" ObligationCommit [id Obligation, replicas Number],
    /// A compensation cannot go on (REM-26).
    SagaStuck "saga.stuck" FinalizerEscalate [saga Number, steps_left Number],
    /// A handler took the place of another (HEAL-10).
    HandlerReplaced "heal.handler_replaced" Repair [type_id Number, old Number, new Number],
}

impl Sub {
    /// The sub-event of this number; 0 is `None`.
    pub fn from_u8(number: u8) -> Option<Sub> {
        match number {
            0 => Some(Sub::None),
            n => Sub::ALL.get(usize::from(n) - 1).copied(),
        }
    }

    /// The sub-event of this name; nothing for a name that TRC-27 does not list.
    pub fn from_name(name: &str) -> Option<Sub> {
        Sub::ALL.iter().copied().find(|sub| sub.name() == name)
    }
}
