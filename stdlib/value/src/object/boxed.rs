//! Boxes: variables that several functions share.

use std::cell::Cell;
use std::mem::offset_of;

use super::{Kind, Layout, Object};
use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

/// A box. Compiled code reads and writes it inline.
#[repr(C)]
pub struct Boxed {
    header: Object,
    value: Cell<Value>,
    reserved: u64,
}

/// Offset of what is in it, a value word.
pub const VALUE_OFFSET: usize = offset_of!(Boxed, value);

const _: () = assert!(VALUE_OFFSET == 16);

// SAFETY: `repr(C)`, begins with the header; `Boxed::make` alone makes this kind.
unsafe impl Layout for Boxed {
    const KIND: Kind = Kind::Box;
}

impl Boxed {
    /// A box that holds `value`.
    ///
    /// # Errors
    /// Out of memory.
    pub fn make(heap: &Heap, value: Value) -> Res {
        heap.place(Kind::Box, |header| Boxed {
            header,
            value: Cell::new(value),
            reserved: 0,
        })
    }

    /// What is in it.
    pub fn get(&self) -> Value {
        self.value.get()
    }

    /// Replaces what is in it.
    pub fn set(&self, value: Value) {
        self.value.set(value);
    }
}
