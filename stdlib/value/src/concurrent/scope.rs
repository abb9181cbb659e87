//! Scopes: once a task of one fails, the next wait of the task that has the scope open throws that
//! failure, so that a body does not wait for ever for what will not come. It is thrown once; then
//! the body may clean up, and the close of the scope tells the failure again.
//!
//! A scope and its tasks belong to one isolate, and so to one thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Waker;

use crate::error::{Res, Thrown};
use crate::word::Value;

/// An open scope.
pub(crate) struct Scope {
    /// The task that has it open.
    owner: u64,
    failure: Cell<Option<Value>>,
    told: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Scope {
    /// The first failure.
    pub(crate) fn check(&self) -> Res<()> {
        self.failure
            .get()
            .map_or(Ok(()), |exception| Err(Thrown(exception)))
    }

    /// A task of the scope failed.
    pub(crate) fn fail(&self, exception: Value) {
        if self.failure.get().is_none() {
            self.failure.set(Some(exception));
            let waiting = self.waiting.borrow_mut().take();
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

/// The open scopes of an isolate, by the task that has them open.
#[derive(Default)]
pub(crate) struct Scopes {
    by_owner: RefCell<BTreeMap<u64, Vec<Rc<Scope>>>>,
}

impl Scopes {
    /// The task opens a scope.
    pub(crate) fn open(&self, owner: u64) -> Rc<Scope> {
        let scope = Rc::new(Scope {
            owner,
            failure: Cell::new(None),
            told: Cell::new(false),
            waiting: RefCell::new(None),
        });
        let mut by_owner = self.by_owner.borrow_mut();
        by_owner.entry(owner).or_default().push(scope.clone());
        scope
    }

    /// The scope ends.
    pub(crate) fn end(&self, scope: &Rc<Scope>) {
        // The object of the scope lives as long as the heap; its owner must not.
        drop(scope.waiting.take());
        let mut by_owner = self.by_owner.borrow_mut();
        if let Some(open) = by_owner.get_mut(&scope.owner) {
            open.retain(|known| !Rc::ptr_eq(known, scope));
            if open.is_empty() {
                by_owner.remove(&scope.owner);
            }
        }
    }

    /// What the next wait of the task throws; else `waker` is woken when there is something.
    pub(crate) fn failure(&self, task: u64, waker: &Waker) -> Option<Value> {
        let by_owner = self.by_owner.borrow();
        for scope in by_owner.get(&task)? {
            if scope.told.get() {
                continue;
            }
            if let Some(exception) = scope.failure.get() {
                scope.told.set(true);
                return Some(exception);
            }
            *scope.waiting.borrow_mut() = Some(waker.clone());
        }
        None
    }

    /// The task does not wait any more.
    pub(crate) fn leave(&self, task: u64) {
        let by_owner = self.by_owner.borrow();
        for scope in by_owner.get(&task).into_iter().flatten() {
            drop(scope.waiting.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    struct Counted;

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_scope_keeps_its_owner_while_it_waits_only() {
        let (scopes, counted) = (Scopes::default(), Arc::new(Counted));
        let waker = Waker::from(counted.clone());
        let scope = scopes.open(7);
        assert_eq!(scopes.failure(7, &waker), None);
        assert_eq!(Arc::strong_count(&counted), 3);
        scopes.leave(7);
        assert_eq!(Arc::strong_count(&counted), 2);
        assert_eq!(scopes.failure(7, &waker), None);
        scopes.end(&scope);
        assert_eq!(Arc::strong_count(&counted), 2);
    }
}
