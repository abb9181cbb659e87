//! What all isolates of a program share: literals, fixed messages, functions of its modules.
//!
//! Invariants
//! 1. An object is written by whoever makes it, under the lock, and never again: the hash of a
//!    string is known before anybody has its address. Isolates read it without a lock.
//! 2. A cell of compiled code gets its object before the first isolate beside the main one runs,
//!    and keeps it: constants are made at the beginning of the main function.
//! 3. It lives as long as any heap of the program.

use std::sync::{Arc, Mutex, PoisonError};

use super::Heap;
use crate::error::{Res, message};
use crate::word::Value;

/// Most bytes of the constants of a program.
const LIMIT: u64 = 64 << 20;

/// The constants of a program.
pub(crate) struct Shared {
    heap: Mutex<Heap>,
    /// The addresses of its arena.
    range: std::ops::Range<usize>,
    messages: Arc<[Value]>,
}

impl Shared {
    /// With the fixed messages. `None` when there is no memory for them.
    pub(super) fn new(limit: u64) -> Option<Shared> {
        let mut heap = Heap::bare(limit.min(LIMIT))?;
        let text = |text: &&str| heap.string(text.as_bytes()).map(finished);
        heap.messages = message::ALL.iter().map(text).collect::<Res<_>>().ok()?;
        let base = heap.arena.base().addr();
        Some(Shared {
            range: base..base + heap.limit() as usize,
            messages: heap.messages.clone(),
            heap: Mutex::new(heap),
        })
    }

    /// The fixed messages.
    pub(super) fn messages(&self) -> &Arc<[Value]> {
        &self.messages
    }

    /// Makes an object: a string, a function or a native.
    pub(super) fn place(&self, make: impl FnOnce(&Heap) -> Res) -> Res {
        let heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        make(&heap).map(finished)
    }

    /// Whether an object at this address is one of these.
    pub(crate) fn contains(&self, address: usize) -> bool {
        self.range.contains(&address)
    }
}

/// An object that does not change from here.
fn finished(value: Value) -> Value {
    if let Some(string) = value.as_str() {
        string.hash();
    }
    value
}
