//! Parser, verifier and evaluator: bytes and AIR instructions per second.

use std::hint::black_box;

use asr_codegen::air::{parse, print, verify};
use asr_codegen::eval::{Limits, Machine, Program, SyncHost};
use asr_intrinsics::CORE;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A loop of four simple instructions, and a recursive function.
const KERNELS: &str = "module \"bench\" unit 1
fn @sum(%n: i64) -> i64 {
  local %i: i64
  local %acc: i64
  local %x: i64
  local %more: bool
entry:
  jump loop
loop:
  %x = mul.i64 %i, 3
  %acc = add.i64 %acc, %x
  %i = add.i64 %i, 1
  %more = cmp.slt.i64 %i, %n
  branch %more, loop, done
done:
  return %acc
}
fn @fib(%n: i64) -> i64 {
  local %a: i64
  local %b: i64
  local %small: bool
entry:
  check.stack
  %small = cmp.slt.i64 %n, 2
  branch %small, leaf, inner
leaf:
  return %n
inner:
  %a = sub.i64 %n, 1
  %a = call @fib(%a)
  %b = sub.i64 %n, 2
  %b = call @fib(%b)
  %a = add.i64 %a, %b
  return %a
}
";

fn evaluate(c: &mut Criterion) {
    let parsed = parse(KERNELS.as_bytes()).expect("good text");
    let verified = verify(&parsed.module, &[&CORE]).expect("valid");
    let program = Program::new(&verified);
    for (name, n) in [("sum", 20_000), ("fib", 15)] {
        let func = program.func(name).expect("defined");
        let mut run = || {
            let (mut machine, mut host) =
                (Machine::new(&program, Limits::default()), SyncHost::new());
            let _ = black_box(machine.call(&mut host, func, &[n]));
            machine.executed()
        };
        let mut group = c.benchmark_group("evaluate");
        group.throughput(Throughput::Elements(run()));
        group.bench_function(name, |b| b.iter(&mut run));
        group.finish();
    }
}

fn read(c: &mut Criterion) {
    let one = parse(KERNELS.as_bytes()).expect("good text").module;
    let mut module = one.clone();
    for n in 0..200 {
        for mut func in one.funcs.clone() {
            func.name = format!("{}_{n}", func.name);
            module.funcs.push(func);
        }
    }
    let text = print(&module);
    let mut group = c.benchmark_group("text");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |b| b.iter(|| parse(black_box(text.as_bytes()))));
    group.bench_function("print", |b| b.iter(|| print(black_box(&module))));
    group.bench_function("verify", |b| {
        b.iter(|| verify(black_box(&module), &[&CORE]).is_ok())
    });
    group.finish();
}

criterion_group!(benches, evaluate, read);
criterion_main!(benches);
