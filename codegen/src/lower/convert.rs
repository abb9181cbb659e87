//! Conversions, the checked ones with explicit compares.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F64, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

use super::func::Lower;
use super::types::{clif, immediate};
use crate::Error;
use crate::air::{ConvOp, Edge, Type, fault};

impl Lower<'_, '_, '_> {
    /// Faults when the integral part of a float does not fit the integer type; NaN never does.
    pub(super) fn conversion_check(
        &mut self,
        op: ConvOp,
        from: Type,
        to: Type,
        x: Value,
        edge: &Edge,
    ) -> Result<(), Error> {
        let bits = to.size() * 8;
        let signed = op == ConvOp::FToS;
        // First value above the range; a power of two, so exact in both float types.
        let above = 2f64.powi(if signed { bits as i32 - 1 } else { bits as i32 });
        // Last value below the range. Where the float type cannot hold `MIN - 1`, nothing lies
        // between it and MIN, and the compare is with MIN itself.
        let digits = if from == Type::F64 { 53 } else { 24 };
        let (below, cc) = if !signed {
            (-1.0, FloatCC::GreaterThan)
        } else if bits <= digits {
            (-above - 1.0, FloatCC::GreaterThan)
        } else {
            (-above, FloatCC::GreaterThanOrEqual)
        };
        let float = |lower: &mut Self, value: f64| match clif(from) {
            F64 => lower.b.ins().f64const(value),
            _ => lower.b.ins().f32const(value as f32),
        };
        let (below, above) = (float(self, below), float(self, above));
        let not_below = self.b.ins().fcmp(cc, x, below);
        let not_above = self.b.ins().fcmp(FloatCC::LessThan, x, above);
        let good = self.b.ins().band(not_below, not_above);
        self.fault_unless(good, fault::CONVERSION, edge)
    }

    pub(super) fn convert(&mut self, op: ConvOp, from: Type, to: Type, x: Value) -> Value {
        let (source, target) = (clif(from), clif(to));
        // Cranelift converts between floats and integers of at least 32 bits.
        let wide = if target == I64 { I64 } else { I32 };
        match op {
            ConvOp::Sext | ConvOp::Zext if source == target => x,
            ConvOp::Sext => self.b.ins().sextend(target, x),
            ConvOp::Zext => self.b.ins().uextend(target, x),
            ConvOp::Trunc if source == target => x,
            ConvOp::Trunc => self.b.ins().ireduce(target, x),
            ConvOp::SToF => {
                let x = if source.bits() < 32 {
                    self.b.ins().sextend(I32, x)
                } else {
                    x
                };
                self.b.ins().fcvt_from_sint(target, x)
            }
            ConvOp::UToF => {
                let x = if source.bits() < 32 {
                    self.b.ins().uextend(I32, x)
                } else {
                    x
                };
                self.b.ins().fcvt_from_uint(target, x)
            }
            ConvOp::FToS => {
                let value = self.b.ins().fcvt_to_sint(wide, x);
                self.narrow(value, to)
            }
            ConvOp::FToU => {
                let value = self.b.ins().fcvt_to_uint(wide, x);
                self.narrow(value, to)
            }
            ConvOp::FToSSat => {
                let value = self.b.ins().fcvt_to_sint_sat(wide, x);
                if target.bits() >= 32 {
                    return value;
                }
                let most = (1i64 << (target.bits() - 1)) - 1;
                let value = self.clamp(value, -most - 1, most);
                self.narrow(value, to)
            }
            ConvOp::FToUSat => {
                let value = self.b.ins().fcvt_to_uint_sat(wide, x);
                if target.bits() >= 32 {
                    return value;
                }
                let most = immediate(&mut self.b, Type::I32, (1 << target.bits()) - 1);
                let value = self.b.ins().umin(value, most);
                self.narrow(value, to)
            }
            ConvOp::Promote => self.b.ins().fpromote(target, x),
            ConvOp::Demote => self.b.ins().fdemote(target, x),
            ConvOp::Bitcast if source == target => x,
            ConvOp::Bitcast => self.b.ins().bitcast(target, MemFlagsData::new(), x),
        }
    }

    fn clamp(&mut self, value: Value, least: i64, most: i64) -> Value {
        let least = immediate(&mut self.b, Type::I32, least as u64);
        let most = immediate(&mut self.b, Type::I32, most as u64);
        let value = self.b.ins().smax(value, least);
        self.b.ins().smin(value, most)
    }

    /// The low bits of a value of at least 32 bits.
    fn narrow(&mut self, value: Value, to: Type) -> Value {
        if self.b.func.dfg.value_type(value) == clif(to) {
            value
        } else {
            self.b.ins().ireduce(clif(to), value)
        }
    }
}
