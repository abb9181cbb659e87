//! The heap: limits, exhaustion, sharing of text, models of lists and dictionaries.

mod common;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use asr_value::object::{Dict, Kind, List};
use asr_value::ops::arith;
use asr_value::{Heap, Value};
use common::{config, cx, heap, message, native, string, text};
use proptest::prelude::*;

#[test]
fn building_a_text_takes_linear_memory() {
    let cx = cx();
    let mut s = string(&cx, "");
    let x = string(&cx, "0123456789");
    let mut kept = Vec::new();
    for i in 0..20_000 {
        s = arith::add(cx.heap, s, x).unwrap();
        if i % 1000 == 0 {
            kept.push((i, s));
        }
    }
    assert_eq!(s.as_str().map(|s| s.len()), Some(200_000));
    assert!(cx.heap.used() < 4 << 20, "{}", cx.heap.used());
    // Joining to an older string does not disturb the newer ones.
    for (i, old) in &kept {
        arith::add(cx.heap, *old, string(&cx, "XXXXXXXXXXXX")).unwrap();
        let old = old.as_str().unwrap();
        assert_eq!(old.len(), (i + 1) * 10);
        assert!(old.bytes().ends_with(b"0123456789"));
    }
    assert!(!s.as_str().unwrap().bytes().contains(&b'X'));
    let twice = arith::add(cx.heap, s, s).unwrap();
    assert_eq!(twice.as_str().map(|s| s.len()), Some(400_000));
    assert!(
        twice
            .as_str()
            .unwrap()
            .bytes()
            .ends_with(s.as_str().unwrap().bytes())
    );
}

#[test]
fn exhaustion_is_an_error_of_the_language_and_leaves_a_reserve() {
    let cx = heap(1 << 20);
    let list = List::make(cx.heap, 0).unwrap();
    let full = loop {
        if let Err(e) = list.as_list().unwrap().push(cx.heap, Value::NULL) {
            break e;
        }
    };
    assert_eq!(text(full.0), "Out of memory.");
    let len = list.as_list().unwrap().len();
    assert_eq!(list.as_list().unwrap().get(len - 1), Some(Value::NULL));
    let said = arith::add(cx.heap, string(&cx, "caught: "), full.0).unwrap();
    assert_eq!(text(said), "caught: Out of memory.");
    // Filled to the last byte, it still refuses in the same way.
    while cx.heap.string(b"y").is_ok() {}
    assert_eq!(message(cx.heap.string(b"x")), "Out of memory.");
    assert_eq!(text(cx.heap.thrown_text("another").0), "Out of memory.");
    assert_eq!(
        text(cx.heap.thrown("Division by zero.").0),
        "Division by zero."
    );
}

#[test]
fn absurd_sizes_are_refused_at_once() {
    let cx = cx();
    for capacity in [1 << 40, u64::MAX / 8, u64::MAX] {
        assert_eq!(message(List::make(cx.heap, capacity)), "Out of memory.");
    }
    let s = string(&cx, "ab");
    for n in [1e9, 1e18, f64::INFINITY] {
        let id = asr_value::natives::by_name("repeat").unwrap();
        let repeated = asr_value::natives::call(&cx, id, &[s, Value::number(n)]);
        assert_eq!(message(repeated), "Out of memory.");
        let id = asr_value::natives::by_name("pad_left").unwrap();
        let padded = asr_value::natives::call(&cx, id, &[s, Value::number(n)]);
        assert_eq!(message(padded), "Out of memory.");
    }
    assert_eq!(
        text(native(&cx, "repeat", &[s, Value::number(f64::NAN)])),
        ""
    );
}

#[test]
fn sizes_as_people_write_them() {
    let size = asr_value::heap::parse_size;
    assert_eq!(size("4096"), Some(4096));
    assert_eq!(size("64k"), Some(65536));
    assert_eq!(size(" 2G "), Some(2 << 30));
    assert_eq!(
        (size(""), size("k"), size("-1"), size("é")),
        (None, None, None, None)
    );
    assert_eq!(size("99999999999999999999"), None);
}

#[test]
fn a_walk_meets_every_object_once() {
    let cx = cx();
    let list = List::make(cx.heap, 0).unwrap();
    let dict = Dict::make(cx.heap).unwrap();
    for i in 0..500 {
        let key = string(&cx, &format!("key {i}"));
        list.as_list().unwrap().push(cx.heap, key).unwrap();
        let dict = dict.as_dict().unwrap();
        let joined = arith::add(cx.heap, key, string(&cx, &"x".repeat(i))).unwrap();
        dict.insert(cx.heap, key.as_str().unwrap(), joined, true)
            .unwrap();
    }
    let (mut bytes, mut lists, mut dicts, mut strings) = (0, 0, 0, 0);
    for object in cx.heap.objects() {
        bytes += object.size();
        match object.kind() {
            Kind::List => lists += 1,
            Kind::Dict => dicts += 1,
            Kind::Str => strings += 1,
            _ => {}
        }
    }
    assert_eq!((bytes, lists, dicts), (cx.heap.used(), 1, 1));
    // A key, a text to join and the joined one for each entry; the messages of the language.
    let made = 500 * 3;
    assert_eq!(strings, made - 1, "nothing is made to join an empty text");
}

#[test]
fn deep_structures_are_only_references() {
    let cx = cx();
    let mut v = List::make(cx.heap, 0).unwrap();
    for _ in 0..100_000 {
        v = List::of(cx.heap, &[v]).unwrap();
    }
    v.as_list().unwrap().push(cx.heap, v).unwrap();
    assert_eq!(text(native(&cx, "to_string", &[v])), "<object>");
    native(&cx, "println", &[v]);
    assert_eq!(cx.heap.output().take(), b"[list]\n");
}

#[test]
fn the_heap_of_a_thread_can_be_replaced_and_freed() {
    let cx = heap(1 << 20);
    assert!(std::ptr::eq(Heap::of(cx.th), cx.heap));
    assert_eq!(cx.heap.limit(), 1 << 20);
    #[allow(unsafe_code, reason = "no value of the heap is used again")]
    // SAFETY: the test made no value.
    unsafe {
        Heap::detach(cx.th);
    }
    assert!(cx.th.isolate.get().is_null());
}

#[derive(Clone, Debug)]
enum Step {
    Set(u16, i32),
    Init(u16, i32),
    Get(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u16..600, any::<i32>()).prop_map(|(k, v)| Step::Set(k, v)),
        (0u16..600, any::<i32>()).prop_map(|(k, v)| Step::Init(k, v)),
        (0u16..700).prop_map(Step::Get),
    ]
}

proptest! {
    #![proptest_config(config(64))]

    /// A dictionary does what a map of the standard library does, and keeps the order of insertion.
    #[test]
    fn dictionaries_are_maps(steps in prop::collection::vec(step(), 0..2000)) {
        let cx = heap(8 << 20);
        let value = Dict::make(cx.heap).unwrap();
        let dict = value.as_dict().unwrap();
        let (mut model, mut order) = (HashMap::new(), Vec::new());
        let name = |k: u16| format!("key{}{k}", "-".repeat(usize::from(k % 40)));
        for step in steps {
            match step {
                Step::Set(k, v) | Step::Init(k, v) => {
                    let replace = matches!(step, Step::Set(..));
                    let key = string(&cx, &name(k));
                    match model.entry(k) {
                        Entry::Vacant(entry) => {
                            order.push(k);
                            entry.insert(v);
                        }
                        Entry::Occupied(mut entry) => {
                            if replace {
                                entry.insert(v);
                            }
                        }
                    }
                    dict.insert(cx.heap, key.as_str().unwrap(), Value::int(v), replace).unwrap();
                }
                Step::Get(k) => {
                    let key = string(&cx, &name(k));
                    let got = dict.get(key.as_str().unwrap());
                    prop_assert_eq!(got, model.get(&k).map(|v| Value::int(*v)));
                }
            }
            prop_assert_eq!(dict.len(), model.len());
        }
        for (at, k) in order.iter().enumerate() {
            let (key, value) = dict.entry(at).unwrap();
            prop_assert_eq!(text(key), name(*k));
            prop_assert_eq!(value, Value::int(model[k]));
        }
        #[allow(unsafe_code, reason = "frees what the case used")]
        // SAFETY: no value of the heap is used again.
        unsafe { Heap::detach(cx.th) };
    }

    /// A list does what a vector does.
    #[test]
    fn lists_are_vectors(
        steps in prop::collection::vec((0u8..10, 0usize..50, any::<i32>()), 0..500),
    ) {
        let cx = heap(8 << 20);
        let value = List::make(cx.heap, 0).unwrap();
        let list = value.as_list().unwrap();
        let mut model = Vec::new();
        for (what, at, v) in steps {
            match what {
                0..5 => {
                    list.push(cx.heap, Value::int(v)).unwrap();
                    model.push(v);
                }
                5..7 => prop_assert_eq!(list.pop(), model.pop().map(Value::int)),
                7 => {
                    let done = model.get_mut(at).map(|slot| *slot = v).is_some();
                    prop_assert_eq!(list.set(at, Value::int(v)), done);
                }
                _ => prop_assert_eq!(list.get(at), model.get(at).map(|v| Value::int(*v))),
            }
            prop_assert_eq!(list.len(), model.len());
        }
        #[allow(unsafe_code, reason = "frees what the case used")]
        // SAFETY: no value of the heap is used again.
        unsafe { Heap::detach(cx.th) };
    }
}
