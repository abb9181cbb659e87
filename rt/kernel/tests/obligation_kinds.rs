//! Which kinds there are, and the configured response to leaks.

mod tokens;

use asr_base::{Outcome, Status};
use asr_kernel::Config;
use asr_kernel::obligation::{Kind, KindInfo, LeakResponse};
use tokens::{Pool, four, local};

const TABLE: [(&str, &str, &str); 11] = [
    ("SendPermit", "send", "abort"),
    ("Ack", "commit", "nack"),
    ("Lease", "release", "expire"),
    ("IoOp", "complete", "cancel"),
    ("SyncPermit", "release", "release"),
    ("PoolSlot", "return", "discard"),
    ("NameLease", "publish", "withdraw"),
    ("Reply", "reply", "refuse"),
    ("Transaction", "commit", "rollback"),
    ("RepairTicket", "done", "requeue"),
    ("Finalizer", "run", "escalate"),
];

#[test]
fn obl_1_inventory_of_kinds() {
    let local = local(LeakResponse::Panic, true);
    let registry = local.kernel().obligations();
    let seen: Vec<_> = registry
        .kinds()
        .map(|(_, info)| (&*info.name, &*info.commit, &*info.abort))
        .collect();
    assert_eq!(seen, TABLE);
    for (n, kind) in Kind::BUILTIN.iter().enumerate() {
        assert_eq!(usize::from(kind.number()), n);
        assert_eq!(registry.kind(kind.number()), Some(*kind));
    }
    assert_eq!(registry.kind(11), None, "no kind was added");
}

#[test]
fn obl_1_a_library_kind_is_in_the_marking() {
    let local = local(LeakResponse::Panic, true);
    let kernel = local.kernel().clone();
    let registry = kernel.obligations();
    let print = registry
        .add_kind(KindInfo::new("PrintJob", "print", "drop"))
        .unwrap();
    assert_eq!(registry.info(print).unwrap().commit, "print");
    let again = registry.add_kind(KindInfo::new("PrintJob", "a", "b"));
    assert_eq!(again.unwrap_err().kind(), Status::DUPLICATE);
    let again = registry.add_kind(KindInfo::new("Lease", "a", "b"));
    assert_eq!(again.unwrap_err().kind(), Status::DUPLICATE);
    let empty = registry.add_kind(KindInfo::new("Half", "do", ""));
    assert_eq!(empty.unwrap_err().kind(), Status::BAD_ARGUMENT);

    let pool = Pool::new(2);
    let slots = pool.clone();
    let outcome = local.run(async move |cx| {
        let job = cx.reserve(slots.take(print)?)?;
        job.commit(7).unwrap();
        cx.reserve(slots.take(print)?)?.abort();
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(four(&kernel, print), [2, 1, 1, 0]);
    assert_eq!(kernel.obligations().totals().kinds().count(), 1);
    assert_eq!(pool.free(), 2);
}

#[test]
fn obl_1_kinds_are_bounded_and_those_of_others_refused() {
    let local = local(LeakResponse::Panic, true);
    let kernel = local.kernel().clone();
    let added: Vec<_> = (0..)
        .map(|n| KindInfo::new(format!("K{n}"), "do", "undo"))
        .map_while(|info| kernel.obligations().add_kind(info).ok())
        .collect();
    assert_eq!(added.len(), Kind::MAX - Kind::BUILTIN.len());
    let more = kernel
        .obligations()
        .add_kind(KindInfo::new("More", "do", "undo"));
    assert_eq!(more.unwrap_err().kind(), Status::QUOTA_EXCEEDED);

    let foreign = added[3];
    let pool = Pool::new(1);
    let slots = pool.clone();
    let other = tokens::local(LeakResponse::Panic, true);
    let outcome = other.run(async move |cx| {
        let refused = cx.reserve(slots.take(foreign)?).unwrap_err();
        assert_eq!(refused.kind(), Status::BAD_ARGUMENT);
        let refused = cx.reserve_raw(foreign, None).unwrap_err();
        assert_eq!(refused.kind(), Status::BAD_ARGUMENT);
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    assert_eq!(pool.free(), 1, "what was refused is given up");
    assert_eq!(other.kernel().obligations().totals(), Default::default());
}

#[test]
fn obl_12_default_responses() {
    let expected = if cfg!(debug_assertions) {
        LeakResponse::Panic
    } else {
        LeakResponse::Recover
    };
    assert_eq!(Config::default().leak_response, expected);
    assert_eq!(Config::default().leak_escalation, None);
}
