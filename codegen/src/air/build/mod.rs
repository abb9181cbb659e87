//! Builders: how a front end makes a module in Rust.
//!
//! ```
//! use asr_codegen::air::{BinOp, Linkage, ModuleBuilder, Signature, Type};
//!
//! let mut module = ModuleBuilder::new("double", 1);
//! let sig = Signature { params: vec![Type::I64], ret: Some(Type::I64), throws: false };
//! let double = module.declare("double", Linkage::Export, &sig);
//! let mut f = module.define(double);
//! let n = f.param(0);
//! let sum = f.binary(BinOp::Add, Type::I64, n, n);
//! f.ret(Some(sum.into()));
//! f.finish();
//! assert!(module.finish().to_string().contains("%t = add.i64 %p0, %p0"));
//! ```
//!
//! Invariants
//! 1. Names of locals, slots and blocks are unique in their function; names of data and functions
//!    made by the builder are unique in the module. A name given twice gets a number.
//! 2. What is emitted after the end of a block is dropped: nothing can reach it.
//! 3. A finished function has no unreachable block, and every block has an end.
//!
//! The builder checks no types: the verifier does, with a location.

mod concurrent;
mod function;
mod names;
mod ops;
mod prune;

pub use function::FunctionBuilder;
pub(crate) use prune::prune;

use std::collections::HashMap;

use asr_intrinsics::{Row, Table};

use self::names::Names;
use super::entity::*;
use super::inst::Operand;
use super::loc::Loc;
use super::module::*;
use super::types::{Signature, Type};

/// Makes a module.
#[derive(Debug, Default)]
pub struct ModuleBuilder {
    module: Module,
    symbols: Names,
    strings: HashMap<Vec<u8>, DataId>,
    sigs: HashMap<Signature, SigId>,
    externs: HashMap<String, ExternId>,
    rows: HashMap<&'static str, &'static Row>,
}

impl ModuleBuilder {
    /// An empty module. `unit` is unique in the process and not 0.
    pub fn new(name: &str, unit: u16) -> Self {
        let module = Module {
            name: name.into(),
            unit,
            ..Module::default()
        };
        ModuleBuilder {
            module,
            ..Self::default()
        }
    }

    /// Imports a table: the builder then knows the results of its rows.
    pub fn import(&mut self, table: &Table) {
        if !self.module.tables.iter().any(|name| name == table.name) {
            self.module.tables.push(table.name.into());
            self.rows
                .extend(table.rows.iter().map(|row| (row.name, row)));
        }
    }

    /// The number of a source file in locations; the same path has one number.
    pub fn file(&mut self, path: &str) -> u16 {
        let files = &mut self.module.files;
        let n = files
            .iter()
            .position(|file| file == path)
            .unwrap_or_else(|| {
                files.push(path.into());
                files.len() - 1
            });
        u16::try_from(n).expect("at most 65536 source files in a module")
    }

    /// Constant bytes; equal bytes are stored once.
    pub fn data(&mut self, bytes: &[u8]) -> DataId {
        if let Some(&id) = self.strings.get(bytes) {
            return id;
        }
        let id = DataId::new(self.module.data.len());
        let name = self.symbols.unique("data");
        self.module.data.push(Data {
            name,
            bytes: bytes.into(),
        });
        self.strings.insert(bytes.into(), id);
        id
    }

    /// A cell that starts with these bits.
    pub fn global(&mut self, name: &str, ty: Type, init: u64) -> GlobalId {
        let name = self.symbols.unique(name);
        self.module.globals.push(Global { name, ty, init });
        GlobalId::new(self.module.globals.len() - 1)
    }

    /// A foreign C function; declared once per name, the first signature counts.
    pub fn extern_fn(&mut self, name: &str, sig: &Signature, loc: Loc) -> ExternId {
        if let Some(&id) = self.externs.get(name) {
            return id;
        }
        let id = ExternId::new(self.module.externs.len());
        self.symbols.reserve(name);
        self.module.externs.push(Extern {
            name: name.into(),
            sig: sig.clone(),
            loc,
        });
        self.externs.insert(name.into(), id);
        id
    }

    /// The number of a signature for indirect calls; equal ones have one number.
    pub fn sig(&mut self, sig: &Signature) -> SigId {
        if let Some(&id) = self.sigs.get(sig) {
            return id;
        }
        let id = SigId::new(self.module.sigs.len());
        self.module.sigs.push(sig.clone());
        self.sigs.insert(sig.clone(), id);
        id
    }

    /// A repair handler that is registered before anything of the module runs; slow when
    /// `bound_ns` is 0.
    pub fn handler(&mut self, type_id: u64, func: FuncId, bound_ns: u64, loc: Loc) {
        self.module.handlers.push(Handler {
            type_id,
            func,
            bound_ns,
            loc,
        });
    }

    /// Declares a function, so that others can call it before it has a body. Its parameters are
    /// called `p0`, `p1`, ...; [`FunctionBuilder::name_local`] changes that.
    ///
    /// A name that is taken gets a number, unless the function is exported: the verifier reports
    /// an exported name that is given twice.
    pub fn declare(&mut self, name: &str, linkage: Linkage, sig: &Signature) -> FuncId {
        let name = match linkage {
            Linkage::Local => self.symbols.unique(name),
            Linkage::Export => {
                self.symbols.reserve(name);
                name.into()
            }
        };
        let param = |(i, &ty): (usize, &Type)| Local {
            name: format!("p{i}"),
            ty,
        };
        self.module.funcs.push(Function {
            name,
            linkage,
            params: sig.params.len() as u32,
            ret: sig.ret,
            throws: sig.throws,
            locals: sig.params.iter().enumerate().map(param).collect(),
            ..Function::default()
        });
        FuncId::new(self.module.funcs.len() - 1)
    }

    /// Makes a declared function asynchronous: it is awaited or spawned, not called.
    pub fn set_async(&mut self, func: FuncId) {
        self.module.funcs[func.index()].is_async = true;
    }

    /// Starts the body of a declared function, in its entry block. A second definition replaces
    /// the first.
    pub fn define(&mut self, func: FuncId) -> FunctionBuilder<'_> {
        FunctionBuilder::new(self, func)
    }

    /// What is built so far: declarations, results of rows.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The row of this name in an imported table.
    pub fn row(&self, name: &str) -> Option<&'static Row> {
        self.rows.get(name).copied()
    }

    /// The module.
    pub fn finish(self) -> Module {
        self.module
    }
}

macro_rules! operand_from {
    ($($t:ty: $x:ident => $bits:expr;)*) => { $(
        impl From<$t> for Operand {
            fn from($x: $t) -> Self {
                Operand::Imm($bits)
            }
        }
    )* };
}

operand_from! {
    i32: x => x as i64 as u64;
    i64: x => x as u64;
    bool: x => x as u64;
    f64: x => x.to_bits();
    f32: x => x.to_bits().into();
}
