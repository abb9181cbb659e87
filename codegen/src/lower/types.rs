//! Types and signatures of CLIF.
//!
//! Every compiled function takes the thread state as a hidden first argument and has one of two
//! shapes. `Pair` returns value and status in two integer registers; a float result travels by
//! its bits, a narrow one zero-extended. `Plain` returns the value alone, as its own type: a local
//! function that never leaves with a failure and whose address nobody takes.

use asr_intrinsics::{Row, Ty};
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{self, AbiParam, InstBuilder, MemFlagsData, Value};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

use crate::air::{Signature, Type};

/// How a function gives its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Value and status.
    Pair,
    /// The value alone.
    Plain,
}

/// The type of a local in CLIF.
pub(super) fn clif(ty: Type) -> ir::Type {
    match ty {
        Type::I8 | Type::Bool => I8,
        Type::I16 => I16,
        Type::I32 => I32,
        Type::I64 | Type::Ptr | Type::Value => I64,
        Type::Region | Type::Task | Type::Permit | Type::Ack | Type::Lease | Type::Op => I64,
        Type::F32 => F32,
        Type::F64 => F64,
    }
}

/// Signature of a compiled function.
pub(super) fn signature(sig: &Signature, shape: Shape) -> ir::Signature {
    let mut out = ir::Signature::new(CallConv::SystemV);
    out.params.push(AbiParam::new(I64));
    let params = sig.params.iter().map(|&ty| AbiParam::new(clif(ty)));
    out.params.extend(params);
    match shape {
        Shape::Pair => out.returns = vec![AbiParam::new(I64), AbiParam::new(I64)],
        Shape::Plain => out
            .returns
            .extend(sig.ret.map(|ty| AbiParam::new(clif(ty)))),
    }
    out
}

/// Signature of the code of an asynchronous function: `poll(frame, th)`.
pub(super) fn poll_signature() -> ir::Signature {
    pair_signature(&[I64])
}

/// Signature of a function that takes the thread, if it is to, and these words, and gives value and
/// status.
pub(super) fn pair_signature(params: &[ir::Type]) -> ir::Signature {
    let mut out = ir::Signature::new(CallConv::SystemV);
    out.params.push(AbiParam::new(I64));
    out.params
        .extend(params.iter().map(|&ty| AbiParam::new(ty)));
    out.returns = vec![AbiParam::new(I64), AbiParam::new(I64)];
    out
}

/// A parameter as C expects it: narrow integers extended.
fn c_param(ty: Type) -> AbiParam {
    match ty {
        Type::Bool => AbiParam::new(I8).uext(),
        Type::I8 | Type::I16 | Type::I32 => AbiParam::new(clif(ty)).sext(),
        _ => AbiParam::new(clif(ty)),
    }
}

/// Signature of a foreign C function: no thread argument, no status.
pub(super) fn c_signature(sig: &Signature) -> ir::Signature {
    let mut out = ir::Signature::new(CallConv::SystemV);
    out.params.extend(sig.params.iter().map(|&ty| c_param(ty)));
    out.returns
        .extend(sig.ret.map(|ty| AbiParam::new(clif(ty))));
    out
}

/// Signature of `asr_i_<row>`; one that may wait takes its op slot after the thread.
pub(super) fn row_signature(row: &Row) -> ir::Signature {
    let mut out = ir::Signature::new(CallConv::SystemV);
    let hidden = if row.waits() { 2 } else { 1 };
    out.params.extend(vec![AbiParam::new(I64); hidden]);
    for param in row.params {
        out.params.push(match param.ty {
            Ty::U32 => AbiParam::new(I32).uext(),
            ty => c_param(Type::of_row(ty).unwrap_or(Type::I64)),
        });
    }
    out.returns = vec![AbiParam::new(I64), AbiParam::new(I64)];
    out
}

/// A value as the word that `Ret::value` holds.
pub(super) fn to_word(b: &mut FunctionBuilder<'_>, value: Value, ty: Type) -> Value {
    match clif(ty) {
        F64 => b.ins().bitcast(I64, MemFlagsData::new(), value),
        F32 => {
            let bits = b.ins().bitcast(I32, MemFlagsData::new(), value);
            b.ins().uextend(I64, bits)
        }
        I64 => value,
        _ => b.ins().uextend(I64, value),
    }
}

/// The value of a type in the word that `Ret::value` holds.
pub(super) fn from_word(b: &mut FunctionBuilder<'_>, word: Value, ty: Type) -> Value {
    match clif(ty) {
        F64 => b.ins().bitcast(F64, MemFlagsData::new(), word),
        F32 => {
            let bits = b.ins().ireduce(I32, word);
            b.ins().bitcast(F32, MemFlagsData::new(), bits)
        }
        I64 => word,
        narrow => b.ins().ireduce(narrow, word),
    }
}

/// An immediate of a type.
pub(super) fn immediate(b: &mut FunctionBuilder<'_>, ty: Type, bits: u64) -> Value {
    match clif(ty) {
        F64 => b.ins().f64const(f64::from_bits(bits)),
        F32 => b.ins().f32const(f32::from_bits(bits as u32)),
        int => b.ins().iconst(int, ty.canonical(bits) as i64),
    }
}
