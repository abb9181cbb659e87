//! Rule ABI-30 (d): no plain load of the flag word.

use std::collections::HashMap;

use cranelift_codegen::ir::{Function, InstructionData, Opcode, Value};

use crate::Error;

/// Bytes of the flag word, at the beginning of the thread state.
const FLAG_BYTES: i64 = 4;

/// Refuses a function with a plain load that touches the flag word: one whose address is the
/// thread argument (the parameter with this index), or a sum of it and constants, and whose bytes
/// overlap the first four.
pub(crate) fn no_plain_flag_load(function: &Function, name: &str, th: usize) -> Result<(), Error> {
    let Some(entry) = function.layout.entry_block() else {
        return Ok(());
    };
    let Some(&th) = function.dfg.block_params(entry).get(th) else {
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

#[cfg(test)]
mod tests {
    use cranelift_codegen::ir::types::{I16, I32, I64, Type};
    use cranelift_codegen::ir::{AbiParam, InstBuilder, MemFlagsData, Signature, Value};
    use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    use super::*;

    /// A function of one parameter, the thread state, with this body, and what the check says.
    fn accepts(body: impl FnOnce(&mut FunctionBuilder<'_>, Value)) -> bool {
        let mut function = Function::new();
        function.signature = Signature::new(CallConv::SystemV);
        function.signature.params.push(AbiParam::new(I64));
        let mut context = FunctionBuilderContext::new();
        let mut builder = FunctionBuilder::new(&mut function, &mut context);
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let th = builder.block_params(entry)[0];
        body(&mut builder, th);
        builder.ins().return_(&[]);
        builder.seal_all_blocks();
        builder.finalize(TargetFrontendConfig {
            default_call_conv: CallConv::SystemV,
            pointer_width: target_lexicon::PointerWidth::U64,
            page_size_align_log2: 12,
        });
        no_plain_flag_load(&function, "f", 0).is_ok()
    }

    /// A plain load of a type at an offset from the thread state.
    fn plain(ty: Type, offset: i32) -> bool {
        accepts(|builder, th| {
            builder.ins().load(ty, MemFlagsData::trusted(), th, offset);
        })
    }

    #[test]
    fn abi_30_d_a_plain_load_of_the_flag_word_is_refused() {
        assert!(!plain(I32, 0));
        assert!(!plain(I16, 2));
        assert!(!plain(I64, -4));
        let through_a_sum = accepts(|builder, th| {
            let eight = builder.ins().iconst(I64, 8);
            let address = builder.ins().iadd(th, eight);
            builder
                .ins()
                .load(I32, MemFlagsData::trusted(), address, -8);
        });
        assert!(!through_a_sum);
    }

    #[test]
    fn abi_30_d_atomic_loads_and_other_words_are_accepted() {
        assert!(plain(I32, 4));
        assert!(plain(I64, 64));
        assert!(plain(I32, -4));
        let atomic = accepts(|builder, th| {
            builder.ins().atomic_load(I32, MemFlagsData::trusted(), th);
        });
        assert!(atomic);
    }
}
