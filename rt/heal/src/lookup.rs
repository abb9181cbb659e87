//! A table of entries by type id: readers wait for nothing, one writer at a time (HEAL-9).
//!
//! Invariants
//! 1. A published table is never changed but by filling an empty slot or replacing the entry of a
//!    filled one; a table that is too small is replaced by one twice as large. All tables together
//!    are smaller than twice the last one, so none is freed.
//! 2. An entry that was replaced is given back only when no reader is left that may have seen it.
//!
//! Protocol of 2: a reader raises the count of its lane before it looks and lowers it when it is
//! done with what it found. The writer replaces the entry, then reads each lane by a
//! read-modify-write. The changes of one count are totally ordered, so for each reader one of two
//! holds. Either it raised its lane before the writer read it: then the writer sees the count, or
//! sees by it that the reader is done. Or it raised it after: then it acquired what the writer
//! released, and finds the entry replaced. A plain load in the writer would not do: it could miss
//! a reader that itself missed the new entry.
#![allow(unsafe_code, reason = "lock-free table of raw entries")]

use std::ptr;

use asr_kernel::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};

/// Counts of readers, so that threads do not share a cache line; a model has few.
pub const LANES: usize = if cfg!(loom) { 2 } else { 64 };

/// Slots of the first table; in a model the second key already makes it grow.
const FIRST_SLOTS: usize = if cfg!(loom) { 2 } else { 64 };

struct Slot<H> {
    /// Type id plus one; 0 is empty. Written once.
    key: AtomicU64,
    entry: AtomicPtr<H>,
}

struct Table<H> {
    slots: Box<[Slot<H>]>,
}

impl<H> Table<H> {
    fn new(len: usize) -> Self {
        let empty = || Slot {
            key: AtomicU64::new(0),
            entry: AtomicPtr::new(ptr::null_mut()),
        };
        Table {
            slots: (0..len).map(|_| empty()).collect(),
        }
    }

    /// The slot of a type, or the empty one where it would go, and whether it is the type's. A
    /// table is at most half full.
    fn slot(&self, type_id: u64) -> (&Slot<H>, bool) {
        let wanted = type_id.wrapping_add(1);
        let mask = self.slots.len() - 1;
        let mut at = type_id.wrapping_mul(0x9E37_79B9_7F4A_7C15) as usize >> 7;
        loop {
            let slot = &self.slots[at & mask];
            // Acquire: pairs with the release that filled the slot.
            let key = slot.key.load(Acquire);
            if key == 0 || key == wanted {
                return (slot, key == wanted);
            }
            at += 1;
        }
    }
}

#[repr(align(64))]
struct Lane(AtomicUsize);

/// The table that readers see.
pub struct Lookup<H> {
    table: AtomicPtr<Table<H>>,
    lanes: [Lane; LANES],
}

/// What the writer of a [`Lookup`] knows: the number of keys, and replaced entries that wait.
pub struct Writer<H> {
    keys: usize,
    replaced: Vec<*mut H>,
}

// SAFETY: the entries are owned by the list, and may move to any thread if they may.
unsafe impl<H: Send> Send for Writer<H> {}

impl<H> Writer<H> {
    /// For an empty table.
    pub const fn new() -> Self {
        Writer {
            keys: 0,
            replaced: Vec::new(),
        }
    }
}

impl<H> Default for Writer<H> {
    fn default() -> Self {
        Self::new()
    }
}

/// An entry found; stays valid until this is dropped.
pub struct Found<'a, H> {
    entry: &'a H,
    lane: &'a AtomicUsize,
}

impl<H> std::ops::Deref for Found<'_, H> {
    type Target = H;
    fn deref(&self) -> &H {
        self.entry
    }
}

impl<H> Drop for Found<'_, H> {
    fn drop(&mut self) {
        // Release: the use of the entry comes before a writer that sees this gives it back.
        self.lane.fetch_sub(1, Release);
    }
}

impl<H> Lookup<H> {
    /// Empty.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Lookup {
            table: AtomicPtr::new(ptr::null_mut()),
            lanes: [const { Lane(AtomicUsize::new(0)) }; LANES],
        }
    }

    /// Empty.
    #[cfg(loom)]
    pub fn new() -> Self {
        Lookup {
            table: AtomicPtr::new(ptr::null_mut()),
            lanes: std::array::from_fn(|_| Lane(AtomicUsize::new(0))),
        }
    }

    /// The entry of a type. Wait-free. Readers of one lane share a count, and a cache line.
    pub fn find(&self, lane: usize, type_id: u64) -> Option<Found<'_, H>> {
        let lane = &self.lanes[lane % LANES].0;
        // Acquire: see the header. It keeps the loads below from coming before it, too.
        lane.fetch_add(1, Acquire);
        // SAFETY: tables are never freed (invariant 1).
        let table = unsafe { self.table.load(Acquire).as_ref() };
        let entry = match table.map(|table| table.slot(type_id)) {
            Some((slot, true)) => slot.entry.load(Acquire),
            _ => ptr::null_mut(),
        };
        // SAFETY: not given back while this reader is counted (invariant 2).
        if let Some(entry) = unsafe { entry.as_ref() } {
            return Some(Found { entry, lane });
        }
        lane.fetch_sub(1, Release);
        None
    }

    /// The entry of a type, as the writer sees it; null when it has none.
    pub fn current(&self, _writer: &Writer<H>, type_id: u64) -> *mut H {
        // SAFETY: tables are never freed.
        let table = unsafe { self.table.load(Acquire).as_ref() };
        match table.map(|table| table.slot(type_id)) {
            Some((slot, true)) => slot.entry.load(Acquire),
            _ => ptr::null_mut(),
        }
    }

    /// Whether any entry in use is such.
    pub fn any(&self, _writer: &Writer<H>, is: impl Fn(&H) -> bool) -> bool {
        // SAFETY: tables are never freed, and the writer, which alone gives entries back, is here.
        unsafe {
            let table = self.table.load(Acquire).as_ref();
            let mut slots = table.iter().flat_map(|table| table.slots.iter());
            slots.any(|slot| slot.entry.load(Acquire).as_ref().is_some_and(&is))
        }
    }

    /// Gives a type this entry, or none when it is null. The one before waits to be given back.
    ///
    /// # Safety
    /// `writer` is the only one of this table; the entry is null or valid until it is given back.
    pub unsafe fn replace(&self, writer: &mut Writer<H>, type_id: u64, entry: *mut H) {
        let (slot, filled) = self.roomy(writer).slot(type_id);
        // Release: readers of the entry see what it is.
        let old = slot.entry.swap(entry, AcqRel);
        if !filled {
            writer.keys += 1;
            // Release: the entry is visible before the key.
            slot.key.store(type_id.wrapping_add(1), Release);
        }
        if !old.is_null() {
            writer.replaced.push(old);
        }
    }

    /// The current table, with room for one more key.
    fn roomy(&self, writer: &Writer<H>) -> &Table<H> {
        // SAFETY: tables are never freed.
        let old = unsafe { self.table.load(Acquire).as_ref() };
        if let Some(table) = old
            && writer.keys * 2 < table.slots.len()
        {
            return table;
        }
        let table = Table::new(old.map_or(FIRST_SLOTS, |old| old.slots.len() * 2));
        for slot in old.iter().flat_map(|old| old.slots.iter()) {
            // Relaxed: the writer's own stores, published by the release of the table.
            let key = slot.key.load(Relaxed);
            if key != 0 {
                let (new, _) = table.slot(key.wrapping_sub(1));
                new.entry.store(slot.entry.load(Relaxed), Relaxed);
                new.key.store(key, Relaxed);
            }
        }
        let table: &Table<H> = Box::leak(Box::new(table));
        self.table.store(ptr::from_ref(table).cast_mut(), Release);
        table
    }

    /// Gives back replaced entries if nobody is looking.
    ///
    /// # Safety
    /// `writer` is the only one of this table.
    pub unsafe fn give_back(&self, writer: &mut Writer<H>, each: impl FnMut(*mut H)) {
        // A read-modify-write that changes nothing: see the header. Acquire, too: what readers did
        // with the entries is done.
        let looking = |lane: &Lane| lane.0.fetch_add(0, AcqRel) != 0;
        if !writer.replaced.is_empty() && !self.lanes.iter().any(looking) {
            writer.replaced.drain(..).for_each(each);
        }
    }
}

impl<H> Default for Lookup<H> {
    fn default() -> Self {
        Self::new()
    }
}
