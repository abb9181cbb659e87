//! The probe pass and the probe check, on the filetests and on modules made here.

use std::path::{Path, PathBuf};

use asr_codegen::air::{Module, Op, Place, ProbeKind, VerifyError, parse, verify};
use asr_codegen::{Error, Options, ProbeMode, Rows, pass, prepare};
use asr_intrinsics::{CORE, SYNC, TASKS, Table};

/// The rows that filetests use.
macro_rules! table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// Allocates.
        test_alloc(size: i64) -> ptr, fails [], does [Allocates];
        /// Waits.
        test_park(x: i64) -> i64, fails [], does [Parks];
        /// Refuses.
        test_refuse(status: i64) -> i64, fails [CLOSED BUSY], does [];
        /// One parameter of each kind.
        test_kinds(a: i32, b: u32, c: i64, d: f64, e: bool) -> f64, fails [], does [];
        /// Gives it back.
        test_word(v: value) -> value, fails [], does [];
        /// The address behind a handle.
        test_borrow(handle: u64) -> ptr, fails [], does [Borrows];
    } };
}
const FILETEST: Table = table!(asr_intrinsics::rows, "filetest");
const TABLES: [&Table; 4] = [&CORE, &TASKS, &SYNC, &FILETEST];

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "air") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every module of the tree that the verifier accepts.
fn corpus() -> Vec<(PathBuf, String, Module)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = files(&root.join("filetests"));
    all.extend(files(&root.join("../testsuite/kernels")));
    let accepted = all.into_iter().filter_map(|path| {
        let text = std::fs::read_to_string(&path).expect("a file");
        let module = parse(text.as_bytes()).ok()?.module;
        verify(&module, &TABLES).ok()?;
        Some((path, text, module))
    });
    accepted.collect()
}

fn check(module: &Module, mode: ProbeMode) -> Vec<VerifyError> {
    let rows = Rows::imported(module, &TABLES).expect("known tables");
    pass::check_probes(module, &rows, mode)
}

fn options(probes: ProbeMode) -> Options {
    Options {
        probes,
        ..Options::default()
    }
}

#[test]
fn abi_1_part_every_module_passes_the_check_after_the_pass() {
    let corpus = corpus();
    assert!(corpus.len() > 80, "{}", corpus.len());
    for (path, _, module) in &corpus {
        // An address that is kept across a probe is not for the passes to mend.
        let rows = Rows::imported(module, &TABLES).expect("known tables");
        if !pass::check_borrows(module, &rows).is_empty() {
            continue;
        }
        for mode in [ProbeMode::Auto, ProbeMode::Every] {
            match prepare(module, &TABLES, &options(mode)) {
                Ok(prepared) => {
                    if let Err(errors) = verify(prepared.module(), &TABLES) {
                        panic!("{} {mode:?}: {}", path.display(), errors[0]);
                    }
                }
                Err(error) => panic!("{} {mode:?}: {error}", path.display()),
            }
        }
    }
}

/// Lines marked `; error: WORD` are what the check rejects, in files that say `verify placed`.
#[test]
fn abi_30_a_b_c_each_elision_is_accepted_within_and_rejected_beyond() {
    let mut seen = 0;
    for (path, text, module) in &corpus() {
        if !text.contains("; test verify placed") {
            continue;
        }
        seen += 1;
        let spans = parse(text.as_bytes()).expect("parsed before").spans;
        let rows = Rows::imported(module, &TABLES).expect("known tables");
        let mut errors = pass::check_edges(module, &rows);
        errors.extend(pass::check_borrows(module, &rows));
        errors.extend(check(module, ProbeMode::Auto));
        let found = errors.iter().map(|error| {
            let text = format!("{}: {}", error.code, error.message);
            (spans.of(error.place).line as usize, text)
        });
        let found: Vec<(usize, String)> = found.collect();
        let marks = text.lines().enumerate().filter_map(|(n, line)| {
            let (_, mark) = line.split_once("; error: ")?;
            Some((n + 1, mark.trim()))
        });
        let marks: Vec<(usize, &str)> = marks.collect();
        let agree = |((line, text), (at, mark)): (&(usize, String), &(usize, &str))| {
            line == at && text.starts_with(mark)
        };
        let same = found.len() == marks.len() && found.iter().zip(&marks).all(agree);
        assert!(same, "{}: {found:?}, not {marks:?}", path.display());
    }
    assert!(seen >= 18, "{seen}");
}

fn module(text: &str) -> Module {
    let parsed = parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    verify(&parsed.module, &TABLES).unwrap_or_else(|errors| panic!("{}", errors[0]));
    parsed.module
}

fn placed(text: &str) -> Module {
    let prepared = prepare(&module(text), &TABLES, &options(ProbeMode::Auto));
    prepared
        .unwrap_or_else(|error| panic!("{error}"))
        .module()
        .clone()
}

fn probes(module: &Module, kind: ProbeKind) -> usize {
    let ops = module.funcs.iter().flat_map(|func| &func.blocks);
    let ops = ops.flat_map(|block| &block.insts).map(|inst| &inst.op);
    ops.filter(|op| **op == Op::Probe { kind }).count()
}

fn chunks(module: &Module) -> Vec<u32> {
    let ops = module.funcs.iter().flat_map(|func| &func.blocks);
    let ops = ops.flat_map(|block| &block.insts).map(|inst| &inst.op);
    ops.filter_map(|op| match op {
        Op::Chunk { count, .. } => Some(*count),
        _ => None,
    })
    .collect()
}

/// A loop whose body has this many additions.
fn counted(step: i64, compare: &str, end: &str, adds: usize) -> String {
    let adds = "  %acc = add.i64 %acc, %i\n".repeat(adds);
    format!(
        "module \"m\" unit 1\nfn @f(%n: i64) -> i64 {{\n  local %i: i64\n  local %acc: i64\n  \
         local %c: bool\nentry:\n  jump head\nhead:\n  %c = cmp.{compare}.i64 %i, {end}\n  \
         branch %c, body, done\nbody:\n{adds}  %i = add.i64 %i, {step}\n  jump head\ndone:\n  \
         return %acc\n}}\n"
    )
}

#[test]
fn abi_2_counted_loops_are_stripped_within_the_gap() {
    for (step, compare, end, adds, expected) in [
        (1, "slt", "%n", 1, Some(1024)),
        (-1, "sgt", "%n", 1, Some(1024)),
        (1, "sle", "1000000", 1, Some(1024)),
        (3, "slt", "1000000", 1, Some(1024)),
        (1, "slt", "%n", 100, Some(59)),
        // The counter could wrap before it meets its end, or the loop has none.
        (1, "sle", "%n", 1, None),
        (3, "slt", "%n", 1, None),
        (3, "slt", "9223372036854775807", 1, None),
        (1, "sgt", "%n", 1, None),
        (1, "ne", "%n", 1, None),
        (1, "ult", "%n", 1, None),
        // So large that a second loop does not pay.
        (1, "slt", "%n", 5000, None),
    ] {
        let placed = placed(&counted(step, compare, end, adds));
        let chunks = chunks(&placed);
        let what = format!("{step} {compare} {end} {adds}");
        assert_eq!(probes(&placed, ProbeKind::Loop), 1, "{what}");
        assert_eq!(chunks.first().copied(), expected, "{what}");
    }
}

#[test]
fn abi_2_short_loops_have_no_probe() {
    for (end, expected) in [("16", 0), ("17", 1)] {
        let placed = placed(&counted(1, "slt", end, 1));
        assert_eq!(probes(&placed, ProbeKind::Loop), expected, "{end}");
        assert_eq!(chunks(&placed).len(), expected, "{end}");
    }
}

#[test]
fn abi_3_part_straight_code_gets_probes() {
    let adds = "  %a = add.i64 %a, 1\n".repeat(100_000);
    let text = format!(
        "module \"m\" unit 1\nexport fn @f(%a: i64) -> i64 {{\nentry:\n{adds}  return %a\n}}\n"
    );
    let placed = placed(&text);
    assert!((6..=16).contains(&probes(&placed, ProbeKind::Gap)));
    // One probe less is one too few.
    let mut bare = placed;
    let insts = &mut bare.funcs[0].blocks[0].insts;
    let gap = Op::Probe {
        kind: ProbeKind::Gap,
    };
    let at = insts
        .iter()
        .position(|inst| inst.op == gap)
        .expect("a probe");
    insts.remove(at);
    let errors = check(&bare, ProbeMode::Auto);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code, "V0023");
    assert!(matches!(errors[0].place, Place::Inst(..)));
}

#[test]
fn abi_1_part_blocking_and_foreign_calls_are_followed_by_probes() {
    let text = "module \"m\" unit 1\nuse filetest\nextern fn @puts(ptr) -> i32\n\
                fn @f(%x: i64) -> i64 {\n  local %r: i32\nentry:\n\
                  %x = intrinsic test_park(%x)\n  %r = call.extern @puts(0)\n  return %x\n}\n";
    let placed = placed(text);
    assert_eq!(probes(&placed, ProbeKind::Return), 2);
    assert_eq!(check(&module(text), ProbeMode::Auto).len(), 2);
}

#[test]
fn abi_2_part_a_wrapped_counter_is_not_believed() {
    // Nothing says that `i` lies before `n` when the loop is entered.
    let text = "module \"m\" unit 1\nfn @f(%i: i64, %n: i64) -> i64 {\n  local %lim: i64\n\
                  local %c: bool\nentry:\n  jump outer\nouter:\n  probe.loop\n\
                  %lim = chunk.i64 %i, %n, 1, 1024\n  jump inner\ninner:\n\
                  %i = add.i64 %i, 1\n  %c = cmp.slt.i64 %i, %lim\n  branch %c, inner, latch\n\
                latch:\n  %c = cmp.slt.i64 %i, %n\n  branch %c, outer, done\n\
                done:\n  return %i\n}\n";
    let errors = check(&module(text), ProbeMode::Auto);
    assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), ["V0019"]);
}

#[test]
fn a_module_that_lacks_a_table_is_refused() {
    let module = parse(b"module \"m\" unit 1\nuse filetest\n")
        .expect("parses")
        .module;
    let error = prepare(&module, &[&CORE], &Options::default());
    assert!(matches!(error, Err(Error::UnknownTable(_))));
}

/// A loop through a recovery block, with a second test of another counter on the way back.
#[test]
fn abi_2_part_a_loop_with_two_counters_is_stripped_by_one() {
    let text = "module \"m\" unit 1\nexport fn @f() throws {\n  local %runs: i64\n\
                  local %left: i64\n  local %e: value\n  local %c: bool\nentry:\n\
                  %left = copy.i64 5\n  jump protected\nprotected:\n\
                  %runs = add.i64 %runs, 1\n  %c = cmp.slt.i64 %runs, 300\n\
                  branch %c, then, done\nthen:\n  throw 0 recover failed(%e)\nfailed:\n\
                  %c = cmp.sgt.i64 %left, 0\n  branch %c, again, done\nagain:\n\
                  %left = sub.i64 %left, 1\n  jump protected\ndone:\n  return\n}\n";
    let placed = placed(text);
    assert!(check(&placed, ProbeMode::Auto).is_empty());
}

/// Time grows with the number of loops, not with its square.
#[test]
fn abi_33_part_many_loops_take_no_long_time() {
    let mut text = "module \"m\" unit 1\nfn @f(%n: i64) -> i64 {\n  local %i: i64\n  \
                    local %c: bool\nentry:\n  jump h0\n"
        .to_owned();
    let loops = 1000;
    for k in 0..loops {
        let next = k + 1;
        text.push_str(&format!(
            "h{k}:\n  %c = cmp.slt.i64 %i, %n\n  branch %c, b{k}, h{next}\nb{k}:\n  \
             %i = add.i64 %i, 1\n  jump h{k}\n"
        ));
    }
    text.push_str(&format!("h{loops}:\n  return %i\n}}\n"));
    let started = std::time::Instant::now();
    assert_eq!(chunks(&placed(&text)).len(), loops);
    // A watchdog: quadratic time would take minutes.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
