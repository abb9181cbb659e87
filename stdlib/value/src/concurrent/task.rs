//! How tasks end, for those who await them. Any thread may complete one and wait for one.
//!
//! The code of a task says how it ended. A task that is cancelled before it starts, or whose
//! cleanup is cut short, runs no code at its end: so the runtime wakes the state when the task is
//! over, and one that has no end by then was cancelled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Wake, Waker};

use asr_kernel::compiled::handles;
use asr_kernel::cx::Checked;
use asr_kernel::{Cx, JoinHandle, RegionHandle};

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
    /// The runtime's handle of the task, until the end.
    handle: Option<JoinHandle<u64>>,
    /// The region of an isolate, until the end.
    region: Option<RegionHandle<Checked>>,
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
        // It has served: nobody joins by it.
        let handles = (inner.handle.take(), inner.region.take());
        drop(inner);
        drop(handles);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The task was started.
    pub(crate) fn started(self: &Arc<Self>, handle: JoinHandle<u64>) {
        let over = handles::watch_task(&handle, &Waker::from(self.clone()));
        self.keep(handle);
        if over {
            self.over();
        }
    }

    /// The task is over: one that has not told its end was cancelled.
    fn over(&self) {
        self.end(How::Cancelled, Value::NULL);
    }

    fn keep(&self, handle: JoinHandle<u64>) {
        let mut inner = self.lock();
        if inner.end.is_none() {
            inner.handle = Some(handle);
            return;
        }
        drop(inner);
        drop(handle);
    }

    /// The region in which an isolate runs.
    pub(crate) fn has_region(&self, region: RegionHandle<Checked>) {
        self.lock().region = Some(region);
    }

    /// Asks the task to cancel, on behalf of the task of `cx`.
    pub(crate) fn cancel(&self, cx: &Cx<Checked>) {
        // Taken out meanwhile: what the cancel wakes may be this state.
        let (handle, region) = {
            let mut inner = self.lock();
            (inner.handle.take(), inner.region.clone())
        };
        if let Some(region) = region {
            region.cancel("the isolate was cancelled");
        }
        if let Some(handle) = handle {
            handle.abort_by(cx);
            self.keep(handle);
        }
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

impl Wake for TaskState {
    fn wake(self: Arc<Self>) {
        self.over();
    }
}
