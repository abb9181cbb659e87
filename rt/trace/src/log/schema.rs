//! The shape of events as text, and its hash, which stands in each file.
//!
//! A change of this text is a change of the file format: of the minor version if it only appends,
//! else of the major one.

use std::fmt::Write as _;

use crate::hash::hash;
use crate::kind::{Field, Kind};
use crate::sub::Sub;

/// The fields of every event, in the order of the file.
const EVENT: &str = "kind sub seq logical time task? region? object*2 cause*2 a b c";

/// One line for the event, and one per kind and sub-event with its number and fields.
pub fn schema_text() -> String {
    let mut text = format!("event: {EVENT}\n");
    for &kind in Kind::ALL {
        row(&mut text, "kind", kind as u8, kind.name(), kind.fields());
    }
    for &sub in Sub::ALL {
        row(&mut text, "sub", sub as u8, sub.name(), sub.fields());
    }
    text
}

/// The hash of [`schema_text`].
pub fn schema_hash() -> u128 {
    hash(schema_text().as_bytes())
}

fn row(text: &mut String, table: &str, number: u8, name: &str, fields: [Field; 3]) {
    // Writing to a string does not fail.
    let _ = write!(text, "{table} {number} {name}:");
    for field in fields.iter().filter(|field| !field.name.is_empty()) {
        let _ = write!(text, " {}:{:?}", field.name, field.word);
    }
    text.push('\n');
}
