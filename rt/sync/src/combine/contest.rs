//! The first branch to end decides (CMB-8), or the clock does.
//!
//! Protocol
//! 1. The body of the region starts the branches, and stays: as long as it lives the region admits
//!    what they start, and is not closed.
//! 2. A turn polls the region once, and with it the branches that are ready. After each turn the
//!    branches are looked at in order: the first that has ended is the winner. So of those that end
//!    in one scheduler step the lowest index wins (CMB-3). If none has, and each was polled, the
//!    clock is asked.
//! 3. Once there is a winner, all children of the region are cancelled, those that branches started
//!    too, but not the body: it waits for them, however long their finalizers take; if nobody lives
//!    but the body, the region is closed instead. Whoever ends after that has
//!    lost: its value is dropped before the region is closed, and reported (CMB-9).
//! 4. When none is left the body goes, and with it the region. The winner's outcome is taken then,
//!    and not before: it is a value of the region as long as that is there.
//!
//! All of it happens in polls of one task: the lock is never waited for.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use asr_base::{CancelKind, Error, Failure, Outcome};
use asr_kernel::cx::{May, Set, Sleep, caps};
use asr_kernel::task::Phase;
use asr_kernel::{Cx, JoinHandle, Policy, RegionConfig, RegionHandle, Scope};
use asr_lock::{Mutex, rank};

use super::settle;

/// Who ends a contest, and how the others are told.
pub(super) struct Rules<'c> {
    pub(super) clock: Option<Sleep<'c>>,
    pub(super) kind: CancelKind,
    pub(super) message: &'static str,
}

/// How a contest ended.
pub(super) enum Ended<T> {
    /// The outcome of the winner; or that of the region, if it ended without one.
    Branch(Outcome<T, Error>),
    /// The time was over.
    Clock,
}

struct Field<C, T> {
    /// The handles, in order; none of a branch that lost and has ended.
    branches: Vec<Option<JoinHandle<T>>>,
    region: Option<RegionHandle<C>>,
    body: Option<Waker>,
    winner: Winner,
    /// Nobody is left but the winner.
    over: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Winner {
    None,
    Branch(usize),
    Clock,
}

/// Runs what `start` starts as a contest.
pub(super) async fn contest<'env, C, T, S>(
    cx: &Cx<C>,
    mut rules: Rules<'_>,
    start: S,
) -> Outcome<Ended<T>, Error>
where
    C: Set + May<caps::Fiber>,
    S: FnOnce(&Scope<'env, C>) -> Result<Vec<Option<JoinHandle<T>>>, Failure> + Send,
    T: Send + 'env,
{
    let field = Mutex::new(Field {
        branches: Vec::new(),
        region: None,
        body: None,
        winner: Winner::None,
        over: false,
    });
    let shared = &field;
    let body = async move |scope: Scope<'env, C>, _: Cx<C>| {
        let branches = start(&scope)?;
        {
            let mut field = shared.lock();
            field.branches = branches;
            field.region = Some(scope.handle());
        }
        poll_fn(|context| stay(shared, context)).await;
        Ok(())
    };
    let config = RegionConfig::new().policy(Policy::CollectAll);
    let closed = {
        let mut region = pin!(cx.region(config, body));
        poll_fn(|context| turns(shared, &mut rules, region.as_mut(), context)).await
    };
    let field = field.into_inner();
    let ended = match (field.winner, closed) {
        (_, Outcome::Panicked(payload)) => Outcome::Panicked(payload),
        (Winner::Clock, _) => Outcome::Ok(Ended::Clock),
        (Winner::Branch(winner), closed) => match take(field.branches, winner) {
            Some(outcome) => Outcome::Ok(Ended::Branch(outcome)),
            None => none(closed),
        },
        (Winner::None, closed) => none(closed),
    };
    settle(cx, ended)
}

/// The region ended without a winner.
fn none<T>(closed: Outcome<(), Error>) -> Outcome<Ended<T>, Error> {
    closed.map(|()| unreachable!("the body waits for a winner"))
}

fn take<T>(branches: Vec<Option<JoinHandle<T>>>, winner: usize) -> Option<Outcome<T, Error>> {
    let handle = branches.into_iter().nth(winner)??;
    handle.try_join().ok()
}

/// One poll of a contest: a turn, and another if there is something to do at once: after the first,
/// which only starts the branches, and after the last branch, when only the body is left.
fn turns<C, T, R>(
    field: &Mutex<Field<C, T>, rank::SyncContest>,
    rules: &mut Rules<'_>,
    mut region: Pin<&mut R>,
    context: &mut Context<'_>,
) -> Poll<R::Output>
where
    C: Set,
    R: Future,
{
    loop {
        let started = field.lock().region.is_some();
        if let Poll::Ready(closed) = region.as_mut().poll(context) {
            look(field, rules, context);
            return Poll::Ready(closed);
        }
        let starts = !started && field.lock().region.is_some();
        if !look(field, rules, context) && !starts {
            return Poll::Pending;
        }
    }
}

/// Steps 2 and 3, after a turn. True if from now on only the body is left.
fn look<C, T>(
    field: &Mutex<Field<C, T>, rank::SyncContest>,
    rules: &mut Rules<'_>,
    context: &mut Context<'_>,
) -> bool
where
    C: Set,
{
    let mut now = field.lock();
    if now.over || now.region.is_none() {
        return false;
    }
    if now.winner == Winner::None {
        let ended =
            |branch: &Option<JoinHandle<T>>| branch.as_ref().is_some_and(JoinHandle::is_finished);
        now.winner = match now.branches.iter().position(ended) {
            Some(winner) => Winner::Branch(winner),
            None => {
                let polled = |branch: &JoinHandle<T>| branch.phase() != Phase::Created;
                let all = now.branches.iter().flatten().all(polled);
                // Without the lock: the clock takes locks of its own, and drops wakers.
                drop(now);
                if !all || !expired(rules, context) {
                    return false;
                }
                now = field.lock();
                Winner::Clock
            }
        };
        let region = now.region.clone();
        drop(now);
        match region {
            // Only the body lives, and nobody comes to it any more.
            Some(region) if region.region().live() == 1 => region.begin_close(),
            Some(region) => region.cancel_children(rules.kind, rules.message),
            None => {}
        }
        now = field.lock();
    }
    loop {
        let winner = now.winner;
        let mut live = false;
        let lost = now
            .branches
            .iter_mut()
            .enumerate()
            .find_map(|(at, branch)| {
                if winner == Winner::Branch(at) {
                    return None;
                }
                let ended = branch.as_ref()?.is_finished();
                live |= !ended;
                ended.then(|| branch.take().map(|handle| (at, handle)))?
            });
        let Some((at, handle)) = lost else {
            if live {
                return false;
            }
            now.over = true;
            let body = now.body.take();
            drop(now);
            if let Some(body) = body {
                body.wake();
            }
            return true;
        };
        drop(now);
        // A value of the user is dropped here.
        let _ = handle.discard(at);
        now = field.lock();
    }
}

/// Whether the time is over; asked once all branches have been polled (CMB-10).
fn expired(rules: &mut Rules<'_>, context: &mut Context<'_>) -> bool {
    let Some(clock) = &mut rules.clock else {
        return false;
    };
    // Interrupted: the caller is cancelled, and the branches with it.
    matches!(Pin::new(clock).poll(context), Poll::Ready(Ok(())))
}

/// The body waits for step 4.
fn stay<C, T>(
    field: &Mutex<Field<C, T>, rank::SyncContest>,
    context: &mut Context<'_>,
) -> Poll<()> {
    // Cloned and dropped outside the lock: it may be anybody's code.
    let fresh = context.waker().clone();
    let mut now = field.lock();
    if now.over {
        return Poll::Ready(());
    }
    let before = now.body.replace(fresh);
    drop(now);
    drop(before);
    Poll::Pending
}
