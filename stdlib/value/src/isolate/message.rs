//! What crosses between isolates: values, encoded.
//!
//! A message is a sequence of 64-bit words, of bytes in little endian where it leaves the process.
//!
//! | words                          | meaning                                                   |
//! |--------------------------------|-----------------------------------------------------------|
//! | number of roots, the roots     | values                                                    |
//! | `kind + (count << 8)`, payload | one object after the other; 0, 1, ... in this order       |
//!
//! | kind         | count    | payload                                           |
//! |--------------|----------|---------------------------------------------------|
//! | 2 string     | bytes    | the bytes, up to a whole word                     |
//! | 3 list       | elements | values                                            |
//! | 4 dictionary | entries  | key, value, key, value, ...                       |
//! | 5 function   | captured | code, arity + (length of name << 32), name, values|
//! | 6 native     | number   | nothing                                           |
//! | 7 record     | 0        | name of the type, fields                          |
//! | 8 box        | 0        | value                                             |
//! | 9 channel    | number   | nothing; the channels lie beside the words        |
//!
//! A value is its word ([`crate::word`]); a reference has the tag of objects and the number of the
//! object; within a program also `FFFD` and the address of a constant. Numbers may be ahead of what
//! was read, so cycles need nothing special.
//!
//! Code and constants are addresses. They are in messages that stay in the process only, whose
//! words nobody but this module writes ([`Message::program`] says whose they are).

use std::sync::Arc;

use crate::concurrent::Channel;
use crate::heap::Shared;

/// Tag of a constant of the program.
pub(super) const CONSTANT_TAG: u64 = 0xFFFD << 48;

/// Values on their way from one isolate to another.
pub struct Message {
    pub(super) words: Vec<u64>,
    /// Channels, by their numbers.
    pub(super) channels: Vec<Arc<Channel>>,
    /// The program whose constants and code are in it, if addresses may be in it.
    pub(super) program: Option<Arc<Shared>>,
}

impl Message {
    /// A message from outside of this process: it may be anything.
    pub fn from_bytes(bytes: &[u8]) -> Message {
        let mut chunks = bytes.chunks_exact(8);
        let words = chunks.by_ref().map(|chunk| {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        Message {
            words: words.collect(),
            channels: Vec::new(),
            program: None,
        }
    }

    /// Its bytes, if it may leave the process.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        if self.program.is_some() {
            return None;
        }
        Some(self.words.iter().flat_map(|w| w.to_le_bytes()).collect())
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.words.len() * 8
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} bytes)", self.size())
    }
}
