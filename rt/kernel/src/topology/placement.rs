//! Workers on processors, and the order in which a worker looks for work at the others.

use super::Topology;

/// Where the workers of a runtime are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Node of each worker.
    nodes: Vec<u32>,
    /// Processor of each worker.
    cpus: Vec<u32>,
    /// For each node all workers, in groups of equal distance from it, the nearest group first.
    groups: Vec<Vec<Vec<usize>>>,
}

impl Placement {
    /// Spreads workers: first over cores, node by node in turn, then over the other hardware
    /// threads; with more workers than processors it begins anew.
    pub fn new(topology: &Topology, workers: usize) -> Placement {
        let mut order = Vec::new();
        let mut of_core = std::collections::BTreeMap::new();
        let mut of_node = std::collections::BTreeMap::new();
        for cpu in topology.cpus() {
            let thread = of_core.entry(cpu.core).or_insert(0u32);
            let turn = of_node.entry((cpu.node, *thread)).or_insert(0u32);
            order.push((*thread, *turn, cpu.node, cpu.id));
            *thread += 1;
            *turn += 1;
        }
        order.sort_unstable();
        let places = (0..workers).map(|worker| order[worker % order.len()]);
        let (nodes, cpus): (Vec<u32>, Vec<u32>) =
            places.map(|(_, _, node, cpu)| (node, cpu)).unzip();
        let all = 0..topology.nodes();
        let groups = all.map(|from| groups(topology, &nodes, from)).collect();
        Placement {
            nodes,
            cpus,
            groups,
        }
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.nodes.len()
    }

    /// The node of a worker.
    pub fn node(&self, worker: usize) -> u32 {
        self.nodes[worker]
    }

    /// The processor of a worker.
    pub fn cpu(&self, worker: usize) -> u32 {
        self.cpus[worker]
    }

    /// The other workers in the order in which `worker` tries them: those of its own node, then
    /// node by node as the distance grows, and among equals beginning at `turn`, which the worker
    /// counts itself (SCH-18).
    pub fn victims(&self, worker: usize, turn: usize) -> Victims<'_> {
        Victims {
            worker,
            groups: &self.groups[self.nodes[worker] as usize],
            group: 0,
            turn,
            taken: 0,
        }
    }
}

fn groups(topology: &Topology, nodes: &[u32], from: u32) -> Vec<Vec<usize>> {
    let distance = |worker: &usize| topology.distance(from, nodes[*worker]);
    let mut workers: Vec<usize> = (0..nodes.len()).collect();
    // Stable: equal distances keep the order of numbers. The node itself is nearest.
    workers.sort_by_key(distance);
    let alike = |a: &usize, b: &usize| distance(a) == distance(b);
    workers.chunk_by(alike).map(<[usize]>::to_vec).collect()
}

/// See [`Placement::victims`].
#[derive(Clone, Debug)]
pub struct Victims<'p> {
    worker: usize,
    groups: &'p [Vec<usize>],
    group: usize,
    turn: usize,
    taken: usize,
}

impl Iterator for Victims<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        loop {
            let group = self.groups.get(self.group)?;
            if self.taken == group.len() {
                (self.group, self.taken) = (self.group + 1, 0);
                continue;
            }
            let at = (self.turn + self.taken) % group.len();
            self.taken += 1;
            if group[at] != self.worker {
                return Some(group[at]);
            }
        }
    }
}
