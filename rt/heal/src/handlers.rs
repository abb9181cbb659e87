//! Handlers by type id, with wait-free lookup (HEAL-9, HEAL-10, HEAL-12).
//!
//! A repair counts as part of its lookup: it finishes with the handler it began with, which is
//! freed only after that ([`crate::lookup`]).
#![allow(unsafe_code, reason = "owns the handlers in a table of raw entries")]

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::*};

use asr_abi::{ObjectHeader, RepairContext, Ret, Thread, status};
use asr_kernel::thread::ticks;
use asr_lock::{Mutex, rank};

use crate::home::Home;
use crate::ledger::COUNTERS;
use crate::local;
use crate::lookup::{self, Lookup, Writer};

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

static LOOKUP: Lookup<Handler> = Lookup::new();
static WRITER: Mutex<Writer<Handler>, rank::HealHandlers> = Mutex::new(Writer::new());

/// A handler found; keeps it alive.
pub(crate) type Found = lookup::Found<'static, Handler>;

/// The handler of a type. Wait-free.
pub(crate) fn find(type_id: u64) -> Option<Found> {
    if type_id == RESERVED_TYPE {
        return None;
    }
    LOOKUP.find(local::lane(), type_id)
}

/// Whether a type has a handler, and whether it is fast.
pub fn is_registered(type_id: u64) -> Option<bool> {
    find(type_id).map(|handler| handler.is_fast())
}

/// Whether any handler's code lies in a range of addresses.
pub fn refers_to(range: std::ops::Range<usize>) -> bool {
    let writer = WRITER.lock();
    LOOKUP.any(&writer, |handler| {
        range.contains(&handler.func.code_address())
    })
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
    let old = LOOKUP.current(&writer, type_id);
    // SAFETY: entries are given back below only, and the writer is locked.
    let old = unsafe { old.as_ref() };
    if only_new && old.is_some() {
        return Err(HandlerError::Duplicate);
    }
    let same = match (old, &handler) {
        (Some(old), Some((func, bound_ns))) => {
            old.func.identity() == func.identity() && old.bound_ns == *bound_ns
        }
        (None, None) => true,
        _ => false,
    };
    if same {
        return Ok(());
    }
    if handler.is_some() && old.is_some() {
        COUNTERS.handlers_replaced.up();
    }
    let new = handler.map_or(ptr::null_mut(), |(func, bound_ns)| {
        Box::into_raw(Box::new(Handler {
            func,
            bound_ns,
            overruns: AtomicU32::new(0),
        }))
    });
    // SAFETY: the one writer of the table is locked; the entries are boxes, freed here alone.
    unsafe {
        LOOKUP.replace(&mut writer, type_id, new);
        LOOKUP.give_back(&mut writer, |entry| drop(Box::from_raw(entry)));
    }
    Ok(())
}
