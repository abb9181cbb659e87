//! The probe check: letters a, b and c of rule ABI-30, proven from the module as it stands.
//!
//! It does not trust the placement: a cycle is accepted for the guard that stands on it or for a
//! bound on its iterations that follows from its own instructions.

use asr_intrinsics::Effect;

use super::calls::Calls;
use super::cfg::{Cfg, Way};
use super::cost::GAP_MAX;
use super::flow::{Facts, Loops, bare_cycles, entry_probes, runs};
use crate::air::{BlockId, FuncId, Module, Op, Place, VerifyError, code};
use crate::{ProbeMode, Rows};

/// Checks the probes of a verified module; what it finds is in the order of functions.
///
/// [`ProbeMode::Every`] allows none of the elisions of ABI-2; the other modes allow all.
pub fn check_probes(module: &Module, rows: &Rows, mode: ProbeMode) -> Vec<VerifyError> {
    let calls = Calls::of(module);
    let mut check = Check {
        module,
        rows,
        every: mode == ProbeMode::Every,
        facts: match mode {
            ProbeMode::Every => Facts::without_calls(module),
            _ => Facts::new(module, |_| false),
        },
        errors: Vec::new(),
    };
    for &func in &calls.bottom_up {
        check.function(func, &calls);
    }
    let mut errors = check.errors;
    errors.sort_by_key(|error| error.place.func());
    errors
}

struct Check<'m> {
    module: &'m Module,
    rows: &'m Rows,
    every: bool,
    facts: Facts,
    errors: Vec<VerifyError>,
}

impl Check<'_> {
    fn function(&mut self, id: FuncId, calls: &Calls) {
        let func = &self.module.funcs[id.index()];
        if func.blocks.is_empty() {
            return;
        }
        let stack_checked = func.blocks[0]
            .insts
            .iter()
            .take_while(|inst| !inst.op.is_call())
            .any(|inst| inst.op == Op::CheckStack);
        let unguarded = if (self.every || calls.needs_entry_probe(id)) && !entry_probes(func) {
            Some("the entry has no probe, though it may be called in a cycle or from elsewhere")
        } else if calls.needs_stack_check(id) && !stack_checked {
            Some("the entry does not check the stack, though the function may recurse")
        } else {
            None
        };
        if let Some(message) = unguarded {
            self.error(code::UNGUARDED_ENTRY, Place::Func(id), message.to_owned());
        }

        let cfg = Cfg::of(func);
        let mut loops = Loops::of(func, &cfg);
        if self.every {
            loops.bound.iter_mut().for_each(|bound| *bound = None);
            loops.times.iter_mut().for_each(|times| *times = 1);
        }
        let bare = bare_cycles(func, &cfg, &self.facts, &loops);
        for way in &bare {
            let message = "a cycle without a probe, and no bound on its iterations that rule \
                           ABI-2 allows; probe it";
            self.error(code::BARE_CYCLE, place(id, way), message.to_owned());
        }
        self.returns(id);
        if bare.is_empty() {
            self.paths(id, &cfg, &loops);
        }
    }

    /// A probe stands behind every call that may have blocked, and of foreign code.
    fn returns(&mut self, id: FuncId) {
        let func = &self.module.funcs[id.index()];
        for (b, block) in func.blocks.iter().enumerate() {
            for (n, inst) in block.insts.iter().enumerate() {
                let probed = block
                    .insts
                    .get(n + 1)
                    .is_some_and(|next| matches!(next.op, Op::Probe { .. }));
                if wants_return_probe(&inst.op, self.rows) && !probed {
                    let place = Place::Inst(id, BlockId::new(b), n);
                    let message = "no probe follows the return of a call that may have blocked";
                    self.error(code::UNGUARDED_RETURN, place, message.to_owned());
                }
            }
        }
    }

    /// Allocations and gaps.
    fn paths(&mut self, id: FuncId, cfg: &Cfg, loops: &Loops) {
        let func = &self.module.funcs[id.index()];
        let mut found = Vec::new();
        let mut over = false;
        let gap = runs(func, cfg, &self.facts, loops, |block, at, run| {
            let insts = &func.blocks[block.index()].insts;
            if run.gap > GAP_MAX && !std::mem::replace(&mut over, true) {
                let message = format!(
                    "{} machine instructions without a probe on a way to here; at most {GAP_MAX}",
                    run.gap
                );
                found.push((code::PROBE_GAP, block, at.min(insts.len()), message));
            }
            let Some(inst) = insts.get(at) else {
                return;
            };
            let bare = if self.every {
                let before = at.checked_sub(1).map(|n| &insts[n].op);
                !matches!(before, Some(Op::Probe { .. }))
            } else {
                run.clear.is_some()
            };
            if allocates(&inst.op, self.rows) && bare {
                let message = "an allocation that a path reaches without a probe; probe before it";
                found.push((code::UNGUARDED_ALLOCATION, block, at, message.to_owned()));
            }
        });
        self.facts.through[id.index()].gap = gap;
        for (code, block, at, message) in found {
            self.error(code, Place::Inst(id, block, at), message);
        }
    }

    fn error(&mut self, code: &'static str, place: Place, message: String) {
        let error = VerifyError::new(self.module, code, place, message);
        self.errors.push(error);
    }
}

fn place(func: FuncId, way: &Way) -> Place {
    Place::Inst(func, way.from, way.at)
}

/// Whether the instruction allocates from the program heap.
pub(super) fn allocates(op: &Op, rows: &Rows) -> bool {
    has(op, rows, Effect::Allocates)
}

/// Whether a probe must stand behind the instruction (rule ABI-1).
pub(super) fn wants_return_probe(op: &Op, rows: &Rows) -> bool {
    matches!(op, Op::CallExtern { .. }) || has(op, rows, Effect::Parks)
}

fn has(op: &Op, rows: &Rows, effect: Effect) -> bool {
    match op {
        Op::Intrinsic { row, .. } => rows.get(row).is_some_and(|row| row.has(effect)),
        _ => false,
    }
}
