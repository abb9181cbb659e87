//! Raw tokens, named by id: those of compiled code and of C (OBL-4, OBL-5, OBL-33).
//!
//! The caller carries out the verbs; the registry says who may, and that it is once. What the
//! runtime does when nobody resolves the token is the `abort` it was reserved with.

use std::panic::Location;

use asr_base::{Error, ObligationId, Status};

use super::cause::AbortCause;
use super::kind::Kind;
use super::linear::Recipient;
use super::place::{Holder, Place};
use super::record::{Behind, ImplicitAbort};
use super::token::{self, Origin, Token};
use crate::cx::{Authority, Cx};
use crate::task::TaskRef;
use crate::task::cell::contained;

impl<C> Cx<C> {
    /// Makes a token with a record. `abort` gives up what is behind it, if nobody does.
    ///
    /// # Errors
    /// As for [`reserve`](Cx::reserve); `abort` did not run.
    #[track_caller]
    pub fn reserve_raw(
        &self,
        kind: Kind,
        abort: Option<ImplicitAbort>,
    ) -> Result<ObligationId, Error> {
        self.reserve_raw_for(kind, Behind::default(), abort)
    }

    /// The same; who has the token can ask for `behind` ([`look_raw`](Cx::look_raw)).
    ///
    /// # Errors
    /// As for [`reserve_raw`](Cx::reserve_raw).
    #[track_caller]
    pub fn reserve_raw_for(
        &self,
        kind: Kind,
        behind: Behind,
        abort: Option<ImplicitAbort>,
    ) -> Result<ObligationId, Error> {
        let origin = Origin {
            location: Some(Location::caller()),
            raw: true,
            abort,
            behind,
        };
        let token = Token::reserve(self.task(), kind, origin)?;
        Ok(token.id.expect("raw tokens have records"))
    }

    /// Kind and what is behind a token that this task may resolve.
    ///
    /// # Errors
    /// As for [`commit_raw`](Cx::commit_raw).
    pub fn look_raw(&self, id: ObligationId) -> Result<(Kind, Behind), Status> {
        let task = self.task();
        token::reserved(task.kernel(), id, |body| {
            let place = body.place.as_ref().expect("a reserved token has a place");
            if !body.raw {
                return Err(Status::WRONG_TYPE);
            }
            may_resolve(task, place)?;
            Ok((place.kind, body.behind))
        })
    }

    /// Resolves a token as committed. The caller carries out the effect.
    ///
    /// # Errors
    /// `ALREADY_RESOLVED`, `NOT_HOLDER`, `STALE_HANDLE`, `WRONG_TYPE` for a typed token.
    pub fn commit_raw(&self, id: ObligationId) -> Result<(), Status> {
        resolve(self.task(), id, None)
    }

    /// Resolves a token as aborted. The caller carries out the effect.
    ///
    /// # Errors
    /// As for [`commit_raw`](Cx::commit_raw).
    pub fn abort_raw(&self, id: ObligationId, cause: AbortCause) -> Result<(), Status> {
        resolve(self.task(), id, Some(cause))
    }

    /// Gives a token to a task or a region (OBL-6).
    ///
    /// # Errors
    /// As for [`commit_raw`](Cx::commit_raw), and `REGION_CLOSING` or `REGION_CLOSED` if the
    /// receiver is closing: the token is held as before.
    pub fn transfer_raw(&self, id: ObligationId, to: impl Into<Recipient>) -> Result<(), Status> {
        let task = self.task();
        let typed = token::reserved(task.kernel(), id, |body| Ok(!body.raw))?;
        if typed {
            return Err(Status::WRONG_TYPE);
        }
        let allowed = |place: &Place| may_resolve(task, place);
        token::transfer_recorded(task.kernel(), id, to.into().0, allowed).map(drop)
    }
}

fn resolve(task: &TaskRef, id: ObligationId, cause: Option<AbortCause>) -> Result<(), Status> {
    let kernel = task.kernel();
    let taken = token::reserved(kernel, id, |body| {
        let place = body.place.as_ref().expect("a reserved token has a place");
        if !body.raw {
            return Err(Status::WRONG_TYPE);
        }
        may_resolve(task, place)?;
        token::take(kernel, id, body)
    })?;
    token::settle(&taken.place, Some(id), cause, Some(task));
    contained(|| drop(taken.abort));
    Ok(())
}

/// OBL-5: the task that holds it, or any task within the region that does.
fn may_resolve(task: &TaskRef, place: &Place) -> Result<(), Status> {
    let may = match &place.holder {
        Holder::Task(holder) => holder == task,
        Holder::Region(region) => crate::region::is_within(task.region(), region),
    };
    if may { Ok(()) } else { Err(Status::NOT_HOLDER) }
}
