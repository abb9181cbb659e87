//! Branches of combinators that hold something when they are given up (OBL-17).

use std::time::Duration;

use asr_base::{Failure, Outcome};
use asr_kernel::obligation::Kind;
use asr_kernel::{Cx, Policy};
use asr_lab::{Lab, LabConfig};
use asr_sync::combine::{join, join_all, race, race_all, timeout};
use asr_sync::{Mutex, Semaphore, mpsc};
use asr_trace::Kind as Event;

const LONG: Duration = Duration::from_secs(1 << 30);

/// What a branch has when it is given up.
#[derive(Clone, Copy, Debug)]
enum Has {
    Lock,
    Permit,
    Room,
    PlaceForLock,
    PlaceForPermit,
    PlaceForRoom,
}

const ALL: [Has; 6] = [
    Has::Lock,
    Has::Permit,
    Has::Room,
    Has::PlaceForLock,
    Has::PlaceForPermit,
    Has::PlaceForRoom,
];

/// Which combinator gives it up, and how.
#[derive(Clone, Copy, Debug)]
enum By {
    Race,
    Timeout,
    Join,
    RaceAll,
    JoinAll,
}

async fn holds(
    cx: &Cx,
    has: Has,
    mutex: &Mutex<()>,
    semaphore: &Semaphore,
    sender: &mpsc::Sender<u32>,
) -> Result<(), Failure> {
    match has {
        Has::Lock | Has::PlaceForLock => {
            let _guard = mutex.lock(cx).await?;
            cx.sleep(LONG).await?;
        }
        Has::Permit | Has::PlaceForPermit => {
            let _permit = semaphore.acquire(cx).await?;
            cx.sleep(LONG).await?;
        }
        Has::Room | Has::PlaceForRoom => {
            let permit = sender.reserve(cx).await?;
            cx.sleep(LONG).await?;
            permit.abort();
        }
    }
    Ok(())
}

/// A branch with `has` is given up; what it had is there for others.
async fn given_up(cx: Cx, by: By, has: Has) -> Result<(), Failure> {
    let mutex = Mutex::new(());
    let semaphore = Semaphore::new(1)?;
    let (sender, _receiver) = mpsc::channel(&cx, 1)?;
    let waits = matches!(
        has,
        Has::PlaceForLock | Has::PlaceForPermit | Has::PlaceForRoom
    );
    let taken = if waits {
        let lock = mutex.lock(&cx).await?;
        Some((
            lock,
            semaphore.acquire(&cx).await?,
            sender.reserve(&cx).await?,
        ))
    } else {
        None
    };
    let branch = async |cx: Cx| holds(&cx, has, &mutex, &semaphore, &sender).await;
    let second = async |cx: Cx| {
        cx.sleep(Duration::from_secs(1)).await?;
        Ok(())
    };
    let either = |holder: bool| {
        let (mutex, semaphore, sender) = (&mutex, &semaphore, &sender);
        async move |cx: Cx| match holder {
            true => holds(&cx, has, mutex, semaphore, sender).await,
            false => Ok(cx.sleep(Duration::from_secs(1)).await?),
        }
    };
    match by {
        By::RaceAll => assert!(race_all(&cx, [true, false].map(either)).await.is_ok()),
        By::JoinAll => {
            let all = async |cx: Cx| {
                let branches = [false, true].map(either);
                let all = join_all(&cx, Policy::CollectAll, branches).await;
                all.into_result().map(drop)
            };
            assert!(!timeout(&cx, Duration::from_secs(2), all).await.is_ok());
        }
        By::Race => assert!(race(&cx, branch, second).await.is_ok()),
        By::Timeout => assert!(!timeout(&cx, Duration::from_secs(1), branch).await.is_ok()),
        By::Join => {
            let both = async |cx: Cx| {
                join(&cx, Policy::FailFast, branch, second)
                    .await
                    .into_result()?;
                Ok(())
            };
            assert!(!timeout(&cx, Duration::from_secs(2), both).await.is_ok());
        }
    }
    assert_eq!(
        (mutex.waiting(), semaphore.waiting(), sender.waiting()),
        (0, 0, 0)
    );
    if let Some((lock, permit, room)) = taken {
        drop((lock, permit));
        room.abort();
    }
    assert!(!mutex.is_locked());
    assert_eq!((semaphore.available(), sender.room()), (1, 1));
    Ok(())
}

/// Part: each combinator that there is; those of later slices have this test to pass as well.
#[test]
fn obl_17_part_a_branch_that_is_given_up_keeps_nothing() {
    for by in [By::Race, By::Timeout, By::Join, By::RaceAll, By::JoinAll] {
        for has in ALL {
            for seed in 0..5 {
                let run = Lab::new(LabConfig::seed(seed))
                    .run(async move |cx| given_up(cx, by, has).await);
                let run = run.unwrap_or_else(|failure| panic!("{by:?} {has:?}: {failure}"));
                assert!(matches!(run.outcome, Outcome::Ok(())), "{by:?} {has:?}");
                // What was held was aborted, and that was told.
                let events = run.trace.events.iter();
                let aborts = events.filter(|event| event.kind == Event::ObligationAbort);
                let of = |kind: Kind| {
                    let aborts = aborts.clone();
                    aborts
                        .filter(|event| event.b == u64::from(kind.number()))
                        .count()
                };
                let expected = match has {
                    Has::Lock | Has::Permit => (1, 0),
                    // Of the channel: the branch's, or that which made it wait.
                    Has::Room | Has::PlaceForRoom | Has::PlaceForLock | Has::PlaceForPermit => {
                        (0, 1)
                    }
                };
                assert_eq!(
                    (of(Kind::SYNC_PERMIT), of(Kind::SEND_PERMIT)),
                    expected,
                    "{has:?}"
                );
            }
        }
    }
}
