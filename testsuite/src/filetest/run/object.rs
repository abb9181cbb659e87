//! Objects of many filetests, linked once with the C stub and one driver, and run natively or under
//! qemu.
//!
//! Linking per file would cost more than everything else together; so exported names get a prefix
//! per file (see [`rename`]), and all calls become one table in C.

use std::path::PathBuf;
use std::process::Command;

use asr_codegen::air::{Linkage, Module};

use super::call::{Call, Outcome};
use super::stub::armed_words;
use super::tool;

/// Where the executable runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// This machine.
    Native,
    /// An aarch64 under qemu-user.
    Aarch64,
}

/// Objects and the calls into them.
#[derive(Debug, Default)]
pub struct Batch {
    /// Object files.
    pub objects: Vec<Vec<u8>>,
    /// Calls; `func` is the symbol.
    pub calls: Vec<Call>,
}

impl Batch {
    /// Link and run everything.
    ///
    /// # Errors
    /// A tool is missing or failed, or the program crashed: then it says in which call.
    pub fn run(&self, machine: Machine) -> Result<Vec<Outcome>, String> {
        let dir = tool::scratch("object")?;
        let program = self.link(machine, &dir)?;
        let mut command = match machine {
            Machine::Native => Command::new(&program),
            Machine::Aarch64 => {
                let mut qemu = Command::new(qemu());
                qemu.args(["-L", "/usr/aarch64-linux-gnu"]).arg(&program);
                qemu
            }
        };
        let output = command.output().map_err(|error| {
            let program = command.get_program().display();
            format!("cannot run {program}: {error}; `cargo xtask setup` installs what is missing")
        })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let outcomes: Vec<Outcome> = text.lines().map_while(outcome).collect();
        if outcomes.len() != self.calls.len() {
            let call = &self.calls[outcomes.len()];
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "{machine:?}: {} in {call:?}\n{errors}",
                output.status
            ));
        }
        std::fs::remove_dir_all(&dir).map_err(|error| error.to_string())?;
        Ok(outcomes)
    }

    /// Link everything into an executable in `dir`.
    ///
    /// # Errors
    /// The compiler is missing or failed.
    pub fn link(&self, machine: Machine, dir: &std::path::Path) -> Result<PathBuf, String> {
        let mut files = Vec::new();
        for (n, object) in self.objects.iter().enumerate() {
            let path = dir.join(format!("{n}.o"));
            tool::write(&path, object)?;
            files.push(path);
        }
        tool::write(&dir.join("calls.h"), self.table()?)?;
        let compiler = match machine {
            Machine::Native => "cc",
            Machine::Aarch64 => "aarch64-linux-gnu-gcc",
        };
        let program = dir.join("filetests");
        let mut cc = Command::new(compiler);
        cc.args(["-O1", "-Wall", "-Werror", "-o"])
            .arg(&program)
            .arg("-I")
            .arg(dir);
        cc.arg(tool::stub_dir().join("main.c")).args(&files);
        tool::run(&mut cc)?;
        Ok(program)
    }

    /// `calls.h`: the stub, the functions, the table.
    fn table(&self) -> Result<String, String> {
        let stub = tool::stub_dir().join("stub.c");
        let mut text = format!("#include \"{}\"\n", stub.display());
        let mut names: Vec<&str> = self.calls.iter().map(|call| call.func.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            text.push_str(&format!("extern void {name}(void);\n"));
        }
        text.push_str("static asr_stub_call calls[] = {\n");
        for call in &self.calls {
            let (ints, floats) = call.registers()?;
            let list = |words: &[u64]| {
                let words: Vec<String> = words.iter().map(|word| format!("{word:#x}")).collect();
                words.join(", ")
            };
            let ((armed, n), func) = (armed_words(call.armed), &call.func);
            let is_async = u8::from(call.is_async);
            let (ints, floats) = (list(&ints), list(&floats));
            text.push_str(&format!(
                "  {{(any_fn)(void *){func}, {armed}, {n}, {is_async}, {{{ints}}}, {{{floats}}}, \
                 0, 0, 0, 0, 0, 0}},\n"
            ));
        }
        text.push_str("};\n");
        Ok(text)
    }
}

/// `n value status probes fault live suspensions`, as main.c prints it.
fn outcome(line: &str) -> Option<Outcome> {
    let mut words = line.split(' ').skip(1);
    let mut word = |radix| u64::from_str_radix(words.next()?, radix).ok();
    let (value, status, probes, fault) = (word(16)?, word(10)?, word(10)?, word(16)?);
    let (live, suspensions) = (word(10)?, word(10)?);
    Some(Outcome {
        value,
        status,
        probes,
        fault: fault as u32,
        live,
        suspensions,
        seen: 0,
    })
}

/// The name under which this machine has qemu for aarch64.
fn qemu() -> &'static str {
    let found = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    ["qemu-aarch64", "qemu-aarch64-static"]
        .into_iter()
        .find(found)
        .unwrap_or("qemu-aarch64")
}

/// Make `module` one of many in a program: number `n` as its unit, and a prefix on its exports.
///
/// # Errors
/// More modules than units.
pub fn rename(module: &mut Module, calls: &mut [Call], n: usize) -> Result<(), String> {
    module.unit = u16::try_from(n + 1).map_err(|_| "more files than units")?;
    let exported = |func: &&mut asr_codegen::air::Function| func.linkage == Linkage::Export;
    for func in module.funcs.iter_mut().filter(exported) {
        func.name = format!("f{n}_{}", func.name);
    }
    for call in calls {
        call.func = format!("f{n}_{}", call.func);
    }
    Ok(())
}
