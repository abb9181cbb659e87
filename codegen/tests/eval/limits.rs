//! Endless programs, deep ones, and hosts that call back.

use asr_codegen::eval::{Limits, Ret, Trap, Why};

use super::{call_on, host};

const ENDLESS: &str = "fn @f() {\nentry:\n  jump l\nl:\n  jump l !5:3\n}";

/// Recurses `%n` times; `recover` catches the fault at the depth where it happens.
const DEEP: &str = "fn @f(%n: i64) -> i64 throws {
  local %m: i64
  local %done: bool
entry:
  check.stack
  %done = cmp.eq.i64 %n, 0
  branch %done, end, more
end:
  return 0
more:
  %m = sub.i64 %n, 1
  %m = call @f(%m)
  %m = add.i64 %m, 1
  return %m
}";

#[test]
fn fuel_ends_an_endless_loop() {
    let limits = Limits {
        fuel: 10_000,
        ..Limits::default()
    };
    let (result, executed) = call_on(&mut host(), limits, ENDLESS, &[]);
    let stopped = result.expect_err("it never ends");
    assert_eq!(
        (stopped.why, stopped.loc.line, executed),
        (Why::OutOfFuel, 5, 10_000)
    );
}

#[test]
fn abi_45_part_endless_recursion_is_a_fault() {
    // The native stack is tested in the filetests; here the evaluator's own.
    let mut host = host();
    let (result, _) = call_on(&mut host, Limits::default(), DEEP, &[50_000]);
    assert_eq!(
        result,
        Ok(Ret {
            value: 50_000,
            status: 0
        })
    );
    let (result, _) = call_on(&mut host, Limits::default(), DEEP, &[u64::MAX]);
    assert_eq!(result.map(|ret| ret.status), Ok(2));
    assert_eq!(host.faults[0].code, 0x0100_0006);
    assert_eq!((host.traces.len(), host.traces_count), (64, 99_999));
    // Without a check it stops all the same.
    let bare = DEEP.replace("  check.stack\n", "");
    let (result, _) = call_on(&mut host, Limits::default(), &bare, &[u64::MAX]);
    assert_eq!(result.expect_err("no check").why, Why::StackExhausted);
}

#[test]
fn abi_45_part_recursion_through_a_callback_is_a_fault() {
    let text = "fn @f(%depth: i64) -> i64 throws {
  local %p: ptr
  local %r: i64
entry:
  check.stack
  %p = addr.func @f
  %depth = add.i64 %depth, 1
  %r = intrinsic test_callback(%p, %depth) recover caught
  return %r
caught:
  return %depth
}";
    let mut host = host();
    host.rows.insert("test_callback", callback());
    let (result, _) = call_on(&mut host, Limits::default(), text, &[0]);
    // Every level but the innermost sees its callee return.
    assert_eq!(
        result,
        Ok(Ret {
            value: 64,
            status: 0
        })
    );
    assert_eq!(host.faults.len(), 1);
}

/// Calls `code(depth)`. The row is out of the host meanwhile, so it puts a copy there.
fn callback() -> asr_codegen::eval::RowFn {
    Box::new(|host, vm, args| {
        use asr_codegen::eval::Host;
        host.rows.insert("test_callback", callback());
        let func = host
            .func_at(args[0])
            .ok_or_else(|| Trap::new("no function"))?;
        vm.call(host, func, &args[1..])
            .map_err(|stopped| Trap::new(stopped.to_string()))
    })
}

#[test]
fn what_compiled_code_leaves_to_chance_stops_with_a_place() {
    let cases = [
        ("%i = load.i64 %p + 8 !9:9", "there are no 8 bytes at 0x8"),
        ("store.i8 1, 0x10 !9:9", "there are no 1 bytes at 0x10"),
        ("call.indirect (), %p() !9:9", "there is no function at 0x0"),
        (
            "%p = addr.func @f\n  call.indirect (i8), %p(1) !9:9",
            "another signature",
        ),
        (
            "call.extern @missing() !9:9",
            "no foreign function `missing`",
        ),
    ];
    for (line, message) in cases {
        let text = format!(
            "extern fn @missing()\nfn @f() title \"main\" {{\n  local %p: ptr\n  local %i: i64\n  \
             slot $s 8 align 8\nentry:\n  {line}\n  return\n}}"
        );
        let (result, _) = call_on(&mut host(), Limits::default(), &text, &[]);
        let stopped = result.expect_err("it cannot go on");
        assert_eq!((stopped.func.as_str(), stopped.loc.line), ("main", 9));
        assert!(stopped.to_string().contains(message), "{stopped}");
    }
}

#[test]
fn a_machine_goes_on_after_it_stopped() {
    use asr_codegen::eval::{Machine, Program};
    let text = format!("{ENDLESS}\nfn @g() -> i64 {{\nentry:\n  return 3\n}}");
    super::with(&text, |verified| {
        let program = Program::new(verified);
        let limits = Limits {
            fuel: 100,
            ..Limits::default()
        };
        let (mut machine, mut host) = (Machine::new(&program, limits), host());
        let [f, g] = ["f", "g"].map(|name| program.func(name).expect("defined"));
        assert!(machine.call(&mut host, f, &[]).is_err());
        assert_eq!(machine.backtrace().count(), 0);
        assert!(
            machine.call(&mut host, g, &[]).is_err(),
            "the fuel is used up"
        );
        let mut machine = Machine::new(&program, Limits::default());
        assert!(
            machine.call(&mut host, g, &[1]).is_err(),
            "it takes no argument"
        );
        assert_eq!(
            machine.call(&mut host, g, &[]),
            Ok(Ret {
                value: 3,
                status: 0
            })
        );
    });
}
