//! TRC-3, and the vector mode of TRC-6.

use asr_base::{Rng, TaskId, Time};
use asr_trace::{Causes, Draft, HappensBefore, Kind, Log};

use crate::program::{Program, below};

#[test]
fn trc_3_rebuilt_relation_equals_the_vector_clocks_of_the_run() {
    let mut rng = Rng::seeded(3);
    for _ in 0..60 {
        let program = Program::run(&mut rng, 120);
        let relation = HappensBefore::rebuild(&program.events);
        for a in 0..program.events.len() {
            for b in 0..program.events.len() {
                let expected = below(&program.vectors[a], &program.vectors[b]);
                assert_eq!(relation.before(a, b), expected, "{a} {b}");
            }
        }
    }
}

#[test]
fn trc_3_causes_that_ids_tell_are_found_again() {
    let mut rng = Rng::seeded(33);
    let mut found = 0;
    for _ in 0..60 {
        let program = Program::run(&mut rng, 150);
        let mut log = Log {
            events: program.events.clone(),
            ..Log::default()
        };
        // The emit sites of messages know the cause; all others left theirs out.
        for event in log
            .events
            .iter_mut()
            .filter(|event| event.kind != Kind::Checkpoint)
        {
            event.causes = Causes::NONE;
        }
        log.link();
        assert_eq!(
            HappensBefore::rebuild(&log.events),
            HappensBefore::rebuild(&program.events)
        );
        for event in &log {
            for cause in event.causes.iter() {
                assert!(log.events[cause as usize - 1].logical < event.logical);
                found += 1;
            }
        }
        // What is linked stays so, and the edges given at the site are not doubled.
        let mut again = log.clone();
        again.link();
        assert_eq!(again, log);
    }
    assert!(found > 1000, "{found} edges");
}

/// Every edge, closed step by step: slow, and nothing but the definition.
fn closure(program: &Program) -> Vec<Vec<bool>> {
    let n = program.events.len();
    let mut before = vec![vec![false; n]; n];
    for b in 0..n {
        for a in 0..b {
            let (e, f) = (&program.events[a], &program.events[b]);
            if e.task == f.task || f.causes.contains(e.seq) {
                for row in &mut before {
                    row[b] |= row[a];
                }
                before[a][b] = true;
            }
        }
    }
    before
}

#[test]
fn trc_6_vector_time_is_smaller_exactly_if_the_event_happened_before() {
    let mut rng = Rng::seeded(6);
    for _ in 0..30 {
        let program = Program::run(&mut rng, 120);
        let relation = HappensBefore::rebuild(&program.events);
        let expected = closure(&program);
        let vector = |i| relation.vector(i).iter().copied();
        let less = |a: usize, b: usize| {
            let there = |c: usize| vector(b).find(|e| e.0 == c).map_or(0, |e| e.1);
            a != b && vector(a).all(|(component, count)| there(component) >= count)
        };
        for (a, row) in expected.iter().enumerate() {
            for (b, &before) in row.iter().enumerate() {
                assert_eq!(less(a, b), before, "{a} {b}");
                assert_eq!(relation.before(a, b), before, "{a} {b}");
            }
            let past: Vec<usize> = (0..row.len()).filter(|&e| expected[e][a]).collect();
            assert_eq!(relation.past(a), past);
        }
    }
}

#[test]
fn trc_3_events_without_a_task_are_ordered_by_causes_alone() {
    let at = |seq, task: Option<TaskId>, cause| {
        let draft = Draft::new(Kind::TimerFire, Time::ZERO).task(task);
        draft.cause(cause).event(seq, 0)
    };
    let one = Some(TaskId::new(1, 1));
    let events = [
        at(1, None, 0),
        at(2, None, 0),
        at(3, one, 2),
        at(4, None, 3),
        at(5, one, 99),
    ];
    let relation = HappensBefore::rebuild(&events);
    assert!(relation.concurrent(0, 1) && relation.concurrent(0, 4));
    assert!(relation.before(1, 2) && relation.before(1, 3) && relation.before(1, 4));
    assert!(relation.concurrent(3, 4) && !relation.before(2, 1));
}
