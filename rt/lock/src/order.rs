//! What each thread holds, and the check of what it takes.
//!
//! A thread keeps its locks in a few slots of its own, so that a check allocates nothing and still
//! works while the thread's other variables are being dropped. Guards may be dropped in any order:
//! an [`Entry`] finds its slot by a number.

use std::cell::Cell;
use std::panic::Location;

use crate::rank::Info;

/// Whether acquisitions are checked in this build.
pub const CHECKED: bool = true;

/// Locks that one thread may hold at a time. The table has about as many rows.
const SLOTS: usize = 32;

/// A lock that is held.
#[derive(Clone, Copy)]
struct Hold {
    number: u64,
    rank: &'static Info,
    site: &'static Location<'static>,
}

struct Holds {
    len: Cell<usize>,
    next: Cell<u64>,
    slots: [Cell<Option<Hold>>; SLOTS],
}

thread_local! {
    static HOLDS: Holds = const {
        Holds {
            len: Cell::new(0),
            next: Cell::new(0),
            slots: [const { Cell::new(None) }; SLOTS],
        }
    };
}

impl Holds {
    fn all(&self) -> impl Iterator<Item = Hold> {
        self.slots[..self.len.get()].iter().filter_map(Cell::get)
    }
}

/// How many locks of the runtime this thread holds; 0 where they are not counted.
pub fn held() -> usize {
    HOLDS.with(|holds| holds.len.get())
}

/// Refuses to wait for a lock of this rank if the thread holds one that it does not go under.
#[track_caller]
pub(crate) fn check(rank: &'static Info) {
    let other = HOLDS.with(|holds| holds.all().find(|hold| !rank.goes_under(hold.rank)));
    if let Some(hold) = other {
        refuse(rank, hold, Location::caller(), "takes");
    }
}

/// Refuses a wait while the thread holds more than the lock that the wait gives back.
#[track_caller]
pub(crate) fn check_wait(entry: &Entry) {
    let other = HOLDS.with(|holds| holds.all().find(|hold| hold.number != entry.number));
    if let Some(hold) = other {
        refuse(entry.rank, hold, Location::caller(), "waits with");
    }
}

#[cold]
#[inline(never)]
fn refuse(rank: &'static Info, hold: Hold, site: &Location<'_>, what: &str) {
    if std::thread::panicking() {
        return;
    }
    panic!(
        "SCH-35: {site} {what} `{}` while `{}` is held, which was taken at {}",
        rank.name, hold.rank.name, hold.site,
    );
}

/// A place in the list of what a thread holds; its drop takes it out.
#[derive(Debug)]
pub(crate) struct Entry {
    number: u64,
    rank: &'static Info,
}

impl Entry {
    /// The thread holds a lock of this rank.
    #[track_caller]
    pub(crate) fn new(rank: &'static Info) -> Entry {
        let entry = HOLDS.with(|holds| {
            let number = holds.next.get();
            holds.next.set(number + 1);
            Entry { number, rank }
        });
        entry.put(Location::caller());
        entry
    }

    /// Out of the list for a wait, which gives the lock back.
    pub(crate) fn pause(&self) {
        HOLDS.with(|holds| {
            let len = holds.len.get();
            let own = |slot: &Cell<Option<Hold>>| {
                let hold = slot.get();
                hold.is_some_and(|hold| hold.number == self.number)
            };
            // The newest is mostly the one that goes.
            let Some(at) = holds.slots[..len].iter().rposition(own) else {
                return;
            };
            for slot in at..len - 1 {
                holds.slots[slot].set(holds.slots[slot + 1].get());
            }
            holds.slots[len - 1].set(None);
            holds.len.set(len - 1);
        });
    }

    /// In the list again, after the wait.
    #[track_caller]
    pub(crate) fn resume(&self) {
        self.put(Location::caller());
    }

    fn put(&self, site: &'static Location<'static>) {
        let room = HOLDS.with(|holds| {
            let len = holds.len.get();
            let Some(slot) = holds.slots.get(len) else {
                return false;
            };
            slot.set(Some(Hold {
                number: self.number,
                rank: self.rank,
                site,
            }));
            holds.len.set(len + 1);
            true
        });
        assert!(
            room || std::thread::panicking(),
            "SCH-35: a thread holds more than {SLOTS} locks"
        );
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.pause();
    }
}
