//! Elements and members.

use crate::error::{Res, message};
use crate::heap::Heap;
use crate::object::{Dict, Str, index_of};
use crate::word::Value;

/// The dictionary behind a dictionary or a record.
fn fields<'h>(o: Value) -> Option<&'h Dict> {
    o.as_dict().or_else(|| o.as_record()?.fields())
}

fn key<'h>(heap: &Heap, k: Value) -> Res<&'h Str> {
    k.as_str().ok_or_else(|| heap.thrown(message::KEY_STRING))
}

/// `o[i]`.
///
/// # Errors
/// The messages for lists and dictionaries.
pub fn get(heap: &Heap, o: Value, i: Value) -> Res {
    if let Some(list) = o.as_list() {
        let at = index_of(i).map_err(|text| heap.thrown(text))?;
        return at
            .and_then(|at| list.get(at))
            .ok_or_else(|| heap.thrown(message::INDEX_BOUNDS));
    }
    match fields(o) {
        Some(dict) => Ok(dict.get(key(heap, i)?).unwrap_or(Value::NULL)),
        None => Err(heap.thrown(message::NOT_INDEXABLE)),
    }
}

/// `o[i] = v`.
///
/// # Errors
/// The messages for lists and dictionaries, out of memory.
pub fn set(heap: &Heap, o: Value, i: Value, v: Value) -> Res<()> {
    if let Some(list) = o.as_list() {
        let at = index_of(i).map_err(|text| heap.thrown(text))?;
        return match at {
            Some(at) if list.set(at, v) => Ok(()),
            _ => Err(heap.thrown(message::INDEX_BOUNDS)),
        };
    }
    match fields(o) {
        Some(dict) => dict.insert(heap, key(heap, i)?, v, true).map(|_| ()),
        None => Err(heap.thrown(message::NOT_INDEXABLE)),
    }
}

/// `o.name`: the field of a record.
///
/// # Errors
/// "Undefined property 'name'.", "Only instances and modules have properties."
pub fn member(heap: &Heap, o: Value, name: Value) -> Res {
    let Some(record) = o.as_record() else {
        return Err(heap.thrown(message::HAVE_PROPERTIES));
    };
    let name = key(heap, name)?;
    match record.fields().and_then(|fields| fields.get(name)) {
        Some(v) => Ok(v),
        None => Err(heap.thrown_text(&format!("Undefined property '{}'.", name.to_text()))),
    }
}

/// `o.name = v`: sets the field of a record.
///
/// # Errors
/// "Only instances have fields.", out of memory.
pub fn set_member(heap: &Heap, o: Value, name: Value, v: Value) -> Res<()> {
    match o.as_record().and_then(|record| record.fields()) {
        Some(fields) => fields.insert(heap, key(heap, name)?, v, true).map(|_| ()),
        None => Err(heap.thrown(message::HAVE_FIELDS)),
    }
}

/// An entry of a dictionary literal: the first of equal keys wins.
///
/// # Errors
/// "Dictionary key must be a string.", out of memory.
pub fn init(heap: &Heap, d: Value, k: Value, v: Value) -> Res<()> {
    match d.as_dict() {
        Some(dict) => dict.insert(heap, key(heap, k)?, v, false).map(|_| ()),
        None => Err(heap.thrown(message::INTERNAL)),
    }
}
