//! The deadline monitor and the topology on production workers.
#![cfg(not(loom))]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use asr_base::{Budget, Outcome};
use asr_kernel::deadline::{MonitorConfig, Warning};
use asr_kernel::region::Spawn;
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::topology::Topology;
use asr_kernel::{Config, Cx};

#[test]
fn sch_43_a_task_that_holds_the_only_worker_is_warned_of() {
    let (sender, warnings) = mpsc::channel::<Warning>();
    let mut monitor = MonitorConfig::new(move |warning| drop(sender.send(warning.clone())));
    monitor.interval = Duration::from_millis(1);
    // At the first check: no deadline of the test ever comes.
    monitor.permille_left = 1000;
    let mut config = Config::default();
    config.monitor = Some(monitor);
    let workers = Workers::new(WorkersConfig::workers(1), config).expect("started");
    let free = Arc::new(AtomicBool::new(false));
    let held = free.clone();
    let thread = std::thread::spawn(move || {
        workers.run(async move |cx: Cx| {
            let deadline = cx.now().saturating_add(Duration::from_secs(1000));
            let options = Spawn::new()
                .name("holds")
                .budget(Budget::UNLIMITED.with_deadline(deadline));
            let task = cx.spawn_with(options, async move |cx| {
                cx.checkpoint_at(&"before it holds")?;
                while !held.load(SeqCst) {
                    std::thread::yield_now();
                }
                Ok(())
            })?;
            let _ = task.join(&cx).await?;
            Ok(())
        })
    });
    // It stays in its poll until the warning has come: a monitor that needs the worker hangs.
    let warning = warnings.recv().expect("a warning");
    assert_eq!(warning.name.as_deref(), Some("holds"));
    // On a machine that stands still the check may come before the task.
    assert!(matches!(warning.message, None | Some("before it holds")));
    std::thread::sleep(Duration::from_millis(20));
    assert!(warnings.try_recv().is_err(), "warned of once");
    free.store(true, SeqCst);
    assert!(thread.join().expect("no panic").is_ok());
}

#[test]
fn sch_18_workers_of_two_nodes_take_work_from_each_other() {
    for description in ["core:4", "node:2 core:2", "node:4"] {
        let mut workers = WorkersConfig::workers(4);
        workers.topology = Some(Topology::synthetic(description).expect(description));
        let workers = Workers::new(workers, Config::default()).expect("started");
        let sum = workers.run(async |cx| {
            let mut handles = Vec::new();
            for n in 0..1000 {
                handles.push(cx.spawn(async move |cx| {
                    cx.yield_now().await?;
                    Ok(n)
                })?);
            }
            let mut sum = 0;
            for handle in handles {
                sum += handle.join(&cx).await?.into_result()?;
            }
            Ok(sum)
        });
        assert!(
            matches!(sum, Outcome::Ok(499_500)),
            "{description}: {sum:?}"
        );
    }
}
