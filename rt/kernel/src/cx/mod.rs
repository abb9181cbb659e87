//! The context of a task: all effects go through it (CAP-1, CAP-2).
//!
//! Every operation is of one class (CAN-10): *checkpointing* (a cancel point always), *conditional*
//! (a cancel point if it waits), *masked* or *commit* (never). The class stands in its docs.

pub mod caps;
pub mod classes;
mod effects;
mod home;
pub(crate) mod mask;
mod point;
mod sleep;
mod spawn;

use std::fmt;
use std::marker::PhantomData;
use std::task::Poll;

use asr_base::{
    Budget, CancelReason, Error, Failure, Interrupted, PanicPayload, RegionId, Status, TaskId,
};

pub use caps::{All, Caps, Checked, Has, May, Set, Token, Without};
pub use home::{Home, Lodging};
pub use mask::{CommitSection, Masked};
pub(crate) use point::coop;
pub use point::{Waiter, YieldNow};
pub use sleep::Sleep;

use crate::blocking::Blocking;
use crate::cancel;
use crate::deadline;
use crate::event;
use crate::obligation::{Holder, Own};
use crate::region::RegionRef;
use crate::task::{Message, Phase, TaskRef};

/// The context of a task, with the capabilities `C`. See the module.
///
/// A task waits with its own context, which its closure is given. A wait with another's, such as
/// that of the caller around it, would not hear the task's own cancel: it panics with
/// `BAD_ARGUMENT`.
///
/// ```
/// # use asr_base::Outcome;
/// # use asr_kernel::{Config, RegionConfig, sched::Local};
/// let outcome = Local::new(Config::default()).run(async |outer| {
///     let body = async |_, _| Ok(outer.yield_now().await?); // the second argument it should be
///     let refused = outer.region(RegionConfig::new(), body).await;
///     Ok(matches!(refused, Outcome::Panicked(_)))
/// });
/// assert!(matches!(outcome, Outcome::Ok(true)));
/// ```
pub struct Cx<C = All> {
    task: Own,
    caps: Caps,
    set: PhantomData<fn() -> C>,
}

/// What operations need of a context, whatever its capabilities.
pub trait Authority: sealed::Sealed {
    /// The task whose context this is.
    #[doc(hidden)]
    fn task(&self) -> &TaskRef;
}

mod sealed {
    pub trait Sealed {}
    impl<C> Sealed for super::Cx<C> {}
}

impl<C> Authority for Cx<C> {
    fn task(&self) -> &TaskRef {
        &self.task
    }
}

impl<C: Set> Cx<C> {
    /// The task.
    pub fn task_id(&self) -> TaskId {
        self.task.id()
    }

    /// The region that owns the task.
    pub fn region_id(&self) -> RegionId {
        self.task.region().id()
    }

    /// The effective budget (VAL-17).
    pub fn budget(&self) -> Budget {
        self.task.budget()
    }

    /// True if a cancel is pending, under a mask too. No cancel point, no change (CAN-12).
    pub fn is_cancel_requested(&self) -> bool {
        !self.task.word.clear()
    }

    /// Why, if a cancel is pending.
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        if self.task.word.clear() {
            return None;
        }
        Some(cancel::reason(&self.task))
    }

    /// A cancel point. One atomic load when nothing is pending (CAN-11).
    ///
    /// # Errors
    /// `Interrupted` from the first unmasked checkpoint after a request on, each time (CAN-6).
    #[inline]
    pub fn checkpoint(&self) -> Result<(), Interrupted> {
        cancel::checkpoint(&self.task)
    }

    /// A cancel point that leaves a message behind, a reference to a literal: `&"reading"`.
    ///
    /// # Errors
    /// As for [`checkpoint`](Cx::checkpoint).
    #[inline]
    pub fn checkpoint_at(&self, message: Message) -> Result<(), Interrupted> {
        cancel::set_message(&self.task, message);
        event::checkpoint(&self.task);
        cancel::checkpoint(&self.task)
    }

    /// Lets every task that is queued in the same lane run first (TSK-24).
    ///
    /// # Cancel safety
    /// Checkpointing.
    pub fn yield_now(&self) -> YieldNow<'_> {
        YieldNow::new(&self.task)
    }

    /// Runs `future` masked: its checkpoints return OK for at most `bound` polls (CAN-15 to 17).
    ///
    /// # Errors
    /// `MASK_LIMIT` if more than `mask_depth_max` masks are around; the future was not polled.
    pub fn mask<F: Future>(&self, bound: u32, future: F) -> Masked<'_, F> {
        Masked::new(&self.task, bound, future)
    }

    /// Runs a short piece of synchronous code masked.
    ///
    /// # Errors
    /// `MASK_LIMIT` as for [`mask`](Cx::mask).
    pub fn mask_sync<T>(&self, run: impl FnOnce() -> T) -> Result<T, Error> {
        let _mask = mask::enter(&self.task)?;
        Ok(run())
    }

    /// Runs `body` masked for at most `bound` polls; beyond, a bounded region fails the section
    /// (REG-20).
    ///
    /// # Errors
    /// `TIMED_OUT` on overrun in a bounded mode: the body was dropped, its obligations aborted.
    /// `MASK_LIMIT` as for [`mask`](Cx::mask).
    pub fn commit_section<F: Future>(&self, bound: u32, body: F) -> CommitSection<'_, F> {
        CommitSection::new(&self.task, bound, body)
    }

    /// Charges `cost` to the task and every region above that set a cost quota (VAL-18).
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED` if a quota is used up by this; its owner is cancelled.
    pub fn charge(&self, cost: u64) -> Result<(), Error> {
        cancel::charge(&self.task, cost)
    }

    /// Counts an operation that completed without waiting; pending once the task has done
    /// `coop_budget` of them in one poll (TSK-23).
    pub fn poll_coop(&self, context: &mut std::task::Context<'_>) -> Poll<()> {
        point::coop(&self.task, context)
    }

    /// Runs `work` on a thread that may block, and waits for it.
    ///
    /// The outcome is that of the work: Ok or Err as it returned, Panicked if it panicked; `Err` of
    /// kind `SHUTDOWN` once the runtime ends, of kind `IO` if no thread could be started.
    ///
    /// # Cancel safety
    /// A cancel point until the work begins: it is then taken back and dropped unrun (SCH-34). Work
    /// that runs cannot be stopped and is awaited, cancelled or not; if this future is dropped
    /// meanwhile, by an escalation (CAN-23), the result is dropped where it arrives.
    pub fn blocking<F, T>(&self, work: F) -> Blocking<'_, F, T>
    where
        F: FnOnce() -> Result<T, Failure> + Send + 'static,
        T: Send + 'static,
    {
        Blocking::new(&self.task, work)
    }

    /// What a leaf future needs to be a cancel point.
    #[inline]
    pub fn waiter(&self) -> Waiter<'_> {
        Waiter::new(&self.task)
    }

    /// The region of the task, as the home of what lives on its own.
    pub fn home(&self) -> Home {
        Home::new(RegionRef::of(self.task.region()))
    }

    /// What guards and permits of locks and channels are held by.
    #[inline]
    pub fn holder(&self) -> Holder<'_> {
        Holder::new(&self.task)
    }

    /// What is attached to the kernel of the task ([`Kernel::attached`]).
    ///
    /// [`Kernel::attached`]: crate::Kernel::attached
    pub fn attached(&self) -> &std::sync::OnceLock<Box<dyn std::any::Any + Send + Sync>> {
        self.task.kernel().attached()
    }

    /// A name for the task, for people and for targeted injection.
    pub fn set_name(&self, name: &str) {
        let named = deadline::named(&self.task);
        let mut side = self.task.side_or_new().lock();
        let rare = side.rare_or_new();
        rare.name = Some(name.into());
        rare.named = named;
    }

    /// Makes an error of a panic that was caught, by a policy that says so (VAL-7), and reports it
    /// as `policy.panic_absorbed`.
    pub fn absorb_panic(&self, panic: Box<dyn std::any::Any + Send>) -> Error {
        let (task, region) = (self.task.id(), self.task.region().id());
        let said = self.task.message();
        let payload = PanicPayload::capture(Some(task), Some(region), said, None, panic);
        event::panic_absorbed(&self.task, payload.message());
        Error::new(Status::THREW, payload.message())
    }

    /// The capabilities that are left.
    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// Takes a capability away, for good (CAP-7). Costs nothing (CAP-8).
    pub fn without<K: Token>(self) -> Cx<Without<C, K>> {
        Cx {
            task: self.task,
            caps: self.caps.without::<K>(),
            set: PhantomData,
        }
    }

    /// A second context of the same task with the same capabilities or fewer.
    pub fn share<K: Token>(&self) -> Cx<Without<C, K>> {
        Cx {
            task: Own::new(self.task.clone()),
            caps: self.caps.without::<K>(),
            set: PhantomData,
        }
    }

    /// Refuses if the set, which may have been narrowed while the program ran, lacks `K`, or if the
    /// task to which the context belongs has completed.
    ///
    /// # Errors
    /// `CAP_DENIED`, and `cap.denied` is written (CAP-8). `REGION_CLOSED` after the end (CAP-9).
    pub fn require<K: Token>(&self, operation: &'static str) -> Result<(), Error> {
        self.allow::<K>(operation).map_err(|status| {
            let what = match status {
                Status::CAP_DENIED => format!("{operation} needs {}", K::NAME),
                _ => format!("{operation}: the task of this context has completed"),
            };
            Error::new(status, what)
        })
    }

    /// The same, without the words.
    pub(crate) fn allow<K: Token>(&self, operation: &'static str) -> Result<(), Status> {
        if !self.caps.has::<K>() {
            event::cap_denied(self.task.region(), Some(&self.task), operation, K::BIT);
            return Err(Status::CAP_DENIED);
        }
        if self.is_over() {
            return Err(Status::REGION_CLOSED);
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.task.word.load().phase() == Phase::Completed
    }

    /// The same context with the capabilities of `caps` at most, checked at each call (C, AIR).
    pub fn restrict(self, caps: Caps) -> Cx<Checked> {
        let caps = self.caps.and(caps);
        Cx {
            task: self.task,
            caps,
            set: PhantomData,
        }
    }
}

impl<C> Cx<C> {
    pub(crate) fn of(task: TaskRef, caps: Caps) -> Cx<C> {
        Cx {
            task: Own::new(task),
            caps,
            set: PhantomData,
        }
    }

    pub(crate) fn task_ref(&self) -> &TaskRef {
        &self.task
    }

    /// The region hears of the tokens that this context counted.
    pub(crate) fn report_tokens(&self) {
        self.task.report();
    }

    pub(crate) fn raw_caps(&self) -> Caps {
        self.caps
    }
}

impl<C> fmt::Debug for Cx<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("task", &self.task.id())
            .field("caps", &self.caps)
            .finish()
    }
}
