//! Why a value does not cross, and where it was found.

use super::pack::Found;
use crate::object::Kind;
use crate::word::Value;

/// Longest part of a key that a path shows.
const KEY_MAX: usize = 40;

/// A value that does not cross.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What it is: "a function that uses variables of its module".
    pub what: String,
    /// Where it was found, from the root of this number.
    pub root: usize,
    /// The way from the root: `[2]["key"]`.
    pub path: String,
}

impl Refused {
    /// The message: `name` is that of the root.
    pub fn text(&self, name: &str) -> String {
        let Refused { what, path, .. } = self;
        format!("{what} cannot cross to another isolate: {name}{path}.")
    }
}

/// The way to a word of the object found at `parent`.
pub(super) fn refused(what: String, found: &[Found], parent: Option<u32>, slot: u32) -> Refused {
    let mut steps = Vec::new();
    let (mut at, mut slot) = (parent, slot);
    while let Some(object) = at.and_then(|at| found.get(at as usize)) {
        steps.push(step(object.value, slot as usize));
        (at, slot) = (object.parent, object.slot);
    }
    steps.reverse();
    Refused {
        what,
        root: slot as usize,
        path: steps.concat(),
    }
}

/// One step from an object to its word at `slot`.
fn step(object: Value, slot: usize) -> String {
    match object.kind() {
        Some(Kind::List) => format!("[{slot}]"),
        Some(Kind::Dict) => {
            let entry = object.as_dict().and_then(|dict| dict.entry(slot / 2));
            let key = entry.and_then(|(key, _)| key.as_str());
            let text = key
                .map(|key| key.to_text().into_owned())
                .unwrap_or_default();
            match text.char_indices().nth(KEY_MAX) {
                Some((end, _)) => format!("[\"{}...\"]", &text[..end]),
                None => format!("[\"{text}\"]"),
            }
        }
        Some(Kind::Function) => {
            let name = object.as_function().map_or(&b""[..], |f| f.name());
            format!(", captured by '{}'", String::from_utf8_lossy(name))
        }
        _ => String::new(),
    }
}
