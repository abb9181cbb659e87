//! Dictionaries: string keys, entries in the order of insertion, open addressing over an index.

use std::cell::Cell;

use super::{Kind, Layout, Object, Str};
use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

/// One entry; the key is a string.
#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    key: Value,
    value: Value,
}

/// A dictionary. `index` points to `slots` (a power of two, or 0) numbers: 0 for an empty slot,
/// else the position of an entry plus one. At most three quarters of the slots are taken.
#[repr(C)]
pub struct Dict {
    header: Object,
    len: Cell<u32>,
    slots: Cell<u32>,
    entries: Cell<*mut Entry>,
    index: Cell<*mut u32>,
    reserved: u64,
}

// SAFETY: `repr(C)`, begins with the header; `Dict::make` alone makes this kind.
unsafe impl Layout for Dict {
    const KIND: Kind = Kind::Dict;
}

impl Dict {
    /// An empty dictionary.
    ///
    /// # Errors
    /// Out of memory.
    pub fn make(heap: &Heap) -> Res {
        heap.place(Kind::Dict, |header| Dict {
            header,
            len: Cell::new(0),
            slots: Cell::new(0),
            entries: Cell::new(std::ptr::null_mut()),
            index: Cell::new(std::ptr::null_mut()),
            reserved: 0,
        })
    }

    /// The value that refers to it.
    pub fn value(&self) -> Value {
        Value::object(&self.header)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len.get() as usize
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    /// The entry at a position in the order of insertion.
    pub fn entry(&self, at: usize) -> Option<(Value, Value)> {
        if at >= self.len() {
            return None;
        }
        // SAFETY: below `len`, so initialized.
        let entry = unsafe { self.entries.get().add(at).read() };
        Some((entry.key, entry.value))
    }

    /// Position of the key's entry, or the slot where it belongs (0 when there are no slots).
    fn find(&self, key: &Str) -> Result<usize, usize> {
        let slots = self.slots.get() as usize;
        if slots == 0 {
            return Err(0);
        }
        let mut slot = key.hash() as usize & (slots - 1);
        loop {
            // SAFETY: `slot` is below `slots`. A quarter of the slots is empty, so the loop ends.
            let found = unsafe { self.index.get().add(slot).read() } as usize;
            let Some(at) = found.checked_sub(1) else {
                return Err(slot);
            };
            if let Some((k, _)) = self.entry(at)
                && k.as_str().is_some_and(|k| k.same(key))
            {
                return Ok(at);
            }
            slot = (slot + 1) & (slots - 1);
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &Str) -> Option<Value> {
        let at = self.find(key).ok()?;
        self.entry(at).map(|(_, value)| value)
    }

    /// Sets the value of a key. `false` when it had one and `replace` is false.
    ///
    /// # Errors
    /// Out of memory; the dictionary is unchanged.
    pub fn insert(&self, heap: &Heap, key: &Str, value: Value, replace: bool) -> Res<bool> {
        let mut slot = match self.find(key) {
            Ok(at) => {
                if replace {
                    // SAFETY: `at` is below `len`; no reference to entries exists.
                    unsafe { (*self.entries.get().add(at)).value = value };
                }
                return Ok(replace);
            }
            Err(slot) => slot,
        };
        if (self.len() + 1) * 4 > self.slots.get() as usize * 3 {
            self.grow(heap)?;
            slot = self.find(key).err().unwrap_or(0);
        }
        let at = self.len.get();
        let key = key.value();
        // SAFETY: there is room for three quarters of `slots` entries, and `at` is below; `slot` is
        // an empty slot that `find` gave.
        unsafe {
            self.entries
                .get()
                .add(at as usize)
                .write(Entry { key, value });
            self.index.get().add(slot).write(at + 1);
        }
        self.len.set(at + 1);
        Ok(true)
    }

    /// Doubles the slots.
    fn grow(&self, heap: &Heap) -> Res<()> {
        let slots = (self.slots.get().max(4)).checked_mul(2);
        let slots = slots.ok_or_else(|| heap.exhausted())?;
        let (entries, _) = heap.buffer(u64::from(slots) / 4 * 3 * size_of::<Entry>() as u64)?;
        let (index, _) = match heap.buffer(u64::from(slots) * 4) {
            Ok(found) => found,
            Err(thrown) => {
                // SAFETY: nobody has seen this buffer.
                unsafe { heap.release_buffer(entries) };
                return Err(thrown);
            }
        };
        let (entries, index) = (entries.cast::<Entry>(), index.cast::<u32>());
        let (old_entries, old_index) = (self.entries.get(), self.index.get());
        // SAFETY: `len` entries lie at the old place, the new one is larger and another. The index
        // gets its `slots` zeros before it is read. The old buffers belong to this dictionary
        // alone and are not used again.
        unsafe {
            index.write_bytes(0, slots as usize);
            if !old_entries.is_null() {
                entries.copy_from_nonoverlapping(old_entries, self.len());
                heap.release_buffer(old_entries.cast());
                heap.release_buffer(old_index.cast());
            }
        }
        self.entries.set(entries);
        self.index.set(index);
        self.slots.set(slots);
        for at in 0..self.len() {
            let Some((key, _)) = self.entry(at) else {
                continue;
            };
            let hash = key.as_str().map_or(0, Str::hash);
            let mut slot = hash as usize & (slots as usize - 1);
            // SAFETY: `slot` is below `slots`; a quarter of them stays empty.
            unsafe {
                while index.add(slot).read() != 0 {
                    slot = (slot + 1) & (slots as usize - 1);
                }
                index.add(slot).write(at as u32 + 1);
            }
        }
        Ok(())
    }
}
