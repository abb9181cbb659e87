//! Memory of the JIT, and the tables that it registers.
#![allow(
    unsafe_code,
    reason = "reads the registered tables as the runtime does"
)]

mod common;

use std::sync::atomic::Ordering;

use asr_abi::{FuncEntry, LineEntry, Site, SiteTable};
use asr_codegen::air::sites;
use asr_codegen::jit::Unit;
use asr_codegen::{OptLevel, Options, ProbeMode};
use common::*;

const TEXT: &str = r#"
module "m" unit 77
file "demo.prox"
data @text = "hello"
global @count: i64 = 41
handler 0x17 @fix fast 50000
fn @fix(%o: ptr, %c: ptr) {
entry:
  return
}
fn @divide(%a: i64, %b: i64) -> i64 throws title "divide it" !3:1 {
entry:
  probe.entry                 !3:1
  %a = sdiv.i64 %a, %b        !4:5
  return %a                   !5:5
}
export fn @main(%a: i64) -> i64 throws {
  local %p: ptr
  local %n: i64
entry:
  %n = global.get @count      !9:5
  %n = add.i64 %n, 1          !9:5
  global.set @count, %n       !10:5
  %p = addr.data @text        !11:5
  check.null %p               !11:9
  %n = call @divide(%n, %a)   !12:5
  return %n                   !13:5
}
"#;

fn options() -> Options {
    Options {
        probes: ProbeMode::AsIs,
        ..Options::default()
    }
}

fn maps() -> String {
    std::fs::read_to_string("/proc/self/maps").expect("the memory map")
}

#[test]
fn abi_36_part_memory_is_never_writable_and_executable() {
    // What waits: cells between units, frames and handlers that refuse a release (the runtime's).
    let unit = load(TEXT);
    assert_eq!(call(&unit, "main", &[2]), (21, 0));
    assert_eq!(
        call(&unit, "main", &[1]),
        (43, 0),
        "globals keep their value"
    );
    let code = unit.lookup("main").expect("exported").addr();
    let mut found = false;
    for line in maps().lines() {
        let (range, rest) = line.split_once(' ').expect("a range");
        let (start, end) = range.split_once('-').expect("two addresses");
        let number = |text| usize::from_str_radix(text, 16).expect("hexadecimal");
        let rights = &rest[..4];
        assert!(!(rights.contains('w') && rights.contains('x')), "{line}");
        if (number(start)..number(end)).contains(&code) {
            assert_eq!(rights, "r-xp");
            found = true;
        }
    }
    assert!(found, "the code is mapped");
}

#[test]
fn abi_36_part_memory_of_released_units_comes_back() {
    let text = "module \"m\" unit 1\nglobal @g: i64 = 1\nexport fn @f() {\nentry:\n  return\n}\n";
    let options = Options {
        opt: OptLevel::None,
        verify_clif: false,
        ..options()
    };
    let prepared = prepared(text, &options);
    let round = || {
        let unit = Unit::load(&prepared, &symbols(), Box::new(log_once())).expect("loads");
        assert!(unit.release().is_ok());
    };
    for _ in 0..100 {
        round();
    }
    let mapped = || {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("sizes");
        let mut pages = statm
            .split(' ')
            .map(|n| n.parse::<usize>().expect("a number"));
        (pages.next().expect("size"), maps().lines().count())
    };
    let before = mapped();
    for _ in 0..10_000 {
        round();
    }
    let after = mapped();
    // Other tests of this process run beside this one; a leak would be 10 000 mappings.
    assert!(after.0 < before.0 + 8192, "{before:?} {after:?}");
    assert!(after.1 < before.1 + 200, "{before:?} {after:?}");
}

/// One registry for all rounds.
fn log_once() -> &'static Log {
    static LOG: std::sync::OnceLock<&'static Log> = std::sync::OnceLock::new();
    LOG.get_or_init(log)
}

#[test]
fn abi_18_part_handlers_are_registered_after_the_record_and_before_the_first_call() {
    // What waits: the order in a trace. The fake registry refuses a handler before the record.
    let prepared = prepared(TEXT, &options());
    let log = log();
    let unit = Unit::load(&prepared, &symbols(), Box::new(log)).expect("loads");
    assert_eq!(log.handlers.load(Ordering::Relaxed), 1);
    let record = log.record.load(Ordering::Relaxed);
    assert_eq!(record.cast_const(), std::ptr::from_ref(unit.record()));
}

#[test]
fn abi_48_part_every_site_and_function_is_found() {
    // Objects: tests/object.rs. What waits: poll addresses, with asynchronous functions.
    let prepared = prepared(TEXT, &options());
    let unit = Unit::load(&prepared, &symbols(), Box::new(log())).expect("loads");
    let record = unit.record();
    let air = prepared.module();
    assert_eq!(record.version, u64::from(asr_abi::VERSION));
    // SAFETY: the record is that of a loaded unit; its tables live as long.
    let (table, found, funcs): (&SiteTable, &[Site], &[FuncEntry]) = unsafe {
        let table = &*record.sites;
        (
            table,
            std::slice::from_raw_parts(table.sites, table.n_sites as usize),
            std::slice::from_raw_parts(table.funcs, table.n_funcs as usize),
        )
    };
    assert_eq!(table.unit, 77);
    let expected = sites(air);
    assert_eq!(found.len(), expected.len());
    for (site, expected) in found.iter().zip(&expected) {
        assert_eq!((site.line, site.col), (expected.loc.line, expected.loc.col));
        assert_eq!(site.code, expected.kind.fault_code());
        assert_eq!(site.func, expected.func.0);
    }
    assert_eq!(funcs.len(), 3);
    assert!(funcs.is_sorted_by_key(|func| func.entry));
    for (func, air) in funcs.iter().zip(&air.funcs) {
        // SAFETY: as above.
        let (name, lines): (&[u8], &[LineEntry]) = unsafe {
            (
                std::slice::from_raw_parts(func.name, func.name_len as usize),
                std::slice::from_raw_parts(func.lines, func.n_lines as usize),
            )
        };
        assert_eq!(name, air.display_name().as_bytes());
        assert!(lines.is_sorted_by_key(|line| line.offset));
        assert!(lines.iter().all(|line| line.offset < func.len));
        let (base, end) = (record.base.addr(), record.base.addr() + record.len as usize);
        let start = func.entry.addr();
        assert!(base <= start && start + func.len as usize <= end);
    }
    assert_eq!(Some(funcs[2].entry), unit.lookup("main"));
    // SAFETY: as above.
    assert_eq!(unsafe { (*record.frames).len }, 0);
}
