//! The bounds of SCH-8, 9 and 10 on the choice alone, task by task: an adversary decides what
//! comes, what thieves take, and what a governor prefers.

use std::collections::VecDeque;

use asr_base::Rng;
use asr_kernel::sched::Limits;
use asr_kernel::sched::choice::{Choice, Source, Waiting};
use asr_kernel::sched::governor::Prefer;

/// A task that waits.
#[derive(Clone, Copy, Default)]
struct Task {
    /// Dispatches since it came.
    waited: u64,
    /// Tasks before it in its own queue when it came.
    before: u64,
    /// The most that another queue held since, whose turn may be before its own.
    beside: u64,
}

impl Task {
    fn behind(before: usize) -> Task {
        Task {
            before: before as u64,
            ..Task::default()
        }
    }

    fn waits(&mut self, beside: usize) {
        self.waited += 1;
        self.beside = self.beside.max(beside as u64);
    }

    /// Whether that is within (n + 1) (L + 2).
    fn in_time(&self, l: u64) -> bool {
        self.waited <= (self.before + self.beside + 1) * (l + 2)
    }
}

/// A worker with its queues; of cancelling and timed tasks and of the injector there is one, again
/// and again.
struct Model {
    choice: Choice,
    limits: Limits,
    l: u64,
    ring: VecDeque<Task>,
    pinned: VecDeque<Task>,
    newest: Option<Task>,
    timed: Option<Task>,
    injector: Option<Task>,
    what: String,
}

impl Model {
    fn new(limits: Limits, drain: bool, what: String) -> Model {
        let mut choice = Choice::new(limits);
        choice.set_drain(drain);
        Model {
            choice,
            limits,
            l: u64::from(limits.cancel_streak) << u32::from(drain),
            ring: VecDeque::new(),
            pinned: VecDeque::new(),
            newest: None,
            timed: None,
            injector: None,
            what,
        }
    }

    fn push_ring(&mut self) {
        self.ring.push_back(Task::behind(self.ring.len()));
    }

    fn push_pinned(&mut self) {
        self.pinned.push_back(Task::behind(self.pinned.len()));
    }

    /// Who was there goes to the ring.
    fn push_newest(&mut self) {
        if self.newest.replace(Task::default()).is_some() {
            self.push_ring();
        }
    }

    /// Chooses, and counts the wait of all others.
    fn dispatch(&mut self, cancel: bool) -> Option<Source> {
        let waiting = Waiting {
            cancel,
            timed: self.timed.is_some(),
            newest: self.newest.is_some(),
            ring: self.ring.len(),
            pinned: self.pinned.len(),
            injector: self.injector.is_some(),
        };
        let from = self.choice.choose(&waiting)?;
        self.choice.dispatched(from, &waiting);
        match from {
            Source::Cancel => assert!(cancel),
            Source::Timed => _ = self.timed.take().expect("it was there"),
            Source::Newest => _ = self.newest.take().expect("it was there"),
            Source::Ring => _ = self.ring.pop_front().expect("it was there"),
            Source::Pinned => _ = self.pinned.pop_front().expect("it was there"),
            Source::Injector => _ = self.injector.take().expect("it was there"),
        }
        let (ring, pinned) = (waiting.ring, waiting.pinned);
        let slot = usize::from(waiting.newest);
        self.ring.iter_mut().for_each(|task| task.waits(pinned));
        self.pinned.iter_mut().for_each(|task| task.waits(ring));
        // Never preferred, it waits for a turn of them, else for one of their tasks; and for the
        // injector, when that is due, or preferred in place of the slot as long as this may go on.
        let turn = match self.limits.lifo_streak {
            0 => ring.max(pinned),
            _ => (ring + pinned).min(1),
        };
        if let Some(task) = &mut self.newest {
            task.waits(turn);
            if waiting.injector {
                task.before = match self.limits.lifo_streak {
                    0 => 2, // Before the turn, and after it.
                    streak => streak.into(),
                };
            }
        }
        let others = ring + pinned + slot;
        self.timed.iter_mut().for_each(|task| task.waits(others));
        self.injector.iter_mut().for_each(|task| task.waits(others));
        self.check();
        Some(from)
    }

    fn check(&self) {
        let Model { l, what, .. } = self;
        for (name, queue) in [("ring", &self.ring), ("pinned", &self.pinned)] {
            let late = queue.iter().find(|task| !task.in_time(*l));
            assert!(late.is_none(), "{what}: {name} {:?}", late.map(shown));
        }
        for (name, alone) in [("slot", &self.newest), ("timed", &self.timed)] {
            let late = alone.iter().find(|task| !task.in_time(*l));
            assert!(late.is_none(), "{what}: {name} {:?}", late.map(shown));
        }
        // Once it is due: one of the slot and one of the queue may be before it.
        let due = u64::from(self.limits.injector_interval) + 3 * (l + 2);
        let late = self.injector.iter().find(|task| task.waited > due);
        assert!(late.is_none(), "{what}: injector {:?}", late.map(shown));
        assert!(u64::from(self.choice.max_cancel_streak()) <= *l, "{what}");
    }
}

fn shown(task: &Task) -> (u64, u64, u64) {
    (task.waited, task.before, task.beside)
}

/// Thieves end the turn of a ring: with `lifo_streak` 0 the slot does not wait for the rest of it.
#[test]
fn sch_8_a_turn_that_thieves_ended_is_over() {
    let limits = Limits {
        lifo_streak: 0,
        ..Limits::default()
    };
    for (left, comes) in [(0, 0), (0, 1), (1, 1), (3, 1)] {
        let mut model = Model::new(
            limits,
            false,
            format!("{left} left, then {comes} each time"),
        );
        (0..200).for_each(|_| model.push_ring());
        assert_eq!(model.dispatch(false), Some(Source::Ring));
        model.ring.truncate(left);
        model.push_pinned();
        for _ in 0..2000 {
            if model.newest.is_none() {
                model.push_newest();
            }
            model.injector.get_or_insert_default();
            (0..comes).for_each(|_| {
                if model.ring.len() <= left {
                    model.push_ring();
                }
            });
            model.dispatch(false).expect("something waits");
        }
    }
}

/// Timed work is not forgotten between endless cancelling work and ready work that is due.
#[test]
fn sch_8_timed_work_beside_all_others() {
    let mut model = Model::new(Limits::default(), false, "all".into());
    for _ in 0..2000 {
        model.timed.get_or_insert_default();
        model.push_newest();
        model.dispatch(true).expect("something waits");
        model.ring.truncate(5);
    }
}

/// The slot is not forgotten where each round has an injector that is due, and a queue.
#[test]
fn sch_8_the_slot_beside_an_injector_that_is_always_due() {
    for injector_interval in [1, 10, 61] {
        let limits = Limits {
            cancel_streak: 100,
            injector_interval,
            ..Limits::default()
        };
        let mut model = Model::new(limits, false, format!("every {injector_interval}"));
        for _ in 0..4000 {
            model.injector.get_or_insert_default();
            model.newest.get_or_insert_default();
            if model.ring.is_empty() {
                model.push_ring();
            }
            model.dispatch(true).expect("something waits");
        }
    }
}

/// Whatever comes, goes and is advised: who has n tasks before it is dispatched within
/// (n + 1) (L + 2).
#[test]
fn sch_8_sch_9_sch_10_no_advice_and_no_thief_passes_the_bound() {
    for seed in 0..600 {
        let mut random = Rng::seeded(seed);
        let mut below = |n: u64| random.below(n);
        let limits = Limits {
            cancel_streak: 1 + below(20) as u32,
            timed_streak: [1, 5, 32][below(3) as usize],
            lifo_streak: (seed % 4) as u32,
            injector_interval: [1, 2, 7, 61][below(4) as usize],
        };
        let drain = below(4) == 0;
        let mut model = Model::new(limits, drain, format!("seed {seed}: {limits:?}"));
        let most = 1 + below(40) as usize;
        // Of 8 dispatches so many bring one: cancelling, timed, for the slot, the injector, the
        // ring, the inbox; then those after which thieves come, and stale entries are dropped.
        let likely: [u64; 8] = std::array::from_fn(|_| [0, 1, 4, 7, 8][below(5) as usize]);
        for _ in 0..2000 {
            if below(10) == 0 {
                let prefer = [Prefer::Usual, Prefer::Queue, Prefer::Injector];
                model.choice.set_prefer(prefer[below(3) as usize]);
            }
            let now: [bool; 8] = likely.map(|likely| below(8) < likely);
            if now[1] {
                model.timed.get_or_insert_default();
            }
            if now[2] && (model.newest.is_none() || model.ring.len() < most && below(4) == 0) {
                model.push_newest();
            }
            if now[3] {
                model.injector.get_or_insert_default();
            }
            if now[4] && model.ring.len() < most {
                model.push_ring();
            }
            if now[5] && model.pinned.len() < most {
                model.push_pinned();
            }
            model.dispatch(now[0]);
            if now[6] && below(20) == 0 {
                let gone = below(model.ring.len() as u64 + 1) as usize;
                model.ring.drain(..gone);
            }
            if now[7] && below(20) == 0 {
                let gone = below(model.pinned.len() as u64 + 1) as usize;
                model.pinned.drain(..gone);
            }
        }
    }
}
