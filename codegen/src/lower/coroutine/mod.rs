//! Asynchronous functions: `poll(frame, th)` over a frame that outlives suspensions (rule ABI-27).
//!
//! | file         | what                                                                 |
//! |--------------|----------------------------------------------------------------------|
//! | [`liveness`] | which locals live across a suspension                                |
//! | [`plan`]     | where a function may suspend, and the layout of its frame            |
//! | [`entry`]    | the beginning of a `poll`: go on where it suspended                  |
//! | [`suspend`]  | leaving a `poll` with PENDING, and coming back                       |
//! | [`child`]    | awaits: embedded children and children on the heap                   |
//! | [`wait`]     | rows that wait, with their op slot                                   |
//! | [`spawn`]    | new tasks                                                            |
//!
//! Protocol
//! 1. An activation runs on the native stack of whoever polls it; locals are variables as in any
//!    function. Only what lives across a suspension has a place in the frame, written when it
//!    suspends and read when it goes on. Both stand in cold blocks.
//! 2. A leaf (an operation, a probe) suspends by noting `state` and itself in `th.leaf`. A frame
//!    whose child answered PENDING links the child to itself and leaves `th.leaf` alone. The
//!    runtime resumes the leaf, and a parent only when its child has ended.
//! 3. `frame` and `th` are parameters of this poll: nothing of an earlier poll is used, and the
//!    thread may be another one.
//! 4. The shared area at the end of a frame holds what the one suspension in progress needs: the
//!    frame of an embedded child, the address of a child on the heap, or an op slot.

mod child;
mod entry;
mod liveness;
mod plan;
mod spawn;
mod suspend;
mod wait;

pub(super) use entry::Coroutine;
pub(super) use plan::plans;
pub(crate) use plan::{Plan, Point};
pub(super) use suspend::Who;
