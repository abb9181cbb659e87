//! Channels, semaphores and signals by id, for one kernel.
//!
//! Invariants
//! 1. An id is a slot and its generation; a slot that is used again has another generation, so an
//!    id is stale after its object was freed.
//! 2. An object belongs to the region of the task that made it, and is freed when that is finalized
//!    or before. Freed, it is closed, and out of the table; who still works with it, as a wait
//!    does, keeps its memory.
//! 3. In a channel there is a place for each word that is in it or promised: `places` counts the
//!    free ones, `items` the words that nobody was given.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::sync::{Arc, OnceLock, Weak};

use asr_base::Status;
use asr_kernel::Cx;
use asr_kernel::cx::{Checked, Home, Lodging};
use asr_kernel::region::Belongs;
use asr_kernel::sync::{Mutex, lock, rank};
use asr_sync::Notify;
use asr_sync::wait::{UNITS_MAX, Units};

/// What an id names.
pub(super) enum What {
    Chan(Chan),
    Sem(Units),
    Notify(Notify),
}

/// A channel. See invariant 3.
pub(super) struct Chan {
    pub(super) places: Units,
    pub(super) items: Units,
    queue: Mutex<Queue, rank::RtChannel>,
}

#[derive(Default)]
struct Queue {
    words: VecDeque<u64>,
    closed: bool,
}

impl Chan {
    /// Takes a word, for which the sender has a place. False if the channel is closed.
    pub(super) fn push(&self, word: u64) -> bool {
        {
            let mut queue = lock(&self.queue);
            if queue.closed {
                return false;
            }
            queue.words.push_back(word);
        }
        self.items.give(1);
        true
    }

    /// Gives a word out: to who was given an item, or to anybody once it is closed.
    pub(super) fn pop(&self) -> Option<u64> {
        let word = lock(&self.queue).words.pop_front()?;
        self.places.give(1);
        Some(word)
    }

    /// Takes no more words.
    pub(super) fn close(&self) {
        lock(&self.queue).closed = true;
        self.places.close();
        self.items.close();
    }

    /// Drops what is in it; how many words.
    fn clear(&self) -> u64 {
        let words = std::mem::take(&mut lock(&self.queue).words);
        words.len() as u64
    }
}

/// What is in the table.
pub(super) struct Object {
    pub(super) what: What,
    /// It was freed.
    pub(super) closed: AtomicBool,
    id: u64,
    table: Weak<Objects>,
    home: OnceLock<Lodging>,
    number: AtomicU64,
}

impl Object {
    fn close(&self) {
        self.closed.store(true, Release);
        match &self.what {
            What::Chan(chan) => {
                chan.close();
                let lost = chan.clear();
                if lost > 0
                    && let Some(lodging) = self.home.get()
                {
                    lodging.home().undelivered(&self.number, lost);
                }
            }
            What::Sem(units) => _ = units.close(),
            What::Notify(notify) => notify.notify_all(),
        }
    }
}

impl Belongs for Object {
    fn home_closed(&self) {
        if let Some(table) = self.table.upgrade() {
            drop(table.remove(self.id));
        }
        self.close();
    }
}

#[derive(Default)]
struct Slot {
    generation: u32,
    object: Option<Arc<Object>>,
}

#[derive(Default)]
struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Objects(Mutex<Slots, rank::RtObjects>);

fn parts(id: u64) -> (usize, u32) {
    (id as u32 as usize, (id >> 32) as u32)
}

impl Objects {
    /// The table of the kernel of a task.
    fn of(cx: &Cx<Checked>) -> Option<&Arc<Objects>> {
        let attached = cx.attached();
        attached
            .get_or_init(|| Box::new(Arc::new(Objects::default())))
            .downcast_ref()
    }

    fn remove(&self, id: u64) -> Option<Arc<Object>> {
        let (index, generation) = parts(id);
        let mut slots = lock(&self.0);
        let slot = slots.slots.get_mut(index)?;
        if slot.generation != generation {
            return None;
        }
        let object = slot.object.take()?;
        // VAL-29: one whose generation reached its end is not used again.
        if generation != u32::MAX {
            slots.free.push(index as u32);
        }
        Some(object)
    }

    fn get(&self, id: u64) -> Option<Arc<Object>> {
        let (index, generation) = parts(id);
        let slots = lock(&self.0);
        let slot = slots.slots.get(index)?;
        if slot.generation == generation {
            slot.object.clone()
        } else {
            None
        }
    }
}

/// Puts an object into the table; its id.
fn make(cx: &Cx<Checked>, what: What) -> Result<u64, Status> {
    let table = Objects::of(cx).ok_or(Status::BAD_ARGUMENT)?;
    let (object, id) = {
        let mut slots = lock(&table.0);
        let index = match slots.free.pop() {
            Some(index) => index,
            None => {
                slots.slots.push(Slot::default());
                slots.slots.len() as u32 - 1
            }
        };
        let slot = &mut slots.slots[index as usize];
        slot.generation += 1;
        let id = u64::from(slot.generation) << 32 | u64::from(index);
        let object = Arc::new(Object {
            what,
            closed: AtomicBool::new(false),
            id,
            table: Arc::downgrade(table),
            home: OnceLock::new(),
            number: AtomicU64::new(0),
        });
        slot.object = Some(object.clone());
        (object, id)
    };
    let weak: Weak<dyn Belongs> = Arc::downgrade(&(object.clone() as Arc<dyn Belongs>));
    let home: Home = cx.home();
    match home.admit(weak) {
        Ok(lodging) => {
            let _ = object.home.set(lodging);
            Ok(id)
        }
        Err(error) => {
            table.remove(id);
            Err(error.kind())
        }
    }
}

/// A channel for so many words.
pub(super) fn chan(cx: &Cx<Checked>, capacity: u32) -> Result<u64, Status> {
    if capacity == 0 || capacity > UNITS_MAX {
        return Err(Status::BAD_ARGUMENT);
    }
    make(
        cx,
        What::Chan(Chan {
            places: Units::new(capacity),
            items: Units::new(0),
            queue: Mutex::new(Queue::default()),
        }),
    )
}

/// A semaphore of so many units.
pub(super) fn sem(cx: &Cx<Checked>, units: u32) -> Result<u64, Status> {
    if units == 0 || units > UNITS_MAX {
        return Err(Status::BAD_ARGUMENT);
    }
    make(cx, What::Sem(Units::new(units)))
}

/// A signal.
pub(super) fn notify(cx: &Cx<Checked>) -> Result<u64, Status> {
    make(cx, What::Notify(Notify::new()))
}

/// The object of an id.
pub(super) fn get(cx: &Cx<Checked>, id: u64) -> Result<Arc<Object>, Status> {
    let found = Objects::of(cx).and_then(|table| table.get(id));
    found.ok_or(Status::STALE_HANDLE)
}

/// Closes the object of an id and takes it out of the table.
pub(super) fn free(cx: &Cx<Checked>, object: &Object) {
    let removed = Objects::of(cx).and_then(|table| table.remove(object.id));
    object.close();
    drop(removed);
}

/// What a permit stands for: a part of an object.
#[derive(Clone)]
pub(super) struct Behind {
    pub(super) object: Arc<Object>,
    pub(super) units: u32,
}

impl Behind {
    pub(super) fn numbers(&self) -> asr_kernel::obligation::Behind {
        (self.object.id, self.units)
    }

    /// The part is free again.
    pub(super) fn give_back(&self) {
        match &self.object.what {
            What::Chan(chan) => chan.places.give(self.units),
            What::Sem(units) => units.give(self.units),
            What::Notify(_) => {}
        }
    }
}

/// What these numbers stand for, if it was not freed.
pub(super) fn behind(
    cx: &Cx<Checked>,
    (id, units): asr_kernel::obligation::Behind,
) -> Option<Behind> {
    let object = Objects::of(cx)?.get(id)?;
    Some(Behind { object, units })
}
