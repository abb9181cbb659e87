//! Programs by hand: under several seeds, and cancelled at every cancel point.

#![allow(
    unsafe_code,
    reason = "runs of the lab use one engine one after the other"
)]

use asr_codegen::air::{FuncId, Module, parse};
use asr_lab::{LabConfig, for_each_cancel_point};

use crate::{Engine, main_task, on_both, run, seen};

/// Two workers take words from a channel under a lock, and count what they began and what they
/// ended: `@begun`, and `@ended` in the ordinary way or by the cleanup. The producer sleeps between
/// its words; the region waits for all of them.
const WORKERS: &str = r#"
module "workers" unit 71
use core
use tasks
use sync

global @begun: i64 = 0
global @ended: i64 = 0
global @sum: i64 = 0

fn @begin() {
  local %n: i64
entry:
  %n = global.get @begun
  %n = add.i64 %n, 1
  global.set @begun, %n
  return
}

fn @end() {
  local %n: i64
entry:
  %n = global.get @ended
  %n = add.i64 %n, 1
  global.set @ended, %n
  return
}

async fn @add(%lock: i64, %word: i64) throws {
  local %n: i64
  local %p: permit
  local %v: i64
  local %s: i64
entry:
  %p = intrinsic sem_acquire(%lock, 1)
  intrinsic yield_now() cleanup out(%v, %s)
  %n = global.get @sum
  %n = add.i64 %n, %word
  global.set @sum, %n
  intrinsic commit(%p)
  return
out: cold
  intrinsic abort(%p)
  raise %v, %s
}

async fn @worker(%chan: i64, %lock: i64) -> i64 throws {
  local %word: i64
  local %n: i64
  local %e: value
  local %v: i64
  local %s: i64
entry:
  call @begin()
  jump head
head:
  probe.explicit cleanup out(%v, %s)
  %word = intrinsic chan_recv(%chan) recover done(%e) cleanup out(%v, %s)
  await @add(%lock, %word) cleanup out(%v, %s)
  %n = add.i64 %n, 1
  jump head
done:
  call @end()
  return %n
out: cold
  call @end()
  raise %v, %s
}

async fn @send(%chan: i64, %count: i64) throws {
  local %i: i64
  local %more: bool
  local %p: permit
  local %v: i64
  local %s: i64
entry:
  call @begin()
  jump head
head:
  %more = cmp.slt.i64 %i, %count
  branch %more, body, done
body:
  probe.explicit cleanup out(%v, %s)
  %i = add.i64 %i, 1
  intrinsic sleep(1000000) cleanup out(%v, %s)
  %p = intrinsic chan_reserve(%chan) cleanup out(%v, %s)
  intrinsic chan_send(%p, %i) cleanup out(%v, %s)
  jump head
done:
  intrinsic chan_close(%chan) cleanup out(%v, %s)
  call @end()
  return
out: cold
  call @end()
  intrinsic chan_close(%chan)
  raise %v, %s
}

export async fn @main(%count: i64) -> i64 throws {
  local %chan: i64
  local %lock: i64
  local %r: region
  local %a: task
  local %b: task
  local %c: task
  local %n: i64
  local %v: i64
  local %s: i64
entry:
  call @begin()
  %chan = intrinsic chan_new(2) cleanup plain(%v, %s)
  %lock = intrinsic sem_new(1) cleanup plain(%v, %s)
  %r = intrinsic region_open() cleanup plain(%v, %s)
  %a = spawn @worker(%chan, %lock) in %r cleanup out(%v, %s)
  intrinsic task_detach(%a)
  %b = spawn @worker(%chan, %lock) in %r cleanup out(%v, %s)
  intrinsic task_detach(%b)
  %c = spawn @send(%chan, %count) in %r cleanup out(%v, %s)
  intrinsic task_detach(%c)
  %n = intrinsic region_close(%r) cleanup plain(%v, %s)
  call @end()
  %n = global.get @sum
  return %n
out: cold
  intrinsic region_abandon(%r)
  jump raises
plain: cold
  jump raises
raises: cold
  call @end()
  raise %v, %s
}
"#;

fn workers() -> (Module, FuncId) {
    let parsed = parse(WORKERS.as_bytes()).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let module = parsed.module;
    let main = module.funcs.iter().position(|func| func.name == "main");
    (module, FuncId::new(main.expect("there is @main")))
}

/// ABI-35: a program by hand under several seeds.
#[test]
fn abi_35_part_programs_end_alike_under_each_seed() {
    let (module, main) = workers();
    let mut schedules = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let [evaluated, compiled] =
            on_both(&module, |engine| run(engine, "main", main, &[4], seed));
        assert_eq!(evaluated, compiled, "seed {seed}");
        assert!(evaluated.contains("Ok(10)"), "{evaluated}");
        schedules.insert(evaluated);
    }
    assert!(schedules.len() > 1, "all seeds gave one schedule");
}

/// ABI-28: at every cancel point of every task, what began ends once; both engines alike, and the
/// lab finds no leak.
#[test]
fn abi_28_part_cancelled_at_each_point_cleanup_runs_once() {
    let (module, main) = workers();
    let [evaluated, compiled] = on_both(&module, |engine| {
        let engine: *mut Engine<'_> = engine;
        let mut all = Vec::new();
        let (mut before, mut ran) = (0, 0);
        let make = || {
            // SAFETY: runs follow each other, and nothing else uses the engine in between.
            main_task(unsafe { &mut *engine }, "main", main, &[2])
        };
        let points = for_each_cancel_point(&LabConfig::seed(7), make, |point, run| {
            assert!(run.is_ok(), "{point:?}: {:?}", run.err());
            // SAFETY: the run has ended.
            if let Engine::Evaluator(session) = unsafe { &*engine } {
                let globals = session.globals();
                assert_eq!(
                    globals[0], globals[1],
                    "{point:?}: what began did not end once"
                );
                ran += usize::from(globals[0] > before);
                before = globals[0];
            }
            all.push(format!("{point:?}: {}", seen(run)));
        });
        let points = points.expect("it runs without a cancel").len();
        assert!(points > 20, "only {points} points");
        // The first run is not cancelled; where the main task is, before it starts, nothing runs.
        // SAFETY: as above.
        let is_code = matches!(unsafe { &*engine }, Engine::Code(_));
        assert!(is_code || ran + 5 > points, "{ran} of {points} ran");
        all
    });
    assert_eq!(evaluated, compiled);
}
