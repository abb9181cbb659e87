//! Objects of the heap: a common header and one layout per kind.
//!
//! Every object begins with a 16-byte [`Object`] header, so that a collector can walk the arena.
//! All fields that change are cells: objects are reached by shared references only, and a heap
//! belongs to one thread. The fields that hold addresses are private to this module.
#![allow(
    unsafe_code,
    reason = "casts objects to their kinds and reads raw buffers"
)]

use std::cell::Cell;
use std::mem::offset_of;

use crate::word::Value;

mod boxed;
mod cast;
mod dict;
mod func;
mod list;
mod record;
mod resource;
mod string;

pub use boxed::{Boxed, VALUE_OFFSET as BOX_VALUE_OFFSET};
pub use dict::Dict;
pub use func::{CAPTURED_OFFSET, Function, Native, PORTABLE};
pub(crate) use list::index_of;
pub use list::{List, list_layout};
pub use record::Record;
pub(crate) use resource::Held;
pub use string::Str;
pub(crate) use string::{build as build_string, join, make as make_string};

/// Kinds of objects; numbers are part of the layout that compiled code tests.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Raw memory of another object: elements, entries, text.
    Buffer = 1,
    /// Immutable bytes.
    Str = 2,
    /// A list.
    List = 3,
    /// A dictionary.
    Dict = 4,
    /// A function of the program.
    Function = 5,
    /// A function of the library.
    Native = 6,
    /// A repairable record.
    Record = 7,
    /// A variable that several functions share; no value of the program.
    Box = 8,
    /// What the program holds and the runtime uses.
    Resource = 9,
}

/// The header of every object.
#[repr(C, align(16))]
#[derive(Debug)]
pub struct Object {
    kind: Kind,
    flags: Cell<u32>,
    /// Bytes of the object with its header, a multiple of 16.
    size: u64,
}

const _: () = {
    assert!(offset_of!(Object, kind) == 0 && offset_of!(Object, flags) == 4);
    assert!(offset_of!(Object, size) == 8 && size_of::<Object>() == 16);
};

impl Object {
    /// A header.
    pub(crate) const fn new(kind: Kind, size: u64) -> Object {
        Object {
            kind,
            flags: Cell::new(0),
            size,
        }
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The flags: [`PORTABLE`] of a function; the other bits are a mark of whoever walks the heap,
    /// 0 when nobody does. Those of shared objects do not change.
    pub(crate) fn flags(&self) -> u32 {
        self.flags.get()
    }

    pub(crate) fn set_flags(&self, flags: u32) {
        self.flags.set(flags);
    }

    /// Bytes of the object with its header.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// A kind's layout.
///
/// # Safety
/// The type is `repr(C)` and begins with an [`Object`], which has this kind exactly when the
/// object has the type's layout.
pub(crate) unsafe trait Layout {
    /// Its kind.
    const KIND: Kind;
}

impl Value {
    /// The header of the object, if it is one. The reference lives as long as the heap.
    pub(crate) fn header<'h>(self) -> Option<&'h Object> {
        let address = self.address()?;
        // SAFETY: `Value::from_word` and `Value::object` promise a live object of a heap; objects
        // do not move and are only read through shared references.
        unsafe { core::ptr::with_exposed_provenance::<Object>(address).as_ref() }
    }

    /// The kind of the object, if it is one.
    pub fn kind(self) -> Option<Kind> {
        Some(self.header()?.kind)
    }
}
