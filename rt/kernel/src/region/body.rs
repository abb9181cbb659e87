//! The body of a scope, as a task without a cell.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use asr_base::{Error, Failure, Outcome};

use super::alone;
use crate::obligation;
use crate::task::cell::contained;
use crate::task::end::Place;
use crate::task::{Task, TaskRef};

/// The body, which lies in the frame of its scope instead of a cell.
pub(super) struct Body<'a, F, T> {
    pub(super) future: Pin<&'a mut Option<F>>,
    pub(super) value: Option<T>,
}

impl<F, T> Place for Body<'_, F, T>
where
    F: Future<Output = Result<T, Failure>>,
{
    fn poll(&mut self, _: &Task, context: &mut Context<'_>) -> Poll<Outcome<(), Error>> {
        let mut result = None;
        let polled = catch_unwind(AssertUnwindSafe(|| {
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

impl<F, T> Body<'_, F, T> {
    pub(super) fn clear(&mut self) {
        contained(|| self.future.set(None));
    }
}
