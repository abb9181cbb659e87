//! Masked blocks and commit sections of compiled code (CAN-15 to CAN-17, REG-20): they begin and
//! end with calls, and last over suspensions.
//!
//! A section that overran its bound masks no more, nor do the blocks inside of it that are open
//! then. So each section counts the blocks that are open in it, and those of them that mask: the
//! end of one that does not takes nothing from the masks around the section.

use asr_abi::Thread;
use asr_base::Status;

use super::poller;
use crate::cx::{Checked, Cx};
use crate::event;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Task;

/// A commit section that is open.
pub(super) struct Section {
    /// Masks around it.
    depth: u8,
    bound: u32,
    polls: u32,
    /// Masked blocks that are open in it, and in no section inside of it.
    open: u32,
    /// Of those, the innermost that mask.
    masking: u32,
}

/// Begins a masked block.
///
/// # Errors
/// `MASK_LIMIT` if too many are around.
pub fn enter(th: &Thread, cx: &Cx<Checked>) -> Result<(), Status> {
    let task = cx.task_ref();
    begin(th, task, u32::MAX)?;
    innermost(task, |section| {
        section.open += 1;
        section.masking += 1;
    });
    Ok(())
}

fn begin(th: &Thread, task: &Task, bound: u32) -> Result<(), Status> {
    let depth = task.masks.load(Relaxed);
    if depth >= task.kernel().config().mask_depth_max {
        return Err(Status::MASK_LIMIT);
    }
    event::mask_begin(task, bound);
    set(th, task, depth + 1);
    Ok(())
}

/// Ends the innermost masked block.
pub fn leave(th: &Thread, cx: &Cx<Checked>) {
    let task = cx.task_ref();
    // None: there is no section around it.
    let masks = innermost(task, |section| {
        let open = section.open.checked_sub(1)?;
        section.open = open;
        let masks = section.masking > 0;
        section.masking -= u32::from(masks);
        Some(masks)
    });
    let depth = task.masks.load(Relaxed);
    let depth = match masks {
        Some(None) => return,
        Some(Some(false)) => depth,
        Some(Some(true)) | None if depth > 0 => depth - 1,
        _ => return,
    };
    event::mask_end(task);
    set(th, task, depth);
}

fn innermost<T>(task: &Task, then: impl FnOnce(&mut Section) -> T) -> Option<T> {
    let mut inner = task.side()?.lock();
    let across = inner.rare_mut()?.across.as_mut()?;
    across.sections.last_mut().map(then)
}

/// Begins a commit section of `bound` polls, this one included.
///
/// # Errors
/// As for [`enter`].
pub fn commit_enter(th: &Thread, cx: &Cx<Checked>, bound: u32) -> Result<(), Status> {
    let task = cx.task_ref();
    let depth = task.masks.load(Relaxed);
    begin(th, task, bound)?;
    let mut inner = task.side_or_new().lock();
    let across = inner.rare_or_new().across.get_or_insert_default();
    across.sections.push(Section {
        depth,
        bound,
        polls: 1,
        open: 0,
        masking: 0,
    });
    Ok(())
}

/// Ends the innermost commit section.
pub fn commit_leave(th: &Thread, cx: &Cx<Checked>) {
    let task = cx.task_ref();
    let ended = {
        let mut inner = task.side_or_new().lock();
        let rare = inner.rare_or_new();
        let across = rare.across.as_mut();
        across.and_then(|across| across.sections.pop())
    };
    let Some(section) = ended else { return };
    event::mask_end(task);
    let depth = task.masks.load(Relaxed);
    if depth > section.depth {
        set(th, task, depth - 1);
    }
}

/// One more poll in these sections: how many masks there are now. Beyond its bound a section of a
/// bounded region masks no more (REG-20), and the task ends at its next cancel point.
pub(super) fn polled(task: &Task, sections: &mut [Section], masks: u8) -> u8 {
    let mut masks = masks;
    for at in 0..sections.len() {
        let section = &mut sections[at];
        section.polls = section.polls.saturating_add(1);
        if section.polls == section.bound.saturating_add(1) {
            event::commit_overrun(task, section.bound, section.polls);
        }
        if section.polls > section.bound && task.region().escalation().is_bounded() {
            masks = masks.min(section.depth);
            sections[at..].iter_mut().for_each(|it| it.masking = 0);
        }
    }
    masks
}

/// A cancel that is pending is seen from here on, or no more.
fn set(th: &Thread, task: &Task, depth: u8) {
    task.masks.store(depth, Relaxed);
    th.mask_depth.set(depth.into());
    poller::recompute(th);
}
