//! Objects, linked with a small C host and run: natively, and for AArch64 under qemu.

mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use asr_codegen::air::{SiteKind, fault, sites};
use asr_codegen::{Options, Prepared, ProbeMode, Target, object};
use tools::{Scratch, output, prepared};

const PROGRAM: &str = include_str!("object/program.air");
const HOST: &str = "tests/object/host.c";

const EXPECTED: &str = "\
record version 10000 unit 5 sites SITES funcs 4 inside 1 sorted 1 frames 0
handler for 17 bound 50000 1
fault 1000001 at unit 5 site FAULT
trace main (program.prox:18:5)
argc 2 value fffc00050000000FAULT status 2
";

/// The program's output, with what depends on the placement of probes taken from the module.
fn expected(prepared: &Prepared) -> String {
    let sites = sites(prepared.module());
    let at = sites
        .iter()
        .position(|site| site.kind == SiteKind::Fault(fault::DIVISION))
        .expect("the division has a site");
    let index = (at + 1).to_string();
    let text = EXPECTED.replace("SITES", &sites.len().to_string());
    let text = text.replace("site FAULT", &format!("site {index}"));
    text.replace("FAULT", &format!("{:x}", at + 1))
}

fn options(target: Target, probes: ProbeMode) -> Options {
    Options {
        target: Some(target),
        probes,
        ..Options::default()
    }
}

/// Links the object with the host into an executable.
fn link(cc: &str, dir: &Path, object: &[u8], flags: &[&str]) -> PathBuf {
    let file = dir.join("program.o");
    std::fs::write(&file, object).expect("the object is written");
    let program = dir.join("program");
    let mut command = Command::new(cc);
    command.args(["-O1", "-g", "-Wall", "-Wextra", "-Werror"]);
    command.args(["-Wl,--fatal-warnings", "-Wl,--gc-sections", "-o"]);
    command.arg(&program).arg(HOST).arg(&file).args(flags);
    output(&mut command, 0);
    program
}

#[test]
fn an_object_links_as_pie_and_fixed_and_runs() {
    for probes in [ProbeMode::Auto, ProbeMode::Every, ProbeMode::Off] {
        for flags in [["-pie", "-fPIE"], ["-no-pie", "-fno-pie"]] {
            let scratch = Scratch::new();
            let prepared = prepared(PROGRAM, &options(Target::X86_64, probes));
            let object = object::emit(&prepared, Some("main")).expect("an object");
            let program = link("cc", scratch.path(), &object, &flags);
            let text = output(Command::new(&program).arg("one"), 7);
            assert_eq!(text, expected(&prepared), "{probes:?} {flags:?}");
        }
    }
}

#[test]
fn an_aarch64_object_runs_under_qemu() {
    let scratch = Scratch::new();
    let prepared = prepared(PROGRAM, &options(Target::Aarch64, ProbeMode::Auto));
    let object = object::emit(&prepared, Some("main")).expect("an object");
    let cc = "aarch64-linux-gnu-gcc";
    let program = link(cc, scratch.path(), &object, &["-static"]);
    let text = output(Command::new("qemu-aarch64").arg(&program).arg("one"), 7);
    assert_eq!(text, expected(&prepared));
}

#[test]
fn an_object_without_main_or_functions_is_made() {
    let prepared = prepared("module \"empty\" unit 9\n", &Options::default());
    let object = object::emit(&prepared, None).expect("an object");
    assert_eq!(&object[..4], b"\x7fELF");
    object::emit(&prepared, Some("main")).expect_err("there is no main");
}

#[test]
fn gdb_breaks_on_a_line_and_names_the_callers() {
    let scratch = Scratch::new();
    let prepared = prepared(PROGRAM, &options(Target::X86_64, ProbeMode::Auto));
    let object = object::emit(&prepared, Some("main")).expect("an object");
    let program = link("cc", scratch.path(), &object, &["-pie", "-fPIE"]);
    let mut gdb = Command::new("gdb");
    gdb.args(["-batch", "-nx", "-q"]);
    for command in [
        "set width 0",
        "set debuginfod enabled off",
        "set startup-with-shell off",
        "set disable-randomization off",
        "break program.prox:4",
        "run",
        "bt",
        "finish",
    ] {
        gdb.args(["-ex", command]);
    }
    let text = output(gdb.arg(&program), 0);
    for part in [
        "#0  ratio () at program.prox:4",
        "main () at program.prox:16",
        "asr_program_start (argc=",
    ] {
        assert!(text.contains(part), "`{part}` in:\n{text}");
    }
}
