//! Instructions and terminators.
//!
//! Operands are locals or immediates. What may fail (a call, an arithmetic fault, a check, a
//! probe) may carry an [`Edge`]: where control goes with a status of 2 or more. Without an edge,
//! or where the edge does not say, the failure leaves the function with its value and status.

use super::entity::*;
use super::loc::Loc;
use super::ops::*;
use super::types::Type;

/// An operand: a local variable or an immediate of the type that the place asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operand {
    /// The value of a local.
    Local(LocalId),
    /// The bits of an immediate: integers sign-extended to 64 bits, `bool` 0 or 1, floats by
    /// their bit pattern (`f32` in the low half), `ptr` and `value` as they are.
    Imm(u64),
}

impl From<LocalId> for Operand {
    fn from(local: LocalId) -> Self {
        Operand::Local(local)
    }
}

/// Where a failure (status of 2 or more) goes.
///
/// CANCELLED takes `cleanup`, any other status `recover` if there is one and else `cleanup`; what
/// finds neither leaves the function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Edge {
    /// Recovery block and the local (`value` or `i64`) that receives the exception word.
    pub recover: Option<(BlockId, Option<LocalId>)>,
    /// Cleanup block and the locals that receive value (`value` or `i64`) and status (`i64`), so
    /// that it can go on with [`Term::Raise`].
    pub cleanup: Option<(BlockId, LocalId, LocalId)>,
}

/// Why a probe stands where it does. Probes are placed by the probe pass (or by hand in tests).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ProbeKind {
    /// Function entry.
    Entry,
    /// Once per iteration of a loop, or per chunk of a strip-mined one.
    Loop,
    /// Before an allocation.
    Alloc,
    /// After a call that may have blocked, or into foreign code.
    Return,
    /// In straight-line code that would exceed the gap of rule ABI-3.
    Gap,
    /// Asked for by the front end.
    Explicit,
}

impl ProbeKind {
    /// All kinds.
    pub const ALL: [ProbeKind; 6] = [
        ProbeKind::Entry,
        ProbeKind::Loop,
        ProbeKind::Alloc,
        ProbeKind::Return,
        ProbeKind::Gap,
        ProbeKind::Explicit,
    ];

    /// Name in the text form, after `probe.`.
    pub const fn name(self) -> &'static str {
        match self {
            ProbeKind::Entry => "entry",
            ProbeKind::Loop => "loop",
            ProbeKind::Alloc => "alloc",
            ProbeKind::Return => "return",
            ProbeKind::Gap => "gap",
            ProbeKind::Explicit => "explicit",
        }
    }
}

/// What an instruction does.
#[allow(
    missing_docs,
    reason = "the text form of each variant names its fields"
)]
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// `%dst = copy.ty src`
    Copy {
        ty: Type,
        dst: LocalId,
        src: Operand,
    },
    /// `%dst = neg.ty src`
    Unary {
        op: UnOp,
        ty: Type,
        dst: LocalId,
        src: Operand,
    },
    /// `%dst = add.ty a, b`
    Binary {
        op: BinOp,
        ty: Type,
        dst: LocalId,
        a: Operand,
        b: Operand,
    },
    /// `%dst, %flag = sadd_overflow.ty a, b`
    Overflow {
        op: OverflowOp,
        ty: Type,
        dst: LocalId,
        flag: LocalId,
        a: Operand,
        b: Operand,
    },
    /// `%dst = cmp.slt.ty a, b`
    Compare {
        op: CmpOp,
        ty: Type,
        dst: LocalId,
        a: Operand,
        b: Operand,
    },
    /// `%dst = convert.sext.i32.i64 src` (from, to)
    Convert {
        op: ConvOp,
        from: Type,
        to: Type,
        dst: LocalId,
        src: Operand,
    },
    /// `%dst = select.ty cond, a, b`
    Select {
        ty: Type,
        dst: LocalId,
        cond: Operand,
        a: Operand,
        b: Operand,
    },
    /// `%dst = load.ty addr + offset`
    Load {
        ty: Type,
        dst: LocalId,
        addr: Operand,
        offset: i32,
    },
    /// `store.ty src, addr + offset`
    Store {
        ty: Type,
        src: Operand,
        addr: Operand,
        offset: i32,
    },
    /// `%dst = global.get @g`
    GlobalGet { dst: LocalId, global: GlobalId },
    /// `global.set @g, src`
    GlobalSet { global: GlobalId, src: Operand },
    /// `%dst = addr.data @d`
    DataAddr { dst: LocalId, data: DataId },
    /// `%dst = addr.func @f`
    FuncAddr { dst: LocalId, func: FuncId },
    /// `%dst = addr.slot $s`
    SlotAddr { dst: LocalId, slot: SlotId },
    /// `check.bounds.ty index, len`: faults unless `index < len`, unsigned.
    CheckBounds {
        ty: Type,
        index: Operand,
        len: Operand,
    },
    /// `check.null addr`: faults when it is null.
    CheckNull { addr: Operand },
    /// `%dst = call @f(args)`
    Call {
        dst: Option<LocalId>,
        func: FuncId,
        args: Vec<Operand>,
    },
    /// `%dst = call.indirect (i64, i64) -> i64 throws, callee(args)`
    CallIndirect {
        dst: Option<LocalId>,
        sig: SigId,
        callee: Operand,
        args: Vec<Operand>,
    },
    /// `%dst = call.extern @f(args)`
    CallExtern {
        dst: Option<LocalId>,
        func: ExternId,
        args: Vec<Operand>,
    },
    /// `%dst = await @f(args)`: runs an asynchronous function of the module to its end, in an
    /// asynchronous function. It suspends with it.
    Await {
        dst: Option<LocalId>,
        func: FuncId,
        args: Vec<Operand>,
    },
    /// `%dst = await.indirect (i64) -> i64 throws, poll(args)`: the same of an asynchronous
    /// function at an address that `addr.func` gave.
    AwaitIndirect {
        dst: Option<LocalId>,
        sig: SigId,
        callee: Operand,
        args: Vec<Operand>,
    },
    /// `%task = spawn @f(args) in %region`, or without `in` for the region of the current task:
    /// starts a task that runs the asynchronous function. The region is lent.
    Spawn {
        dst: LocalId,
        region: Option<Operand>,
        func: FuncId,
        args: Vec<Operand>,
    },
    /// `%task = spawn.indirect (i64) -> i64 throws, poll(args) in %region`
    SpawnIndirect {
        dst: LocalId,
        region: Option<Operand>,
        sig: SigId,
        callee: Operand,
        args: Vec<Operand>,
    },
    /// `%dst = intrinsic row(args)`; the row is one of an imported table.
    Intrinsic {
        dst: Option<LocalId>,
        row: String,
        args: Vec<Operand>,
    },
    /// `probe.kind`
    Probe { kind: ProbeKind },
    /// `check.stack`: faults when the native stack is nearly used up (rule ABI-45).
    CheckStack,
    /// `%dst = chunk.ty i, end, step, count`: the bound of the next stretch of a strip-mined loop
    /// that counts `i` up (`step > 0`) or down (`step < 0`) to `end`: `i + count * step`, or `end`
    /// when that is nearer or the sum overflows. Signed.
    Chunk {
        ty: Type,
        dst: LocalId,
        i: Operand,
        end: Operand,
        step: i64,
        count: u32,
    },
}

/// An instruction: what it does, where its failure goes, where it comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct Inst {
    /// What it does.
    pub op: Op,
    /// Where a failure goes. Only on what may fail.
    pub edge: Edge,
    /// Where it comes from.
    pub loc: Loc,
}

/// How a block ends.
#[allow(
    missing_docs,
    reason = "the text form of each variant names its fields"
)]
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// `jump b`
    Jump(BlockId),
    /// `branch cond, b1, b2`
    Branch {
        cond: Operand,
        then: BlockId,
        or: BlockId,
    },
    /// `switch.ty value, [1: b1, 2: b2], default`
    Switch {
        ty: Type,
        value: Operand,
        cases: Vec<(i64, BlockId)>,
        default: BlockId,
    },
    /// `return` or `return value`
    Return(Option<Operand>),
    /// `throw value`: a failure with status THREW and this exception word.
    Throw { value: Operand, edge: Edge },
    /// `raise value, status`: goes on with a failure that a cleanup block received.
    Raise {
        value: Operand,
        status: Operand,
        edge: Edge,
    },
    /// `unreachable`: a fault when it is reached.
    Unreachable { edge: Edge },
}
