//! Budgets: the laws of `meet`, defaults, and who set what.

mod common;

use asr_base::{
    Budget, BudgetComponent, CancelKind, Duration, Explained, RegionId, SetBy, Time, TraceContext,
};
use common::{CASES, rng};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn val_16_laws_on_random_triples() {
    let mut rng = rng(16);
    let untraced = |budget: Budget| Budget {
        trace: None,
        ..budget
    };
    for _ in 0..CASES {
        let [a, b, c]: [Budget; 3] = std::array::from_fn(|_| common::budget(&mut rng));
        assert_eq!(a.meet(b).meet(c), a.meet(b.meet(c)), "{a:?} {b:?} {c:?}");
        assert_eq!(a.meet(a), a);
        assert_eq!(a.meet(Budget::UNLIMITED), a);
        assert_eq!(Budget::UNLIMITED.meet(a), a);
        assert_eq!(untraced(a.meet(b)), untraced(b.meet(a)));
        assert_eq!(a.meet(b).trace, b.trace.or(a.trace));
        // It only tightens.
        let met = a.meet(b);
        assert!(met.deadline <= a.deadline && met.polls <= a.polls && met.priority >= a.priority);
        assert!(
            a.cost
                .is_none_or(|cost| met.cost.is_some_and(|met| met <= cost))
        );
    }
}

#[test]
fn val_16_vectors() {
    let a = Budget::UNLIMITED
        .with_deadline(Time::ZERO + 10 * SECOND)
        .with_polls(50);
    let a = a.with_priority(7);
    let b = Budget::UNLIMITED
        .with_deadline(Time::ZERO + 4 * SECOND)
        .with_cost(9);
    let b = b.with_priority(3);
    let met = Budget {
        deadline: Time::ZERO + 4 * SECOND,
        polls: 50,
        cost: Some(9),
        priority: 7,
        trace: None,
    };
    assert_eq!(a.meet(b), met);
    assert_eq!(met.meet(Budget::UNLIMITED), met);
}

#[test]
fn val_25_four_nested_regions_each_tighten_one_component() {
    let region = |index| SetBy::Region(RegionId::new(index, 1));
    let deadline = Time::ZERO + 30 * SECOND;
    let trace = TraceContext {
        trace_id: 5,
        span_id: 6,
    };
    let explained = Explained::UNLIMITED
        .meet(Budget::UNLIMITED.with_deadline(deadline), region(0))
        .meet(Budget::UNLIMITED.with_polls(100), region(1))
        .meet(Budget::UNLIMITED.with_cost(7), region(2))
        .meet(Budget::UNLIMITED.with_priority(9), region(3));
    let set_by = |explained: &Explained| BudgetComponent::ALL.map(|c| explained.set_by(c));
    assert_eq!(
        set_by(&explained),
        [region(0), region(1), region(2), region(3), SetBy::Nobody]
    );
    let text = "deadline: 30.000000000 s, set by R0.1\n\
                polls: 100, set by R1.1\n\
                cost: 7, set by R2.1\n\
                priority: 9, set by R3.1\n\
                trace: unlimited, set by nobody\n";
    assert_eq!(explained.to_string(), text);
    // A call asks for less of one thing, for more of another, and begins a span.
    let call = SetBy::Call("timeout");
    let asked = Budget::UNLIMITED
        .with_deadline(deadline + SECOND)
        .with_polls(99)
        .with_cost(7)
        .with_priority(8)
        .with_trace(trace);
    let inner = explained.meet(asked, call);
    assert_eq!(
        set_by(&inner),
        [region(0), call, region(2), region(3), call]
    );
    assert_eq!(inner.budget(), explained.budget().meet(asked));
    // Asking for nothing changes nothing.
    assert_eq!(inner.meet(Budget::UNLIMITED, SetBy::Call("none")), inner);
}

#[test]
fn val_25_the_setter_of_a_component_asked_for_its_value() {
    let mut rng = rng(25);
    for _ in 0..CASES / 10 {
        let asked: [Budget; 5] = std::array::from_fn(|_| common::budget(&mut rng));
        let by = |index: usize| SetBy::Region(RegionId::new(index as u32, 1));
        let nested = (0..5).fold(Explained::UNLIMITED, |outer, at| {
            outer.meet(asked[at], by(at))
        });
        let met = asked
            .iter()
            .fold(Budget::UNLIMITED, |outer, inner| outer.meet(*inner));
        assert_eq!(nested.budget(), met);
        for component in BudgetComponent::ALL {
            let has_the_value = |budget: &Budget| match component {
                BudgetComponent::Deadline => budget.deadline == met.deadline,
                BudgetComponent::Polls => budget.polls == met.polls,
                BudgetComponent::Cost => budget.cost == met.cost,
                BudgetComponent::Priority => budget.priority == met.priority,
                BudgetComponent::Trace => budget.trace == met.trace,
            };
            match nested.set_by(component) {
                SetBy::Region(region) => {
                    assert!(has_the_value(&asked[region.index() as usize]), "{nested}");
                }
                by => {
                    assert_eq!(by, SetBy::Nobody);
                    assert!(has_the_value(&Budget::UNLIMITED), "{nested}");
                }
            }
        }
    }
}

/// Reading them back from a fresh runtime is in the tests of the lab (`budgets`).
#[test]
fn val_26_the_numbers_of_the_defaults() {
    let now = Time::from_nanos(5);
    let request = Budget::request(now);
    assert_eq!(request.deadline, now + 30 * SECOND);
    assert_eq!((request.polls, request.priority), (10_000, 100));
    assert_eq!((request.cost, request.trace), (None, None));
    let cleanup = Budget::cleanup(now);
    assert_eq!((cleanup.deadline, cleanup.polls), (now + 5 * SECOND, 500));
    assert_eq!(
        (cleanup.cost, cleanup.priority, cleanup.trace),
        (None, 0, None)
    );
    assert_eq!(Budget::default(), Budget::UNLIMITED);
    assert_eq!(Budget::request(Time::MAX).deadline, Time::MAX);
}

#[test]
fn exhaustion_names_the_first_component_and_its_kind() {
    let now = Time::from_nanos(10);
    let open = Budget::UNLIMITED;
    assert_eq!(open.exhausted(Time::MAX), None, "never is not a deadline");
    assert_eq!(
        open.with_deadline(Time::from_nanos(11)).exhausted(now),
        None
    );
    for (budget, component, kind) in [
        (
            open.with_deadline(now),
            BudgetComponent::Deadline,
            CancelKind::Timeout,
        ),
        (
            open.with_polls(0),
            BudgetComponent::Polls,
            CancelKind::Exhausted,
        ),
        (
            open.with_cost(0),
            BudgetComponent::Cost,
            CancelKind::Exhausted,
        ),
        (
            open.with_cost(0).with_deadline(now),
            BudgetComponent::Deadline,
            CancelKind::Timeout,
        ),
    ] {
        assert_eq!(budget.exhausted(now), Some(component));
        assert_eq!(component.cancel_kind(), Some(kind));
    }
    assert_eq!(BudgetComponent::Priority.cancel_kind(), None);
    assert_eq!(BudgetComponent::Trace.cancel_kind(), None);
}
