//! From the resolved program to AIR.
//!
//! One AIR function per function of the program, and one wrapper `(self, args...)` for each that is
//! used as a value. Top-level variables that functions use, constant strings and function values
//! are cells of the module, filled at the beginning of the main function.
//!
//! Representation: a variable or expression of type `Int` is an `i64`, `Num` an `f64`, `Bool` a
//! `bool`, all else a `value`. A number becomes a word as a double, always: the integer words that
//! the library may give back are understood, but not made here.
//!
//! Order: operands are evaluated from the left, all of them, before one is checked.

mod call;
mod closure;
mod concurrency;
mod cond;
mod element;
mod exits;
mod expr;
mod func;
mod known;
mod list;
mod module;
mod number;
mod operator;
mod protect;
mod rows;
mod stmt;
mod waits;
mod word;

pub use module::lower;

use asr_codegen::air::{Operand, Type};

use crate::analysis::infer::Ty;

/// The function that a module of ProXPL exports: the statements of the file.
pub const MAIN_SYMBOL: &str = "program_main";

/// A value at run time, in the representation of its type.
#[derive(Clone, Copy, Debug)]
struct Val {
    ty: Ty,
    op: Operand,
}

impl Val {
    fn value(op: impl Into<Operand>) -> Self {
        Self {
            ty: Ty::Value,
            op: op.into(),
        }
    }

    fn num(op: impl Into<Operand>) -> Self {
        Self {
            ty: Ty::Num,
            op: op.into(),
        }
    }

    fn int(op: impl Into<Operand>) -> Self {
        Self {
            ty: Ty::Int,
            op: op.into(),
        }
    }

    fn bool(op: impl Into<Operand>) -> Self {
        Self {
            ty: Ty::Bool,
            op: op.into(),
        }
    }

    /// The bits of a constant.
    fn constant(self) -> Option<u64> {
        match self.op {
            Operand::Imm(bits) => Some(bits),
            Operand::Local(_) => None,
        }
    }
}

/// The AIR type of a representation.
fn air_type(ty: Ty) -> Type {
    match ty {
        Ty::Int => Type::I64,
        Ty::Num => Type::F64,
        Ty::Bool => Type::Bool,
        Ty::Str | Ty::Value | Ty::Never => Type::Value,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_that_is_called_is_in_the_table() {
        for row in super::rows::ALL {
            assert!(asr_value::TABLE.row(row).is_some(), "{row}");
        }
        for row in super::rows::tasks::ALL {
            assert!(asr_intrinsics::TASKS.row(row).is_some(), "{row}");
        }
    }
}
