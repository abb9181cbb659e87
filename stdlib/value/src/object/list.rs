//! Lists.

use std::cell::Cell;
use std::mem::offset_of;

use super::{Kind, Layout, Object};
use crate::error::{Res, message};
use crate::heap::Heap;
use crate::word::Value;

/// A list. `items` points to `capacity` words, of which the first `len` are values.
#[repr(C)]
pub struct List {
    header: Object,
    len: Cell<u64>,
    items: Cell<*mut Value>,
    capacity: Cell<u64>,
    reserved: u64,
}

/// What compiled code that reads and writes elements inline relies on.
pub mod list_layout {
    use super::{List, offset_of};

    /// Offset of the kind, a `u32`.
    pub const KIND_OFFSET: usize = 0;
    /// The kind of a list.
    pub const KIND: u32 = super::Kind::List as u32;
    /// Offset of the number of elements, a `u64`.
    pub const LEN_OFFSET: usize = offset_of!(List, len);
    /// Offset of the address of the elements, value words.
    pub const ITEMS_OFFSET: usize = offset_of!(List, items);

    const _: () = assert!(LEN_OFFSET == 16 && ITEMS_OFFSET == 24);
}

// SAFETY: `repr(C)`, begins with the header; `List::make` alone makes this kind.
unsafe impl Layout for List {
    const KIND: Kind = Kind::List;
}

impl List {
    /// An empty list with room for some elements.
    ///
    /// # Errors
    /// Out of memory.
    pub fn make(heap: &Heap, capacity: u64) -> Res {
        let value = heap.place(Kind::List, |header| List {
            header,
            len: Cell::new(0),
            items: Cell::new(core::ptr::null_mut()),
            capacity: Cell::new(0),
            reserved: 0,
        })?;
        if let Some(list) = value.as_list().filter(|_| capacity > 0) {
            list.grow(heap, capacity)?;
        }
        Ok(value)
    }

    /// A list of these values.
    ///
    /// # Errors
    /// Out of memory.
    pub fn of(heap: &Heap, values: &[Value]) -> Res {
        let value = List::make(heap, values.len() as u64)?;
        if let Some(list) = value.as_list() {
            for v in values {
                list.push(heap, *v)?;
            }
        }
        Ok(value)
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len.get() as usize
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An element.
    pub fn get(&self, at: usize) -> Option<Value> {
        if at >= self.len() {
            return None;
        }
        // SAFETY: below `len`, so within `items` and initialized.
        Some(unsafe { self.items.get().add(at).read() })
    }

    /// Replaces an element; `false` when there is none.
    pub fn set(&self, at: usize, v: Value) -> bool {
        if at >= self.len() {
            return false;
        }
        // SAFETY: below `len`, so within `items`, to which no reference exists.
        unsafe { self.items.get().add(at).write(v) };
        true
    }

    /// Appends.
    ///
    /// # Errors
    /// Out of memory; the list is unchanged.
    pub fn push(&self, heap: &Heap, v: Value) -> Res<()> {
        let len = self.len.get();
        if len == self.capacity.get() {
            self.grow(heap, (len * 2).max(4))?;
        }
        // SAFETY: `len` is below the capacity now.
        unsafe { self.items.get().add(len as usize).write(v) };
        self.len.set(len + 1);
        Ok(())
    }

    /// Removes the last element.
    pub fn pop(&self) -> Option<Value> {
        let last = self.get(self.len().checked_sub(1)?)?;
        self.len.set(self.len.get() - 1);
        Some(last)
    }

    /// Moves the elements to a buffer with room for at least `capacity`, which is above the length.
    fn grow(&self, heap: &Heap, capacity: u64) -> Res<()> {
        let bytes = capacity.checked_mul(8).ok_or_else(|| heap.exhausted())?;
        let (items, bytes) = heap.buffer(bytes)?;
        let items = items.cast::<Value>();
        let old = self.items.replace(items);
        // SAFETY: `len` values lie at `old` (none when it is null), the new buffer is larger and
        // another; the old one belongs to this list alone and is not used again.
        unsafe {
            if !old.is_null() {
                items.copy_from_nonoverlapping(old, self.len());
                heap.release_buffer(old.cast());
            }
        }
        self.capacity.set(bytes / 8);
        Ok(())
    }
}

/// The integer that an index is truncated to; `None` when it cannot be one of a list.
pub(crate) fn index_of(i: Value) -> Result<Option<usize>, &'static str> {
    if let Some(n) = i.as_int() {
        return Ok(usize::try_from(n).ok());
    }
    let x = i.as_number().ok_or(message::INDEX_NUMBER)?;
    Ok((x > -1.0 && x < 9e15).then_some(x as usize))
}
