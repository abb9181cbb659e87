//! Timers in order of (deadline, sequence): the earliest is known, each is cancelled by its id.

use std::collections::BTreeMap;

use asr_base::{GenSlab, Time, TimerId};

/// Armed timers, each with what it is for.
#[derive(Debug)]
pub struct Wheel<P> {
    order: BTreeMap<(Time, u64), (TimerId, P)>,
    keys: GenSlab<(Time, u64)>,
    next: u64,
}

impl<P> Default for Wheel<P> {
    fn default() -> Wheel<P> {
        Wheel::new()
    }
}

impl<P> Wheel<P> {
    /// No timer.
    pub fn new() -> Wheel<P> {
        Wheel {
            order: BTreeMap::new(),
            keys: GenSlab::new(),
            next: 0,
        }
    }

    /// Arms one.
    pub fn insert(&mut self, deadline: Time, payload: P) -> TimerId {
        let key = (deadline, self.next);
        self.next += 1;
        let (index, generation) = self.keys.insert(key);
        let id = TimerId::new(index, generation);
        self.order.insert(key, (id, payload));
        id
    }

    /// Disarms one; `None` if it fired or was disarmed.
    pub fn cancel(&mut self, id: TimerId) -> Option<P> {
        let key = self.keys.remove(id.index(), id.generation()).ok()?;
        self.order.remove(&key).map(|(_, payload)| payload)
    }

    /// The earliest deadline.
    pub fn next_deadline(&self) -> Option<Time> {
        let first = self.order.keys().next();
        first.map(|key| key.0).filter(|&at| at != Time::MAX)
    }

    /// Takes out every timer that is due, in order.
    pub fn advance(&mut self, now: Time, due: &mut impl FnMut(TimerId, Time, P)) {
        while let Some(first) = self.order.first_entry() {
            let deadline = first.key().0;
            if deadline > now || deadline == Time::MAX {
                return;
            }
            let (id, payload) = first.remove();
            let _ = self.keys.remove(id.index(), id.generation());
            due(id, deadline, payload);
        }
    }
}
