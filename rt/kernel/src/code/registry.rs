//! The table of records.
#![allow(unsafe_code, reason = "reads the raw records of registered code")]

use std::ptr;

use asr_abi::{CodeRecord, VERSION, status};
use asr_lock::{Mutex, rank};

use super::place::{self, Place, PlaceBuf};
// Not the facade: a static table cannot be built from loom's atomics, and its one protocol, a
// pointer published with release, is not worth a model.
use std::sync::atomic::{AtomicPtr, Ordering::*};

/// Why a record is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegisterError {
    /// The record, its length or its tables are null, misaligned or overflow.
    BadArgument,
    /// Another registered record has the same unit number or the same address.
    Duplicate {
        /// The unit number.
        unit: u32,
    },
    /// The record was made for another major version.
    Version {
        /// The version in the record.
        found: u64,
    },
}

impl RegisterError {
    /// The status of VAL-33.
    pub const fn status(self) -> u32 {
        match self {
            RegisterError::BadArgument => status::BAD_ARGUMENT,
            RegisterError::Duplicate { .. } => status::DUPLICATE,
            RegisterError::Version { .. } => status::VERSION_UNSUPPORTED,
        }
    }
}

impl std::fmt::Display for RegisterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RegisterError::BadArgument => f.write_str("the code record is malformed"),
            RegisterError::Duplicate { unit } => {
                write!(
                    f,
                    "code of unit {unit} is registered already; give each unit its number"
                )
            }
            RegisterError::Version { found } => write!(
                f,
                "the code was compiled for ABI version {}.{}, this runtime has {}.{}",
                found >> 16,
                found & 0xffff,
                VERSION >> 16,
                VERSION & 0xffff
            ),
        }
    }
}

impl std::error::Error for RegisterError {}

/// Slots per chunk: a program has a few units, a REPL session some hundreds.
const CHUNK: usize = 64;

/// Slots for records; chunks form a list that only grows.
struct Chunk {
    slots: [AtomicPtr<CodeRecord>; CHUNK],
    next: AtomicPtr<Chunk>,
}

impl Chunk {
    const fn new() -> Chunk {
        Chunk {
            slots: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNK],
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

static FIRST: Chunk = Chunk::new();

/// Held by whoever changes the table or needs records to stay.
static WRITER: Mutex<(), rank::CodeRegistry> = Mutex::new(());

/// All slots, full and empty.
fn slots() -> impl Iterator<Item = &'static AtomicPtr<CodeRecord>> {
    let mut chunk: Option<&'static Chunk> = Some(&FIRST);
    std::iter::from_fn(move || {
        let now = chunk?;
        // Acquire: pairs with the release that linked the chunk.
        let next = now.next.load(Acquire);
        // SAFETY: a linked chunk was leaked by `register` and is never freed.
        chunk = unsafe { next.cast_const().as_ref() };
        Some(now.slots.iter())
    })
    .flatten()
}

/// The registered records.
pub(super) fn records() -> impl Iterator<Item = *const CodeRecord> {
    // Acquire: pairs with the release in `register`, so the record's contents are visible.
    slots()
        .map(|slot| slot.load(Acquire).cast_const())
        .filter(|record| !record.is_null())
}

/// Number of registered records.
pub fn len() -> usize {
    records().count()
}

/// The unit number of a record; 0 when it has no sites.
///
/// # Safety
/// The record is as the ABI says.
unsafe fn unit(record: *const CodeRecord) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { (*record).sites.as_ref().map_or(0, |table| table.unit) }
}

/// Registers a record before the first execution of its code.
///
/// # Safety
/// `record` is null or points to a record whose tables are as the ABI says; all of it stays
/// unchanged until [`unregister`].
///
/// # Errors
/// See [`RegisterError`]; nothing was registered.
pub unsafe fn register(record: *const CodeRecord) -> Result<(), RegisterError> {
    if record.is_null() || !record.is_aligned() {
        return Err(RegisterError::BadArgument);
    }
    // SAFETY: not null and aligned; the rest is the caller's promise.
    let (base, len, sites, version) = unsafe {
        (
            (*record).base,
            (*record).len,
            (*record).sites,
            (*record).version,
        )
    };
    if version >> 16 != u64::from(VERSION >> 16) {
        return Err(RegisterError::Version { found: version });
    }
    let fits = usize::try_from(len).is_ok_and(|len| (base as usize).checked_add(len).is_some());
    if base.is_null() || !fits || !sites.is_aligned() {
        return Err(RegisterError::BadArgument);
    }
    let _writer = WRITER.lock();
    // SAFETY: checked above or registered.
    let unit_of = |record| unsafe { unit(record) };
    let number = unit_of(record);
    if records().any(|other| other == record || number != 0 && unit_of(other) == number) {
        return Err(RegisterError::Duplicate { unit: number });
    }
    // Release: publishes the record to readers without the lock. Relaxed load: under the lock.
    if let Some(slot) = slots().find(|slot| slot.load(Relaxed).is_null()) {
        slot.store(record.cast_mut(), Release);
        return Ok(());
    }
    let chunk = Box::leak(Box::new(Chunk::new()));
    *chunk.slots[0].get_mut() = record.cast_mut();
    let mut last = &FIRST;
    // SAFETY: linked chunks are never freed.
    while let Some(next) = unsafe { last.next.load(Relaxed).cast_const().as_ref() } {
        last = next;
    }
    last.next.store(chunk, Release);
    Ok(())
}

/// Removes a record. `false` when it is not registered.
pub fn unregister(record: *const CodeRecord) -> bool {
    let _writer = WRITER.lock();
    let Some(slot) = slots().find(|slot| slot.load(Relaxed).cast_const() == record) else {
        return false;
    };
    if record.is_null() {
        return false;
    }
    // Release: nothing to publish, but a later occupant must come after.
    slot.store(ptr::null_mut(), Release);
    true
}

/// The place of a site id, while its unit is registered.
pub fn site(id: u64) -> Option<PlaceBuf> {
    let number = (id >> 32) as u32;
    let _writer = WRITER.lock();
    // SAFETY: registered records are as the ABI says, and stay while the lock is held.
    unsafe {
        let record = records().find(|&record| unit(record) == number)?;
        place::of_site(record, id as u32).map(Place::to_buf)
    }
}

/// Whether an address is compiled code, and its place: inside `Some`, `None` when the address is
/// in a record but in no known function. Async-signal-safe, takes no lock.
pub fn find_pc(pc: usize) -> Option<Option<Place<'static>>> {
    // SAFETY: registered records are as the ABI says. Whoever asks for an address that runs, or
    // stands on a stack, keeps its unit from being freed (invariant 1).
    unsafe {
        let inside = |&record: &*const CodeRecord| {
            let base = (*record).base as usize;
            (base..base + (*record).len as usize).contains(&pc)
        };
        records()
            .find(inside)
            .map(|record| place::of_pc(record, pc))
    }
}
