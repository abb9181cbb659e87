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
//! | `release` | a suspended frame is given up by its table, without running it |
//! | `exception` | what compiled code threw, as an error |
//! | `spawn` | starting one |

pub(crate) mod across;
mod drive;
mod exception;
mod inside;
mod memory;
pub mod poller;
mod release;
mod root;
pub mod slot;
mod spawn;

pub use exception::Exception;
pub use inside::{current, inside};
pub use memory::frame_memory;
pub(crate) use memory::give_back;
pub(crate) use root::{TABLE, root_of};
pub use root::{PollFn, RootFrame};
pub use spawn::Refused;

use asr_abi::{Frame, Thread};

/// Memory for a frame of `size` bytes that is no root, with its header: not started. Null if no
/// frame is that large. A frame that a parent allocates; the header's class gives its size back.
pub fn frame_alloc(th: &Thread, size: u64) -> *mut Frame {
    root::header(th, None, size).unwrap_or(std::ptr::null_mut())
}

/// Frees a frame of [`frame_alloc`] that ended, or never started.
///
/// # Safety
/// `frame` came from there, and nobody uses it any more.
#[allow(unsafe_code, reason = "frees raw memory")]
pub unsafe fn frame_free(th: &Thread, frame: *mut Frame) {
    // SAFETY: by the contract.
    unsafe {
        let class = (*frame).size_class;
        memory::give(th, class, frame.cast());
    }
}
