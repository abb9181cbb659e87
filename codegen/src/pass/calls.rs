//! Who calls whom, and which entries need a guard.

use crate::air::{FuncId, Function, Linkage, Module, Op};

/// Facts about the call graph of a module.
pub(super) struct Calls {
    /// In a cycle of the call graph.
    pub(super) recursive: Vec<bool>,
    /// Called through its address, by this module or the runtime.
    pub(super) indirect: Vec<bool>,
    /// Exported: its callers are unknown.
    pub(super) exported: Vec<bool>,
    /// Callees before their callers, but for cycles.
    pub(super) bottom_up: Vec<FuncId>,
}

impl Calls {
    pub(super) fn of(module: &Module) -> Calls {
        let count = module.funcs.len();
        let mut indirect = vec![false; count];
        for func in crate::lower::address_taken(module) {
            indirect[func.index()] = true;
        }
        let targets: Vec<usize> = (0..count).filter(|&n| indirect[n]).collect();
        let callees: Vec<Vec<usize>> = module
            .funcs
            .iter()
            .map(|func| callees(func, &targets))
            .collect();
        let components = components(&callees);
        Calls {
            recursive: components.cyclic,
            indirect,
            exported: module
                .funcs
                .iter()
                .map(|func| func.linkage == Linkage::Export)
                .collect(),
            bottom_up: components.order,
        }
    }

    /// Whether the entry needs a probe (rule ABI-2: the elision is for functions outside every
    /// call-graph cycle that are only called directly; the callers of an export are unknown).
    pub(super) fn needs_entry_probe(&self, func: FuncId) -> bool {
        let n = func.index();
        self.recursive[n] || self.indirect[n] || self.exported[n]
    }

    /// Whether the entry needs the stack check of rule ABI-45.
    pub(super) fn needs_stack_check(&self, func: FuncId) -> bool {
        self.recursive[func.index()] || self.indirect[func.index()]
    }
}

/// The functions that this one may call; an indirect call may reach every one in `targets`.
fn callees(func: &Function, targets: &[usize]) -> Vec<usize> {
    let mut list = Vec::new();
    let mut any = false;
    for inst in func.blocks.iter().flat_map(|block| &block.insts) {
        match &inst.op {
            Op::Call { func, .. } | Op::Await { func, .. } => list.push(func.index()),
            Op::CallIndirect { .. } | Op::AwaitIndirect { .. } => any = true,
            _ => {}
        }
    }
    if any {
        list.extend_from_slice(targets);
    }
    list.sort_unstable();
    list.dedup();
    list
}

/// The strongly connected components of a call graph.
pub(crate) struct Components {
    /// Which functions lie on a cycle.
    pub(crate) cyclic: Vec<bool>,
    /// The number of each function's component.
    pub(crate) of: Vec<u32>,
    /// The functions, callees first but for cycles.
    pub(crate) order: Vec<FuncId>,
}

/// Tarjan's algorithm without recursion.
pub(crate) fn components(edges: &[Vec<usize>]) -> Components {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let mut index = vec![UNSEEN; count];
    let mut low = vec![0; count];
    let mut on_stack = vec![false; count];
    let (mut stack, mut order) = (Vec::new(), Vec::with_capacity(count));
    let mut cyclic = vec![false; count];
    let mut of = vec![0; count];
    let mut next = 0;
    // Nodes in progress, each with the number of its edges that were followed.
    let mut work: Vec<(usize, usize)> = Vec::new();
    for root in 0..count {
        if index[root] != UNSEEN {
            continue;
        }
        work.push((root, 0));
        while let Some(&mut (node, ref mut followed)) = work.last_mut() {
            if *followed == 0 && index[node] == UNSEEN {
                (index[node], low[node]) = (next, next);
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&to) = edges[node].get(*followed) {
                *followed += 1;
                if index[to] == UNSEEN {
                    work.push((to, 0));
                } else if on_stack[to] {
                    low[node] = low[node].min(index[to]);
                }
                continue;
            }
            work.pop();
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                let start = stack.iter().rposition(|&n| n == node).unwrap_or(0);
                let members = stack.split_off(start);
                let cycle = members.len() > 1 || edges[node].contains(&node);
                for member in members {
                    on_stack[member] = false;
                    cyclic[member] = cycle;
                    of[member] = node as u32;
                    order.push(FuncId::new(member));
                }
            }
        }
    }
    Components { cyclic, of, order }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_and_order_of_a_graph() {
        // 0 → 1 → 2 → 1, 2 → 3, 4 → 4
        let found = components(&[vec![1], vec![2], vec![1, 3], vec![], vec![4]]);
        assert_eq!(found.cyclic, [false, true, true, false, true]);
        assert_eq!(found.of[1], found.of[2]);
        let others = [0, 1, 3, 4].map(|n: usize| found.of[n]);
        assert!((1..4).all(|n| !others[..n].contains(&others[n])));
        let at = |n: u32| found.order.iter().position(|f| f.0 == n);
        assert!(at(3) < at(2) && at(3) < at(1) && at(1) < at(0) && at(2) < at(0));
    }
}
