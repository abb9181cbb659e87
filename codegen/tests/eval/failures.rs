//! Error edges, statuses, traces, faults.

use asr_codegen::eval::{Limits, Ret};

use super::{call_on, host};

/// Three frames: `@f` calls `@g` calls `@h`, which refuses with a status. `edges` stand on the
/// call in `@f`, whose blocks return what they got.
fn three_frames(edges: &str) -> String {
    let block = |name: &str, lines: &str| match edges.contains(name) {
        true => format!("{name}:\n{lines}"),
        false => String::new(),
    };
    format!(
        "fn @h(%status: i64, %value: i64) -> i64 throws {{
  local %r: i64
entry:
  %r = intrinsic test_refuse(%status, %value) !1:1
  return %r
}}
fn @g(%status: i64, %value: i64) -> i64 throws {{
  local %r: i64
  local %v: i64
  local %st: i64
entry:
  %r = call @h(%status, %value) cleanup clean(%v, %st) !2:1
  return %r
clean:
  raise %v, %st
}}
global @seen: i64 = 0
fn @f(%status: i64, %value: i64) -> i64 throws {{
  local %r: i64
  local %word: i64
  local %v: i64
  local %st: i64
entry:
  %r = call @g(%status, %value) {edges} !3:1
  return %r
{}{}}}",
        block("caught", "  %word = xor.i64 %word, 0\n  return %word\n"),
        block("out", "  %st = add.i64 %st, 1000\n  return %st\n"),
    )
}

fn run(edges: &str, status: u64) -> (Ret, Vec<u64>) {
    let mut host = host();
    let text = three_frames(edges);
    let (ret, _) = call_on(&mut host, Limits::default(), &text, &[status, 77]);
    (
        ret.expect("it ends"),
        host.traces.iter().map(|site| site & 0xffff_ffff).collect(),
    )
}

#[test]
fn abi_27_part_each_status_through_three_frames() {
    // Waits for asynchronous functions: PENDING and migration.
    for status in 2..=37 {
        // Without a block the pair goes through untouched, and each call notes its site.
        let (ret, sites) = run("", status);
        assert_eq!(ret, Ret { value: 77, status });
        // Site 3 is the `raise` of `@g`, which notes nothing.
        assert_eq!(sites, [1, 2, 4]);

        // A binding block gets the exception, or one made of the status; cancellation passes it.
        let (ret, _) = run("recover caught(%word)", status);
        let expected = match status {
            2 => Ret {
                value: 77,
                status: 0,
            },
            3 => Ret {
                value: 77,
                status: 3,
            },
            _ => Ret {
                value: 0xFFFD << 48 | status,
                status: 0,
            },
        };
        assert_eq!(ret, expected);

        // Without recovery, cleanup takes every status; beside one, only the cancellation.
        let (ret, _) = run("cleanup out(%v, %st)", status);
        assert_eq!(
            ret,
            Ret {
                value: status + 1000,
                status: 0
            }
        );
        let (ret, _) = run("recover caught(%word) cleanup out(%v, %st)", status);
        assert_eq!(ret.value == 1003, status == 3);

        // A recovery block that binds nothing.
        let (ret, _) = run("recover caught", status);
        let expected = if status == 3 { (77, 3) } else { (0, 0) };
        assert_eq!((ret.value, ret.status), expected);
    }
}

#[test]
fn status_0_is_no_failure() {
    assert_eq!(
        run("recover caught(%word)", 0).0,
        Ret {
            value: 77,
            status: 0
        }
    );
}

#[test]
fn abi_22_part_locals_keep_the_last_completed_assignment() {
    // Waits for regions: child tasks of the body.
    let text = "fn @g(%x: i64) -> i64 throws {
entry:
  throw 5
}
fn @f(%d: i64) -> i64 throws {
  local %x: i64
  local %y: i64
entry:
  %x = copy.i64 1
  %y = copy.i64 10
  %x = sdiv.i64 100, %d recover caught
  %y = call @g(%x) recover caught
  return 0
caught:
  %x = add.i64 %x, %y
  return %x
}";
    for (divisor, expected) in [(0, 11), (5, 30)] {
        let (ret, _) = call_on(&mut host(), Limits::default(), text, &[divisor]);
        assert_eq!(
            ret,
            Ok(Ret {
                value: expected,
                status: 0
            })
        );
    }
}

#[test]
fn abi_24_part_each_fault_reports_its_site_and_code() {
    // On the evaluator; the lowering runs the same in its filetests.
    let cases = [
        ("%i = sdiv.i64 1, %zero", 0x0100_0001),
        ("%i = urem.i64 1, %zero", 0x0100_0001),
        ("%i = convert.ftos.f64.i64 nan", 0x0100_0002),
        ("check.bounds.i64 3, 3", 0x0100_0003),
        ("check.bounds.i64 -1, 3", 0x0100_0003),
        ("check.null %p", 0x0100_0004),
        ("check.stack", 0x0100_0006),
        ("%i = sdiv.i64 -9223372036854775808, %minus", 0x0100_0007),
    ];
    for (inst, code) in cases {
        for edge in ["", " recover caught(%i)"] {
            let text = format!(
                "fn @f() -> i64 throws {{\n  local %i: i64\n  local %zero: i64\n  \
                 local %minus: i64\n  local %p: ptr\nentry:\n  %minus = copy.i64 -1\n  \
                 {inst}{edge} !7:9\n  return 1\n{}}}",
                if edge.is_empty() {
                    ""
                } else {
                    "caught:\n  return %i\n"
                }
            );
            let mut host = host();
            let limits = Limits {
                depth: 1,
                ..Limits::default()
            };
            let (ret, _) = call_on(&mut host, limits, &text, &[]);
            let ret = ret.expect("it ends");
            assert_eq!(host.faults.len(), 1, "{inst}");
            assert_eq!(host.faults[0].code, code, "{inst}");
            assert_eq!(ret.value, 0xFFFC << 48 | host.faults[0].site);
            assert_eq!(ret.status, if edge.is_empty() { 2 } else { 0 });
            assert!(host.traces.is_empty(), "the word of a fault names its site");
        }
    }
}

#[test]
fn a_throw_is_noted_where_it_begins() {
    let text = "fn @g() throws {\nentry:\n  throw 9\n}\n\
                fn @f() throws {\nentry:\n  call @g()\n  return\n}";
    let mut host = host();
    let (ret, _) = call_on(&mut host, Limits::default(), text, &[]);
    assert_eq!(
        ret,
        Ok(Ret {
            value: 9,
            status: 2
        })
    );
    assert_eq!(host.traces, [3 << 32 | 1, 3 << 32 | 2]);
}

#[test]
fn abi_8_part_probes_go_on_or_take_the_error_edge() {
    // Compiled code is tested in the filetests; asynchronous functions wait.
    let text = "fn @f(%n: i64) -> i64 throws {
  local %i: i64
  local %more: bool
  local %v: i64
  local %st: i64
entry:
  jump head
head:
  probe.loop recover caught cleanup out(%v, %st)
  %i = add.i64 %i, 1
  %more = cmp.slt.i64 %i, %n
  branch %more, head, done
done:
  return %i
caught:
  return -1
out:
  %st = add.i64 %st, 1000
  return %st
}";
    for (status, expected) in [(0, 5), (2, u64::MAX), (3, 1003)] {
        let mut host = host();
        host.flag = true;
        host.actions.insert(3, Ret { value: 8, status });
        let (ret, _) = call_on(&mut host, Limits::default(), text, &[5]);
        assert_eq!(
            ret,
            Ok(Ret {
                value: expected,
                status: 0
            })
        );
        assert_eq!(host.probes, if status == 0 { 5 } else { 3 });
        assert!(host.traces.is_empty());
    }
}

#[test]
fn handlers_run_when_their_object_is_reported() {
    let text = "handler 0x17 @fix fast 1000
data @object = \"\\17\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\2a\"
fn @fix(%object: ptr, %context: ptr) {
  local %code: i32
entry:
  %code = load.i32 %context + 4
  store.i32 %code, %object + 16
  return
}
fn @f() -> i32 {
  local %p: ptr
  local %r: i32
entry:
  %p = addr.data @object
  intrinsic anomaly(0x05000001, %p)
  intrinsic anomaly(1, 0)
  %r = load.i32 %p + 16
  return %r
}";
    let mut host = host();
    let (ret, _) = call_on(&mut host, Limits::default(), text, &[]);
    assert_eq!(
        ret,
        Ok(Ret {
            value: 0x0500_0001,
            status: 0
        })
    );
    assert_eq!((host.anomalies.len(), host.repaired), (2, 1));
}
