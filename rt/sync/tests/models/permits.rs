//! Semaphores and mutexes: a number, and a list of who waits.

use std::task::Poll;

use asr_kernel::Cx;
use asr_sync::{Mutex, Semaphore, TryAcquireError, WaitError};

use super::probe::{Probe, run};

/// A waiter of the model.
struct Waiter {
    need: u32,
    overtaken: u64,
}

#[derive(Default)]
struct Model {
    free: u32,
    closed: bool,
    waiting: Vec<Waiter>,
}

impl Model {
    /// A newcomer.
    fn take(&mut self, need: u32) -> bool {
        let overtakes = |first: &Waiter| first.overtaken < 64;
        if self.closed || self.free < need || !self.waiting.first().is_none_or(overtakes) {
            return false;
        }
        self.free -= need;
        self.waiting
            .iter_mut()
            .for_each(|waiter| waiter.overtaken += 1);
        true
    }
}

/// What is waited for. Its drop gives it back.
trait Held {}
impl<T> Held for T {}

type Taking<'a> = Probe<'a, Result<Box<dyn Held + Send + 'a>, WaitError>>;

/// What both have in common.
trait Subject: Sync {
    fn acquire<'a>(&'a self, cx: &'a Cx, need: u32) -> Taking<'a>;
    fn try_acquire<'a>(&'a self, cx: &'a Cx, need: u32) -> Option<Box<dyn Held + Send + 'a>>;
    fn free(&self) -> u32;
    fn waiting(&self) -> usize;
    fn close(&self) -> bool;
}

impl Subject for Semaphore {
    fn acquire<'a>(&'a self, cx: &'a Cx, need: u32) -> Taking<'a> {
        Probe::new(async move {
            let permit = self.acquire_many(cx, need).await?;
            Ok(Box::new(permit) as Box<dyn Held + Send>)
        })
    }

    fn try_acquire<'a>(&'a self, cx: &'a Cx, need: u32) -> Option<Box<dyn Held + Send + 'a>> {
        match self.try_acquire_many(cx, need) {
            Ok(permit) => Some(Box::new(permit)),
            Err(TryAcquireError::Empty) => None,
            Err(TryAcquireError::Closed) => {
                assert!(self.is_closed());
                None
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn free(&self) -> u32 {
        self.available()
    }

    fn waiting(&self) -> usize {
        self.waiting()
    }

    fn close(&self) -> bool {
        self.close();
        true
    }
}

impl Subject for Mutex<()> {
    fn acquire<'a>(&'a self, cx: &'a Cx, _: u32) -> Taking<'a> {
        Probe::new(async move {
            match self.lock(cx).await {
                Ok(guard) => Ok(Box::new(guard) as Box<dyn Held + Send>),
                Err(_) => Err(WaitError::Interrupted),
            }
        })
    }

    fn try_acquire<'a>(&'a self, cx: &'a Cx, _: u32) -> Option<Box<dyn Held + Send + 'a>> {
        let guard = self.try_lock(cx).ok()?;
        Some(Box::new(guard))
    }

    fn free(&self) -> u32 {
        u32::from(!self.is_locked())
    }

    fn waiting(&self) -> usize {
        self.waiting()
    }

    fn close(&self) -> bool {
        false
    }
}

pub(crate) fn semaphore(total: u32, operations: Vec<(u8, u8)>) {
    let semaphore = Semaphore::new(total).expect("a good number");
    run(move |cx| check(cx, &semaphore, total, &operations));
}

pub(crate) fn mutex(operations: Vec<(u8, u8)>) {
    run(move |cx| check(cx, &Mutex::new(()), 1, &operations));
}

fn check(cx: &Cx, subject: &dyn Subject, total: u32, operations: &[(u8, u8)]) {
    let mut model = Model {
        free: total,
        ..Model::default()
    };
    let mut held: Vec<(u32, Box<dyn Held + Send + '_>)> = Vec::new();
    let mut waits: Vec<Taking<'_>> = Vec::new();
    for &(operation, choice) in operations {
        let need = 1 + u32::from(choice) % total;
        match operation {
            0..=4 => {
                let got = subject.try_acquire(cx, need);
                assert_eq!(got.is_some(), model.take(need));
                held.extend(got.map(|got| (need, got)));
            }
            5..=7 => {
                let mut wait = subject.acquire(cx, need);
                match (wait.poll(), model.closed, model.take(need)) {
                    (Poll::Ready(Ok(got)), false, true) => held.push((need, got)),
                    (Poll::Ready(Err(WaitError::Closed)), true, false) => {}
                    (Poll::Pending, false, false) => {
                        let overtaken = 0;
                        model.waiting.push(Waiter { need, overtaken });
                        waits.push(wait);
                    }
                    (polled, ..) => panic!("{}", polled.is_ready()),
                }
            }
            8..=10 if !waits.is_empty() => {
                let at = usize::from(choice) % waits.len();
                let need = model.waiting[at].need;
                let takes = at == 0 && model.free >= need;
                match waits[at].poll() {
                    Poll::Ready(Ok(got)) => {
                        assert!(takes);
                        model.free -= need;
                        model.waiting.remove(at);
                        drop(waits.remove(at));
                        held.push((need, got));
                    }
                    Poll::Ready(Err(_)) => panic!("nobody closed it"),
                    Poll::Pending => assert!(!takes),
                }
            }
            11 if !waits.is_empty() => {
                let at = usize::from(choice) % waits.len();
                model.waiting.remove(at);
                drop(waits.remove(at));
            }
            12..=14 if !held.is_empty() => {
                let (need, got) = held.remove(usize::from(choice) % held.len());
                drop(got);
                model.free += need;
            }
            15 if choice < 2 && subject.close() => {
                model.closed = true;
                model.waiting.clear();
                for mut wait in waits.drain(..) {
                    assert!(wait.is_woken());
                    assert!(matches!(wait.poll(), Poll::Ready(Err(WaitError::Closed))));
                }
            }
            _ => {}
        }
        assert_eq!(subject.free(), model.free);
        assert_eq!(subject.waiting(), model.waiting.len());
        let out: u32 = held.iter().map(|held| held.0).sum();
        assert_eq!(model.free + out, total);
        if model
            .waiting
            .first()
            .is_some_and(|first| first.need <= model.free)
        {
            assert!(waits[0].is_woken(), "the first waiter could go on");
        }
    }
}
