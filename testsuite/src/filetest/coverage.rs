//! What the filetests must cover: every instruction of AIR, every elision of ABI-2 just inside and
//! just beyond its condition, every letter of ABI-30 accepted and rejected.

use std::collections::BTreeSet;

use asr_codegen::air::{BinOp, CmpOp, ConvOp, Module, Op, OverflowOp, ProbeKind, Term, UnOp};

/// Instructions whose text form does not depend on an operator.
const PLAIN: &[&str] = &[
    "copy",
    "select",
    "load",
    "store",
    "global.get",
    "global.set",
    "addr.data",
    "addr.func",
    "addr.slot",
    "check.bounds",
    "check.null",
    "check.stack",
    "call",
    "call.indirect",
    "call.extern",
    "await",
    "await.indirect",
    "spawn",
    "spawn.indirect",
    "intrinsic",
    "chunk",
    "edge.recover",
    "edge.cleanup",
    "jump",
    "branch",
    "switch",
    "return",
    "throw",
    "raise",
    "unreachable",
];

/// Elisions of ABI-2: files `abi_2_<name>_inside` and `abi_2_<name>_beyond`.
pub const ELISIONS: &[&str] = &[
    "dominated",
    "strip",
    "short_loop",
    "covered",
    "entry",
    "alloc",
];

/// Letters of ABI-30 that AIR can break: files `abi_30_<letter>_accept...` and
/// `abi_30_<letter>_reject...`.
///
/// It cannot express d, a plain load of the flag word, nor e, the thread state used across a
/// suspension, because it has no name for the thread state: `codegen/src/lower/clif_check.rs` looks
/// for d in CLIF, and its test plants one. Nor l: handlers are declared by the module and
/// registered before any of its code runs. Letter j, foreign calls outside of an escalation
/// boundary, waits for rows that open and close one.
pub const LETTERS: &[char] = &['a', 'b', 'c', 'f', 'g', 'h', 'i', 'k', 'm'];

/// Names of all instructions, terminators and edges.
pub fn all_instructions() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = PLAIN.iter().map(|name| (*name).to_owned()).collect();
    names.extend(UnOp::ALL.iter().map(|op| op.name().to_owned()));
    names.extend(BinOp::ALL.iter().map(|op| op.name().to_owned()));
    names.extend(OverflowOp::ALL.iter().map(|op| op.name().to_owned()));
    names.extend(CmpOp::ALL.iter().map(|op| format!("cmp.{}", op.name())));
    names.extend(
        ConvOp::ALL
            .iter()
            .map(|op| format!("convert.{}", op.name())),
    );
    names.extend(
        ProbeKind::ALL
            .iter()
            .map(|kind| format!("probe.{}", kind.name())),
    );
    names
}

/// Names of the instructions, terminators and edges that a module uses.
pub fn instructions(module: &Module) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for block in module.funcs.iter().flat_map(|func| &func.blocks) {
        for inst in &block.insts {
            names.insert(op_name(&inst.op));
            names.extend(inst.edge.recover.map(|_| "edge.recover".to_owned()));
            names.extend(inst.edge.cleanup.map(|_| "edge.cleanup".to_owned()));
        }
        names.insert(term_name(&block.term).to_owned());
    }
    names
}

/// Exhaustive on purpose: a new variant asks for its name, and then for its file.
fn op_name(op: &Op) -> String {
    let plain = match op {
        Op::Unary { op, .. } => op.name(),
        Op::Binary { op, .. } => op.name(),
        Op::Overflow { op, .. } => op.name(),
        Op::Compare { op, .. } => return format!("cmp.{}", op.name()),
        Op::Convert { op, .. } => return format!("convert.{}", op.name()),
        Op::Probe { kind } => return format!("probe.{}", kind.name()),
        Op::Copy { .. } => "copy",
        Op::Select { .. } => "select",
        Op::Load { .. } => "load",
        Op::Store { .. } => "store",
        Op::GlobalGet { .. } => "global.get",
        Op::GlobalSet { .. } => "global.set",
        Op::DataAddr { .. } => "addr.data",
        Op::FuncAddr { .. } => "addr.func",
        Op::SlotAddr { .. } => "addr.slot",
        Op::CheckBounds { .. } => "check.bounds",
        Op::CheckNull { .. } => "check.null",
        Op::CheckStack => "check.stack",
        Op::Call { .. } => "call",
        Op::CallIndirect { .. } => "call.indirect",
        Op::CallExtern { .. } => "call.extern",
        Op::Await { .. } => "await",
        Op::AwaitIndirect { .. } => "await.indirect",
        Op::Spawn { .. } => "spawn",
        Op::SpawnIndirect { .. } => "spawn.indirect",
        Op::Intrinsic { .. } => "intrinsic",
        Op::Chunk { .. } => "chunk",
    };
    plain.to_owned()
}

fn term_name(term: &Term) -> &'static str {
    match term {
        Term::Jump(_) => "jump",
        Term::Branch { .. } => "branch",
        Term::Switch { .. } => "switch",
        Term::Return(_) => "return",
        Term::Throw { .. } => "throw",
        Term::Raise { .. } => "raise",
        Term::Unreachable { .. } => "unreachable",
    }
}
