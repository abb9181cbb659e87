//! How tasks end, for those who await them. Any thread may complete one and wait for one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::waiters::Waiters;
use crate::error::{Res, Thrown};
use crate::heap::Heap;
use crate::isolate::Done;
use crate::word::Value;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// With a result.
    Ended,
    /// With an exception.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl How {
    /// From the number that compiled code gives.
    pub(crate) fn of(number: u32) -> How {
        match number {
            0 => How::Ended,
            1 => How::Failed,
            _ => How::Cancelled,
        }
    }
}

/// What it ended with.
enum With {
    /// A word of the heap of those who wait.
    Word(u64),
    /// A value of another isolate.
    Sent(Option<Box<Done>>),
}

#[derive(Default)]
struct Inner {
    end: Option<(How, With)>,
    waiters: Waiters,
    /// The runtime's handle of the task, 0 without.
    handle: u64,
}

/// A task, for those who await it.
#[derive(Default)]
pub(crate) struct TaskState {
    inner: Mutex<Inner>,
}

impl TaskState {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that may panic runs under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task ended, with a word of the heap of those who wait. Only the first end counts.
    pub(crate) fn end(&self, how: How, v: Value) {
        self.complete(how, With::Word(v.word()));
    }

    /// The same of a task of another isolate.
    pub(crate) fn end_sent(&self, done: Done) {
        self.complete(How::Ended, With::Sent(Some(Box::new(done))));
    }

    fn complete(&self, how: How, with: With) {
        let mut inner = self.lock();
        if inner.end.is_some() {
            return;
        }
        inner.end = Some((how, with));
        let waiting = inner.waiters.all();
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether it has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.lock().end.is_some()
    }

    /// The runtime's handle, kept until it is taken.
    pub(crate) fn keep(&self, handle: u64) {
        self.lock().handle = handle;
    }

    /// The runtime's handle, 0 if there is none.
    pub(crate) fn handle(&self) -> u64 {
        self.lock().handle
    }

    /// Takes the runtime's handle.
    pub(crate) fn take_handle(&self) -> u64 {
        std::mem::take(&mut self.lock().handle)
    }

    /// The result, or the exception that waiting for it throws.
    pub(crate) fn poll(&self, heap: &Heap, key: &mut Option<u64>, waker: &Waker) -> Poll<Res> {
        let mut inner = self.lock();
        let Some((how, with)) = &mut inner.end else {
            inner.waiters.wait(key, waker);
            return Poll::Pending;
        };
        if let With::Sent(sent) = with
            && let Some(done) = sent.take()
        {
            let (ended, v) = match done.take(heap) {
                Ok(v) => (How::Ended, v),
                Err(Thrown(v)) => (How::Failed, v),
            };
            (*how, *with) = (ended, With::Word(v.word()));
        }
        let how = *how;
        let With::Word(word) = *with else {
            return Poll::Ready(Ok(Value::NULL));
        };
        drop(inner);
        let v = heap.kept(word);
        Poll::Ready(match how {
            How::Ended => Ok(v),
            How::Failed => Err(Thrown(v)),
            How::Cancelled => Err(heap.thrown_text("The task was cancelled.")),
        })
    }

    /// Does not wait any more.
    pub(crate) fn leave(&self, key: &mut Option<u64>) {
        self.lock().waiters.leave(key);
    }
}
