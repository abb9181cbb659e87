//! The same work in `async` functions of Rust: boxed tasks on a queue, polled from their roots.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

type Task = Pin<Box<dyn Future<Output = u64>>>;

/// Runs tasks in turn; gives the last result.
fn run(tasks: impl Iterator<Item = Task>) -> u64 {
    thread_local! {
        static READY: RefCell<VecDeque<Task>> = const { RefCell::new(VecDeque::new()) };
    }
    READY.with_borrow_mut(|ready| ready.extend(tasks));
    let mut context = Context::from_waker(Waker::noop());
    let mut last = 0;
    while let Some(mut task) = READY.with_borrow_mut(VecDeque::pop_front) {
        match task.as_mut().poll(&mut context) {
            Poll::Ready(value) => last = value,
            Poll::Pending => READY.with_borrow_mut(|ready| ready.push_back(task)),
        }
    }
    last
}

fn one(task: impl Future<Output = u64> + 'static) -> u64 {
    run(std::iter::once(Box::pin(task) as Task))
}

fn yield_now() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |_| match std::mem::replace(&mut yielded, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
}

pub(crate) fn two(n: u64) -> u64 {
    let task = || {
        Box::pin(async {
            yield_now().await;
            yield_now().await;
            1u64
        }) as Task
    };
    let mut left = n;
    while left > 0 {
        let some = left.min(64);
        run((0..some).map(|_| task()));
        left -= some;
    }
    n
}

#[inline(never)]
async fn child(i: u64, s: u64) -> u64 {
    if i == u64::MAX {
        yield_now().await;
    }
    s.wrapping_add(std::hint::black_box(i))
}

pub(crate) fn ready(n: u64) -> u64 {
    one(async move {
        let mut s = 0;
        for i in 0..n {
            s = child(i, s).await;
        }
        s
    })
}

pub(crate) fn heap(n: u64) -> u64 {
    one(async move {
        let mut s = 0;
        for i in 0..n {
            s = (Box::pin(child(i, s)) as Task).await;
        }
        s
    })
}

async fn yields(n: u64) -> u64 {
    for _ in 0..n {
        yield_now().await;
    }
    n
}

pub(crate) fn suspends(n: u64) -> u64 {
    one(yields(n))
}

fn nested(depth: u64, n: u64) -> Task {
    if depth == 0 {
        return Box::pin(yields(n));
    }
    Box::pin(async move { nested(depth - 1, n).await })
}

pub(crate) fn deep(n: u64) -> u64 {
    one(nested(10, n))
}
