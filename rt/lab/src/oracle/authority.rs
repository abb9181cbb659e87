//! No effect without a token (CAP-1). A token comes from the context of a task, so an effect is
//! that of a task that started and is not complete; after that its context gives nothing (CAP-9).
//!
//! Which tokens the context had is in its type, or checked by the call that was refused
//! (`cap.denied`); neither is in the trace.

use std::collections::BTreeSet;

use asr_base::TaskId;
use asr_trace::{Event, Kind};

use super::{Broken, Oracle};

/// The tasks that started and are not complete.
#[derive(Debug, Default)]
pub struct Authority {
    live: BTreeSet<TaskId>,
}

impl Oracle for Authority {
    fn name(&self) -> &'static str {
        "ambient authority"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        if !event.is_semantic() {
            return Ok(());
        }
        match (event.kind, event.task) {
            (Kind::TaskStart, Some(task)) => {
                self.live.insert(task);
            }
            (Kind::TaskComplete, Some(task)) => {
                self.live.remove(&task);
            }
            (Kind::IoSubmit | Kind::RemoteSend | Kind::User, by) => return self.effect(event, by),
            _ => {}
        }
        Ok(())
    }
}

impl Authority {
    fn effect(&self, event: &Event, by: Option<TaskId>) -> Result<(), Broken> {
        if by.is_some_and(|task| self.live.contains(&task)) {
            return Ok(());
        }
        let by = by.map_or("nobody".to_owned(), |task| format!("{task}, not live"));
        let what = format!("{} by {by}", event.kind.name());
        Err(Broken::new("CAP-1", what))
    }
}
