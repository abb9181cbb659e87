//! From a value to the layout of its kind.

use super::{Boxed, Dict, Function, Held, Layout, List, Native, Record, Str};
use crate::word::Value;

impl Value {
    fn cast<'h, T: Layout>(self) -> Option<&'h T> {
        let header = self.header()?;
        if header.kind() != T::KIND {
            return None;
        }
        // The address with the provenance of the whole allocation, not of the header alone.
        let object = core::ptr::with_exposed_provenance::<T>(self.address()?);
        // SAFETY: an object of this kind has this layout (`Layout`), and is alive (`header`).
        unsafe { object.as_ref() }
    }

    /// The string, if it is one.
    pub fn as_str<'h>(self) -> Option<&'h Str> {
        self.cast()
    }

    /// The list, if it is one.
    pub fn as_list<'h>(self) -> Option<&'h List> {
        self.cast()
    }

    /// The dictionary, if it is one.
    pub fn as_dict<'h>(self) -> Option<&'h Dict> {
        self.cast()
    }

    /// The function, if it is one.
    pub fn as_function<'h>(self) -> Option<&'h Function> {
        self.cast()
    }

    /// The native, if it is one.
    pub fn as_native<'h>(self) -> Option<&'h Native> {
        self.cast()
    }

    /// The box, if it is one.
    pub fn as_box<'h>(self) -> Option<&'h Boxed> {
        self.cast()
    }

    /// The object of a resource, if it is one.
    pub(crate) fn as_held<'h>(self) -> Option<&'h Held> {
        self.cast()
    }

    /// The record, if it is one.
    pub fn as_record<'h>(self) -> Option<&'h Record> {
        self.cast()
    }
}
