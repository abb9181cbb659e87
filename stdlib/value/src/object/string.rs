//! Strings: immutable bytes.
//!
//! A short string holds its bytes itself. A long one that was made by joining refers to a text
//! buffer with room behind its end: joining again to the string that ends where the buffer's used
//! part ends only writes what is new. Bytes below `used` never change, so older strings that share
//! the buffer stay as they are, and building a text piece by piece costs linear time and memory.

use std::cell::Cell;
use std::mem::offset_of;
use std::sync::OnceLock;

use super::{Kind, Layout, Object};
use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

/// A string. `data` points to `len` bytes, inside of the object or of the buffer `text`.
#[repr(C)]
pub struct Str {
    header: Object,
    len: u32,
    /// The hash, or 0 when it was not asked for yet.
    hash: Cell<u32>,
    data: *const u8,
    /// The text buffer, or null.
    text: *const Text,
}

/// The beginning of a text buffer; the bytes follow.
#[repr(C)]
struct Text {
    /// Bytes that belong to some string.
    used: Cell<u64>,
    /// Bytes that there is room for.
    room: u64,
}

/// Where the bytes of a string begin that holds them itself.
const INLINE: u64 = offset_of!(Str, text) as u64 + 8;

/// From this length on, joining makes a text buffer.
const LONG: usize = 128;

// SAFETY: `repr(C)`, begins with the header; `make` and `make_view` alone make this kind.
unsafe impl Layout for Str {
    const KIND: Kind = Kind::Str;
}

impl Str {
    /// The value that refers to it.
    pub fn value(&self) -> Value {
        Value::object(&self.header)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `data` points to `len` bytes that nobody changes while the heap lives.
        unsafe { std::slice::from_raw_parts(self.data, self.len()) }
    }

    /// The bytes as text; bytes that are no text become the replacement character.
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// A hash of the content, not 0, the same for equal strings of this process.
    pub fn hash(&self) -> u32 {
        if self.hash.get() == 0 {
            self.hash.set(hash_of(self.bytes()));
        }
        self.hash.get()
    }

    /// Whether both have the same bytes.
    pub fn same(&self, other: &Str) -> bool {
        std::ptr::eq(self, other)
            || self.len == other.len
                && (self.hash.get() == other.hash.get()
                    || self.hash.get() == 0
                    || other.hash.get() == 0)
                && self.bytes() == other.bytes()
    }
}

/// Hash of bytes: folded multiplication, seeded per process against chosen collisions.
pub(crate) fn hash_of(bytes: &[u8]) -> u32 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(0u64)
    });
    let fold = |a: u64, b: u64| {
        let product = u128::from(a ^ 0x9E37_79B9_7F4A_7C15) * u128::from(b | 1);
        (product >> 64) as u64 ^ product as u64
    };
    let mut h = fold(seed, bytes.len() as u64 ^ 0xA076_1D64_78BD_642F);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        h = fold(h ^ u64::from_le_bytes(word), seed ^ 0xE703_7ED1_A0B4_28DB);
    }
    let mut word = [0; 8];
    let rest = chunks.remainder();
    word[..rest.len()].copy_from_slice(rest);
    h = fold(h ^ u64::from_le_bytes(word), seed ^ 0x8EBC_6AF0_9C88_C6E3);
    ((h >> 32) as u32 ^ h as u32).max(1)
}

/// A string that holds these pieces itself.
pub(crate) fn make(heap: &Heap, a: &[u8], b: &[u8]) -> Res {
    let total = a.len() as u64 + b.len() as u64;
    let len = u32::try_from(total).map_err(|_| heap.exhausted())?;
    let bytes = (INLINE + total).max(size_of::<Str>() as u64);
    let (object, header) = heap.raw(Kind::Str, bytes)?;
    // SAFETY: fresh memory of at least `INLINE + total` bytes and of the size of `Str`. The struct
    // is written before the bytes, which begin in its padding.
    unsafe {
        let data = object.add(INLINE as usize);
        object.cast::<Str>().write(Str {
            header,
            len,
            hash: Cell::new(0),
            data,
            text: std::ptr::null(),
        });
        data.copy_from_nonoverlapping(a.as_ptr(), a.len());
        data.add(a.len())
            .copy_from_nonoverlapping(b.as_ptr(), b.len());
        Ok(Value::object(&*object.cast::<Object>()))
    }
}

/// A string of `len` bytes that `fill` writes; it gets them zeroed.
pub(crate) fn build(heap: &Heap, len: usize, fill: impl FnOnce(&mut [u8])) -> Res {
    let len = u32::try_from(len).map_err(|_| heap.exhausted())?;
    let bytes = (INLINE + u64::from(len)).max(size_of::<Str>() as u64);
    let (object, header) = heap.raw(Kind::Str, bytes)?;
    // SAFETY: fresh memory of at least `INLINE + len` bytes and of the size of `Str`. The struct is
    // written before the bytes; the slice ends before anybody else knows the string.
    unsafe {
        let data = object.add(INLINE as usize);
        object.cast::<Str>().write(Str {
            header,
            len,
            hash: Cell::new(0),
            data,
            text: std::ptr::null(),
        });
        data.write_bytes(0, len as usize);
        fill(std::slice::from_raw_parts_mut(data, len as usize));
        Ok(Value::object(&*object.cast::<Object>()))
    }
}

fn make_view(heap: &Heap, data: *const u8, len: u32, text: *const Text) -> Res {
    heap.place(Kind::Str, |header| Str {
        header,
        len,
        hash: Cell::new(0),
        data,
        text,
    })
}

/// Both strings joined.
pub(crate) fn join(heap: &Heap, a: &Str, b: &[u8]) -> Res {
    let total = a.len() + b.len();
    if total < LONG {
        return make(heap, a.bytes(), b);
    }
    let len = u32::try_from(total).map_err(|_| heap.exhausted())?;
    // SAFETY: `text` is null or the buffer that `data` lies in, alive with the heap. What is
    // written lies beyond `used` and within `room`: no string has these bytes, so no slice does.
    unsafe {
        if let Some(text) = a.text.as_ref() {
            let start = a.text.add(1).cast::<u8>();
            let end = a.data.add(a.len());
            let used = text.used.get();
            if end == start.add(used as usize) && text.room - used >= b.len() as u64 {
                let string = make_view(heap, a.data, len, text)?;
                end.cast_mut().copy_from_nonoverlapping(b.as_ptr(), b.len());
                text.used.set(used + b.len() as u64);
                return Ok(string);
            }
        }
        let head = size_of::<Text>();
        let (buffer, bytes) = match heap.buffer((head + total * 2) as u64) {
            Ok(found) => found,
            Err(_) => return make(heap, a.bytes(), b),
        };
        buffer.cast::<Text>().write(Text {
            used: Cell::new(total as u64),
            room: bytes - head as u64,
        });
        let start = buffer.add(head);
        start.copy_from_nonoverlapping(a.bytes().as_ptr(), a.len());
        start
            .add(a.len())
            .copy_from_nonoverlapping(b.as_ptr(), b.len());
        make_view(heap, start, len, buffer.cast())
    }
}
