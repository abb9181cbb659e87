//! Repairable records: a dictionary of fields behind a header that the healer knows.

use std::mem::offset_of;

use asr_abi::ObjectHeader;

use super::{Dict, Kind, Layout, Object};
use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

/// A record. Its healer's header lies at a fixed offset, so each is found from the other.
#[repr(C)]
pub struct Record {
    header: Object,
    fields: Value,
    type_name: Value,
    heal: ObjectHeader,
}

const _: () = assert!(offset_of!(Record, heal) == 32 && size_of::<Record>() == 64);

// SAFETY: `repr(C)`, begins with the header; `Record::make` alone makes this kind.
unsafe impl Layout for Record {
    const KIND: Kind = Kind::Record;
}

impl Record {
    /// A healthy record of this type; `type_name` is what the program called the type.
    ///
    /// # Errors
    /// Out of memory.
    pub fn make(heap: &Heap, type_id: u64, type_name: Value, fields: &Dict) -> Res {
        let fields = fields.value();
        heap.note_record();
        heap.place(Kind::Record, |header| Record {
            header,
            fields,
            type_name,
            heal: ObjectHeader::new(type_id),
        })
    }

    /// Its fields.
    pub fn fields(&self) -> Option<&Dict> {
        self.fields.as_dict()
    }

    /// What the program called its type: a string or a number.
    pub fn type_name(&self) -> Value {
        self.type_name
    }

    /// The header that the healer knows.
    pub fn heal(&self) -> &ObjectHeader {
        &self.heal
    }

    /// The address that reports and handlers get.
    pub fn heal_ptr(&self) -> *mut ObjectHeader {
        let this = core::ptr::from_ref(self).expose_provenance();
        core::ptr::with_exposed_provenance_mut(this + offset_of!(Record, heal))
    }

    /// The value of the record whose healer's header is at this address.
    ///
    /// # Safety
    /// The address is that of the header of a record, whose heap lives.
    pub unsafe fn of_heal(heal: *const ObjectHeader) -> Option<Value> {
        let address = (heal as usize).checked_sub(offset_of!(Record, heal))?;
        // SAFETY: the caller's promise.
        let value = unsafe { Value::from_word(crate::word::OBJECT_TAG | address as u64) };
        value.as_record().map(|_| value)
    }
}
