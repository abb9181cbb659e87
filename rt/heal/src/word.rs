//! The repair word of an object: state, attempts, re-examine bit, generation (HEAL-15).
//!
//! Every change is one compare-and-swap along the edges below; the functions are generic over the
//! atomic, so that loom can model them.
//!
//! ```text
//! Healthy -> Marked -> Repairing -> Healthy          (a reporter repairs inline)
//!              |           +-> Queued, Delayed, Quarantined, Dead
//!              +-> Queued -> Repairing ...            (the supervisor or the home thread repairs)
//! Delayed -> Queued,  Quarantined -> Queued | Dead
//! ```

use asr_abi::repair_word::{
    ATTEMPTS_SHIFT, DEAD, DELAYED, GENERATION_SHIFT, HEALTHY, MARKED, QUARANTINED, QUEUED,
    REEXAMINE, REPAIRING, STATE,
};
use asr_kernel::sync::atomic::{AtomicU64, Ordering::*};

/// The word, real or under loom.
pub trait Word {
    /// Reads it with acquire.
    fn read(&self) -> u64;
    /// Compare-and-swap, weak; `Err` holds what was found.
    fn swap_if(&self, old: u64, new: u64) -> Result<u64, u64>;
}

impl Word for AtomicU64 {
    fn read(&self) -> u64 {
        self.load(Acquire)
    }

    fn swap_if(&self, old: u64, new: u64) -> Result<u64, u64> {
        // AcqRel: the new owner sees what the last one did to the object, and publishes its own
        // work to the next. SeqCst is not needed here: retirement, which must order its scan of
        // the reports in flight after its own write, has fences of its own.
        self.compare_exchange_weak(old, new, AcqRel, Acquire)
    }
}

#[cfg(loom)]
impl Word for std::sync::atomic::AtomicU64 {
    fn read(&self) -> u64 {
        self.load(std::sync::atomic::Ordering::Acquire)
    }

    fn swap_if(&self, old: u64, new: u64) -> Result<u64, u64> {
        use std::sync::atomic::Ordering::*;
        self.compare_exchange_weak(old, new, AcqRel, Acquire)
    }
}

/// The state of a word.
pub const fn state(word: u64) -> u64 {
    word & STATE
}

/// The attempts of a word.
pub const fn attempts(word: u64) -> u32 {
    (word >> ATTEMPTS_SHIFT) as u8 as u32
}

/// Whether there is an edge between two states.
pub const fn is_edge(from: u64, to: u64) -> bool {
    match from {
        HEALTHY => to == MARKED,
        MARKED => to == REPAIRING || to == QUEUED,
        QUEUED => to == REPAIRING,
        REPAIRING => matches!(to, HEALTHY | QUEUED | DELAYED | QUARANTINED | DEAD),
        DELAYED => to == QUEUED,
        QUARANTINED => to == QUEUED || to == DEAD,
        _ => false,
    }
}

/// What a report finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Marking {
    /// The object was Healthy; the caller has marked it and owns it.
    Owned,
    /// Somebody owns it already and will look again before it is Healthy.
    Coalesced,
    /// It is dead: nobody will look again.
    Dead,
}

/// A report: Healthy becomes Marked, any other state but Dead gets the re-examine bit.
pub fn mark(word: &impl Word) -> Marking {
    let mut now = word.read();
    loop {
        let (new, answer) = match state(now) {
            HEALTHY => (now & !STATE | MARKED, Marking::Owned),
            // Also no state at all: the header was overwritten, nobody can repair it.
            state if state >= DEAD => return Marking::Dead,
            _ if now & REEXAMINE != 0 => {
                // The bit is set: confirm by a swap that changes nothing, so that this report is
                // ordered before the owner's read of the bit, and what preceded it is seen then.
                (now, Marking::Coalesced)
            }
            _ => (now | REEXAMINE, Marking::Coalesced),
        };
        match word.swap_if(now, new) {
            Ok(_) => return answer,
            Err(found) => now = found,
        }
    }
}

/// The owner moves the object to a state, keeping the re-examine bit and setting the attempts.
///
/// # Panics
/// When there is no such edge: the caller does not own the object.
pub fn step(word: &impl Word, to: u64, attempts: u32) {
    let mut now = word.read();
    loop {
        assert!(
            is_edge(state(now), to),
            "repair state {} -> {to}",
            state(now)
        );
        let new = now & !(STATE | 0xff << ATTEMPTS_SHIFT)
            | to
            | u64::from(attempts.min(255)) << ATTEMPTS_SHIFT;
        match word.swap_if(now, new) {
            Ok(_) => return,
            Err(found) => now = found,
        }
    }
}

/// The repairer begins: what was reported before this point is covered by this look, so the
/// re-examine bit is cleared.
pub fn begin(word: &impl Word) {
    let mut now = word.read();
    loop {
        assert!(
            is_edge(state(now), REPAIRING),
            "repair state {} -> Repairing",
            state(now)
        );
        match word.swap_if(now, now & !(STATE | REEXAMINE) | REPAIRING) {
            Ok(_) => return,
            Err(found) => now = found,
        }
    }
}

/// The repairer is content: Repairing becomes Healthy of the next generation, unless a report came
/// meanwhile. `false`: it must look again, and still owns the object.
#[must_use]
pub fn finish(word: &impl Word) -> bool {
    let mut now = word.read();
    loop {
        assert!(
            state(now) == REPAIRING,
            "repair state {} -> Healthy",
            state(now)
        );
        if now & REEXAMINE != 0 {
            return false;
        }
        let generation = (now >> GENERATION_SHIFT) as u32;
        let new = u64::from(generation.wrapping_add(1)) << GENERATION_SHIFT;
        match word.swap_if(now, new) {
            Ok(_) => return true,
            Err(found) => now = found,
        }
    }
}

/// The repairer looks again: what was reported before this point is covered by the next look.
pub fn look_again(word: &impl Word) {
    let mut now = word.read();
    loop {
        assert!(
            state(now) == REPAIRING,
            "repair state {} is not Repairing",
            state(now)
        );
        match word.swap_if(now, now & !REEXAMINE) {
            Ok(_) => return,
            Err(found) => now = found,
        }
    }
}
