//! Operations on the lock, the semaphore and the notices.

use asr_base::Interrupted;
use asr_sync::{LockError, MutexGuard, TryAcquireError, TryLockError, WaitError};

use super::super::world::{Fault, LOCK, PERMITS};
use super::{Done, Player, in_line, patient};

impl<'a> Player<'a> {
    pub(super) async fn lock(&mut self, patience: u8) -> Done {
        if self.guard.is_some() || self.early {
            return Ok(());
        }
        let lock = self.things.lock.lock(self.cx);
        let got = in_line(
            self.cx,
            self.account,
            LOCK,
            || self.things.lock.waiting(),
            lock,
            patience,
        )
        .await;
        match got {
            Some(Ok(guard)) => self.enter(guard),
            Some(Err(LockError::Interrupted)) => return Err(Interrupted),
            Some(Err(LockError::Poisoned(_))) => panic!("nobody poisons it"),
            None => {}
        }
        Ok(())
    }

    fn enter(&mut self, mut guard: MutexGuard<'a, u64>) {
        *guard += 1;
        let mut world = self.account.lock();
        world.enters();
        self.early = world.fault == Fault::Early;
        self.guard = Some(guard).filter(|_| !self.early);
    }

    pub(super) fn try_lock(&mut self) {
        if self.guard.is_some() || self.early {
            return;
        }
        match self.things.lock.try_lock(self.cx) {
            Ok(guard) => {
                self.account.lock().lines[LOCK].leaves(None, true);
                self.enter(guard);
            }
            Err(TryLockError::Held) => {}
            Err(_) => panic!("nobody poisons it, and the task lives"),
        }
    }

    pub(super) fn unlock(&mut self) {
        if self.guard.take().is_some() || std::mem::take(&mut self.early) {
            self.account.lock().leaves();
        }
    }

    pub(super) async fn acquire(&mut self, arg: u8, patience: u8) -> Done {
        let semaphore = &self.things.semaphore;
        let count = 1 + u32::from(arg) % semaphore.total();
        let got = in_line(
            self.cx,
            self.account,
            PERMITS,
            || semaphore.waiting(),
            semaphore.acquire_many(self.cx, count),
            patience,
        )
        .await;
        let mut world = self.account.lock();
        match got {
            Some(Ok(units)) => {
                world.out += count;
                self.units.push(units);
            }
            Some(Err(WaitError::Closed)) => assert!(world.closed),
            Some(Err(WaitError::Interrupted)) => return Err(Interrupted),
            Some(Err(other)) => panic!("{other}"),
            None => {}
        }
        Ok(())
    }

    pub(super) fn try_acquire(&mut self, arg: u8) {
        let semaphore = &self.things.semaphore;
        let count = 1 + u32::from(arg) % semaphore.total();
        let mut world = self.account.lock();
        match semaphore.try_acquire_many(self.cx, count) {
            Ok(units) => {
                world.lines[PERMITS].leaves(None, true);
                world.out += count;
                self.units.push(units);
            }
            Err(TryAcquireError::Empty) => assert!(!world.closed),
            Err(TryAcquireError::Closed) => assert!(world.closed),
            Err(other) => panic!("{other}"),
        }
    }

    pub(super) fn release(&mut self) {
        if let Some(units) = self.units.pop() {
            if self.account.lock().returns(units.count()) {
                drop(units);
            } else {
                std::mem::forget(units);
            }
        }
    }

    pub(super) async fn notified(&self, patience: u8) -> Done {
        match patient(self.things.notify.notified(self.cx), patience).await {
            Some(Ok(())) => {
                let mut world = self.account.lock();
                let left = world.notices.checked_sub(1);
                world.notices = left.expect("nobody gave notice");
                Ok(())
            }
            Some(Err(interrupted)) => Err(interrupted),
            None => Ok(()),
        }
    }
}
