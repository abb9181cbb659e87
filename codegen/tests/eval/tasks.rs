//! Asynchronous functions: awaits, tasks, suspensions, cancels.

use asr_codegen::air::Verified;
use asr_codegen::eval::{Limits, Machine, Program, Ret, Step, SyncHost, Then};

use crate::{host, with};

/// Runs `@f` as the root task on `host`: how it ended, and the first global.
pub(crate) fn run_on(host: &mut SyncHost, verified: &Verified<'_>, args: &[u64]) -> (Ret, u64) {
    let program = Program::new(verified);
    let mut machine = Machine::new(&program, Limits::default());
    machine.start(host).expect("there is memory");
    let func = program.func("f").expect("there is @f");
    let ret = host
        .run_task(&mut machine, func, args)
        .unwrap_or_else(|stopped| panic!("{stopped}"));
    (ret, machine.globals().first().copied().unwrap_or(0))
}

/// The same for a module as text, on a fresh host.
pub(crate) fn run(text: &str, args: &[u64]) -> (Ret, u64) {
    let text = format!("{LOG}\n{text}");
    with(&text, |verified| run_on(&mut host(), verified, args))
}

/// Notes digits in the order in which they come.
const LOG: &str = "\
global @log: i64 = 0
fn @note(%n: i64) {
  local %x: i64
entry:
  %x = global.get @log
  %x = mul.i64 %x, 10
  %x = add.i64 %x, %n
  global.set @log, %x
  return
}
";

const fn ok(value: u64) -> Ret {
    Ret { value, status: 0 }
}

#[test]
fn an_await_is_an_activation_of_the_same_task() {
    let text = "\
async fn @half(%x: i64) -> i64 throws {
  local %y: i64
entry:
  intrinsic yield_now()
  %y = sdiv.i64 %x, 2
  return %y
}
async fn @quarter(%x: i64) -> i64 throws {
  local %p: ptr
  local %y: i64
  local %z: i64
entry:
  %p = addr.func @half
  %y = await @half(%x)
  %z = await.indirect (i64) -> i64 throws, %p(%y)
  return %z
}
async fn @f(%x: i64) -> i64 throws {
  local %y: i64
entry:
  %y = await @quarter(%x)
  return %y
}";
    assert_eq!(run(text, &[42]).0, ok(10));
}

#[test]
fn abi_27_each_status_passes_through_three_frames() {
    let text = "\
async fn @a(%s: i64, %bind: i64) -> i64 throws {
  local %x: i64
entry:
  intrinsic yield_now()
  %x = intrinsic test_refuse(%s, 77)
  return %x
}
async fn @b(%s: i64, %bind: i64) -> i64 throws {
  local %x: i64
  local %v: i64
  local %t: i64
entry:
  %x = await @a(%s, %bind) cleanup out(%v, %t)
  return %x
out:
  call @note(1)
  raise %v, %t
}
async fn @f(%s: i64, %bind: i64) -> i64 throws {
  local %bound: bool
  local %x: i64
  local %word: i64
entry:
  %bound = cmp.ne.i64 %bind, 0
  branch %bound, binds, plain
plain:
  %x = await @b(%s, %bind)
  return %x
binds:
  %x = await @b(%s, %bind) recover caught(%word)
  return %x
caught:
  return %word
}";
    for status in [2, 3, 4, 9] {
        let failed = Ret { value: 77, status };
        assert_eq!(run(text, &[status, 0]), (failed, 1), "{status}");
        let word = asr_codegen::air::exception_word(77, status);
        let bound = if status == 3 { failed } else { ok(word) };
        assert_eq!(run(text, &[status, 1]), (bound, 1), "{status}");
    }
    assert_eq!(run(text, &[0, 0]), (ok(77), 0));
}

#[test]
fn tasks_take_turns_in_the_order_in_which_they_became_ready() {
    let text = "\
async fn @twice(%n: i64) throws {
entry:
  call @note(%n)
  intrinsic yield_now()
  call @note(%n)
  return
}
async fn @f() throws {
  local %r: region
  local %a: task
  local %p: ptr
  local %b: task
entry:
  %r = intrinsic region_open()
  %a = spawn @twice(1) in %r
  %p = addr.func @twice
  %b = spawn.indirect (i64) throws, %p(2) in %r
  call @note(3)
  intrinsic task_detach(%a)
  intrinsic task_detach(%b)
  intrinsic region_close(%r)
  call @note(4)
  return
}";
    assert_eq!(run(text, &[]), (ok(0), 312124));
}

#[test]
fn a_task_is_joined_however_it_ended() {
    let text = "\
async fn @child(%s: i64) -> i64 throws {
  local %x: i64
entry:
  intrinsic yield_now()
  %x = intrinsic test_refuse(%s, 5)
  return %x
}
async fn @f(%s: i64) -> value throws {
  local %t: task
  local %x: i64
  local %v: i64
  local %c: i64
  local %w: value
entry:
  %t = spawn @child(%s)
  intrinsic mask_enter()
  %x = intrinsic join(%t) recover failed(%w) cleanup out(%v, %c)
  %w = convert.bitcast.i64.value %x
  jump failed
failed:
  intrinsic mask_leave()
  return %w
out:
  intrinsic mask_leave()
  raise %v, %c
}";
    assert_eq!(run(text, &[0]).0, ok(5));
    assert_eq!(run(text, &[2]).0, ok(5));
    for status in [3, 4] {
        let word = asr_codegen::air::exception_word(5, status);
        assert_eq!(run(text, &[status]).0, ok(word), "{status}");
    }
}

/// Three waits of two kinds, each with a cleanup; and a probe in a loop.
const WAITS: &str = "\
async fn @inner(%n: i64) throws {
  local %v: i64
  local %s: i64
entry:
  intrinsic sleep(%n) cleanup out(%v, %s)
  return
out:
  call @note(2)
  raise %v, %s
}
async fn @f() -> i64 throws {
  local %i: i64
  local %v: i64
  local %s: i64
  local %more: bool
entry:
  %i = copy.i64 0
  jump head
head:
  probe.explicit cleanup out(%v, %s)
  await @inner(7) cleanup out(%v, %s)
  intrinsic yield_now() cleanup out(%v, %s)
  %i = add.i64 %i, 1
  %more = cmp.slt.i64 %i, 3
  branch %more, head, done
done:
  return %i
out:
  call @note(1)
  raise %v, %s
}";

#[test]
fn abi_28_part_cancelled_at_each_suspension_cleanup_runs_once() {
    with(&format!("{LOG}\n{WAITS}"), |verified| {
        let mut whole = host();
        whole.flag = true;
        whole.suspends = true;
        assert_eq!(run_on(&mut whole, verified, &[]), (ok(3), 0));
        assert_eq!((whole.suspensions, whole.small.now()), (9, 21));
        for k in 1..=whole.suspensions {
            let mut host = host();
            host.flag = true;
            host.suspends = true;
            host.at = Some((k, Then::Cancel));
            let (ret, log) = run_on(&mut host, verified, &[]);
            assert_eq!(ret.status, 3, "cancelled at {k}");
            // Probe, sleep, yield: only the sleep is in two activations.
            assert_eq!(log, if k % 3 == 2 { 21 } else { 1 }, "cancelled at {k}");
            assert_eq!(host.suspensions, k);
        }
    });
}

#[test]
fn abi_28_part_a_discarded_task_runs_no_cleanup() {
    with(&format!("{LOG}\n{WAITS}"), |verified| {
        let program = Program::new(verified);
        let mut machine = Machine::new(&program, Limits::default());
        let mut host = host();
        host.rows.insert(
            "sleep",
            Box::new(|_, _, _| {
                Ok(Ret {
                    value: 0,
                    status: 1,
                })
            }),
        );
        let func = program.func("f").expect("there is @f");
        let mut task = machine.task(&mut host, func, &[]).expect("it fits");
        let step = machine.resume(&mut host, &mut task).expect("it waits");
        assert_eq!(step, Step::Pending);
        let names = machine.task_backtrace(&task);
        let names: Vec<_> = names.map(|(func, _)| func.index()).collect();
        let inner = program.func("inner").expect("there is @inner");
        assert_eq!(names, [func.index(), inner.index()]);
        machine.discard(&mut host, &mut task);
        assert!(task.is_done());
        assert_eq!(machine.globals(), [0]);
    });
}

#[test]
fn slots_of_suspended_activations_are_their_own() {
    let text = "\
async fn @keep(%n: i64) -> i64 throws {
  local %p: ptr
  local %x: i64
  slot $s 16 align 8
entry:
  %p = addr.slot $s
  store.i64 %n, %p + 8
  intrinsic yield_now()
  %p = addr.slot $s
  %x = load.i64 %p + 8
  return %x
}
async fn @f() -> i64 throws {
  local %a: task
  local %b: task
  local %x: i64
  local %y: i64
entry:
  %a = spawn @keep(3)
  %b = spawn @keep(4)
  %x = intrinsic join(%a)
  %y = intrinsic join(%b)
  %x = mul.i64 %x, 10
  %x = add.i64 %x, %y
  return %x
}";
    assert_eq!(run(text, &[]).0, ok(34));
}

#[test]
fn what_nobody_wakes_is_cancelled() {
    let text = "\
async fn @f() throws {
  local %n: i64
  local %v: i64
  local %s: i64
entry:
  %n = intrinsic notify_new()
  intrinsic notify_wait(%n) cleanup out(%v, %s)
  return
out:
  call @note(1)
  raise %v, %s
}";
    let (ret, log) = run(text, &[]);
    assert_eq!((ret.status, log), (3, 1));
}

#[test]
fn a_function_is_awaited_for_what_it_is() {
    let text = "\
fn @plain(%x: i64) -> i64 {
entry:
  return %x
}
async fn @waits(%x: i64) -> i64 {
entry:
  return %x
}
async fn @f(%which: i64) -> i64 throws {
  local %one: bool
  local %p: ptr
  local %x: i64
entry:
  %one = cmp.eq.i64 %which, 1
  branch %one, first, second
first:
  %p = addr.func @plain
  %x = await.indirect (i64) -> i64, %p(1)
  return %x
second:
  %p = addr.func @waits
  %x = call.indirect (i64) -> i64, %p(1)
  return %x
}";
    for which in [1, 2] {
        with(&format!("{LOG}\n{text}"), |verified| {
            let program = Program::new(verified);
            let mut machine = Machine::new(&program, Limits::default());
            let mut host = host();
            let func = program.func("f").expect("there is @f");
            let stopped = host.run_task(&mut machine, func, &[which]);
            let message = stopped.expect_err("another kind").to_string();
            assert!(message.contains("another signature"), "{message}");
            let called = machine.call(&mut host, func, &[which]);
            let message = called.expect_err("it is asynchronous").to_string();
            assert!(message.contains("asynchronous"), "{message}");
        });
    }
}
