//! Handlers by type id, with wait-free lookup (HEAL-9, HEAL-10, HEAL-12).
//!
//! Invariants
//! 1. A published table is never changed but by filling an empty slot or swapping the entry of a
//!    filled one; a table that is too small is replaced by one twice as large. All tables together
//!    are smaller than twice the last one, so none is freed.
//! 2. An entry that was replaced is freed only when no lookup is in progress: lookups count
//!    themselves, a repair counts as part of its lookup ("finishes with the one it began with").
#![allow(unsafe_code, reason = "lock-free table of raw entries")]

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use asr_abi::{ObjectHeader, RepairContext, Ret, Thread, status};
use asr_kernel::thread::ticks;
use parking_lot::Mutex;

use crate::home::Home;
use crate::ledger::COUNTERS;

/// A handler function.
#[derive(Clone)]
pub enum Func {
    /// C or C++: `void (*)(void *obj, void *ctx)`. A Rust panic that leaves it is contained; an
    /// exception of C++ ends the process.
    C(unsafe extern "C-unwind" fn(*mut ObjectHeader, *mut RepairContext)),
    /// Compiled code: thread state first, value and status back.
    Compiled(unsafe extern "C" fn(*const Thread, *mut ObjectHeader, *mut RepairContext) -> Ret),
    /// Rust. A panic counts as failed.
    Rust(fn(*mut ObjectHeader, &mut RepairContext)),
    /// Code of a language that may touch a heap: runs only on the heap's own thread.
    Language {
        /// The heap's thread.
        home: Arc<Home>,
        /// Runs the repair; the word is the `data` below.
        run: fn(u64, *mut ObjectHeader, &mut RepairContext),
        /// What `run` needs, for example a function value.
        data: u64,
    },
}

impl Func {
    /// The address that tells two handlers apart.
    fn identity(&self) -> (usize, u64) {
        match self {
            Func::C(f) => (*f as usize, 0),
            Func::Compiled(f) => (*f as usize, 0),
            Func::Rust(f) => (*f as usize, 0),
            Func::Language { run, data, .. } => (*run as usize, *data),
        }
    }

    /// The address of its code, if that is compiled or foreign code.
    pub fn code_address(&self) -> usize {
        self.identity().0
    }
}

/// A registered handler.
pub struct Handler {
    /// What runs.
    pub func: Func,
    /// Bound of a fast handler in ns; 0 for a slow one.
    pub bound_ns: u64,
    /// How often it took longer.
    overruns: AtomicU32,
}

/// Overruns after which a type is treated as slow (HEAL-12).
pub const OVERRUNS_MAX: u32 = 8;

/// Bound of a handler registered through the C function.
pub const DEFAULT_BOUND_NS: u64 = 50_000;

impl Handler {
    /// Whether it may run inline.
    pub fn is_fast(&self) -> bool {
        // Relaxed: a late reader runs it inline once more.
        self.bound_ns != 0 && self.overruns.load(Relaxed) < OVERRUNS_MAX
    }

    /// Records how many ticks it took.
    pub(crate) fn took(&self, taken: u64) {
        // Ticks are at least ns: the first comparison alone decides nearly always.
        if self.bound_ns != 0 && taken > self.bound_ns && ticks::to_ns(taken) > self.bound_ns {
            COUNTERS.overruns.up();
            // Relaxed: a counter. Saturates far above the limit only after 2^32 overruns.
            if self.overruns.load(Relaxed) < OVERRUNS_MAX {
                self.overruns.fetch_add(1, Relaxed);
            }
        }
    }
}

/// Why a registration is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandlerError {
    /// The type has a handler (checked registration only).
    Duplicate,
    /// [`RESERVED_TYPE`] has no handlers.
    ReservedType,
}

/// The one type id that cannot have a handler: all ones.
pub const RESERVED_TYPE: u64 = u64::MAX;

impl HandlerError {
    /// The status of VAL-33.
    pub const fn status(self) -> u32 {
        match self {
            HandlerError::Duplicate => status::DUPLICATE,
            HandlerError::ReservedType => status::BAD_ARGUMENT,
        }
    }
}

struct Slot {
    /// Type id plus one; 0 is empty. Written once.
    key: AtomicU64,
    entry: AtomicPtr<Handler>,
}

struct Table {
    slots: Box<[Slot]>,
}

impl Table {
    fn new(len: usize) -> Table {
        let empty = || Slot {
            key: AtomicU64::new(0),
            entry: AtomicPtr::new(ptr::null_mut()),
        };
        Table {
            slots: (0..len).map(|_| empty()).collect(),
        }
    }

    /// The slot of a type, or the empty one where it would go. A table is at most half full.
    fn slot(&self, type_id: u64) -> &Slot {
        let mask = self.slots.len() - 1;
        let mut at = type_id.wrapping_mul(0x9E37_79B9_7F4A_7C15) as usize >> 7;
        loop {
            let slot = &self.slots[at & mask];
            // Acquire: pairs with the release that filled the slot.
            let key = slot.key.load(Acquire);
            if key == 0 || key == type_id.wrapping_add(1) {
                return slot;
            }
            at += 1;
        }
    }
}

static TABLE: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
static READERS: AtomicUsize = AtomicUsize::new(0);

/// What writers share: the number of keys, and replaced entries that wait to be freed.
struct Writer {
    keys: usize,
    retired: Vec<*mut Handler>,
}

// SAFETY: the pointers are owned by the list; handlers may be dropped on any thread.
unsafe impl Send for Writer {}

static WRITER: Mutex<Writer> = Mutex::new(Writer {
    keys: 0,
    retired: Vec::new(),
});

/// A handler found; keeps it alive.
pub(crate) struct Found(&'static Handler);

impl std::ops::Deref for Found {
    type Target = Handler;
    fn deref(&self) -> &Handler {
        self.0
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        // Release: this reader's use of the entry comes before a writer that sees the count frees
        // it. Pairs with the acquire in `reclaim`.
        READERS.fetch_sub(1, Release);
    }
}

/// The handler of a type. Wait-free.
pub(crate) fn find(type_id: u64) -> Option<Found> {
    if type_id == RESERVED_TYPE {
        return None;
    }
    // SeqCst here and in `reclaim`: either the writer sees this reader, or this reader sees the
    // slot that the writer has already swapped.
    READERS.fetch_add(1, SeqCst);
    // SAFETY: tables are leaked (invariant 1).
    let table = unsafe { TABLE.load(SeqCst).as_ref() };
    let entry = table.map_or(ptr::null_mut(), |table| {
        let slot = table.slot(type_id);
        // The slot may be an empty one that is being filled for another type.
        let ours = slot.key.load(Acquire) == type_id.wrapping_add(1);
        if ours {
            slot.entry.load(SeqCst)
        } else {
            ptr::null_mut()
        }
    });
    // SAFETY: not freed while this reader is counted (invariant 2).
    match unsafe { entry.as_ref() } {
        Some(handler) => Some(Found(handler)),
        None => {
            READERS.fetch_sub(1, Release);
            None
        }
    }
}

/// Whether a type has a handler, and whether it is fast.
pub fn is_registered(type_id: u64) -> Option<bool> {
    find(type_id).map(|handler| handler.is_fast())
}

/// Whether any handler's code lies in a range of addresses.
pub fn refers_to(range: std::ops::Range<usize>) -> bool {
    let _writer = WRITER.lock();
    // SAFETY: tables are leaked; entries in slots are alive while the writer lock is held.
    unsafe {
        let Some(table) = TABLE.load(SeqCst).as_ref() else {
            return false;
        };
        let in_range = |slot: &Slot| {
            let entry = slot.entry.load(SeqCst).as_ref();
            entry.is_some_and(|handler| range.contains(&handler.func.code_address()))
        };
        table.slots.iter().any(in_range)
    }
}

/// Registers a handler for a type, in place of an earlier one.
///
/// # Errors
/// [`HandlerError::ReservedType`].
pub fn register(type_id: u64, func: Func, bound_ns: u64) -> Result<(), HandlerError> {
    set(type_id, Some((func, bound_ns)), false)
}

/// Registers a handler for a type that has none.
///
/// # Errors
/// [`HandlerError::Duplicate`]: it has one, which stays; or the type is reserved.
pub fn register_new(type_id: u64, func: Func, bound_ns: u64) -> Result<(), HandlerError> {
    set(type_id, Some((func, bound_ns)), true)
}

/// Removes the handler of a type.
///
/// # Errors
/// [`HandlerError::ReservedType`].
pub fn unregister(type_id: u64) -> Result<(), HandlerError> {
    set(type_id, None, false)
}

fn set(type_id: u64, handler: Option<(Func, u64)>, only_new: bool) -> Result<(), HandlerError> {
    if type_id == RESERVED_TYPE {
        return Err(HandlerError::ReservedType);
    }
    // The clocks are compared from here on, long before the first handler can overrun.
    ticks::origin();
    let mut writer = WRITER.lock();
    let table = roomy(&mut writer);
    let slot = table.slot(type_id);
    let old = slot.entry.load(SeqCst);
    // SAFETY: entries in slots are alive while the writer lock is held.
    let old_handler = unsafe { old.as_ref() };
    if only_new && old_handler.is_some() {
        return Err(HandlerError::Duplicate);
    }
    if let (Some(old), Some((func, bound))) = (old_handler, &handler)
        && old.func.identity() == func.identity()
        && old.bound_ns == *bound
    {
        return Ok(());
    }
    if handler.is_none() && old.is_null() {
        return Ok(());
    }
    if handler.is_some() && !old.is_null() {
        COUNTERS.handlers_replaced.up();
    }
    let new = handler.map_or(ptr::null_mut(), |(func, bound_ns)| {
        Box::into_raw(Box::new(Handler {
            func,
            bound_ns,
            overruns: AtomicU32::new(0),
        }))
    });
    slot.entry.store(new, SeqCst);
    if slot.key.load(Relaxed) == 0 {
        writer.keys += 1;
        // Release: the entry is visible before the key.
        slot.key.store(type_id.wrapping_add(1), Release);
    }
    if !old.is_null() {
        writer.retired.push(old);
    }
    reclaim(&mut writer);
    Ok(())
}

/// The current table, with room for one more key.
fn roomy(writer: &mut Writer) -> &'static Table {
    // SAFETY: tables are leaked.
    let old = unsafe { TABLE.load(SeqCst).as_ref() };
    if let Some(table) = old
        && writer.keys * 2 < table.slots.len()
    {
        return table;
    }
    let table = Table::new(old.map_or(64, |old| old.slots.len() * 2));
    for slot in old.iter().flat_map(|old| old.slots.iter()) {
        let key = slot.key.load(Relaxed);
        if key != 0 {
            let new = table.slot(key.wrapping_sub(1));
            new.entry.store(slot.entry.load(SeqCst), SeqCst);
            new.key.store(key, Release);
        }
    }
    let table: &'static Table = Box::leak(Box::new(table));
    TABLE.store(ptr::from_ref(table).cast_mut(), SeqCst);
    table
}

/// Frees replaced entries if nobody is looking.
fn reclaim(writer: &mut Writer) {
    // A reader that could still hold a retired entry was counted before the entry was swapped out.
    if READERS.load(SeqCst) != 0 {
        return;
    }
    for entry in writer.retired.drain(..) {
        // SAFETY: swapped out of its slot, and no reader that could have seen it is left.
        drop(unsafe { Box::from_raw(entry) });
    }
}
