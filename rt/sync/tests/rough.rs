//! Wakers, destructors and holders that misbehave: what is left is in order.
#![cfg(not(loom))]

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex as Std, mpsc as mpmc};
use std::task::{Context, Poll, Wake, Waker};

use asr_base::{Failure, Outcome};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx, RegionConfig};
use asr_sync::semaphore::AcquirePermit;
use asr_sync::{Closed, Mutex, RecvError, Semaphore, mpsc};

fn run<F, Fut>(body: F)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let outcome = Local::new(Config::default()).run(body);
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}

type Waiting = Arc<Std<Vec<Option<Pin<Box<AcquirePermit<'static>>>>>>>;

/// Gives up another waiter when it is woken.
struct GivesUp(Waiting, usize);

impl Wake for GivesUp {
    fn wake(self: Arc<Self>) {
        let other = self.0.lock().expect("whole")[self.1].take();
        drop(other);
    }
}

#[test]
fn chn_2_who_leaves_while_others_are_told_of_the_close() {
    run(async |cx| {
        // For ever, so that a waker may hold what waits.
        let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new(1)?));
        let cx: &'static Cx = Box::leak(Box::new(cx));
        let poll = |waiter: &mut Pin<Box<AcquirePermit<'static>>>, waker: &Waker| {
            waiter.as_mut().poll(&mut Context::from_waker(waker))
        };
        let held = semaphore.acquire(cx).await?;
        let mut first = Box::pin(semaphore.acquire(cx));
        assert!(poll(&mut first, Waker::noop()).is_pending());
        // One newcomer goes ahead of the first, so those who queue now are stamped with that.
        drop(held);
        let overtaking = semaphore.try_acquire(cx).expect("one is free");
        let waiting = Waiting::default();
        for n in 0..20 {
            let mut waiter = Box::pin(semaphore.acquire(cx));
            // The first one was told before, so sixteen are told at once. Then the next leaves.
            let waker = match n {
                0 => Waker::from(Arc::new(GivesUp(waiting.clone(), 16))),
                _ => Waker::noop().clone(),
            };
            assert!(poll(&mut waiter, &waker).is_pending());
            waiting.lock().expect("whole").push(Some(waiter));
        }
        semaphore.close();
        assert_eq!(semaphore.waiting(), 0);
        drop(overtaking);
        for waiter in waiting.lock().expect("whole").iter_mut().flatten() {
            assert!(matches!(poll(waiter, Waker::noop()), Poll::Ready(Err(_))));
        }
        assert!(matches!(
            poll(&mut first, Waker::noop()),
            Poll::Ready(Err(_))
        ));
        Ok(())
    });
}

/// Polls a part that holds a guard, and panics beside it: no unwinding passes through that part.
struct Beside(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Future for Beside {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(self.0.as_mut().poll(context).is_pending());
        panic!("planted");
    }
}

#[test]
fn chn_17_a_panic_beside_the_guard_poisons_too() {
    run(async |cx| {
        let lock = Arc::new(Mutex::new(0));
        let shared = lock.clone();
        let task = cx.spawn(move |cx| {
            Beside(Box::pin(async move {
                let _guard = shared.lock(&cx).await;
                std::future::pending::<()>().await;
            }))
        })?;
        assert!(matches!(task.join(&cx).await?, Outcome::Panicked(_)));
        assert!(!lock.is_locked());
        assert!(lock.is_poisoned());
        Ok(())
    });
}

/// Panics as it goes.
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0.fetch_add(1, Relaxed) == 0 {
            panic!("planted");
        }
    }
}

#[test]
fn chn_2_a_message_that_panics_as_it_goes_takes_no_other_along() {
    run(async |cx| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = mpsc::channel(&cx, 8)?;
        for _ in 0..5 {
            let _ = sender.send(&cx, Bomb(dropped.clone())).await;
        }
        drop(receiver);
        assert_eq!(dropped.load(Relaxed), 5);
        Ok(())
    });
}

/// Counts its wakes, and stays in the first until it is let go.
struct Stopped {
    wakes: AtomicUsize,
    entered: Std<mpmc::Sender<()>>,
    go: Std<mpmc::Receiver<()>>,
}

impl Wake for Stopped {
    fn wake(self: Arc<Self>) {
        if self.wakes.fetch_add(1, Relaxed) > 0 {
            return;
        }
        self.entered.lock().expect("whole").send(()).expect("heard");
        self.go.lock().expect("whole").recv().expect("let go");
    }
}

/// The system likes to stop who wakes another, to let that one run: which then waits for the next
/// message without a look at who was stopped.
#[test]
fn chn_26_a_receiver_waits_while_a_sender_is_stopped_in_its_wake() {
    let (entered, in_wake) = mpmc::channel();
    let (let_go, go) = mpmc::channel();
    let stopped = Arc::new(Stopped {
        wakes: AtomicUsize::new(0),
        entered: Std::new(entered),
        go: Std::new(go),
    });
    let waker = Waker::from(stopped.clone());
    let ring = mpsc::Ring::new(1);
    let mut cursor = mpsc::Cursor::default();
    std::thread::scope(|scope| {
        assert!(ring.poll_recv(&mut cursor, &waker).is_pending());
        scope.spawn(|| ring.try_send(1).expect("open"));
        in_wake.recv().expect("the sender wakes");
        assert_eq!(ring.poll_recv(&mut cursor, &waker), Poll::Ready(Ok(1)));
        ring.units().give(1);
        let waits = ring.poll_recv(&mut cursor, &waker).is_pending();
        let wakes = stopped.wakes.load(Relaxed);
        // It leaves, and its waker stays where the sender has it.
        ring.leave(&mut cursor);
        let_go.send(()).expect("the sender hears");
        assert!(waits);
        assert_eq!(wakes, 1, "it woke itself");
    });
}

/// Panics when it is woken.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("planted");
    }
}

/// Counts its wakes.
#[derive(Default)]
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// More senders wait than are told at once, and each waker panics: all of them and the receiver
/// hear of the end, from either side.
#[test]
fn chn_2_wakers_that_panic_keep_the_end_from_nobody() {
    for by_region in [true, false] {
        run(async move |cx| {
            let region = cx.open_region(&RegionConfig::new())?;
            let ends = region.spawn(async |cx| Ok(mpsc::channel::<u32, _>(&cx, 2)?))?;
            let (sender, mut receiver) = ends.join(&cx).await?.into_result()?;
            let permit = sender.reserve(&cx).await?;
            sender.send(&cx, 7).await?;
            let told = Arc::new(Counts::default());
            let (panics, counts): (Waker, Waker) = (Arc::new(Panics).into(), told.clone().into());
            let other = if by_region {
                assert_eq!(receiver.try_recv(), Ok(7));
                Some(sender.reserve(&cx).await?)
            } else {
                None
            };
            let mut waiting: Vec<_> = (0..40).map(|_| Box::pin(sender.reserve(&cx))).collect();
            for waiter in &mut waiting {
                assert!(
                    waiter
                        .as_mut()
                        .poll(&mut Context::from_waker(&panics))
                        .is_pending()
                );
            }
            if by_region {
                let mut recv = Box::pin(receiver.recv(&cx));
                assert!(
                    recv.as_mut()
                        .poll(&mut Context::from_waker(&counts))
                        .is_pending()
                );
                let _ = region.close(&cx).await;
                assert_eq!(told.0.load(Relaxed), 1);
                assert_eq!(recv.await, Err(RecvError::Closed));
            } else {
                receiver.close();
            }
            for mut waiter in waiting {
                let polled = waiter.as_mut().poll(&mut Context::from_waker(&counts));
                assert!(matches!(polled, Poll::Ready(Err(_))));
            }
            for permit in other.into_iter().chain([permit]) {
                assert_eq!(permit.send(1), Err(Closed(1)));
            }
            Ok(())
        });
    }
}
