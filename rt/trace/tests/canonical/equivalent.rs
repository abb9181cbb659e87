//! TRC-12: both sides are explored to the end, in each of three environments.

use std::collections::BTreeSet;

use asr_trace::{Difference, Event, Seen, equivalent};

use crate::model::{Machine, Op, task};

/// The cell through which the environment speaks, and the one in which the outcome stands.
const INPUT: u64 = 8;
const OUTCOME: u64 = 9;

/// What all interleavings of the tasks show, for each environment.
fn explore(capacity: usize, tasks: &[&[Op]]) -> Vec<BTreeSet<Seen>> {
    let environment = |input| {
        let mut machine = Machine::new(capacity);
        machine.cells.insert(INPUT, input);
        let mut seen = BTreeSet::new();
        let mut next = vec![0; tasks.len()];
        walk(tasks, &machine, &mut next, &mut Vec::new(), &mut seen);
        seen
    };
    [0, 1, 5].map(environment).to_vec()
}

fn walk(
    tasks: &[&[Op]],
    machine: &Machine,
    next: &mut Vec<usize>,
    events: &mut Vec<Event>,
    seen: &mut BTreeSet<Seen>,
) {
    let mut stuck = true;
    for (n, ops) in tasks.iter().enumerate() {
        let Some(&op) = ops.get(next[n]) else {
            continue;
        };
        let mut machine = machine.clone();
        if machine.enabled(task(n as u32), op) {
            stuck = false;
            events.push(machine.step(events.len() as u64 + 1, task(n as u32), op));
            next[n] += 1;
            walk(tasks, &machine, next, events, seen);
            next[n] -= 1;
            events.pop();
        }
    }
    if stuck {
        let done = next.iter().zip(tasks).all(|(&n, ops)| n == ops.len());
        let value = machine.cells.get(&OUTCOME).copied().unwrap_or(0);
        let outcome = u128::from(done) << 64 | u128::from(value);
        seen.insert(Seen::of(outcome, events));
    }
}

#[test]
fn trc_12_more_internal_steps_are_equivalent() {
    let plain: [&[Op]; 2] = [
        &[Op::Read(INPUT), Op::Print(0)],
        &[Op::Print(7), Op::Add(OUTCOME, 2)],
    ];
    let busy: [&[Op]; 2] = [
        &[
            Op::Reserve,
            Op::Read(INPUT),
            Op::Tokens,
            Op::Read(INPUT),
            Op::Print(0),
        ],
        &[
            Op::Lock(1),
            Op::Print(7),
            Op::Unlock(1),
            Op::Add(OUTCOME, 1),
            Op::Add(OUTCOME, 1),
        ],
    ];
    let (plain, busy) = (explore(1, &plain), explore(1, &busy));
    assert!(equivalent(&plain, &busy));
    assert!(plain.iter().all(|seen| seen.len() == 1));
    assert!(!equivalent(&plain, &plain[..1]));
}

#[test]
fn trc_12_a_larger_channel_is_equivalent_for_one_who_only_receives() {
    let program: [&[Op]; 2] = [
        &[
            Op::Read(INPUT),
            Op::Send(0),
            Op::Send(0),
            Op::Read(3),
            Op::Send(0),
        ],
        &[
            Op::Receive(0),
            Op::Print(1),
            Op::Receive(0),
            Op::Print(2),
            Op::Receive(0),
            Op::Print(3),
        ],
    ];
    assert!(equivalent(&explore(1, &program), &explore(3, &program)));
}

#[test]
fn trc_12_an_increment_in_two_steps_is_not_equivalent_to_one_in_one() {
    let torn: &[Op] = &[Op::Read(OUTCOME), Op::Write(OUTCOME, 1)];
    let whole: &[Op] = &[Op::Add(OUTCOME, 1)];
    let (torn, whole) = (explore(1, &[torn, torn]), explore(1, &[whole, whole]));
    assert!(!equivalent(&torn, &whole));
    let difference = Difference::between(&torn[0], &whole[0]);
    assert_eq!((difference.left.len(), difference.right.len()), (1, 0));
}

#[test]
fn trc_12_an_order_that_only_hidden_events_keep_is_seen() {
    // The same two prints; in the second program a message joins them, which no one sees.
    let free: [&[Op]; 2] = [
        &[Op::Print(1), Op::Send(0)],
        &[Op::Print(2), Op::Receive(0)],
    ];
    let joined: [&[Op]; 2] = [
        &[Op::Print(1), Op::Send(0)],
        &[Op::Receive(0), Op::Write(4, 0), Op::Read(5), Op::Print(2)],
    ];
    let (free, joined) = (explore(1, &free), explore(1, &joined));
    assert!(free.iter().chain(&joined).all(|seen| seen.len() == 1));
    assert!(!equivalent(&free, &joined));
}
