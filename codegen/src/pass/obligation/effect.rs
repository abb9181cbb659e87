//! What an instruction does with handles and blocks, read from the table's rows and from the types
//! of signatures: the summary by which a callee enters the flow of handles.

use asr_intrinsics::{Effect, Row, Ty};

use crate::Rows;
use crate::air::{Function, LocalId, Module, Op, Operand, Type};

/// A block of rule ABI-19, opened by one intrinsic and closed by another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum BlockKind {
    Intent,
    Mask,
    Commit,
}

impl BlockKind {
    /// With its article, for messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            BlockKind::Intent => "an intent",
            BlockKind::Mask => "a mask",
            BlockKind::Commit => "a commit section",
        }
    }

    /// The effect of a row that closes it.
    pub(crate) const fn closer(self) -> Effect {
        match self {
            BlockKind::Intent => Effect::ClosesIntent,
            BlockKind::Mask => Effect::ClosesMask,
            BlockKind::Commit => Effect::ClosesCommit,
        }
    }
}

/// The block that a row opens, and the one that it closes.
pub(crate) fn blocks_of(row: &Row) -> (Option<BlockKind>, Option<BlockKind>) {
    let (mut opens, mut closes) = (None, None);
    for effect in row.does {
        match effect {
            Effect::OpensIntent => opens = Some(BlockKind::Intent),
            Effect::OpensMask => opens = Some(BlockKind::Mask),
            Effect::OpensCommit => opens = Some(BlockKind::Commit),
            Effect::ClosesIntent => closes = Some(BlockKind::Intent),
            Effect::ClosesMask => closes = Some(BlockKind::Mask),
            Effect::ClosesCommit => closes = Some(BlockKind::Commit),
            _ => {}
        }
    }
    (opens, closes)
}

/// How an instruction may fail, for the question which edges it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    Never,
    /// With something else than CANCELLED: a recovery edge takes it too.
    Faults,
    /// Also with CANCELLED: only a cleanup edge takes it.
    Cancels,
}

/// How an instruction may fail.
pub(crate) fn failure(op: &Op, rows: &Rows) -> Failure {
    match op {
        Op::Intrinsic { row, .. } => match rows.get(row) {
            Some(row) if !row.can_fail() => Failure::Never,
            Some(row) if row.fails.contains(&"CANCELLED") => Failure::Cancels,
            // Code of the user ends as it likes.
            Some(row) if row.has(Effect::UserCode) => Failure::Cancels,
            _ => Failure::Faults,
        },
        Op::Call { .. }
        | Op::CallIndirect { .. }
        | Op::Await { .. }
        | Op::AwaitIndirect { .. }
        | Op::Probe { .. } => Failure::Cancels,
        op if op.may_fail() => Failure::Faults,
        _ => Failure::Never,
    }
}

/// What happens to a handle that an instruction reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    /// It is used up, whatever the outcome.
    Takes,
    /// It is held as before.
    Lends,
}

/// Calls `f` on each local of a handle type that the instruction reads, in order.
pub(crate) fn uses(func: &Function, op: &Op, rows: &Rows, mut f: impl FnMut(LocalId, Use)) {
    let mut operand = |operand: Operand, how: Use| {
        if let Operand::Local(local) = operand
            && is_handle(func, local)
        {
            f(local, how);
        }
    };
    match op {
        Op::Intrinsic { row, args, .. } => {
            let params = rows.get(row).map_or(&[][..], |row| row.params);
            for (&arg, param) in args.iter().zip(params) {
                match param.ty {
                    Ty::Own(_) => operand(arg, Use::Takes),
                    Ty::Lent(_) => operand(arg, Use::Lends),
                    _ => {}
                }
            }
        }
        Op::Spawn { region, .. } | Op::SpawnIndirect { region, .. } => {
            if let Some(region) = region {
                operand(*region, Use::Lends);
            }
        }
        Op::Copy { .. }
        | Op::Call { .. }
        | Op::CallIndirect { .. }
        | Op::Await { .. }
        | Op::AwaitIndirect { .. } => op.for_each_operand(|o| operand(o, Use::Takes)),
        // The types of all others allow no handle.
        _ => {}
    }
}

/// The handle that the instruction makes: its type, and the local that holds it from then on.
pub(crate) fn gives(
    module: &Module,
    func: &Function,
    op: &Op,
    rows: &Rows,
) -> Option<(Type, Option<LocalId>)> {
    let dst = op.dsts()[0];
    let ty = match op {
        Op::Call { func, .. } | Op::Await { func, .. } => module.funcs[func.index()].ret,
        Op::CallIndirect { sig, .. } | Op::AwaitIndirect { sig, .. } => {
            module.sigs[sig.index()].ret
        }
        Op::Intrinsic { row, .. } => rows.get(row).and_then(|row| Type::of_row(row.result)),
        _ => dst.map(|dst| func.locals[dst.index()].ty),
    };
    let ty = ty.filter(|ty| ty.handle().is_some())?;
    Some((ty, dst))
}

/// Whether a local holds handles.
pub(crate) fn is_handle(func: &Function, local: LocalId) -> bool {
    func.locals[local.index()].ty.handle().is_some()
}
