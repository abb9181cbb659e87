//! Functions of the program and of the library.

use super::{Kind, Layout, Object};
use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

/// Bit of the arity in the row that makes functions: the code uses no variables of its module that
/// change, nor anything that is reached through them, so any isolate may run it.
pub const PORTABLE: u32 = 1 << 31;

/// A function of the program.
#[repr(C)]
pub struct Function {
    header: Object,
    code: *const u8,
    name: Value,
    arity: u32,
    captured: u32,
}

/// Offset of the words that a function captured, behind its fields.
pub const CAPTURED_OFFSET: usize = size_of::<Function>();

const _: () = assert!(CAPTURED_OFFSET == 48);

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
        // SAFETY: forwarded.
        unsafe { Function::closure(heap, code, arity, name, &[]) }
    }

    /// A function with what it captured. The arity may have the bit [`PORTABLE`].
    ///
    /// # Errors
    /// Out of memory.
    ///
    /// # Safety
    /// As for [`Function::make`].
    pub unsafe fn closure(
        heap: &Heap,
        code: *const u8,
        arity: u32,
        name: &[u8],
        captured: &[Value],
    ) -> Res {
        let name = heap.string(name)?;
        let (portable, arity) = (arity & PORTABLE, arity & !PORTABLE);
        let count = u32::try_from(captured.len()).map_err(|_| heap.exhausted())?;
        let bytes = CAPTURED_OFFSET as u64 + 8 * u64::from(count);
        let (place, header) = heap.raw(Kind::Function, bytes)?;
        header.set_flags(portable);
        // SAFETY: fresh memory for the fields and the words behind them.
        unsafe {
            place.cast::<Function>().write(Function {
                header,
                code,
                name,
                arity,
                captured: count,
            });
            let words = place.add(CAPTURED_OFFSET).cast::<Value>();
            words.copy_from_nonoverlapping(captured.as_ptr(), captured.len());
            Ok(Value::object(&*place.cast::<Object>()))
        }
    }

    /// The values that it captured, and the boxes.
    pub fn captured(&self) -> &[Value] {
        let this: *const Function = self;
        // SAFETY: `closure` wrote so many words behind the fields, and nobody changes them; the
        // references to objects are made of addresses that have the provenance of the heap.
        unsafe {
            let this = core::ptr::with_exposed_provenance::<u8>(this.addr());
            let words = this.add(CAPTURED_OFFSET).cast();
            std::slice::from_raw_parts(words, self.captured as usize)
        }
    }

    /// Whether both are one function with the same captured variables.
    pub fn same(&self, other: &Function) -> bool {
        self.code == other.code && self.captured() == other.captured()
    }

    /// Whether any isolate may run its code.
    pub fn is_portable(&self) -> bool {
        self.header.flags() & PORTABLE != 0
    }

    /// Gives it what it captured. To be done before anybody else knows the function.
    pub(crate) fn set_captured(&self, at: usize, value: Value) {
        if at < self.captured as usize {
            let this: *const Function = self;
            // SAFETY: one of the words behind the fields; nobody has a reference to them yet.
            unsafe {
                let this = core::ptr::with_exposed_provenance_mut::<u8>(this.addr());
                let words = this.add(CAPTURED_OFFSET).cast::<Value>();
                words.add(at).write(value);
            }
        }
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
