//! Compiled tasks: a frame with a `poll` function, driven as the future of a task (ABI-27).
//!
//! The memory of such a task is its hot record and its root frame, nothing else (TSK-29). A poll
//! resumes the leaf, the innermost frame that suspended, and walks up by `parent` as frames end;
//! so what it costs does not depend on how many frames await.
//!
//! | file | idea |
//! |---|---|
//! | `memory` | blocks for frames, by size class |
//! | `root` | the root frame as the cell of a task: its states, its outcome |
//! | `drive` | one poll |
//! | `inside` | what the state of the thread says while a poll runs |
//! | `across` | what of it a task keeps from poll to poll |
//! | `poller` | which thread polls: the flag word follows the task (ABI-39) |
//! | `slot` | the futures of runtime operations, in the frames that await them |
//! | `light` | the waits of the kernel itself, in less room |
//! | `release` | a suspended frame is given up by its table, without running it |
//! | `backtrace` | where each task is, for people |
//! | `exception` | what compiled code threw, as an error |
//! | `handles` | regions and tasks, named by ids |
//! | `masks` | masked blocks that begin and end with calls |
//! | `spawn` | starting one |

pub(crate) mod across;
mod backtrace;
mod drive;
mod exception;
pub mod handles;
mod inside;
pub mod light;
pub mod masks;
mod memory;
pub mod poller;
mod release;
mod root;
pub mod slot;
mod spawn;

pub use backtrace::{Doing, FrameTrace, TaskTrace};
pub use exception::Exception;
pub(crate) use inside::task;
pub use inside::{IsolateHooks, current, inside, isolate_hooks};
pub use memory::frame_memory;
pub(crate) use memory::give_back;
pub use root::{PollFn, RootFrame};
pub(crate) use root::{TABLE, root_of};
pub use spawn::Refused;

use asr_abi::{Frame, Thread};

/// The calling thread keeps no free frames any more: a runtime that it ran has ended.
pub fn give_back_here() {
    let th = crate::thread::current();
    #[allow(unsafe_code, reason = "the state of this thread")]
    // SAFETY: null, or the state of the calling thread.
    if let Some(th) = unsafe { th.as_ref() } {
        give_back(th);
    }
}

/// Memory for a frame of `size` bytes that is no root, with its header: not started. None if no
/// frame is that large.
pub fn frame_alloc(th: &Thread, poll: Option<PollFn>, size: u64) -> Option<*mut Frame> {
    root::header(th, poll, size)
}

/// Frees a frame of [`frame_alloc`] that ended, or never started. Size 0 is that of the header.
///
/// # Safety
/// `frame` came from there with this size, and nobody uses it any more.
#[allow(unsafe_code, reason = "frees raw memory")]
pub unsafe fn frame_free(th: &Thread, frame: *mut Frame, size: u64) {
    let class = match size {
        // SAFETY: by the contract the header is there.
        0 => Some(unsafe { (*frame).size_class }),
        _ => memory::class_of(size),
    };
    if let Some(class) = class {
        // SAFETY: by the contract.
        unsafe { memory::give(th, class, frame.cast()) };
    }
}
