//! The interface by which a debugger learns of code in memory.
//!
//! Protocol (gdb's manual, "JIT Compilation Interface"; lldb follows it): the program links one
//! list of ELF images into `__jit_debug_descriptor`, names the entry that changed, and calls
//! `__jit_debug_register_code`, where the debugger has a breakpoint. The debugger finds both
//! symbols by name, so they must be in the executable under exactly these names.
//!
//! Invariants
//! 1. The list and the descriptor are touched only under [`LIST`].
//! 2. An entry and its image stay in place until the entry was taken off the list.
#![allow(
    unsafe_code,
    reason = "a list of raw pointers and a global that the debugger reads by name"
)]

use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

/// One image, as the debugger reads it.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    prev: *mut Entry,
    image: *const u8,
    size: u64,
}

/// The root of the list, as the debugger reads it.
#[repr(C)]
struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

const REGISTER: u32 = 1;
const UNREGISTER: u32 = 2;

/// The debugger's breakpoint.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn __jit_debug_register_code() {
    // Keeps the function and the calls of it: the debugger stops here.
    std::hint::black_box(());
}

#[unsafe(no_mangle)]
static mut __jit_debug_descriptor: Descriptor = Descriptor {
    version: 1,
    action: 0,
    relevant: null_mut(),
    first: null_mut(),
};

/// Guards the list.
static LIST: Mutex<()> = Mutex::new(());

/// An image that debuggers know, until it is dropped.
#[derive(Debug)]
pub(super) struct Image {
    entry: *mut Entry,
    _bytes: Box<[u8]>,
}

// SAFETY: the entry is reached through `entry` only under `LIST`, by whichever thread drops it.
unsafe impl Send for Image {}
// SAFETY: as above; `&Image` gives access to nothing.
unsafe impl Sync for Image {}

impl Image {
    /// Tells the debugger about an ELF image.
    pub(super) fn register(bytes: Box<[u8]>) -> Image {
        let entry = Box::into_raw(Box::new(Entry {
            next: null_mut(),
            prev: null_mut(),
            image: bytes.as_ptr(),
            size: bytes.len() as u64,
        }));
        let _guard = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        let descriptor = &raw mut __jit_debug_descriptor;
        // SAFETY: by invariant 1 nobody else touches the descriptor or the entries; by invariant
        // 2 `first` is null or a live entry.
        unsafe {
            (*entry).next = (*descriptor).first;
            if !(*entry).next.is_null() {
                (*(*entry).next).prev = entry;
            }
            (*descriptor).first = entry;
            notify(descriptor, entry, REGISTER);
        }
        Image {
            entry,
            _bytes: bytes,
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _guard = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        let descriptor = &raw mut __jit_debug_descriptor;
        // SAFETY: as in `register`; the neighbours are live entries or null, and after the
        // debugger was told nothing refers to the entry, which `Box::into_raw` made.
        unsafe {
            let Entry { next, prev, .. } = *self.entry;
            if !next.is_null() {
                (*next).prev = prev;
            }
            if prev.is_null() {
                (*descriptor).first = next;
            } else {
                (*prev).next = next;
            }
            notify(descriptor, self.entry, UNREGISTER);
            drop(Box::from_raw(self.entry));
        }
    }
}

/// # Safety
/// The caller holds [`LIST`]; `entry` is live.
unsafe fn notify(descriptor: *mut Descriptor, entry: *mut Entry, action: u32) {
    // SAFETY: the descriptor is a static; the caller holds the lock.
    unsafe {
        (*descriptor).relevant = entry;
        (*descriptor).action = action;
        __jit_debug_register_code();
        (*descriptor).action = 0;
        (*descriptor).relevant = null_mut();
    }
}
