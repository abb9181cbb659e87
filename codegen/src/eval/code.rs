//! The decoded form: blocks laid out in a row, operands resolved, sites numbered.

use asr_intrinsics::Row;

use crate::air::{BinOp, CmpOp, ConvOp, Loc, OverflowOp, ProbeKind, Type, UnOp};

/// An operand: a local, or canonical bits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Src {
    Reg(u32),
    Imm(u64),
}

/// Arguments: a range of `Code::args`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Args {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// What a spawned task runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    /// A function of the module.
    Func(u32),
    /// What is at an address, with a signature.
    At(Src, u32),
}

/// Where a result goes, and its type.
pub(super) type Dst = Option<(u32, Type)>;

/// Where failures go: recovery with its local, cleanup with its two.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exits {
    pub(super) recover: Option<(u32, Option<u32>)>,
    pub(super) cleanup: Option<(u32, u32, u32)>,
}

/// An instruction or the end of a block.
#[derive(Clone, Debug)]
pub(super) struct Ins {
    pub(super) kind: Kind,
    /// Index into `Code::exits`; 0 is "leaves the function".
    pub(super) exits: u32,
    /// Index of its first site; 0 for none.
    pub(super) site: u32,
}

/// What it does. Targets are indices into `Code::insts`.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Copy {
        dst: u32,
        src: Src,
    },
    Unary {
        op: UnOp,
        ty: Type,
        dst: u32,
        src: Src,
    },
    Binary {
        op: BinOp,
        ty: Type,
        dst: u32,
        a: Src,
        b: Src,
    },
    Overflow {
        op: OverflowOp,
        ty: Type,
        dst: u32,
        flag: u32,
        a: Src,
        b: Src,
    },
    Compare {
        op: CmpOp,
        ty: Type,
        dst: u32,
        a: Src,
        b: Src,
    },
    Convert {
        op: ConvOp,
        from: Type,
        to: Type,
        dst: u32,
        src: Src,
    },
    Select {
        dst: u32,
        cond: Src,
        a: Src,
        b: Src,
    },
    Load {
        ty: Type,
        dst: u32,
        addr: Src,
        offset: i32,
    },
    Store {
        ty: Type,
        src: Src,
        addr: Src,
        offset: i32,
    },
    GlobalGet {
        dst: u32,
        global: u32,
    },
    GlobalSet {
        global: u32,
        src: Src,
    },
    DataAddr {
        dst: u32,
        data: u32,
    },
    FuncAddr {
        dst: u32,
        func: u32,
    },
    SlotAddr {
        dst: u32,
        offset: u32,
    },
    CheckBounds {
        index: Src,
        len: Src,
    },
    CheckNull {
        addr: Src,
    },
    /// Also an await: what is awaited is an activation on top of the one that awaits.
    Call {
        dst: Dst,
        func: u32,
        args: Args,
    },
    /// Also an await: of an asynchronous function, if `is_async`.
    CallIndirect {
        dst: Dst,
        sig: u32,
        callee: Src,
        args: Args,
        is_async: bool,
    },
    CallExtern {
        dst: Dst,
        func: u32,
        args: Args,
    },
    Intrinsic {
        dst: Dst,
        row: &'static Row,
        args: Args,
    },
    Spawn {
        dst: u32,
        region: Option<Src>,
        task: Callee,
        args: Args,
    },
    Probe(ProbeKind),
    CheckStack,
    Chunk {
        ty: Type,
        dst: u32,
        i: Src,
        end: Src,
        step: i64,
        count: u32,
    },
    Jump(u32),
    Branch {
        cond: Src,
        then: u32,
        or: u32,
    },
    /// Index into `Code::switches`.
    Switch {
        value: Src,
        table: u32,
    },
    Return(Src),
    Throw(Src),
    Raise {
        value: Src,
        status: Src,
    },
    Unreachable,
}

/// The cases of a switch by canonical key, sorted, and the default.
#[derive(Clone, Debug)]
pub(super) struct Switch {
    pub(super) cases: Vec<(u64, u32)>,
    pub(super) default: u32,
}

/// A function.
#[derive(Clone, Debug, Default)]
pub(super) struct Code {
    pub(super) insts: Vec<Ins>,
    /// Of each instruction; only read when an evaluation stops.
    pub(super) locs: Vec<Loc>,
    pub(super) exits: Vec<Exits>,
    pub(super) args: Vec<Src>,
    pub(super) switches: Vec<Switch>,
    pub(super) locals: usize,
    pub(super) params: usize,
    /// Bytes of all stack slots, each aligned to 16.
    pub(super) frame_bytes: u32,
    /// Whether its activations may be suspended.
    pub(super) is_async: bool,
    /// The class of its signature: functions of one class can stand for each other in an
    /// indirect call.
    pub(super) class: u32,
}
