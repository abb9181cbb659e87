//! Starting a compiled task.
#![allow(unsafe_code, reason = "makes the one handle of a new task")]

use asr_base::Status;

use super::RootFrame;
use crate::cx::{Caps, Cx, May, Set, caps};
use crate::region::admit::admit;
use crate::region::{Region, Spawn, Spawner, allow};
use crate::task::{JoinHandle, Tier};

/// Why a compiled task was not started, and its frame.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub status: Status,
    /// Unused.
    pub frame: RootFrame,
}

impl From<Refused> for asr_base::Error {
    fn from(refused: Refused) -> asr_base::Error {
        asr_base::Error::new(refused.status, "a compiled task was not started")
    }
}

impl From<Refused> for asr_base::Failure {
    fn from(refused: Refused) -> asr_base::Failure {
        asr_base::Failure::Err(refused.into())
    }
}

impl<C: Set> Cx<C> {
    /// Starts a compiled task in the region of this task. It gets the capabilities of this context,
    /// and the worker to which this task is pinned, if it is (SCH-48).
    ///
    /// # Errors
    /// The frame, unused, as for [`spawn`](Cx::spawn).
    pub fn spawn_compiled(
        &self,
        frame: RootFrame,
        options: Spawn,
    ) -> Result<JoinHandle<u64>, Refused>
    where
        C: May<caps::Task>,
    {
        if let Err(status) = self.allow::<caps::Task>("spawn") {
            return Err(Refused { status, frame });
        }
        let task = self.task_ref();
        let pin = options.pin.or(task.pin());
        start(task.region(), self.caps(), Spawn { pin, ..options }, frame)
    }

    /// Where an isolate goes: pinned to the next worker in turn (SCH-48). Tasks that a compiled
    /// task of it starts are pinned there too. Where one thread runs all tasks there is nothing to
    /// choose.
    pub fn isolate(&self) -> Spawn {
        let worker = self.task_ref().kernel().next_isolate();
        worker.map_or_else(Spawn::new, |worker| Spawn::new().pin(worker))
    }

    /// The same in a region that this task has a handle of.
    ///
    /// # Errors
    /// As for [`spawn_compiled`](Cx::spawn_compiled).
    pub fn spawn_compiled_in<D>(
        &self,
        region: &Spawner<D>,
        frame: RootFrame,
        options: Spawn,
    ) -> Result<JoinHandle<u64>, Refused>
    where
        C: May<caps::Task>,
    {
        if let Err(status) = self.allow::<caps::Task>("spawn") {
            return Err(Refused { status, frame });
        }
        let pin = options.pin.or(self.task_ref().pin());
        let options = Spawn { pin, ..options };
        start(region.region(), self.caps(), options, frame)
    }
}

impl<C> Spawner<C> {
    /// Starts a compiled task in the region.
    ///
    /// # Errors
    /// The frame, unused, as for [`spawn`](Spawner::spawn).
    pub fn spawn_compiled(
        &self,
        frame: RootFrame,
        options: Spawn,
    ) -> Result<JoinHandle<u64>, Refused>
    where
        C: May<caps::Task>,
    {
        if let Err(status) = allow::<caps::Task>(self.region(), self.caps(), "spawn") {
            return Err(Refused { status, frame });
        }
        start(self.region(), self.caps(), options, frame)
    }
}

fn start(
    region: &Region,
    caps: Caps,
    options: Spawn,
    frame: RootFrame,
) -> Result<JoinHandle<u64>, Refused> {
    let admitted = match admit(region, Tier::Task) {
        Ok(admitted) => admitted,
        Err(status) => return Err(Refused { status, frame }),
    };
    let mut context = None;
    let task = admitted.start(options, |task| {
        context = Some(task);
        frame.into_cell(caps)
    });
    // Whoever polls it has a reference, and lends it: the frame needs none.
    drop(context);
    // SAFETY: the cell was just made, of a compiled task, and this is its first handle.
    Ok(unsafe { JoinHandle::new(task) })
}
