//! The rows of tasks, channels and scopes.
#![allow(unsafe_code, reason = "takes the raw arguments of compiled code and C")]

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use asr_abi::{OpSlot, Ret, Thread, status};
use asr_intrinsics::Refusal;
use asr_kernel::compiled::{self, handles, slot};
use asr_kernel::cx::{Checked, Waiter};
use asr_kernel::{Cx, thread};

use super::channel::Channel;
use super::resource::Resource;
use super::task::{How, TaskState};
use crate::error::{Res, Thrown};
use crate::heap::Heap;
use crate::isolate::Message;
use crate::natives;
use crate::word::Value;

/// Bytes of an op slot of these rows.
const SLOT: usize = 128;

/// The state of the calling thread and its heap.
fn here<'a>(th: *const Thread) -> Option<natives::Cx<'a>> {
    // SAFETY: null or the state of the calling thread, which lives as long as the thread.
    let th = unsafe { th.as_ref() }?;
    Some(natives::Cx {
        th,
        heap: Heap::of(th),
    })
}

fn with<T>(th: *const Thread, run: impl FnOnce(&natives::Cx<'_>) -> Res<T>) -> Result<T, Refusal> {
    match here(th) {
        Some(cx) => run(&cx).map_err(Refusal::from),
        None => Err(Refusal::status(status::BAD_ARGUMENT)),
    }
}

/// A value word of compiled code.
fn val(word: u64) -> Value {
    // SAFETY: the rows' contract: words of type `value` were made by this library, for the heap of
    // the calling task.
    unsafe { Value::from_word(word) }
}

fn answer(result: Res) -> Ret {
    match result {
        Ok(v) => Ret {
            value: v.word(),
            status: status::OK.into(),
        },
        Err(Thrown(v)) => Ret {
            value: v.word(),
            status: status::THREW.into(),
        },
    }
}

fn cancelled() -> Ret {
    slot::refused(status::CANCELLED)
}

/// The context of the task that is polled on this thread.
fn task_cx<'c>(th: *const Thread) -> Option<&'c Cx<Checked>> {
    // SAFETY: the state of the calling thread; the context is used in this row only.
    unsafe { compiled::current(th.as_ref()?) }.map(|(cx, _)| cx)
}

/// Something to wait for.
trait Event: Unpin {
    /// What came, or whom to wake.
    fn poll(&mut self, heap: &Heap, key: &mut Option<u64>, waker: &Waker) -> Poll<Ret>;
    /// Nobody waits any more.
    fn leave(&mut self, key: &mut Option<u64>);
}

/// A wait of a task: a cancel point, which hears of failures in the task's scopes.
struct Wait<E: Event> {
    waiter: Waiter<'static>,
    event: E,
    key: Option<u64>,
}

impl<E: Event> Future for Wait<E> {
    type Output = Ret;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ret> {
        let this = self.get_mut();
        let Some(here) = here(thread::current()) else {
            return Poll::Ready(slot::refused(status::BAD_ARGUMENT));
        };
        let task = this.waiter.task_id().to_bits();
        let ended = this.ended(here.heap, task, context);
        if ended.is_ready() {
            here.heap.scopes.leave(task);
        }
        ended
    }
}

impl<E: Event> Wait<E> {
    fn ended(&mut self, heap: &Heap, task: u64, context: &mut Context<'_>) -> Poll<Ret> {
        if self.waiter.check().is_err() {
            return Poll::Ready(cancelled());
        }
        if let Some(exception) = heap.scopes.failure(task, context.waker()) {
            return Poll::Ready(answer(Err(Thrown(exception))));
        }
        ready!(self.waiter.coop(context));
        let event = &mut self.event;
        if let Poll::Ready(ret) = event.poll(heap, &mut self.key, context.waker()) {
            return Poll::Ready(ret);
        }
        match self.waiter.park(context) {
            Ok(()) => Poll::Pending,
            Err(_) => Poll::Ready(cancelled()),
        }
    }
}

impl<E: Event> Drop for Wait<E> {
    fn drop(&mut self) {
        self.event.leave(&mut self.key);
    }
}

/// Starts a wait of the task that is polled on this thread.
fn wait<E: Event>(th: *const Thread, slot: *mut OpSlot, event: E) -> Ret {
    // SAFETY: the state of the calling thread, or null.
    let Some(th) = (unsafe { th.as_ref() }) else {
        return slot::refused(status::BAD_ARGUMENT);
    };
    // SAFETY: the row's contract: a free slot of this class in a frame of the task that is polled.
    unsafe {
        slot::start::<SLOT, _>(th, slot, |cx| Wait {
            waiter: cx.waiter(),
            event,
            key: None,
        })
    }
}

impl Event for Arc<TaskState> {
    fn poll(&mut self, heap: &Heap, key: &mut Option<u64>, waker: &Waker) -> Poll<Ret> {
        TaskState::poll(self, heap, key, waker).map(answer)
    }

    fn leave(&mut self, key: &mut Option<u64>) {
        TaskState::leave(self, key);
    }
}

struct Sending(Arc<Channel>, Value, Option<Box<Message>>);

impl Event for Sending {
    fn poll(&mut self, heap: &Heap, key: &mut Option<u64>, waker: &Waker) -> Poll<Ret> {
        let sent = self.0.poll_send(heap, self.1, &mut self.2, key, waker);
        sent.map(|done| answer(done.map(|()| Value::NULL)))
    }

    fn leave(&mut self, key: &mut Option<u64>) {
        self.0.leave_send(key);
    }
}

struct Receiving(Arc<Channel>);

impl Event for Receiving {
    fn poll(&mut self, heap: &Heap, key: &mut Option<u64>, waker: &Waker) -> Poll<Ret> {
        self.0.poll_recv(heap, key, waker).map(answer)
    }

    fn leave(&mut self, key: &mut Option<u64>) {
        self.0.leave_recv(key);
    }
}

/// How a sleep ended.
enum Slept {
    /// With its time.
    Whole,
    /// The task was cancelled.
    Interrupted,
    /// The runtime did not start it.
    Refused,
}

/// A sleep that ends with its time.
struct Sleeping(Pin<Box<dyn Future<Output = Slept>>>);

impl Event for Sleeping {
    fn poll(&mut self, heap: &Heap, _: &mut Option<u64>, waker: &Waker) -> Poll<Ret> {
        let mut context = Context::from_waker(waker);
        let slept = self.0.as_mut().poll(&mut context);
        slept.map(|slept| match slept {
            Slept::Whole => answer(Ok(Value::NULL)),
            Slept::Interrupted => cancelled(),
            Slept::Refused => answer(Err(heap.thrown_text("A sleep cannot be started here."))),
        })
    }

    fn leave(&mut self, _: &mut Option<u64>) {}
}

pub(crate) unsafe fn value_task(th: *const Thread, scope: u64) -> Result<u64, Refusal> {
    with(th, |cx| {
        let scope = match val(scope).as_resource() {
            Some(Resource::Scope(scope)) => Some(scope.clone()),
            _ => None,
        };
        let made = cx.heap.resource(Resource::Task(Arc::default(), scope));
        made.map(Value::word)
    })
}

pub(crate) unsafe fn value_task_started(th: *const Thread, object: u64, task: u64) {
    if let Some(Resource::Task(state, _)) = val(object).as_resource()
        && let Some(cx) = task_cx(th)
        && let Ok(handle) = handles::take_task(cx, task)
    {
        state.started(handle);
    }
}

pub(crate) unsafe fn value_task_end(_: *const Thread, object: u64, how: u32, v: u64) {
    let Some(Resource::Task(state, scope)) = val(object).as_resource() else {
        return;
    };
    let how = How::of(how);
    state.end(how, val(v));
    if let (How::Failed, Some(scope)) = (how, scope) {
        scope.fail(val(v));
    }
}

pub(crate) unsafe fn value_await(th: *const Thread, slot: *mut OpSlot, v: u64) -> Ret {
    match val(v).as_resource() {
        Some(Resource::Task(state, _)) => wait(th, slot, state.clone()),
        _ => answer(Ok(val(v))),
    }
}

pub(crate) unsafe fn value_cancel(th: *const Thread, task: u64) -> Result<(), Refusal> {
    with(th, |here| {
        let Some(Resource::Task(state, _)) = val(task).as_resource() else {
            return Err(here.heap.thrown_text("Only tasks can be cancelled."));
        };
        if let Some(cx) = task_cx(th) {
            state.cancel(cx);
        }
        Ok(())
    })
}

pub(crate) unsafe fn value_sleep(th: *const Thread, slot: *mut OpSlot, ms: u64) -> Ret {
    let Some(ms) = val(ms).as_number().filter(|ms| !ms.is_nan()) else {
        return throw(th, "A sleep takes a number of milliseconds.");
    };
    let time = Duration::try_from_secs_f64(ms.max(0.0) / 1e3).unwrap_or(Duration::MAX);
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    // SAFETY: the state of the calling thread, or null.
    let Some(th) = (unsafe { th.as_ref() }) else {
        return slot::refused(status::BAD_ARGUMENT);
    };
    // SAFETY: the row's contract, as for `wait`.
    unsafe {
        slot::start::<SLOT, _>(th, slot, |cx| Wait {
            waiter: cx.waiter(),
            event: Sleeping(Box::pin(async move {
                match cx.try_sleep(asr_rt::Duration::from_nanos(nanos)) {
                    Ok(sleep) => match sleep.await {
                        Ok(_) => Slept::Whole,
                        Err(_) => Slept::Interrupted,
                    },
                    Err(_) => Slept::Refused,
                }
            })),
            key: None,
        })
    }
}

/// Throws a message.
fn throw(th: *const Thread, text: &str) -> Ret {
    match here(th) {
        Some(cx) => answer(Err(cx.heap.thrown_text(text))),
        None => slot::refused(status::BAD_ARGUMENT),
    }
}

pub(crate) unsafe fn value_channel(th: *const Thread, capacity: u64) -> Result<u64, Refusal> {
    with(th, |cx| {
        let capacity = match val(capacity).as_number() {
            Some(n) if n >= 0.0 => n.min(1e9) as usize,
            None if val(capacity).is_null() => 1,
            _ => return Err(cx.heap.thrown_text("A channel takes a number of values.")),
        };
        let channel = Arc::new(Channel::new(capacity));
        let made = cx.heap.resource(Resource::Channel(channel));
        made.map(Value::word)
    })
}

fn channel(v: u64) -> Option<&'static Arc<Channel>> {
    match val(v).as_resource() {
        Some(Resource::Channel(channel)) => Some(channel),
        _ => None,
    }
}

pub(crate) unsafe fn value_send(th: *const Thread, slot: *mut OpSlot, to: u64, v: u64) -> Ret {
    match channel(to) {
        Some(channel) => wait(th, slot, Sending(channel.clone(), val(v), None)),
        None => throw(th, "Only channels can be sent to."),
    }
}

pub(crate) unsafe fn value_recv(th: *const Thread, slot: *mut OpSlot, from: u64) -> Ret {
    match channel(from) {
        Some(channel) => wait(th, slot, Receiving(channel.clone())),
        None => throw(th, "Only channels can be received from."),
    }
}

pub(crate) unsafe fn value_close(th: *const Thread, v: u64) -> Result<(), Refusal> {
    with(th, |cx| match channel(v) {
        Some(channel) => {
            channel.close();
            Ok(())
        }
        None => Err(cx.heap.thrown_text("Only channels can be closed.")),
    })
}

pub(crate) unsafe fn value_scope(th: *const Thread) -> Result<u64, Refusal> {
    with(th, |cx| {
        let scope = cx.heap.scopes.open(cx.th.task_id.get());
        let made = cx.heap.resource(Resource::Scope(scope));
        made.map(Value::word)
    })
}

pub(crate) unsafe fn value_scope_end(th: *const Thread, scope: u64) {
    if let (Some(cx), Some(Resource::Scope(scope))) = (here(th), val(scope).as_resource()) {
        cx.heap.scopes.end(scope);
    }
}

pub(crate) unsafe fn value_scope_check(_: *const Thread, scope: u64) -> Result<(), Refusal> {
    match val(scope).as_resource() {
        Some(Resource::Scope(scope)) => scope.check().map_err(Refusal::from),
        _ => Ok(()),
    }
}

/// A row that may wait, called from C: there is no context to wait under.
pub(crate) fn block(_: impl FnOnce(*const Thread, *mut OpSlot) -> Ret) -> Ret {
    slot::refused(status::BAD_ARGUMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_answers_once_however_it_ends() {
        let heap = Heap::new(1 << 20).unwrap();
        let status_of = |slept: Slept| {
            let mut sleeping = Sleeping(Box::pin(async { slept }));
            match sleeping.poll(&heap, &mut None, Waker::noop()) {
                Poll::Ready(ret) => ret.status,
                Poll::Pending => panic!("it would be polled again"),
            }
        };
        assert_eq!(status_of(Slept::Whole), status::OK.into());
        assert_eq!(status_of(Slept::Interrupted), status::CANCELLED.into());
        assert_eq!(status_of(Slept::Refused), status::THREW.into());
    }
}
