//! Outcomes: their order, their combination, and tables that replace it.

mod common;

use asr_base::{
    CancelKind, CancelReason, Error, Failure, Fold, Interrupted, Origin, Outcome, PanicKind,
    PanicPayload, Select, Severity, SeverityTable, Status, Time, combine,
};
use common::{CASES, permutations, reason, rng, shuffle, task};

fn err(message: &str) -> Outcome<()> {
    Outcome::Err(Error::new(Status::IO, message))
}

fn cancelled(kind: CancelKind) -> Outcome<()> {
    Outcome::Cancelled(CancelReason::new(kind, Origin::Node(1), Time::ZERO))
}

fn panicked(index: u32) -> Outcome<()> {
    let payload = PanicPayload::new(PanicKind::Panic, &format!("panic {index}"));
    Outcome::Panicked(payload.at(Some(task(index)), None, None))
}

fn one_of_each() -> [Outcome<()>; 4] {
    [
        Outcome::Ok(()),
        err("a"),
        cancelled(CancelKind::User),
        panicked(0),
    ]
}

fn fold(outcomes: &[Outcome<()>], order: &[usize]) -> Outcome<()> {
    let mut fold = Fold::new();
    for &at in order {
        fold.add(at as u64, None, outcomes[at].clone());
    }
    fold.finish()
}

#[test]
fn val_2_sixteen_pairs_and_the_codes() {
    let mut pairs = 0;
    for (a, left) in one_of_each().iter().enumerate() {
        assert_eq!(left.severity() as usize, a);
        for (b, right) in one_of_each().iter().enumerate() {
            assert_eq!(
                left.severity().cmp(&right.severity()),
                a.cmp(&b),
                "{left:?} {right:?}"
            );
            pairs += 1;
        }
    }
    assert_eq!(pairs, 16);
    for (code, severity) in (0..).zip(Severity::ALL) {
        assert_eq!(severity.to_code(), code);
        assert_eq!(Severity::from_code(code), Some(severity));
    }
    assert!((4..=255).all(|code| Severity::from_code(code).is_none()));
}

#[test]
fn val_3_every_order_of_completion_gives_one_result() {
    let outcomes = [
        Outcome::Ok(()),
        err("a"),
        cancelled(CancelKind::Timeout),
        err("b"),
        cancelled(CancelKind::FailFast),
        panicked(5),
        panicked(6),
    ];
    // Every prefix has another worst severity and other ties.
    for n in 0..=outcomes.len() {
        let in_position = outcomes[..n].iter().cloned().fold(Outcome::Ok(()), combine);
        for order in permutations(n) {
            assert_eq!(fold(&outcomes, &order), in_position, "{order:?}");
        }
    }
    let errors = ["a", "b", "c", "d", "e"].map(err);
    for order in permutations(5) {
        assert_eq!(fold(&errors, &order), err("a"), "{order:?}");
    }
    assert_eq!(combine(err("a"), err("b")), err("a"));
}

#[test]
fn val_3_vectors() {
    let reason = cancelled(CancelKind::User);
    let first = [Outcome::Ok(()), err("a"), reason.clone(), err("b")];
    assert_eq!(first.into_iter().reduce(combine), Some(reason));
    let second = [err("a"), Outcome::Ok(()), err("b")];
    assert_eq!(second.into_iter().reduce(combine), Some(err("a")));
}

#[test]
fn val_4_a_hundred_panicking_children() {
    let outcomes: Vec<_> = (0..100).map(panicked).collect();
    let mut rng = rng(4);
    let mut order: Vec<_> = (0..100).collect();
    for _ in 0..20 {
        shuffle(&mut rng, &mut order);
        let Outcome::Panicked(payload) = fold(&outcomes, &order) else {
            panic!("no panic")
        };
        assert_eq!(payload.message(), "panic 0");
        assert_eq!(payload.task(), Some(task(0)));
        assert_eq!(payload.others(), (1..8).map(task).collect::<Vec<_>>());
        assert_eq!(payload.more(), 92);
        assert_eq!(
            payload.to_string(),
            "panic in T0.1: panic 0; also T1.1 T2.1 T3.1 T4.1 T5.1 T6.1 T7.1 and 92 more"
        );
    }
    let pairwise = outcomes.into_iter().reduce(combine);
    assert_eq!(
        pairwise,
        Some(fold(&(0..100).map(panicked).collect::<Vec<_>>(), &order))
    );
}

#[test]
fn val_4_two_cancels_give_the_strengthened_reason() {
    let mut rng = rng(40);
    for _ in 0..CASES {
        let (a, b) = (reason(&mut rng), reason(&mut rng));
        let both =
            combine::<(), Error>(Outcome::Cancelled(a.clone()), Outcome::Cancelled(b.clone()));
        assert_eq!(both, Outcome::Cancelled(a.strengthen(&b)));
    }
}

#[test]
fn val_4_panics_without_a_task_count_once_each() {
    let nobody = |text| Outcome::<()>::Panicked(PanicPayload::new(PanicKind::Leak, text));
    let (a, b) = (nobody("a"), nobody("b"));
    let Outcome::Panicked(both) = combine(combine(a.clone(), b.clone()), b) else {
        panic!("no panic")
    };
    assert_eq!(
        (both.message(), both.others().len(), both.more()),
        ("a", 0, 1)
    );
    // A fold knows the task where the payload does not.
    let mut fold = Fold::<Error>::new();
    fold.add(1, Some(task(9)), a);
    let Outcome::Panicked(payload) = fold.finish() else {
        panic!("no panic")
    };
    assert_eq!(payload.task(), Some(task(9)));
}

#[test]
fn val_5_laws_on_random_triples() {
    let mut rng = rng(5);
    let mut kinds = [[[0; 4]; 4]; 4];
    for _ in 0..CASES {
        let mut draw = || {
            let one = common::outcome(&mut rng);
            // Some are combinations already: sets of others, derived reasons.
            if common::coin(&mut rng) {
                combine(one, common::outcome(&mut rng))
            } else {
                one
            }
        };
        let (a, b, c) = (draw(), draw(), draw());
        kinds[a.severity() as usize][b.severity() as usize][c.severity() as usize] += 1;
        let left = combine(combine(a.clone(), b.clone()), c.clone());
        let right = combine(a.clone(), combine(b.clone(), c.clone()));
        assert_eq!(left, right, "{a:?} {b:?} {c:?}");
        assert_eq!(combine(a.clone(), a.clone()), a);
        let (ab, ba) = (combine(a.clone(), b.clone()), combine(b, a));
        assert_eq!(ab.severity(), ba.severity());
        if let (Outcome::Cancelled(_), Outcome::Cancelled(_)) = (&ab, &ba) {
            assert_eq!(ab, ba);
            assert_eq!(format!("{ab:?}"), format!("{ba:?}"), "to the last byte");
        }
        assert_eq!(combine(Outcome::Ok(()), c.clone()), c);
    }
    assert!(
        kinds.iter().flatten().flatten().all(|&count| count > 0),
        "{kinds:?}"
    );
}

fn valid_tables() -> Vec<[[Severity; 4]; 4]> {
    use Severity::{Cancelled as C, Err as E, Ok as O, Panicked as P};
    vec![
        // The greater.
        [[O, E, C, P], [E, E, C, P], [C, C, C, P], [P, P, P, P]],
        // The first that is Ok, unless one panicked.
        [[O, O, O, P], [O, E, C, P], [O, C, C, P], [P, P, P, P]],
        // Errors count as Ok.
        [[O, O, C, P], [O, O, C, P], [C, C, C, P], [P, P, P, P]],
    ]
}

#[test]
fn val_6_a_flipped_cell_is_refused_by_name() {
    let mut flipped = 0;
    for cells in valid_tables() {
        assert!(SeverityTable::new(cells).is_ok());
        for row in 0_usize..4 {
            for column in 0_usize..4 {
                let above = row.checked_sub(1).map(|row| cells[row][column]);
                let left = column.checked_sub(1).map(|column| cells[row][column]);
                let Some(neighbour) = above.max(left) else {
                    continue;
                };
                for lower in Severity::ALL.into_iter().filter(|lower| *lower < neighbour) {
                    let mut bad = cells;
                    bad[row][column] = lower;
                    let error = SeverityTable::new(bad).expect_err("not monotone");
                    assert_eq!(error.kind(), Status::BAD_ARGUMENT);
                    let cell = format!("cell ({}, {})", Severity::ALL[row], Severity::ALL[column]);
                    assert!(error.message().starts_with(&cell), "{error}");
                    flipped += 1;
                }
            }
        }
    }
    assert!(flipped > 50, "{flipped}");
}

#[test]
fn val_6_all_monotone_tables_and_no_others_are_taken() {
    // Tables of two severities: what is accepted is what is monotone, by exhaustion.
    for bits in 0..1_u32 << 16 {
        let worse = |row: usize, column: usize| bits >> (row * 4 + column) & 1 == 1;
        let cells = std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                if worse(row, column) {
                    Severity::Panicked
                } else {
                    Severity::Err
                }
            })
        });
        let monotone = (0..4).all(|a| {
            (0..3).all(|b| worse(a, b) <= worse(a, b + 1) && worse(b, a) <= worse(b + 1, a))
        });
        assert_eq!(SeverityTable::new(cells).is_ok(), monotone, "{cells:?}");
    }
}

#[test]
fn val_6_a_table_decides_which_outcome_stands() {
    let [max, first_ok, lenient]: [_; 3] = valid_tables().try_into().expect("three tables");
    assert_eq!(SeverityTable::new(max), Ok(SeverityTable::MAX));
    let all = one_of_each();
    for left in &all {
        for right in &all {
            let got = SeverityTable::MAX.combine(left.clone(), right.clone(), Select::Lower);
            assert_eq!(got, Ok(combine(left.clone(), right.clone())));
        }
    }
    let first_ok = SeverityTable::new(first_ok).expect("monotone");
    let got = first_ok.combine(err("a"), Outcome::Ok(()), Select::Lower);
    assert_eq!(got, Ok(Outcome::Ok(())));
    let got = first_ok.combine(panicked(0), Outcome::Ok(()), Select::Lower);
    assert_eq!(got, Ok(panicked(0)));
    let got = first_ok.combine(err("a"), err("b"), Select::Higher);
    assert_eq!(got, Ok(err("b")));
    // Two errors count as Ok: neither has the value, so the policy is asked.
    let lenient = SeverityTable::new(lenient).expect("monotone");
    let got = lenient
        .combine(err("a"), err("b"), Select::Lower)
        .expect_err("neither is Ok");
    assert_eq!(*got, (Severity::Ok, err("a"), err("b")));
}

/// Part: `retry` on a permanent error makes one attempt; that waits for `retry`.
#[test]
fn val_9_part_an_error_keeps_kind_recoverability_message_and_cause() {
    use asr_base::Recoverability::{Permanent, Transient, Unknown};
    let plain = Error::new(Status::FULL, "queue of 8");
    assert_eq!(
        (plain.kind(), plain.recoverability()),
        (Status::FULL, Unknown)
    );
    assert_eq!(plain.clone().permanent().recoverability(), Permanent);
    assert_eq!(plain.clone().transient().recoverability(), Transient);
    // A change to a clone is not seen by the original.
    assert_eq!(plain.recoverability(), Unknown);
    assert_eq!(plain.to_string(), "FULL: queue of 8");
    let outer = Error::new(Status::REJECTED, "later").caused_by(plain);
    let cause = std::error::Error::source(&outer).expect("it was given");
    assert_eq!(cause.to_string(), "FULL: queue of 8");
    let io = Error::from(std::io::Error::from(std::io::ErrorKind::WouldBlock));
    assert_eq!((io.kind(), io.recoverability()), (Status::IO, Transient));
    for row in asr_abi::codes::rows(asr_abi::codes::Series::S) {
        let status = Status::from_code(row.number).expect("each row is a status");
        assert_eq!((status.code(), status.name()), (row.number, row.name));
    }
    assert_eq!(Status::from_code(9999), None);
}

#[test]
fn a_long_chain_of_errors_takes_no_stack() {
    let work = || {
        let error = (0..100_000).fold(Error::new(Status::IO, "0"), |cause, attempt| {
            Error::new(Status::IO, format!("attempt {attempt}")).caused_by(cause)
        });
        let first = error.clone();
        assert!(format!("{error:?}").contains("attempt 99998"));
        let causes = std::iter::successors(std::error::Error::source(&error), |e| e.source());
        assert_eq!(causes.count(), 100_000);
        drop(error);
        assert_eq!(first.message(), "attempt 99999");
    };
    let small = std::thread::Builder::new().stack_size(64 << 10);
    small
        .spawn(work)
        .expect("a thread")
        .join()
        .expect("no overflow, no panic");
}

#[test]
fn val_11_the_error_side_has_three_kinds() {
    // The match has no other arm: a fourth kind, or one less, would not compile.
    let kind = |failure: &Failure<Error>| match failure {
        Failure::Err(_) => Severity::Err,
        Failure::Cancelled(_) => Severity::Cancelled,
        Failure::Panicked(_) => Severity::Panicked,
    };
    for outcome in one_of_each() {
        let result: Result<(), Failure<Error>> = outcome.clone().into_result();
        match &result {
            Ok(()) => assert!(outcome.is_ok()),
            Err(failure) => assert_eq!(kind(failure), outcome.severity()),
        }
        assert_eq!(Outcome::from(result), outcome);
    }
    let failure = Failure::<Error>::from(Interrupted);
    let Failure::Cancelled(reason) = failure else {
        panic!("{failure}")
    };
    assert!(reason.is_placeholder());
}

#[test]
fn outcomes_are_two_words_and_travel() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Outcome<(), Error>>();
    travels::<Failure<Error>>();
    travels::<Fold<Error>>();
    travels::<asr_base::CancelRequest>();
    travels::<asr_base::GenSlab<u8>>();
    assert_eq!(size_of::<CancelReason>(), size_of::<usize>());
    assert_eq!(size_of::<PanicPayload>(), size_of::<usize>());
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Option<CancelReason>>(), size_of::<usize>());
    assert!(size_of::<Outcome<(), Error>>() <= 2 * size_of::<usize>());
}
