//! The monitor of futurelocks on production workers (OBL-19).

use std::sync::{Arc, mpsc};
use std::time::Duration;

use asr_base::Outcome;
use asr_kernel::Config;
use asr_kernel::futurelock::{Futurelock, FuturelockConfig};
use asr_kernel::obligation::Kind;
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_sync::{Mutex, Notify};

/// A guard is kept over a wait for what never comes, while another task waits for the lock: told of
/// with the names of all. What ends the test is the report; without it it hangs.
#[test]
fn obl_19_a_guard_over_a_wait_that_never_ends_is_told_of() {
    for workers in [1, 2] {
        let (sender, found) = mpsc::channel::<Futurelock>();
        let over = Arc::new(Notify::new());
        let (lock, end) = (Arc::new(Mutex::new(())), over.clone());
        let mut monitor = FuturelockConfig::new(move |found| {
            drop(sender.send(found.clone()));
            end.notify_one();
        });
        monitor.idle = Duration::from_millis(4);
        let mut config = Config::default();
        config.futurelock = Some(monitor);
        let runtime = Workers::new(WorkersConfig::workers(workers), config).expect("started");
        let outcome = runtime.run(async move |cx| {
            let guard = lock.lock(&cx).await?;
            let theirs = lock.clone();
            let waiter = cx.spawn(async move |cx| {
                drop(theirs.lock(&cx).await?);
                Ok(())
            })?;
            let ids = (cx.task_id(), waiter.id());
            over.notified(&cx).await?;
            drop(guard);
            waiter.join(&cx).await?.into_result()?;
            Ok(ids)
        });
        let Outcome::Ok((holder, waiter)) = outcome else {
            panic!("{outcome:?}")
        };
        let found = found.try_recv().expect("it was told");
        assert_eq!((found.holder, found.waiter), (holder, waiter));
        assert_eq!(found.kind, Kind::SYNC_PERMIT);
        assert!(runtime.kernel().stats().futurelocks.get() >= 1);
    }
}
