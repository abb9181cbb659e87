//! Looking at obligations from outside: for oracles, for the search for futurelocks (OBL-19), for
//! people.

use asr_base::{ObligationId, Status};

use super::marking::Marking;
use super::place::HolderId;
use super::token;
use crate::kernel::Kernel;
use crate::region::Region;
use crate::task::Task;

impl Task {
    /// The recorded tokens that the task holds.
    pub fn obligations(&self) -> Vec<ObligationId> {
        self.side()
            .and_then(|side| Some(side.lock().rare()?.held.clone()))
            .unwrap_or_default()
    }
}

impl Region {
    /// The recorded tokens that the region holds itself.
    pub fn obligations(&self) -> Vec<ObligationId> {
        self.lock().held.clone()
    }

    /// The tokens of its tasks, by kind. Empty once it is closed: then they are in the totals.
    /// Guards and permits without record are added when the context ends that they borrowed.
    pub fn marking(&self) -> Marking {
        self.lock().marking.clone()
    }
}

impl Kernel {
    /// Who holds a recorded token.
    ///
    /// # Errors
    /// `ALREADY_RESOLVED`, `STALE_HANDLE`.
    pub fn holder(&self, id: ObligationId) -> Result<HolderId, Status> {
        token::reserved(self, id, |body| {
            let place = body.place.as_ref().expect("a reserved token has a place");
            Ok(place.holder.name(place.region))
        })
    }

    /// The counts of all regions, closed or not. Exact while nothing runs.
    pub fn marking(&self) -> Marking {
        let mut marking = self.obligations().totals();
        for region in self.regions() {
            marking.add(&region.lock().marking);
        }
        marking
    }
}
