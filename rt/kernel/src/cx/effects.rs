//! Time, randomness and tracing: the effects of a context that need a token each.
//!
//! The bounds stand at the methods, so that a context that lacks one is told which.

use std::sync::atomic::Ordering::Relaxed;

use asr_base::{Duration, Error, Status, Time};

use super::{Cx, Has, May, Set, Sleep, Token, caps};
use crate::event;

impl<C: Set> Cx<C> {
    /// Time since the start of the runtime.
    pub fn now(&self) -> Time
    where
        C: Has<caps::Time>,
    {
        self.task.kernel().now()
    }

    /// Waits until `deadline`. Ready at the first poll if it has passed.
    ///
    /// # Cancel safety
    /// Checkpointing: a pending cancel comes before a deadline that has passed. Nothing is lost.
    pub fn sleep_until(&self, deadline: Time) -> Sleep<'_>
    where
        C: Has<caps::Time>,
    {
        Sleep::new(&self.task, deadline)
    }

    /// Waits for `duration`. As [`sleep_until`](Cx::sleep_until).
    pub fn sleep(&self, duration: Duration) -> Sleep<'_>
    where
        C: Has<caps::Time>,
    {
        self.sleep_until(self.now().saturating_add(duration))
    }

    /// [`now`](Cx::now) for a context whose type does not say that it may.
    ///
    /// # Errors
    /// As for [`require`](Cx::require).
    pub fn try_now(&self) -> Result<Time, Error>
    where
        C: May<caps::Time>,
    {
        self.require::<caps::Time>("now")?;
        Ok(self.task.kernel().now())
    }

    /// [`sleep_until`](Cx::sleep_until) for a context whose type does not say that it may.
    ///
    /// # Errors
    /// As for [`require`](Cx::require), at the call: there is no future then.
    pub fn try_sleep_until(&self, deadline: Time) -> Result<Sleep<'_>, Error>
    where
        C: May<caps::Time>,
    {
        self.require::<caps::Time>("sleep_until")?;
        Ok(Sleep::new(&self.task, deadline))
    }

    /// [`sleep`](Cx::sleep) for a context whose type does not say that it may.
    ///
    /// # Errors
    /// As for [`require`](Cx::require), at the call: there is no future then.
    pub fn try_sleep(&self, duration: Duration) -> Result<Sleep<'_>, Error>
    where
        C: May<caps::Time>,
    {
        self.require::<caps::Time>("sleep")?;
        let deadline = self.task.kernel().now().saturating_add(duration);
        Ok(Sleep::new(&self.task, deadline))
    }

    /// Randomness. In the lab a function of seed, task and call number (CAP-4).
    ///
    /// # Errors
    /// As for [`require`](Cx::require); `UNSUPPORTED` if the driver has no randomness (CAP-11).
    pub fn random_u64(&self) -> Result<u64, Error>
    where
        C: May<caps::Entropy>,
    {
        self.require::<caps::Entropy>("random_u64")?;
        self.interpreted::<caps::Entropy>("random_u64")?;
        let call = self.task.side_or_new().entropy.fetch_add(1, Relaxed);
        Ok(self.task.kernel().entropy(self.task.id(), call))
    }

    /// Fills `bytes` with randomness.
    ///
    /// # Errors
    /// As for [`random_u64`](Cx::random_u64); `bytes` is unchanged then.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), Error>
    where
        C: May<caps::Entropy>,
    {
        self.require::<caps::Entropy>("fill")?;
        self.interpreted::<caps::Entropy>("fill")?;
        for chunk in bytes.chunks_mut(8) {
            let word = self.random_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }

    /// Writes an event of the program's own into the trace.
    ///
    /// # Errors
    /// As for [`require`](Cx::require).
    pub fn trace(&self, a: u64, b: u64) -> Result<(), Error>
    where
        C: May<caps::Trace>,
    {
        self.require::<caps::Trace>("trace")?;
        event::user(&self.task, a, b);
        Ok(())
    }

    /// Refuses an effect that the driver does not interpret (CAP-11).
    fn interpreted<K: Token>(&self, operation: &'static str) -> Result<(), Error> {
        if self.task.kernel().interprets().has::<K>() {
            return Ok(());
        }
        let what = format!("the driver has nothing for {operation}");
        Err(Error::new(Status::UNSUPPORTED, what))
    }
}
