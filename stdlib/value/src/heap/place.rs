//! Placing objects and buffers, and the heap of a thread.
#![allow(
    unsafe_code,
    reason = "writes fresh memory, keeps the heap behind a raw pointer"
)]

use asr_abi::Thread;

use super::{Heap, Kind, Layout, Object};
use crate::error::Res;
use crate::word::Value;

/// Bytes of the header before a buffer's payload.
const HEAD: u64 = size_of::<Object>() as u64;

impl Heap {
    /// Places an object of a fixed layout.
    pub(crate) fn place<T: Layout>(&self, kind: Kind, make: impl FnOnce(Object) -> T) -> Res {
        debug_assert!(kind == T::KIND && align_of::<T>() == 16);
        let (place, header) = self.raw(T::KIND, size_of::<T>() as u64)?;
        // SAFETY: fresh memory of the size and alignment of `T`, which begins with an `Object`.
        unsafe {
            place.cast::<T>().write(make(header));
            Ok(Value::object(&*place.cast::<Object>()))
        }
    }

    /// A buffer with room for `bytes` bytes: its payload, not initialized, and how many there are.
    pub(crate) fn buffer(&self, bytes: u64) -> Res<(*mut u8, u64)> {
        let size = bytes
            .checked_add(HEAD)
            .and_then(u64::checked_next_power_of_two);
        let size = size.ok_or_else(|| self.exhausted())?.max(32);
        let class = &self.free[size.trailing_zeros() as usize];
        let free = class.get();
        if !free.is_null() {
            // SAFETY: `release_buffer` put the buffer here and wrote the link into its payload.
            class.set(unsafe { free.cast::<*mut u8>().read() });
            return Ok((free, size - HEAD));
        }
        let (place, header) = self.raw(Kind::Buffer, size)?;
        // SAFETY: fresh memory of `size` bytes, at least 32.
        let payload = unsafe {
            place.cast::<Object>().write(header);
            place.add(HEAD as usize)
        };
        Ok((payload, size - HEAD))
    }

    /// Takes a buffer back.
    ///
    /// # Safety
    /// `payload` came from [`Heap::buffer`] of any heap and is not used again.
    pub(crate) unsafe fn release_buffer(&self, payload: *mut u8) {
        // SAFETY: the header lies before the payload, which has at least 16 bytes.
        unsafe {
            let header = payload.sub(HEAD as usize).cast::<Object>();
            let class = &self.free[(*header).size().trailing_zeros() as usize];
            payload.cast::<*mut u8>().write(class.get());
            class.set(payload);
        }
    }

    /// All objects and buffers, those that wait for another use among them, in the order of their
    /// addresses: what a collector that does not move anything walks.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= self.used() {
                return None;
            }
            // SAFETY: `at` is the end of the object before, and below `used`: the header of the
            // next one stands here (invariant 1), initialized by whoever took the memory.
            let object = unsafe { &*self.arena.base().add(at as usize).cast::<Object>() };
            at += object.size();
            Some(object)
        })
    }

    /// The heap of the thread, made now with the limit of the environment if it has none.
    ///
    /// Ends the process (exit code 1) when there is no memory even for the smallest heap.
    pub fn of(th: &Thread) -> &Heap {
        let heap = th.isolate.get().cast::<Heap>();
        if heap.is_null() {
            return Heap::attach(th, Heap::limit_of_environment());
        }
        // SAFETY: `attach` alone sets the word, to a boxed heap that `detach` frees.
        unsafe { &*heap }
    }

    /// Gives the thread a fresh heap. An earlier one is forgotten, but not freed.
    pub fn attach(th: &Thread, limit: u64) -> &Heap {
        let Some(heap) = Heap::new(limit) else {
            eprintln!("runtime error: there is no memory for a heap");
            std::process::exit(1);
        };
        let heap = Box::into_raw(Box::new(heap));
        th.isolate.set(heap.cast());
        // SAFETY: leaked just now; freed by `detach` alone.
        unsafe { &*heap }
    }

    /// Frees the heap of the thread.
    ///
    /// # Safety
    /// No value of it is used again, by nobody: globals of compiled units, registered handlers.
    pub unsafe fn detach(th: &Thread) {
        let heap = th.isolate.replace(std::ptr::null_mut()).cast::<Heap>();
        if !heap.is_null() {
            // SAFETY: boxed by `attach`; the caller promises that nothing refers to it.
            drop(unsafe { Box::from_raw(heap) });
        }
    }
}
