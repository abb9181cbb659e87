//! The ring of a bounded channel.
//!
//! Room is a number of units; the word that holds them also holds the next position, so a send
//! without a permit takes both in one step. A position belongs to whoever took it until he
//! publishes the slot; the receiver takes slots in the order of positions, so the order of
//! positions is that of commits.
//!
//! A slot goes `EMPTY -> FULL -> EMPTY`. The receiver, where it waits, puts `WAITED` into the slot
//! that it wants next: whoever publishes that slot finds it there and wakes him, so neither misses
//! the other (CHN-1). The ring has a slot more than there is room for: the one that nobody can have
//! taken yet, which says `ENDED` when there will be no more messages.
//!
//! The waker stays in the ring from wait to wait: to clone and drop one costs as much as to wake
//! with it. Whoever finds `WAITED` has it on loan, to look at, while he wakes; and that may take
//! long: the system likes to stop who wakes another. So each wait says in the slot which of
//! [`LOANS`] it is, and needs only that one back: the receiver waits again although a sender is
//! still waking it for the last time. All must be back before another waker is put there.
//!
//! A receiver that closes puts `DEAD` into each slot whose position was taken. A sender who
//! publishes such a slot finds it there, and has his message back: what was sent is either counted
//! as undelivered by the receiver or returned to its sender (OBL-8).
#![allow(unsafe_code, reason = "moves messages through shared slots")]

use std::fmt;
use std::mem::MaybeUninit;
use std::task::{Poll, Waker};

use asr_kernel::cx::{Home, Lodging};
use asr_kernel::region::Belongs;
use asr_kernel::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use asr_kernel::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize};
use asr_kernel::sync::{Mutex, lock, rank};

use crate::cell::UnsafeCell;
use crate::error::{Closed, quietly};
use crate::wait::{Taken, Units, Word, spin};

const EMPTY: u8 = 0;
const FULL: u8 = 1;
const ENDED: u8 = 2;
const DEAD: u8 = 3;
/// The receiver waits with its first loan; then come those with the others.
const WAITED: u8 = 4;

/// Senders that may be waking the receiver at once.
const LOANS: usize = 4;
/// The last state of a receiver that waits.
const WAITED_LAST: u8 = WAITED + LOANS as u8 - 1;

struct Slot<T> {
    state: AtomicU8,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// See the module. Used by the two ends only; the receiver's functions have no two callers at once.
pub struct Ring<T> {
    units: Units,
    /// Senders, and permits that outlived theirs.
    senders: AtomicUsize,
    pub(super) number: AtomicU64,
    lodging: Mutex<Option<Lodging>, rank::SyncLodging>,
    capacity: usize,
    slots: Box<[Slot<T>]>,
    /// Whoever finds `WAITED` in a slot has its loan until he clears this. Else it is the
    /// receiver's, who sets this before he puts `WAITED` in.
    lent: [AtomicBool; LOANS],
    /// Written while nothing is lent.
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: a slot's value is touched by whoever took its position until it is published, and by the
// receiver then; the waker as its field says. Values go from thread to thread by value.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Ring<T> {}

/// What a receiver has of the ring.
#[derive(Debug, Default)]
pub struct Cursor {
    /// Positions that were received.
    head: usize,
    /// `WAITED` of this loan may be in the slot at `head`.
    waits: Option<u8>,
    closed: bool,
}

impl<T> Ring<T> {
    /// An empty ring with one sender, that belongs to no region yet.
    pub fn new(capacity: usize) -> Ring<T> {
        let slots = (capacity + 1).next_power_of_two();
        debug_assert!(slots <= Word::POSITIONS / 2);
        Ring {
            units: Units::new(capacity as u32),
            senders: AtomicUsize::new(1),
            number: AtomicU64::new(0),
            lodging: Mutex::new(None),
            capacity,
            slots: (0..slots)
                .map(|_| Slot {
                    state: AtomicU8::new(EMPTY),
                    value: UnsafeCell::new(MaybeUninit::uninit()),
                })
                .collect(),
            lent: std::array::from_fn(|_| AtomicBool::new(false)),
            waker: UnsafeCell::new(None),
        }
    }

    /// Its room, and who waits for it.
    #[inline]
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Belongs to another region from here on. The place before, to be dropped.
    pub(super) fn lodge(&self, lodging: Lodging) -> Option<Lodging> {
        lock(&self.lodging).replace(lodging)
    }

    /// The region that it belongs to.
    pub(super) fn home(&self) -> Option<Home> {
        let lodging = lock(&self.lodging);
        lodging.as_ref().map(|lodging| lodging.home().clone())
    }

    /// How many messages it has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    #[inline]
    fn slot(&self, position: usize) -> &Slot<T> {
        // The number of slots is a power of two, so the mask keeps within them.
        &self.slots[position & (self.slots.len() - 1)]
    }

    /// Sends without having reserved.
    ///
    /// # Errors
    /// The message, if there is no room (`Ok`) or the channel is closed (`Err`).
    #[inline]
    pub fn try_send(&self, value: T) -> Result<Option<T>, Closed<T>> {
        match self.units.try_take_position() {
            Taken::Done(before) => self.publish(before.position(), value).map(|()| None),
            Taken::Short => Ok(Some(value)),
            Taken::Closed => Err(Closed(value)),
        }
    }

    /// Sends for somebody who has a unit, which goes with the message.
    ///
    /// # Errors
    /// The message if the channel is closed; the unit is given back.
    #[inline]
    pub fn send_reserved(&self, value: T) -> Result<(), Closed<T>> {
        match self.units.step() {
            Some(before) => self.publish(before.position(), value),
            None => {
                self.units.give(1);
                Err(Closed(value))
            }
        }
    }

    /// Fills the slot of a position that the caller took.
    #[inline]
    pub(super) fn publish(&self, position: usize, value: T) -> Result<(), Closed<T>> {
        let slot = self.slot(position);
        // SAFETY: the position is the caller's, and its unit says that the slot is empty.
        slot.value.with_mut(|cell| unsafe { (*cell).write(value) });
        // AcqRel: Release publishes the value; Acquire has the receiver's waker, or its `DEAD`.
        match slot.state.swap(FULL, AcqRel) {
            EMPTY => Ok(()),
            waited @ WAITED..=WAITED_LAST => {
                self.wake_receiver(waited);
                Ok(())
            }
            _ => {
                // SAFETY: the receiver is done with the slot: the value is still the caller's.
                let value = slot
                    .value
                    .with(|cell| unsafe { (*cell).assume_init_read() });
                // Release: nothing is behind it any more.
                slot.state.store(DEAD, Release);
                Err(Closed(value))
            }
        }
    }

    /// The caller found `waited`.
    #[cold]
    fn wake_receiver(&self, waited: u8) {
        /// Clears the flag, also if the waker panics. Release: the receiver may write the waker.
        struct Back<'r>(&'r AtomicBool);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.store(false, Release);
            }
        }
        let _back = Back(&self.lent[usize::from(waited - WAITED)]);
        self.waker.with(|waker| {
            // SAFETY: `WAITED` was put in after the waker and taken out by the caller; nobody
            // writes the waker before the loan is back.
            if let Some(waker) = unsafe { &*waker } {
                waker.wake_by_ref();
            }
        });
    }

    /// A loan that is back.
    fn loan(&self) -> Option<u8> {
        let back = |loan: &u8| !self.lent[usize::from(*loan)].load(Acquire);
        (0..LOANS as u8).find(back)
    }

    /// All are back: the waker is the receiver's. Acquire pairs with the Release of
    /// `wake_receiver`.
    fn all_back(&self) -> bool {
        self.lent.iter().all(|lent| !lent.load(Acquire))
    }

    /// One more sender.
    pub fn retain(&self) {
        // Relaxed: made from one that is there.
        self.senders.fetch_add(1, Relaxed);
    }

    /// One sender less; the last ends the channel.
    pub fn release(&self) {
        // AcqRel: the last one sees what the others sent, and its end comes after.
        if self.senders.fetch_sub(1, AcqRel) == 1 {
            self.end();
        }
    }

    /// No more messages: waiting senders are told, the receiver once it has had what was sent.
    pub fn end(&self) {
        // The receiver first: a waker of somebody else may panic. AcqRel: as in `publish`.
        self.units.close_and(|before| {
            let ended = || self.slot(before.position()).state.swap(ENDED, AcqRel);
            if !before.is_closed()
                && let found @ WAITED..=WAITED_LAST = ended()
            {
                self.wake_receiver(found);
            }
        });
    }

    /// The next message, if one is there; `Err` if none will come. Its unit is the caller's.
    ///
    /// # Errors
    /// `Closed`.
    #[inline]
    pub fn try_recv(&self, cursor: &mut Cursor) -> Result<Option<T>, Closed> {
        if cursor.closed {
            return Err(Closed(()));
        }
        let slot = self.slot(cursor.head);
        // Acquire pairs with the Release of `publish`.
        match slot.state.load(Acquire) {
            FULL => {
                // SAFETY: published, and taken once: the state goes back below.
                let value = slot
                    .value
                    .with(|cell| unsafe { (*cell).assume_init_read() });
                // Relaxed: the unit that is given back publishes it to the next user of the slot.
                slot.state.store(EMPTY, Relaxed);
                cursor.head = cursor.head.wrapping_add(1);
                Ok(Some(value))
            }
            ENDED => Err(Closed(())),
            _ => Ok(None),
        }
    }

    /// The same, or `waker` is woken when there is something to see.
    pub fn poll_recv(&self, cursor: &mut Cursor, waker: &Waker) -> Poll<Result<T, Closed>> {
        loop {
            if let Some(received) = self.try_recv(cursor).transpose() {
                cursor.waits = None;
                return Poll::Ready(received);
            }
            if cursor.waits.is_some() && !self.take_back(cursor) {
                continue;
            }
            // SAFETY: only the receiver writes it.
            let kept = self.waker.with(|own| unsafe { (*own).as_ref() });
            let same = kept.is_some_and(|kept| kept.will_wake(waker));
            if !spin(|| same && self.loan().is_some() || self.all_back()) {
                // Those who found `WAITED` were stopped before they had woken it.
                waker.wake_by_ref();
                return Poll::Pending;
            }
            if !same {
                let fresh = Some(waker.clone());
                // SAFETY: nothing is lent.
                let before = self
                    .waker
                    .with_mut(|own| unsafe { std::mem::replace(&mut *own, fresh) });
                drop(before);
            }
            // It was back above, and only the receiver lends.
            let Some(loan) = self.loan() else { continue };
            let lent = &self.lent[usize::from(loan)];
            // Relaxed: published with `WAITED`.
            lent.store(true, Relaxed);
            // Release publishes the waker to who finds `WAITED`; Acquire is for what came instead.
            let slot = self.slot(cursor.head);
            let waited = WAITED + loan;
            let put = slot.state.compare_exchange(EMPTY, waited, AcqRel, Acquire);
            if put.is_ok() {
                cursor.waits = Some(loan);
                return Poll::Pending;
            }
            lent.store(false, Relaxed);
        }
    }

    /// Takes `WAITED` out again. False if somebody found it, or it was not there.
    fn take_back(&self, cursor: &mut Cursor) -> bool {
        let Some(loan) = cursor.waits.take() else {
            return false;
        };
        let slot = self.slot(cursor.head);
        // Acquire: who found it has what it put there published.
        let waited = WAITED + loan;
        let taken = slot.state.compare_exchange(waited, EMPTY, Acquire, Acquire);
        if taken.is_ok() {
            // Relaxed: nobody else has it.
            self.lent[usize::from(loan)].store(false, Relaxed);
        }
        taken.is_ok()
    }

    /// The receiver waits no more: nothing of it stays, unless somebody is waking it: then its
    /// waker, until the next wait or the end of the ring.
    pub fn leave(&self, cursor: &mut Cursor) {
        if self.take_back(cursor) && self.all_back() {
            // SAFETY: nothing is lent.
            let own = self.waker.with_mut(|own| unsafe { (*own).take() });
            drop(own);
        }
    }

    /// The receiver takes no more. Waiting senders are told; how many messages were dropped.
    pub fn close(&self, cursor: &mut Cursor) -> u64 {
        if std::mem::replace(&mut cursor.closed, true) {
            return 0;
        }
        self.leave(cursor);
        let mut dropped = 0;
        // First: the wakers of senders may panic, which the hook reports.
        let discard = |before: Word| dropped = self.discard(cursor, before.position());
        quietly(|| _ = self.units.close_and(discard));
        dropped
    }

    /// Drops what was sent up to `end`; how many messages that were.
    fn discard(&self, cursor: &mut Cursor, end: usize) -> u64 {
        let mut dropped = 0;
        while cursor.head % Word::POSITIONS != end {
            let slot = self.slot(cursor.head);
            // AcqRel: as in `publish`.
            if slot.state.swap(DEAD, AcqRel) == FULL {
                // SAFETY: published, and now nobody else's.
                let value = slot
                    .value
                    .with(|cell| unsafe { (*cell).assume_init_read() });
                dropped += 1;
                // It may panic as it goes, which its hook reports: the others go all the same.
                quietly(|| drop(value));
            }
            cursor.head = cursor.head.wrapping_add(1);
        }
        dropped
    }

    /// Messages that were sent or are being sent, and not received.
    pub fn len(&self, cursor: &Cursor) -> usize {
        let sent = self.units.word().position();
        sent.wrapping_sub(cursor.head) % Word::POSITIONS
    }
}

impl<T: Send> Belongs for Ring<T> {
    fn home_closed(&self) {
        self.end();
    }
}

impl<T> fmt::Debug for Ring<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("capacity", &self.capacity)
            .field("room", &self.units.word().free())
            .field("closed", &self.units.word().is_closed())
            .finish()
    }
}
