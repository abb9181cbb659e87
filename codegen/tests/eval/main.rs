//! The evaluator on its synchronous host. (Rule ABI-49; the other host is in the lab.)

mod failures;
mod limits;
mod ops;
mod sync;
mod tasks;

use asr_codegen::air::{Verified, parse, verify};
use asr_codegen::eval::{Limits, Machine, Program, Ret, Stopped, SyncHost};
use asr_intrinsics::{CORE, SYNC, TASKS, Table};

macro_rules! test_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// Refuses with this status and value.
        test_refuse(status: u64, value: u64) -> i64,
            fails [THREW CANCELLED FULL CLOSED BUSY], does [];
        /// Calls back.
        test_callback(code: code, depth: u64) -> i64, fails [THREW], does [UserCode];
        /// Returns its argument with other bits above it.
        test_dirty(x: i32) -> i32, fails [], does [];
    } };
}

const TEST: Table = test_table!(asr_intrinsics::rows, "test");

/// Parses and verifies a module, and hands it over.
fn with<T>(text: &str, f: impl FnOnce(&Verified<'_>) -> T) -> T {
    let text = format!("module \"m\" unit 3\nuse core\nuse tasks\nuse sync\nuse test\n{text}");
    let parsed = parse(text.as_bytes()).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    let verified = verify(&parsed.module, &[&CORE, &TASKS, &SYNC, &TEST]);
    f(&verified.unwrap_or_else(|e| panic!("{}\n{text}", e[0])))
}

/// A host with the rows of the test table.
fn host() -> SyncHost {
    let mut host = SyncHost::new();
    host.rows.insert(
        "test_refuse",
        Box::new(|_, _, args| {
            Ok(Ret {
                value: args[1],
                status: args[0],
            })
        }),
    );
    host.rows.insert(
        "test_dirty",
        Box::new(|_, _, args| {
            Ok(Ret {
                value: args[0] | 0xdead_beef << 32,
                status: 0,
            })
        }),
    );
    host
}

/// Calls `@f` of the module with these arguments on `host`, within `limits`.
fn call_on(
    host: &mut SyncHost,
    limits: Limits,
    text: &str,
    args: &[u64],
) -> (Result<Ret, Stopped>, u64) {
    with(text, |verified| {
        let program = Program::new(verified);
        let mut machine = Machine::new(&program, limits);
        machine.start(host).expect("there is memory");
        let func = program.func("f").expect("the module has `@f`");
        let result = machine.call(host, func, args);
        (result, machine.executed())
    })
}

/// Calls `@f`; value and status.
fn call(text: &str, args: &[u64]) -> (u64, u64) {
    let (result, _) = call_on(&mut host(), Limits::default(), text, args);
    let ret = result.unwrap_or_else(|stopped| panic!("{stopped}\n{text}"));
    (ret.value, ret.status)
}

#[test]
fn abi_49_part_programs_without_a_kernel_run_on_the_synchronous_host() {
    // Waits for the lab: the same programs on a host whose tasks are futures of the kernel.
    let fib = "fn @f(%n: i64) -> i64 {
  local %a: i64
  local %b: i64
  local %small: bool
entry:
  probe.entry
  check.stack
  %small = cmp.slt.i64 %n, 2
  branch %small, leaf, inner
leaf:
  return %n
inner:
  %a = sub.i64 %n, 1
  %a = call @f(%a)
  %b = sub.i64 %n, 2
  %b = call @f(%b)
  %a = add.i64 %a, %b
  return %a
}";
    let (result, executed) = call_on(&mut host(), Limits::default(), fib, &[15]);
    assert_eq!(
        result,
        Ok(Ret {
            value: 610,
            status: 0
        })
    );
    // 1973 calls: 987 leaves of 5 instructions and 986 inner ones of 10.
    assert_eq!(executed, 987 * 5 + 986 * 10);
}
