//! What asynchronous functions cost, over an executor that does the least: tasks, awaits that do
//! not suspend, suspensions at depth 0 and 10, code size and compile time.
//!
//! Before the figures of criterion stand the least CPU time per operation of many runs, in ns, next
//! to `async` functions of Rust in boxes on the same queue; then the size of each function.
//! `ASR_COUNTS=1` prints instructions per operation instead, by valgrind.

mod clock;
#[path = "../tests/common/mod.rs"]
mod common;
mod executor;
mod futures;

use asr_abi::Thread;
use asr_codegen::jit::Unit;
use asr_codegen::{Options, ProbeMode, air, prepare};
use asr_intrinsics::{CORE, TASKS};
use criterion::{Criterion, criterion_group, criterion_main};

const TEXT: &str = r#"
module "coroutine" unit 1
use tasks

; A task that suspends twice.
export async fn @two(%n: i64) -> i64 throws {
entry:
  intrinsic yield_now()
  intrinsic yield_now()
  return %n
}

async fn @ready(%i: i64, %s: i64) -> i64 throws {
  local %rare: bool
entry:
  %rare = cmp.eq.i64 %i, -1
  branch %rare, wait, now
wait: cold
  intrinsic yield_now()
  return 0
now:
  %s = add.i64 %s, %i
  return %s
}

; Awaits that do not suspend, of a child in the frame and of one on the heap.
export async fn @embedded(%n: i64) -> i64 throws {
  local %i: i64
  local %s: i64
  local %c: bool
entry:
  jump head
head:
  %c = cmp.slt.i64 %i, %n
  branch %c, body, done
body:
  %s = await @ready(%i, %s)
  %i = add.i64 %i, 1
  jump head
done:
  return %s
}

; In a cycle with its caller: on the heap.
async fn @again(%i: i64, %s: i64) -> i64 throws {
  local %rare: bool
entry:
  %rare = cmp.eq.i64 %i, -1
  branch %rare, wait, now
wait: cold
  %s = await @heap(%s)
  return %s
now:
  %s = add.i64 %s, %i
  return %s
}

export async fn @heap(%n: i64) -> i64 throws {
  local %i: i64
  local %s: i64
  local %c: bool
entry:
  jump head
head:
  %c = cmp.slt.i64 %i, %n
  branch %c, body, done
body:
  %s = await @again(%i, %s)
  %i = add.i64 %i, 1
  jump head
done:
  return %s
}

export async fn @suspends(%n: i64) -> i64 throws {
  local %i: i64
  local %c: bool
entry:
  jump head
head:
  %c = cmp.slt.i64 %i, %n
  branch %c, body, done
body:
  intrinsic yield_now()
  %i = add.i64 %i, 1
  jump head
done:
  return %i
}

export async fn @plain(%n: i64) -> i64 {
  local %i: i64
  local %s: i64
  local %c: bool
entry:
  jump head
head:
  %c = cmp.slt.i64 %i, %n
  branch %c, body, done
body:
  %s = xor.i64 %s, %i
  %i = add.i64 %i, 1
  probe.loop
  jump head
done:
  return %s
}
"#;

/// `@deep`: ten frames that await the one above [`TEXT`]'s `suspends`.
fn text() -> String {
    let mut text = TEXT.to_owned();
    for n in 0..10 {
        let (head, callee) = match n {
            0 => ("async fn @deep0".to_owned(), "suspends".to_owned()),
            9 => ("export async fn @deep".to_owned(), "deep8".to_owned()),
            n => (format!("async fn @deep{n}"), format!("deep{}", n - 1)),
        };
        let body = format!("entry:\n  %n = await @{callee}(%n)\n  return %n\n");
        text.push_str(&format!("{head}(%n: i64) -> i64 throws {{\n{body}}}\n"));
    }
    text
}

fn unit() -> Unit {
    let text = text();
    let parsed = air::parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let tables = [&CORE, &TASKS];
    if let Err(errors) = air::verify(&parsed.module, &tables) {
        panic!("{errors:?}");
    }
    let options = Options {
        probes: ProbeMode::AsIs,
        verify_clif: false,
        ..Options::default()
    };
    let prepared = prepare(&parsed.module, &tables, &options).expect("it is prepared");
    let mut symbols = common::symbols();
    symbols.extend(executor::symbols());
    Unit::load(&prepared, &symbols, Box::new(common::log())).expect("it loads")
}

/// What is measured: the function, whether an operation is a task or a turn of its loop, and the
/// like in Rust.
type Run = (&'static str, bool, Option<fn(u64) -> u64>);

const RUNS: [Run; 6] = [
    ("two", true, Some(futures::two)),
    ("embedded", false, Some(futures::ready)),
    ("heap", false, Some(futures::heap)),
    ("suspends", false, Some(futures::suspends)),
    ("deep", false, Some(futures::deep)),
    ("plain", false, None),
];

/// So many operations.
fn operate(th: &Thread, unit: &Unit, name: &str, tasks: bool, n: u64) -> u64 {
    let code = unit.lookup(name).expect("an export");
    let size = unit.frame_size(name).expect("an asynchronous one");
    let (tasks, argument) = if tasks { (n, 1) } else { (1, n) };
    let mut left = tasks;
    let mut value = 0;
    while left > 0 {
        // As many as a queue in the cache holds.
        let some = left.min(64);
        for _ in 0..some {
            spawn(th, code, size, argument);
        }
        value = executor::run(th).value;
        left -= some;
    }
    assert_eq!(executor::live(), 0);
    value
}

#[allow(unsafe_code, reason = "hands code to the executor")]
fn spawn(th: &Thread, code: *const u8, size: u32, argument: u64) {
    // SAFETY: each export of the module has one integer parameter; the caller keeps the unit.
    unsafe { executor::spawn(th, code, size, argument) }
}

fn coroutine(criterion: &mut Criterion) {
    let unit = unit();
    let th = Thread::new();
    if let Ok(what) = std::env::var("ASR_COUNT") {
        let (name, n) = what.split_once(' ').expect("a name and a number");
        let n = n.parse().expect("a number");
        let run = RUNS.iter().find(|run| run.0 == name).expect("a known name");
        operate(&th, &unit, name, run.1, n);
        std::process::exit(0);
    }
    if std::env::var_os("ASR_COUNTS").is_some() {
        for (name, ..) in RUNS {
            println!("{name}: {:.1} instructions", instructions(name));
        }
        return;
    }
    const N: u64 = 20_000;
    for (name, tasks, rust) in RUNS {
        let mut best = [f64::MAX; 2];
        for _ in 0..200 {
            let ours = clock::time(|| operate(&th, &unit, name, tasks, N));
            best[0] = best[0].min(ours.as_secs_f64());
            if let Some(rust) = rust {
                best[1] = best[1].min(clock::time(|| rust(N)).as_secs_f64());
            }
        }
        let [ours, theirs] = best.map(|best| best * 1e9 / N as f64);
        match rust {
            Some(_) => println!("{name}: {ours:.1} ns, Rust {theirs:.1} ns"),
            None => println!("{name}: {ours:.1} ns"),
        }
    }
    let mut total = 0;
    for func in unit.stats() {
        let us = (func.build_ns + func.compile_ns) / 1000;
        total += us;
        let (name, bytes, insts) = (&func.name, func.code_bytes, func.clif_insts);
        println!("{name}: {bytes} bytes, {insts} CLIF instructions, {us} us");
    }
    println!("all: {total} us");
    let mut group = criterion.benchmark_group("coroutine");
    group.sample_size(10);
    for (name, tasks, _) in RUNS {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|n| clock::time(|| operate(&th, &unit, name, tasks, n)));
        });
    }
    group.finish();
}

/// Instructions per operation: two runs of different lengths under valgrind.
fn instructions(name: &str) -> f64 {
    let counts = [1000u64, 11_000].map(|n| {
        let program = std::env::current_exe().expect("its own path");
        let mut valgrind = std::process::Command::new("valgrind");
        valgrind
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .env("ASR_COUNT", format!("{name} {n}"));
        let output = valgrind.output().expect("valgrind runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // Criterion starts a program of its own, which is counted first.
        let mut lines = text.lines().rev();
        let line = lines.find_map(|line| line.split_once("Collected : "));
        let count = line.map(|(_, count)| count.trim().to_owned());
        let count = count.unwrap_or_else(|| panic!("no count: {text}"));
        count.parse::<f64>().expect("a number")
    });
    (counts[1] - counts[0]) / 10_000.0
}

criterion_group!(benches, coroutine);
criterion_main!(benches);
