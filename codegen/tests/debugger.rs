//! gdb finds lines and frames of code in memory.

mod common;
mod tools;

use std::process::Command;

use asr_codegen::{Options, ProbeMode};
use common::{call, load_with};
use tools::output;

const TEXT: &str = r#"
module "m" unit 1
file "live.prox"
fn @inner(%n: i64) -> i64 throws !1:1 {
  local %c: bool
entry:
  %c = cmp.eq.i64 %n, 0   !2:5
  branch %c, done, more   !2:5
more:
  %n = sub.i64 %n, 1      !3:5
  %n = call @inner(%n)    !3:9
  %n = add.i64 %n, 1      !4:5
  return %n               !4:5
done:
  %n = sdiv.i64 100, %n   !5:5
  return %n               !5:9
}
export fn @main(%n: i64) -> i64 throws !7:1 {
entry:
  %n = call @inner(%n)    !8:5
  return %n               !8:12
}
"#;

/// What the debugger runs: this file again, with a variable set.
#[test]
fn runs_code_in_memory_for_the_debugger() {
    if std::env::var_os("ASR_UNDER_GDB").is_none() {
        return;
    }
    let options = Options {
        probes: ProbeMode::AsIs,
        debugger: true,
        ..Options::default()
    };
    let unit = load_with(TEXT, &options);
    assert_eq!(call(&unit, "main", &[2]).1, 2);
    let second = load_with(TEXT, &options);
    assert_eq!(call(&second, "main", &[0]).1, 2);
    // The first image leaves the list, the second stays.
    assert!(unit.release().is_ok());
    assert_eq!(call(&second, "main", &[0]).1, 2);
}

#[test]
fn gdb_breaks_in_code_in_memory_and_names_its_frames() {
    let program = std::env::current_exe().expect("this test");
    let mut gdb = Command::new("gdb");
    gdb.env("ASR_UNDER_GDB", "1").args(["-batch", "-nx", "-q"]);
    for command in [
        "set width 0",
        "set debuginfod enabled off",
        "set startup-with-shell off",
        "set disable-randomization off",
        "set breakpoint pending on",
        "break live.prox:5",
        "run",
        "bt 6",
        "continue",
        "bt 3",
        "continue",
        "bt 3",
        "delete",
        "continue",
    ] {
        gdb.args(["-ex", command]);
    }
    gdb.arg("--args").arg(&program);
    gdb.args(["runs_code_in_memory_for_the_debugger", "--exact"]);
    let text = output(gdb.arg("--test-threads=1"), 0);
    for part in [
        "#0  inner () at live.prox:5",
        "in inner () at live.prox:3",
        "in main () at live.prox:8",
    ] {
        assert!(text.contains(part), "`{part}` in:\n{text}");
    }
    let stops = text.matches("#0  inner () at live.prox:5").count();
    assert_eq!(stops, 3, "the second unit is found too:\n{text}");
}
