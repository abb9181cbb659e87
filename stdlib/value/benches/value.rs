//! Slow paths that compiled code calls: sums, dictionaries, lists, joined text.
#![allow(unsafe_code, reason = "frees the heap of each measurement")]

use std::hint::black_box;

use asr_kernel::thread;
use asr_value::isolate::{Isolate, Limits, Reach, pack, unpack};
use asr_value::object::{Dict, List};
use asr_value::ops::{arith, index};
use asr_value::text::{Style, number};
use asr_value::{Heap, Value};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

const BATCH: u64 = 1000;

/// A fresh heap; what an earlier measurement made is freed.
fn fresh() -> &'static Heap {
    let th = thread::adopt();
    // SAFETY: measurements use no values of earlier ones.
    unsafe { Heap::detach(th) };
    Heap::attach(th, 256 << 20)
}

fn sums(c: &mut Criterion) {
    let heap = fresh();
    let (a, b) = (Value::int(40), Value::double(2.5));
    c.bench_function("add int int", |bench| {
        bench.iter(|| arith::add(heap, black_box(a), black_box(a)));
    });
    c.bench_function("add int double", |bench| {
        bench.iter(|| arith::add(heap, black_box(a), black_box(b)));
    });
}

fn dictionaries(c: &mut Criterion) {
    let heap = fresh();
    let value = Dict::make(heap).unwrap_or(Value::NULL);
    let keys: Vec<Value> = (0..BATCH)
        .filter_map(|i| heap.string(format!("key {i}").as_bytes()).ok())
        .collect();
    for key in &keys {
        let _ = index::set(heap, value, *key, *key);
    }
    let mut at = 0;
    c.bench_function("dict get", |bench| {
        bench.iter(|| {
            at = (at + 7) % keys.len();
            index::get(heap, black_box(value), keys[at])
        });
    });
}

fn lists(c: &mut Criterion) {
    c.bench_function("1000 list pushes", |bench| {
        bench.iter_batched(
            || {
                let heap = fresh();
                (heap, List::make(heap, 0).unwrap_or(Value::NULL))
            },
            |(heap, value)| {
                for i in 0..BATCH {
                    if let Some(list) = value.as_list() {
                        let _ = list.push(heap, Value::int(i as i32));
                    }
                }
            },
            BatchSize::PerIteration,
        );
    });
}

fn text(c: &mut Criterion) {
    c.bench_function("1000 joins of 10 bytes", |bench| {
        bench.iter_batched(
            || {
                let heap = fresh();
                let string = |s: &[u8]| heap.string(s).unwrap_or(Value::NULL);
                (heap, string(b""), string(b"0123456789"))
            },
            |(heap, mut s, x)| {
                for _ in 0..BATCH {
                    s = arith::add(heap, s, x).unwrap_or(s);
                }
                s
            },
            BatchSize::PerIteration,
        );
    });
}

fn numbers(c: &mut Criterion) {
    for (name, x) in [("integer", 123_456.0), ("fraction", 1.0 / 3.0)] {
        for style in [Style::Print, Style::Join] {
            c.bench_function(&format!("number text, {name}, {style:?}"), |bench| {
                bench.iter(|| number(black_box(x), style));
            });
        }
    }
}

/// What crosses: packed, unpacked, both; what an isolate costs.
fn isolates(c: &mut Criterion) {
    const LIMITS: Limits = Limits { heap: 64 << 20 };
    let heap = fresh();
    let list = || {
        let items: Vec<Value> = (0..BATCH as i32).map(Value::int).collect();
        List::of(heap, &items).unwrap_or(Value::NULL)
    };
    // Ten dictionaries of ten dictionaries of ten texts.
    let nested = (0..10).map(|a| {
        let inner = (0..10).map(|b| {
            let texts = (0..10).map(|c| heap.string(format!("text {a} {b} {c}").as_bytes()));
            dictionary(heap, texts.map(|text| text.unwrap_or(Value::NULL)))
        });
        dictionary(heap, inner)
    });
    let nested = dictionary(heap, nested);
    for (name, value) in [("list of 1000 numbers", list()), ("nested dict", nested)] {
        let packed = || pack(heap, black_box(&[value]), Reach::Program);
        c.bench_function(&format!("pack {name}"), |bench| bench.iter(packed));
        let Ok(message) = packed() else { return };
        c.bench_function(&format!("copy {name}"), |bench| {
            let mut target = Isolate::beside(heap, LIMITS);
            bench.iter(|| {
                let Some(isolate) = &target else { return };
                if unpack(&message, isolate.heap()).is_err() {
                    target = Isolate::beside(heap, LIMITS);
                }
                let _ = black_box(packed());
            });
        });
    }
    c.bench_function("isolate, made and dropped", |bench| {
        bench.iter(|| Isolate::beside(heap, black_box(LIMITS)));
    });
    c.bench_function("isolate with a list of 1000 numbers", |bench| {
        let Ok(message) = pack(heap, &[list()], Reach::Program) else {
            return;
        };
        bench.iter(|| {
            let isolate = Isolate::beside(heap, black_box(LIMITS));
            isolate.map(|isolate| unpack(&message, isolate.heap()).is_ok())
        });
    });
    c.bench_function("isolate, entered and left", |bench| {
        let th = thread::adopt();
        let Some(mut isolate) = Isolate::beside(heap, LIMITS) else {
            return;
        };
        bench.iter(|| isolate.enter(th, |heap| black_box(heap).used()));
    });
}

/// A dictionary with the keys "key 0", "key 1", ...
fn dictionary(heap: &Heap, values: impl Iterator<Item = Value>) -> Value {
    let made = Dict::make(heap).unwrap_or(Value::NULL);
    for (at, value) in values.enumerate() {
        let key = heap.string(format!("key {at}").as_bytes());
        let _ = index::set(heap, made, key.unwrap_or(Value::NULL), value);
    }
    made
}

criterion_group!(benches, sums, dictionaries, lists, text, numbers, isolates);
criterion_main!(benches);
