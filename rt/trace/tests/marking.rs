//! OBL-20, OBL-21 and OBL-22: the marking over traces, clean and with planted violations.

use std::collections::BTreeMap;

use asr_base::{ObligationId, RegionId, Rng, TaskId, Time};
use asr_trace::{
    Causes, Draft, Event, Fault, Kind, Marking, Object, Resource, Sub, Totals, Violation,
};

fn region(n: u32) -> RegionId {
    RegionId::new(n, 1)
}

fn task(n: u32) -> TaskId {
    TaskId::new(n, 1)
}

/// A token as the generator knows it.
#[derive(Clone, Copy)]
struct Token {
    id: u64,
    region: u32,
    kind: u64,
    holder: u32,
    reserved: u64,
}

/// A random clean trace of 8 tasks, event by event, in memory of the live tokens alone.
struct Traffic {
    rng: Rng,
    seq: u64,
    live: Vec<Token>,
    totals: BTreeMap<u8, Totals>,
    limit: usize,
}

const TASKS: u64 = 8;
const REGIONS: u64 = 5;
const KINDS: u64 = 11;

impl Traffic {
    fn new(seed: u64, limit: usize) -> Traffic {
        Traffic {
            rng: Rng::seeded(seed),
            seq: 0,
            live: Vec::new(),
            totals: BTreeMap::new(),
            limit,
        }
    }

    fn draft(&mut self, kind: Kind, token: &Token) -> Draft {
        self.seq += 1;
        Draft::new(kind, Time::from_nanos(self.seq))
            .task(task(token.holder))
            .region(region(token.region))
            .words(token.id, token.kind, 0)
    }

    /// The next event. Every eighth token has no id.
    fn next(&mut self) -> Event {
        let n = self.live.len();
        let reserve = n == 0 || (n < self.limit && self.rng.below(2) == 0);
        if reserve {
            let seq = self.seq + 1;
            let id = ObligationId::new(seq as u32, 1).to_bits();
            let token = Token {
                id: if self.rng.below(8) == 0 { 0 } else { id },
                region: self.rng.below(REGIONS) as u32,
                kind: self.rng.below(KINDS),
                holder: self.rng.below(TASKS) as u32,
                reserved: seq,
            };
            self.live.push(token);
            self.totals.entry(token.kind as u8).or_default().reserved += 1;
            return self.draft(Kind::ObligationReserve, &token).event(seq, seq);
        }
        let at = self.rng.below(n as u64) as usize;
        let mut token = self.live[at];
        if self.rng.below(4) == 0 {
            let mut draft = self.draft(Kind::ObligationTransfer, &token);
            token.region = self.rng.below(REGIONS) as u32;
            token.holder = self.rng.below(TASKS) as u32;
            self.live[at] = token;
            draft.c = region(token.region).to_bits();
            draft = draft.object(Object::write(Resource::Task(task(token.holder))));
            return draft.event(self.seq, self.seq);
        }
        self.live.swap_remove(at);
        let totals = self.totals.entry(token.kind as u8).or_default();
        let kind = if self.rng.below(3) > 0 {
            totals.committed += 1;
            Kind::ObligationCommit
        } else {
            totals.aborted += 1;
            Kind::ObligationAbort
        };
        let draft = self.draft(kind, &token).cause(token.reserved);
        draft.event(self.seq, self.seq)
    }
}

/// Three events per live token at most, whatever the length of the trace.
fn within_memory(marking: &Marking, live: usize) {
    assert!(
        marking.entries() <= 3 * live,
        "{} for {live}",
        marking.entries()
    );
}

#[test]
fn obl_20_places_follow_random_traffic_and_are_empty_at_the_close() {
    for seed in 0..20 {
        let mut traffic = Traffic::new(seed, 40);
        let mut marking = Marking::new();
        for _ in 0..2000 {
            marking.step(&traffic.next()).unwrap();
            let mut places: BTreeMap<(u32, u64), u64> = BTreeMap::new();
            for token in &traffic.live {
                *places.entry((token.region, token.kind)).or_insert(0) += 1;
            }
            let at = |r: u32, k: u64| places.get(&(r, k)).copied().unwrap_or(0);
            let (r, k) = (traffic.rng.below(REGIONS) as u32, traffic.rng.below(KINDS));
            assert_eq!(marking.at(region(r), k as u8), at(r, k));
        }
        // A region closes: fine if nothing is in it, else the first violation.
        for r in 0..REGIONS as u32 {
            let tokens = traffic
                .live
                .iter()
                .filter(|token| token.region == r)
                .count() as u64;
            let closed = Draft::new(Kind::RegionClosed, Time::MAX).region(region(r));
            let expected = match tokens {
                0 => Ok(()),
                n => Err(Fault::Marked(region(r), n)),
            };
            let found = marking.step(&closed.event(9999, 0));
            assert_eq!(found.map_err(|violation| violation.fault), expected);
        }
    }
}

fn at(kind: Kind, seq: u64, id: u64, r: u32, k: u64) -> Event {
    let draft = Draft::new(kind, Time::ZERO).task(task(1)).region(region(r));
    draft.words(id, k, 0).event(seq, seq)
}

fn found(events: &[Event]) -> Option<Violation> {
    Marking::check(events).err()
}

#[test]
fn obl_20_planted_violations_are_caught_at_their_event() {
    use Kind::{ObligationAbort as A, ObligationCommit as C, ObligationReserve as R};
    let transfer = |seq, id, from, to| Event {
        c: region(to).to_bits(),
        ..at(Kind::ObligationTransfer, seq, id, from, 0)
    };
    let closed = |seq, r| at(Kind::RegionClosed, seq, 0, r, 0);
    let id = ObligationId::new(4, 1).to_bits();
    let away = Fault::Misplaced(region(0), 0);
    let cases = [
        (vec![at(C, 1, 0, 0, 0)], 1, Fault::Negative(region(0), 0)),
        (
            vec![at(R, 1, 0, 0, 0), at(C, 2, 0, 0, 1)],
            2,
            Fault::Negative(region(0), 1),
        ),
        (
            vec![at(R, 1, 0, 0, 0), at(A, 2, 0, 0, 0), at(A, 3, 0, 0, 0)],
            3,
            Fault::Negative(region(0), 0),
        ),
        // A counted token is not resolved in place of one with an id, nor the other way round.
        (
            vec![at(R, 1, id, 0, 0), at(C, 2, 0, 0, 0)],
            2,
            Fault::Negative(region(0), 0),
        ),
        (vec![at(R, 1, 0, 0, 0), at(C, 2, id, 0, 0)], 2, away),
        (
            vec![at(R, 1, id, 0, 0), at(C, 2, id, 0, 0), at(A, 3, id, 0, 0)],
            3,
            away,
        ),
        (vec![at(R, 1, id, 0, 0), at(R, 2, id, 0, 0)], 2, away),
        (
            vec![at(R, 1, id, 0, 0), at(C, 2, id, 1, 0)],
            2,
            Fault::Misplaced(region(1), 0),
        ),
        (
            vec![
                at(R, 1, id, 0, 0),
                transfer(2, id, 0, 1),
                at(C, 3, id, 0, 0),
            ],
            3,
            away,
        ),
        (vec![transfer(1, id, 0, 1)], 1, away),
        (
            vec![
                at(R, 1, id, 0, 0),
                transfer(2, id, 0, 1),
                closed(3, 0),
                closed(4, 1),
            ],
            4,
            Fault::Marked(region(1), 1),
        ),
        (
            vec![at(R, 1, 0, 2, 3), at(R, 2, 0, 2, 7), closed(3, 2)],
            3,
            Fault::Marked(region(2), 2),
        ),
        (vec![at(R, 1, id, 0, 256)], 1, Fault::Incomplete("kind")),
    ];
    for (n, (events, seq, fault)) in cases.into_iter().enumerate() {
        let violation = found(&events).unwrap_or_else(|| panic!("case {n} passed"));
        assert_eq!((violation.seq, violation.fault), (seq, fault), "case {n}");
        assert_eq!(violation.rule, "OBL-20");
    }
    let nowhere = Event {
        region: None,
        ..at(R, 1, id, 0, 0)
    };
    assert_eq!(
        found(&[nowhere]).unwrap().fault,
        Fault::Incomplete("region")
    );
}

#[test]
fn obl_20_a_violation_changes_nothing_and_sub_events_and_leak_reports_move_nothing() {
    let id = ObligationId::new(4, 1).to_bits();
    let mut marking = Marking::new();
    marking
        .step(&at(Kind::ObligationReserve, 1, id, 0, 0))
        .unwrap();
    for wrong in [
        at(Kind::ObligationCommit, 2, id, 1, 0),
        at(Kind::ObligationReserve, 3, id, 0, 0),
        at(Kind::ObligationAbort, 4, 0, 0, 0),
    ] {
        assert!(marking.step(&wrong).is_err());
        assert_eq!((marking.at(region(0), 0), marking.live()), (1, 1));
        assert!(marking.balanced());
    }
    let note = Draft::sub(Sub::Undelivered, Time::ZERO).unwrap();
    let note = note.region(region(0)).words(7, 3, 0).event(5, 5);
    marking.step(&note).unwrap();
    marking
        .step(&at(Kind::ObligationLeak, 6, id, 0, 0))
        .unwrap();
    assert_eq!(marking.live(), 1);
    marking
        .step(&at(Kind::ObligationAbort, 7, id, 0, 0))
        .unwrap();
    assert_eq!((marking.live(), marking.entries()), (0, 0));
}

/// What a trace shows; that the future is dropped first is a test of the lab.
#[test]
fn tsk_9_a_task_completes_only_without_obligations() {
    let id = ObligationId::new(4, 1).to_bits();
    let reserve = at(Kind::ObligationReserve, 1, id, 0, 0);
    let complete = |seq| at(Kind::TaskComplete, seq, 0, 0, 0);
    let violation = found(&[reserve, complete(2)]).unwrap();
    assert_eq!((violation.rule, violation.seq), ("TSK-9", 2));
    assert_eq!(violation.fault, Fault::Holding(task(1), 1));
    // Resolved, or moved to another task before: nothing to report.
    let abort = at(Kind::ObligationAbort, 2, id, 0, 0);
    assert_eq!(found(&[reserve, abort, complete(3)]), None);
    let mut transfer = at(Kind::ObligationTransfer, 2, id, 0, 0);
    transfer.c = region(0).to_bits();
    assert!(
        transfer
            .objects
            .push(Object::write(Resource::Task(task(2))))
    );
    assert_eq!(found(&[reserve, transfer, complete(3)]), None);
    let other = Event {
        task: Some(task(2)),
        ..complete(4)
    };
    let late = found(&[reserve, transfer, complete(3), other]).unwrap();
    assert_eq!((late.seq, late.fault), (4, Fault::Holding(task(2), 1)));
}

/// 10^6 operations in a full run, of a generator; those of the kernel are a test of the lab.
#[test]
fn obl_21_reserved_is_committed_and_aborted_and_live() {
    let operations = if full() { 1_000_000 } else { 100_000 };
    let mut traffic = Traffic::new(21, 500);
    let mut marking = Marking::new();
    let mut before: BTreeMap<u8, Totals> = BTreeMap::new();
    for n in 0..operations {
        marking.step(&traffic.next()).unwrap();
        if n % 1000 == 0 {
            assert!(marking.balanced());
            assert_eq!(marking.live(), traffic.live.len() as u64);
            assert_eq!(marking.audit(traffic.totals.clone()), [0u8; 0]);
            for (kind, now) in marking.kinds() {
                let then = before.insert(kind, now).unwrap_or_default();
                let live = traffic
                    .live
                    .iter()
                    .filter(|t| t.kind == u64::from(kind))
                    .count();
                assert_eq!(now.live(), live as u64);
                assert!(then.reserved <= now.reserved);
                assert!(then.committed <= now.committed && then.aborted <= now.aborted);
            }
        }
    }
}

#[test]
fn obl_21_counters_that_disagree_are_named() {
    let mut traffic = Traffic::new(22, 50);
    let mut marking = Marking::new();
    for _ in 0..5000 {
        marking.step(&traffic.next()).unwrap();
    }
    assert!(marking.audit(traffic.totals.clone()).is_empty());
    let mut wrong = traffic.totals.clone();
    wrong.get_mut(&3).unwrap().aborted += 1;
    wrong.remove(&7);
    wrong.entry(200).or_default().reserved = 1;
    assert_eq!(marking.audit(wrong), [3, 7, 200]);
}

fn full() -> bool {
    std::env::var_os("ASR_FULL").is_some()
}

#[test]
fn obl_22_one_pass_in_memory_of_the_live_obligations() {
    let events = if full() { 10_000_000 } else { 100_000 };
    let mut traffic = Traffic::new(23, 1000);
    let mut marking = Marking::new();
    for _ in 0..events {
        marking.step(&traffic.next()).unwrap();
        within_memory(&marking, traffic.live.len());
    }
    assert!(marking.balanced());
    assert!(
        marking
            .kinds()
            .all(|(_, totals)| totals.reserved > events / 100)
    );
}

#[test]
fn obl_22_a_violation_comes_with_its_causal_past() {
    let id = ObligationId::new(4, 1).to_bits();
    let mut events = vec![
        at(Kind::ObligationReserve, 1, id, 0, 0),
        at(Kind::User, 2, 0, 0, 0),
        at(Kind::ObligationCommit, 3, id, 0, 0),
        at(Kind::ObligationAbort, 4, id, 0, 0),
    ];
    events[1].task = Some(task(7));
    events[3].task = Some(task(8));
    events[3].causes = Causes::one(1);
    let violation = found(&events).unwrap();
    let past: Vec<u64> = violation
        .past(&events)
        .iter()
        .map(|event| event.seq)
        .collect();
    assert_eq!((violation.seq, past), (4, vec![1, 4]));
    assert_eq!(
        violation.to_string(),
        "OBL-20 broken by event 4: no such token in (R0.1, 0)"
    );
}
