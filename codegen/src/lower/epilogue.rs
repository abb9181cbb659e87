//! Shorter epilogues on x86-64.
//!
//! Cranelift ends every function with `add $frame, %rsp; mov %rbp, %rsp; pop %rbp; ret`. The `mov`
//! changes nothing, since the `add` has just undone all that the prologue subtracted and compiled
//! code has no dynamic allocation on the stack. But it makes the stack pointer wait for the frame
//! pointer, which the callee has just loaded from memory: one load latency per level of returns,
//! a third of the time of a call-bound program. So the short `add` before it takes its room and
//! becomes the long form of the same instruction; where there is none, it becomes a NOP.
//!
//! Which bytes are an epilogue
//! 1. The end of every epilogue, `mov; pop; ret`, has the same five bytes, and each `return` of the
//!    function makes exactly one. Constants and offsets may look like these bytes, and the compiler
//!    may even add them up to do so. But then there are more places that look like an end than
//!    there are returns, and the function is left alone. As many as returns: all of them are ends.
//! 2. The `add` stands before the `mov` of every epilogue if the prologue has subtracted something.
//!    The prologue stands at a known place, and so is read as what it is. Without it, what looks
//!    like an `add` is the end of another instruction, such as a constant that is returned.
//!
//! Nothing may point behind a changed `add`: it keeps its place and grows into the `mov`, whose
//! place no label, relocation or line marks, since an epilogue is one instruction of CLIF.

use cranelift_codegen::ir::{Function, Opcode};

/// `mov %rbp, %rsp; pop %rbp; ret`
const EPILOGUE: [u8; 5] = [0x48, 0x89, 0xec, 0x5d, 0xc3];
/// `add $imm8, %rsp` without the byte.
const ADD8: [u8; 3] = [0x48, 0x83, 0xc4];
/// `add $imm32, %rsp` without the four bytes.
const ADD32: [u8; 3] = [0x48, 0x81, 0xc4];
/// `nopl (%rax)`, as long as the `mov`.
const NOP: [u8; 3] = [0x0f, 0x1f, 0x00];

/// `push %rbp; mov %rsp, %rbp; sub $imm8, %rsp` without the byte: a function with a small frame
/// begins so.
const PROLOGUE8: [u8; 7] = [0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec];

/// Removes the useless moves; `code` is what Cranelift made of `function` for x86-64.
pub(super) fn shorten(function: &Function, code: &mut [u8]) {
    let blocks = function.layout.blocks();
    let ends = blocks.filter_map(|block| function.layout.last_inst(block));
    let opcode = |inst| function.dfg.insts[inst].opcode();
    shorten_all(
        ends.filter(|&inst| opcode(inst) == Opcode::Return).count(),
        code,
    );
}

/// As above, for a function with so many returns.
fn shorten_all(returns: usize, code: &mut [u8]) {
    let looks = code.windows(EPILOGUE.len()).enumerate();
    let looks = looks.filter(|(_, bytes)| *bytes == EPILOGUE);
    let ends: Vec<usize> = looks.map(|(at, _)| at).collect();
    if ends.len() != returns {
        return;
    }
    let frame = code.strip_prefix(&PROLOGUE8).and_then(|rest| rest.first());
    // The immediate is signed: a frame is no more than this.
    let frame = frame.copied().filter(|&frame| frame < 0x80);
    for at in ends {
        if let Some(frame) = frame
            && let Some(start) = at.checked_sub(ADD8.len() + 1)
            && code[start..at] == [ADD8[0], ADD8[1], ADD8[2], frame]
        {
            let add = &mut code[start..at + 3];
            add[..3].copy_from_slice(&ADD32);
            add[3..].copy_from_slice(&[frame, 0, 0, 0]);
        } else {
            code[at..at + NOP.len()].copy_from_slice(&NOP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened(returns: usize, pieces: &[&[u8]]) -> Vec<u8> {
        let mut code = pieces.concat();
        shorten_all(returns, &mut code);
        code
    }

    /// An epilogue without its `mov`.
    const REST: [u8; 2] = [0x5d, 0xc3];
    const PUSH: [u8; 4] = [0x55, 0x48, 0x89, 0xe5];

    #[test]
    fn every_epilogue_is_shortened_and_nothing_else() {
        let other: [u8; 4] = [0x48, 0x89, 0xec, 0x90];
        let code = shortened(2, &[&PUSH, &[0x90], &EPILOGUE, &other, &EPILOGUE]);
        assert_eq!(
            code,
            [&PUSH[..], &[0x90], &NOP, &REST, &other, &NOP, &REST].concat()
        );
        for frame in [0x10, 0x20, 0x70] {
            let [add8, add32] = [ADD8, ADD32].map(|add| [&add[..], &[frame]].concat());
            let body: [&[u8]; 4] = [&PROLOGUE8, &[frame], &add8, &EPILOGUE];
            let expected: [&[u8]; 5] = [&PROLOGUE8, &[frame], &add32, &[0, 0, 0], &REST];
            assert_eq!(shortened(1, &body), expected.concat());
        }
    }

    #[test]
    fn more_or_fewer_ends_than_returns_change_nothing() {
        let code = [&PUSH[..], &EPILOGUE, &EPILOGUE].concat();
        for returns in [0, 1, 3] {
            assert_eq!(shortened(returns, &[&code]), code);
        }
        assert_eq!(shortened(1, &[&[0xc3]]), [0xc3]);
        assert_eq!(shortened(0, &[]), []);
        // As long as the pattern, and the pattern at the very beginning.
        assert_eq!(shortened(1, &[&EPILOGUE]), [&NOP[..], &REST].concat());
    }

    #[test]
    fn the_end_of_another_instruction_is_no_add() {
        // `mov $0x20c48348, %eax` before an epilogue without a frame.
        let constant = [0xb8, 0x48, 0x83, 0xc4, 0x20];
        let code = shortened(1, &[&PUSH, &constant, &EPILOGUE]);
        assert_eq!(code, [&PUSH[..], &constant, &NOP, &REST].concat());
        // Another frame than that of the prologue, and one whose `sub` takes four bytes.
        let add = [&ADD8[..], &[0x20]].concat();
        let code = shortened(1, &[&PROLOGUE8, &[0x30], &add, &EPILOGUE]);
        assert_eq!(code, [&PROLOGUE8[..], &[0x30], &add, &NOP, &REST].concat());
        let large = [0x48, 0x81, 0xec, 0x20, 0, 0, 0];
        let code = shortened(1, &[&PUSH, &large, &add, &EPILOGUE]);
        assert_eq!(code, [&PUSH[..], &large, &add, &NOP, &REST].concat());
    }
}
