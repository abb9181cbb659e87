//! DWARF for debuggers: lines and functions, and the frames of `.eh_frame`.
//!
//! The same writer serves objects and the debugger interface of the JIT; they differ in the form
//! of an address: a symbol that the linker puts in, or a constant.
//!
//! Sections for debuggers must have alignment 1: units of several objects are concatenated, and
//! padding between them reads as the header of a unit.

use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use gimli::write::{
    Address, AttributeValue, DwarfUnit, EhFrame, EndianVec, FileId, FrameTable, LineProgram,
    LineString, RelocateWriter, Relocation, Sections,
};
use gimli::{DwLang, Encoding, Format, LineEncoding, LittleEndian};

use crate::air::Module;
use crate::lower::{Compiled, Lowered};
use crate::{Error, Prepared};

/// The language code of ASR, in the range that DWARF leaves to vendors.
const LANGUAGE: DwLang = DwLang(0x8a52);

/// The bytes of a section and the places in it that want an address.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) bytes: EndianVec<LittleEndian>,
    pub(crate) relocs: Vec<Relocation>,
}

impl Section {
    fn new() -> Section {
        Section {
            bytes: EndianVec::new(LittleEndian),
            relocs: Vec::new(),
        }
    }
}

impl RelocateWriter for Section {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.relocs.push(relocation);
    }
}

fn refused(error: &dyn std::fmt::Display) -> Error {
    Error::Cranelift(format!("debug information: {error}"))
}

/// `.debug_info`, `.debug_line` and what they need. `address` gives the address of the function
/// with this index in `lowered`; `span` is the number of bytes from the first function to the end
/// of the last.
pub(crate) fn debug(
    prepared: &Prepared,
    lowered: &Lowered,
    address: &dyn Fn(usize) -> Address,
    span: u64,
) -> Result<Sections<Section>, Error> {
    let air = prepared.module();
    let encoding = Encoding {
        format: Format::Dwarf32,
        version: 4,
        address_size: 8,
    };
    let mut dwarf = DwarfUnit::new(encoding);
    let text = |text: &str| AttributeValue::String(text.as_bytes().to_vec());
    let name = air.files.first().unwrap_or(&air.name);
    let directory = ".";
    dwarf.unit.line_program = line_program(air, lowered, encoding, address, name, directory);

    let root = dwarf.unit.root();
    let entry = dwarf.unit.get_mut(root);
    entry.set(gimli::DW_AT_producer, text("asr"));
    entry.set(gimli::DW_AT_language, AttributeValue::Language(LANGUAGE));
    entry.set(gimli::DW_AT_name, text(name));
    entry.set(gimli::DW_AT_comp_dir, text(directory));
    entry.set(gimli::DW_AT_stmt_list, AttributeValue::LineProgramRef);
    if !lowered.funcs.is_empty() {
        let low = AttributeValue::Address(address(0));
        entry.set(gimli::DW_AT_low_pc, low);
        entry.set(gimli::DW_AT_high_pc, AttributeValue::Udata(span));
    }
    for (i, func) in lowered.funcs.iter().enumerate() {
        let id = dwarf.unit.add(root, gimli::DW_TAG_subprogram);
        let entry = dwarf.unit.get_mut(id);
        entry.set(gimli::DW_AT_name, text(display_name(air, func)));
        entry.set(gimli::DW_AT_linkage_name, text(&func.name));
        entry.set(gimli::DW_AT_low_pc, AttributeValue::Address(address(i)));
        let len = AttributeValue::Udata(u64::from(func.len));
        entry.set(gimli::DW_AT_high_pc, len);
        entry.set(gimli::DW_AT_external, AttributeValue::Flag(true));
        let line = func.func.map_or(0, |id| air.funcs[id.index()].loc.line);
        if line != 0 {
            let line = AttributeValue::Udata(u64::from(line));
            entry.set(gimli::DW_AT_decl_line, line);
        }
    }
    let mut sections = Sections::new(Section::new());
    dwarf.write(&mut sections).map_err(|e| refused(&e))?;
    Ok(sections)
}

/// The name of a function for people; stubs and the shim are called by their symbol.
fn display_name<'a>(air: &'a Module, func: &'a Compiled) -> &'a str {
    match func.func {
        Some(id) => air.funcs[id.index()].display_name(),
        None => &func.name,
    }
}

fn line_program(
    air: &Module,
    lowered: &Lowered,
    encoding: Encoding,
    address: &dyn Fn(usize) -> Address,
    name: &str,
    directory: &str,
) -> LineProgram {
    let string = |text: &str| LineString::String(text.as_bytes().to_vec());
    let mut program = LineProgram::new(
        encoding,
        LineEncoding::default(),
        string(directory),
        None,
        string(name),
        None,
    );
    let directory = program.default_directory();
    let mut files: Vec<FileId> = Vec::with_capacity(air.files.len().max(1));
    for file in air.files.iter().map(String::as_str).chain([name]) {
        files.push(program.add_file(string(file), directory, None));
    }
    for (i, func) in lowered.funcs.iter().enumerate() {
        // Code before the first location belongs to the line of the declaration.
        let declared = func.func.map(|id| air.funcs[id.index()].loc);
        let declared = declared.filter(|loc| loc.is_some());
        let prologue = match (declared, func.locs.first()) {
            (_, Some(&(0, _))) => None,
            (Some(loc), _) => Some((0, loc)),
            (None, Some(&(_, loc))) => Some((0, loc)),
            (None, None) => None,
        };
        if prologue.is_none() && func.locs.is_empty() {
            continue;
        }
        program.begin_sequence(Some(address(i)));
        for (offset, loc) in prologue.into_iter().chain(func.locs.iter().copied()) {
            let row = program.row();
            row.address_offset = u64::from(offset);
            row.file = files[usize::from(loc.file).min(files.len() - 1)];
            row.line = u64::from(loc.line);
            row.column = u64::from(loc.col);
            program.generate_row();
        }
        program.end_sequence(u64::from(func.len));
    }
    program
}

/// `.eh_frame`. Relative addresses (`pcrel`) need no work of the loader in a position-independent
/// executable; without them, addresses must be constants.
pub(crate) fn eh_frame(
    lowered: &Lowered,
    isa: &dyn TargetIsa,
    address: &dyn Fn(usize) -> Address,
    pcrel: bool,
) -> Result<Section, Error> {
    let mut table = FrameTable::default();
    let mut cie = isa
        .create_systemv_cie()
        .ok_or_else(|| Error::Unsupported("unwind information for this target".to_owned()))?;
    cie.fde_address_encoding = if pcrel {
        gimli::DwEhPe(gimli::DW_EH_PE_pcrel.0 | gimli::DW_EH_PE_sdata4.0)
    } else {
        gimli::DW_EH_PE_absptr
    };
    let cie = table.add_cie(cie);
    for (i, func) in lowered.funcs.iter().enumerate() {
        if let Some(UnwindInfo::SystemV(info)) = &func.unwind {
            table.add_fde(cie, info.to_fde(address(i)));
        }
    }
    let mut section = EhFrame(Section::new());
    table
        .write_eh_frame(&mut section)
        .map_err(|e| refused(&e))?;
    Ok(section.0)
}
