//! Calls: of compiled functions, through addresses, of C, of the runtime.

use cranelift_codegen::ir::{Inst, InstBuilder};
use cranelift_module::Linkage;

use super::facts::Fails;
use super::func::Lower;
use super::types::{Shape, c_signature, clif, from_word, row_signature, signature};
use crate::Error;
use crate::air::{Edge, ExternId, FuncId, LocalId, Operand, SigId, Type};

impl Lower<'_, '_, '_> {
    pub(super) fn call(
        &mut self,
        dst: Option<LocalId>,
        func: FuncId,
        args: &[Operand],
        edge: &Edge,
    ) -> Result<(), Error> {
        let sig = self.unit.air.funcs[func.index()].signature();
        let args = self.with_thread(args, &sig.params);
        let callee = self.import(self.unit.funcs[func.index()]);
        let call = self.b.ins().call(callee, &args);
        let fails = self.unit.facts.fails(func);
        match self.unit.facts.shape(func) {
            Shape::Pair => self.pair(call, dst, sig.ret, fails, edge),
            Shape::Plain => {
                self.next_site();
                if let Some(dst) = dst {
                    let value = self.b.inst_results(call)[0];
                    self.define(dst, value);
                }
                Ok(())
            }
        }
    }

    pub(super) fn call_indirect(
        &mut self,
        dst: Option<LocalId>,
        sig: SigId,
        callee: Operand,
        args: &[Operand],
        edge: &Edge,
    ) -> Result<(), Error> {
        let air = self.unit.air;
        let sig = &air.sigs[sig.index()];
        let callee = self.operand(callee, Type::Ptr);
        let args = self.with_thread(args, &sig.params);
        let imported = self.b.import_signature(signature(sig, Shape::Pair));
        let call = self.b.ins().call_indirect(imported, callee, &args);
        self.pair(call, dst, sig.ret, Fails::ANY, edge)
    }

    pub(super) fn call_extern(
        &mut self,
        dst: Option<LocalId>,
        func: ExternId,
        args: &[Operand],
    ) -> Result<(), Error> {
        let air = self.unit.air;
        let item = &air.externs[func.index()];
        let id =
            self.module
                .declare_function(&item.name, Linkage::Import, &c_signature(&item.sig))?;
        let args: Vec<_> = args
            .iter()
            .zip(&item.sig.params)
            .map(|(&arg, &ty)| self.operand(arg, ty))
            .collect();
        let callee = self.import(id);
        let call = self.b.ins().call(callee, &args);
        if let Some(dst) = dst {
            let value = self.b.inst_results(call)[0];
            self.define(dst, value);
        }
        Ok(())
    }

    pub(super) fn intrinsic(
        &mut self,
        dst: Option<LocalId>,
        name: &str,
        args: &[Operand],
        edge: &Edge,
    ) -> Result<(), Error> {
        let row = self.unit.prepared.rows().get(name);
        let row = row.ok_or_else(|| Error::UnknownIntrinsic(name.to_owned()))?;
        let params: Vec<Type> = row
            .params
            .iter()
            .map(|param| Type::of_row(param.ty).unwrap_or(Type::I64))
            .collect();
        if row.waits() {
            return self.wait(dst, row, args, &params, edge);
        }
        let symbol = row.compiled_symbol();
        let id = self
            .module
            .declare_function(&symbol, Linkage::Import, &row_signature(row))?;
        let args = self.with_thread(args, &params);
        let callee = self.import(id);
        let call = self.b.ins().call(callee, &args);
        let ret = Type::of_row(row.result);
        self.pair(call, dst, ret, Fails::of_row(row), edge)
    }

    /// The check of a returned pair, and the assignment of its value.
    pub(super) fn pair(
        &mut self,
        call: Inst,
        dst: Option<LocalId>,
        ret: Option<Type>,
        fails: Fails,
        edge: &Edge,
    ) -> Result<(), Error> {
        let results = self.b.inst_results(call);
        let (value, status) = (results[0], results[1]);
        self.error_if_status(value, status, fails, edge)?;
        if let (Some(dst), Some(ty)) = (dst, ret) {
            let value = from_word(&mut self.b, value, ty);
            debug_assert_eq!(self.b.func.dfg.value_type(value), clif(self.type_of(dst)));
            self.define(dst, value);
        }
        Ok(())
    }
}
