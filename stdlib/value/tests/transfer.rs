//! What crosses between isolates: random graphs, deep ones, and bytes that are no message.

mod common;

use std::collections::HashMap;

use asr_value::isolate::{Limits, Message, Reach, Unpack, pack, unpack};
use asr_value::object::{Dict, Kind, List, Native};
use asr_value::{Heap, Isolate, Value};
use common::{config, cx, heap, native, string, text};
use proptest::prelude::*;

const LIMIT: Limits = Limits { heap: 16 << 20 };

/// An object of a graph; numbers are those of objects, modulo how many there are.
#[derive(Clone, Debug)]
enum Node {
    Text(String),
    List(Vec<Word>),
    Dict(Vec<(u8, Word)>),
    Native(u32),
    Record(u8, Vec<(u8, Word)>),
}

#[derive(Clone, Debug)]
enum Word {
    Number(f64),
    Constant(u8),
    Object(usize),
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        any::<f64>().prop_map(Word::Number),
        any::<i32>().prop_map(|n| Word::Number(n.into())),
        (0u8..3).prop_map(Word::Constant),
        any::<usize>().prop_map(Word::Object),
        any::<usize>().prop_map(Word::Object),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let entries = || prop::collection::vec((any::<u8>(), word()), 0..12);
    prop_oneof![
        ".{0,40}".prop_map(Node::Text),
        prop::collection::vec(word(), 0..20).prop_map(Node::List),
        entries().prop_map(Node::Dict),
        (0u32..20).prop_map(Node::Native),
        (any::<u8>(), entries()).prop_map(|(n, e)| Node::Record(n, e)),
    ]
}

/// Builds the graph; all its objects.
fn build(heap: &Heap, nodes: &[Node]) -> Vec<Value> {
    let make = |node: &Node| match node {
        Node::Text(text) => heap.string(text.as_bytes()).unwrap(),
        Node::List(_) => List::make(heap, 0).unwrap(),
        Node::Dict(_) => Dict::make(heap).unwrap(),
        Node::Native(id) => Native::make(heap, *id).unwrap(),
        Node::Record(name, _) => {
            let cx = asr_value::natives::Cx {
                th: asr_kernel::thread::adopt(),
                heap,
            };
            let name = heap.string(format!("type {name}").as_bytes()).unwrap();
            native(&cx, "asr.object", &[name, Dict::make(heap).unwrap()])
        }
    };
    let made: Vec<Value> = nodes.iter().map(make).collect();
    let value = |word: &Word| match word {
        Word::Number(x) => Value::number(*x),
        Word::Constant(n) => [Value::NULL, Value::FALSE, Value::TRUE][usize::from(*n)],
        Word::Object(n) => made[n % made.len()],
    };
    let fill = |dict: &Dict, entries: &[(u8, Word)]| {
        for (key, word) in entries {
            let key = heap.string(format!("key {key}").as_bytes()).unwrap();
            dict.insert(heap, key.as_str().unwrap(), value(word), true)
                .unwrap();
        }
    };
    for (node, object) in nodes.iter().zip(&made) {
        match node {
            Node::List(items) => {
                for item in items {
                    object.as_list().unwrap().push(heap, value(item)).unwrap();
                }
            }
            Node::Dict(entries) => fill(object.as_dict().unwrap(), entries),
            Node::Record(_, entries) => {
                fill(object.as_record().unwrap().fields().unwrap(), entries);
            }
            Node::Text(_) | Node::Native(_) => {}
        }
    }
    made
}

/// What an object refers to, in an order that is the same for a copy.
fn words(v: Value) -> Vec<Value> {
    match v.kind() {
        Some(Kind::List) => {
            let list = v.as_list().unwrap();
            (0..list.len()).map(|at| list.get(at).unwrap()).collect()
        }
        Some(Kind::Dict) => {
            let dict = v.as_dict().unwrap();
            (0..dict.len())
                .flat_map(|at| <[Value; 2]>::from(dict.entry(at).unwrap()))
                .collect()
        }
        Some(Kind::Record) => {
            let record = v.as_record().unwrap();
            vec![record.type_name(), record.fields().unwrap().value()]
        }
        _ => Vec::new(),
    }
}

fn is_object(v: Value) -> bool {
    v.kind().is_some()
}

/// Whether one graph is the other one, object by object: the same kinds, contents and sharing.
fn same(ours: &[Value], theirs: &[Value]) -> Result<usize, String> {
    let (mut there, mut back) = (HashMap::new(), HashMap::new());
    let mut todo: Vec<(Value, Value)> = ours.iter().copied().zip(theirs.iter().copied()).collect();
    while let Some((a, b)) = todo.pop() {
        if !is_object(a) || !is_object(b) {
            if a != b {
                return Err(format!("{a:?} became {b:?}"));
            }
            continue;
        }
        if a == b {
            return Err(format!("a copy refers to the original: {a:?}"));
        }
        let known = *there.entry(a.word()).or_insert(b) == b;
        let first = !back.contains_key(&b.word());
        if !known || *back.entry(b.word()).or_insert(a) != a {
            return Err(format!("the sharing of {a:?} changed"));
        }
        if !first {
            continue;
        }
        let (of_a, of_b) = (words(a), words(b));
        let texts = (a.as_str().map(|s| s.bytes()), b.as_str().map(|s| s.bytes()));
        let natives = (a.as_native().map(|n| n.id()), b.as_native().map(|n| n.id()));
        let types = [a, b].map(|v| v.as_record().map(|r| r.heal().type_id));
        if a.kind() != b.kind()
            || of_a.len() != of_b.len()
            || texts.0 != texts.1
            || natives.0 != natives.1
            || types[0] != types[1]
        {
            return Err(format!("{a:?} differs from {b:?}"));
        }
        todo.extend(of_a.into_iter().zip(of_b));
    }
    Ok(back.len())
}

fn copy(from: &Heap, roots: &[Value], to: &Heap, reach: Reach) -> Vec<Value> {
    unpack(&pack(from, roots, reach).unwrap(), to).unwrap()
}

proptest! {
    #![proptest_config(config(256))]

    /// A copy is the same graph, refers to nothing of the original, and leaves no mark there.
    #[test]
    fn copies_are_equal_by_structure_and_apart(
        nodes in prop::collection::vec(node(), 1..40),
        roots in prop::collection::vec(any::<usize>(), 0..4),
        anywhere in any::<bool>(),
    ) {
        let cx = cx();
        let made = build(cx.heap, &nodes);
        let roots: Vec<Value> = roots.iter().map(|n| made[n % made.len()]).collect();
        let reach = if anywhere { Reach::Anywhere } else { Reach::Program };
        let other = Isolate::beside(cx.heap, LIMIT).unwrap();
        let first = copy(cx.heap, &roots, other.heap(), reach);
        let count = same(&roots, &first).map_err(TestCaseError::fail)?;
        let again = pack(cx.heap, &roots, reach).unwrap();
        let second = unpack(&again, other.heap()).unwrap();
        prop_assert_eq!(same(&first, &second), Ok(count));
        if let Some(bytes) = again.to_bytes() {
            prop_assert!(anywhere);
            let third = unpack(&Message::from_bytes(&bytes), other.heap()).unwrap();
            prop_assert_eq!(same(&second, &third), Ok(count));
        }
        // The original does not matter any more.
        #[allow(unsafe_code, reason = "frees what the case used")]
        // SAFETY: no value of the heap is used again.
        unsafe { Heap::detach(cx.th) };
        same(&first, &second).map_err(TestCaseError::fail)?;
    }

    /// Whatever the bytes are, the decoder ends, with bounded memory, and what it made is whole.
    #[test]
    fn the_decoder_takes_any_bytes(
        nodes in prop::collection::vec(node(), 1..12),
        changes in prop::collection::vec((any::<usize>(), any::<u8>(), any::<bool>()), 0..6),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let cx = cx();
        let made = build(cx.heap, &nodes);
        let mut bytes = pack(cx.heap, &made, Reach::Anywhere).unwrap().to_bytes().unwrap();
        for (at, byte, small) in changes {
            let len = bytes.len();
            // Small changes of low bytes more often: numbers of objects, kinds, counts.
            match small {
                true => bytes[at % len / 8 * 8] ^= byte % 8,
                false => bytes[at % len] = byte,
            }
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        decode(&bytes)?;
        #[allow(unsafe_code, reason = "frees what the case used")]
        // SAFETY: no value of the heap is used again.
        unsafe { Heap::detach(cx.th) };
    }

    /// The same for words that were never a message.
    #[test]
    fn the_decoder_takes_any_words(
        words in prop::collection::vec(
            prop_oneof![0u64..10, any::<u64>(), (0u64..9, 0u64..4).prop_map(|(k, n)| k | n << 8),
                (0u64..6).prop_map(|n| 0xFFFA << 48 | n),
                (9u64..16).prop_map(|t| (0xFFF0 | t) << 48)],
            0..24,
        ),
    ) {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        decode(&bytes)?;
    }
}

/// Decodes bytes in a fresh isolate and looks at all that was made.
fn decode(bytes: &[u8]) -> Result<(), TestCaseError> {
    let isolate = Isolate::new(LIMIT).unwrap();
    let made = unpack(&Message::from_bytes(bytes), isolate.heap());
    prop_assert!(
        isolate.heap().used() <= 64 * bytes.len() as u64 + 64,
        "{} bytes of {}",
        isolate.heap().used(),
        bytes.len()
    );
    match made {
        Ok(roots) => {
            let other = Isolate::new(LIMIT).unwrap();
            let packed = pack(isolate.heap(), &roots, Reach::Anywhere).unwrap();
            let again = unpack(&packed, other.heap()).unwrap();
            same(&roots, &again).map_err(TestCaseError::fail)?;
        }
        Err(error) => prop_assert_eq!(error, Unpack::Malformed),
    }
    Ok(())
}

#[test]
fn very_deep_structures_cross() {
    let cx = heap(256 << 20);
    let mut v = List::make(cx.heap, 0).unwrap();
    let bottom = v;
    for n in 0..300_000 {
        v = List::of(cx.heap, &[Value::int(n), v]).unwrap();
    }
    bottom.as_list().unwrap().push(cx.heap, v).unwrap();
    let other = Isolate::beside(cx.heap, Limits { heap: 256 << 20 }).unwrap();
    let copied = copy(cx.heap, &[v], other.heap(), Reach::Program);
    assert_eq!(same(&[v], &copied), Ok(300_001));
}

#[test]
fn long_texts_cross_without_their_buffers() {
    let cx = cx();
    let mut s = string(&cx, "");
    for _ in 0..1000 {
        s = asr_value::ops::arith::add(cx.heap, s, string(&cx, "0123456789")).unwrap();
    }
    let other = Isolate::beside(cx.heap, LIMIT).unwrap();
    let copied = copy(cx.heap, &[s, s], other.heap(), Reach::Program);
    assert_eq!(copied[0], copied[1]);
    assert_eq!(text(copied[0]), text(s));
    assert!(other.heap().used() < 10_100);
}

#[test]
fn messages_of_another_program_are_refused() {
    let cx = cx();
    let message = pack(cx.heap, &[Value::NULL], Reach::Program).unwrap();
    assert!(message.to_bytes().is_none());
    let stranger = Isolate::new(LIMIT).unwrap();
    assert_eq!(unpack(&message, stranger.heap()), Err(Unpack::Malformed));
}

#[test]
fn too_little_room_is_an_error_of_the_language() {
    let cx = cx();
    let items: Vec<Value> = (0..20_000).map(Value::int).collect();
    let list = List::of(cx.heap, &items).unwrap();
    let message = pack(cx.heap, &[list], Reach::Program).unwrap();
    let small = Isolate::beside(cx.heap, Limits { heap: 64 << 10 }).unwrap();
    match unpack(&message, small.heap()) {
        Err(Unpack::Memory(thrown)) => assert_eq!(text(thrown.0), "Out of memory."),
        other => panic!("{other:?}"),
    }
}
