//! Typed tokens: linear values of Rust (OBL-3, OBL-4, OBL-7).

use std::fmt;
use std::panic::Location;

use asr_base::{Error, ObligationId, Status};

use super::cause::{self, AbortCause};
use super::kind::Kind;
use super::leak;
use super::place::Holder;
use super::token::{Claimed, Origin, Token};
use crate::cx::{Authority, Cx};
use crate::region::{OpenRegion, RegionHandle, RegionRef, Spawner};
use crate::task::cell::contained;
use crate::task::{JoinHandle, TaskRef};

/// What is behind a token: capacity that was taken, and the two ways to let go of it.
///
/// Neither runs under a lock of the kernel. `abort` is called on every way that is not a commit,
/// also by destructors, so it must not block; a panic of it ends there.
pub trait Linear: Sized {
    /// What the commit verb is given: for a send the message.
    type Input;
    /// What it gives.
    type Output;

    /// The kind of the token.
    fn kind(&self) -> Kind;

    /// The commit verb.
    ///
    /// # Errors
    /// The input, if the other side is gone: nothing happened but that the capacity is let go.
    fn commit(self, input: Self::Input) -> Result<Self::Output, Self::Input>;

    /// The abort verb.
    fn abort(self, cause: AbortCause);
}

/// A token that is resolved exactly once:
///
/// ```
/// # use asr_kernel::obligation::{Linear, Obligation};
/// fn once<R: Linear<Input = ()>>(token: Obligation<R>, wanted: bool) {
///     if wanted {
///         let _ = token.commit(());
///     } else {
///         token.abort();
///     }
/// }
/// ```
///
/// A second use does not compile:
///
/// ```compile_fail,E0382
/// # use asr_kernel::obligation::{Linear, Obligation};
/// fn twice<R: Linear<Input = ()>>(token: Obligation<R>) {
///     token.abort();
///     token.abort();
/// }
/// ```
///
/// ```compile_fail,E0382
/// # use asr_kernel::obligation::{Linear, Obligation};
/// fn both<R: Linear<Input = ()>>(token: Obligation<R>) {
///     let _ = token.commit(());
///     token.abort();
/// }
/// ```
///
/// One that is dropped is aborted; on a normal path that is a leak (OBL-10).
///
/// Its task holds it. To move it to another task, or to leave it to the tasks of a region, it is
/// [transferred](Obligation::transfer): a token that is only moved still counts against the task
/// that reserved it, and is lost to the new owner when that ends.
#[must_use = "a dropped token is a leak"]
pub struct Obligation<R: Linear> {
    /// None only while it is taken apart.
    inner: Option<(R, Token)>,
}

/// A commit that was not carried out, with what was to be committed (OBL-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused<T> {
    /// `CLOSED` if the other side is gone, `ALREADY_RESOLVED` if the registry aborted the token
    /// before, because its holder ended.
    pub status: Status,
    /// What was to be committed.
    pub value: T,
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not committed: {}", self.status.name())
    }
}

impl<T: fmt::Debug> std::error::Error for Refused<T> {}

/// A transfer that was not carried out: the giver still holds the token (OBL-6).
pub struct Kept<R: Linear> {
    /// `REGION_CLOSING` or `REGION_CLOSED` of the receiver, or `ALREADY_RESOLVED`.
    pub status: Status,
    /// The token.
    pub token: Obligation<R>,
}

impl<R: Linear> fmt::Debug for Kept<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("status", &self.status)
            .field("token", &self.token)
            .finish()
    }
}

/// Who may be given a token: a task by its context or handle, a region by its handle.
pub struct Recipient(pub(super) Holder);

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> From<&Cx<C>> for Recipient {
    fn from(cx: &Cx<C>) -> Recipient {
        Recipient(Holder::Task(cx.task().clone()))
    }
}

impl From<&TaskRef> for Recipient {
    fn from(task: &TaskRef) -> Recipient {
        Recipient(Holder::Task(task.clone()))
    }
}

impl<T> From<&JoinHandle<T>> for Recipient {
    fn from(handle: &JoinHandle<T>) -> Recipient {
        Recipient(Holder::Task(handle.task().clone()))
    }
}

impl<C> From<&Spawner<C>> for Recipient {
    fn from(spawner: &Spawner<C>) -> Recipient {
        Recipient(Holder::Region(RegionRef::of(spawner.region())))
    }
}

impl<C> From<&RegionHandle<C>> for Recipient {
    fn from(handle: &RegionHandle<C>) -> Recipient {
        Recipient::from(&**handle)
    }
}

impl<C> From<&OpenRegion<C>> for Recipient {
    fn from(region: &OpenRegion<C>) -> Recipient {
        Recipient::from(&**region)
    }
}

impl<C> Cx<C> {
    /// Makes a token for a resource that was just taken, held by this task.
    ///
    /// # Errors
    /// `BAD_ARGUMENT` if the kind is not known to this kernel, `REGION_CLOSED` if the task of this
    /// context has ended. The resource was given up by its abort verb.
    #[track_caller]
    pub fn reserve<R: Linear>(&self, resource: R) -> Result<Obligation<R>, Error> {
        Obligation::reserve(self.task(), resource)
    }

    /// Takes the resource and makes its token in one step (OBL-3): no token if `acquire` fails,
    /// panics or finds nothing.
    ///
    /// # Errors
    /// Those of `acquire`, and those of [`reserve`](Cx::reserve).
    #[track_caller]
    pub fn reserve_with<R, E>(
        &self,
        acquire: impl FnOnce() -> Result<R, E>,
    ) -> Result<Obligation<R>, E>
    where
        R: Linear,
        E: From<Error>,
    {
        Ok(self.reserve(acquire()?)?)
    }
}

impl<R: Linear> Obligation<R> {
    #[track_caller]
    pub(super) fn reserve(task: &TaskRef, resource: R) -> Result<Obligation<R>, Error> {
        let origin = Origin {
            location: Some(Location::caller()),
            raw: false,
            abort: None,
            behind: Default::default(),
        };
        match Token::reserve(task, resource.kind(), origin) {
            Ok(token) => Ok(Obligation::of(resource, token)),
            Err(error) => {
                resource.abort(AbortCause::Late);
                Err(error)
            }
        }
    }

    /// A resource with the token that was made for it.
    pub(super) fn of(resource: R, token: Token) -> Obligation<R> {
        Obligation {
            inner: Some((resource, token)),
        }
    }

    /// Commits: the effect of the kind's commit verb (OBL-8).
    ///
    /// # Errors
    /// `CLOSED` or `ALREADY_RESOLVED`, with the value; the token is aborted (OBL-7).
    pub fn commit(mut self, input: R::Input) -> Result<R::Output, Refused<R::Input>> {
        let (resource, token) = self.take();
        if !token.claim() {
            resource.abort(AbortCause::Late);
            return Err(Refused {
                status: Status::ALREADY_RESOLVED,
                value: input,
            });
        }
        let mut claimed = Claimed {
            token: &token,
            cause: Some(AbortCause::Unwound),
        };
        match resource.commit(input) {
            Ok(output) => {
                claimed.cause = None;
                Ok(output)
            }
            Err(value) => {
                claimed.cause = Some(AbortCause::Closed);
                let status = Status::CLOSED;
                Err(Refused { status, value })
            }
        }
    }

    /// Aborts by the kind's verb.
    pub fn abort(self) {
        self.abort_for(AbortCause::Verb);
    }

    /// The token's time is over.
    pub fn expire(self) {
        self.abort_for(AbortCause::Expired);
    }

    pub(super) fn abort_for(mut self, cause: AbortCause) {
        let (resource, token) = self.take();
        if !token.claim() {
            resource.abort(AbortCause::Late);
            return;
        }
        let _claimed = Claimed {
            token: &token,
            cause: Some(cause),
        };
        resource.abort(cause);
    }

    /// Gives the token to a task, or to a region on behalf of its tasks, in one step (OBL-6).
    ///
    /// # Errors
    /// The token, still held as before: `REGION_CLOSING` or `REGION_CLOSED` if the receiver is
    /// closing, `ALREADY_RESOLVED` if the registry aborted it because its holder ended.
    pub fn transfer(mut self, to: impl Into<Recipient>) -> Result<Obligation<R>, Kept<R>> {
        let (_, token) = self.inner.as_mut().expect("taken apart only by value");
        match token.transfer(to.into().0) {
            Ok(()) => Ok(self),
            Err(status) => Err(Kept {
                status,
                token: self,
            }),
        }
    }

    /// Its record, if it has one (OBL-33).
    pub fn id(&self) -> Option<ObligationId> {
        self.parts().1.id
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.parts().1.place.kind
    }

    /// What is behind it.
    pub fn resource(&self) -> &R {
        &self.parts().0
    }

    /// What is behind it.
    pub fn resource_mut(&mut self) -> &mut R {
        &mut self.inner.as_mut().expect("taken apart only by value").0
    }

    fn parts(&self) -> &(R, Token) {
        self.inner.as_ref().expect("taken apart only by value")
    }

    fn take(&mut self) -> (R, Token) {
        self.inner.take().expect("taken apart only by value")
    }
}

impl<R: Linear> Drop for Obligation<R> {
    fn drop(&mut self) {
        let Some((resource, token)) = self.inner.take() else {
            return;
        };
        let cause = cause::of_drop(&token.place.holder);
        let report = cause.is_leak().then(|| token.report(cause));
        if !token.claim() {
            contained(|| resource.abort(AbortCause::Late));
            return;
        }
        token.resolve(Some(cause), None);
        match report {
            None => drop(contained(|| resource.abort(cause))),
            Some(report) => {
                let abort = Box::new(move || resource.abort(cause));
                if let Some(payload) = leak::found(token.kernel(), &report, Some(abort)) {
                    leak::panic_holder(&token.place.holder, token.place.region, payload);
                }
            }
        }
    }
}

impl<R: Linear> fmt::Debug for Obligation<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Obligation")
            .field("kind", &self.kind())
            .field("id", &self.id())
            .finish()
    }
}
