//! One poll of a compiled task.
#![allow(unsafe_code, reason = "calls compiled code")]

use std::ptr::NonNull;
use std::task::{Context, Poll};

use asr_abi::frame_state::DONE;
use asr_abi::{Frame, Ret, status};

use super::{inside, root};
use crate::task::Task;

/// Resumes the leaf, and then each frame that awaits one that has ended, until one suspends or the
/// root has ended.
///
/// # Safety
/// The caller holds the poll of the task, whose root frame this is, and which has not ended.
pub(super) unsafe fn drive(
    root: NonNull<Frame>,
    task: &Task,
    context: &mut Context<'_>,
) -> Poll<Ret> {
    inside::with_task(task, root::caps(root), context, |th| {
        // SAFETY: frames from the leaf to the root are linked by `parent` (ABI-27), the code keeps
        // the contract of `RootFrame::new`, and nobody else polls.
        unsafe {
            let mut frame = root::leaf(root);
            loop {
                let ret = ((*frame).poll)(frame, th);
                if ret.status == u64::from(status::PENDING) {
                    root::set_leaf(root, th.leaf.get());
                    return Poll::Pending;
                }
                let parent = (*frame).parent;
                if parent.is_null() {
                    return Poll::Ready(ret);
                }
                (*frame).value = ret.value;
                (*frame).state = DONE | ret.status as u32;
                frame = parent;
            }
        }
    })
}
