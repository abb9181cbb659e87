//! The timers themselves: slots with generations, each a member of one doubly linked list.
//!
//! Invariants
//! 1. An entry is either vacant (its list is [`VACANT`]) or in exactly one list.
//! 2. The generation of an entry rises when it becomes vacant, so an id of a fired or cancelled
//!    timer matches nothing; an entry whose generation is used up is never given out again.
//! 3. The entry freed last is given out first: equal sequences of calls give equal ids.
//!
//! Links are indices, so that a timer costs 32 bytes and its payload, and no `unsafe`.

/// The end of a list.
pub(super) const NIL: u32 = u32::MAX;
/// The list of no timer.
const VACANT: u16 = u16::MAX;

pub(super) struct Entry<P> {
    pub(super) deadline: u64,
    /// The number of the registration.
    pub(super) sequence: u64,
    prev: u32,
    /// In a vacant entry: the entry freed before.
    pub(super) next: u32,
    pub(super) generation: u32,
    pub(super) list: u16,
    payload: Option<P>,
}

const _: () = assert!(size_of::<Entry<std::num::NonZeroU64>>() == 40);

/// First and last member.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl List {
    pub(super) const EMPTY: List = List {
        head: NIL,
        tail: NIL,
    };

    pub(super) fn is_empty(self) -> bool {
        self.head == NIL
    }
}

pub(super) struct Entries<P> {
    all: Vec<Entry<P>>,
    /// The entry freed last.
    free: u32,
    live: usize,
    first_generation: u32,
}

impl<P> Entries<P> {
    pub(super) const fn new(first_generation: u32) -> Entries<P> {
        Entries {
            all: Vec::new(),
            free: NIL,
            live: 0,
            first_generation,
        }
    }

    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn slots(&self) -> usize {
        self.all.len()
    }

    pub(super) fn at(&self, index: u32) -> &Entry<P> {
        &self.all[index as usize]
    }

    /// A live entry of this generation.
    pub(super) fn find(&self, index: u32, generation: u32) -> Option<&Entry<P>> {
        let entry = self.all.get(index as usize)?;
        (entry.generation == generation && entry.list != VACANT).then_some(entry)
    }

    /// An entry in no list yet; the caller links it.
    pub(super) fn take_vacant(&mut self, deadline: u64, sequence: u64, payload: P) -> u32 {
        self.live += 1;
        if self.free != NIL {
            let index = self.free;
            let entry = &mut self.all[index as usize];
            self.free = entry.next;
            entry.deadline = deadline;
            entry.sequence = sequence;
            entry.payload = Some(payload);
            return index;
        }
        let index = self.all.len() as u32;
        // The last index marks ends of lists. So many timers take 137 GB without their payloads.
        assert!(index < NIL, "2^32 - 1 timers at once");
        self.all.push(Entry {
            deadline,
            sequence,
            prev: NIL,
            next: NIL,
            generation: self.first_generation,
            list: VACANT,
            payload: Some(payload),
        });
        index
    }

    /// Frees an entry that is in no list any more.
    pub(super) fn release(&mut self, index: u32) -> Option<P> {
        let entry = &mut self.all[index as usize];
        self.live -= 1;
        entry.list = VACANT;
        let payload = entry.payload.take();
        if entry.generation < u32::MAX - 1 {
            entry.generation += 1;
            entry.next = self.free;
            self.free = index;
        } else {
            entry.generation = u32::MAX;
        }
        payload
    }

    pub(super) fn rearm(&mut self, index: u32, deadline: u64, sequence: u64) {
        let entry = &mut self.all[index as usize];
        entry.deadline = deadline;
        entry.sequence = sequence;
    }

    pub(super) fn push_back(&mut self, list: &mut List, number: usize, index: u32) {
        let entry = &mut self.all[index as usize];
        entry.list = number as u16;
        entry.prev = list.tail;
        entry.next = NIL;
        match list.tail {
            NIL => list.head = index,
            tail => self.all[tail as usize].next = index,
        }
        list.tail = index;
    }

    pub(super) fn push_front(&mut self, list: &mut List, number: usize, index: u32) {
        let entry = &mut self.all[index as usize];
        entry.list = number as u16;
        entry.prev = NIL;
        entry.next = list.head;
        match list.head {
            NIL => list.tail = index,
            head => self.all[head as usize].prev = index,
        }
        list.head = index;
    }

    pub(super) fn unlink(&mut self, list: &mut List, index: u32) {
        let Entry { prev, next, .. } = self.all[index as usize];
        match prev {
            NIL => list.head = next,
            prev => self.all[prev as usize].next = next,
        }
        match next {
            NIL => list.tail = prev,
            next => self.all[next as usize].prev = prev,
        }
    }

    /// The members of a list, in its order.
    pub(super) fn members(&self, list: List) -> impl Iterator<Item = &Entry<P>> {
        let mut at = list.head;
        std::iter::from_fn(move || {
            let entry = self.all.get(at as usize)?;
            at = entry.next;
            Some(entry)
        })
    }

    /// All timers, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry<P>, &P)> {
        let numbered = self.all.iter().enumerate();
        numbered.filter_map(|(index, entry)| Some((index as u32, entry, entry.payload.as_ref()?)))
    }
}
