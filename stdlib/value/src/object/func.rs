//! Functions of the program and of the library.

use super::{Kind, Layout, Object};
use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

/// A function of the program.
#[repr(C)]
pub struct Function {
    header: Object,
    code: *const u8,
    name: Value,
    arity: u32,
    reserved: u32,
}

// SAFETY: `repr(C)`, begins with the header; `Function::make` alone makes this kind.
unsafe impl Layout for Function {
    const KIND: Kind = Kind::Function;
}

impl Function {
    /// A function whose code has the signature `(self: value, args...) -> value throws`.
    ///
    /// # Errors
    /// Out of memory.
    ///
    /// # Safety
    /// `code` is such a function for as long as the value may be called.
    pub unsafe fn make(heap: &Heap, code: *const u8, arity: u32, name: &[u8]) -> Res {
        let name = heap.string(name)?;
        heap.place(Kind::Function, |header| Function {
            header,
            code,
            name,
            arity,
            reserved: 0,
        })
    }

    /// Its code.
    pub fn code(&self) -> *const u8 {
        self.code
    }

    /// Number of its parameters.
    pub fn arity(&self) -> u32 {
        self.arity
    }

    /// Its name; empty when it has none.
    pub fn name(&self) -> &[u8] {
        self.name.as_str().map_or(b"", |name| name.bytes())
    }
}

/// A function of the library.
#[repr(C)]
pub struct Native {
    header: Object,
    id: u64,
    reserved: u64,
}

// SAFETY: `repr(C)`, begins with the header; `Native::make` alone makes this kind.
unsafe impl Layout for Native {
    const KIND: Kind = Kind::Native;
}

impl Native {
    /// The native of this number.
    ///
    /// # Errors
    /// Out of memory.
    pub fn make(heap: &Heap, id: u32) -> Res {
        heap.place(Kind::Native, |header| Native {
            header,
            id: id.into(),
            reserved: 0,
        })
    }

    /// Its number in the table of natives.
    pub fn id(&self) -> u32 {
        self.id as u32
    }
}
