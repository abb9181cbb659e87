//! The description that Linux keeps below `/sys/devices/system`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use asr_base::{Error, Status};

use super::{Cpu, Topology};

/// Reads it.
pub(super) fn read(root: &Path) -> Result<Topology, Error> {
    let mut node_of = BTreeMap::new();
    let mut rows = BTreeMap::new();
    let nodes = root.join("node");
    // A kernel without memory nodes has no such folder.
    if nodes.exists() {
        let list = nodes.join("online");
        for node in numbers(&list)? {
            let folder = nodes.join(format!("node{node}"));
            for cpu in numbers(&folder.join("cpulist"))? {
                node_of.insert(cpu, node);
            }
            let row = folder.join("distance");
            if let Ok(text) = fs::read_to_string(&row) {
                let row: Vec<u32> = text.split_whitespace().flat_map(str::parse).collect();
                rows.insert(node, row);
            }
        }
    }
    let mut cpus = Vec::new();
    let mut cores = BTreeMap::new();
    for id in numbers(&root.join("cpu/online"))? {
        let siblings = root.join(format!("cpu/cpu{id}/topology/core_cpus_list"));
        // The first of the hardware threads of a core names it. Some virtual machines say nothing.
        let first = match siblings.exists() {
            true => numbers(&siblings)?.first().copied().unwrap_or(id),
            false => id,
        };
        let next = u32::try_from(cores.len()).unwrap_or(u32::MAX);
        let core = *cores.entry(first).or_insert(next);
        let node = node_of.get(&id).copied().unwrap_or(0);
        cpus.push(Cpu { id, core, node });
    }
    let places: Vec<u32> = rows.keys().copied().collect();
    let distance = |from: u32, to: u32| -> u32 {
        let column = places.iter().position(|node| *node == to);
        let row = rows.get(&from).zip(column);
        row.and_then(|(row, column)| row.get(column).copied())
            .unwrap_or(0)
    };
    Topology::of(cpus, Some(&distance))
}

/// A list such as `0-3,8,10-11`.
fn numbers(path: &Path) -> Result<Vec<u32>, Error> {
    let text = fs::read_to_string(path).map_err(|error| {
        Error::new(Status::IO, format!("{}: {error}", path.display())).caused_by(error)
    })?;
    let mut all = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = first.parse::<u32>().ok().zip(last.parse::<u32>().ok());
        match range {
            Some((first, last)) if first <= last && last < 1 << 16 => all.extend(first..=last),
            _ => {
                let what = format!("{}: `{part}` is no range of numbers", path.display());
                return Err(Error::new(Status::BAD_ARGUMENT, what));
            }
        }
    }
    Ok(all)
}
