//! Bounds of a plan: a graph of stages whose edges cost. One pass in topological order gives the
//! cheapest and the costliest path from a root to each node, and the costliest path that remains
//! from each node to a leaf (VAL-23, VAL-24).
//!
//! A root is a node without an edge into it, a leaf one without an edge out of it.

use crate::error::{Error, Status};
use crate::time::Time;
use crate::tropical::{MaxPlus, MinPlus};

/// A graph of stages.
///
/// ```
/// use asr_base::{Dag, Time};
///
/// let mut plan = Dag::new(4);
/// for (from, to, cost) in [(0, 1, 5), (0, 2, 1), (1, 3, 1), (2, 3, 1)] {
///     plan.edge(from, to, cost)?;
/// }
/// let bounds = plan.bounds()?;
/// assert_eq!(bounds.cheapest(3).get(), 2);
/// assert_eq!(bounds.costliest(3).get(), Some(6));
/// let (deadline, now) = (Time::from_nanos(10), Time::from_nanos(7));
/// assert_eq!(bounds.slack(0, deadline, now), -3);
/// # Ok::<(), asr_base::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dag {
    nodes: usize,
    /// From, to, cost.
    edges: Vec<(usize, usize, u64)>,
}

/// What one pass over a graph gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounds {
    cheapest: Vec<MinPlus>,
    costliest: Vec<MaxPlus>,
    remaining: Vec<MaxPlus>,
}

impl Dag {
    /// So many nodes without an edge, numbered from 0.
    pub const fn new(nodes: usize) -> Dag {
        Dag {
            nodes,
            edges: Vec::new(),
        }
    }

    /// Adds an edge. Two nodes may have several.
    ///
    /// # Errors
    /// `BAD_ARGUMENT` when a node does not exist, `CYCLE` when the two are one.
    pub fn edge(&mut self, from: usize, to: usize, cost: u64) -> Result<(), Error> {
        if let Some(node) = [from, to].into_iter().find(|node| *node >= self.nodes) {
            let nodes = self.nodes;
            let message = format!("node {node} of a graph with {nodes} nodes");
            return Err(Error::new(Status::BAD_ARGUMENT, message).permanent());
        }
        if from == to {
            return Err(cycle(from));
        }
        self.edges.push((from, to, cost));
        Ok(())
    }

    /// The bounds of all nodes, in time linear in nodes and edges.
    ///
    /// # Errors
    /// `CYCLE`, naming a node on one.
    pub fn bounds(&self) -> Result<Bounds, Error> {
        let out = Adjacency::new(self);
        let order = self.topological(&out)?;
        let mut bounds = Bounds {
            cheapest: vec![MinPlus::ZERO; self.nodes],
            costliest: vec![MaxPlus::ZERO; self.nodes],
            remaining: vec![MaxPlus::ONE; self.nodes],
        };
        let mut root = vec![true; self.nodes];
        self.edges.iter().for_each(|&(_, to, _)| root[to] = false);
        for &node in &order {
            if root[node] {
                (bounds.cheapest[node], bounds.costliest[node]) = (MinPlus::ONE, MaxPlus::ONE);
            }
            let (cheapest, costliest) = (bounds.cheapest[node], bounds.costliest[node]);
            for (to, cost) in out.of(self, node) {
                let through = cheapest.then(MinPlus::new(cost));
                bounds.cheapest[to] = bounds.cheapest[to].or(through);
                let through = costliest.then(MaxPlus::new(cost));
                bounds.costliest[to] = bounds.costliest[to].or(through);
            }
        }
        for &node in order.iter().rev() {
            for (to, cost) in out.of(self, node) {
                let through = MaxPlus::new(cost).then(bounds.remaining[to]);
                bounds.remaining[node] = bounds.remaining[node].or(through);
            }
        }
        Ok(bounds)
    }

    /// Nodes, each after all it depends on.
    fn topological(&self, out: &Adjacency) -> Result<Vec<usize>, Error> {
        let mut incoming = vec![0_usize; self.nodes];
        self.edges.iter().for_each(|&(_, to, _)| incoming[to] += 1);
        let mut order: Vec<usize> = (0..self.nodes)
            .filter(|&node| incoming[node] == 0)
            .collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for (to, _) in out.of(self, node) {
                incoming[to] -= 1;
                if incoming[to] == 0 {
                    order.push(to);
                }
            }
        }
        if order.len() == self.nodes {
            return Ok(order);
        }
        Err(cycle(self.on_a_cycle(&incoming)))
    }

    /// A node on a cycle. Nodes that the order did not reach have a predecessor of the same kind,
    /// so walking back among them for as many steps as there are nodes ends on a cycle.
    fn on_a_cycle(&self, incoming: &[usize]) -> usize {
        let mut before = vec![None; self.nodes];
        for &(from, to, _) in &self.edges {
            if incoming[from] > 0 {
                before[to] = Some(from);
            }
        }
        let mut node = incoming.iter().position(|&count| count > 0).unwrap_or(0);
        for _ in 0..self.nodes {
            node = before[node].unwrap_or(node);
        }
        node
    }
}

fn cycle(node: usize) -> Error {
    Error::new(Status::CYCLE, format!("node {node} would wait for itself")).permanent()
}

/// Edges by the node they leave: those of node `n` are `edges[start[n]..start[n + 1]]`.
struct Adjacency {
    start: Vec<usize>,
    edges: Vec<usize>,
}

impl Adjacency {
    fn new(dag: &Dag) -> Adjacency {
        let mut start = vec![0; dag.nodes + 1];
        dag.edges
            .iter()
            .for_each(|&(from, _, _)| start[from + 1] += 1);
        for node in 0..dag.nodes {
            start[node + 1] += start[node];
        }
        let mut next = start.clone();
        let mut edges = vec![0; dag.edges.len()];
        for (edge, &(from, _, _)) in dag.edges.iter().enumerate() {
            edges[next[from]] = edge;
            next[from] += 1;
        }
        Adjacency { start, edges }
    }

    fn of<'a>(&'a self, dag: &'a Dag, node: usize) -> impl Iterator<Item = (usize, u64)> + 'a {
        self.edges[self.start[node]..self.start[node + 1]]
            .iter()
            .map(|&edge| {
                let (_, to, cost) = dag.edges[edge];
                (to, cost)
            })
    }
}

impl Bounds {
    /// The cost of the cheapest path from a root; infinite for a node that is not there.
    pub fn cheapest(&self, node: usize) -> MinPlus {
        self.cheapest.get(node).copied().unwrap_or(MinPlus::ZERO)
    }

    /// The cost of the costliest path from a root; −∞ for a node that is not there.
    pub fn costliest(&self, node: usize) -> MaxPlus {
        self.costliest.get(node).copied().unwrap_or(MaxPlus::ZERO)
    }

    /// The cost of the costliest path to a leaf; −∞ for a node that is not there.
    pub fn remaining(&self, node: usize) -> MaxPlus {
        self.remaining.get(node).copied().unwrap_or(MaxPlus::ZERO)
    }

    /// The cost of the critical path of the whole plan; −∞ for a plan without a node.
    pub fn critical(&self) -> MaxPlus {
        self.costliest.iter().fold(MaxPlus::ZERO, |a, b| a.or(*b))
    }

    /// Nanoseconds that a node may lose before the plan misses the deadline, when costs are
    /// nanoseconds: deadline − (now + remaining). Negative when it is lost already. It saturates,
    /// and a plan without a deadline has all the slack there is.
    pub fn slack(&self, node: usize, deadline: Time, now: Time) -> i64 {
        let Some(remaining) = self.remaining(node).get() else {
            return i64::MAX;
        };
        if deadline.is_never() {
            return i64::MAX;
        }
        let end = i128::from(now.as_nanos()) + i128::from(remaining);
        let slack = i128::from(deadline.as_nanos()) - end;
        slack.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}
