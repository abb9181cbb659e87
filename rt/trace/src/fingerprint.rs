//! The fingerprint of a trace (TRC-11): a 128-bit hash of its normal form, in which every id is
//! replaced by the order of its first occurrence among the ids of its sort.
//!
//! Two runs that give out other ids have equal fingerprints as long as the ids of tasks compare
//! alike, which decides the order inside a layer.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::foata::{Foata, Form, Letter};
use crate::hash::Hasher;
use crate::kind::Word;
use crate::resource::{End, Object, Resource};
use crate::sub::Sub;

/// The fingerprint of the trace of these events.
pub fn fingerprint(events: &[Event]) -> u128 {
    Foata::of(events).form.fingerprint()
}

impl Form {
    /// The hash of the form with ids renamed.
    pub fn fingerprint(&self) -> u128 {
        let mut writer = Writer::default();
        for layer in self.layers() {
            writer.hash.number(layer.len() as u64);
            for letter in layer {
                writer.letter(letter);
            }
        }
        writer.hash.finish()
    }
}

/// The sorts of ids. Ids of different sorts may have equal bits and are renamed apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Cell,
    Lock,
    Channel,
    Name,
    Word(Word),
}

#[derive(Default)]
struct Writer {
    hash: Hasher,
    names: BTreeMap<(Sort, u64), u64>,
    count: BTreeMap<Sort, u64>,
}

impl Writer {
    fn letter(&mut self, letter: &Letter) {
        self.hash.bytes(&[letter.kind as u8, letter.sub as u8]);
        self.id(
            Sort::Word(Word::Task),
            letter.task.map_or(0, |id| id.to_bits()),
        );
        self.id(
            Sort::Word(Word::Region),
            letter.region.map_or(0, |id| id.to_bits()),
        );
        self.hash.number(letter.objects.len() as u64);
        for object in &letter.objects {
            self.object(object);
        }
        let fields = match letter.sub {
            Sub::None => letter.kind.fields(),
            sub => sub.fields(),
        };
        for (field, word) in fields.iter().zip(letter.words) {
            if field.word.is_id() {
                self.id(Sort::Word(field.word), word);
            } else {
                self.hash.number(word);
            }
        }
        self.hash.number(letter.causes.len() as u64);
        for &cause in &letter.causes {
            self.hash.number(cause as u64);
        }
    }

    fn object(&mut self, object: &Object) {
        self.hash.bytes(&[object.access as u8]);
        let (tag, sort, id, part) = match object.resource {
            Resource::Cell(id) => (0, Sort::Cell, id, 0),
            Resource::Lock(id) => (1, Sort::Lock, id, 0),
            Resource::Channel(id, End::Send) => (2, Sort::Channel, id, 0),
            Resource::Channel(id, End::Receive) => (2, Sort::Channel, id, 1),
            Resource::Region(id) => (3, Sort::Word(Word::Region), id.to_bits(), 0),
            Resource::Place(id, kind) => (4, Sort::Word(Word::Region), id.to_bits(), kind),
            Resource::TimerHead => (5, Sort::Cell, 0, 0),
            Resource::Name(id) => (6, Sort::Name, id, 0),
            Resource::Task(id) => (7, Sort::Word(Word::Task), id.to_bits(), 0),
        };
        self.hash.bytes(&[tag, part]);
        if tag != 5 {
            self.renamed(sort, id);
        }
    }

    /// An id where zero means none.
    fn id(&mut self, sort: Sort, id: u64) {
        match id {
            0 => self.hash.number(0),
            id => self.renamed(sort, id),
        }
    }

    fn renamed(&mut self, sort: Sort, id: u64) {
        let count = self.count.entry(sort).or_insert(0);
        let name = *self.names.entry((sort, id)).or_insert_with(|| {
            *count += 1;
            *count
        });
        self.hash.number(name);
    }
}
