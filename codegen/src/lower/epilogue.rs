//! Shorter epilogues on x86-64.
//!
//! Cranelift ends every function with `add $frame, %rsp; mov %rbp, %rsp; pop %rbp; ret`. The `mov`
//! changes nothing, since the `add` has just undone all that the prologue subtracted and compiled
//! code has no dynamic allocation on the stack. But it makes the stack pointer wait for the frame
//! pointer, which the callee has just loaded from memory: one load latency per level of returns,
//! a third of the time of a call-bound program. So the short `add` before it takes its room and
//! becomes the long form of the same instruction; where there is none, it becomes a NOP.
//!
//! The bytes are found by their pattern, which only an epilogue has: a `ret` is preceded by
//! nothing else, and no constant may look like a piece of it. A function with a constant that
//! holds two neighbouring bytes of the pattern is left alone, for such a constant could be a part
//! of what looks like an epilogue.

use cranelift_codegen::ir::{Function, InstructionData};

/// `mov %rbp, %rsp; pop %rbp; ret`
const EPILOGUE: [u8; 5] = [0x48, 0x89, 0xec, 0x5d, 0xc3];
/// `add $imm8, %rsp` without the byte.
const ADD8: [u8; 3] = [0x48, 0x83, 0xc4];
/// `add $imm32, %rsp` without the four bytes.
const ADD32: [u8; 3] = [0x48, 0x81, 0xc4];
/// `nopl (%rax)`, as long as the `mov`.
const NOP: [u8; 3] = [0x0f, 0x1f, 0x00];

/// Removes the useless moves; `code` is what Cranelift made of `function` for x86-64.
pub(super) fn shorten(function: &Function, code: &mut [u8]) {
    if constants(function).any(|bits| looks_alike(&bits.to_le_bytes())) {
        return;
    }
    let mut at = 0;
    while at + EPILOGUE.len() <= code.len() {
        if code[at..at + EPILOGUE.len()] == EPILOGUE {
            match at
                .checked_sub(ADD8.len() + 1)
                .map(|add| &mut code[add..at + 3])
            {
                // An `add` of a positive byte.
                Some(add) if add.starts_with(&ADD8) && add[3] < 0x80 => {
                    let frame = add[3];
                    add[..3].copy_from_slice(&ADD32);
                    add[3..].copy_from_slice(&[frame, 0, 0, 0]);
                }
                _ => code[at..at + NOP.len()].copy_from_slice(&NOP),
            }
            at += EPILOGUE.len();
        } else {
            at += 1;
        }
    }
}

/// Whether two neighbouring bytes are two neighbouring bytes of the pattern.
fn looks_alike(bytes: &[u8]) -> bool {
    let patterns = || EPILOGUE.windows(2).chain(ADD8.windows(2));
    let pair_of_pattern = |pair: &[u8]| patterns().any(|other| other == pair);
    bytes.windows(2).any(pair_of_pattern)
}

/// What the module may choose freely in the code: constants and offsets.
fn constants(function: &Function) -> impl Iterator<Item = u64> + '_ {
    let insts = function.layout.blocks();
    let insts = insts.flat_map(|block| function.layout.block_insts(block));
    insts.filter_map(|inst| match &function.dfg.insts[inst] {
        InstructionData::UnaryImm { imm, .. } => Some(imm.bits() as u64),
        InstructionData::UnaryIeee32 { imm, .. } => Some(u64::from(imm.bits())),
        InstructionData::UnaryIeee64 { imm, .. } => Some(imm.bits()),
        InstructionData::Load { offset, .. } | InstructionData::Store { offset, .. } => {
            Some(u64::from(i32::from(*offset) as u32))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_the_pattern_is_recognised() {
        assert!(looks_alike(&[0, 0x89, 0xec]));
        assert!(looks_alike(&[0x5d, 0xc3, 7]));
        assert!(!looks_alike(&[
            0x48, 0xec, 0x89, 0x48, 0xc3, 0x5d, 0x48, 0x48
        ]));
    }

    #[test]
    fn every_epilogue_is_shortened_and_nothing_else() {
        let mut code = [&[0x90][..], &EPILOGUE, &[0x48, 0x89, 0xec, 0x90], &EPILOGUE].concat();
        shorten(&Function::new(), &mut code);
        let short = [&NOP[..], &EPILOGUE[3..]].concat();
        let expected = [&[0x90][..], &short, &[0x48, 0x89, 0xec, 0x90], &short].concat();
        assert_eq!(code, expected);
        let mut code = [&ADD8[..], &[0x20], &EPILOGUE].concat();
        shorten(&Function::new(), &mut code);
        assert_eq!(
            code,
            [&ADD32[..], &[0x20, 0, 0, 0], &EPILOGUE[3..]].concat()
        );
    }
}
