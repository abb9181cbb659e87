//! One task of a program: what it holds, and its operations, each entered in the account in the
//! poll that completes it.

mod locking;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use asr_base::Interrupted;
use asr_kernel::Cx;
use asr_sync::mpsc::{Permit, Receiver, Sender};
use asr_sync::semaphore::Permit as Units;
use asr_sync::{
    Closed, MutexGuard, RecvError, SendError, TryRecvError, TryReserveError, TrySendError,
    WaitError, oneshot,
};

use super::script::Step;
use super::tasks::Things;
use super::world::{Account, Fault, ROOM};

/// Ends of channels that are one task's own. Oneshots are numbered by who sends.
pub(super) struct Ends {
    pub(super) sender: Option<Sender<u64>>,
    pub(super) receiver: Option<Receiver<u64>>,
    pub(super) one: Option<(usize, oneshot::Sender<u64>)>,
    pub(super) other: Option<(usize, oneshot::Receiver<u64>)>,
    pub(super) account: Account,
}

/// Also of a task that is cancelled before it begins.
impl Drop for Ends {
    fn drop(&mut self) {
        let mut world = self.account.lock();
        if self.receiver.is_some() {
            world.receiver_gone();
        }
        if let Some((number, _)) = &self.other {
            world.oneshot_gone(*number);
        }
    }
}

pub(super) struct Player<'a> {
    cx: &'a Cx,
    sender: Option<&'a Sender<u64>>,
    things: &'a Things,
    account: &'a Account,
    permits: Vec<Permit<'a, u64>>,
    guard: Option<MutexGuard<'a, u64>>,
    /// The fault has given the guard up.
    early: bool,
    units: Vec<Units<'a>>,
}

type Done = Result<(), Interrupted>;

/// The same in a line: no one is served before who came first, unless he never waits. `waiting` is
/// the length of the line: a poll that had no operation left comes before the wait. Where the
/// account says so, every second poll has none.
async fn in_line<T, E>(
    cx: &Cx,
    account: &Account,
    line: usize,
    waiting: impl Fn() -> usize,
    future: impl Future<Output = Result<T, E>>,
    patience: u8,
) -> Option<Result<T, E>> {
    let mut arrival = None;
    let mut future = pin!(future);
    let (waiter, busy) = (cx.waiter(), account.lock().busy);
    let mut spends = false;
    let watched = poll_fn(|context| {
        while busy && spends && waiter.coop(context).is_ready() {}
        spends = !spends;
        let before = waiting();
        let polled = future.as_mut().poll(context);
        if polled.is_pending() && arrival.is_none() && waiting() > before {
            arrival = Some(account.lock().lines[line].waits());
        }
        polled
    });
    let got = patient(watched, patience).await;
    let served = matches!(got, Some(Ok(_)));
    account.lock().lines[line].leaves(arrival, served);
    got
}

/// Polls so many times before it gives up; 7 is for ever.
async fn patient<F: Future>(future: F, patience: u8) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        if patience < 7 && polls >= patience {
            return Poll::Ready(None);
        }
        if patience < 7 {
            context.waker().wake_by_ref();
        }
        polls = polls.saturating_add(1);
        Poll::Pending
    })
    .await
}

impl<'a> Player<'a> {
    pub(super) fn new(
        cx: &'a Cx,
        sender: Option<&'a Sender<u64>>,
        things: &'a Things,
        account: &'a Account,
    ) -> Player<'a> {
        Player {
            cx,
            sender,
            things,
            account,
            permits: Vec::new(),
            guard: None,
            early: false,
            units: Vec::new(),
        }
    }

    pub(super) async fn step(&mut self, ends: &mut Ends, step: Step) -> Done {
        let Step { op, arg } = step;
        let patience = arg >> 5;
        match (op % 32, self.sender) {
            (0..=1, Some(sender)) => self.try_send(sender),
            (2..=3, Some(sender)) => self.send(sender, patience).await?,
            (4..=5, Some(sender)) => self.reserve(sender, patience).await?,
            (6, Some(sender)) => self.try_reserve(sender),
            (7..=8, _) => self.resolve(arg % 3 == 0),
            (9, Some(sender)) if arg < 16 => {
                sender.close();
                self.account.lock().shut = true;
            }
            (0..=5, None) => self.recv(ends, patience).await?,
            (6 | 9, None) => self.try_recv(ends, arg),
            (10..=12, _) => self.lock(patience).await?,
            (13, _) => self.try_lock(),
            (14..=15, _) => self.unlock(),
            (16..=18, _) => self.acquire(arg, patience).await?,
            (19, _) => self.try_acquire(arg),
            (20..=21, _) => self.release(),
            (22, _) => {
                self.account.lock().notices += 1;
                self.things.notify.notify_one();
            }
            (23, _) => {
                self.account.lock().notices += self.things.notify.waiting() as u64;
                self.things.notify.notify_all();
            }
            (24..=25, _) => self.notified(patience).await?,
            (26, _) => self.one_send(ends),
            (27, _) => self.one_recv(ends, patience).await?,
            (28, _) => self.one_try(ends, arg),
            (29, _) => self.cx.sleep(Duration::from_micros(arg.into())).await?,
            _ => self.cx.yield_now().await?,
        }
        self.look();
        Ok(())
    }

    /// What holds after each operation.
    fn look(&self) {
        let world = self.account.lock();
        let semaphore = &self.things.semaphore;
        assert_eq!(semaphore.available() + world.out, semaphore.total());
        if let Some(sender) = self.sender.filter(|_| !world.shut) {
            let used = world.queue.len() + world.reserved;
            let lost = world.fault == Fault::Lost;
            assert!(
                lost || sender.room() + used == world.capacity,
                "{used} used"
            );
        }
    }

    fn try_send(&self, sender: &Sender<u64>) {
        let mut world = self.account.lock();
        let message = world.message();
        match sender.try_send(message) {
            Ok(()) => {
                world.lines[ROOM].leaves(None, true);
                world.sent(message);
            }
            Err(TrySendError::Full(back)) => assert!(back == message && !world.shut),
            Err(TrySendError::Closed(back)) => assert!(back == message && world.shut),
        }
    }

    async fn send(&self, sender: &Sender<u64>, patience: u8) -> Done {
        let message = self.account.lock().message();
        let sent = in_line(
            self.cx,
            self.account,
            ROOM,
            || sender.waiting(),
            sender.send(self.cx, message),
            patience,
        )
        .await;
        let mut world = self.account.lock();
        match sent {
            Some(Ok(())) => world.sent(message),
            Some(Err(SendError::Closed(back))) => assert!(back == message && world.shut),
            Some(Err(SendError::Interrupted(back))) => {
                assert_eq!(back, message);
                return Err(Interrupted);
            }
            None => {}
        }
        Ok(())
    }

    async fn reserve(&mut self, sender: &'a Sender<u64>, patience: u8) -> Done {
        let permit = in_line(
            self.cx,
            self.account,
            ROOM,
            || sender.waiting(),
            sender.reserve(self.cx),
            patience,
        )
        .await;
        let mut world = self.account.lock();
        match permit {
            Some(Ok(permit)) => {
                world.reserved += 1;
                self.permits.push(permit);
            }
            Some(Err(WaitError::Closed)) => assert!(world.shut),
            Some(Err(WaitError::Interrupted)) => return Err(Interrupted),
            Some(Err(other)) => panic!("{other}"),
            None => {}
        }
        Ok(())
    }

    fn try_reserve(&mut self, sender: &'a Sender<u64>) {
        let mut world = self.account.lock();
        match sender.try_reserve(self.cx) {
            Ok(permit) => {
                world.lines[ROOM].leaves(None, true);
                world.reserved += 1;
                self.permits.push(permit);
            }
            Err(TryReserveError::Full) => assert!(!world.shut),
            Err(TryReserveError::Closed) => assert!(world.shut),
        }
    }

    /// The oldest permit is used, or given back.
    fn resolve(&mut self, abort: bool) {
        if self.permits.is_empty() {
            return;
        }
        let permit = self.permits.remove(0);
        let mut world = self.account.lock();
        world.reserved -= 1;
        let message = world.message();
        if abort {
            permit.abort();
            return;
        }
        match permit.send(message) {
            Ok(()) => world.sent(message),
            Err(Closed(back)) => assert!(back == message && world.shut),
        }
    }

    async fn recv(&self, ends: &mut Ends, patience: u8) -> Done {
        let Some(receiver) = &mut ends.receiver else {
            return Ok(());
        };
        let got = patient(receiver.recv(self.cx), patience).await;
        let mut world = self.account.lock();
        match got {
            Some(Ok(message)) => world.received(message),
            Some(Err(RecvError::Closed)) => assert!(world.queue.is_empty()),
            Some(Err(RecvError::Interrupted)) => return Err(Interrupted),
            None => {}
        }
        Ok(())
    }

    fn try_recv(&self, ends: &mut Ends, arg: u8) {
        let Some(receiver) = &mut ends.receiver else {
            return;
        };
        let mut world = self.account.lock();
        match receiver.try_recv() {
            Ok(message) => world.received(message),
            Err(TryRecvError::Empty) => assert!(world.queue.is_empty() && !world.shut),
            Err(TryRecvError::Closed) => assert!(world.queue.is_empty()),
        }
        match arg {
            0..4 => {
                world.receiver_gone();
                receiver.close();
            }
            4..8 => {
                world.receiver_gone();
                ends.receiver = None;
            }
            _ => {}
        }
    }

    fn one_send(&self, ends: &mut Ends) {
        if let Some((number, sender)) = ends.one.take() {
            let closed = sender.is_closed();
            match sender.send(number as u64) {
                Ok(()) => self.account.lock().flies(number),
                Err(Closed(back)) => assert!(back == number as u64 && closed),
            }
        }
    }

    async fn one_recv(&self, ends: &mut Ends, patience: u8) -> Done {
        let Some((number, receiver)) = &mut ends.other else {
            return Ok(());
        };
        let got = patient(receiver.recv(self.cx), patience).await;
        let mut world = self.account.lock();
        match got {
            Some(Ok(message)) => {
                assert_eq!(message, *number as u64);
                world.lands(*number);
            }
            Some(Err(RecvError::Closed)) => assert!(!world.is_flying(*number)),
            Some(Err(RecvError::Interrupted)) => return Err(Interrupted),
            None => {}
        }
        Ok(())
    }

    fn one_try(&self, ends: &mut Ends, arg: u8) {
        let Some((number, receiver)) = &mut ends.other else {
            return;
        };
        let mut world = self.account.lock();
        match receiver.try_recv() {
            Ok(_) => world.lands(*number),
            Err(_) => assert!(!world.is_flying(*number)),
        }
        if arg < 32 {
            world.oneshot_gone(*number);
            receiver.close();
        }
    }

    /// Gives everything back: what is reserved is used where the number is odd.
    pub(super) fn ends(mut self, number: usize) {
        while !self.permits.is_empty() {
            self.resolve(number.is_multiple_of(2));
        }
        while !self.units.is_empty() {
            self.release();
        }
        self.unlock();
        self.look();
    }
}
