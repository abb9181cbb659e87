//! From a message to values of a heap.
//!
//! Three passes: the first makes all objects, empty where they refer to others, the second the
//! records, the third fills the rest. Memory is bounded by the length of the message; nothing
//! recurses. A message from outside may be anything: what is not as it should be is
//! [`Unpack::Malformed`].
#![allow(
    unsafe_code,
    reason = "code and constants of the program are addresses"
)]

use std::sync::Arc;

use super::message::{CONSTANT_TAG, Message};
use crate::concurrent::{Channel, Resource};
use crate::error::Thrown;
use crate::heap::Heap;
use crate::natives;
use crate::object::{self, Boxed, Dict, Function, Kind, List, Native, PORTABLE, Record};
use crate::word::{CONST_TAG, INT_TAG, OBJECT_TAG, PAYLOAD, Value};

/// Why a message gives no values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unpack {
    /// It is none, or one of another program.
    Malformed,
    /// There is no room for them.
    Memory(Thrown),
}

impl From<Thrown> for Unpack {
    fn from(thrown: Thrown) -> Unpack {
        Unpack::Memory(thrown)
    }
}

type Res<T = Value> = Result<T, Unpack>;

/// Decodes the roots of a message.
///
/// # Errors
/// See [`Unpack`].
pub fn unpack(message: &Message, heap: &Heap) -> Res<Vec<Value>> {
    let same = |ours: Option<&Arc<_>>, theirs| ours.is_some_and(|ours| Arc::ptr_eq(ours, theirs));
    let trusted = message.program.is_some();
    if message
        .program
        .as_ref()
        .is_some_and(|p| !same(heap.shared(), p))
    {
        return Err(Unpack::Malformed);
    }
    let mut unpack = Reader {
        heap,
        words: &message.words,
        channels: &message.channels,
        objects: Vec::new(),
        trusted,
    };
    let count = unpack.next()?;
    let roots = unpack.take(count)?;
    let objects = unpack.words;
    while let Some(header) = unpack.header()? {
        let made = unpack.make(header)?;
        unpack.objects.push(made);
    }
    for pass in [Reader::finish, Reader::fill] {
        unpack.words = objects;
        for at in 0..unpack.objects.len() {
            if let Some(header) = unpack.header()? {
                pass(&mut unpack, header, at)?;
            }
        }
    }
    roots.iter().map(|word| unpack.value(*word)).collect()
}

/// A header: kind, count, payload.
type Header<'m> = (Kind, usize, &'m [u64]);

struct Reader<'m, 'h> {
    heap: &'h Heap,
    words: &'m [u64],
    channels: &'m [Arc<Channel>],
    objects: Vec<Value>,
    trusted: bool,
}

impl<'m> Reader<'m, '_> {
    fn next(&mut self) -> Res<u64> {
        let (first, rest) = self.words.split_first().ok_or(Unpack::Malformed)?;
        self.words = rest;
        Ok(*first)
    }

    fn take(&mut self, count: u64) -> Res<&'m [u64]> {
        let count = usize::try_from(count).map_err(|_| Unpack::Malformed)?;
        let (these, rest) = self
            .words
            .split_at_checked(count)
            .ok_or(Unpack::Malformed)?;
        self.words = rest;
        Ok(these)
    }

    /// The next object; `None` at the end.
    fn header(&mut self) -> Res<Option<Header<'m>>> {
        if self.words.is_empty() {
            return Ok(None);
        }
        let word = self.next()?;
        let count = word >> 8;
        let (kind, payload) = match word & 0xFF {
            2 => (Kind::Str, count.div_ceil(8)),
            3 => (Kind::List, count),
            4 => (Kind::Dict, 2 * count),
            5 if self.trusted => {
                let name = self
                    .words
                    .get(1)
                    .map_or(0, |shape| (shape >> 32).div_ceil(8));
                (Kind::Function, 2 + name + count)
            }
            6 => (Kind::Native, 0),
            7 => (Kind::Record, 2),
            8 if self.trusted => (Kind::Box, 1),
            9 if self.trusted => (Kind::Resource, 0),
            _ => return Err(Unpack::Malformed),
        };
        let payload = self.take(payload)?;
        Ok(Some((kind, count as usize, payload)))
    }

    /// Makes an object; those that refer to others refer to none yet.
    fn make(&self, (kind, count, payload): Header<'_>) -> Res {
        let heap = self.heap;
        Ok(match kind {
            Kind::Str => object::build_string(heap, count, |room| spell(payload, room))?,
            Kind::List => List::make(heap, count as u64)?,
            Kind::Dict => Dict::make(heap)?,
            Kind::Native if count < natives::TABLE.len() => Native::make(heap, count as u32)?,
            Kind::Function => self.function(payload, count)?,
            Kind::Box => Boxed::make(heap, Value::NULL)?,
            // What it refers to does not change: it is made when that is there.
            Kind::Record => Value::UNDEFINED,
            Kind::Resource => match self.channels.get(count) {
                Some(channel) => heap.resource(Resource::Channel(channel.clone()))?,
                None => return Err(Unpack::Malformed),
            },
            Kind::Native | Kind::Buffer => return Err(Unpack::Malformed),
        })
    }

    fn function(&self, payload: &[u64], captured: usize) -> Res {
        let [code, shape, rest @ ..] = payload else {
            return Err(Unpack::Malformed);
        };
        let code = std::ptr::with_exposed_provenance(*code as usize);
        let mut name = vec![0; (shape >> 32) as usize];
        spell(rest, &mut name);
        // SAFETY: the message is of this program (`header`): code of one of its functions, which
        // was portable, or it would not be here.
        unsafe {
            let arity = *shape as u32 | PORTABLE;
            let captured = vec![Value::NULL; captured];
            Ok(Function::closure(self.heap, code, arity, &name, &captured)?)
        }
    }

    /// Makes records.
    fn finish(&mut self, (kind, _, payload): Header<'_>, at: usize) -> Res<()> {
        let (Kind::Record, [name, fields], Some(place)) = (kind, payload, self.objects.get(at))
        else {
            return Ok(());
        };
        debug_assert!(*place == Value::UNDEFINED, "records are made once");
        let (name, fields) = (self.value(*name)?, self.value(*fields)?);
        let (Some(id), Some(fields)) = (natives::type_id(name), fields.as_dict()) else {
            return Err(Unpack::Malformed);
        };
        let made = Record::make(self.heap, id, name, fields)?;
        self.objects[at] = made;
        Ok(())
    }

    /// Fills lists, dictionaries, boxes, and what functions captured.
    fn fill(&mut self, (kind, _, payload): Header<'_>, at: usize) -> Res<()> {
        let made = self.objects.get(at).copied().unwrap_or(Value::NULL);
        if let (Kind::List, Some(list)) = (kind, made.as_list()) {
            for word in payload {
                list.push(self.heap, self.value(*word)?)?;
            }
        } else if let (Kind::Dict, Some(dict)) = (kind, made.as_dict()) {
            for entry in payload.chunks_exact(2) {
                let [key, value] = entry else { continue };
                let (key, value) = (self.value(*key)?, self.value(*value)?);
                let key = key.as_str().ok_or(Unpack::Malformed)?;
                dict.insert(self.heap, key, value, false)?;
            }
        } else if let (Kind::Function, Some(function)) = (kind, made.as_function()) {
            let captured = function.captured().len();
            for (at, word) in payload[payload.len() - captured..].iter().enumerate() {
                function.set_captured(at, self.value(*word)?);
            }
        } else if let (Kind::Box, Some(shared), [word]) = (kind, made.as_box(), payload) {
            shared.set(self.value(*word)?);
        }
        Ok(())
    }

    /// The value of a word.
    fn value(&self, word: u64) -> Res {
        let payload = word & PAYLOAD;
        match word & !PAYLOAD {
            _ if word < INT_TAG => Ok(Value::double(f64::from_bits(word))),
            INT_TAG => match u32::try_from(payload) {
                Ok(n) => Ok(Value::int(n as i32)),
                Err(_) => Err(Unpack::Malformed),
            },
            CONST_TAG => [Value::NULL, Value::FALSE, Value::TRUE, Value::UNDEFINED]
                .into_iter()
                .find(|v| v.word() == word && (self.trusted || *v != Value::UNDEFINED))
                .ok_or(Unpack::Malformed),
            OBJECT_TAG => {
                let at = usize::try_from(payload).map_err(|_| Unpack::Malformed)?;
                self.objects.get(at).copied().ok_or(Unpack::Malformed)
            }
            // SAFETY: a constant of this program (`program`), whose heap shares it.
            CONSTANT_TAG if self.trusted => Ok(unsafe { Value::from_word(OBJECT_TAG | payload) }),
            _ => Err(Unpack::Malformed),
        }
    }
}

/// Writes the bytes that are packed in words.
fn spell(words: &[u64], room: &mut [u8]) {
    for (to, word) in room.chunks_mut(8).zip(words) {
        to.copy_from_slice(&word.to_le_bytes()[..to.len()]);
    }
}
