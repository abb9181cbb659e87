//! Tokens of one kernel on many threads.

mod tokens;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use asr_base::{Duration, Outcome, Status};
use asr_kernel::cx::caps::Io;
use asr_kernel::obligation::{AbortCause, Kind, LeakResponse};
use asr_kernel::{Cx, RegionConfig};
use tokens::{Pool, four, local};

const THREADS: u64 = 8;

/// A million tokens, eight threads, a region each. Every third token is raw.
fn disjoint(records: bool) {
    const EACH: u64 = 1_000_000 / THREADS;
    let local = local(LeakResponse::Panic, records);
    let kernel = local.kernel().clone();
    let counts = kernel.clone();
    let outcome = local.run(async move |cx| {
        let mut regions = Vec::new();
        let mut threads = Vec::new();
        let barrier = Arc::new(Barrier::new(THREADS as usize));
        let before = counts.obligations().shared_locks();
        for _ in 0..THREADS {
            let region = cx.open_region(&RegionConfig::new())?;
            let (barrier, done) = (barrier.clone(), Arc::new(AtomicBool::new(false)));
            let ended = done.clone();
            let player = region.spawn(async move |cx| {
                // A second context of this task, which stays and waits.
                let shared = cx.share::<Io>();
                let thread = thread::spawn(move || {
                    barrier.wait();
                    work(&shared, EACH);
                    ended.store(true, Ordering::Release);
                });
                while !done.load(Ordering::Acquire) {
                    cx.sleep(Duration::from_millis(1)).await?;
                }
                Ok(thread)
            })?;
            threads.push(player);
            regions.push(region);
        }
        let mut joins = Vec::new();
        for player in threads {
            joins.push(player.join(&cx).await?.into_result()?);
        }
        for thread in joins {
            thread.join().expect("no operation failed");
        }
        let shared = counts.obligations().shared_locks() - before;
        for region in regions {
            region.close(&cx).await.into_result()?;
        }
        Ok(shared)
    });
    assert!(
        matches!(outcome, Outcome::Ok(0)),
        "shared locks: {outcome:?}"
    );
    let fold = kernel.obligations().shared_locks();
    assert!(
        (1..=THREADS + 1).contains(&fold),
        "once for each region that closes: {fold}"
    );
    let [reserved, committed, aborted, live] = four(&kernel, Kind::SYNC_PERMIT);
    assert_eq!((reserved, live), (THREADS * EACH, 0));
    assert_eq!(reserved, committed + aborted);
    assert_eq!(kernel.obligations().recorded(), 0);
}

fn work<C>(cx: &Cx<C>, tokens: u64) {
    let pool = Pool::new(2);
    for n in 0..tokens {
        if n % 3 == 0 {
            let id = cx.reserve_raw(Kind::SYNC_PERMIT, None).unwrap();
            let resolved = match n % 2 {
                0 => cx.commit_raw(id),
                _ => cx.abort_raw(id, AbortCause::Verb),
            };
            assert_eq!(resolved, Ok(()));
            continue;
        }
        let slot = pool.take(Kind::SYNC_PERMIT).unwrap();
        let token = cx.reserve(slot).unwrap();
        match n % 2 {
            0 => drop(token.commit(n).unwrap()),
            _ => token.abort(),
        }
        if n % 1024 == 1 {
            pool.received.lock().unwrap().clear();
            pool.aborts.lock().unwrap().clear();
        }
    }
}

#[test]
fn obl_23_disjoint_regions_share_no_lock() {
    disjoint(false);
    disjoint(true);
}

/// Tasks that end while they are given tokens, by a thread that holds many: each token is resolved
/// once, by whoever holds it last.
#[test]
fn obl_6_part_receivers_that_end_meanwhile() {
    const ROUNDS: u64 = 20_000;
    let local = local(LeakResponse::Silent, true);
    let kernel = local.kernel().clone();
    let counts = kernel.clone();
    let outcome = local.run(async move |cx| {
        let giver = cx.share::<Io>();
        let (send, receive) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let mut kept = 0;
            for task in receive {
                let task: asr_kernel::JoinHandle<()> = task;
                let id = giver.reserve_raw(Kind::LEASE, None).unwrap();
                match giver.transfer_raw(id, &task) {
                    Ok(()) => assert_ne!(giver.commit_raw(id), Ok(())),
                    Err(Status::REGION_CLOSING) => {
                        assert_eq!(giver.commit_raw(id), Ok(()));
                        kept += 1;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            kept
        });
        for round in 0..ROUNDS {
            let task = cx.spawn(async move |cx| {
                for _ in 0..round % 3 {
                    cx.yield_now().await?;
                }
                Ok(())
            })?;
            send.send(task).expect("the thread is there");
            cx.yield_now().await?;
        }
        drop(send);
        let kept: u64 = thread.join().expect("no operation failed");
        // Tasks are children of this region: the last ones have ended when all others are gone.
        while counts.tasks().len() > 1 {
            cx.yield_now().await?;
        }
        Ok(kept)
    });
    let Outcome::Ok(kept) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(four(&kernel, Kind::LEASE), [ROUNDS, kept, ROUNDS - kept, 0]);
    assert_eq!(kernel.stats().leaks.get(), ROUNDS - kept);
    assert_eq!(kernel.obligations().recorded(), 0);
}
