//! Isolates stay on their worker (SCH-48).

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread::ThreadId;

use asr_rt::{RegionConfig, Spawn};

use crate::machines::*;
use crate::runtimes::{Runtime, done};
use crate::tools::spawn;

/// On which threads the tasks of an isolate were polled, and how often.
static SEEN: Mutex<BTreeMap<u64, Vec<ThreadId>>> = Mutex::new(BTreeMap::new());

machine! {
    /// Yields `word[1]` times as a task of isolate `word[0]`, and starts `word[2]` more.
    wanders(m, th) {
        SEEN.lock().unwrap().entry(m.word[0]).or_default().push(std::thread::current().id());
        for _ in 0..m.word[2] {
            let task = spawn(th, 0, wanders, &[m.word[0], m.word[1], 0]);
            asr_i_task_detach(th, task);
        }
        m.word[2] = 0;
        if m.head.state == 1 {
            let got = asr_i_op_poll(th, m.slot());
            if got.status == PENDING {
                return m.suspend(th, 1);
            }
        }
        if m.word[1] == 0 {
            return ret(0, OK);
        }
        m.word[1] -= 1;
        match asr_i_yield_now(th, m.slot()).status {
            PENDING => m.suspend(th, 1),
            other => ret(0, other),
        }
    }
}

#[test]
fn sch_48_an_isolate_stays_on_its_worker() {
    const ISOLATES: u64 = 100;
    let runtime = Runtime::workers(4);
    let outcome = runtime.run(async |cx| {
        let mut tasks = Vec::new();
        for isolate in 0..ISOLATES {
            let frame = root(wanders, SIZE_2, &[isolate, 30, 3]);
            tasks.push(cx.spawn_compiled(frame, cx.isolate())?);
        }
        for task in tasks {
            task.join(&cx).await?.into_result()?;
        }
        Ok(())
    });
    done(outcome);
    let seen = SEEN.lock().unwrap();
    let mut used = BTreeMap::new();
    for (isolate, threads) in seen.iter() {
        assert!(
            threads.len() >= 4 * 31,
            "isolate {isolate}: {} polls",
            threads.len()
        );
        assert!(
            threads.iter().all(|thread| *thread == threads[0]),
            "isolate {isolate} moved"
        );
        *used.entry(format!("{:?}", threads[0])).or_insert(0) += 1;
    }
    let each: Vec<i32> = used.into_values().collect();
    assert_eq!(each, [25; 4], "every worker has some");
}

/// On which threads finalizers of an isolate ran.
static FINAL: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

machine! {
    /// Says where it runs.
    runs(m, th) {
        let _ = (m, th);
        FINAL.lock().unwrap().push(std::thread::current().id());
        ret(0, OK)
    }
}

#[test]
fn sch_48_finalizers_of_an_isolate_stay_there() {
    static HEAP: u8 = 0;
    let runtime = Runtime::workers(4);
    let outcome = runtime.run(async |cx| {
        for round in 0..40 {
            let region = cx.open_region(&RegionConfig::new())?;
            let heap = (&raw const HEAP).cast_mut().cast();
            region.region().set_isolate(heap);
            let frame = root(runs, SIZE, &[]);
            let task = region.spawn_compiled(frame, Spawn::new().pin(round % 4))?;
            task.join(&cx).await?.into_result()?;
            let deferred = region.defer_async(async |_| {
                FINAL.lock().unwrap().push(std::thread::current().id());
                Ok(())
            });
            assert!(deferred.is_ok());
            // By this task, wherever it is.
            drop(region.close(&cx).await);
            let ran = std::mem::take(&mut *FINAL.lock().unwrap());
            assert_eq!(ran.len(), 2, "round {round}");
            assert_eq!(ran[0], ran[1], "round {round}");
        }
        Ok(())
    });
    done(outcome);
}
