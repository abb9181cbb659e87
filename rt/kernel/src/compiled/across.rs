//! What a compiled task keeps of the thread's state from poll to poll: masks, intents, taint,
//! expiry. Most tasks have none of it, and no record of it.

use std::any::Any;

use asr_abi::Thread;
use asr_abi::thread::NO_EXPIRY;

use super::masks::{self, Section};
use crate::cx::Checked;
use crate::region::OpenRegion;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Task;
use crate::thread::Local;

/// See the module.
#[derive(Default)]
pub(crate) struct Across {
    kept: Option<Kept>,
    /// Regions that it opened and has not closed.
    pub(super) regions: Vec<OpenRegion<Checked>>,
    /// Commit sections that are open.
    pub(super) sections: Vec<Section>,
    /// An operation of the task panicked, and the exception of that, this word, is on its way, or
    /// was caught (ABI-26).
    panic: Option<(u64, Box<dyn Any + Send>)>,
}

struct Kept {
    masks: u8,
    intent: u64,
    intents: Vec<u64>,
    taint: u32,
    expiry: u64,
}

/// The task goes on: its own is put into the state of the thread, which has nobody's.
pub(super) fn restore(task: &Task, th: &Thread) {
    let Some(side) = task.side() else { return };
    let mut inner = side.lock();
    let rare = inner.rare_mut();
    let Some(across) = rare.and_then(|rare| rare.across.as_mut()) else {
        return;
    };
    let Some(mut kept) = across.kept.take() else {
        return;
    };
    let mut sections = std::mem::take(&mut across.sections);
    drop(inner);
    if !sections.is_empty() {
        kept.masks = masks::polled(task, &mut sections, kept.masks);
        let mut inner = side.lock();
        inner.rare_or_new().across.get_or_insert_default().sections = sections;
    }
    task.masks.store(kept.masks, Relaxed);
    th.mask_depth.set(u32::from(kept.masks));
    th.intent.set(kept.intent);
    th.taint.set(kept.taint);
    th.expiry.set(kept.expiry);
    if let Some(local) = Local::of(th) {
        *local.intents.borrow_mut() = kept.intents;
    }
}

/// The task suspends.
pub(super) fn keep(task: &Task, th: &Thread) {
    let intents = Local::of(th).map(|local| std::mem::take(&mut *local.intents.borrow_mut()));
    let intents = intents.unwrap_or_default();
    let masks = task.masks.load(Relaxed);
    let nothing = masks == 0
        && intents.is_empty()
        && th.intent.get() == 0
        && th.taint.get() == 0
        && th.expiry.get() == NO_EXPIRY;
    if nothing {
        return;
    }
    let kept = Kept {
        masks,
        intent: th.intent.get(),
        intents,
        taint: th.taint.get(),
        expiry: th.expiry.get(),
    };
    let mut inner = task.side_or_new().lock();
    inner.rare_or_new().across.get_or_insert_default().kept = Some(kept);
}

/// An operation panicked, and throws `word`.
pub(super) fn set_panic(task: &Task, word: u64, panic: Box<dyn Any + Send>) {
    let mut inner = task.side_or_new().lock();
    let across = inner.rare_or_new().across.get_or_insert_default();
    let before = across.panic.replace((word, panic));
    drop(inner);
    crate::task::cell::contained(|| drop(before));
}

/// The last panic of an operation of the task, and the exception that stands for it.
pub(super) fn take_panic(task: &Task) -> Option<(u64, Box<dyn Any + Send>)> {
    let mut inner = task.side()?.lock();
    inner.rare_mut()?.across.as_mut()?.panic.take()
}
