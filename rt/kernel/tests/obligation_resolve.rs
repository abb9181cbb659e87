//! Reserving and resolving tokens.

mod tokens;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use asr_base::{Error, Failure, Outcome, Status};
use asr_kernel::cx::Waiter;
use asr_kernel::obligation::{AbortCause, Kind, KindInfo, LeakResponse, Obligation};
use asr_kernel::{Cx, RegionConfig, RegionHandle};
use tokens::{Pool, Slot, four, local};

/// Reserves a slot after some polls, as a primitive with a queue would; requests a cancel of its
/// own region in one of them, before or after its cancel point.
struct Reserve<'c> {
    cx: &'c Cx,
    waiter: Waiter<'c>,
    pool: &'c Arc<Pool>,
    region: RegionHandle,
    polls: u32,
    waits: u32,
    cancel_at: u32,
    after_check: bool,
}

impl Future for Reserve<'_> {
    type Output = Result<Obligation<Slot>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let cancels = this.polls == this.cancel_at;
        if cancels && !this.after_check {
            this.region.cancel("now");
        }
        this.waiter.check()?;
        if cancels && this.after_check {
            this.region.cancel("now");
        }
        this.polls += 1;
        if this.polls <= this.waits {
            this.waiter.park(context)?;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(this.cx.poll_coop(context));
        let (cx, pool) = (this.cx, this.pool);
        Poll::Ready(cx.reserve_with(|| Ok::<_, Failure>(pool.take(Kind::SEND_PERMIT)?)))
    }
}

#[test]
fn obl_3_reserve_is_one_step() {
    const WAITS: u32 = 4;
    for records in [false, true] {
        for cancel_at in 0..=WAITS + 1 {
            for after_check in [false, true] {
                let local = local(LeakResponse::Panic, records);
                let kernel = local.kernel().clone();
                let pool = Pool::new(1);
                let slots = pool.clone();
                let outcome = local.run(async move |cx| {
                    let inner: Outcome<bool, _> = cx
                        .region(RegionConfig::new(), async |scope, cx| {
                            let reserve = Reserve {
                                cx: &cx,
                                waiter: cx.waiter(),
                                pool: &slots,
                                region: scope.handle(),
                                polls: 0,
                                waits: WAITS,
                                cancel_at,
                                after_check,
                            };
                            let Ok(token) = reserve.await else {
                                assert_eq!(slots.free(), 1, "neither resource nor token");
                                cx.checkpoint()?;
                                unreachable!("it was cancelled");
                            };
                            assert_eq!(slots.free(), 0);
                            token.abort();
                            Ok(true)
                        })
                        .await;
                    Ok(inner.is_ok())
                });
                // A cancel in the last poll, after its check, comes too late.
                let late = cancel_at > WAITS || cancel_at == WAITS && after_check;
                assert!(
                    matches!(outcome, Outcome::Ok(done) if done == late),
                    "{outcome:?}"
                );
                assert_eq!(pool.free(), 1);
                let reserved = u64::from(late);
                assert_eq!(four(&kernel, Kind::SEND_PERMIT), [reserved, 0, reserved, 0]);
                assert_eq!(kernel.obligations().recorded(), 0);
            }
        }
    }
}

#[test]
fn obl_3_nothing_is_counted_if_the_resource_is_not_taken() {
    let local = local(LeakResponse::Panic, true);
    let kernel = local.kernel().clone();
    let outcome = local.run(async |cx| {
        let pool = Pool::new(0);
        let full: Result<Obligation<Slot>, Error> = cx.reserve_with(|| pool.take(Kind::LEASE));
        assert_eq!(full.unwrap_err().kind(), Status::FULL);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            cx.reserve_with::<Slot, Error>(|| panic!("while acquiring"))
        }));
        assert!(panicked.is_err());
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(kernel.obligations().totals(), Default::default());
    assert_eq!(kernel.obligations().recorded(), 0);
}

/// The C interface calls exactly these; what is left of the Check is to go through it.
#[test]
fn obl_4_part_resolving_twice_through_raw_ids() {
    let local = local(LeakResponse::Panic, false);
    let kernel = local.kernel().clone();
    let outcome = local.run(async |cx| {
        let commit = |id| cx.commit_raw(id);
        let abort = |id| cx.abort_raw(id, AbortCause::Verb);
        for (first, second) in [
            (&commit as &dyn Fn(_) -> _, &commit as &dyn Fn(_) -> _),
            (&commit, &abort),
            (&abort, &commit),
            (&abort, &abort),
        ] {
            let id = cx.reserve_raw(Kind::ACK, None)?;
            assert_eq!(first(id), Ok(()));
            assert_eq!(second(id), Err(Status::ALREADY_RESOLVED));
            assert_eq!(second(id), Err(Status::ALREADY_RESOLVED));
        }
        let old = cx.reserve_raw(Kind::ACK, None)?;
        assert_eq!(cx.commit_raw(old), Ok(()));
        let new = cx.reserve_raw(Kind::ACK, None)?;
        assert_eq!(old.index(), new.index(), "the last freed first");
        assert_eq!(
            cx.abort_raw(old, AbortCause::Verb),
            Err(Status::STALE_HANDLE)
        );
        assert_eq!(cx.commit_raw(new), Ok(()), "the new occupant is untouched");
        let never = asr_base::ObligationId::new(1 << 20, 1);
        assert_eq!(cx.commit_raw(never), Err(Status::STALE_HANDLE));
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(four(&kernel, Kind::ACK), [6, 4, 2, 0]);
    assert_eq!(kernel.stats().stale_handles.get(), 2);
}

#[test]
fn obl_4_a_typed_token_is_no_raw_one() {
    let outcome = local(LeakResponse::Panic, true).run(async |cx| {
        let pool = Pool::new(1);
        let token = cx.reserve(pool.take(Kind::ACK)?)?;
        let id = token.id().expect("recorded");
        assert_eq!(cx.commit_raw(id), Err(Status::WRONG_TYPE));
        assert_eq!(cx.transfer_raw(id, &cx.spawner()), Err(Status::WRONG_TYPE));
        assert_eq!(token.commit(1).unwrap(), 1);
        assert_eq!(cx.commit_raw(id), Err(Status::ALREADY_RESOLVED));
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn obl_5_only_the_holder_resolves() {
    let local = local(LeakResponse::Panic, true);
    let kernel = local.kernel().clone();
    let shared = kernel
        .obligations()
        .add_kind(KindInfo::new("Shared", "do", "undo").held_by_region())
        .unwrap();
    let outcome = local.run(async move |cx| {
        let own = cx.reserve_raw(Kind::REPLY, None)?;
        let common = cx.reserve_raw(shared, None)?;
        let child = cx.spawn(async move |cx| {
            let here = cx.spawner();
            assert_eq!(cx.commit_raw(own), Err(Status::NOT_HOLDER));
            assert_eq!(cx.abort_raw(own, AbortCause::Verb), Err(Status::NOT_HOLDER));
            assert_eq!(cx.transfer_raw(own, &here), Err(Status::NOT_HOLDER));
            assert_eq!(cx.transfer_raw(own, &cx), Err(Status::NOT_HOLDER));
            assert_eq!(cx.commit_raw(common), Ok(()));
            Ok(())
        })?;
        child.join(&cx).await?.into_result()?;
        assert_eq!(cx.commit_raw(common), Err(Status::ALREADY_RESOLVED));
        assert_eq!(
            cx.commit_raw(own),
            Ok(()),
            "the first resolution is the holder's"
        );

        // A task outside the region is none of its tasks.
        let region = cx.open_region(&RegionConfig::new())?;
        let inside = region.spawn(async move |cx| Ok(cx.reserve_raw(shared, None)?))?;
        let held = inside.join(&cx).await?.into_result()?;
        assert_eq!(cx.commit_raw(held), Err(Status::NOT_HOLDER));
        let inside = region.spawn(async move |cx| Ok(cx.commit_raw(held)))?;
        assert_eq!(inside.join(&cx).await?.into_result()?, Ok(()));
        region.close(&cx).await.into_result()?;
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(four(&kernel, Kind::REPLY), [1, 1, 0, 0]);
    assert_eq!(four(&kernel, shared), [2, 2, 0, 0]);
}

#[test]
fn obl_7_a_commit_without_receiver_gives_the_value_back() {
    for records in [false, true] {
        let local = local(LeakResponse::Panic, records);
        let kernel = local.kernel().clone();
        let pool = Pool::new(2);
        let slots = pool.clone();
        let outcome = local.run(async move |cx| {
            let token = cx.reserve(slots.take(Kind::SEND_PERMIT)?)?;
            slots.closed.store(true, Relaxed);
            let refused = token.commit(77).unwrap_err();
            assert_eq!((refused.status, refused.value), (Status::CLOSED, 77));
            Ok(())
        });
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(four(&kernel, Kind::SEND_PERMIT), [1, 0, 1, 0]);
        assert_eq!(pool.free(), 2);
        assert!(pool.received.lock().unwrap().is_empty());
        assert_eq!(kernel.stats().leaks.get(), 0);
    }
}

#[test]
fn obl_2_abort_verbs_have_causes() {
    let local = local(LeakResponse::Panic, true);
    let kernel = local.kernel().clone();
    let pool = Pool::new(1);
    let slots = pool.clone();
    let outcome = local.run(async move |cx| {
        cx.reserve(slots.take(Kind::LEASE)?)?.abort();
        cx.reserve(slots.take(Kind::LEASE)?)?.expire();
        cx.reserve(slots.take(Kind::LEASE)?)?.commit(1).unwrap();
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(pool.aborts(), [AbortCause::Verb, AbortCause::Expired]);
    assert_eq!(four(&kernel, Kind::LEASE), [3, 1, 2, 0]);
}

/// A verb that panics is the caller's panic, and the token is aborted.
#[test]
fn obl_2_a_verb_that_panics_aborts() {
    struct Bad;
    impl asr_kernel::obligation::Linear for Bad {
        type Input = ();
        type Output = ();
        fn kind(&self) -> Kind {
            Kind::TRANSACTION
        }
        fn commit(self, (): ()) -> Result<(), ()> {
            panic!("in commit")
        }
        fn abort(self, _: AbortCause) {
            panic!("in abort")
        }
    }
    for records in [false, true] {
        let local = local(LeakResponse::Panic, records);
        let kernel = local.kernel().clone();
        let outcome = local.run(async |cx| {
            let committing = cx.spawn(async |cx| {
                let _ = cx.reserve(Bad)?.commit(());
                Ok(())
            })?;
            assert!(matches!(committing.join(&cx).await?, Outcome::Panicked(_)));
            let aborting = cx.spawn(async |cx| {
                cx.reserve(Bad)?.abort();
                Ok(())
            })?;
            assert!(matches!(aborting.join(&cx).await?, Outcome::Panicked(_)));
            Ok(())
        });
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(four(&kernel, Kind::TRANSACTION), [2, 0, 2, 0]);
        assert_eq!(kernel.obligations().recorded(), 0);
        assert_eq!(kernel.stats().leaks.get(), 0);
    }
}
