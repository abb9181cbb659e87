//! Object files: ELF for both targets, linked by the system's `cc` with the runtime's archive.
//!
//! | section              | contents                                                           |
//! |----------------------|--------------------------------------------------------------------|
//! | `.text`              | the functions in order, the stubs, the `main` shim                 |
//! | `.data.rel.ro`       | the tables of the code record                                      |
//! | `asr_code`           | one `CodeRecord` (rule ABI-48)                                     |
//! | `asr_start`          | one `StartHandler` per repair handler of the module (rule ABI-18)  |
//! | `.eh_frame`, `.debug_*` | frames, lines and functions                                     |
//!
//! The linker concatenates `asr_code` and `asr_start` of all objects; the runtime finds them
//! between `__start_…` and `__stop_…`. Both are retained although nothing refers to them.

use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, UserFuncName};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module};
use cranelift_object::object::write::{
    Object, Relocation, SectionId, StandardSection, Symbol, SymbolId, SymbolSection,
};
use cranelift_object::object::{
    Architecture, BinaryFormat, Endianness, RelocationEncoding, RelocationFlags, RelocationKind,
    SectionFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};
use cranelift_object::{ObjectBuilder, ObjectModule};
use gimli::write::{Address, RelocationTarget};

use super::record::{self, Points};
use super::{dwarf, isa};
use crate::lower::{Lowered, Scratch, Want, define, lower};
use crate::{Error, Prepared, Target, air};

/// The runtime's function that runs a program: `int asr_program_start(int argc, char **argv,
/// Ret (*entry)(const Thread *th))`.
const PROGRAM_START: &str = "asr_program_start";
/// The same for an asynchronous function and the bytes of its frame: `int
/// asr_program_start_async(int argc, char **argv, Ret (*poll)(Frame *frame, const Thread *th),
/// uint64_t size)`.
const PROGRAM_START_ASYNC: &str = "asr_program_start_async";

/// Bytes of a `CodeRecord` and of a `StartHandler`.
const RECORD_BYTES: usize = size_of::<asr_abi::CodeRecord>();
const START_BYTES: usize = size_of::<asr_abi::StartHandler>();

/// Makes an object of a module. With `main`, the object also defines the C function `main`, which
/// hands the exported function of that name, without parameters, to `asr_program_start`.
///
/// # Errors
/// [`Error::Unsupported`] for a `main` that the module does not export; [`Error::Cranelift`] and
/// [`Error::UnknownIntrinsic`] as for any lowering.
pub fn emit(prepared: &Prepared, main: Option<&str>) -> Result<Vec<u8>, Error> {
    let isa = isa::isa(prepared.options(), true)?;
    let air = prepared.module();
    let names = cranelift_module::default_libcall_names();
    let mut module = ObjectModule::new(ObjectBuilder::new(isa, air.name.clone(), names)?);
    let want = Want {
        unwind: true,
        ..Want::default()
    };
    let mut lowered = lower(prepared, &mut module, main, want)?;
    if let Some(main) = main {
        let (entry, frame) = entry(air, &lowered, main)?;
        let (id, function) = main_shim(&mut module, entry, frame)?;
        let mut scratch = Scratch::take();
        *scratch.function() = function;
        let mut shim = define(&mut module, id, &mut scratch, &[], want)?;
        shim.name = "main".to_owned();
        lowered.funcs.push(shim);
    }
    let eh_isa = isa::isa(prepared.options(), true)?;
    let product = module.finish();
    let symbols: Vec<SymbolId> = lowered
        .funcs
        .iter()
        .map(|func| product.function_symbol(func.id))
        .collect();
    let mut writer = Writer {
        object: product.object,
        symbols,
    };
    writer.records(prepared, &lowered)?;
    writer.start_handlers(air)?;
    let address = |symbol: usize| Address::Symbol { symbol, addend: 0 };
    writer.debug(prepared, &lowered, &*eh_isa, &address, true)?;
    writer.object.write().map_err(|error| refused(&error))
}

/// An ELF image of code that is in memory already: absolute symbols, frames, lines. `address` gives
/// the address of the function with this index in `lowered`.
pub(super) fn image(
    prepared: &Prepared,
    lowered: &Lowered,
    isa: &dyn TargetIsa,
    address: &dyn Fn(usize) -> u64,
) -> Result<Vec<u8>, Error> {
    let architecture = match isa::target(prepared.options())? {
        Target::X86_64 => Architecture::X86_64,
        Target::Aarch64 => Architecture::Aarch64,
    };
    let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    let symbols = lowered.funcs.iter().enumerate().map(|(index, func)| {
        object.add_symbol(Symbol {
            name: func.name.as_bytes().to_vec(),
            value: address(index),
            size: u64::from(func.len),
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Absolute,
            flags: SymbolFlags::None,
        })
    });
    let symbols = symbols.collect();
    let mut writer = Writer { object, symbols };
    let constant = |index: usize| Address::Constant(address(index));
    writer.debug(prepared, lowered, isa, &constant, false)?;
    writer.object.write().map_err(|error| refused(&error))
}

fn refused(error: &dyn std::fmt::Display) -> Error {
    Error::Cranelift(format!("object: {error}"))
}

/// The function that the `main` shim starts, and the bytes of its frame if it is asynchronous.
fn entry(air: &air::Module, lowered: &Lowered, main: &str) -> Result<(FuncId, Option<u32>), Error> {
    let found = lowered.funcs.iter().find(|compiled| {
        let func = compiled.func.map(|id| &air.funcs[id.index()]);
        func.is_some_and(|f| f.name == main && f.linkage == air::Linkage::Export && f.params == 0)
    });
    let missing = || {
        Error::Unsupported(format!(
            "`{main}` is no exported function without parameters"
        ))
    };
    let found = found.ok_or_else(missing)?;
    let frame = found
        .func
        .and_then(|id| lowered.frames[id.index()].as_ref());
    Ok((found.id, frame.map(|plan| plan.size)))
}

/// `int main(int argc, char **argv) { return asr_program_start(argc, argv, &entry); }`, or
/// `asr_program_start_async(argc, argv, &entry, frame)`.
fn main_shim(
    module: &mut ObjectModule,
    entry: FuncId,
    frame: Option<u32>,
) -> Result<(FuncId, Function), Error> {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params = vec![AbiParam::new(I32), AbiParam::new(I64)];
    signature.returns = vec![AbiParam::new(I32)];
    let mut start = signature.clone();
    start.params.push(AbiParam::new(I64));
    let name = match frame {
        None => PROGRAM_START,
        Some(_) => {
            start.params.push(AbiParam::new(I64));
            PROGRAM_START_ASYNC
        }
    };
    let start = module.declare_function(name, Linkage::Import, &start)?;
    let id = module.declare_function("main", Linkage::Export, &signature)?;

    let name = UserFuncName::user(0, id.as_u32());
    let mut function = Function::with_name_signature(name, signature);
    let mut cx = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(&mut function, &mut cx);
    let block = b.create_block();
    b.append_block_params_for_function_params(block);
    b.switch_to_block(block);
    b.seal_block(block);
    let mut args = b.block_params(block).to_vec();
    let entry = module.declare_func_in_func(entry, b.func);
    args.push(b.ins().func_addr(I64, entry));
    if let Some(frame) = frame {
        args.push(b.ins().iconst(I64, i64::from(frame)));
    }
    let start = module.declare_func_in_func(start, b.func);
    let call = b.ins().call(start, &args);
    let results = b.inst_results(call).to_vec();
    b.ins().return_(&results);
    b.finalize(module.target_config());
    Ok((id, function))
}

/// Adds to an object what Cranelift does not.
struct Writer {
    object: Object<'static>,
    /// Symbols of `Lowered::funcs`.
    symbols: Vec<SymbolId>,
}

impl Writer {
    /// The tables and the code record that points to them.
    fn records(&mut self, prepared: &Prepared, lowered: &Lowered) -> Result<(), Error> {
        let blob = record::blob(prepared.module(), lowered);
        let section = self.object.section_id(StandardSection::ReadOnlyDataWithRel);
        let at = self.object.append_section_data(section, &blob.bytes, 8);
        let tables = self.object.add_symbol(Symbol {
            name: b"asr.tables".to_vec(),
            value: at,
            size: blob.bytes.len() as u64,
            kind: SymbolKind::Data,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
        for (place, to) in blob.pointers {
            let place = at + place as u64;
            match to {
                Points::Code(index) => self.pointer(section, place, self.symbols[index], 0)?,
                Points::Blob(offset) => self.pointer(section, place, tables, offset as i64)?,
            }
        }

        let mut bytes = [0; RECORD_BYTES];
        bytes[8..16].copy_from_slice(&self.code_bytes(lowered).to_le_bytes());
        bytes[32..40].copy_from_slice(&u64::from(asr_abi::VERSION).to_le_bytes());
        let section = self.kept_section(b"asr_code", &bytes);
        if let Some(&first) = self.symbols.first() {
            self.pointer(section, 0, first, 0)?;
        }
        self.pointer(section, 16, tables, 0)?;
        self.pointer(section, 24, tables, record::FRAMES_AT as i64)
    }

    /// Bytes from the first function's first byte to the last one's end.
    fn code_bytes(&self, lowered: &Lowered) -> u64 {
        let at = |index: usize| self.object.symbol(self.symbols[index]).value;
        match lowered.funcs.last() {
            Some(last) => at(self.symbols.len() - 1) + u64::from(last.len) - at(0),
            None => 0,
        }
    }

    /// The repair handlers that the runtime registers before the program starts.
    fn start_handlers(&mut self, air: &air::Module) -> Result<(), Error> {
        if air.handlers.is_empty() {
            return Ok(());
        }
        let mut bytes = vec![0; air.handlers.len() * START_BYTES];
        for (handler, bytes) in air.handlers.iter().zip(bytes.chunks_mut(START_BYTES)) {
            bytes[..8].copy_from_slice(&handler.type_id.to_le_bytes());
            bytes[16..].copy_from_slice(&handler.bound_ns.to_le_bytes());
        }
        let section = self.kept_section(b"asr_start", &bytes);
        for (i, handler) in air.handlers.iter().enumerate() {
            let symbol = self.symbols[handler.func.index()];
            self.pointer(section, (i * START_BYTES + 8) as u64, symbol, 0)?;
        }
        Ok(())
    }

    fn debug(
        &mut self,
        prepared: &Prepared,
        lowered: &Lowered,
        isa: &dyn TargetIsa,
        address: &dyn Fn(usize) -> Address,
        pcrel: bool,
    ) -> Result<(), Error> {
        let frames = dwarf::eh_frame(lowered, isa, address, pcrel)?;
        let eh_frame = self.object.section_id(StandardSection::EhFrame);
        let bytes = frames.bytes.slice();
        self.object.append_section_data(eh_frame, bytes, 8);

        let span = self.code_bytes(lowered);
        let sections = dwarf::debug(prepared, lowered, address, span)?;
        let mut written = vec![];
        sections.for_each(|id, section| {
            if !section.bytes.slice().is_empty() {
                let name = id.name().as_bytes().to_vec();
                let made = self.object.add_section(vec![], name, SectionKind::Debug);
                self.object
                    .append_section_data(made, section.bytes.slice(), 1);
                written.push((id, made, section.relocs.clone()));
            }
            Ok::<(), Error>(())
        })?;
        let ids: Vec<_> = written.iter().map(|&(id, made, _)| (id, made)).collect();
        let sections = written.into_iter().map(|(_, made, relocs)| (made, relocs));
        for (section, relocs) in sections.chain([(eh_frame, frames.relocs)]) {
            for reloc in relocs {
                let symbol = match reloc.target {
                    RelocationTarget::Symbol(index) => self.symbols[index],
                    RelocationTarget::Section(id) => {
                        let found = ids.iter().find(|(other, _)| *other == id);
                        let missing = || refused(&"a reference to an empty section");
                        let &(_, made) = found.ok_or_else(missing)?;
                        self.object.section_symbol(made)
                    }
                };
                let relative = reloc
                    .eh_pe
                    .is_some_and(|pe| pe.application() == gimli::DW_EH_PE_pcrel);
                let kind = if relative {
                    RelocationKind::Relative
                } else {
                    RelocationKind::Absolute
                };
                self.relocate(
                    section,
                    reloc.offset as u64,
                    symbol,
                    reloc.addend,
                    kind,
                    reloc.size * 8,
                )?;
            }
        }
        Ok(())
    }

    /// A section that the linker keeps although nothing refers to it.
    fn kept_section(&mut self, name: &[u8], bytes: &[u8]) -> SectionId {
        let kind = SectionKind::ReadOnlyDataWithRel;
        let section = self.object.add_section(vec![], name.to_vec(), kind);
        self.object.append_section_data(section, bytes, 8);
        if let SectionFlags::Elf { sh_flags, .. } = self.object.section_flags_mut(section) {
            *sh_flags |= u64::from(elf::SHF_GNU_RETAIN);
        }
        section
    }

    /// An address of eight bytes.
    fn pointer(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
        addend: i64,
    ) -> Result<(), Error> {
        self.relocate(
            section,
            offset,
            symbol,
            addend,
            RelocationKind::Absolute,
            64,
        )
    }

    fn relocate(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
        addend: i64,
        kind: RelocationKind,
        size: u8,
    ) -> Result<(), Error> {
        let encoding = RelocationEncoding::Generic;
        let flags = RelocationFlags::Generic {
            kind,
            encoding,
            size,
        };
        let relocation = Relocation {
            offset,
            symbol,
            addend,
            flags,
        };
        let added = self.object.add_relocation(section, relocation);
        added.map_err(|error| refused(&error))
    }
}
