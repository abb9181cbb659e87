//! From values to a message.
//!
//! Objects are numbered as they are found, and written in this order: breadth first, with a list of
//! what was found instead of recursion. While a message is made, the mark of an object of the heap
//! ([`crate::object::Object`]) holds its number; all marks are 0 again at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::message::{CONSTANT_TAG, Message};
use super::path::{self, Refused};
use crate::concurrent::{Channel, Resource};
use crate::heap::Heap;
use crate::natives;
use crate::object::{Dict, Kind, Object, PORTABLE};
use crate::word::{OBJECT_TAG, PAYLOAD, Value};

/// How far a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// To another isolate of the program: constants and code are shared.
    Program,
    /// Out of the process: strings are copied, functions of the program refused.
    Anywhere,
}

/// An object, and where it was found first: as which word of which object, or as which root.
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) parent: Option<u32>,
    pub(super) slot: u32,
}

/// Encodes values of a heap, with all that they refer to. Shared and cyclic structure stays as it
/// is: also between the roots.
///
/// # Errors
/// Something that cannot cross, and where it is.
pub fn pack(heap: &Heap, roots: &[Value], reach: Reach) -> Result<Message, Refused> {
    let mut pack = Pack {
        heap,
        reach,
        words: Vec::with_capacity(roots.len() + 16),
        found: Vec::new(),
        channels: Vec::new(),
        constants: BTreeMap::new(),
    };
    pack.words.push(roots.len() as u64);
    for (at, root) in roots.iter().enumerate() {
        pack.word(*root, None, at)?;
    }
    let mut at = 0;
    while let Some(found) = pack.found.get(at) {
        pack.object(found.value, at)?;
        at += 1;
    }
    Ok(Message {
        words: std::mem::take(&mut pack.words),
        channels: std::mem::take(&mut pack.channels),
        program: match reach {
            Reach::Program => heap.shared().cloned(),
            Reach::Anywhere => None,
        },
    })
}

struct Pack<'h> {
    heap: &'h Heap,
    reach: Reach,
    words: Vec<u64>,
    found: Vec<Found>,
    channels: Vec<Arc<Channel>>,
    /// Numbers of constants that are copied; their marks belong to nobody.
    constants: BTreeMap<u64, u32>,
}

impl Pack<'_> {
    fn is_constant(&self, address: usize) -> bool {
        self.heap.shared().is_some_and(|s| s.contains(address))
    }

    /// Writes a value that is the word at `slot` of the object found at `parent`.
    fn word(&mut self, v: Value, parent: Option<u32>, slot: usize) -> Result<(), Refused> {
        let Some(address) = v.address() else {
            self.words.push(v.word());
            return Ok(());
        };
        let constant = self.is_constant(address);
        if constant && self.reach == Reach::Program {
            if v.as_function().is_none_or(|f| f.is_portable()) {
                self.words.push(CONSTANT_TAG | v.word() & PAYLOAD);
                return Ok(());
            }
            return Err(self.refused(v, parent, slot));
        }
        let number = match self.number(v, constant) {
            Some(number) => number,
            None => self.find(v, constant, parent, slot)?,
        };
        self.words.push(OBJECT_TAG | u64::from(number));
        Ok(())
    }

    /// The number of an object that was found before.
    fn number(&self, v: Value, constant: bool) -> Option<u32> {
        if constant {
            return self.constants.get(&v.word()).copied();
        }
        (v.header().map_or(0, Object::flags) & !PORTABLE).checked_sub(1)
    }

    fn find(
        &mut self,
        v: Value,
        constant: bool,
        parent: Option<u32>,
        slot: usize,
    ) -> Result<u32, Refused> {
        let number = self.found.len() as u32;
        let (true, Some(header)) = (self.crosses(v), v.header()) else {
            return Err(self.refused(v, parent, slot));
        };
        if constant {
            self.constants.insert(v.word(), number);
        } else {
            header.set_flags(header.flags() & PORTABLE | (number + 1));
        }
        self.found.push(Found {
            value: v,
            parent,
            slot: slot as u32,
        });
        Ok(number)
    }

    /// Whether an object may be in the message. Numbers must fit a mark.
    fn crosses(&self, v: Value) -> bool {
        if self.found.len() >= (PORTABLE - 1) as usize {
            return false;
        }
        match v.kind() {
            Some(Kind::Str | Kind::List | Kind::Dict | Kind::Native) => true,
            Some(Kind::Record) => v.as_record().is_some_and(natives::is_sound),
            Some(Kind::Function) => {
                self.reach == Reach::Program && v.as_function().is_some_and(|f| f.is_portable())
            }
            Some(Kind::Box) => self.reach == Reach::Program,
            Some(Kind::Resource) => {
                let channel = v.as_resource().and_then(Resource::as_channel);
                self.reach == Reach::Program && channel.is_some_and(|c| c.share())
            }
            Some(Kind::Buffer) | None => false,
        }
    }

    fn refused(&self, v: Value, parent: Option<u32>, slot: usize) -> Refused {
        let what = match v.as_function() {
            _ if self.found.len() >= (PORTABLE - 1) as usize => "So much data".to_owned(),
            Some(function) => {
                let name = String::from_utf8_lossy(function.name());
                match (self.reach, function.is_portable()) {
                    (Reach::Anywhere, _) => format!("The function '{name}'"),
                    (Reach::Program, _) => format!(
                        "The function '{name}', which uses variables of its module that change,"
                    ),
                }
            }
            None if v.as_record().is_some() => "A record that waits for repair".to_owned(),
            None if v.as_resource().is_some() => {
                "A task, or a channel that holds values,".to_owned()
            }
            None => "This kind of value".to_owned(),
        };
        path::refused(what, &self.found, parent, slot as u32)
    }

    fn header(&mut self, kind: Kind, count: usize) {
        self.words.push(kind as u64 | (count as u64) << 8);
    }

    /// Writes the object found at `at`.
    fn object(&mut self, v: Value, at: usize) -> Result<(), Refused> {
        let parent = Some(at as u32);
        if let Some(string) = v.as_str() {
            self.header(Kind::Str, string.len());
            self.bytes(string.bytes());
        } else if let Some(list) = v.as_list() {
            self.header(Kind::List, list.len());
            self.words.reserve(list.len());
            for (slot, item) in (0..).map_while(|n| Some((n, list.get(n)?))) {
                self.word(item, parent, slot)?;
            }
        } else if let Some(dict) = v.as_dict() {
            self.header(Kind::Dict, dict.len());
            self.words.reserve(2 * dict.len());
            for (n, (key, value)) in (0..).map_while(|n| Some((n, dict.entry(n)?))) {
                self.word(key, parent, 2 * n)?;
                self.word(value, parent, 2 * n + 1)?;
            }
        } else if let Some(native) = v.as_native() {
            self.header(Kind::Native, native.id() as usize);
        } else if let Some(function) = v.as_function() {
            let name = function.name();
            self.header(Kind::Function, function.captured().len());
            self.words.push(function.code().expose_provenance() as u64);
            self.words
                .push(u64::from(function.arity()) | (name.len() as u64) << 32);
            self.bytes(name);
            for (slot, captured) in function.captured().iter().enumerate() {
                self.word(*captured, parent, slot)?;
            }
        } else if let Some(shared) = v.as_box() {
            self.header(Kind::Box, 0);
            self.word(shared.get(), parent, 0)?;
        } else if let Some(channel) = v.as_resource().and_then(Resource::as_channel) {
            self.header(Kind::Resource, self.channels.len());
            self.channels.push(channel.clone());
        } else if let Some(record) = v.as_record() {
            self.header(Kind::Record, 0);
            self.word(record.type_name(), parent, 0)?;
            let fields = record.fields().map_or(Value::NULL, Dict::value);
            self.word(fields, parent, 1)?;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        self.words.extend(chunks.by_ref().map(word_of));
        if !chunks.remainder().is_empty() {
            self.words.push(word_of(chunks.remainder()));
        }
    }
}

/// At most eight bytes as a word.
fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

impl Drop for Pack<'_> {
    fn drop(&mut self) {
        for found in &self.found {
            if let Some((header, address)) = found.value.header().zip(found.value.address())
                && !self.is_constant(address)
            {
                header.set_flags(header.flags() & PORTABLE);
            }
        }
    }
}
