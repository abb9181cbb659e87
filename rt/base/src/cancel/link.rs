//! One link of a chain of reasons: what it holds, how much it takes, which of two prevails.

use core::cmp::{Ordering, Reverse};
use core::ops::Deref;
use std::sync::Arc;

use super::{CancelKind, CancelReason, Origin};
use crate::budget::BudgetComponent;
use crate::error::{Error, Recoverability, Status};
use crate::time::Time;

#[derive(Clone)]
pub(super) struct Link {
    pub(super) kind: CancelKind,
    pub(super) origin: Origin,
    pub(super) at: Time,
    pub(super) message: Option<Message>,
    pub(super) component: Option<BudgetComponent>,
    pub(super) error: Option<Error>,
    pub(super) escalated: bool,
    pub(super) placeholder: bool,
}

/// A text that clones share.
#[derive(Clone)]
pub(super) enum Message {
    /// A literal: a storm of cancels allocates none.
    Fixed(&'static str),
    Made(Arc<str>),
}

impl Deref for Message {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Message::Fixed(text) => text,
            Message::Made(text) => text,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Size {
    pub(super) links: u64,
    pub(super) bytes: u64,
}

impl Size {
    pub(super) fn plus(self, other: Size) -> Size {
        Size {
            links: self.links.saturating_add(other.links),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Link {
    pub(super) fn size(&self) -> Size {
        let message = self.message.as_ref().map_or(0, |message| message.len());
        let error = self.error.as_ref().map_or(0, |error| error.message().len());
        Size {
            links: 1,
            bytes: (CancelReason::LINK_BYTES + message + error) as u64,
        }
    }

    /// What prevails is greater: rank, then the earlier time, then the smaller origin. The rest
    /// only makes the order total, so that merging does not depend on which came first.
    pub(super) fn cmp(&self, other: &Link) -> Ordering {
        let key = |link: &Link| (link.kind, Reverse(link.at), Reverse(link.origin));
        let rest = |link: &Link| (link.placeholder, link.component, link.escalated);
        key(self)
            .cmp(&key(other))
            .then_with(|| rest(self).cmp(&rest(other)))
            .then_with(|| self.message.as_deref().cmp(&other.message.as_deref()))
            .then_with(|| self.error_key().cmp(&other.error_key()))
    }

    fn error_key(&self) -> Option<(Status, Recoverability, &str)> {
        self.error.as_ref().map(Error::key)
    }
}
