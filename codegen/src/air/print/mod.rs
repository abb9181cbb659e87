//! The canonical text form of a module. `parse(print(m)) == m` for every module that verifies.
//! (A location without a line is no location: its file and column are not printed.)
//!
//! Printing never fails: an index that is out of range prints as `?` with its number, so that a
//! broken module can still be looked at.

mod inst;
mod literal;

use std::fmt::{self, Write};

use super::module::{Function, Linkage, Module};
use super::types::Signature;
use super::{Loc, Op};

/// Column at which the location of an instruction stands when there is room.
const LOC_COLUMN: usize = 50;

/// Prints a module.
pub fn print(module: &Module) -> String {
    module.to_string()
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "module {} unit {}",
            literal::quoted(&self.name),
            self.unit
        )?;
        for table in &self.tables {
            writeln!(f, "use {}", literal::name(table))?;
        }
        for file in &self.files {
            writeln!(f, "file {}", literal::quoted(file))?;
        }
        if !sigs_in_order_of_use(self) {
            for sig in &self.sigs {
                writeln!(f, "sig {}", signature(sig))?;
            }
        }
        for data in &self.data {
            let bytes = literal::Bytes(&data.bytes);
            writeln!(f, "data @{} = {bytes}", literal::name(&data.name))?;
        }
        for global in &self.globals {
            let init = literal::immediate(Some(global.ty), global.init);
            writeln!(
                f,
                "global @{}: {} = {init}",
                literal::name(&global.name),
                global.ty
            )?;
        }
        for ext in &self.externs {
            let sig = signature(&ext.sig);
            writeln!(
                f,
                "extern fn @{}{sig}{}",
                literal::name(&ext.name),
                after(ext.loc)
            )?;
        }
        for handler in &self.handlers {
            let func = self.funcs.get(handler.func.index());
            write!(f, "handler {:#x} @", handler.type_id)?;
            match func {
                Some(func) => write!(f, "{}", literal::name(&func.name))?,
                None => write!(f, "?{}", handler.func.0)?,
            }
            match handler.bound_ns {
                0 => f.write_str(" slow")?,
                ns => write!(f, " fast {ns}")?,
            }
            writeln!(f, "{}", after(handler.loc))?;
        }
        for func in &self.funcs {
            f.write_char('\n')?;
            function(f, self, func)?;
        }
        Ok(())
    }
}

/// Whether parsing the call sites alone gives the same list of signatures.
fn sigs_in_order_of_use(module: &Module) -> bool {
    let mut next = 0;
    for func in &module.funcs {
        for inst in func.blocks.iter().flat_map(|block| &block.insts) {
            if let Op::CallIndirect { sig, .. }
            | Op::AwaitIndirect { sig, .. }
            | Op::SpawnIndirect { sig, .. } = inst.op
            {
                match sig.index() {
                    n if n < next => {}
                    n if n == next && n < module.sigs.len() => next += 1,
                    _ => return false,
                }
            }
        }
    }
    next == module.sigs.len()
}

fn function(f: &mut fmt::Formatter<'_>, module: &Module, func: &Function) -> fmt::Result {
    if func.linkage == Linkage::Export {
        f.write_str("export ")?;
    }
    if func.is_async {
        f.write_str("async ")?;
    }
    write!(f, "fn @{}(", literal::name(&func.name))?;
    let params = (func.params as usize).min(func.locals.len());
    for (i, local) in func.locals[..params].iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}%{}: {}", literal::name(&local.name), local.ty)?;
    }
    f.write_char(')')?;
    if let Some(ret) = func.ret {
        write!(f, " -> {ret}")?;
    }
    if func.throws {
        f.write_str(" throws")?;
    }
    if let Some(title) = &func.title {
        write!(f, " title {}", literal::quoted(title))?;
    }
    writeln!(f, "{} {{", after(func.loc))?;
    for local in &func.locals[params..] {
        writeln!(f, "  local %{}: {}", literal::name(&local.name), local.ty)?;
    }
    for slot in &func.slots {
        let name = literal::name(&slot.name);
        writeln!(f, "  slot ${name} {} align {}", slot.size, slot.align)?;
    }
    let mut line = String::new();
    for block in &func.blocks {
        let cold = if block.cold { " cold" } else { "" };
        writeln!(f, "{}:{cold}", literal::name(&block.name))?;
        let printer = inst::Printer { module, func };
        for inst in &block.insts {
            line.clear();
            printer.inst(&mut line, inst)?;
            end_line(f, &line, inst.loc)?;
        }
        line.clear();
        printer.term(&mut line, &block.term)?;
        end_line(f, &line, block.term_loc)?;
    }
    writeln!(f, "}}")
}

fn end_line(f: &mut fmt::Formatter<'_>, line: &str, loc: Loc) -> fmt::Result {
    f.write_str(line)?;
    if loc.is_some() {
        for _ in line.len()..LOC_COLUMN {
            f.write_char(' ')?;
        }
        f.write_str(&after(loc))?;
    }
    f.write_char('\n')
}

/// A location behind something, with the blank before it; nothing when there is none.
fn after(loc: Loc) -> String {
    match loc {
        loc if !loc.is_some() => String::new(),
        Loc { file: 0, line, col } => format!(" !{line}:{col}"),
        Loc { file, line, col } => format!(" !{file}:{line}:{col}"),
    }
}

/// A signature as after the name of an `extern fn`, or in an indirect call.
pub(super) fn signature(sig: &Signature) -> String {
    let params: Vec<_> = sig.params.iter().map(|ty| ty.name()).collect();
    let ret = sig.ret.map(|ty| format!(" -> {ty}")).unwrap_or_default();
    let throws = if sig.throws { " throws" } else { "" };
    format!("({}){ret}{throws}", params.join(", "))
}
