//! What the kernel keeps per thread behind `Thread::kernel`.

use std::cell::{Cell, RefCell};

use asr_abi::Thread;

use super::altstack::AltStack;
use super::ring::Ring;
use super::trace::Trace;
use crate::compiled::poller::Number;

/// The kernel's part of a thread's state.
pub struct Local {
    /// The last metadata snapshots (HEAL-8).
    pub ring: RefCell<Ring>,
    /// Where the error in flight has been (error trace).
    pub trace: RefCell<Trace>,
    /// The intents around the current one, outermost first (HEAL-6).
    pub intents: RefCell<Vec<u64>>,
    /// Number of checkpoints that took the slow path.
    pub slow_probes: Cell<u64>,
    /// The number under which others find its flag word, once it polled a compiled task.
    pub(crate) poller: Number,
    /// Where the thread's signals run.
    _signals: AltStack,
}

impl Local {
    /// Nothing recorded.
    pub(super) fn new() -> Local {
        Local {
            ring: RefCell::new(Ring::new()),
            trace: RefCell::new(Trace::new()),
            intents: RefCell::new(Vec::new()),
            slow_probes: Cell::new(0),
            poller: Number::default(),
            _signals: AltStack::install(),
        }
    }

    /// The local of this thread's state; `None` for a state that the kernel did not make.
    pub fn of(th: &Thread) -> Option<&Local> {
        let local = th.kernel.get().cast::<Local>().cast_const();
        #[allow(unsafe_code, reason = "the pointer is the kernel's own")]
        // SAFETY: `adopt` alone writes `kernel`, with the address of the `Local` that is freed
        // together with the state; `th` is alive, so the local is.
        unsafe {
            local.as_ref()
        }
    }
}
