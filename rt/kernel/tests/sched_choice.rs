//! The choice among the queues of a worker, alone: what waits goes in, what is taken comes out.

#[path = "common/choice.rs"]
mod choice;

use asr_base::Status;
use asr_kernel::Lane;
use asr_kernel::sched::Limits;
use asr_kernel::sched::choice::{Choice, Source, Waiting};
use choice::taken;

const ALL: Waiting = Waiting {
    cancel: true,
    timed: true,
    newest: true,
    ring: 1,
    pinned: 0,
    injector: false,
};

#[test]
fn sch_1_cancel_before_timed_before_ready() {
    let choice = Choice::new(Limits::default());
    let mut waiting = ALL;
    assert_eq!(choice.choose(&waiting), Some(Source::Cancel));
    waiting.cancel = false;
    assert_eq!(choice.choose(&waiting), Some(Source::Timed));
    waiting.timed = false;
    assert_eq!(choice.choose(&waiting), Some(Source::Newest));
    waiting.newest = false;
    assert_eq!(choice.choose(&waiting), Some(Source::Ring));
    assert_eq!(choice.choose(&Waiting::default()), None);
}

/// One ready task beside endless cancelling ones runs 17th, and a timed one as well.
#[test]
fn sch_5_others_run_within_the_limit_plus_one() {
    for others in [
        Waiting {
            ring: 1,
            ..Waiting::default()
        },
        Waiting {
            pinned: 1,
            ..Waiting::default()
        },
        Waiting {
            newest: true,
            ..Waiting::default()
        },
        Waiting {
            injector: true,
            ..Waiting::default()
        },
        Waiting {
            timed: true,
            ..Waiting::default()
        },
    ] {
        let mut choice = Choice::new(Limits::default());
        let waiting = Waiting {
            cancel: true,
            ..others
        };
        // Cancelling work alone keeps nobody waiting: it uses nothing of the limit up.
        let alone = Waiting {
            cancel: true,
            ..Waiting::default()
        };
        taken(&mut choice, &alone, 100);
        assert_eq!(choice.max_cancel_streak(), 0);
        for _ in 0..3 {
            let round = taken(&mut choice, &waiting, 17);
            assert!(round[..16].iter().all(|&from| from == Source::Cancel));
            assert_ne!(round[16], Source::Cancel);
        }
        assert_eq!(choice.max_cancel_streak(), 16);
        assert_eq!(choice.fairness_yields(), 3);
    }
}

#[test]
fn sch_6_a_drain_doubles_the_limit_while_it_lasts() {
    let mut choice = Choice::new(Limits::default());
    let waiting = Waiting {
        cancel: true,
        ring: 1,
        ..Waiting::default()
    };
    let position = |choice: &mut Choice| {
        let round = taken(choice, &waiting, 100);
        let at = round.iter().position(|&from| from == Source::Ring);
        at.expect("it runs") + 1
    };
    let mut fresh = choice.clone();
    fresh.set_drain(true);
    assert_eq!(position(&mut fresh), 33);
    assert_eq!(fresh.max_cancel_streak(), 32);
    // In the middle of a streak it counts at once, both ways.
    taken(&mut choice, &waiting, 10);
    choice.set_drain(true);
    taken(&mut choice, &waiting, 10);
    assert_eq!(choice.choose(&waiting), Some(Source::Cancel));
    choice.set_drain(false);
    assert_eq!(choice.choose(&waiting), Some(Source::Ring));
    let mut after = choice.clone();
    taken(&mut after, &waiting, 1);
    assert_eq!(position(&mut after), 17);
}

/// Endless timed work and a ready task: within 33 dispatches that are not of the cancel lane,
/// whatever the cancel lane does in between.
#[test]
fn sch_7_timed_work_is_limited_while_ready_work_waits() {
    let limits = Limits {
        cancel_streak: 1000,
        ..Limits::default()
    };
    let mut choice = Choice::new(limits);
    let waiting = Waiting {
        timed: true,
        ring: 1,
        ..Waiting::default()
    };
    let round = taken(&mut choice, &waiting, 33);
    assert!(round[..32].iter().all(|&from| from == Source::Timed));
    assert_eq!(round[32], Source::Ring);
    for seed in 0..100 {
        let mut choice = Choice::new(Limits::default());
        let mut random = Random(seed);
        let (mut since, mut worst) = (0, 0);
        for _ in 0..10_000 {
            let waiting = Waiting {
                cancel: random.below(2) == 0,
                ..waiting
            };
            let from = choice.choose(&waiting).expect("something waits");
            choice.dispatched(from, &waiting);
            since = match from.lane() {
                Lane::Cancel => since,
                Lane::Timed => since + 1,
                Lane::Ready => 0,
            };
            worst = worst.max(since);
        }
        assert!((1..=32).contains(&worst), "{worst}");
    }
}

/// Two tasks that wake each other go through the slot; a third in the ring runs fourth.
#[test]
fn sch_9_newest_first_three_times_then_the_ring() {
    let mut choice = Choice::new(Limits::default());
    let waiting = Waiting {
        newest: true,
        ring: 1,
        ..Waiting::default()
    };
    use Source::{Newest, Ring};
    let round = [Newest, Newest, Newest, Ring];
    assert_eq!(taken(&mut choice, &waiting, 8), round.repeat(2));
    // With nothing in the ring the slot may go on; what comes to the ring is next.
    let alone = Waiting {
        newest: true,
        ..Waiting::default()
    };
    assert!(
        taken(&mut choice, &alone, 20)
            .iter()
            .all(|&from| from == Newest)
    );
    assert_eq!(choice.choose(&waiting), Some(Ring));
}

#[test]
fn sch_9_every_61st_dispatch_looks_at_the_injector_first() {
    let mut choice = Choice::new(Limits::default());
    let waiting = Waiting {
        newest: true,
        ring: 5,
        injector: true,
        ..Waiting::default()
    };
    let order = taken(&mut choice, &waiting, 620);
    let at: Vec<_> = (0..620).filter(|&n| order[n] == Source::Injector).collect();
    assert_eq!(at[0], 61);
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] == 62), "{at:?}");
    // A worker without ready work of its own takes from it at once.
    let only = Waiting {
        injector: true,
        ..Waiting::default()
    };
    let mut choice = Choice::new(Limits::default());
    assert_eq!(taken(&mut choice, &only, 3), [Source::Injector; 3]);
}

/// Ring and pinned inbox take turns as long as what they held: neither waits for more than that.
#[test]
fn sch_9_ring_and_inbox_take_turns() {
    let mut choice = Choice::new(Limits::default());
    let waiting = Waiting {
        ring: 3,
        pinned: 2,
        ..Waiting::default()
    };
    let order = taken(&mut choice, &waiting, 10);
    let pinned = order.iter().filter(|&&from| from == Source::Pinned).count();
    assert_eq!(pinned, 4, "{order:?}");
    assert_eq!(order[..5], order[5..]);
    let gone = Waiting { ring: 0, ..waiting };
    assert_eq!(taken(&mut choice, &gone, 3), [Source::Pinned; 3]);
}

#[test]
fn sch_10_no_limit_gives_way_entirely() {
    let good = Limits::default();
    assert_eq!(good.checked(), Ok(good));
    for (bad, name) in [
        (
            Limits {
                cancel_streak: 0,
                ..good
            },
            "cancel_streak",
        ),
        (
            Limits {
                cancel_streak: u32::MAX,
                ..good
            },
            "cancel_streak",
        ),
        (
            Limits {
                timed_streak: 0,
                ..good
            },
            "timed_streak",
        ),
        (
            Limits {
                lifo_streak: 4,
                ..good
            },
            "lifo_streak",
        ),
        (
            Limits {
                injector_interval: 0,
                ..good
            },
            "injector_interval",
        ),
    ] {
        let error = bad.checked().expect_err("refused");
        assert_eq!(error.kind(), Status::BAD_ARGUMENT);
        assert!(error.message().contains(name), "{error}");
    }
}

/// Whatever waits when: the streak stays within its limit, and work of a lower lane is taken only
/// where a limit says so.
#[test]
fn sch_11_the_longest_streak_is_within_the_limit() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let limits = Limits {
            cancel_streak: 1 + random.below(20),
            ..Limits::default()
        };
        let mut choice = Choice::new(limits);
        let mut yields = 0;
        for _ in 0..2000 {
            let waiting = random.waiting();
            let Some(from) = choice.choose(&waiting) else {
                assert_eq!(waiting, Waiting::default());
                continue;
            };
            choice.dispatched(from, &waiting);
            let preferred = match from.lane() {
                Lane::Cancel => false,
                Lane::Timed => waiting.cancel,
                Lane::Ready => waiting.cancel || waiting.timed,
            };
            yields += u64::from(preferred);
        }
        assert!(choice.max_cancel_streak() <= limits.cancel_streak);
        assert_eq!(choice.fairness_yields(), yields);
    }
}

/// An adversary decides what each dispatch leaves behind: everything that runs comes back at once,
/// cancelling and timed work never ends, the slot is always taken. Who stands in the ring behind
/// others runs within n (L + 2) dispatches of the n that were queued with it.
#[test]
fn sch_8_a_queued_task_runs_within_its_bound() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let limits = Limits {
            cancel_streak: 1 + random.below(20),
            ..Limits::default()
        };
        let mut choice = Choice::new(limits);
        let ahead = random.below(40) as usize;
        let pinned = random.below(10) as usize;
        let [cancel, timed, newest] = [(); 3].map(|()| random.below(4) > 0);
        let steady = random.below(2) == 0;
        let others = [cancel, timed, newest].into_iter().filter(|&is| is).count();
        let n = ahead + 1 + pinned + others;
        let mut dispatch = |ring: usize| {
            let mut now = |is: bool| is && (steady || random.below(8) > 0);
            let waiting = Waiting {
                cancel: now(cancel),
                timed: now(timed),
                newest: now(newest),
                ring,
                pinned,
                injector: false,
            };
            let from = choice.choose(&waiting)?;
            choice.dispatched(from, &waiting);
            Some(from)
        };
        // It comes at any time into what goes on.
        for _ in 0..seed {
            dispatch(ahead);
        }
        let (mut left, mut dispatches) = (ahead + 1, 0);
        while left > 0 {
            let from = dispatch(ahead + 1).expect("it waits");
            left -= usize::from(from == Source::Ring);
            dispatches += 1;
        }
        let bound = n * (limits.cancel_streak as usize + 2);
        assert!(
            dispatches <= bound,
            "seed {seed}: {dispatches} > {bound}, n {n}"
        );
    }
}

/// A small generator: the tests need variety, not quality.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963);
        ((self.0 >> 33) % u64::from(n)) as u32
    }

    fn waiting(&mut self) -> Waiting {
        Waiting {
            cancel: self.below(2) == 0,
            timed: self.below(2) == 0,
            newest: self.below(2) == 0,
            ring: self.below(3) as usize,
            pinned: self.below(2) as usize,
            injector: self.below(2) == 0,
        }
    }
}
