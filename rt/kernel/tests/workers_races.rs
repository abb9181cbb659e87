//! Tasks that race on memory, on several workers.
#![cfg(not(loom))]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_base::Outcome;
use asr_kernel::Config;
use asr_kernel::sched::{Workers, WorkersConfig};

const TASKS: u64 = 8;
const ROUNDS: u64 = 2000;

/// A value that tells by itself that it was written whole, and by whom.
fn value(task: u64, round: u64) -> u64 {
    let number = task << 24 | round;
    number << 32 | (!number & 0xffff_ffff)
}

fn is_whole(value: u64) -> bool {
    value >> 32 == !value & 0xffff_ffff
}

/// Waits: racy compiled programs under the thread checker. Here the accesses are those of Rust
/// tasks, unordered and of eight bytes; and what the edges of the runtime order beside them.
#[test]
fn tsk_28_part_an_unordered_read_gives_a_value_that_was_written() {
    for workers in [1, 2, 8] {
        let workers = Workers::new(WorkersConfig::workers(workers), Config::default());
        let outcome = workers.expect("started").run(async |cx| {
            let racy = Arc::new([const { AtomicU64::new(0) }; 4]);
            for cell in racy.iter() {
                cell.store(value(0, 0), Relaxed);
            }
            let mut tasks = Vec::new();
            for task in 0..TASKS {
                let racy = racy.clone();
                // Ordered by the spawn, and given back by the join: never torn, never stale.
                let mut own = vec![task; 16];
                tasks.push(cx.spawn(async move |cx| {
                    for round in 0..ROUNDS {
                        let seen = racy[(round % 4) as usize].load(Relaxed);
                        assert!(is_whole(seen), "{seen:#x}");
                        let (by, at) = (seen >> 56, seen >> 32 & 0xff_ffff);
                        assert!(by < TASKS && at < ROUNDS, "{seen:#x}");
                        racy[(seen % 4) as usize].store(value(task, round), Relaxed);
                        own[(round % 16) as usize] += 1;
                        if round % 16 == 0 {
                            cx.yield_now().await?;
                        }
                    }
                    Ok(own)
                })?);
            }
            for (task, handle) in tasks.into_iter().enumerate() {
                let own = handle.join(&cx).await?.into_result()?;
                assert_eq!(own, vec![task as u64 + ROUNDS / 16; 16]);
            }
            Ok(())
        });
        assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    }
}
