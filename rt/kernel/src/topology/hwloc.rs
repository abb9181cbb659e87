//! What hwloc knows, through the part of its bindings that is sound.
//!
//! The bindings panic when memory nodes are listed, and free a name that is not theirs when one is
//! asked; so the node of a processor is read from its node set, and no object is asked its name.
//! They expose no distances: those are the usual ones.

use asr_base::{Error, Status};
use hwloc2::{ObjectType, Topology as Library};

use super::{Cpu, Topology};

/// Reads it.
pub(super) fn read() -> Result<Topology, Error> {
    let bad = |what: &str| Error::new(Status::IO, format!("hwloc: {what}"));
    let library = Library::new().ok_or_else(|| bad("no topology"))?;
    let units = library
        .objects_with_type(&ObjectType::PU)
        .map_err(|error| bad(&format!("no processors: {error:?}")))?;
    let mut cpus = Vec::new();
    for unit in units {
        let mut above = unit.parent();
        while let Some(object) = above
            && object.object_type() != ObjectType::Core
        {
            above = object.parent();
        }
        let node = unit.nodeset().and_then(|nodes| nodes.into_iter().next());
        cpus.push(Cpu {
            id: unit.os_index(),
            core: above.map_or(unit.logical_index(), |core| core.logical_index()),
            node: node.unwrap_or(0),
        });
    }
    Topology::of(cpus, None)
}
