//! Placing objects and buffers, and the heap of a thread.
#![allow(
    unsafe_code,
    reason = "writes fresh memory, keeps the heap behind a raw pointer"
)]

use std::sync::atomic::Ordering::Relaxed;

use asr_abi::Thread;

use super::{Heap, Kind, Layout, Object};
use crate::error::Res;
use crate::word::Value;

/// Bytes of the header before a buffer's payload.
const HEAD: u64 = size_of::<Object>() as u64;

// SAFETY: all addresses in it are those of its own arena and of constants, which do not change
// (invariant 3 of the module), but `user`, `outer` and `window`, which are empty while nobody has
// entered it; who has entered it borrows the isolate and gives it to nobody. Its healer's headers
// are reached by other threads through atomics only.
unsafe impl Send for Heap {}

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

    /// A word that was a value of this heap when it was put aside.
    pub(crate) fn kept(&self, word: u64) -> Value {
        // SAFETY: whoever puts words aside (tasks, channels) puts values of the heap of those who
        // take them; objects are not freed before their heap.
        unsafe { Value::from_word(word) }
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
        // SAFETY: the word is that of a boxed heap that this thread has entered (`enter`), and that
        // is freed only after it was left.
        let heap = unsafe { &*heap };
        debug_assert!(heap.is_used_by(th), "an isolate on two threads");
        heap
    }

    /// Makes it the heap of the thread; answers the earlier one.
    ///
    /// # Safety
    /// `heap` is alive until [`Heap::leave`], and no other thread uses it in between.
    pub(crate) unsafe fn enter(th: &Thread, heap: *const Heap) {
        // SAFETY: the caller's promise.
        let this = unsafe { &*heap };
        let before = this.user.swap(std::ptr::from_ref(th).cast_mut(), Relaxed);
        debug_assert!(before.is_null(), "an isolate on two threads");
        let outer = th.isolate.replace(heap.cast_mut().cast());
        this.outer.set(outer.cast::<Heap>());
        this.swap_window(th);
    }

    /// Ends [`Heap::enter`]; the thread has the earlier heap again.
    pub(crate) fn leave(&self, th: &Thread) {
        debug_assert!(self.is_used_by(th), "an isolate on two threads");
        let outer = self.outer.replace(std::ptr::null());
        th.isolate.set(outer.cast_mut().cast());
        self.swap_window(th);
        self.user.store(std::ptr::null_mut(), Relaxed);
    }

    /// Makes the healer let go of all records, which are dead then. `false` when a handler asks,
    /// which cannot wait for other handlers.
    pub(crate) fn retire_records(&self) -> bool {
        if self.records() == 0 {
            return true;
        }
        let records = self
            .objects()
            .filter(|object| object.kind() == Kind::Record);
        let records = records.filter_map(|object| Value::object(object).as_record());
        records.fold(true, |all, record| {
            // SAFETY: alive; whoever frees the heap owns it, so nobody reports a record now.
            let retired = unsafe { asr_heal::retire(record.heal_ptr()) };
            all && retired != Err(asr_heal::RetireError::Busy)
        })
    }

    /// Calls `run` with the innermost of the heaps entered by the thread in which the function may
    /// run, and makes it the thread's meanwhile; `None` if there is none.
    pub(crate) fn of_function<R>(
        th: &Thread,
        function: Value,
        run: impl FnOnce(&Heap) -> R,
    ) -> Option<R> {
        let top = th.isolate.get();
        let mut passed = Vec::new();
        let mut at = top.cast::<Heap>().cast_const();
        // SAFETY: heaps that this thread has entered and not left: alive.
        while let Some(heap) = unsafe { at.as_ref() } {
            if !heap.may_run(function) {
                passed.push(heap);
                at = heap.outer.get();
                continue;
            }
            passed.iter().for_each(|inner| inner.swap_window(th));
            th.isolate.set(at.cast_mut().cast());
            let result = run(heap);
            th.isolate.set(top);
            passed.iter().rev().for_each(|inner| inner.swap_window(th));
            return Some(result);
        }
        None
    }

    fn swap_window(&self, th: &Thread) {
        let [start, end] = self.window.get();
        let before = [th.alloc_ptr.replace(start), th.alloc_end.replace(end)];
        self.window.set(before);
    }

    fn is_used_by(&self, th: &Thread) -> bool {
        std::ptr::eq(self.user.load(Relaxed), th)
    }

    /// Gives the thread a fresh heap. An earlier one is forgotten, but not freed.
    pub fn attach(th: &Thread, limit: u64) -> &Heap {
        let Some(heap) = Heap::new(limit) else {
            eprintln!("runtime error: there is no memory for a heap");
            std::process::exit(1);
        };
        th.isolate.set(std::ptr::null_mut());
        let heap = Box::into_raw(Box::new(heap));
        // SAFETY: leaked just now; freed by `detach` alone.
        unsafe {
            Heap::enter(th, heap);
            &*heap
        }
    }

    /// Frees the heap of the thread.
    ///
    /// # Safety
    /// No value of it is used again, by nobody: globals of compiled units, registered handlers.
    pub unsafe fn detach(th: &Thread) {
        let heap = th.isolate.replace(std::ptr::null_mut()).cast::<Heap>();
        if !heap.is_null() {
            // SAFETY: boxed by `attach`; the caller promises that nothing refers to it.
            let heap = unsafe { Box::from_raw(heap) };
            th.isolate.set(heap.outer.get().cast_mut().cast());
        }
    }
}
