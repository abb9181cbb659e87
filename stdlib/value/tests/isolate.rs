//! Isolates: entered, left, sent, dropped; parallel tasks in them.
#![allow(unsafe_code, reason = "stands for compiled code")]

mod common;

use std::sync::Mutex;

use asr_abi::{Ret, Thread, status};
use asr_kernel::thread;
use asr_value::isolate::{Done, Job, Limits};
use asr_value::natives::Cx;
use asr_value::object::{Boxed, Dict, Function, List, PORTABLE};
use asr_value::{Heap, Isolate, Value, heap as heaps, symbols};
use common::{cx, message, native, string, text};

const SMALL: Limits = Limits { heap: 1 << 20 };

/// The counts are those of the process: one test at a time.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(|e| e.into_inner())
}

fn symbol(name: &str) -> *const u8 {
    symbols().iter().find(|s| s.0 == name).unwrap().1
}

/// A function value as the main function of a module makes it.
fn function(cx: &Cx<'_>, code: *const (), arity: u32, name: &str) -> Value {
    type Row = unsafe extern "C" fn(*const Thread, *const u8, u32, *const u8, u64) -> Ret;
    // SAFETY: the signature of the row; the code has that of function values of this arity.
    unsafe {
        let row = std::mem::transmute::<*const u8, Row>(symbol("asr_i_value_function"));
        let ret = row(cx.th, code.cast(), arity, name.as_ptr(), name.len() as u64);
        Value::from_word(ret.value)
    }
}

fn literal(cx: &Cx<'_>, text: &str) -> Value {
    type Row = unsafe extern "C" fn(*const Thread, *const u8, u64) -> Ret;
    // SAFETY: the signature of the row.
    unsafe {
        let row = std::mem::transmute::<*const u8, Row>(symbol("asr_i_value_string"));
        Value::from_word(row(cx.th, text.as_ptr(), text.len() as u64).value)
    }
}

fn answer(res: asr_value::Res) -> Ret {
    let (value, status) = match res {
        Ok(v) => (v, status::OK),
        Err(thrown) => (thrown.0, status::THREW),
    };
    Ret {
        value: value.word(),
        status: status.into(),
    }
}

/// What compiled code of a function is given.
fn given<'a>(th: *const Thread) -> Cx<'a> {
    // SAFETY: the state of the calling thread.
    let th = unsafe { &*th };
    Cx {
        th,
        heap: Heap::of(th),
    }
}

/// `func(list) { push(list, len(list)); println(list[0]); return list; }`
extern "C" fn grow(th: *const Thread, _: u64, list: u64) -> Ret {
    let cx = given(th);
    // SAFETY: a word of this heap.
    let list = unsafe { Value::from_word(list) };
    let count = native(&cx, "len", &[list]);
    native(&cx, "push", &[list, count]);
    native(&cx, "println", &[list.as_list().unwrap().get(0).unwrap()]);
    answer(Ok(list))
}

/// `func() { throw "no" + "thing"; }`
extern "C" fn throws(th: *const Thread, _: u64) -> Ret {
    let cx = given(th);
    answer(Err(cx.heap.thrown_text("nothing")))
}

/// `func() { return random(1000); }`
extern "C" fn rolls(th: *const Thread, _: u64) -> Ret {
    let cx = given(th);
    answer(Ok(native(&cx, "random", &[Value::int(1_000_000)])))
}

/// `func(other) { n = n + 1; if (other) { other(null); } return [n, self]; }`
extern "C" fn count(th: *const Thread, this: u64, other: u64) -> Ret {
    let cx = given(th);
    // SAFETY: words of this heap.
    let (this, other) = unsafe { (Value::from_word(this), Value::from_word(other)) };
    let shared = this.as_function().unwrap().captured()[0].as_box().unwrap();
    shared.set(Value::number(shared.get().as_number().unwrap() + 1.0));
    if let Some(function) = other.as_function() {
        assert_eq!(function.code(), count as *const () as *const u8);
        count(th, other.word(), Value::NULL.word());
    }
    answer(List::of(cx.heap, &[shared.get(), this]))
}

fn run_elsewhere(job: Job) -> Done {
    std::thread::spawn(move || job.run(thread::adopt()))
        .join()
        .unwrap()
}

#[test]
fn entering_saves_and_leaving_restores_what_the_thread_had() {
    let _alone = alone();
    let cx = cx();
    let (start, end) = (8 as *mut u8, 16 as *mut u8);
    cx.th.alloc_ptr.set(start);
    cx.th.alloc_end.set(end);
    let mut outer = Isolate::beside(cx.heap, SMALL).unwrap();
    let mut inner = Isolate::beside(cx.heap, SMALL).unwrap();
    for window in [std::ptr::null_mut(), 24 as *mut u8] {
        outer.enter(cx.th, |heap| {
            assert!(std::ptr::eq(Heap::of(cx.th), heap) && !heap.is_main());
            // Its own window, as it left it.
            assert_eq!(cx.th.alloc_ptr.get(), window);
            cx.th.alloc_ptr.set(24 as *mut u8);
            let left = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                inner.enter(cx.th, |heap| {
                    assert!(std::ptr::eq(Heap::of(cx.th), heap));
                    assert!(cx.th.alloc_ptr.get().is_null());
                    std::panic::resume_unwind(Box::new(()));
                })
            }));
            assert!(left.is_err());
            assert!(std::ptr::eq(Heap::of(cx.th), heap));
            assert_eq!(cx.th.alloc_ptr.get(), 24 as *mut u8);
        });
        assert!(std::ptr::eq(Heap::of(cx.th), cx.heap));
        assert_eq!((cx.th.alloc_ptr.get(), cx.th.alloc_end.get()), (start, end));
    }
    cx.th.alloc_ptr.set(std::ptr::null_mut());
    cx.th.alloc_end.set(std::ptr::null_mut());
}

#[test]
fn an_isolate_goes_from_thread_to_thread_and_gives_all_its_memory_back() {
    let _alone = alone();
    let cx = cx();
    let before = (Isolate::live(), heaps::reserved());
    let mut isolate = Isolate::beside(cx.heap, SMALL).unwrap();
    assert_eq!(Isolate::live(), before.0 + 1);
    assert_eq!(heaps::reserved(), before.1 + (1 << 20));
    let list = isolate.enter(cx.th, |heap| List::make(heap, 0).unwrap());
    for n in 0..4 {
        isolate = std::thread::spawn(move || {
            let th = thread::adopt();
            let was = th.isolate.get();
            isolate.enter(th, |heap| {
                let item = heap.string(format!("{n}").as_bytes()).unwrap();
                list.as_list().unwrap().push(heap, item).unwrap();
            });
            assert_eq!(th.isolate.get(), was);
            isolate
        })
        .join()
        .unwrap();
    }
    let items = list.as_list().unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(text(items.get(3).unwrap()), "3");
    drop(isolate);
    assert_eq!((Isolate::live(), heaps::reserved()), before);
    // A main isolate, with what its program shares.
    let main = Isolate::new(SMALL).unwrap();
    let beside = Isolate::beside(main.heap(), SMALL).unwrap();
    drop(main);
    assert!(beside.heap().thrown("Out of memory.").0.as_str().is_some());
    drop(beside);
    assert_eq!((Isolate::live(), heaps::reserved()), before);
}

#[test]
#[cfg(debug_assertions)]
fn an_isolate_on_two_threads_is_noticed() {
    let _alone = alone();
    let cx = cx();
    let word = cx.th.isolate.get().expose_provenance();
    let other = std::thread::spawn(move || {
        let th = thread::adopt();
        th.isolate.set(std::ptr::with_exposed_provenance_mut(word));
        let found = std::panic::catch_unwind(|| Heap::of(thread::adopt()).used());
        th.isolate.set(std::ptr::null_mut());
        found.is_err()
    });
    assert!(other.join().unwrap());
}

#[test]
fn a_parallel_task_works_on_a_copy_and_answers_one() {
    let _alone = alone();
    let cx = cx();
    let before = Isolate::live();
    let grow = function(&cx, grow as *const (), 1 | PORTABLE, "grow");
    let list = List::of(
        cx.heap,
        &[string(&cx, "made here"), literal(&cx, "a literal")],
    )
    .unwrap();
    let job = Job::new(&cx, grow, &[list], SMALL).unwrap();
    native(&cx, "println", &[string(&cx, "before")]);
    let done = run_elsewhere(job);
    assert_eq!(Isolate::live(), before, "gone before anybody waits");
    native(&cx, "println", &[string(&cx, "after")]);
    let result = done.take(cx.heap).unwrap();
    let (ours, theirs) = (list.as_list().unwrap(), result.as_list().unwrap());
    assert_eq!((ours.len(), theirs.len()), (2, 3));
    assert_ne!(ours.get(0), theirs.get(0), "strings are copied");
    assert_eq!(text(theirs.get(0).unwrap()), "made here");
    assert_eq!(ours.get(1), theirs.get(1), "literals are shared");
    assert_eq!(theirs.get(2), Some(Value::int(2)));
    assert_eq!(cx.heap.output().take(), b"before\nmade here\nafter\n");
}

#[test]
fn what_a_parallel_task_throws_is_thrown_where_it_is_waited_for() {
    let _alone = alone();
    let cx = cx();
    let throws = function(&cx, throws as *const (), PORTABLE, "throws");
    let done = run_elsewhere(Job::new(&cx, throws, &[], SMALL).unwrap());
    assert_eq!(message(done.take(cx.heap)), "nothing");
    let small = Job::new(&cx, throws, &[], SMALL).unwrap();
    let done = small.run_with(cx.th, |_, _, _| Ret {
        value: 0,
        status: status::CANCELLED.into(),
    });
    assert_eq!(message(done.take(cx.heap)), "The task was cancelled.");
}

#[test]
fn a_parallel_task_has_its_own_limit_of_memory() {
    let _alone = alone();
    let cx = cx();
    let throws = function(&cx, throws as *const (), PORTABLE, "throws");
    let job = Job::new(&cx, throws, &[], Limits { heap: 64 << 10 }).unwrap();
    let done = job.run_with(cx.th, |cx, _, _| answer(cx.heap.string(&[b'x'; 65536])));
    assert_eq!(message(done.take(cx.heap)), "Out of memory.");
    let big = string(&cx, &"x".repeat(65536));
    let refused = Job::new(&cx, throws, &[big], SMALL).map(|_| ());
    assert_eq!(message(refused), "Expected 0 arguments but got 1.");
    let one = function(&cx, grow as *const (), 1 | PORTABLE, "grow");
    let refused = Job::new(&cx, one, &[big], Limits { heap: 64 << 10 }).map(|_| ());
    assert_eq!(message(refused), "Out of memory.");
}

#[test]
fn what_cannot_cross_is_refused_with_the_way_to_it() {
    let _alone = alone();
    let cx = cx();
    let grow = function(&cx, grow as *const (), 1 | PORTABLE, "grow");
    let bound = function(&cx, throws as *const (), 0, "bound");
    let refused = Job::new(&cx, bound, &[], SMALL).map(|_| ());
    let why = "The function 'bound', which uses variables of its module that change, \
               cannot cross to another isolate: ";
    assert_eq!(message(refused), format!("{why}the function."));
    let dict = Dict::make(cx.heap).unwrap();
    let key = string(&cx, "on end");
    dict.as_dict()
        .unwrap()
        .insert(cx.heap, key.as_str().unwrap(), bound, true)
        .unwrap();
    let list = List::of(cx.heap, &[Value::NULL, dict]).unwrap();
    for _ in 0..2 {
        // The second time too: nothing is left behind in the heap.
        let refused = Job::new(&cx, grow, &[list], SMALL).map(|_| ());
        assert_eq!(message(refused), format!("{why}argument 1[1][\"on end\"]."));
    }
    let job = Job::new(&cx, grow, &[Value::NULL], SMALL).unwrap();
    let done = job.run_with(cx.th, |_, _, _| answer(Ok(bound)));
    assert_eq!(message(done.take(cx.heap)), format!("{why}the result."));
    assert_eq!(
        message(Job::new(&cx, Value::int(3), &[], SMALL).map(|_| ())),
        "Can only call functions, classes, and foreign functions."
    );
}

#[test]
fn random_numbers_of_parallel_tasks_follow_from_the_seed() {
    let _alone = alone();
    let cx = cx();
    let rolls = function(&cx, rolls as *const (), PORTABLE, "rolls");
    let round = || {
        native(&cx, "seed", &[Value::int(7)]);
        let jobs: Vec<Job> = (0..3)
            .map(|_| Job::new(&cx, rolls, &[], SMALL).unwrap())
            .collect();
        let rolled = jobs.into_iter().rev().map(run_elsewhere);
        rolled
            .map(|done| done.take(cx.heap).unwrap().as_number().unwrap())
            .collect::<Vec<_>>()
    };
    let first = round();
    assert_eq!(first, round());
    assert!(first[0] != first[1] && first[1] != first[2]);
}

#[test]
fn functions_cross_with_what_they_captured() {
    let _alone = alone();
    let cx = cx();
    let code = count as *const () as *const u8;
    let shared = Boxed::make(cx.heap, Value::int(1)).unwrap();
    let list = List::of(cx.heap, &[shared]).unwrap();
    let closure = |arity, captured: &[Value]| {
        // SAFETY: the code has the signature of this arity.
        unsafe { Function::closure(cx.heap, code, arity, b"count", captured).unwrap() }
    };
    let one = closure(1 | PORTABLE, &[shared, string(&cx, "one")]);
    let two = closure(1 | PORTABLE, &[shared, string(&cx, "two")]);
    // A variable that holds the function that captures it.
    list.as_list().unwrap().pop();
    list.as_list().unwrap().push(cx.heap, one).unwrap();
    let job = Job::new(&cx, one, &[two], SMALL).unwrap();
    shared.as_box().unwrap().set(Value::int(50));
    let result = run_elsewhere(job).take(cx.heap).unwrap();
    // It counted twice in the variable that both share, which is another one than ours.
    assert_eq!(result.as_list().unwrap().get(0), Some(Value::int(3)));
    assert_eq!(shared.as_box().unwrap().get(), Value::int(50));
    let back = result.as_list().unwrap().get(1).unwrap();
    let back = back.as_function().unwrap();
    assert_eq!(
        (back.code(), back.arity(), back.name()),
        (code, 1, &b"count"[..])
    );
    assert!(back.is_portable());
    assert_eq!(back.captured()[0].as_box().unwrap().get(), Value::int(3));
    assert_eq!(text(back.captured()[1]), "one");

    let bound = closure(1, &[shared]);
    let holds = closure(1 | PORTABLE, &[Boxed::make(cx.heap, bound).unwrap()]);
    let refused = Job::new(&cx, one, &[holds], SMALL).map(|_| ());
    assert_eq!(
        message(refused),
        "The function 'count', which uses variables of its module that change, cannot cross to \
         another isolate: argument 1, captured by 'count'."
    );
}

#[test]
fn natives_cross_and_are_called_in_the_other_isolate() {
    let _alone = alone();
    let cx = cx();
    let id = asr_value::natives::by_name("upper").unwrap();
    let upper = asr_value::object::Native::make(cx.heap, id).unwrap();
    let job = Job::new(&cx, upper, &[string(&cx, "abc")], SMALL).unwrap();
    assert_eq!(text(run_elsewhere(job).take(cx.heap).unwrap()), "ABC");
}
