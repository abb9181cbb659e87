//! Sanitizers: what may take labels from the taint set (HEAL-6).

use std::collections::BTreeMap;

use asr_lock::{Mutex, rank};

static SANITIZERS: Mutex<BTreeMap<u64, u32>, rank::RtTaint> = Mutex::new(BTreeMap::new());

/// Allows a sanitizer to remove these labels, besides those it may remove already.
pub(crate) fn register(sanitizer: u64, labels: u32) {
    *SANITIZERS.lock().entry(sanitizer).or_default() |= labels;
}

/// Whether a sanitizer may remove all of these labels.
pub(crate) fn may_remove(sanitizer: u64, labels: u32) -> bool {
    SANITIZERS
        .lock()
        .get(&sanitizer)
        .is_some_and(|allowed| labels & !allowed == 0)
}
