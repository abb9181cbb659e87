//! Objects that stand for something of the runtime.

use super::{Kind, Layout, Object};
use crate::concurrent::Resource;
use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

/// An object that stands for a resource of the heap.
#[repr(C)]
pub(crate) struct Held {
    header: Object,
    resource: *const Resource,
    reserved: u64,
}

// SAFETY: `repr(C)`, begins with the header; `Heap::resource` alone makes this kind.
unsafe impl Layout for Held {
    const KIND: Kind = Kind::Resource;
}

impl Heap {
    /// An object for a resource, which lives as long as the heap.
    ///
    /// # Errors
    /// Out of memory.
    pub(crate) fn resource(&self, resource: Resource) -> Res {
        let resource = self.keep_resource(resource);
        self.place(Kind::Resource, |header| Held {
            header,
            resource,
            reserved: 0,
        })
    }
}

impl Held {
    /// What it stands for.
    pub(crate) fn get<'h>(&self) -> &'h Resource {
        // SAFETY: boxed by `keep_resource` for as long as the heap and its values live.
        unsafe { &*self.resource }
    }
}

impl Value {
    /// What the object stands for, if it is one that does.
    pub(crate) fn as_resource<'h>(self) -> Option<&'h Resource> {
        self.as_held().map(Held::get)
    }
}
