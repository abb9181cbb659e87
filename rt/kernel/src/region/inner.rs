//! What the lock of a region guards: its children, what they were asked, its outcome.

use std::task::Waker;

use asr_base::{Budget, CancelRequest, Error, Fold, ObligationId, Outcome, TimerId};

use super::belongings::Belongings;
use super::config::Policy;
use super::finalizer::Stack;
use super::ready::Scope;
use crate::cancel::Asked;
use crate::obligation::Marking;

/// What the lock of a region guards.
#[derive(Default)]
pub(crate) struct Inner {
    /// Children that are tasks, in spawn order: index + 1 of first and last.
    pub(crate) first_task: u32,
    pub(crate) last_task: u32,
    /// Children that are regions, in order of opening.
    pub(crate) first_region: u32,
    pub(crate) last_region: u32,
    /// Spawn index of the next child.
    pub(crate) next_position: u32,
    pub(crate) policy: Policy,
    pub(crate) budget: Budget,
    pub(crate) cost_left: Option<u64>,
    /// The cancel of the region itself.
    pub(crate) cancel: Option<CancelRequest>,
    /// Number of the event of its last change (CAN-28).
    pub(crate) asked: u64,
    /// What its children were asked, and new ones start with.
    pub(crate) for_children: Option<Asked>,
    /// The body was not asked the last of it.
    pub(crate) body_spared: bool,
    pub(crate) fold: Fold,
    /// Its outcome counts in the parent's: nobody else gets it (REG-13, REG-36).
    pub(crate) counts: bool,
    pub(crate) scope: Scope,
    pub(crate) finalizers: Stack,
    /// The last finalizer was taken: none is registered any more (REG-17).
    pub(crate) finalizers_done: bool,
    pub(crate) closers: Vec<Waker>,
    /// What it was closed with, if that is not Ok: the word says that.
    pub(crate) outcome: Option<Outcome<(), Error>>,
    pub(crate) timer: Option<TimerId>,
    /// Tokens of its tasks, by kind.
    pub(crate) marking: Marking,
    /// What it closes when it is finalized.
    pub(crate) belongings: Option<Box<Belongings>>,
    /// Recorded tokens that it holds itself.
    pub(crate) held: Vec<ObligationId>,
    /// The marking went to the totals; nothing is counted any more.
    pub(crate) settled: bool,
}

impl Inner {
    /// No token was ever counted here, none is held, nothing belongs to it, and no timer is armed.
    pub(crate) fn holds_nothing(&self) -> bool {
        let no_tokens = self.held.is_empty() && self.marking.is_untouched();
        no_tokens && self.belongings.is_none() && self.timer.is_none()
    }

    /// Ends with the waker of the scope, if nothing is in it that a close would have to see to but
    /// the body.
    #[inline]
    pub(super) fn end_bare(&mut self) -> Option<Option<Waker>> {
        let empty = self.finalizers.is_empty() && self.closers.is_empty() && self.fold.is_ok();
        let asked = self.cancel.is_some() || self.for_children.is_some();
        let bare = empty && !asked && self.holds_nothing() && self.scope.is_bare();
        bare.then(|| {
            (self.first_task, self.last_task) = (0, 0);
            self.scope.waker.take()
        })
    }

    /// The spawn index of a new child. After four billion children numbers come again: then the
    /// order of outcomes, which they are for, is that of the last four billion.
    #[inline]
    pub(crate) fn take_position(&mut self) -> u32 {
        let position = self.next_position;
        self.next_position = position.wrapping_add(1);
        position
    }

    /// What a closed region keeps for those who ask it.
    pub(super) fn take_rest(&mut self) -> impl Sized + use<> {
        let told = (self.cancel.take(), self.for_children.take());
        (self.outcome.take(), told)
    }

    /// A fresh inside; what lists had room for stays.
    #[inline(always)]
    pub(crate) fn reset(
        &mut self,
        policy: Policy,
        budget: &Budget,
        cost: Option<u64>,
        counts: bool,
        attached: bool,
    ) {
        // Whoever gave the record back left none of what may have a destructor.
        debug_assert!(self.closers.is_empty() && self.fold.is_ok() && self.outcome.is_none());
        debug_assert!(self.cancel.is_none() && self.for_children.is_none());
        debug_assert!(self.timer.is_none() && self.belongings.is_none());
        self.finalizers.reset();
        self.next_position = 0;
        self.policy = policy;
        self.budget = *budget;
        self.cost_left = cost;
        self.finalizers_done = false;
        self.asked = 0;
        self.body_spared = false;
        self.counts = counts;
        self.scope.reset(attached);
        self.settled = false;
    }
}
