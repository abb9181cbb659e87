//! The cancel lane: a queue for each of the 56 priorities, and a bitmap of those that hold
//! something (SCH-2). Push and pop take constant time.
//!
//! Entries lie in nodes of a vector that are linked by number and used again, so that nothing is
//! allocated once the most that waited at a time has waited. The links of the records are not used:
//! a task that is promoted still has an entry in another queue, which may use them.

use super::governor::Tie;

/// The lowest priority of the lane.
const LOWEST: u8 = 200;
const PRIORITIES: usize = 56;
const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Node<T> {
    entry: Option<T>,
    /// The next of its queue, or of the free nodes.
    next: u32,
    /// One that came later went before it.
    passed: bool,
    arrival: u64,
}

/// Nodes of several lanes under one lock.
#[derive(Debug)]
pub(super) struct Nodes<T> {
    nodes: Vec<Node<T>>,
    free: u32,
    arrivals: u64,
}

impl<T> Nodes<T> {
    pub(super) fn new() -> Nodes<T> {
        Nodes {
            nodes: Vec::new(),
            free: NONE,
            arrivals: 0,
        }
    }

    fn put(&mut self, entry: T) -> u32 {
        self.arrivals += 1;
        let node = Node {
            entry: Some(entry),
            next: NONE,
            passed: false,
            arrival: self.arrivals,
        };
        if self.free == NONE {
            self.nodes.push(node);
            // At most one node per task and promotion, and task numbers have 32 bits.
            return (self.nodes.len() - 1) as u32;
        }
        let at = self.free;
        let place = &mut self.nodes[at as usize];
        self.free = place.next;
        *place = node;
        at
    }
}

#[derive(Clone, Copy, Debug)]
struct Queue {
    first: u32,
    last: u32,
}

/// One lane over shared nodes.
#[derive(Debug)]
pub(super) struct Buckets {
    queues: [Queue; PRIORITIES],
    /// Bit i: queue i holds something.
    filled: u64,
}

const _: () = assert!(PRIORITIES <= u64::BITS as usize);
const _: () = assert!(LOWEST as usize + PRIORITIES == 256);

impl Buckets {
    pub(super) fn new() -> Buckets {
        let empty = Queue {
            first: NONE,
            last: NONE,
        };
        Buckets {
            queues: [empty; PRIORITIES],
            filled: 0,
        }
    }

    pub(super) fn push<T>(&mut self, nodes: &mut Nodes<T>, entry: T, priority: u8) {
        let at = usize::from(priority.saturating_sub(LOWEST));
        let node = nodes.put(entry);
        let queue = &mut self.queues[at];
        if self.filled & 1 << at == 0 {
            queue.first = node;
        } else {
            nodes.nodes[queue.last as usize].next = node;
        }
        queue.last = node;
        self.filled |= 1 << at;
    }

    /// Priority and arrival of the entry that is due, the greatest of several lanes first.
    pub(super) fn due<T>(&self, nodes: &Nodes<T>) -> Option<(u32, std::cmp::Reverse<u64>)> {
        let at = self.filled.checked_ilog2()?;
        let first = self.queues[at as usize].first;
        Some((at, std::cmp::Reverse(nodes.nodes[first as usize].arrival)))
    }

    /// Arrival and queue of the entry that came first of all.
    pub(super) fn oldest<T>(&self, nodes: &Nodes<T>) -> Option<(u64, u32)> {
        let arrival = |at: u32| {
            let first = self.queues[at as usize].first;
            (nodes.nodes[first as usize].arrival, at)
        };
        let filled = (0..u64::BITS).filter(|at| self.filled & 1 << at != 0);
        filled.map(arrival).min()
    }

    /// The highest priority, of them the first that came, or the second in place of one that was
    /// not passed over yet.
    pub(super) fn pop<T>(&mut self, nodes: &mut Nodes<T>, tie: Tie) -> Option<T> {
        let at = self.filled.checked_ilog2()?;
        self.pop_from(nodes, at, tie)
    }

    /// The same from a queue that holds something.
    pub(super) fn pop_from<T>(&mut self, nodes: &mut Nodes<T>, at: u32, tie: Tie) -> Option<T> {
        let queue = &mut self.queues[at as usize];
        let first = &mut nodes.nodes[queue.first as usize];
        let second = first.next;
        let taken = if tie == Tie::Second && second != NONE && !first.passed {
            first.passed = true;
            if second == queue.last {
                queue.last = queue.first;
            }
            let after = nodes.nodes[second as usize].next;
            nodes.nodes[queue.first as usize].next = after;
            second
        } else if second == NONE {
            self.filled &= !(1 << at);
            queue.first
        } else {
            std::mem::replace(&mut queue.first, second)
        };
        let node = &mut nodes.nodes[taken as usize];
        node.next = nodes.free;
        nodes.free = taken;
        node.entry.take()
    }
}
