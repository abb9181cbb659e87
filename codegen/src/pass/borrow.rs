//! Addresses that hold until the next probe (letter k of rule ABI-30).
//!
//! A row that `Borrows` gives the raw address behind a handle of a region's heap. Behind a probe,
//! a call, or a wait, the region may have closed and the address be of nothing. So a forward flow
//! tells at each place which locals may hold such an address from before; a use of one is an
//! error. A local is one bit of at most 64 in a function, so each block is followed at most 65
//! times, and the time is linear.

use std::collections::VecDeque;

use asr_intrinsics::Effect;

use crate::Rows;
use crate::air::{
    BlockId, FuncId, Function, LocalId, Module, Op, Operand, Place, Term, VerifyError, code,
};

/// Most locals that may hold borrowed addresses.
const LOCALS_MAX: usize = 64;

/// Checks a module whose probes are placed; what it finds is in the order of the text.
pub fn check_borrows(module: &Module, rows: &Rows) -> Vec<VerifyError> {
    let mut errors = Vec::new();
    for (n, func) in module.funcs.iter().enumerate() {
        let id = FuncId::new(n);
        let mut error = |place: Place, message: &str| {
            errors.push(VerifyError::new(module, code::ADDRESS_KEPT, place, message));
        };
        let Some(borrowed) = Borrowed::of(func, rows) else {
            continue;
        };
        if borrowed.count > LOCALS_MAX {
            let message = "more than 64 locals may hold addresses behind handles; use fewer";
            error(Place::Func(id), message);
            continue;
        }
        for (block, at) in borrowed.kept(func, rows) {
            let message = "this address was taken from a handle before a probe or a call, and may \
                           be of nothing now; take it anew";
            error(Place::Inst(id, block, at), message);
        }
    }
    errors
}

/// The locals that may hold addresses behind handles, each with its bit.
struct Borrowed {
    bits: Vec<Option<u32>>,
    count: usize,
}

impl Borrowed {
    /// `None` if nothing is borrowed.
    fn of(func: &Function, rows: &Rows) -> Option<Borrowed> {
        let insts = || func.blocks.iter().flat_map(|block| &block.insts);
        let first = insts().filter(|inst| borrows(&inst.op, rows));
        let mut work: Vec<LocalId> = first.filter_map(|inst| inst.op.dsts()[0]).collect();
        if work.is_empty() {
            return None;
        }
        let mut into = vec![Vec::new(); func.locals.len()];
        for inst in insts().filter(|inst| carries(&inst.op)) {
            inst.op.for_each_operand(|operand| {
                if let (Operand::Local(from), Some(dst)) = (operand, inst.op.dsts()[0]) {
                    into[from.index()].push(dst);
                }
            });
        }
        let (mut bits, mut count) = (vec![None; func.locals.len()], 0);
        while let Some(local) = work.pop() {
            if bits[local.index()].is_none() {
                bits[local.index()] = Some(count);
                count += 1;
                work.append(&mut into[local.index()]);
            }
        }
        Some(Borrowed {
            bits,
            count: count as usize,
        })
    }

    fn bit(&self, local: LocalId) -> u64 {
        self.bits[local.index()].map_or(0, |bit| 1 << bit)
    }

    fn reads(&self, operand: Operand) -> u64 {
        match operand {
            Operand::Local(local) => self.bit(local),
            Operand::Imm(_) => 0,
        }
    }

    /// Where a local is used that may hold an address from before a probe.
    fn kept(&self, func: &Function, rows: &Rows) -> Vec<(BlockId, usize)> {
        let mut stale: Vec<Option<u64>> = vec![None; func.blocks.len()];
        stale[0] = Some(0);
        let mut work = VecDeque::from([BlockId(0)]);
        while let Some(block) = work.pop_front() {
            let start = stale_at(&stale, block);
            let enter = |to: BlockId, now: u64| {
                let start = &mut stale[to.index()];
                let joined = start.unwrap_or(0) | now;
                if start.replace(joined) != Some(joined) {
                    work.push_back(to);
                }
            };
            self.follow(func, rows, block, start, enter, |_| {});
        }
        let mut found = Vec::new();
        for n in 0..func.blocks.len() {
            let block = BlockId::new(n);
            let start = stale_at(&stale, block);
            self.follow(
                func,
                rows,
                block,
                start,
                |_, _| {},
                |at| found.push((block, at)),
            );
        }
        found
    }

    fn follow(
        &self,
        func: &Function,
        rows: &Rows,
        block: BlockId,
        mut stale: u64,
        mut enter: impl FnMut(BlockId, u64),
        mut used: impl FnMut(usize),
    ) {
        let all = u64::MAX >> (LOCALS_MAX - self.count);
        let body = &func.blocks[block.index()];
        for (at, inst) in body.insts.iter().enumerate() {
            let mut read = 0;
            inst.op
                .for_each_operand(|operand| read |= self.reads(operand));
            if read & stale != 0 {
                used(at);
            }
            let was = stale;
            if probes(&inst.op, rows) {
                stale = all;
            }
            inst.edge.targets().for_each(|to| enter(to, stale));
            for dst in inst.op.dsts().into_iter().flatten() {
                let old = carries(&inst.op) && read & was != 0;
                stale = match old {
                    true => stale | self.bit(dst),
                    false => stale & !self.bit(dst),
                };
            }
        }
        let mut read = 0;
        match &body.term {
            Term::Return(Some(value)) | Term::Throw { value, .. } => read = self.reads(*value),
            _ => {}
        }
        if read & stale != 0 {
            used(body.insts.len());
        }
        body.term.for_each_target(|to| enter(to, stale));
    }
}

fn stale_at(stale: &[Option<u64>], block: BlockId) -> u64 {
    stale[block.index()].unwrap_or(0)
}

fn borrows(op: &Op, rows: &Rows) -> bool {
    match op {
        Op::Intrinsic { row, .. } => rows.get(row).is_some_and(|row| row.has(Effect::Borrows)),
        _ => false,
    }
}

/// Whether the result may be the address in an operand, or near it.
fn carries(op: &Op) -> bool {
    matches!(
        op,
        Op::Copy { .. } | Op::Select { .. } | Op::Convert { .. } | Op::Binary { .. }
    )
}

/// Whether other code, or a probe, may run in it. Rows that neither wait nor park do not.
fn probes(op: &Op, rows: &Rows) -> bool {
    match op {
        Op::Probe { .. } => true,
        Op::Intrinsic { row, .. } => rows
            .get(row)
            .is_none_or(|row| row.waits() || row.has(Effect::Parks) || row.has(Effect::UserCode)),
        Op::Spawn { .. } | Op::SpawnIndirect { .. } => false,
        op => op.is_call(),
    }
}
