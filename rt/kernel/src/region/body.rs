//! The body of a scope, as a task without a cell.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use asr_base::{Error, Failure, Outcome};

use super::alone;
use super::record::RegionRef;
use crate::obligation;
use crate::task::cell::contained;
use crate::task::end::Place;
use crate::task::{Task, TaskRef};

/// What a body is started with, in its first poll, inside the poll boundary; never, if its task is
/// cancelled before (VAL-20). In parts: put together early it would be copied once more.
pub(super) struct Start<B, G> {
    pub(super) body: B,
    pub(super) context: TaskRef,
    pub(super) handle: RegionRef,
    pub(super) begin: G,
}

/// The body, which lies in the frame of its scope instead of a cell.
pub(super) struct Body<'a, B, G, F, T> {
    pub(super) start: Option<Start<B, G>>,
    pub(super) future: Pin<&'a mut Option<F>>,
    pub(super) value: Option<T>,
}

impl<B, G, F, T> Place for Body<'_, B, G, F, T>
where
    G: FnOnce(B, TaskRef, RegionRef) -> F,
    F: Future<Output = Result<T, Failure>>,
{
    fn poll(&mut self, _: &Task, context: &mut Context<'_>) -> Poll<Outcome<(), Error>> {
        let mut result = None;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if let Some(start) = self.start.take() {
                let future = (start.begin)(start.body, start.context, start.handle);
                self.future.set(Some(future));
            }
            let future = self.future.as_mut().as_pin_mut();
            let future = future.expect("a body is not polled after its end");
            if let Poll::Ready(ended) = future.poll(context) {
                result = Some(ended);
                // A destructor that panics is a panic of this poll, as for a task (TSK-21).
                self.future.set(None);
            }
        }));
        if let Err(panic) = polled {
            obligation::after_panic(|| self.clear());
            contained(|| drop(result));
            resume_unwind(panic)
        }
        let Some(result) = result else {
            return Poll::Pending;
        };
        match Outcome::from(result) {
            Outcome::Ok(value) => {
                self.value = Some(value);
                Poll::Ready(Outcome::Ok(()))
            }
            other => Poll::Ready(other.map(|_| ())),
        }
    }

    fn end_alone(&mut self, task: TaskRef) -> Result<(), TaskRef> {
        alone::close(task)
    }

    fn settle(&mut self, _: &Task, _: &Outcome<(), Error>) {
        self.clear();
        contained(|| self.value = None);
    }
}

impl<B, G, F, T> Body<'_, B, G, F, T> {
    pub(super) fn clear(&mut self) {
        let start = self.start.take();
        contained(|| drop(start));
        contained(|| self.future.set(None));
    }
}
