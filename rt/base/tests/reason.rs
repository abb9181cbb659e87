//! Cancel reasons: ranks, chains in limits, cleanup budgets, merging.

mod common;

use asr_base::{
    Attribution, Budget, BudgetComponent, CancelKind, CancelReason, CancelRequest, CleanupBase,
    CleanupBudget, Duration, Error, Origin, RegionId, Status, Time, Truncated, cleanup_budget,
};
use common::{CASES, permutations, rng, task};

fn at(kind: CancelKind, time: u64, origin: u64) -> CancelReason {
    CancelReason::new(kind, Origin::Node(origin), Time::from_nanos(time))
}

/// What a region at this depth derives from the reason of its parent.
fn derived(depth: u32, cause: &CancelReason, limits: Attribution) -> CancelReason {
    let region = Origin::Region(RegionId::new(depth, 1));
    let time = Time::from_nanos(depth.into());
    CancelReason::new(CancelKind::ParentCancelled, region, time).caused_by(cause, limits)
}

fn deep(links: u32, limits: Attribution) -> CancelReason {
    let root = at(CancelKind::User, 0, 0).with_message("stop");
    (1..links).fold(root, |cause, depth| derived(depth, &cause, limits))
}

fn times(reason: &CancelReason) -> Vec<u64> {
    reason.chain().map(|link| link.at().as_nanos()).collect()
}

#[test]
fn val_12_rank_table() {
    let dump: Vec<_> = CancelKind::ALL
        .iter()
        .map(|k| format!("{k} {}", k.rank()))
        .collect();
    assert_eq!(
        dump,
        [
            "User 0",
            "Timeout 1",
            "Exhausted 2",
            "FailFast 3",
            "RaceLost 4",
            "ParentCancelled 5",
            "Shutdown 6"
        ]
    );
    for (rank, kind) in (0..).zip(CancelKind::ALL) {
        assert_eq!(CancelKind::from_rank(rank), Some(kind));
    }
    assert_eq!(CancelKind::from_rank(7), None);
}

/// The reason of a leaf below a cancelled grandparent is in the tests of the lab (`budgets`).
#[test]
fn val_13_a_reason_holds_what_it_should() {
    let request = CancelReason::new(CancelKind::User, Origin::Task(task(4)), Time::from_nanos(7));
    let request = request.with_message(&"é".repeat(200));
    assert_eq!(
        (request.kind(), request.at()),
        (CancelKind::User, Time::from_nanos(7))
    );
    assert_eq!(request.origin(), Origin::Task(task(4)));
    assert_eq!(request.message(), "é".repeat(128), "256 bytes");
    assert!(request.cause().is_none());
    let plain = at(CancelKind::User, 0, 0);
    assert_eq!(plain.clone().with_literal("x"), plain.with_message("x"));
    let odd = at(CancelKind::User, 0, 0).with_message(&format!("x{}", "é".repeat(200)));
    assert_eq!(odd.message().len(), 255);
    let limits = Attribution::default();
    let leaf = derived(2, &derived(1, &request, limits), limits);
    assert_eq!(leaf.kind(), CancelKind::ParentCancelled);
    assert_eq!(leaf.chain().last(), Some(&request));
    assert_eq!(leaf.root(), &request);
    assert_eq!(leaf.cause().and_then(CancelReason::cause), Some(&request));
    assert_eq!(leaf.truncated(), None);
    let text = "ParentCancelled by R2.1 at 0.000000002 s <- ParentCancelled by R1.1 at \
                0.000000001 s <- User by T4.1 at 0.000000007 s: é";
    assert!(leaf.to_string().starts_with(text), "{leaf}");
}

#[test]
fn val_14_a_thousand_links() {
    let reason = deep(1000, Attribution::default());
    let mut links = times(&reason);
    links.reverse();
    let newest = 985..1000;
    assert_eq!(
        links,
        std::iter::once(0).chain(newest).collect::<Vec<_>>(),
        "the root is first"
    );
    assert_eq!(links.len(), 16);
    assert_eq!(reason.root().message(), "stop");
    // The gap is before the root: every link above it has lost as much, the root nothing.
    for link in reason.chain().take(15) {
        assert_eq!(link.truncated().map(|truncated| truncated.links), Some(984));
    }
    assert_eq!(reason.root().truncated(), None);
    let each = CancelReason::LINK_BYTES as u64;
    assert_eq!(
        reason.truncated(),
        Some(Truncated {
            links: 984,
            bytes: 984 * each
        })
    );
    assert_eq!((reason.depth(), reason.bytes()), (16, 16 * each + 4));
    assert!(
        reason
            .to_string()
            .ends_with("[984 links, 17712 bytes left out]"),
        "{reason}"
    );
}

#[test]
fn val_14_the_limit_in_bytes() {
    let limits = Attribution {
        max_depth: 1000,
        max_bytes: 4096,
    };
    let message = "m".repeat(256);
    let each = CancelReason::LINK_BYTES as u64 + 256;
    let mut reason = at(CancelKind::User, 0, 0).with_message(&message);
    for time in 1..100 {
        let new = at(CancelKind::ParentCancelled, time, 1).with_message(&message);
        reason = new.caused_by(&reason, limits);
        let (kept, left_out) = (reason.depth(), reason.truncated().map_or(0, |t| t.links));
        assert!(reason.bytes() <= 4096);
        assert_eq!(kept, (time + 1).min(4096 / each));
        assert_eq!(kept + left_out, time + 1);
        assert_eq!(reason.chain().count() as u64, kept);
        assert_eq!(reason.root().at(), Time::ZERO);
    }
    // An error that came with the result counts too.
    let error = Error::new(Status::IO, "e".repeat(4000));
    let long = at(CancelKind::ParentCancelled, 100, 1)
        .with_error(error)
        .caused_by(&reason, limits);
    assert_eq!(times(&long), [100, 0]);
}

#[test]
fn val_14_any_limits() {
    for max_depth in 0..10 {
        let limits = Attribution {
            max_depth,
            ..Attribution::default()
        };
        for links in 1..12 {
            let reason = deep(links, limits);
            let kept = u64::from(links).min(max_depth.max(2) as u64);
            assert_eq!(reason.depth(), kept);
            let left_out = u64::from(links) - kept;
            assert_eq!(
                reason.truncated().map_or(0, |truncated| truncated.links),
                left_out
            );
            // The newest links without a gap, then the root.
            let last = u64::from(links) - 1;
            let mut expected: Vec<_> = (0..kept - 1).map(|back| last - back).collect();
            expected.push(0);
            assert_eq!(times(&reason), expected, "{links} links, limit {max_depth}");
        }
    }
    // Limits may differ from one link to the next; what is lost adds up.
    let short = deep(
        100,
        Attribution {
            max_depth: 4,
            ..Attribution::default()
        },
    );
    let longer = derived(100, &short, Attribution::default());
    assert_eq!(
        (longer.depth(), longer.truncated().map(|t| t.links)),
        (5, Some(96))
    );
}

#[test]
fn val_14_a_long_chain_takes_no_stack() {
    let limits = Attribution {
        max_depth: usize::MAX,
        max_bytes: usize::MAX,
    };
    let work = move || {
        let reason = deep(100_000, limits);
        assert_eq!(reason.chain().count(), 100_000);
        assert_eq!(reason.truncated(), None);
        let same = deep(100_000, limits);
        assert_eq!(reason, same, "compared link by link");
        assert!(reason.to_string().len() > 100_000);
        // One that is held from the middle goes when its last holder goes.
        let middle = reason.chain().nth(50_000).cloned().expect("it is long");
        drop(reason);
        assert_eq!(middle.chain().count(), 50_000);
    };
    let small = std::thread::Builder::new().stack_size(64 << 10);
    small
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("no overflow, no panic");
}

#[test]
fn val_15_cleanup_budgets() {
    let base = CleanupBase::default();
    let is = |kind, responsiveness, millis, polls| {
        let got = cleanup_budget(base, kind, responsiveness);
        assert_eq!(
            got,
            CleanupBudget {
                duration: Duration::from_millis(millis),
                polls
            },
            "{kind}"
        );
    };
    is(CancelKind::User, 0, 5000, 500);
    is(CancelKind::Timeout, 0, 4500, 450);
    is(CancelKind::Exhausted, 0, 4000, 400);
    is(CancelKind::FailFast, 40, 3500, 350);
    is(CancelKind::RaceLost, 0, 3000, 300);
    is(CancelKind::ParentCancelled, 0, 2500, 250);
    is(CancelKind::Shutdown, 0, 2000, 200);
    is(CancelKind::Shutdown, 300, 2000, 300);
    is(CancelKind::Shutdown, 260, 2000, 260);
    let now = Time::from_nanos(1);
    let budget = cleanup_budget(base, CancelKind::User, 0).starting(now);
    assert_eq!(
        (budget.deadline, budget.polls),
        (now + Duration::from_secs(5), 500)
    );
}

#[test]
fn val_15_no_base_overflows() {
    let mut rng = rng(15);
    for _ in 0..CASES {
        let nanos = common::edgy(&mut rng);
        let duration = Duration::from_nanos(nanos);
        let polls = common::edgy(&mut rng) as u32;
        let responsiveness = common::edgy(&mut rng) as u32;
        let kind = CancelKind::ALL[rng.below(7) as usize];
        let got = cleanup_budget(CleanupBase { duration, polls }, kind, responsiveness);
        let share = u128::from(10 - kind.rank());
        assert_eq!(got.duration.as_nanos(), u128::from(nanos) * share / 10);
        let shrunk = u128::from(polls) * share / 10;
        assert_eq!(u128::from(got.polls), shrunk.max(responsiveness.into()));
    }
    let most = CleanupBase {
        duration: Duration::MAX,
        polls: u32::MAX,
    };
    let got = cleanup_budget(most, CancelKind::User, 0);
    assert_eq!(
        got,
        CleanupBudget {
            duration: Duration::MAX,
            polls: u32::MAX
        }
    );
}

#[test]
fn val_21_vectors() {
    let (timeout, user) = (at(CancelKind::Timeout, 5, 9), at(CancelKind::User, 1, 9));
    assert_eq!(timeout.strengthen(&user), timeout);
    assert_eq!(user.strengthen(&timeout), timeout);
    let smaller = at(CancelKind::Timeout, 5, 4);
    assert_eq!(timeout.strengthen(&smaller).origin(), Origin::Node(4));
    assert_eq!(smaller.strengthen(&timeout).origin(), Origin::Node(4));
    let earlier = at(CancelKind::Timeout, 4, 10);
    assert_eq!(smaller.strengthen(&earlier).at(), Time::from_nanos(4));
}

#[test]
fn val_21_all_orders_of_five_requests_end_in_one_state() {
    let mut rng = rng(21);
    let orders = permutations(5);
    assert_eq!(orders.len(), 120);
    for _ in 0..200 {
        let requests: [_; 5] = std::array::from_fn(|_| common::request(&mut rng));
        let merged = |order: &[usize]| {
            let in_order = order.iter().map(|&index| requests[index].clone());
            in_order.reduce(|a, b| a.merge(&b)).expect("five")
        };
        let expected = merged(&[0, 1, 2, 3, 4]);
        for order in &orders {
            let got = merged(order);
            assert_eq!(got, expected, "{order:?} of {requests:?}");
            assert_eq!(
                got.reason.to_string(),
                expected.reason.to_string(),
                "to the last byte"
            );
        }
        let strongest = requests.iter().map(|r| {
            (
                r.reason.kind(),
                std::cmp::Reverse((r.reason.at(), r.reason.origin())),
            )
        });
        let (kind, std::cmp::Reverse((time, origin))) = strongest.max().expect("five");
        let got = &expected.reason;
        assert_eq!((got.kind(), got.at(), got.origin()), (kind, time, origin));
        let met = requests
            .iter()
            .fold(Budget::UNLIMITED, |met, r| met.meet(r.cleanup));
        assert_eq!(
            Budget {
                trace: None,
                ..expected.cleanup
            },
            Budget { trace: None, ..met }
        );
    }
}

#[test]
fn val_21_laws_on_random_triples() {
    let mut rng = rng(210);
    for _ in 0..CASES {
        let [a, b, c]: [CancelRequest; 3] = std::array::from_fn(|_| common::request(&mut rng));
        assert_eq!(a.merge(&b), b.merge(&a), "{a:?} {b:?}");
        assert_eq!(
            a.merge(&b).merge(&c),
            a.merge(&b.merge(&c)),
            "{a:?} {b:?} {c:?}"
        );
        assert_eq!(a.merge(&a), a);
    }
}

#[test]
fn val_21_a_tie_is_broken_by_whatever_differs() {
    let plain = at(CancelKind::User, 0, 0);
    let io = |message: &str| Error::new(Status::IO, message);
    let limits = Attribution {
        max_depth: 2,
        ..Attribution::default()
    };
    // Same two links left, another number lost.
    let lossy = |links| {
        let last = deep(links, limits);
        plain.clone().caused_by(&last, limits)
    };
    let reasons = [
        plain.clone(),
        plain.clone().with_message("a"),
        plain.clone().with_message("b"),
        plain.clone().with_component(BudgetComponent::Cost),
        plain.clone().with_component(BudgetComponent::Polls),
        plain.clone().escalate(),
        plain.clone().with_error(io("a")),
        plain.clone().with_error(io("b")),
        plain.clone().with_error(io("b").permanent()),
        lossy(1),
        lossy(5),
        lossy(6),
        at(CancelKind::User, 0, 0).caused_by(&at(CancelKind::User, 0, 1), limits),
    ];
    for (i, a) in reasons.iter().enumerate() {
        for (j, b) in reasons.iter().enumerate() {
            assert_eq!(a == b, i == j, "{a} {b}");
            let (ab, ba) = (a.strengthen(b), b.strengthen(a));
            assert_eq!(format!("{ab}"), format!("{ba}"), "{a} {b}");
            for c in &reasons {
                assert_eq!(ab.strengthen(c), a.strengthen(&b.strengthen(c)));
            }
        }
    }
}

#[test]
fn a_reason_carries_what_it_was_given() {
    let reason = at(CancelKind::Exhausted, 1, 1)
        .with_component(BudgetComponent::Cost)
        .with_error(Error::new(Status::IO, "gone"))
        .escalate();
    assert_eq!(reason.component(), Some(BudgetComponent::Cost));
    assert_eq!(reason.error().map(Error::kind), Some(Status::IO));
    assert!(reason.escalated());
    let plain = at(CancelKind::Exhausted, 1, 1);
    assert_ne!(reason, plain);
    assert!(!plain.escalated() && plain.error().is_none() && plain.component().is_none());
    // A change to a clone is not seen by the original.
    let changed = plain.clone().with_message("late");
    assert_eq!((plain.message(), changed.message()), ("", "late"));
    assert!(CancelReason::observed().is_placeholder());
    assert!(!plain.is_placeholder());
    let real = at(CancelKind::User, 5, 5);
    assert_eq!(CancelReason::observed().strengthen(&real), real);
}
