//! Models of handler lookup against registration: run with `RUSTFLAGS="--cfg loom"`.
#![cfg(loom)]
#![allow(unsafe_code, reason = "puts raw entries into the table")]

use asr_heal::lookup::{Lookup, Writer};
use loom::cell::UnsafeCell;
use loom::sync::{Arc, Mutex};

const TYPE: u64 = 7;
/// Goes to the same first slot as [`TYPE`] or makes the table of a model grow.
const OTHER: u64 = 8;

/// Stands for a handler. It is never freed while the model runs, so that a use after it was given
/// back is found by loom and is no undefined behaviour.
struct Entry {
    type_id: u64,
    /// Read by whoever found it; written when it is given back.
    given_back: UnsafeCell<bool>,
}

struct Model {
    lookup: Lookup<Entry>,
    writer: Mutex<Writer<Entry>>,
}

impl Model {
    fn new() -> Arc<Model> {
        Arc::new(Model {
            lookup: Lookup::new(),
            writer: Mutex::new(Writer::new()),
        })
    }

    /// Looks once; answers the address of what it found.
    fn look(&self, lane: usize, type_id: u64) -> Option<usize> {
        let found = self.lookup.find(lane, type_id)?;
        assert_eq!(found.type_id, type_id);
        // SAFETY: nobody writes while a reader holds the entry; loom fails the model otherwise.
        let given_back = found.given_back.with(|cell| unsafe { *cell });
        assert!(!given_back, "found after it was given back");
        Some(std::ptr::from_ref::<Entry>(&found).addr())
    }

    /// Registers a new entry and gives back what nobody holds; answers the entry's address.
    fn register(&self, type_id: u64) -> usize {
        let entry = Box::into_raw(Box::new(Entry {
            type_id,
            given_back: UnsafeCell::new(false),
        }));
        self.replace(type_id, entry);
        entry.addr()
    }

    fn unregister(&self, type_id: u64) {
        self.replace(type_id, std::ptr::null_mut());
    }

    fn replace(&self, type_id: u64, entry: *mut Entry) {
        let mut writer = self.writer.lock().unwrap();
        // SAFETY: the one writer is locked; entries are leaked.
        unsafe { self.lookup.replace(&mut writer, type_id, entry) };
        drop(writer);
        self.give_back();
    }

    /// How many entries nobody holds any more.
    fn give_back(&self) -> usize {
        let mut count = 0;
        let mut writer = self.writer.lock().unwrap();
        // SAFETY: the one writer is locked; entries are leaked, so the reference is valid, and loom
        // fails the model when a reader is there still.
        unsafe {
            self.lookup.give_back(&mut writer, |entry| {
                let again = (*entry).given_back.with_mut(|cell| cell.replace(true));
                assert!(!again, "given back twice");
                count += 1;
            });
        }
        count
    }
}

/// HEAL-9, HEAL-10: two readers of different lanes, while the handler is replaced: each finds the
/// old one or the new one, alive; afterwards all find the new one and the old one is given back.
#[test]
fn heal_9_10_lookup_against_replacement() {
    // Three threads: all schedules with up to three preemptions, else it takes minutes.
    let mut bounded = loom::model::Builder::new();
    bounded.preemption_bound = Some(3);
    bounded.check(|| {
        let model = Model::new();
        let old = model.register(TYPE);
        let readers: Vec<_> = (0..2)
            .map(|lane| {
                let model = model.clone();
                loom::thread::spawn(move || model.look(lane, TYPE))
            })
            .collect();
        let new = model.register(TYPE);
        assert_eq!(model.look(0, TYPE), Some(new));
        for reader in readers {
            let found = reader.join().unwrap();
            assert!(found == Some(old) || found == Some(new), "{found:?}");
        }
        model.give_back();
        assert_eq!(model.give_back(), 0, "nothing waits when nobody looks");
    });
}

/// HEAL-10: a reader that shares its lane with the writer's own lookups, while the handler is
/// unregistered and registered again: it finds one of the two or none.
#[test]
fn heal_10_lookup_against_unregistration() {
    loom::model(|| {
        let model = Model::new();
        let old = model.register(TYPE);
        let reader = {
            let model = model.clone();
            loom::thread::spawn(move || [model.look(0, TYPE), model.look(0, TYPE)])
        };
        model.unregister(TYPE);
        assert_eq!(model.look(0, TYPE), None);
        let new = model.register(TYPE);
        let found = reader.join().unwrap();
        let order = |found: Option<usize>| match found {
            Some(found) if found == old => 0,
            None => 1,
            Some(found) => {
                assert_eq!(found, new);
                2
            }
        };
        assert!(
            order(found[0]) <= order(found[1]),
            "back in time: {found:?}"
        );
    });
}

/// HEAL-9: a handler is found while the table grows for another type, and replaced right after:
/// the smaller table, which still names the old one, misleads no reader.
#[test]
fn heal_9_lookup_while_the_table_grows() {
    loom::model(|| {
        let model = Model::new();
        let old = model.register(TYPE);
        let reader = {
            let model = model.clone();
            loom::thread::spawn(move || (model.look(1, OTHER), model.look(1, TYPE)))
        };
        let other = model.register(OTHER);
        let new = model.register(TYPE);
        let (first, second) = reader.join().unwrap();
        assert!(first.is_none_or(|found| found == other), "{first:?}");
        assert!(second == Some(old) || second == Some(new), "{second:?}");
        assert_eq!(model.look(1, OTHER), Some(other));
    });
}

/// HEAL-10: two writers register for one type while a reader looks: one of the two stays, and no
/// handler is given back twice.
#[test]
fn heal_10_two_writers_and_a_reader() {
    loom::model(|| {
        let model = Model::new();
        let reader = {
            let model = model.clone();
            loom::thread::spawn(move || model.look(1, TYPE))
        };
        let writer = {
            let model = model.clone();
            loom::thread::spawn(move || model.register(TYPE))
        };
        let here = model.register(TYPE);
        let there = writer.join().unwrap();
        let seen = reader.join().unwrap();
        let last = model.look(0, TYPE);
        assert!(last == Some(here) || last == Some(there));
        assert!(seen.is_none_or(|seen| seen == here || seen == there));
    });
}
