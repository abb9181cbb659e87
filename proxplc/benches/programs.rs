//! Time of programs: start-up, calls of dynamic and of inferred types, a number loop, each beside
//! the same thing in typed AIR. `cargo bench -p proxplc`; as a test it runs once with small sizes.

use std::hint::black_box;
use std::process::{Command, Stdio};

use asr_codegen::{Options, air, prepare};
use asr_value::start;
use criterion::{Criterion, criterion_group, criterion_main};
use proxplc::diag::SourceFile;
use proxplc::engine::Loaded;
use proxplc::lower::MAIN_SYMBOL;

/// Whether this is a test run: everything once, and small.
fn small() -> bool {
    std::env::args().any(|arg| arg == "--test")
}

fn load(module: &air::Module) -> Loaded {
    let tables = proxplc::driver::tables();
    assert!(air::verify(module, &tables).is_ok(), "the module is right");
    let prepared = prepare(module, &tables, &Options::default()).expect("probes can be placed");
    Loaded::load(&prepared, MAIN_SYMBOL).expect("it can be loaded")
}

/// A program of ProXPL, in unit `unit`.
fn prox(source: String, unit: u16) -> Loaded {
    let file = SourceFile::new("bench.prox", source.into_bytes());
    load(&proxplc::compile::compile(&file, unit).expect("it compiles"))
}

/// A program in text form.
fn typed(text: &str) -> Loaded {
    load(&air::parse(text.as_bytes()).expect("it is AIR").module)
}

fn measure(c: &mut Criterion, name: &str, program: &Loaded, expected: &str) {
    let options = start::Options::default();
    c.bench_function(name, |b| {
        b.iter(|| {
            let (code, out, err) = start::run_captured(&options, |th| program.run(th, 1));
            assert_eq!(
                (code, &*String::from_utf8_lossy(&out), &err[..]),
                (0, expected, &b""[..])
            );
            black_box(out)
        });
    });
}

/// `fib` with typed integers, printed as the number it is.
fn typed_fib(n: u32) -> String {
    format!(
        "module \"fib\" unit 3\nuse core\nuse value\n
export fn @{MAIN_SYMBOL}() throws {{
  local %n: i64
  local %x: f64
  local %v: value
entry:
  %n = call @fib({n})
  %x = convert.stof.i64.f64 %n
  %v = convert.bitcast.f64.value %x
  intrinsic value_print(%v)
  return
}}

fn @fib(%n: i64) -> i64 throws {{
  local %c: bool
  local %a: i64
  local %b: i64
entry:
  %c = cmp.slt.i64 %n, 2
  branch %c, small, large
small:
  return %n
large:
  %a = sub.i64 %n, 1
  %a = call @fib(%a)
  %b = sub.i64 %n, 2
  %b = call @fib(%b)
  %a = add.i64 %a, %b
  return %a
}}
"
    )
}

/// `s = s + i * 2` with a counter and a double.
fn typed_loop(n: u32) -> String {
    format!(
        "module \"loop\" unit 4\nuse core\nuse value\n
export fn @{MAIN_SYMBOL}() throws {{
  local %i: i64
  local %s: f64
  local %x: f64
  local %c: bool
  local %v: value
entry:
  %i = copy.i64 0
  %s = copy.f64 0.0
  jump body
body:
  %x = convert.stof.i64.f64 %i
  %x = fmul.f64 %x, 2.0
  %s = fadd.f64 %s, %x
  %i = add.i64 %i, 1
  %c = cmp.slt.i64 %i, {n}
  branch %c, body, done
done:
  %v = convert.bitcast.f64.value %s
  intrinsic value_print(%v)
  return
}}
"
    )
}

fn fib(c: &mut Criterion) {
    let (n, expected) = if small() {
        (10, "55\n")
    } else {
        (35, "9.22746e+06\n")
    };
    let body = "func fib(n) { if (n < 2) return n; return fib(n - 1) + fib(n - 2); }";
    measure(c, "fib/typed", &typed(&typed_fib(n)), expected);
    measure(
        c,
        "fib/inferred",
        &prox(format!("{body} print fib({n});"), 1),
        expected,
    );
    // As a value the function may get anything, so every operation looks at its operands.
    measure(
        c,
        "fib/dynamic",
        &prox(format!("{body} let f = fib; print f({n});"), 2),
        expected,
    );
}

fn number_loop(c: &mut Criterion) {
    let (n, expected) = if small() {
        (100, "9900\n")
    } else {
        (10_000_000, "1e+14\n")
    };
    let body = "let s = 0; for (let i = 0; i < n; i += 1) { s = s + i * 2; } return s;";
    let source = format!("func run(n) {{ {body} }} print run({n});");
    measure(c, "loop/typed", &typed(&typed_loop(n)), expected);
    measure(c, "loop/inferred", &prox(source, 5), expected);
    let source = format!("func run(n) {{ {body} }} let r = run; print r({n});");
    measure(c, "loop/dynamic", &prox(source, 6), expected);
}

/// From the command to the first line of output, in a process of its own.
fn start_up(c: &mut Criterion) {
    let hello = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/hello.prox");
    c.bench_function("start-up/run hello", |b| {
        b.iter(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_proxplc"));
            let output = command.args(["run", hello]).stdin(Stdio::null()).output();
            assert_eq!(output.expect("it runs").stdout, b"Hello, world!\n");
        });
    });
}

criterion_group!(benches, fib, number_loop, start_up);
criterion_main!(benches);
