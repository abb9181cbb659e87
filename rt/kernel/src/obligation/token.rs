//! The steps of a token, common to typed and raw ones: reserve, claim, resolve, transfer.
//!
//! A resolution is a claim, then the effect of the verb, then the count. The claim is what happens
//! once: under the lock of the record, or, for a typed token without one, by owning the token. An
//! effect that panics leaves the claimed token aborted.

use std::panic::Location;

use asr_base::{Error, ObligationId, Status};

use super::cause::AbortCause;
use super::kind::Kind;
use super::leak::LeakReport;
use super::list;
use super::place::{Holder, Place};
use super::record::{Behind, Body, ImplicitAbort, Record, TokenState};
use crate::event;
use crate::kernel::Kernel;
use crate::task::{Task, TaskRef};

/// A token that is counted, and its record if it has one.
pub(super) struct Token {
    pub(super) place: Place,
    pub(super) id: Option<ObligationId>,
}

/// What a record is made of, besides the place.
pub(super) struct Origin {
    pub(super) location: Option<&'static Location<'static>>,
    pub(super) raw: bool,
    pub(super) abort: Option<ImplicitAbort>,
    pub(super) behind: Behind,
}

impl Token {
    /// Makes a token of `task`. On an error there is none.
    pub(super) fn reserve(task: &TaskRef, kind: Kind, origin: Origin) -> Result<Token, Error> {
        let kernel = task.kernel();
        let registry = kernel.obligations();
        let Some(info) = registry.info(kind) else {
            let what = format!("no kind has number {}", kind.number());
            return Err(Error::new(Status::BAD_ARGUMENT, what));
        };
        let place = Place::reserve(task, kind, info.region_held)
            .map_err(|status| Error::new(status, "the task has ended"))?;
        let recorded = origin.raw || kernel.config().leak_records;
        let id = recorded.then(|| {
            let now = kernel.now();
            registry.records.alloc(|body| {
                body.place = Some(place.clone());
                body.reserved_at = now;
                body.location = origin.location;
                body.raw = origin.raw;
                body.abort = origin.abort;
                body.behind = origin.behind;
            })
        });
        event::obligation_reserved(&place, id);
        if let Some(id) = id
            && list::add(&registry.records, &place.holder, id).is_err()
        {
            // The task ended in between: somebody kept its context.
            let token = Token {
                place,
                id: Some(id),
            };
            if token.claim() {
                token.resolve(Some(AbortCause::Unwound), None);
            }
            return Err(Error::new(Status::REGION_CLOSED, "the task has ended"));
        }
        Ok(Token { place, id })
    }

    pub(super) fn kernel(&self) -> &Kernel {
        self.place.holder.kernel()
    }

    /// The right to resolve it; false if it was resolved before. Who gets it calls
    /// [`resolve`](Token::resolve).
    pub(super) fn claim(&self) -> bool {
        let Some(id) = self.id else {
            return self.place.is_open();
        };
        match reserved(self.kernel(), id, |body| take(self.kernel(), id, body)) {
            Ok(taken) => {
                drop(taken);
                true
            }
            Err(_) => false,
        }
    }

    /// Counts a claimed token: committed, or aborted for a cause.
    pub(super) fn resolve(&self, cause: Option<AbortCause>, by: Option<&Task>) {
        settle(&self.place, self.id, cause, by);
    }

    /// What is known of it as a leak. Before the claim, which empties the record.
    pub(super) fn report(&self, class: AbortCause) -> LeakReport {
        let kernel = self.kernel();
        let origin = self
            .id
            .and_then(|id| reserved(kernel, id, |body| Ok((body.reserved_at, body.location))).ok());
        let origin = origin.map(|(since, location)| (kernel.now().since(since), location));
        report(&self.place, self.id, class, origin)
    }

    /// Gives the token to another holder in one step. On an error nothing changed (OBL-6).
    pub(super) fn transfer(&mut self, to: Holder) -> Result<(), Status> {
        let place = match self.id {
            Some(id) => transfer_recorded(self.kernel(), id, to, |_| Ok(()))?,
            None if !self.place.is_open() => return Err(Status::ALREADY_RESOLVED),
            None => {
                let place = self.place.moved(to)?;
                event::obligation_transferred(&self.place, &place, None);
                place
            }
        };
        self.place = place;
        Ok(())
    }
}

/// A claimed token whose verb is being carried out. If that panics the token is aborted.
pub(super) struct Claimed<'t> {
    pub(super) token: &'t Token,
    pub(super) cause: Option<AbortCause>,
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        self.token.resolve(self.cause, None);
    }
}

/// Counts and traces a resolution, and gives the record back.
pub(super) fn settle(
    place: &Place,
    id: Option<ObligationId>,
    cause: Option<AbortCause>,
    by: Option<&Task>,
) {
    let counted = place.count(|counts| match cause {
        None => counts.committed += 1,
        Some(_) => counts.aborted += 1,
    });
    if counted {
        event::obligation_resolved(place, id, cause, by);
    }
    if let Some(id) = id {
        place.holder.kernel().obligations().records.free(id);
    }
}

/// What is known of a leaked token.
pub(super) fn report(
    place: &Place,
    id: Option<ObligationId>,
    class: AbortCause,
    origin: Option<(asr_base::Duration, Option<&'static Location<'static>>)>,
) -> LeakReport {
    let info = place.holder.kernel().obligations().info(place.kind);
    LeakReport {
        kind: place.kind,
        name: info.map_or("?".into(), |info| info.name.clone()),
        id,
        count: 1,
        holder: place.holder.name(place.region),
        region: place.region,
        age: origin.map(|(age, _)| age),
        class,
        place: origin.and_then(|(_, location)| location),
    }
}

/// Looks at the record of a token that is not resolved.
///
/// # Errors
/// `STALE_HANDLE` if its record is another token's by now, or nobody's yet; `ALREADY_RESOLVED` if
/// it is resolved.
pub(super) fn reserved<T>(
    kernel: &Kernel,
    id: ObligationId,
    look: impl FnOnce(&mut Body) -> Result<T, Status>,
) -> Result<T, Status> {
    let record = kernel.obligations().records.at(id.index());
    let Some(mut body) = record.map(Record::lock) else {
        kernel.stats().stale_handles.add(1);
        return Err(Status::STALE_HANDLE);
    };
    if body.generation != id.generation() {
        drop(body);
        kernel.stats().stale_handles.add(1);
        return Err(Status::STALE_HANDLE);
    }
    if body.state != TokenState::Reserved {
        return Err(Status::ALREADY_RESOLVED);
    }
    look(&mut body)
}

/// What was in the record of a claimed token. Dropped after the record's lock.
pub(super) struct Taken {
    pub(super) place: Place,
    pub(super) abort: Option<ImplicitAbort>,
}

/// Claims a token through its record, whose body this is.
pub(super) fn take(kernel: &Kernel, id: ObligationId, body: &mut Body) -> Result<Taken, Status> {
    let place = body.place.take().expect("a reserved token has a place");
    body.state = TokenState::Resolved;
    list::take_out(&kernel.obligations().records, &place.holder, id);
    Ok(Taken {
        place,
        abort: body.abort.take(),
    })
}

/// Moves a recorded token. `allowed` is asked of its place first.
pub(super) fn transfer_recorded(
    kernel: &Kernel,
    id: ObligationId,
    to: Holder,
    allowed: impl FnOnce(&Place) -> Result<(), Status>,
) -> Result<Place, Status> {
    let records = &kernel.obligations().records;
    let moved = reserved(kernel, id, |body| {
        let before = body.place.as_ref().expect("a reserved token has a place");
        allowed(before)?;
        list::take_out(records, &before.holder, id);
        let after = list::add(records, &to, id).and_then(|()| {
            before.moved(to.clone()).inspect_err(|_| {
                list::take_out(records, &to, id);
            })
        });
        let after = match after {
            Ok(after) => after,
            Err(status) => {
                // The giver is the one who calls, or its region is open: its list is not closed.
                let _ = list::add(records, &before.holder, id);
                return Err(status);
            }
        };
        // Under the lock: who resolves it next writes the later event.
        event::obligation_transferred(before, &after, Some(id));
        Ok((body.place.replace(after.clone()), after))
    });
    // References go after the lock of the record: the last one frees what users left behind.
    let (before, after) = moved?;
    drop((before, to));
    Ok(after)
}
