//! The account: what was sent and not yet received, who is inside, which permits are out.
//!
//! An operation is entered in the poll that completes it, and no other task runs in between, so the
//! account is exact: the channel is a queue, in the order of commits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use asr_sync::OVERTAKES_MAX;
use parking_lot::Mutex;

/// What goes wrong between program and model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Every third message that is received is lost.
    Lost,
    /// Two messages change places.
    Swapped,
    /// Every third permit that is given back stays out.
    Kept,
    /// A guard is given up before its holder thinks so.
    Early,
}

/// Where in `World::lines`.
pub(super) const LOCK: usize = 0;
pub(super) const PERMITS: usize = 1;
pub(super) const ROOM: usize = 2;

/// Who waits for the same, by arrival, and how often each was overtaken by one who did not wait.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: BTreeMap<u64, u64>,
    arrivals: u64,
}

impl Line {
    /// A task begins to wait.
    pub(super) fn waits(&mut self) -> u64 {
        self.arrivals += 1;
        self.waiting.insert(self.arrivals, 0);
        self.arrivals
    }

    /// It waits no more, with what it waited for or without.
    pub(super) fn leaves(&mut self, arrival: Option<u64>, served: bool) {
        let own = arrival.map(|arrival| self.waiting.remove(&arrival));
        if !served {
            return;
        }
        for (_, overtaken) in self.waiting.range_mut(..arrival.unwrap_or(u64::MAX)) {
            assert!(own.is_none(), "those that wait are served in order");
            *overtaken += 1;
            assert!(*overtaken <= OVERTAKES_MAX, "overtaken too often");
        }
    }
}

/// The account of a run.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) fault: Fault,
    /// Messages that were committed and are on their way.
    pub(super) queue: VecDeque<u64>,
    next: u64,
    /// Waits are polled with no operation left, every second time.
    pub(super) busy: bool,
    pub(super) capacity: usize,
    /// Slots that are reserved.
    pub(super) reserved: usize,
    /// No more is sent.
    pub(super) shut: bool,
    /// Oneshots whose message is on its way.
    flying: BTreeSet<usize>,
    /// Messages on their way when that began.
    undelivered: u64,
    /// Somebody has the lock.
    inside: bool,
    /// Semaphore permits that are out.
    pub(super) out: u32,
    pub(super) closed: bool,
    /// Wakes that may be consumed yet.
    pub(super) notices: u64,
    /// Who waits for the lock, for permits, for room.
    pub(super) lines: [Line; 3],
    received: u64,
}

pub(super) type Account = Arc<Mutex<World>>;

/// Of a channel with so many slots.
pub(super) fn account(capacity: usize, fault: Fault) -> Account {
    let world = World {
        fault,
        capacity,
        ..World::default()
    };
    Arc::new(Mutex::new(world))
}

impl World {
    /// A message for the next send.
    pub(super) fn message(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn sent(&mut self, message: u64) {
        assert!(!self.shut, "sent to nobody");
        self.queue.push_back(message);
        assert!(
            self.queue.len() + self.reserved <= self.capacity,
            "more than there is room"
        );
        if self.fault == Fault::Swapped && message.is_multiple_of(5) && self.queue.len() > 1 {
            self.queue.swap(0, 1);
        }
    }

    pub(super) fn received(&mut self, message: u64) {
        self.received += 1;
        if self.fault == Fault::Lost && self.received.is_multiple_of(3) {
            return;
        }
        assert_eq!(self.queue.pop_front(), Some(message), "the next message");
    }

    /// The receiver takes no more.
    pub(super) fn receiver_gone(&mut self) {
        self.shut = true;
        self.undelivered += self.queue.drain(..).count() as u64;
    }

    /// A oneshot sends.
    pub(super) fn flies(&mut self, oneshot: usize) {
        assert!(self.flying.insert(oneshot));
    }

    pub(super) fn lands(&mut self, oneshot: usize) {
        assert!(self.flying.remove(&oneshot), "it was not sent");
    }

    /// The receiver of a oneshot takes no more.
    pub(super) fn oneshot_gone(&mut self, oneshot: usize) {
        self.undelivered += u64::from(self.flying.remove(&oneshot));
    }

    pub(super) fn is_flying(&self, oneshot: usize) -> bool {
        self.flying.contains(&oneshot)
    }

    /// Has the lock.
    pub(super) fn enters(&mut self) {
        assert!(!self.inside, "two holders of the lock");
        self.inside = true;
    }

    pub(super) fn leaves(&mut self) {
        assert!(self.inside);
        self.inside = false;
    }

    /// A permit is given back. False if the fault keeps it.
    pub(super) fn returns(&mut self, count: u32) -> bool {
        self.out -= count;
        !(self.fault == Fault::Kept && self.out.is_multiple_of(3))
    }

    /// All tasks have ended.
    pub(super) fn ended(&self, undelivered: u64) {
        assert_eq!(self.undelivered, undelivered, "sent, received, undelivered");
        assert!(!self.inside && self.out == 0);
        assert!(self.lines.iter().all(|line| line.waiting.is_empty()));
        assert!(self.queue.is_empty() && self.flying.is_empty() && self.reserved == 0);
    }
}
