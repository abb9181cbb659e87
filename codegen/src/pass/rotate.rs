//! Rotation: a loop that tests at its top, with a probe per iteration, tests at its bottom.
//!
//! ```text
//! guard:  S; branch c, body, exit           the old header, entered from outside
//! body:   ...                               its ways back go to `bottom`
//! bottom: probe; S; branch c, body, exit    a copy of the header
//! ```
//!
//! That saves the jump back to the top, about a third of what the probe costs. The header is
//! copied, so only a small one without calls is worth it.

use super::cfg::{Cfg, Loop};
use super::cost;
use super::strip::{add, retarget};
use crate::air::{BlockId, Function, Inst, Op, Term};

/// Machine instructions of the largest header that is copied.
const HEADER_MAX: u64 = 16;

/// Where the header goes on in the loop, if the loop can be rotated.
pub(super) fn stays(func: &Function, this: &Loop) -> Option<BlockId> {
    let header = &func.blocks[this.header.index()];
    let Term::Branch { then, or, .. } = header.term else {
        return None;
    };
    let stay = match (this.contains(then), this.contains(or)) {
        (true, false) => then,
        (false, true) => or,
        _ => return None,
    };
    let plain = |inst: &Inst| {
        !inst.op.is_call() && !matches!(inst.op, Op::Probe { .. }) && inst.edge.is_none()
    };
    let small = cost::of_block(func, this.header) <= HEADER_MAX;
    (small && stay != this.header && header.insts.iter().all(plain)).then_some(stay)
}

/// Rotates the loop and puts the probe at its bottom; gives its new header.
pub(super) fn rotate(
    func: &mut Function,
    cfg: &Cfg,
    this: &Loop,
    stay: BlockId,
    probe: Inst,
) -> BlockId {
    let old = func.blocks.len();
    let (bottom, landing) = (BlockId::new(old), BlockId::new(old + 1));
    let shared = cfg.into[stay.index()].len() > 1;
    let body = if shared { landing } else { stay };
    for id in this.blocks() {
        retarget(&mut func.blocks[id.index()], this.header, bottom);
    }
    let header = &mut func.blocks[this.header.index()];
    if shared {
        retarget(header, stay, landing);
    }
    let (term, loc, cold) = (header.term.clone(), header.term_loc, header.cold);
    let insts = [probe].into_iter().chain(header.insts.iter().cloned());
    let insts = insts.collect();
    add(func, "bottom", cold, insts, term, loc);
    if shared {
        add(func, "body", cold, Vec::new(), Term::Jump(stay), loc);
    }
    body
}
