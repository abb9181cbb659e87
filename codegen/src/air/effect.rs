//! What an instruction reads, writes, and how it may fail: one answer for all passes.

use super::entity::*;
use super::inst::*;
use super::module::Block;
use super::ops::*;
use super::types::Type;

impl Op {
    /// The locals that it assigns on its normal path; the second is the flag of an overflow op.
    pub fn dsts(&self) -> [Option<LocalId>; 2] {
        use Op::*;
        match *self {
            Copy { dst, .. }
            | Unary { dst, .. }
            | Binary { dst, .. }
            | Compare { dst, .. }
            | Convert { dst, .. }
            | Select { dst, .. }
            | Load { dst, .. }
            | GlobalGet { dst, .. }
            | DataAddr { dst, .. }
            | FuncAddr { dst, .. }
            | SlotAddr { dst, .. }
            | Chunk { dst, .. } => [Some(dst), None],
            Overflow { dst, flag, .. } => [Some(dst), Some(flag)],
            Call { dst, .. }
            | CallIndirect { dst, .. }
            | CallExtern { dst, .. }
            | Await { dst, .. }
            | AwaitIndirect { dst, .. }
            | Intrinsic { dst, .. } => [dst, None],
            Spawn { dst, .. } | SpawnIndirect { dst, .. } => [Some(dst), None],
            Store { .. }
            | GlobalSet { .. }
            | CheckBounds { .. }
            | CheckNull { .. }
            | Probe { .. }
            | CheckStack => [None, None],
        }
    }

    /// Calls `f` on each operand that it reads, in the order of the text form.
    pub fn for_each_operand(&self, mut f: impl FnMut(Operand)) {
        use Op::*;
        match self {
            Copy { src, .. } | Unary { src, .. } | Convert { src, .. } => f(*src),
            Binary { a, b, .. } | Overflow { a, b, .. } | Compare { a, b, .. } => {
                f(*a);
                f(*b);
            }
            Select { cond, a, b, .. } => {
                f(*cond);
                f(*a);
                f(*b);
            }
            Load { addr, .. } | CheckNull { addr } => f(*addr),
            Store { src, addr, .. } => {
                f(*src);
                f(*addr);
            }
            GlobalSet { src, .. } => f(*src),
            CheckBounds { index, len, .. } => {
                f(*index);
                f(*len);
            }
            Call { args, .. }
            | CallExtern { args, .. }
            | Await { args, .. }
            | Intrinsic { args, .. } => {
                args.iter().copied().for_each(f);
            }
            CallIndirect { callee, args, .. } | AwaitIndirect { callee, args, .. } => {
                f(*callee);
                args.iter().copied().for_each(f);
            }
            Spawn { region, args, .. } => {
                args.iter().chain(region).copied().for_each(f);
            }
            SpawnIndirect {
                region,
                callee,
                args,
                ..
            } => {
                f(*callee);
                args.iter().chain(region).copied().for_each(f);
            }
            Chunk { i, end, .. } => {
                f(*i);
                f(*end);
            }
            GlobalGet { .. }
            | DataAddr { .. }
            | FuncAddr { .. }
            | SlotAddr { .. }
            | Probe { .. }
            | CheckStack => {}
        }
    }

    /// Whether it may take its edge: a check that may fault, a probe, or a call.
    ///
    /// A division by an immediate counts only the faults that this divisor leaves possible. An
    /// intrinsic counts although its row may say that it never fails.
    pub fn may_fail(&self) -> bool {
        match self {
            Op::Binary { op, b, .. } => may_divide_by_zero(*op, *b) || may_overflow(*op, *b),
            Op::Convert { op, .. } => op.can_fault(),
            Op::CheckBounds { .. }
            | Op::CheckNull { .. }
            | Op::CheckStack
            | Op::Probe { .. }
            | Op::Call { .. }
            | Op::CallIndirect { .. }
            | Op::Await { .. }
            | Op::AwaitIndirect { .. }
            | Op::Spawn { .. }
            | Op::SpawnIndirect { .. }
            | Op::Intrinsic { .. } => true,
            _ => false,
        }
    }

    /// Whether it calls compiled or foreign code or the runtime.
    pub fn is_call(&self) -> bool {
        matches!(
            self,
            Op::Call { .. }
                | Op::CallIndirect { .. }
                | Op::CallExtern { .. }
                | Op::Await { .. }
                | Op::AwaitIndirect { .. }
                | Op::Spawn { .. }
                | Op::SpawnIndirect { .. }
                | Op::Intrinsic { .. }
        )
    }
}

/// Whether the division may find a divisor of zero.
pub(crate) fn may_divide_by_zero(op: BinOp, b: Operand) -> bool {
    op.can_fault() && !matches!(b, Operand::Imm(bits) if bits != 0)
}

/// Whether the division may find `MIN / -1`.
pub(crate) fn may_overflow(op: BinOp, b: Operand) -> bool {
    op == BinOp::SDiv && !matches!(b, Operand::Imm(bits) if bits != u64::MAX)
}

impl Edge {
    /// No edge: a failure leaves the function.
    pub const NONE: Edge = Edge {
        recover: None,
        cleanup: None,
    };

    /// Whether every failure leaves the function.
    pub fn is_none(&self) -> bool {
        self.recover.is_none() && self.cleanup.is_none()
    }

    /// The recovery and the cleanup block.
    pub fn targets(&self) -> impl Iterator<Item = BlockId> + use<> {
        let recover = self.recover.map(|(block, _)| block);
        recover
            .into_iter()
            .chain(self.cleanup.map(|(block, ..)| block))
    }
}

impl Term {
    /// Calls `f` on each operand that it reads.
    pub fn for_each_operand(&self, mut f: impl FnMut(Operand)) {
        match self {
            Term::Branch { cond: operand, .. }
            | Term::Switch { value: operand, .. }
            | Term::Return(Some(operand))
            | Term::Throw { value: operand, .. } => f(*operand),
            Term::Raise { value, status, .. } => {
                f(*value);
                f(*status);
            }
            Term::Jump(_) | Term::Return(None) | Term::Unreachable { .. } => {}
        }
    }

    /// Where its failure goes, if it may fail.
    pub fn edge(&self) -> Option<&Edge> {
        match self {
            Term::Throw { edge, .. } | Term::Raise { edge, .. } | Term::Unreachable { edge } => {
                Some(edge)
            }
            _ => None,
        }
    }

    /// Calls `f` on each block where it may go, targets of its edge included.
    pub fn for_each_target(&self, mut f: impl FnMut(BlockId)) {
        match self {
            Term::Jump(to) => f(*to),
            Term::Branch { then, or, .. } => {
                f(*then);
                f(*or);
            }
            Term::Switch { cases, default, .. } => {
                cases.iter().for_each(|&(_, to)| f(to));
                f(*default);
            }
            Term::Return(_) => {}
            Term::Throw { edge, .. } | Term::Raise { edge, .. } | Term::Unreachable { edge } => {
                edge.targets().for_each(f);
            }
        }
    }
}

impl Block {
    /// Calls `f` on each block where control may go from here, once per edge.
    pub fn for_each_successor(&self, mut f: impl FnMut(BlockId)) {
        for inst in &self.insts {
            inst.edge.targets().for_each(&mut f);
        }
        self.term.for_each_target(f);
    }
}

/// The bits that a value of each type has.
const MASKS: [u64; Type::ALL.len()] = {
    let mut masks = [u64::MAX; Type::ALL.len()];
    let mut n = 0;
    while n < masks.len() {
        let ty = Type::ALL[n];
        assert!(
            ty as usize == n,
            "`Type::ALL` is in the order of the variants"
        );
        masks[n] = match ty {
            Type::Bool => 1,
            ty => u64::MAX >> (64 - 8 * ty.size()),
        };
        n += 1;
    }
    masks
};

impl Type {
    /// The bits of this immediate as every engine holds a value of this type: low bits only, the
    /// rest zero.
    #[inline]
    pub const fn canonical(self, bits: u64) -> u64 {
        bits & MASKS[self as usize]
    }

    /// The bits as [`Operand::Imm`] has them: integers sign-extended, the rest canonical.
    pub const fn immediate(self, bits: u64) -> u64 {
        match self {
            Type::I8 => bits as i8 as i64 as u64,
            Type::I16 => bits as i16 as i64 as u64,
            Type::I32 => bits as i32 as i64 as u64,
            Type::Bool => bits & 1,
            _ => self.canonical(bits),
        }
    }
}
