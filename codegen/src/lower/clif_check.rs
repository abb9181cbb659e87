//! Rule ABI-30 (d): no plain load of the flag word.

use std::collections::HashMap;

use cranelift_codegen::ir::{Function, InstructionData, Opcode, Value};

use crate::Error;

/// Bytes of the flag word, at the beginning of the thread state.
const FLAG_BYTES: i64 = 4;

/// Refuses a function with a plain load that touches the flag word: one whose address is the
/// thread argument, or a sum of it and constants, and whose bytes overlap the first four.
pub(crate) fn no_plain_flag_load(function: &Function, name: &str) -> Result<(), Error> {
    let Some(entry) = function.layout.entry_block() else {
        return Ok(());
    };
    let Some(&th) = function.dfg.block_params(entry).first() else {
        return Ok(());
    };
    // Values that are the thread argument plus a constant, and constants.
    let mut offsets: HashMap<Value, i64> = HashMap::from([(th, 0)]);
    let mut constants: HashMap<Value, i64> = HashMap::new();
    for block in function.layout.blocks() {
        for inst in function.layout.block_insts(block) {
            let data = &function.dfg.insts[inst];
            let args = function.dfg.inst_args(inst);
            let arg = |n: usize| function.dfg.resolve_aliases(args[n]);
            let result = function.dfg.inst_results(inst).first().copied();
            match (data.opcode(), result) {
                (Opcode::Iconst, Some(result)) => {
                    if let InstructionData::UnaryImm { imm, .. } = data {
                        constants.insert(result, imm.bits());
                    }
                }
                (Opcode::Iadd, Some(result)) => {
                    for (base, other) in [(arg(0), arg(1)), (arg(1), arg(0))] {
                        if let (Some(base), Some(more)) =
                            (offsets.get(&base), constants.get(&other))
                        {
                            let sum = base.wrapping_add(*more);
                            offsets.insert(result, sum);
                            break;
                        }
                    }
                }
                (opcode, Some(result)) if opcode.can_load() && opcode != Opcode::AtomicLoad => {
                    let InstructionData::Load { offset, .. } = data else {
                        continue;
                    };
                    let Some(base) = offsets.get(&arg(0)) else {
                        continue;
                    };
                    let first = base.wrapping_add(i64::from(*offset));
                    let bytes = i64::from(function.dfg.value_type(result).bytes());
                    if first < FLAG_BYTES && first.wrapping_add(bytes) > 0 {
                        return Err(Error::Invalid(format!(
                            "function `{name}` reads the flag word with a plain load"
                        )));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}
