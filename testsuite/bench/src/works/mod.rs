//! The workloads. Their names, counts and what each measures are those of the peers; how they are
//! written is how a program for this runtime is.

mod cancel;
mod channel;
mod compiled;
mod idle;
mod lock;
mod spawn;
mod timer;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;

use asr_base::{Duration, Interrupted};
use asr_kernel::Cx;

use crate::on::Place;
use crate::report::Report;

/// One workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// How many operations, if nobody says.
    pub(crate) count: u64,
    pub(crate) run: fn(Place, u64) -> Report,
}

const fn work(name: &'static str, count: u64, run: fn(Place, u64) -> Report) -> Work {
    Work { name, count, run }
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Work> {
    let parts = [
        spawn::WORKS,
        timer::WORKS,
        idle::WORKS,
        cancel::WORKS,
        lock::WORKS,
        channel::WORKS,
        compiled::WORKS,
    ];
    parts.into_iter().flatten().copied()
}

/// An hour: a sleep that nobody sees the end of.
const FAR: Duration = Duration::from_secs(3600);

/// Waits until the task is cancelled.
async fn cancelled(cx: &Cx) -> Result<(), Interrupted> {
    let mut waiter = cx.waiter();
    poll_fn(|context| {
        if let Err(interrupted) = waiter.check() {
            return Poll::Ready(Err(interrupted));
        }
        match waiter.park(context) {
            Ok(()) => Poll::Pending,
            Err(interrupted) => Poll::Ready(Err(interrupted)),
        }
    })
    .await
}

/// Tasks count themselves when they run first.
#[derive(Clone, Debug, Default)]
struct Started(Arc<AtomicU64>);

impl Started {
    /// One more. The counter is let go: it is not to count in the size of a task.
    fn count(self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Sleeps until there are `count`, as the peers do.
    async fn wait(&self, cx: &Cx, count: u64) -> Result<(), Interrupted> {
        while self.0.load(Relaxed) < count {
            cx.sleep(Duration::from_millis(1)).await?;
        }
        Ok(())
    }
}
