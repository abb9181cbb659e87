//! Slots with generations: an id that outlived its object is told from the id of its successor.
//!
//! Invariants: generations begin at 1 and only grow; a slot is freed into the list of free slots
//! unless its generation is the last, then it is retired (VAL-29); the slot freed last is taken
//! first, so that equal sequences of calls give equal ids (VAL-30); a stale id changes nothing but
//! the counter (VAL-28).

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Status};

/// The id refers to a former occupant; nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stale;

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id refers to a former occupant")
    }
}

impl std::error::Error for Stale {}

impl From<Stale> for Error {
    fn from(stale: Stale) -> Error {
        Error::new(Status::STALE_HANDLE, stale.to_string()).permanent()
    }
}

/// See the module.
///
/// ```
/// use asr_base::{GenSlab, Stale};
///
/// let mut slab = GenSlab::new();
/// let (index, generation) = slab.insert("first");
/// assert_eq!(slab.remove(index, generation), Ok("first"));
/// let second = slab.insert("second");
/// assert_eq!(second, (index, generation + 1));
/// assert_eq!(slab.get(index, generation), Err(Stale));
/// ```
#[derive(Debug)]
pub struct GenSlab<T> {
    slots: Vec<Slot<T>>,
    /// The slot freed last; the others follow through `Slot::next_free`.
    free: Option<u32>,
    len: usize,
    stale_handle_total: AtomicU64,
    first_generation: u32,
}

#[derive(Debug)]
struct Slot<T> {
    /// Of the occupant, or of the next one.
    generation: u32,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Full(T),
    Free { next: Option<u32> },
    Retired,
}

impl<T> Default for GenSlab<T> {
    fn default() -> GenSlab<T> {
        GenSlab::new()
    }
}

impl<T> GenSlab<T> {
    /// An empty slab.
    pub const fn new() -> GenSlab<T> {
        GenSlab::with_first_generation(1)
    }

    /// An empty slab whose slots begin at this generation, at least 1 and less than `u32::MAX`.
    /// For tests of retirement.
    pub const fn with_first_generation(generation: u32) -> GenSlab<T> {
        GenSlab {
            slots: Vec::new(),
            free: None,
            len: 0,
            stale_handle_total: AtomicU64::new(0),
            first_generation: match generation {
                0 => 1,
                u32::MAX => u32::MAX - 1,
                _ => generation,
            },
        }
    }

    /// Puts a value into the slot freed last, or into a new one.
    ///
    /// # Panics
    /// When all 2³² slots are taken or retired, like a `Vec` that grows beyond its capacity.
    /// [`try_insert_with`](GenSlab::try_insert_with) hands that back instead.
    pub fn insert(&mut self, value: T) -> (u32, u32) {
        self.insert_with(|_, _| value)
    }

    /// Puts the value that is made for an index and a generation there.
    ///
    /// # Panics
    /// As [`insert`](GenSlab::insert).
    pub fn insert_with(&mut self, make: impl FnOnce(u32, u32) -> T) -> (u32, u32) {
        self.try_insert_with(make)
            .expect("a slab has at most 2^32 slots")
    }

    /// Puts the value that is made for an index and a generation there; `None` when no slot is
    /// left, and then `make` does not run.
    pub fn try_insert_with(&mut self, make: impl FnOnce(u32, u32) -> T) -> Option<(u32, u32)> {
        let Some(index) = self.free else {
            let index = u32::try_from(self.slots.len()).ok()?;
            let generation = self.first_generation;
            let value = make(index, generation);
            self.slots.push(Slot {
                generation,
                state: State::Full(value),
            });
            self.len += 1;
            return Some((index, generation));
        };
        let slot = &mut self.slots[index as usize];
        // Before anything changes: `make` may panic.
        let value = make(index, slot.generation);
        if let State::Free { next } = slot.state {
            self.free = next;
        }
        slot.state = State::Full(value);
        self.len += 1;
        Some((index, slot.generation))
    }

    /// The index and generation that the next insertion will give, if one is left.
    pub fn next_key(&self) -> Option<(u32, u32)> {
        match self.free {
            Some(index) => Some((index, self.slots[index as usize].generation)),
            None => Some((u32::try_from(self.slots.len()).ok()?, self.first_generation)),
        }
    }

    /// The occupant with this id.
    ///
    /// # Errors
    /// The id is stale, or never was one.
    pub fn get(&self, index: u32, generation: u32) -> Result<&T, Stale> {
        match self.slots.get(index as usize) {
            Some(Slot {
                generation: now,
                state: State::Full(value),
            }) if *now == generation => Ok(value),
            _ => Err(self.stale()),
        }
    }

    /// The occupant with this id.
    ///
    /// # Errors
    /// The id is stale, or never was one.
    pub fn get_mut(&mut self, index: u32, generation: u32) -> Result<&mut T, Stale> {
        match self.slots.get_mut(index as usize) {
            Some(Slot {
                generation: now,
                state: State::Full(value),
            }) if *now == generation => Ok(value),
            _ => {
                *self.stale_handle_total.get_mut() += 1;
                Err(Stale)
            }
        }
    }

    /// Is there an occupant with this id? It does not count as a use.
    pub fn contains(&self, index: u32, generation: u32) -> bool {
        self.slots.get(index as usize).is_some_and(|slot| {
            slot.generation == generation && matches!(slot.state, State::Full(_))
        })
    }

    /// Takes the occupant with this id out.
    ///
    /// # Errors
    /// The id is stale, or never was one.
    pub fn remove(&mut self, index: u32, generation: u32) -> Result<T, Stale> {
        if !self.contains(index, generation) {
            return Err(self.stale());
        }
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.saturating_add(1);
        let next = if slot.generation == u32::MAX {
            State::Retired
        } else {
            State::Free {
                next: self.free.replace(index),
            }
        };
        self.len -= 1;
        match core::mem::replace(&mut slot.state, next) {
            State::Full(value) => Ok(value),
            State::Free { .. } | State::Retired => Err(self.stale()),
        }
    }

    /// How many occupants there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Is there no occupant?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many slots were ever made: those of occupants, the free and the retired.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// How often a stale id was used.
    pub fn stale_handle_total(&self) -> u64 {
        self.stale_handle_total.load(Ordering::Relaxed)
    }

    /// The occupants with index and generation, by index.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, &T)> {
        self.slots
            .iter()
            .zip(0..)
            .filter_map(|(slot, index)| match &slot.state {
                State::Full(value) => Some((index, slot.generation, value)),
                State::Free { .. } | State::Retired => None,
            })
    }

    /// The occupants with index and generation, by index.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, u32, &mut T)> {
        self.slots
            .iter_mut()
            .zip(0..)
            .filter_map(|(slot, index)| match &mut slot.state {
                State::Full(value) => Some((index, slot.generation, value)),
                State::Free { .. } | State::Retired => None,
            })
    }

    fn stale(&self) -> Stale {
        // Relaxed: a counter that orders nothing.
        self.stale_handle_total.fetch_add(1, Ordering::Relaxed);
        Stale
    }
}
