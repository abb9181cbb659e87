//! Reading a program: the text of a file to a module of AIR, or messages.

use std::io::IsTerminal as _;
use std::path::Path;

use asr_codegen::air::{self, Module};
use asr_codegen::{OptLevel, Options, Prepared, ProbeMode};
use asr_intrinsics::Table;

use super::cli::{AllowArgs, CodeArgs, Opt, Probes};
use super::{Done, EXIT_COMPILE};
use crate::diag::{Diagnostic, ERRORS_MAX, SourceFile, code, render};
use crate::lower::MAIN_SYMBOL;
use crate::syntax::Span;
use crate::syntax::span::LineCol;

/// Number of the unit of a whole program.
pub(super) const UNIT: u16 = 1;

/// Files above this are refused: places in them would not fit.
const BYTES_MAX: u64 = 1 << 30;

/// Compile the program at `path`; what is wrong with it is printed.
pub(super) fn load(path: &Path, allow: AllowArgs) -> Result<Module, i32> {
    let name = path.display().to_string();
    let bytes = read(path).map_err(|error| {
        eprintln!("[{}] error: cannot read '{name}': {error}", code::FILE);
        EXIT_COMPILE
    })?;
    let file = SourceFile::new(name, bytes);
    let module = match path.extension() {
        Some(extension) if extension == "air" => load_air(&file, allow),
        _ => crate::compile::compile(&file, UNIT).and_then(|module| own_work(&file, module, allow)),
    };
    let print = |list: &[Diagnostic]| {
        let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        for diag in list {
            eprint!("{}", render(&file, diag, color));
        }
    };
    match module {
        Ok((module, warnings)) => {
            print(&warnings);
            Ok(module)
        }
        Err(list) => {
            print(&list);
            let errors = if list.len() == 1 { "error" } else { "errors" };
            eprintln!(
                "{}: {} {errors}; 'proxplc explain CODE' tells more",
                file.name,
                list.len()
            );
            Err(EXIT_COMPILE)
        }
    }
}

/// A module with warnings, or errors.
type Checked = Result<(Module, Vec<Diagnostic>), Vec<Diagnostic>>;

/// The tables of intrinsics that there are.
pub fn tables() -> [&'static Table; 4] {
    use asr_intrinsics::{CORE, SYNC, TASKS};
    [&CORE, &asr_value::TABLE, &TASKS, &SYNC]
}

/// Read a module in text form, and verify it.
fn load_air(file: &SourceFile, allow: AllowArgs) -> Checked {
    let about_text = |e: air::TextError| located(file, e.code, e.span, e.message);
    let parsed = air::parse(&file.bytes)
        .map_err(|errors| errors.into_iter().map(about_text).collect::<Vec<_>>())?;
    verified(parsed.module, allow, |e| {
        let mut diag = located(file, e.code, parsed.spans.of(e.place), e.message);
        for note in e.notes {
            diag = diag.related(span(file, parsed.spans.of(note.place)), note.message);
        }
        diag
    })
}

/// Verify what the front end made. An error here is one of ours, and says so, but for a handle
/// that the program loses or uses twice.
fn own_work(file: &SourceFile, module: Module, allow: AllowArgs) -> Checked {
    let at = |loc: air::Loc| air::Span {
        line: loc.line,
        col: loc.col,
    };
    verified(module, allow, |e| {
        if !e.is_leak() && e.code != air::code::HANDLE_SPENT {
            let message = format!("the compiler made wrong code: {e}");
            return located(file, code::BACKEND, at(e.loc), message);
        }
        let mut diag = located(file, e.code, at(e.loc), e.message);
        for note in e.notes.into_iter().filter(|note| note.loc.is_some()) {
            diag = diag.related(span(file, at(note.loc)), note.message);
        }
        diag
    })
}

/// The module with its warnings, each as a finding.
fn verified(
    module: Module,
    allow: AllowArgs,
    about: impl Fn(air::VerifyError) -> Diagnostic,
) -> Checked {
    let severity = air::Severity {
        allow_leaks: allow.leaks(),
    };
    let checked = air::verify_with(&module, &tables(), severity);
    let warnings = match checked.map(|verified| verified.warnings().to_vec()) {
        Ok(warnings) => warnings,
        Err(errors) => return Err(errors.into_iter().take(ERRORS_MAX).map(about).collect()),
    };
    let warn = |error| Diagnostic {
        is_warning: true,
        ..about(error)
    };
    let warnings = warnings.into_iter().take(ERRORS_MAX).map(warn).collect();
    Ok((module, warnings))
}

/// A finding about a line and column of the text.
fn located(file: &SourceFile, code: &'static str, at: air::Span, message: String) -> Diagnostic {
    Diagnostic::new(code, span(file, at), message)
}

/// One character at a line and column of the text.
fn span(file: &SourceFile, at: air::Span) -> Span {
    let start = file.lines.offset(LineCol {
        line: at.line,
        column: at.col,
    });
    Span {
        start,
        end: start + 1,
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > BYTES_MAX {
        return Err(std::io::Error::other("the file is larger than a gibibyte"));
    }
    std::fs::read(path)
}

/// Write `bytes` to a file, or to standard output.
pub(super) fn write(output: Option<&Path>, bytes: &[u8]) -> Done {
    use std::io::Write as _;
    let result = match output {
        Some(path) => std::fs::write(path, bytes),
        None => std::io::stdout().lock().write_all(bytes),
    };
    result.map_err(|error| {
        let place = output.map_or("standard output".into(), |p| p.display().to_string());
        eprintln!("[{}] error: cannot write '{place}': {error}", code::FILE);
        super::EXIT_ERROR
    })
}

/// A program, which has a main function; a module may do without.
pub(super) fn load_program(path: &Path, allow: AllowArgs) -> Result<Module, i32> {
    let module = load(path, allow)?;
    let is_main = |f: &air::Function| {
        f.name == MAIN_SYMBOL
            && f.linkage == air::Linkage::Export
            && f.params == 0
            && f.ret.is_none()
    };
    if module.funcs.iter().any(is_main) {
        return Ok(module);
    }
    let name = path.display();
    eprintln!(
        "[{}] error: {name}:1:1: it exports no function @{MAIN_SYMBOL}()",
        code::NO_MAIN
    );
    Err(EXIT_COMPILE)
}

/// Place the probes.
pub(super) fn prepare(module: &Module, args: &CodeArgs) -> Result<Prepared, i32> {
    let options = Options {
        probes: match args.probes {
            Probes::Off => ProbeMode::Off,
            Probes::Auto => ProbeMode::Auto,
            Probes::Every => ProbeMode::Every,
        },
        force_slow: args.force_slow,
        opt: match args.opt {
            Opt::None => OptLevel::None,
            Opt::Speed => OptLevel::Speed,
        },
        allow_leaks: args.allow.leaks(),
        ..Options::default()
    };
    asr_codegen::prepare(module, &tables(), &options).map_err(|error| broken(&error))
}

/// The code generator failed.
pub(super) fn broken(error: &asr_codegen::Error) -> i32 {
    if let asr_codegen::Error::UnknownSymbols(_) = error {
        eprintln!("[{}] error: {error}", code::LINK);
        return EXIT_COMPILE;
    }
    eprintln!("[{}] error: {error}", code::BACKEND);
    super::EXIT_ERROR
}
