//! Tokens that borrow the context of their holder: what guards and permits of locks and channels
//! are made of.
//!
//! A lock that is taken a hundred million times a second cannot pay for two locks of its region. So
//! a typed token without record, of the kinds that locks and channels use, is counted beside the
//! reference that a context has to its task, and spilled into the region's marking when a count
//! gets half full, when a token is aborted, and when the context ends. With records, or while
//! events are written, it is an [`Obligation`] like any other.
//!
//! Invariants
//! 1. A token's reserve is counted before its resolution, in the same word or after it was
//!    spilled: what the region has seen never holds more resolved than reserved.
//! 2. The context of a task ends with its future, before the task is complete. One that was carried
//!    out of it spills later, into a region that may have closed: it is then heard no more.
//! 3. The holder cannot change: the token borrows the context that it was made with.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;

use asr_base::{Error, Status};

use super::cause::{self, AbortCause};
use super::kind::Kind;
use super::linear::{Linear, Obligation};
use super::place::{self, Place};
use super::token::Token;
use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};
use crate::task::{Phase, Task, TaskRef};

/// Bits of a count: a spill for each 128 tokens is no more to be seen in their cost.
const BITS: u32 = 8;
const MASK: u32 = (1 << BITS) - 1;
/// A count that reaches this is spilled: what is above it is room for those who count meanwhile.
const HALF: u32 = 1 << (BITS - 1);

mod sealed {
    pub trait Sealed {}
}

/// A kind of token that can borrow its holder's context.
pub trait Held: sealed::Sealed {
    /// The kind.
    const KIND: Kind;
    /// Where a context counts it: the place of the first of its two counts. Without one it
    /// is counted by the region each time.
    #[doc(hidden)]
    const LANE: Option<u32>;
}

macro_rules! held {
    ($($(#[$doc:meta])* $name:ident $kind:ident $lane:expr,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl Held for $name {
            const KIND: Kind = Kind::$kind;
            const LANE: Option<u32> = $lane;
        }
    )*};
}

held! {
    /// A lock or a part of a semaphore.
    SyncPermit SYNC_PERMIT Some(0),
    /// Room for one message.
    SendPermit SEND_PERMIT Some(2 * BITS),
    /// A received item that wants an answer.
    Ack ACK None,
    /// An answer that somebody waits for.
    Reply REPLY None,
    /// An object of a pool.
    PoolSlot POOL_SLOT None,
}

const LANES: [(Kind, Option<u32>); 2] = [
    (SyncPermit::KIND, SyncPermit::LANE),
    (SendPermit::KIND, SendPermit::LANE),
];

/// What a context has of its task: the reference, and tokens that the region has not heard of yet.
pub(crate) struct Own {
    task: TaskRef,
    tokens: AtomicU32,
}

impl Own {
    pub(crate) fn new(task: TaskRef) -> Own {
        Own {
            task,
            tokens: AtomicU32::new(0),
        }
    }

    /// Relaxed: a count orders nothing. A modification, because a context can be shared.
    #[inline]
    fn count(&self, shift: u32) {
        let before = self.tokens.fetch_add(1 << shift, Relaxed);
        if before >> shift & HALF != 0 {
            self.spill();
        }
    }

    /// Moves the counts to the region.
    #[cold]
    fn spill(&self) {
        let mut inner = self.task.region().lock();
        // Under the lock: of two spills of one word the later one comes second there too, or the
        // region would hear of a resolution before the reserve.
        let word = self.tokens.swap(0, Relaxed);
        if inner.settled {
            // What was left open was given up as forgotten with the region.
            return;
        }
        for (kind, lane) in LANES {
            let Some(shift) = lane else { continue };
            let counts = inner.marking.place(kind);
            counts.reserved += u64::from(word >> shift & MASK);
            counts.committed += u64::from(word >> (shift + BITS) & MASK);
        }
    }
}

impl Deref for Own {
    type Target = TaskRef;

    #[inline]
    fn deref(&self) -> &TaskRef {
        &self.task
    }
}

impl Own {
    /// The region hears of all tokens.
    #[inline]
    pub(crate) fn report(&self) {
        if self.tokens.load(Relaxed) != 0 {
            self.spill();
        }
    }
}

impl Drop for Own {
    #[inline]
    fn drop(&mut self) {
        self.report();
    }
}

/// Who may hold tokens: a task, by a context of it.
#[derive(Clone, Copy)]
pub struct Holder<'c>(&'c Own);

impl<'c> Holder<'c> {
    #[inline]
    pub(crate) fn new(own: &'c Own) -> Holder<'c> {
        Holder(own)
    }

    /// Makes a token for something that was just taken.
    ///
    /// # Errors
    /// `REGION_CLOSED` if the task has ended.
    #[track_caller]
    #[inline]
    pub fn hold<K: Held>(self) -> Result<Hold<'c, K>, Error> {
        Hold::new(self.0)
    }
}

impl fmt::Debug for Holder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Holder").field(&self.0.id()).finish()
    }
}

/// A token of a task, as long as its context is borrowed. What is behind it belongs to whoever made
/// it, who lets go of it first and then says by which verb.
///
/// One that is dropped without a verb is aborted; on a normal path that is a leak (OBL-10).
#[must_use = "a dropped token is a leak"]
pub struct Hold<'c, K: Held> {
    own: &'c Own,
    /// None if it is only a number.
    whole: Option<Box<Obligation<Nothing>>>,
    kind: PhantomData<fn() -> K>,
}

/// A resource that its owner gives back by itself.
struct Nothing(Kind);

impl Linear for Nothing {
    type Input = ();
    type Output = ();

    fn kind(&self) -> Kind {
        self.0
    }

    fn commit(self, (): ()) -> Result<(), ()> {
        Ok(())
    }

    fn abort(self, _: AbortCause) {}
}

impl<'c, K: Held> Hold<'c, K> {
    /// # Errors
    /// `REGION_CLOSED` if the task has ended.
    #[track_caller]
    #[inline]
    fn new(own: &'c Own) -> Result<Hold<'c, K>, Error> {
        let kernel = own.kernel();
        let whole = match K::LANE {
            Some(lane) if !kernel.config().leak_records && !kernel.trace().on() => {
                if own.word.load().phase() == Phase::Completed {
                    return Err(ended());
                }
                own.count(lane);
                None
            }
            _ => Some(whole(own, K::KIND)?),
        };
        Ok(Hold {
            own,
            whole,
            kind: PhantomData,
        })
    }

    /// Resolves it by the commit verb of its kind.
    #[inline]
    pub fn commit(self) {
        let mut this = ManuallyDrop::new(self);
        match (this.whole.take(), K::LANE) {
            (None, Some(lane)) if this.own.word.load().phase() != Phase::Completed => {
                this.own.count(lane + BITS);
            }
            (whole, _) => this.resolve(whole, None),
        }
    }

    /// Resolves it otherwise.
    pub fn abort(self, cause: AbortCause) {
        let mut this = ManuallyDrop::new(self);
        let whole = this.whole.take();
        this.resolve(whole, Some(cause));
    }

    #[cold]
    fn resolve(&self, whole: Option<Box<Obligation<Nothing>>>, cause: Option<AbortCause>) {
        let whole = match whole {
            Some(whole) => *whole,
            None => counted(self.own, K::KIND),
        };
        match cause {
            None => drop(whole.commit(())),
            Some(cause) => whole.abort_for(cause),
        }
    }

    /// For a kind whose two verbs are one: committed by its holder, or aborted with its frames.
    #[inline]
    pub fn release(self) {
        if self.is_unwound() {
            self.abort(AbortCause::Unwound);
        } else {
            self.commit();
        }
    }

    /// True if a drop now would be one of the frames of a task that failed or was cancelled.
    #[inline]
    pub fn is_unwound(&self) -> bool {
        cause::of_drop_by(self.own) == AbortCause::Unwound
    }

    /// Tells its task from all others, while it is there.
    #[inline]
    pub fn mark(&self) -> usize {
        let task: &Task = &self.own.task;
        ptr::from_ref(task).addr()
    }
}

impl<K: Held> Drop for Hold<'_, K> {
    #[inline]
    fn drop(&mut self) {
        match self.whole.take() {
            Some(whole) => drop(whole),
            None => drop(counted(self.own, K::KIND)),
        }
    }
}

impl<K: Held> fmt::Debug for Hold<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("kind", &K::KIND).finish()
    }
}

#[cold]
fn ended() -> Error {
    Error::new(Status::REGION_CLOSED, "the task has ended")
}

/// A token like any other.
#[cold]
#[track_caller]
fn whole(task: &TaskRef, kind: Kind) -> Result<Box<Obligation<Nothing>>, Error> {
    Obligation::reserve(task, Nothing(kind)).map(Box::new)
}

/// A token that was only a number, as one that the region counts.
#[cold]
fn counted(own: &Own, kind: Kind) -> Obligation<Nothing> {
    own.spill();
    let place = Place {
        holder: place::Holder::Task(own.task.clone()),
        region: own.region().id(),
        kind,
    };
    Obligation::of(Nothing(kind), Token { place, id: None })
}
