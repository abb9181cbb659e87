//! Reports in flight: between the first look at an object and the moment the reporter either owns
//! it or is done with it (HEAL-38).
//!
//! A reporter publishes the object in a slot before it reads the repair word and withdraws it when
//! the state alone protects it. Retirement makes the object Dead and then waits until no slot
//! names it. Either the reporter's slot is seen, or its read comes after the object is Dead: the
//! two fences order "slot, then word" here against "word, then slots" there.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::*, fence};

use asr_abi::ObjectHeader;

/// Slots: more than threads that are ever between two lines of `enter` at once; when all are taken
/// a reporter waits some tens of nanoseconds for one of them to move on.
const SLOTS: usize = 256;

#[repr(align(64))]
struct Slot(AtomicPtr<ObjectHeader>);

static TABLE: [Slot; SLOTS] = [const { Slot(AtomicPtr::new(ptr::null_mut())) }; SLOTS];

/// A published report; withdrawn on drop.
pub(crate) struct InFlight(&'static Slot);

/// Publishes a report of an object.
pub(crate) fn enter(object: *mut ObjectHeader) -> InFlight {
    let home = crate::local::lane();
    let mut at = home;
    loop {
        let slot = &TABLE[at % SLOTS];
        if slot
            .0
            .compare_exchange(ptr::null_mut(), object, SeqCst, Relaxed)
            .is_ok()
        {
            // Pairs with the fence in `wait`: see the header. On x86-64 the locked swap above
            // is that fence already, and a second one would cost a tenth of an inline repair.
            #[cfg(not(target_arch = "x86_64"))]
            fence(SeqCst);
            #[cfg(target_arch = "x86_64")]
            std::sync::atomic::compiler_fence(SeqCst);
            return InFlight(slot);
        }
        at += 1;
        if at.wrapping_sub(home).is_multiple_of(SLOTS) {
            std::thread::yield_now();
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // Release: what the reporter did to the object comes before its memory may be freed.
        self.0.0.store(ptr::null_mut(), Release);
    }
}

/// Waits until no report of the object is in flight. The object must be Dead already.
pub(crate) fn wait(object: *mut ObjectHeader) {
    fence(SeqCst);
    for slot in &TABLE {
        while slot.0.load(Acquire) == object {
            std::hint::spin_loop();
            std::thread::yield_now();
        }
    }
}
