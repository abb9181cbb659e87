//! Which processor belongs to which core and which memory node, and how far the nodes are apart.
//!
//! Three sources give the same description: hwloc (feature `hwloc`), the files of the system below
//! `/sys`, and a text for tests such as `node:2 core:4 pu:2`. What is missing or contradictory in a
//! source is an error of that source; [`Topology::system`] then asks the next one, and at the end
//! describes one node, so a runtime starts everywhere.
//!
//! Invariants: processors are sorted by number and named once; nodes count from 0 without gaps
//! (nodes without processors are left out); distances are symmetric, and least on the diagonal.

#[cfg(feature = "hwloc")]
mod hwloc;
mod placement;
mod sysfs;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use asr_base::{Error, Status};

pub use placement::{Placement, Victims};

/// A processor as the system schedules it: a hardware thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpu {
    /// The system's number, as in affinity masks.
    pub id: u32,
    /// The core; hardware threads of one core share it. Unique in the whole machine.
    pub core: u32,
    /// The memory node.
    pub node: u32,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    cpus: Vec<Cpu>,
    nodes: u32,
    /// Row by row.
    distance: Vec<u32>,
}

/// Distance of a node from itself, and what is assumed between two others, as firmware counts.
const NEAR: u32 = 10;
const FAR: u32 = 20;

impl Topology {
    /// This machine: from hwloc where it is built in, else from the files of the system, else one
    /// node with as many processors as the process may use.
    pub fn system() -> Topology {
        #[cfg(feature = "hwloc")]
        if let Ok(found) = Topology::hwloc() {
            return found;
        }
        Topology::sysfs(Path::new("/sys/devices/system")).unwrap_or_else(|_| {
            let cpus = std::thread::available_parallelism().map_or(1, usize::from);
            Topology::uniform(u32::try_from(cpus).unwrap_or(1))
        })
    }

    /// [`system`](Topology::system), read once.
    pub fn here() -> &'static Topology {
        static HERE: OnceLock<Topology> = OnceLock::new();
        HERE.get_or_init(Topology::system)
    }

    /// As hwloc sees the machine, or what `HWLOC_SYNTHETIC` describes.
    ///
    /// # Errors
    /// `IO` if the library finds no topology, `BAD_ARGUMENT` if what it finds contradicts itself.
    #[cfg(feature = "hwloc")]
    pub fn hwloc() -> Result<Topology, Error> {
        hwloc::read()
    }

    /// From the files below `root`, which is `/sys/devices/system` of a running system.
    ///
    /// # Errors
    /// `IO` if one cannot be read, `BAD_ARGUMENT` if it says nothing sensible; the message names
    /// the file.
    pub fn sysfs(root: &Path) -> Result<Topology, Error> {
        sysfs::read(root)
    }

    /// One node, each processor a core.
    pub fn uniform(cpus: u32) -> Topology {
        let cpus = (0..cpus.max(1)).map(|id| Cpu {
            id,
            core: id,
            node: 0,
        });
        Topology::of(cpus.collect(), None).expect("one node is consistent")
    }

    /// From a text: levels from the outside in, each with the number of parts in one part of the
    /// level before. `node:2 core:4 pu:2` has 16 processors; levels that are left out count 1.
    ///
    /// # Errors
    /// `BAD_ARGUMENT`, with the word that is wrong.
    pub fn synthetic(text: &str) -> Result<Topology, Error> {
        const LEVELS: [&str; 3] = ["node", "core", "pu"];
        let bad = |word: &str, why: &str| {
            let what = format!("topology `{text}`: `{word}` {why}; write `node:2 core:4 pu:2`");
            Error::new(Status::BAD_ARGUMENT, what)
        };
        let mut counts = [1u32; 3];
        let mut next = 0;
        for word in text.split_whitespace() {
            let (level, count) = word.split_once(':').ok_or(bad(word, "has no count"))?;
            let found = LEVELS.iter().position(|name| *name == level);
            let at = found.ok_or(bad(word, "names no level"))?;
            if at < next {
                return Err(bad(word, "comes too late"));
            }
            next = at + 1;
            let count = count
                .parse()
                .ok()
                .filter(|count| (1..=4096).contains(count));
            counts[at] = count.ok_or(bad(word, "needs a count from 1 to 4096"))?;
        }
        let [nodes, cores, threads] = counts;
        let cpus = u64::from(nodes) * u64::from(cores) * u64::from(threads);
        if cpus > 1 << 16 {
            return Err(bad(text, "has more than 65536 processors"));
        }
        let cpus = (0..nodes * cores * threads).map(|id| Cpu {
            id,
            core: id / threads,
            node: id / threads / cores,
        });
        Topology::of(cpus.collect(), None)
    }

    /// Brings what a source found into form. `distance` is row by row over the nodes as the source
    /// numbers them, in order.
    fn of(mut cpus: Vec<Cpu>, distance: Option<&dyn Fn(u32, u32) -> u32>) -> Result<Self, Error> {
        cpus.sort_unstable();
        let twice = cpus.windows(2).find(|two| two[0].id == two[1].id);
        if cpus.is_empty() || twice.is_some() {
            let what = twice.map_or("no processor".into(), |two| {
                format!("cpu{} twice", two[0].id)
            });
            return Err(Error::new(
                Status::BAD_ARGUMENT,
                format!("topology: {what}"),
            ));
        }
        let mut numbers = BTreeMap::new();
        for cpu in &cpus {
            numbers.insert(cpu.node, 0);
        }
        for (number, (_, entry)) in numbers.iter_mut().enumerate() {
            *entry = u32::try_from(number).unwrap_or(u32::MAX);
        }
        for cpu in &mut cpus {
            cpu.node = numbers[&cpu.node];
        }
        let named: Vec<u32> = numbers.keys().copied().collect();
        let mut distances = Vec::new();
        for (row, from) in named.iter().enumerate() {
            for (column, to) in named.iter().enumerate() {
                let assumed = if row == column { NEAR } else { FAR };
                let both = distance.map(|distance| (distance(*from, *to), distance(*to, *from)));
                // Firmware may tell nonsense: then what is usual.
                let told = both.filter(|(there, back)| there == back && *there >= NEAR);
                let told = told.filter(|(there, _)| (row == column) == (*there == NEAR));
                distances.push(told.map_or(assumed, |(there, _)| there));
            }
        }
        Ok(Topology {
            cpus,
            nodes: u32::try_from(named.len()).unwrap_or(u32::MAX),
            distance: distances,
        })
    }

    /// The processors, by number.
    pub fn cpus(&self) -> &[Cpu] {
        &self.cpus
    }

    /// How many nodes have processors.
    pub fn nodes(&self) -> u32 {
        self.nodes
    }

    /// How far two nodes are apart: 10 is near.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn distance(&self, from: u32, to: u32) -> u32 {
        assert!(
            from < self.nodes && to < self.nodes,
            "there is no such node"
        );
        self.distance[(from * self.nodes + to) as usize]
    }
}
