//! A whole module: declarations, definitions in order, what is known of each function's code.
//!
//! Data comes first, then the functions in the order of AIR, then the stubs: so an arena that
//! hands out memory in sequence has one stretch per kind, and functions lie in address order.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use cranelift_codegen::ir::{self, FuncRef, Function};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module};

use super::coroutine::{self, Plan};
use super::define::{Compiled, Scratch, Want, define};
use super::facts::Facts;
use super::types::Shape;
use super::{clif_check, func, stubs, types};
use crate::air;
use crate::{Error, Prepared};

/// A module in a Cranelift module.
pub(crate) struct Lowered {
    /// The functions of AIR in order, then the stubs.
    pub(crate) funcs: Vec<Compiled>,
    /// The frame of each asynchronous function, by its number in AIR.
    pub(crate) frames: Vec<Option<Rc<Plan>>>,
}

/// What the functions share.
pub(super) struct Unit<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) air: &'a air::Module,
    pub(super) facts: Facts,
    pub(super) funcs: Vec<FuncId>,
    pub(super) data: Vec<DataId>,
    pub(super) globals: Vec<DataId>,
    pub(super) stubs: stubs::Stubs,
    /// Index of the first site of each function.
    pub(super) first_site: Vec<u32>,
    /// The frame of each asynchronous function.
    pub(super) frames: Vec<Option<Rc<Plan>>>,
}

impl Unit<'_> {
    /// Bytes of the frame of an asynchronous function.
    pub(super) fn frame_size(&self, func: air::FuncId) -> Result<u32, Error> {
        let name = &self.air.funcs[func.index()].name;
        let missing = || Error::Invalid(format!("`{name}` is awaited and not asynchronous"));
        Ok(self.frames[func.index()].as_ref().ok_or_else(missing)?.size)
    }
}

/// The signature of the code of a function.
fn signature(func: &air::Function, shape: Shape) -> ir::Signature {
    match func.is_async {
        true => types::poll_signature(),
        false => types::signature(&func.signature(), shape),
    }
}

/// Lowers the module and defines everything in `module`. `main` names the exported function that
/// a shim will call: its own symbol gives way if it is `main` too.
pub(crate) fn lower(
    prepared: &Prepared,
    module: &mut dyn Module,
    main: Option<&str>,
    want: Want,
) -> Result<Lowered, Error> {
    let mut unit = declare(prepared, module, main)?;
    let mut out = Lowered {
        funcs: Vec::new(),
        frames: unit.frames.clone(),
    };
    let mut scratch = Scratch::take();
    for index in 0..unit.air.funcs.len() {
        let id = air::FuncId::new(index);
        let started = Instant::now();
        let mut locs = Vec::new();
        let function = scratch.function();
        function.name = ir::UserFuncName::user(0, unit.funcs[index].as_u32());
        let func = &unit.air.funcs[index];
        function.signature = signature(func, unit.facts.shape(id));
        func::build(&mut unit, module, id, &mut scratch, &mut locs)?;
        if prepared.options().verify_clif {
            let th = usize::from(func.is_async);
            clif_check::no_plain_flag_load(&scratch.cx.func, &func.name, th)?;
        }
        let build_ns = started.elapsed().as_nanos() as u64;
        let mut compiled = define(module, unit.funcs[index], &mut scratch, &locs, want)?;
        compiled.func = Some(id);
        compiled.name = func.name.clone();
        compiled.build_ns = build_ns;
        out.funcs.push(compiled);
    }
    let stubs = stubs::define(&unit.stubs, module, &mut scratch, want)?;
    out.funcs.extend(stubs);
    scratch.keep();
    Ok(out)
}

fn declare<'a>(
    prepared: &'a Prepared,
    module: &mut dyn Module,
    main: Option<&str>,
) -> Result<Unit<'a>, Error> {
    let air = prepared.module();
    let facts = Facts::of(air, prepared.rows())?;
    let mut data = Vec::with_capacity(air.data.len());
    for item in &air.data {
        let id = module.declare_anonymous_data(false, false)?;
        define_data(module, id, item.bytes.clone(), 16)?;
        data.push(id);
    }
    let mut globals = Vec::with_capacity(air.globals.len());
    for item in &air.globals {
        let id = module.declare_anonymous_data(true, false)?;
        let bytes = item.init.to_le_bytes()[..item.ty.size() as usize].to_vec();
        define_data(module, id, bytes, 8)?;
        globals.push(id);
    }
    let foreign: Vec<&str> = air.externs.iter().map(|item| item.name.as_str()).collect();
    let mut funcs = Vec::with_capacity(air.funcs.len());
    for (index, item) in air.funcs.iter().enumerate() {
        let shape = facts.shape(air::FuncId::new(index));
        let signature = signature(item, shape);
        // A local name lives in the module's own name space: it must not meet a symbol.
        let taken = item.name.starts_with("asr")
            || item.name == "main"
            || foreign.contains(&item.name.as_str());
        funcs.push(match item.linkage {
            air::Linkage::Export if !(main.is_some() && item.name == "main") => {
                module.declare_function(&item.name, Linkage::Export, &signature)?
            }
            _ if taken => module.declare_anonymous_function(&signature)?,
            _ => module.declare_function(&item.name, Linkage::Local, &signature)?,
        });
    }
    let mut first_site = vec![0; air.funcs.len() + 1];
    for site in air::sites(air) {
        first_site[site.func.index() + 1] += 1;
    }
    let mut next = 1;
    for first in &mut first_site {
        next += *first;
        *first = next;
    }
    let frames = coroutine::plans(air, prepared.rows(), &first_site)?;
    Ok(Unit {
        prepared,
        air,
        facts,
        funcs,
        data,
        globals,
        stubs: stubs::Stubs::default(),
        first_site,
        frames: frames.into_iter().map(|plan| plan.map(Rc::new)).collect(),
    })
}

fn define_data(
    module: &mut dyn Module,
    id: DataId,
    bytes: Vec<u8>,
    align: u64,
) -> Result<(), Error> {
    let mut description = DataDescription::new();
    if bytes.is_empty() {
        description.define(Box::new([0]));
    } else {
        description.define(bytes.into_boxed_slice());
    }
    description.set_align(align);
    module.define_data(id, &description)?;
    Ok(())
}

/// Functions imported into one function, so that each is imported once.
#[derive(Default)]
pub(super) struct Imports(HashMap<FuncId, FuncRef>);

impl Imports {
    /// The reference of a declared function.
    pub(super) fn get(
        &mut self,
        module: &mut dyn Module,
        id: FuncId,
        function: &mut Function,
    ) -> FuncRef {
        *self
            .0
            .entry(id)
            .or_insert_with(|| module.declare_func_in_func(id, function))
    }
}
