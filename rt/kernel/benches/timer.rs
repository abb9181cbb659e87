//! Arming, cancelling and firing of many timers: the wheel, a sorted map, a binary heap.
//!
//! `cargo bench -p asr-kernel --bench timer` prints ns per timer, medians of interleaved rounds,
//! and the ratio of SCH-29; run as a test it takes few timers and one round. Rounds refill one
//! structure again and again, as a driver does: nothing is timed while it first grows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hint::black_box;
use std::time::Instant;

use asr_base::{Rng, Time, TimerId};
use asr_kernel::timer::Wheel;

const TICK: u64 = 1_000_000;
const MINUTE: u64 = 60_000_000_000;

trait Timers: Default {
    const NAME: &str;
    type Id: Copy;
    fn insert(&mut self, deadline: u64, payload: u64) -> Self::Id;
    fn cancel(&mut self, id: Self::Id);
    fn advance(&mut self, now: u64) -> usize;
}

impl Timers for Wheel<u64> {
    const NAME: &str = "wheel";
    type Id = TimerId;

    fn insert(&mut self, deadline: u64, payload: u64) -> TimerId {
        self.insert(Time::from_nanos(deadline), payload)
    }

    fn cancel(&mut self, id: TimerId) {
        black_box(self.cancel(id));
    }

    fn advance(&mut self, now: u64) -> usize {
        self.advance(Time::from_nanos(now), &mut |_, _, payload| {
            black_box(payload);
        })
    }
}

#[derive(Default)]
struct Tree {
    order: BTreeMap<(u64, u64), u64>,
    sequence: u64,
}

impl Timers for Tree {
    const NAME: &str = "BTreeMap";
    type Id = (u64, u64);

    fn insert(&mut self, deadline: u64, payload: u64) -> (u64, u64) {
        self.sequence += 1;
        self.order.insert((deadline, self.sequence), payload);
        (deadline, self.sequence)
    }

    fn cancel(&mut self, id: (u64, u64)) {
        black_box(self.order.remove(&id));
    }

    fn advance(&mut self, now: u64) -> usize {
        let mut fired = 0;
        while let Some(first) = self.order.first_entry()
            && first.key().0 <= now
        {
            black_box(first.remove());
            fired += 1;
        }
        fired
    }
}

/// Cancelled timers stay until they are due: a cancel is a mark, and what it costs comes later.
#[derive(Default)]
struct Heap {
    order: BinaryHeap<Reverse<(u64, u64, u64)>>,
    cancelled: Vec<bool>,
}

impl Timers for Heap {
    const NAME: &str = "BinaryHeap";
    type Id = usize;

    fn insert(&mut self, deadline: u64, payload: u64) -> usize {
        if self.order.is_empty() {
            self.cancelled.clear();
        }
        let sequence = self.cancelled.len();
        self.order
            .push(Reverse((deadline, sequence as u64, payload)));
        self.cancelled.push(false);
        sequence
    }

    fn cancel(&mut self, id: usize) {
        self.cancelled[id] = true;
    }

    fn advance(&mut self, now: u64) -> usize {
        let mut fired = 0;
        while let Some(&Reverse((deadline, sequence, payload))) = self.order.peek()
            && deadline <= now
        {
            self.order.pop();
            black_box(payload);
            fired += usize::from(!self.cancelled[sequence as usize]);
        }
        fired
    }
}

/// ns per timer: insert, cancel as registered, cancel in any order, fire, sweep of the cancelled.
type Row = [f64; 5];

struct Subject<T> {
    timers: T,
    now: u64,
    rounds: Vec<Row>,
}

impl<T: Timers> Subject<T> {
    fn new() -> Subject<T> {
        Subject {
            timers: T::default(),
            now: 0,
            rounds: Vec::new(),
        }
    }

    fn fill(&mut self, spans: &[u64]) -> (Vec<T::Id>, f64) {
        let mut ids = Vec::with_capacity(spans.len());
        let ns = per(spans.len(), || {
            for &span in spans {
                ids.push(self.timers.insert(self.now + span, span));
            }
        });
        (ids, ns)
    }

    /// To the end of the minute in ticks; how many fired, and ns per one of `count`.
    fn turn(&mut self, count: usize) -> (usize, f64) {
        let (end, mut fired) = (self.now + MINUTE, 0);
        let ns = per(count, || {
            while self.now < end {
                self.now += TICK;
                fired += self.timers.advance(self.now);
            }
        });
        (fired, ns)
    }

    fn round(&mut self, spans: &[u64], shuffled: &[u32]) {
        let count = spans.len();
        let (ids, _) = self.fill(spans);
        let in_order = per(count, || ids.iter().for_each(|&id| self.timers.cancel(id)));
        assert_eq!(self.turn(count).0, 0);
        let (ids, insert) = self.fill(spans);
        let any_order = per(count, || {
            for &which in shuffled {
                self.timers.cancel(ids[which as usize]);
            }
        });
        let (fired, sweep) = self.turn(count);
        assert_eq!(fired, 0);
        self.fill(spans);
        let (fired, fire) = self.turn(count);
        assert_eq!(fired, count);
        self.rounds.push([insert, in_order, any_order, fire, sweep]);
    }

    /// Medians, the first round left out: it grows the structure.
    fn medians(&self) -> Row {
        std::array::from_fn(|column| {
            let warm = &self.rounds[usize::from(self.rounds.len() > 1)..];
            let mut all: Vec<f64> = warm.iter().map(|row| row[column]).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        })
    }

    fn print(&self) -> Row {
        let row = self.medians();
        print!("{:<12}", T::NAME);
        row.iter().for_each(|ns| print!("{ns:>14.1}"));
        println!();
        row
    }
}

fn per(count: usize, run: impl FnOnce()) -> f64 {
    let started = Instant::now();
    run();
    started.elapsed().as_nanos() as f64 / count as f64
}

fn compare(count: usize, rounds: usize) {
    let mut rng = Rng::seeded(0);
    // Half of them due within a second, as polls and retries, half within the minute, as timeouts.
    let spans: Vec<u64> = (0..count)
        .map(|n| TICK + rng.below(if n % 2 == 0 { MINUTE / 60 } else { MINUTE } - 2 * TICK))
        .collect();
    let mut shuffled: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        shuffled.swap(last, rng.below(last as u64 + 1) as usize);
    }
    let mut wheel = Subject::<Wheel<u64>>::new();
    let mut tree = Subject::<Tree>::new();
    let mut heap = Subject::<Heap>::new();
    for _ in 0..rounds {
        wheel.round(&spans, &shuffled);
        tree.round(&spans, &shuffled);
        heap.round(&spans, &shuffled);
    }
    println!(
        "{:<12}{:>14}{:>14}{:>14}{:>14}{:>14}",
        format!("{count} timers"),
        "insert",
        "cancel, fifo",
        "cancel, any",
        "fire",
        "turn, none"
    );
    let (ours, theirs) = (wheel.print(), tree.print());
    heap.print();
    let ratio = |column: usize| theirs[column] / ours[column];
    println!(
        "BTreeMap / wheel, cancel (SCH-29: at least 2): fifo {:.2}, any {:.2}\n",
        ratio(1),
        ratio(2)
    );
}

fn main() {
    // `cargo bench` passes --bench, `cargo test` does not.
    if std::env::args().any(|arg| arg == "--bench") {
        println!("{} bytes per timer", Wheel::<u64>::BYTES_PER_TIMER);
        compare(10_000, 21);
        compare(1_000_000, 6);
    } else {
        compare(100, 1);
    }
}
