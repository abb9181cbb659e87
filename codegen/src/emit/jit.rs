//! Code in memory: one unit, one arena, freed whole.
//!
//! Protocol of loading
//! 1. Every symbol that the unit refers to is found among those that the caller gives; none is
//!    looked up elsewhere.
//! 2. All functions are compiled into the arena, then its pages become read-only and executable in
//!    one step; no page is ever writable and executable (rule ABI-36).
//! 3. The code record is registered, then each repair handler (rule ABI-18).
//! 4. Only then does the caller get the unit, and with it addresses.
//!
//! Releasing goes backwards: the runtime is asked first, and may refuse with BUSY while a frame, a
//! handler or a cell refers to the unit; then nothing changes. A unit that is dropped while it is
//! refused stays mapped forever, because code that may run must not vanish.
#![allow(
    unsafe_code,
    reason = "gives out and frees memory that holds code, which may move between threads"
)]

use std::collections::{HashMap, HashSet};

use asr_abi::{CodeRecord, StartHandler, status};
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{Linkage, Module};

use super::{gdb, isa, object, record};
use crate::air;
use crate::lower::{Lowered, Want, lower};
use crate::{Error, Prepared, Target};

/// The runtime, as far as loading code concerns it. Statuses are those of [`asr_abi::status`].
pub trait Registry: Send + Sync {
    /// Registers a code record, before any of its code runs. The record stays valid and in place
    /// until `unregister` has answered OK.
    fn register(&self, record: *const CodeRecord) -> u32;
    /// Removes it, its handlers included, after which none of its code may run; BUSY while
    /// something refers to it.
    fn unregister(&self, record: *const CodeRecord) -> u32;
    /// Registers a repair handler of a unit whose record is registered.
    fn handler(&self, handler: &StartHandler) -> u32;
}

/// What compiling one function took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FuncStats {
    /// Its symbol.
    pub name: String,
    /// Bytes of code.
    pub code_bytes: u32,
    /// Instructions of CLIF.
    pub clif_insts: usize,
    /// Time to build the CLIF, in ns.
    pub build_ns: u64,
    /// Time in Cranelift, in ns.
    pub compile_ns: u64,
}

/// An exported function.
struct Exported {
    code: *const u8,
    /// Bytes of its frame, if it is asynchronous.
    frame: Option<u32>,
}

/// A loaded unit.
pub struct Unit {
    /// Taken out to free its memory.
    module: Option<JITModule>,
    registry: Box<dyn Registry>,
    exports: HashMap<String, Exported>,
    record: Box<CodeRecord>,
    /// The tables that the record points to; never changed after it was built.
    _tables: Box<[u64]>,
    stats: Vec<FuncStats>,
    /// What debuggers know of the code; gone before the code is.
    debugger: Option<gdb::Image>,
}

// SAFETY: the raw pointers are addresses in the unit's own arena and tables, which nobody writes
// after `load`; the mutable cells of the program in the arena are reached by its code only, under
// the rules of the program. `JITModule` is `Send`, and `&Unit` gives no access to it.
unsafe impl Send for Unit {}
// SAFETY: as above: `&Unit` only reads what `load` wrote.
unsafe impl Sync for Unit {}

impl Unit {
    /// Compiles, links and registers a module. `symbols` are the names and addresses of all that
    /// it may call: `asr_checkpoint`, `asr_i_…`, its C functions.
    ///
    /// # Errors
    /// [`Error::UnknownSymbols`] names every symbol without an address; [`Error::Unsupported`] for
    /// another target than this machine; [`Error::Refused`] with the runtime's status. Nothing
    /// stays behind.
    pub fn load(
        prepared: &Prepared,
        symbols: &[(&str, *const u8)],
        registry: Box<dyn Registry>,
    ) -> Result<Unit, Error> {
        let (mut module, lowered) = compile(prepared, symbols)?;
        if let Err(error) = module.finalize_definitions() {
            free(module);
            return Err(error.into());
        }
        let debugger = match Unit::describe(prepared, &module, &lowered) {
            Ok(image) => image,
            Err(error) => {
                free(module);
                return Err(error);
            }
        };
        let mut unit = Unit::assemble(prepared.module(), module, &lowered, registry);
        unit.debugger = debugger;
        unit.register(prepared.module())?;
        Ok(unit)
    }

    /// The address of an exported function: `Ret f(const Thread *th, args...)`, or of the code
    /// `Ret poll(Frame *frame, const Thread *th)` of an asynchronous one.
    pub fn lookup(&self, name: &str) -> Option<*const u8> {
        Some(self.exports.get(name)?.code)
    }

    /// Bytes of the frame of an exported asynchronous function; its arguments are words behind the
    /// header. None for any other.
    pub fn frame_size(&self, name: &str) -> Option<u32> {
        self.exports.get(name)?.frame
    }

    /// The registered record.
    pub fn record(&self) -> &CodeRecord {
        &self.record
    }

    /// What compiling each function took, stubs included.
    pub fn stats(&self) -> &[FuncStats] {
        &self.stats
    }

    /// Unregisters the unit and frees its memory.
    ///
    /// # Errors
    /// [`Error::Busy`] while something refers to it; the unit comes back and stays loaded.
    pub fn release(mut self) -> Result<(), (Box<Unit>, Error)> {
        match self.registry.unregister(&*self.record) {
            status::OK => {
                self.debugger = None;
                if let Some(module) = self.module.take() {
                    free(module);
                }
                Ok(())
            }
            status::BUSY => Err((Box::new(self), Error::Busy)),
            status => {
                let what = "to release a unit".to_owned();
                Err((Box::new(self), Error::Refused { what, status }))
            }
        }
    }

    fn assemble(
        air: &air::Module,
        module: JITModule,
        lowered: &Lowered,
        registry: Box<dyn Registry>,
    ) -> Unit {
        let address = |index: usize| module.get_finalized_function(lowered.funcs[index].id);
        let mut exports = HashMap::new();
        let (mut base, mut end) = (usize::MAX, 0);
        for (index, compiled) in lowered.funcs.iter().enumerate() {
            let start = address(index).addr();
            base = base.min(start);
            end = end.max(start + compiled.len as usize);
            let func = compiled.func.map(|id| &air.funcs[id.index()]);
            if func.is_some_and(|func| func.linkage == air::Linkage::Export) {
                let frame = compiled
                    .func
                    .and_then(|id| lowered.frames[id.index()].as_ref());
                let exported = Exported {
                    code: address(index),
                    frame: frame.map(|plan| plan.size),
                };
                exports.insert(compiled.name.clone(), exported);
            }
        }
        let blob = record::blob(air, lowered);
        let tables = blob.into_memory(|index| address(index).expose_provenance() as u64);
        let first = tables.as_ptr().cast::<u8>();
        let record = Box::new(CodeRecord {
            base: std::ptr::with_exposed_provenance(if end == 0 { 0 } else { base }),
            len: end.saturating_sub(base) as u64,
            sites: first.cast(),
            frames: first.wrapping_add(record::FRAMES_AT).cast(),
            version: u64::from(asr_abi::VERSION),
        });
        let stats = lowered.funcs.iter().map(|compiled| FuncStats {
            name: compiled.name.clone(),
            code_bytes: compiled.len,
            clif_insts: compiled.clif_insts,
            build_ns: compiled.build_ns,
            compile_ns: compiled.compile_ns,
        });
        let stats = stats.collect();
        Unit {
            module: Some(module),
            registry,
            exports,
            record,
            _tables: tables,
            stats,
            debugger: None,
        }
    }

    /// Tells debuggers and profilers, if asked to.
    fn describe(
        prepared: &Prepared,
        module: &JITModule,
        lowered: &Lowered,
    ) -> Result<Option<gdb::Image>, Error> {
        let address = |index: usize| {
            module
                .get_finalized_function(lowered.funcs[index].id)
                .addr() as u64
        };
        if prepared.options().perf_map {
            perf_map(lowered, &address).map_err(|error| Error::Unsupported(error.to_string()))?;
        }
        if !prepared.options().debugger {
            return Ok(None);
        }
        let image = object::image(prepared, lowered, module.isa(), &address)?;
        Ok(Some(gdb::Image::register(image.into_boxed_slice())))
    }

    /// Registers the record and the handlers. If a handler is refused, the caller drops the unit,
    /// which unregisters the record and frees the memory.
    fn register(&mut self, air: &air::Module) -> Result<(), Error> {
        let refused = |what: &str, status| Error::Refused {
            what: what.to_owned(),
            status,
        };
        match self.registry.register(&*self.record) {
            status::OK => {}
            status => {
                // There is nothing to unregister.
                self.debugger = None;
                if let Some(module) = self.module.take() {
                    free(module);
                }
                return Err(refused("the code record", status));
            }
        }
        for handler in &air.handlers {
            let entry = StartHandler {
                type_id: handler.type_id,
                handler: self.handler_address(handler.func).cast(),
                bound_ns: handler.bound_ns,
            };
            match self.registry.handler(&entry) {
                status::OK => {}
                status => return Err(refused("a repair handler", status)),
            }
        }
        Ok(())
    }

    /// The address of a function by its number, from the registered table.
    fn handler_address(&self, func: air::FuncId) -> *const u8 {
        // SAFETY: `assemble` built the table with one entry per function of the module, in their
        // order, and it lives as long as `self`.
        unsafe { (*(*self.record.sites).funcs.add(func.index())).entry }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if let Some(module) = self.module.take()
            && self.registry.unregister(&*self.record) == status::OK
        {
            self.debugger = None;
            free(module);
        }
        // Refused: dropping the module leaves its memory mapped, and debuggers may go on reading.
        std::mem::forget(self.debugger.take());
    }
}

/// Frees the arena of a module.
fn free(module: JITModule) {
    // SAFETY: either no address of the module was ever given out, or the runtime has answered that
    // none of its code runs or will run, and the caller of `lookup` was told so.
    unsafe { module.free_memory() }
}

/// Compiles into an arena of the estimated size, and once more if that was too small.
fn compile(
    prepared: &Prepared,
    symbols: &[(&str, *const u8)],
) -> Result<(JITModule, Lowered), Error> {
    if super::isa::target(prepared.options())? != host()? {
        return Err(Error::Unsupported("running another target's code".into()));
    }
    let mut size = estimate(prepared.module());
    for _ in 0..4 {
        match compile_into(prepared, symbols, size) {
            Err(Error::Memory(_)) => size *= 4,
            other => return other,
        }
    }
    compile_into(prepared, symbols, size)
}

fn compile_into(
    prepared: &Prepared,
    symbols: &[(&str, *const u8)],
    size: usize,
) -> Result<(JITModule, Lowered), Error> {
    let isa = isa::isa(prepared.options(), false)?;
    let mut builder = JITBuilder::with_isa(isa, cranelift_module::default_libcall_names());
    builder.symbols(symbols.iter().copied());
    let arena = ArenaMemoryProvider::new_with_size(size)
        .map_err(|error| Error::Memory(error.to_string()))?;
    builder.memory_provider(Box::new(arena));
    let mut module = JITModule::new(builder);
    let want = Want {
        unwind: prepared.options().debugger,
        ..Want::default()
    };
    let lowered = lower(prepared, &mut module, None, want);
    let lowered = lowered.and_then(|lowered| {
        every_symbol_known(&module, symbols)?;
        Ok(lowered)
    });
    match lowered {
        Ok(lowered) => Ok((module, lowered)),
        Err(error) => {
            free(module);
            Err(error)
        }
    }
}

/// Refuses before the JIT would panic on a symbol, or find one of the process that nobody meant.
fn every_symbol_known(module: &JITModule, symbols: &[(&str, *const u8)]) -> Result<(), Error> {
    let known: HashSet<&str> = symbols.iter().map(|(name, _)| *name).collect();
    let mut missing: Vec<String> = module
        .declarations()
        .get_functions()
        .filter(|(_, declaration)| declaration.linkage == Linkage::Import)
        .filter_map(|(_, declaration)| declaration.name.clone())
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    missing.sort();
    Err(Error::UnknownSymbols(missing))
}

/// Bytes of address space for a module: generous, since untouched pages cost nothing.
fn estimate(module: &air::Module) -> usize {
    const PAGE: usize = 4096;
    // About 10 bytes per instruction on the hot path, and 40 in cold blocks where it may fail.
    const PER_INST: usize = 96;
    const PER_FUNC: usize = 512;
    let insts: usize = module
        .funcs
        .iter()
        .flat_map(|func| &func.blocks)
        .map(|block| block.insts.len() + 1)
        .sum();
    let data: usize = module.data.iter().map(|item| item.bytes.len() + 16).sum();
    let code = insts * PER_INST + module.funcs.len() * PER_FUNC;
    data + module.globals.len() * 8 + code + 4 * PAGE
}

/// Appends the functions to the file in which `perf` looks for them.
fn perf_map(lowered: &Lowered, address: &dyn Fn(usize) -> u64) -> std::io::Result<()> {
    use std::io::Write;
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.append(true).create(true).open(path)?;
    for (index, func) in lowered.funcs.iter().enumerate() {
        writeln!(file, "{:x} {:x} {}", address(index), func.len, func.name)?;
    }
    Ok(())
}

fn host() -> Result<Target, Error> {
    let unsupported = || Error::Unsupported("running code on this machine".to_owned());
    let host = Target::host().ok_or_else(unsupported)?;
    #[cfg(target_arch = "x86_64")]
    if !(std::is_x86_feature_detected!("sse4.2") && std::is_x86_feature_detected!("popcnt")) {
        return Err(unsupported());
    }
    Ok(host)
}
