//! Sites: the numbered places where something may fail.
//!
//! Invariants
//! 1. The numbering depends on the module alone (functions, blocks, instructions in order), so the
//!    evaluator and the lowering agree without talking.
//! 2. An index starts at 1; `unit << 32 | index` is the site id, 0 means "no site".
//! 3. An instruction has one site per way in which it may fail ([`kinds_of`]), adjacent and in
//!    the order of the checks: a signed division checks for zero, then for overflow.
//!
//! Who calls the runtime's `trace` for a site that failed: see [`SiteKind::traces`].

use super::effect::{may_divide_by_zero, may_overflow};
use super::entity::*;
use super::inst::*;
use super::loc::Loc;
use super::module::Module;

/// Codes of the faults of the language, anomalies of class 01.
pub mod fault {
    /// Division or remainder by zero.
    pub const DIVISION: u32 = 0x0100_0001;
    /// A float that does not fit the integer type.
    pub const CONVERSION: u32 = 0x0100_0002;
    /// Index not below the length.
    pub const BOUNDS: u32 = 0x0100_0003;
    /// Null address.
    pub const NULL: u32 = 0x0100_0004;
    /// `unreachable` was reached.
    pub const UNREACHABLE: u32 = 0x0100_0005;
    /// The stack is nearly used up.
    pub const RECURSION: u32 = 0x0100_0006;
    /// The quotient does not fit: `MIN / -1`.
    pub const OVERFLOW: u32 = 0x0100_0007;
}

/// How a site may fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SiteKind {
    /// A check of the language; the runtime's `fault` is called with this code.
    Fault(u32),
    /// A probe.
    Probe(ProbeKind),
    /// A call of compiled code, direct or indirect, awaited and spawned ones too.
    Call,
    /// A call of the runtime.
    Intrinsic,
    /// `throw`.
    Throw,
    /// `raise`: goes on with a failure that has its site already.
    Raise,
}

impl SiteKind {
    /// The fault code in the site's record; 0 where there is none.
    pub const fn fault_code(self) -> u32 {
        match self {
            SiteKind::Fault(code) => code,
            _ => 0,
        }
    }

    /// Whether its failure (any status of 2 or more) calls the runtime's `trace(site)` once,
    /// before it takes its edge or leaves the function.
    ///
    /// Calls and `throw` do. A fault does not: its word names the site. A cancelled probe does
    /// not: nothing went wrong there. `raise` does not: its failure was noted where it began.
    pub const fn traces(self) -> bool {
        matches!(self, SiteKind::Call | SiteKind::Intrinsic | SiteKind::Throw)
    }
}

/// One site of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SiteInfo {
    /// The function; its display name goes into the record.
    pub func: FuncId,
    /// The block.
    pub block: BlockId,
    /// Index of the instruction in its block; the number of instructions for the terminator.
    pub inst: u32,
    /// How it may fail.
    pub kind: SiteKind,
    /// File, line, column.
    pub loc: Loc,
}

/// All sites of a module, in order: the element `i` has the index `i + 1`.
pub fn sites(module: &Module) -> Vec<SiteInfo> {
    let mut list = Vec::new();
    for (f, func) in module.funcs.iter().enumerate() {
        for (b, block) in func.blocks.iter().enumerate() {
            let mut add = |inst: usize, kinds: Kinds, loc| {
                list.extend(kinds.into_iter().flatten().map(|kind| SiteInfo {
                    func: FuncId::new(f),
                    block: BlockId::new(b),
                    inst: inst as u32,
                    kind,
                    loc,
                }));
            };
            for (i, inst) in block.insts.iter().enumerate() {
                add(i, kinds_of(&inst.op), inst.loc);
            }
            add(
                block.insts.len(),
                kinds_of_term(&block.term),
                block.term_loc,
            );
        }
    }
    list
}

/// The site id of an index (from 1) in a unit.
pub const fn site_id(unit: u16, index: u32) -> u64 {
    (unit as u64) << 32 | index as u64
}

/// What a recovery block binds (rule ABI-27): the exception itself for `THREW`; for any other
/// status, whose value is merely what was handed back, a word made here: `0xFFFD` and the status.
///
/// The lowering emits the same: `select(status == 2, value, status | 0xFFFD << 48)`.
pub const fn exception_word(value: u64, status: u64) -> u64 {
    if status == 2 {
        value
    } else {
        0xFFFD << 48 | status & 0xffff_ffff
    }
}

/// The status with which `raise` goes on: what it is given, if that is a failure that all places
/// tell apart (2 to 255, rule VAL-33), else THREW. The lowering emits the same.
pub const fn raised_status(status: u64) -> u64 {
    if status.wrapping_sub(2) < 254 {
        status
    } else {
        2
    }
}

/// The ways in which an instruction may fail, in the order of its checks.
pub type Kinds = [Option<SiteKind>; 2];

/// The sites of an instruction; a pass that walks a module in order counts the `Some`s.
pub fn kinds_of(op: &Op) -> Kinds {
    let one = |kind| [Some(kind), None];
    match op {
        Op::Binary { op, b, .. } => [
            may_divide_by_zero(*op, *b).then_some(SiteKind::Fault(fault::DIVISION)),
            may_overflow(*op, *b).then_some(SiteKind::Fault(fault::OVERFLOW)),
        ],
        Op::Convert { op, .. } if op.can_fault() => one(SiteKind::Fault(fault::CONVERSION)),
        Op::CheckBounds { .. } => one(SiteKind::Fault(fault::BOUNDS)),
        Op::CheckNull { .. } => one(SiteKind::Fault(fault::NULL)),
        Op::CheckStack => one(SiteKind::Fault(fault::RECURSION)),
        Op::Probe { kind } => one(SiteKind::Probe(*kind)),
        Op::Call { .. }
        | Op::CallIndirect { .. }
        | Op::Await { .. }
        | Op::AwaitIndirect { .. }
        | Op::Spawn { .. }
        | Op::SpawnIndirect { .. } => one(SiteKind::Call),
        Op::Intrinsic { .. } => one(SiteKind::Intrinsic),
        _ => [None, None],
    }
}

/// The sites of a terminator.
pub fn kinds_of_term(term: &Term) -> Kinds {
    match term {
        Term::Throw { .. } => [Some(SiteKind::Throw), None],
        Term::Raise { .. } => [Some(SiteKind::Raise), None],
        Term::Unreachable { .. } => [Some(SiteKind::Fault(fault::UNREACHABLE)), None],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::{BinOp, Type};

    fn divide(op: BinOp, b: Operand) -> Kinds {
        let (ty, dst, a) = (Type::I64, LocalId(0), Operand::Imm(1));
        kinds_of(&Op::Binary { op, ty, dst, a, b })
    }

    #[test]
    fn a_divisor_that_is_known_leaves_fewer_sites() {
        let zero = Some(SiteKind::Fault(fault::DIVISION));
        let over = Some(SiteKind::Fault(fault::OVERFLOW));
        assert_eq!(divide(BinOp::SDiv, LocalId(1).into()), [zero, over]);
        assert_eq!(divide(BinOp::SDiv, Operand::Imm(7)), [None, None]);
        assert_eq!(divide(BinOp::SDiv, Operand::Imm(u64::MAX)), [None, over]);
        assert_eq!(divide(BinOp::SRem, Operand::Imm(0)), [zero, None]);
        assert_eq!(divide(BinOp::Add, Operand::Imm(0)), [None, None]);
    }

    #[test]
    fn every_op_with_a_site_may_fail() {
        for b in [Operand::Imm(0), Operand::Imm(3), Operand::Imm(u64::MAX)] {
            for &op in BinOp::ALL {
                let (ty, dst, a) = (Type::I64, LocalId(0), Operand::Imm(1));
                let inst = Op::Binary { op, ty, dst, a, b };
                let some = kinds_of(&inst).iter().any(Option::is_some);
                assert_eq!(some, inst.may_fail(), "{inst:?}");
            }
        }
    }
}
