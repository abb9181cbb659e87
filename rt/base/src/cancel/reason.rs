//! A cancel reason: kind, origin, time, message, and the chain of reasons behind it (VAL-13,
//! VAL-14).
//!
//! A reason is one pointer; a clone shares it. The chain is a list from the newest link to the
//! root. Making one longer touches at most the links it keeps, and dropping one takes no stack.
//! When a chain meets a limit, its root and its newest links stay and the middle goes.

use core::cmp::Ordering;
use core::fmt;
use std::sync::Arc;

use super::link::{Link, Message, Size};
use super::{CancelKind, Origin};
use crate::budget::BudgetComponent;
use crate::error::Error;
use crate::text::cut;
use crate::time::Time;

/// How much of a chain is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Attribution {
    /// The most links, this one included. Two always stay: this one and the root.
    pub max_depth: usize,
    /// The most bytes: of each link its message and the message of its error, and
    /// [`CancelReason::LINK_BYTES`]. Two links always stay.
    pub max_bytes: usize,
}

impl Default for Attribution {
    fn default() -> Attribution {
        Attribution {
            max_depth: 16,
            max_bytes: 4096,
        }
    }
}

/// What a chain has lost to the limits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Truncated {
    /// Links.
    pub links: u64,
    /// Bytes.
    pub bytes: u64,
}

/// See the module.
#[derive(Clone)]
pub struct CancelReason(Arc<Node>);

#[derive(Clone)]
struct Node {
    link: Link,
    cause: Option<CancelReason>,
    /// Links and bytes from here to the root, of the chain as it is kept and of the whole.
    kept: Size,
    whole: Size,
}

impl CancelReason {
    /// The most bytes of a message.
    pub const MESSAGE_BYTES_MAX: usize = 256;
    /// What a link takes beside its texts: kind, kind of origin, origin, time.
    pub const LINK_BYTES: usize = 18;

    /// A reason without a message or a cause.
    pub fn new(kind: CancelKind, origin: Origin, at: Time) -> CancelReason {
        CancelReason::from_link(Link {
            kind,
            origin,
            at,
            message: None,
            component: None,
            error: None,
            escalated: false,
            placeholder: false,
        })
    }

    fn from_link(link: Link) -> CancelReason {
        let size = link.size();
        CancelReason(Arc::new(Node {
            link,
            cause: None,
            kept: size,
            whole: size,
        }))
    }

    /// What stands for the task's own reason until the kernel puts that in its place.
    pub fn observed() -> CancelReason {
        // One for each thread: every cancelled task shares it for a moment, and a count that all
        // threads change would go from one cache to the other.
        thread_local! {
            static OBSERVED: CancelReason = CancelReason::placeholder();
        }
        let shared = OBSERVED.try_with(CancelReason::clone);
        // A thread that ends has none any more.
        shared.unwrap_or_else(|_| CancelReason::placeholder())
    }

    fn placeholder() -> CancelReason {
        let mut new = CancelReason::new(CancelKind::User, Origin::Node(0), Time::MAX);
        new.change(|link| link.placeholder = true);
        new
    }

    /// Does it stand for the task's own reason?
    pub fn is_placeholder(&self) -> bool {
        self.0.link.placeholder
    }

    /// The same reason with a message, cut at [`CancelReason::MESSAGE_BYTES_MAX`] bytes.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> CancelReason {
        let message = cut(message, CancelReason::MESSAGE_BYTES_MAX);
        self.change(|link| link.message = Some(Message::Made(message.into())));
        self
    }

    /// The same reason with a literal for a message, which takes no memory of its own.
    #[must_use]
    pub fn with_literal(mut self, message: &'static str) -> CancelReason {
        let message = cut(message, CancelReason::MESSAGE_BYTES_MAX);
        self.change(|link| link.message = Some(Message::Fixed(message)));
        self
    }

    /// The same reason with the component that was used up.
    #[must_use]
    pub fn with_component(mut self, component: BudgetComponent) -> CancelReason {
        self.change(|link| link.component = Some(component));
        self
    }

    /// The same reason with the error that the cancelled task returned (TSK-6).
    #[must_use]
    pub fn with_error(mut self, error: Error) -> CancelReason {
        self.change(|link| link.error = Some(error));
        self
    }

    /// The same reason; the cleanup was cut short.
    #[must_use]
    pub fn escalate(mut self) -> CancelReason {
        self.change(|link| link.escalated = true);
        self
    }

    fn change(&mut self, change: impl FnOnce(&mut Link)) {
        let node = Arc::make_mut(&mut self.0);
        change(&mut node.link);
        let behind =
            |f: fn(&Node) -> Size| node.cause.as_ref().map_or(Size::default(), |c| f(&c.0));
        let size = node.link.size();
        let (kept, whole) = (
            size.plus(behind(|n| n.kept)),
            size.plus(behind(|n| n.whole)),
        );
        (node.kept, node.whole) = (kept, whole);
    }

    /// The same reason, derived from another one, within limits. They hold where a link is added:
    /// give a reason its texts before.
    ///
    /// ```
    /// use asr_base::{Attribution, CancelKind, CancelReason, Origin, RegionId, Time};
    ///
    /// let request = CancelReason::new(CancelKind::User, Origin::Node(0), Time::ZERO);
    /// let region = Origin::Region(RegionId::new(3, 1));
    /// let below = CancelReason::new(CancelKind::ParentCancelled, region, Time::ZERO)
    ///     .caused_by(&request, Attribution::default());
    /// assert_eq!(below.root(), &request);
    /// assert_eq!(below.depth(), 2);
    /// ```
    #[must_use]
    pub fn caused_by(self, cause: &CancelReason, limits: Attribution) -> CancelReason {
        let mut link = self.0.link.clone();
        link.placeholder = false;
        let own = link.size();
        let whole = own.plus(cause.0.whole);
        let kept = own.plus(cause.0.kept);
        let fits = |size: Size| {
            size.links <= limits.max_depth.max(2) as u64 && size.bytes <= limits.max_bytes as u64
        };
        if fits(kept) {
            let cause = Some(cause.clone());
            return CancelReason(Arc::new(Node {
                link,
                cause,
                kept,
                whole,
            }));
        }
        // The newest links that leave room for the root.
        let root = cause.root();
        let mut size = own.plus(root.0.link.size());
        let mut newest = Vec::new();
        for reason in cause
            .chain()
            .take_while(|reason| !Arc::ptr_eq(&reason.0, &root.0))
        {
            let more = size.plus(reason.0.link.size());
            if !fits(more) {
                break;
            }
            size = more;
            newest.push(reason);
        }
        let mut behind = root.clone();
        for reason in newest.into_iter().rev() {
            let link = reason.0.link.clone();
            let kept = link.size().plus(behind.0.kept);
            let whole = reason.0.whole;
            behind = CancelReason(Arc::new(Node {
                link,
                cause: Some(behind),
                kept,
                whole,
            }));
        }
        CancelReason(Arc::new(Node {
            link,
            cause: Some(behind),
            kept: size,
            whole,
        }))
    }

    /// Why.
    pub fn kind(&self) -> CancelKind {
        self.0.link.kind
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.0.link.origin
    }

    /// When it was made, in logical time.
    pub fn at(&self) -> Time {
        self.0.link.at
    }

    /// What it says; empty if nothing.
    pub fn message(&self) -> &str {
        self.0.link.message.as_deref().unwrap_or_default()
    }

    /// The component that was used up, if one was.
    pub fn component(&self) -> Option<BudgetComponent> {
        self.0.link.component
    }

    /// The error that the cancelled task returned.
    pub fn error(&self) -> Option<&Error> {
        self.0.link.error.as_ref()
    }

    /// Was the cleanup cut short?
    pub fn escalated(&self) -> bool {
        self.0.link.escalated
    }

    /// The reason it was derived from.
    pub fn cause(&self) -> Option<&CancelReason> {
        self.0.cause.as_ref()
    }

    /// This reason and those behind it, the root last.
    pub fn chain(&self) -> Chain<'_> {
        Chain(Some(self))
    }

    /// How many links the chain keeps, this one included.
    pub fn depth(&self) -> u64 {
        self.0.kept.links
    }

    /// How many bytes the chain keeps.
    pub fn bytes(&self) -> u64 {
        self.0.kept.bytes
    }

    /// The reason it all began with.
    pub fn root(&self) -> &CancelReason {
        self.chain().last().unwrap_or(self)
    }

    /// What the chain has lost to the limits.
    pub fn truncated(&self) -> Option<Truncated> {
        let (kept, whole) = (self.0.kept, self.0.whole);
        (kept != whole).then(|| Truncated {
            links: whole.links.saturating_sub(kept.links),
            bytes: whole.bytes.saturating_sub(kept.bytes),
        })
    }

    /// The stronger of two reasons: the greater rank, then the earlier time, then the smaller
    /// origin.
    #[must_use]
    pub fn strengthen(&self, other: &CancelReason) -> CancelReason {
        match self.compare(other) {
            Ordering::Less => other.clone(),
            Ordering::Equal | Ordering::Greater => self.clone(),
        }
    }

    /// Whether [`strengthen`](CancelReason::strengthen) would put it in the place of another.
    pub fn is_stronger(&self, other: &CancelReason) -> bool {
        other.compare(self).is_lt()
    }

    /// The order of strength, made total by all that a reason holds.
    fn compare(&self, other: &CancelReason) -> Ordering {
        let (mut a, mut b) = (Some(self), Some(other));
        while let (Some(x), Some(y)) = (a, b) {
            if Arc::ptr_eq(&x.0, &y.0) {
                return Ordering::Equal;
            }
            let order =
                x.0.link
                    .cmp(&y.0.link)
                    .then_with(|| x.0.whole.cmp(&y.0.whole));
            if order.is_ne() {
                return order;
            }
            (a, b) = (x.cause(), y.cause());
        }
        a.is_some().cmp(&b.is_some())
    }
}

impl PartialEq for CancelReason {
    fn eq(&self, other: &CancelReason) -> bool {
        self.compare(other).is_eq()
    }
}

impl Eq for CancelReason {}

/// A long chain takes no stack: links that nobody else holds are taken apart one by one.
impl Drop for Node {
    fn drop(&mut self) {
        let mut next = self.cause.take();
        while let Some(mut node) = next.and_then(|reason| Arc::into_inner(reason.0)) {
            next = node.cause.take();
        }
    }
}

/// A reason and those behind it.
#[derive(Clone, Debug)]
pub struct Chain<'a>(Option<&'a CancelReason>);

impl<'a> Iterator for Chain<'a> {
    type Item = &'a CancelReason;

    fn next(&mut self) -> Option<&'a CancelReason> {
        let reason = self.0?;
        self.0 = reason.cause();
        Some(reason)
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, reason) in self.chain().enumerate() {
            if depth > 0 {
                f.write_str(" <- ")?;
            }
            let link = &reason.0.link;
            write!(f, "{} by {} at {}", link.kind, link.origin, link.at)?;
            if let Some(component) = link.component {
                write!(f, " ({component})")?;
            }
            if let Some(message) = link.message.as_deref() {
                write!(f, ": {message}")?;
            }
            if let Some(error) = &link.error {
                write!(f, " [returned {error}]")?;
            }
            if link.escalated {
                f.write_str(" [escalated]")?;
            }
        }
        if let Some(Truncated { links, bytes }) = self.truncated() {
            write!(f, " [{links} links, {bytes} bytes left out]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CancelReason({self})")
    }
}
