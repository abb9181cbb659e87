//! Declarations of the module.

use std::collections::HashSet;

use asr_intrinsics::Table;

use super::Checker;
use crate::air::code;
use crate::air::entity::*;
use crate::air::module::Linkage;
use crate::air::span::Place;
use crate::air::types::Type;

/// Symbols of the runtime begin like this; see rule ABI-12.
const RUNTIME_PREFIX: &str = "asr_";

impl Checker<'_> {
    pub(super) fn module(&mut self, tables: &[&Table]) {
        self.tables(tables);
        let module = self.module;
        if module.unit == 0 {
            let message = "the number of a unit is from 1 to 65535; 0 would make site id 0 a site";
            self.error(code::BAD_DECLARATION, Place::Module, message);
        }
        let mut sigs = HashSet::new();
        for (n, sig) in module.sigs.iter().enumerate() {
            if !sigs.insert(sig) {
                let message = "this signature is declared twice; use one number for both";
                self.error(code::DUPLICATE_NAME, Place::Sig(SigId::new(n)), message);
            }
        }
        let mut names = HashSet::new();
        for (n, data) in module.data.iter().enumerate() {
            self.symbol(&mut names, &data.name, "data", Place::Data(DataId::new(n)));
        }
        let mut names = HashSet::new();
        for (n, global) in module.globals.iter().enumerate() {
            let place = Place::Global(GlobalId::new(n));
            self.symbol(&mut names, &global.name, "global", place);
            if global.ty.handle().is_some() {
                let message = format!("a {} is in no global; hold it in a local", global.ty);
                self.error(code::HANDLE_KEPT, place, message);
            }
            if global.ty.immediate(global.init) != global.init {
                let message = format!("{:#x} is no {}", global.init, global.ty);
                self.error(code::BAD_IMMEDIATE, place, message);
            }
        }
        let mut names = HashSet::new();
        for (n, ext) in module.externs.iter().enumerate() {
            let place = Place::Extern(ExternId::new(n));
            self.symbol(&mut names, &ext.name, "function", place);
            if ext.sig.throws {
                let message = "a foreign function cannot be declared `throws`; remove it";
                self.error(code::BAD_DECLARATION, place, message);
            }
            let mut types = ext.sig.params.iter().chain(&ext.sig.ret);
            if let Some(ty) = types.find(|ty| ty.handle().is_some()) {
                let message = format!("a {ty} is passed to foreign code; keep it");
                self.error(code::HANDLE_KEPT, place, message);
            }
            if ext.name.starts_with("asr_i_") {
                let message = format!("`{}` is an intrinsic; call it as one", ext.name);
                self.error(code::BAD_DECLARATION, place, message);
            }
            self.loc(place, ext.loc);
        }
        for (n, func) in module.funcs.iter().enumerate() {
            let place = Place::Func(FuncId::new(n));
            self.symbol(&mut names, &func.name, "function", place);
            if func.linkage == Linkage::Export && func.name.starts_with(RUNTIME_PREFIX) {
                let message = "names that begin with `asr_` belong to the runtime; rename it";
                self.error(code::BAD_DECLARATION, place, message);
            }
        }
        self.handlers();
    }

    fn tables(&mut self, tables: &[&Table]) {
        let mut seen = HashSet::new();
        for (n, name) in self.module.tables.iter().enumerate() {
            let place = Place::Table(n);
            if !seen.insert(name) {
                let message = format!("table `{name}` is imported twice; remove one");
                self.error(code::DUPLICATE_NAME, place, message);
            }
            match tables.iter().find(|table| table.name == name) {
                Some(table) => self.rows.add(table),
                None => {
                    let there: Vec<_> = tables.iter().map(|table| table.name).collect();
                    let message =
                        format!("there is no table `{name}`; there are {}", there.join(", "));
                    self.error(code::UNKNOWN_TABLE, place, message);
                }
            }
        }
    }

    fn handlers(&mut self) {
        let module = self.module;
        let mut types = HashSet::new();
        for (n, handler) in module.handlers.iter().enumerate() {
            let place = Place::Handler(n);
            if !types.insert(handler.type_id) {
                let message = format!("type {:#x} has a handler already", handler.type_id);
                self.error(code::DUPLICATE_NAME, place, message);
            }
            match module
                .funcs
                .get(handler.func.index())
                .map(|func| func.signature())
            {
                None => self.error(code::BAD_REFERENCE, place, "the handler is no function"),
                Some(sig) if sig.params == [Type::Ptr, Type::Ptr] && sig.ret.is_none() => {}
                Some(_) => {
                    let message = "a handler takes `(ptr object, ptr context)` and returns nothing";
                    self.error(code::BAD_CALL, place, message);
                }
            }
            self.loc(place, handler.loc);
        }
    }

    /// Checks a symbol; `names` holds those of its kind so far.
    fn symbol<'n>(
        &mut self,
        names: &mut HashSet<&'n str>,
        name: &'n str,
        what: &str,
        place: Place,
    ) {
        if name.is_empty() || name.contains('\0') {
            let message = format!("the name of a {what} is not empty and has no zero byte");
            self.error(code::BAD_DECLARATION, place, message);
        }
        if !names.insert(name) {
            let message = format!("there is another {what} `@{name}`; rename one");
            self.error(code::DUPLICATE_NAME, place, message);
        }
    }
}
