//! Who waits for whom (LAB-14).
//!
//! A task waits for what it named in its last poll: a task it joins, a region it closes or lies in
//! a scope of. A region waits for the tasks that live in it. A cycle among these edges is why
//! nobody runs; a task without an edge waits for something that no part of the runtime knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use asr_base::{RegionId, TaskId};
use asr_trace::Resource;

use crate::failure::LiveTask;

/// A task or a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// A live task.
    Task(TaskId),
    /// A region that is not closed.
    Region(RegionId),
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Task(task) => task.fmt(f),
            Node::Region(region) => region.fmt(f),
        }
    }
}

/// The first waits for the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge(pub Node, pub Node);

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waits for {}", self.0, self.1)
    }
}

/// The wait-for graph of a run that stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Its edges, in order.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The graph of these tasks.
    pub(crate) fn of(live: &[LiveTask]) -> Graph {
        let mut edges = BTreeSet::new();
        for task in live {
            for resource in &task.waits_for {
                let target = match *resource {
                    Resource::Task(other) => Node::Task(other),
                    Resource::Region(region) => Node::Region(region),
                    _ => continue,
                };
                edges.insert(Edge(Node::Task(task.id), target));
            }
        }
        let awaited: BTreeSet<Node> = edges.iter().map(|edge| edge.1).collect();
        for task in live {
            let region = Node::Region(task.region);
            if awaited.contains(&region) {
                edges.insert(Edge(region, Node::Task(task.id)));
            }
        }
        Graph {
            edges: edges.into_iter().collect(),
        }
    }

    /// The tasks of a cycle, the least first, if there is one.
    pub fn cycle(&self) -> Option<Vec<TaskId>> {
        let mut after: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
        for &Edge(from, to) in &self.edges {
            after.entry(from).or_default().push(to);
        }
        let mut seen = BTreeSet::new();
        for &start in after.keys() {
            let mut path = vec![(start, 0)];
            while let Some((node, next)) = path.last_mut() {
                let targets = after.get(node).map_or(&[][..], Vec::as_slice);
                let Some(&target) = targets.get(*next) else {
                    seen.insert(*node);
                    path.pop();
                    continue;
                };
                *next += 1;
                if let Some(at) = path.iter().position(|step| step.0 == target) {
                    return Some(tasks_of(&path[at..]));
                }
                if !seen.contains(&target) {
                    path.push((target, 0));
                }
            }
        }
        None
    }
}

fn tasks_of(path: &[(Node, usize)]) -> Vec<TaskId> {
    let task = |step: &(Node, usize)| match step.0 {
        Node::Task(task) => Some(task),
        Node::Region(_) => None,
    };
    let mut tasks: Vec<TaskId> = path.iter().filter_map(task).collect();
    let least = (0..tasks.len()).min_by_key(|&at| tasks[at]).unwrap_or(0);
    tasks.rotate_left(least);
    tasks
}
