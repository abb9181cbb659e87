//! Random values of all kinds, from a fixed seed: a failure comes again.
#![allow(dead_code, reason = "each test file uses some of it")]

use asr_base::{
    Attribution, Budget, BudgetComponent, CancelKind, CancelReason, CancelRequest, Error, Origin,
    Outcome, PanicKind, PanicPayload, Purpose, RegionId, Rng, Status, TaskId, Time, TraceContext,
};

/// How many random cases the laws are checked on.
pub(crate) const CASES: usize = 10_000;

pub(crate) fn rng(test: u64) -> Rng {
    Rng::stream(0x5eed_0000_0000_0001, Purpose(test << 8))
}

/// True in about half of all cases.
pub(crate) fn coin(rng: &mut Rng) -> bool {
    rng.below(2) == 1
}

/// A number that is often at an end of the range.
pub(crate) fn edgy(rng: &mut Rng) -> u64 {
    match rng.below(8) {
        0 => 0,
        1 => 1,
        2 => u64::MAX - 1,
        3 => u64::MAX,
        4 | 5 => rng.below(10),
        _ => rng.next_u64(),
    }
}

pub(crate) fn task(index: u32) -> TaskId {
    TaskId::new(index, 1)
}

/// Few origins and times, so that ties are common.
pub(crate) fn reason(rng: &mut Rng) -> CancelReason {
    let kind = CancelKind::ALL[rng.below(7) as usize];
    let origin = match rng.below(3) {
        0 => Origin::Task(task(rng.below(2) as u32)),
        1 => Origin::Region(RegionId::new(rng.below(2) as u32, 1)),
        _ => Origin::Node(rng.below(3)),
    };
    let mut new = CancelReason::new(kind, origin, Time::from_nanos(rng.below(3)));
    if coin(rng) {
        new = new.with_message(["", "a", "b"][rng.below(3) as usize]);
    }
    if rng.below(4) == 0 {
        new = new.with_component(BudgetComponent::ALL[rng.below(5) as usize]);
    }
    if rng.below(4) == 0 {
        new = new.with_error(error(rng));
    }
    if rng.below(8) == 0 {
        new = new.escalate();
    }
    if rng.below(4) == 0 {
        let limits = Attribution {
            max_depth: 2 + rng.below(3) as usize,
            ..Attribution::default()
        };
        new = new.caused_by(&reason(rng), limits);
    }
    new
}

pub(crate) fn error(rng: &mut Rng) -> Error {
    let new = Error::new(Status::IO, ["x", "y"][rng.below(2) as usize]);
    if coin(rng) { new.permanent() } else { new }
}

/// Few tasks, so that the same one turns up on both sides.
pub(crate) fn payload(rng: &mut Rng) -> PanicPayload {
    let who = rng.below(12) as u32;
    let id = (who > 0).then(|| task(who));
    PanicPayload::new(PanicKind::Panic, "boom").at(id, None, None)
}

pub(crate) fn outcome(rng: &mut Rng) -> Outcome<()> {
    match rng.below(4) {
        0 => Outcome::Ok(()),
        1 => Outcome::Err(error(rng)),
        2 => Outcome::Cancelled(reason(rng)),
        _ => Outcome::Panicked(payload(rng)),
    }
}

pub(crate) fn trace(rng: &mut Rng) -> Option<TraceContext> {
    let trace_id = u128::from(rng.below(3));
    (trace_id > 0).then(|| TraceContext {
        trace_id,
        span_id: rng.below(3),
    })
}

pub(crate) fn budget(rng: &mut Rng) -> Budget {
    Budget {
        deadline: Time::from_nanos(edgy(rng)),
        polls: u32::try_from(edgy(rng)).unwrap_or(u32::MAX),
        cost: coin(rng).then(|| edgy(rng)),
        priority: rng.next_u64() as u8,
        trace: trace(rng),
    }
}

pub(crate) fn request(rng: &mut Rng) -> CancelRequest {
    CancelRequest::new(reason(rng), budget(rng))
}

/// Puts a slice in random order.
pub(crate) fn shuffle<T>(rng: &mut Rng, items: &mut [T]) {
    for end in (1..items.len()).rev() {
        items.swap(end, rng.below(end as u64 + 1) as usize);
    }
}

/// All orders of the numbers under `n`.
pub(crate) fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for shorter in permutations(n - 1) {
        for at in 0..n {
            let mut order = shorter.clone();
            order.insert(at, n - 1);
            all.push(order);
        }
    }
    all
}
