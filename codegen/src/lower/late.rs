//! Late increments: a loop counter is increased behind the last use of its old value.
//!
//! Cranelift's optimizer places a pure instruction before its first use, and the branch at the end
//! of a loop asks for its condition first: `i + 1` then comes before everything that still reads
//! `i`. Both values are alive at once, so the loop needs a move, and the move needs a block of its
//! own on the way back: two instructions of eight in a small loop.
//!
//! So the compare of a branch moves down to the branch, and an increment behind the last use.
//! Only the addition of a constant to a block parameter moves, only within its block, only
//! downwards, and never past a use of its result: every operand still comes before every use.

use cranelift_codegen::ir::{Block, Function, Inst, Opcode, Value, ValueDef};

/// Moves the increments of all blocks.
pub(super) fn increments(function: &mut Function) {
    let blocks: Vec<Block> = function.layout.blocks().collect();
    for block in blocks {
        compare_last(function, block);
        let insts: Vec<Inst> = function.layout.block_insts(block).collect();
        for (at, &inst) in insts.iter().enumerate() {
            let Some(param) = incremented(function, block, inst) else {
                continue;
            };
            let result = function.dfg.first_result(inst);
            // The terminator stays last: it is no candidate for "the instruction after".
            let rest = &insts[at + 1..insts.len() - 1];
            let mut behind = None;
            for &other in rest {
                let args = function.dfg.inst_args(other);
                let resolved = |arg: &Value| function.dfg.resolve_aliases(*arg);
                if args.iter().any(|arg| resolved(arg) == result) {
                    break;
                }
                if args.iter().any(|arg| resolved(arg) == param) {
                    behind = Some(other);
                }
            }
            let next = behind.and_then(|behind| function.layout.next_inst(behind));
            if let Some(next) = next {
                function.layout.remove_inst(inst);
                function.layout.insert_inst(inst, next);
            }
        }
    }
}

/// Moves the integer compare of a block's branch to just before the branch.
fn compare_last(function: &mut Function, block: Block) {
    let Some(last) = function.layout.last_inst(block) else {
        return;
    };
    if function.dfg.insts[last].opcode() != Opcode::Brif {
        return;
    }
    let condition = function
        .dfg
        .resolve_aliases(function.dfg.inst_args(last)[0]);
    let ValueDef::Result(compare, _) = function.dfg.value_def(condition) else {
        return;
    };
    let here = function.layout.inst_block(compare) == Some(block);
    let used_before = |inst| {
        let args = function.dfg.inst_args(inst);
        args.iter()
            .any(|&arg| function.dfg.resolve_aliases(arg) == condition)
    };
    let mut insts = function.layout.block_insts(block);
    let free = insts.all(|inst| inst == last || !used_before(inst));
    if here && free && function.dfg.insts[compare].opcode() == Opcode::Icmp {
        function.layout.remove_inst(compare);
        function.layout.insert_inst(compare, last);
    }
}

/// The block parameter that the instruction adds to or subtracts from, if that is all it
/// does and the block hands its result on.
fn incremented(function: &Function, block: Block, inst: Inst) -> Option<Value> {
    let opcode = function.dfg.insts[inst].opcode();
    if !matches!(opcode, Opcode::Iadd | Opcode::Isub) {
        return None;
    }
    let args = function.dfg.inst_args(inst);
    let (first, second) = (*args.first()?, *args.get(1)?);
    let is_constant = |value: Value| match function.dfg.value_def(value) {
        ValueDef::Result(by, _) => function.dfg.insts[by].opcode() == Opcode::Iconst,
        _ => false,
    };
    // Of this block or, when the loop's first block is short, of one before it.
    let is_param = |value| matches!(function.dfg.value_def(value), ValueDef::Param(..));
    let param = if is_param(first) && is_constant(second) {
        first
    } else if opcode == Opcode::Iadd && is_param(second) && is_constant(first) {
        second
    } else {
        return None;
    };
    let result = function.dfg.first_result(inst);
    let last = function.layout.last_inst(block)?;
    let handed_on = function.dfg.insts[last]
        .branch_destination(&function.dfg.jump_tables, &function.dfg.exception_tables)
        .iter()
        .flat_map(|call| call.args(&function.dfg.value_lists))
        .any(|arg| arg.as_value() == Some(result));
    handed_on.then(|| function.dfg.resolve_aliases(param))
}

#[cfg(test)]
mod tests {
    use crate::{Options, ProbeMode, Target, air, listing, prepare};

    /// The sum of `3 ^ i` for `i` below `n`.
    const LOOP: &str = r#"
module "m" unit 1
export fn @f(%n: i64) -> i64 {
  local %i: i64
  local %t: i64
  local %acc: i64
  local %c: bool
entry:
  jump body
body:
  %t = xor.i64 %i, 3
  %acc = add.i64 %acc, %t
  %i = add.i64 %i, 1
  %c = cmp.slt.i64 %i, %n
  branch %c, body, done
done:
  return %acc
}
"#;

    #[test]
    fn the_counter_is_increased_behind_its_last_use() {
        let module = air::parse(LOOP.as_bytes()).expect("it parses").module;
        let options = Options {
            probes: ProbeMode::AsIs,
            target: Some(Target::X86_64),
            ..Options::default()
        };
        let prepared = prepare(&module, &[], &options).expect("it is prepared");
        let asm = listing::asm(&prepared).expect("a listing");
        let lines: Vec<&str> = asm.lines().map(str::trim).collect();
        let at = |start: &str| lines.iter().position(|line| line.starts_with(start));
        let xor = at("xorq $0x3").unwrap_or_else(|| panic!("{asm}"));
        let increment = at("addq $0x1")
            .or(at("leaq 1("))
            .unwrap_or_else(|| panic!("{asm}"));
        assert!(xor < increment, "{asm}");
    }
}
