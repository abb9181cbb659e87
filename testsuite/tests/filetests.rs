//! Every file below `codegen/filetests`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use asr_codegen::air::{BinOp, Module, Op};
use asr_codegen::{Options, Target, object};
use asr_testsuite::filetest::bless::{self, Blessing};
use asr_testsuite::filetest::run::{self, Batch, Call, Machine, Outcome, Stub, eval, jit};
use asr_testsuite::filetest::{self, Armed, Case, Run, coverage, text, verify};

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/filetests")
}

/// Every file below [`dir`], parsed as a filetest.
fn cases() -> Vec<Case> {
    let (mut cases, mut dirs) = (Vec::new(), vec![dir()]);
    while let Some(folder) = dirs.pop() {
        for entry in std::fs::read_dir(&folder)
            .expect("codegen/filetests")
            .flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ending| ending == "air") {
                let name = path
                    .strip_prefix(dir())
                    .expect("below dir")
                    .to_string_lossy();
                let text = std::fs::read_to_string(&path).expect("a readable file");
                cases.push(filetest::parse(&name, &text).unwrap_or_else(|error| panic!("{error}")));
            }
        }
    }
    assert!(cases.len() > 100, "only {} filetests found", cases.len());
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// No case failed; else all failures at once.
fn passed(failures: &[String]) {
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Run `one` on each case and collect what it says.
fn each(mut one: impl FnMut(&Case) -> Result<(), String>) {
    let mut failures = Vec::new();
    for case in cases() {
        failures.extend(
            one(&case)
                .err()
                .map(|what| format!("{}: {what}", case.name)),
        );
    }
    passed(&failures);
}

#[test]
fn every_file_prints_and_parses_again() {
    // Only a module that makes sense has to come back.
    each(|case| match verify::parsed(case) {
        Ok(parsed) if case.errors.is_empty() => verify::round_trip(&parsed),
        Err(errors) if case.errors.is_empty() => Err(format!("{errors:?}")),
        _ => Ok(()),
    });
}

#[test]
fn abi_30_verifier_reports_errors_on_their_lines() {
    each(|case| {
        let placed = case.command(&["verify", "placed"]).is_some();
        if !placed && case.command(&["verify"]).is_none() {
            return Ok(());
        }
        let reported = verify::verified(case, placed);
        if bless::enabled() {
            let mut blessing = Blessing::new(case);
            blessing.errors(&reported);
            return blessing.write(case, &dir());
        }
        verify::compare(&case.errors, &reported)
    });
}

#[test]
fn every_instruction_runs_in_some_file() {
    let mut used = BTreeSet::new();
    each(|case| {
        if let Some((module, _)) = calls(case)? {
            used.append(&mut coverage::instructions(&module));
        }
        Ok(())
    });
    let missing: Vec<String> = coverage::all_instructions()
        .difference(&used)
        .cloned()
        .collect();
    assert!(missing.is_empty(), "no file runs {missing:?}");
}

#[test]
fn every_elision_and_letter_has_its_files() {
    let cases = cases();
    let has = |start: String| cases.iter().any(|case| case.name.contains(&start));
    let mut missing = Vec::new();
    for elision in coverage::ELISIONS {
        let names = ["inside", "beyond"].map(|side| format!("abi_2_{elision}_{side}"));
        missing.extend(names.into_iter().filter(|name| !has(name.clone())));
    }
    for letter in coverage::LETTERS {
        let names = ["accept", "reject"].map(|side| format!("abi_30_{letter}_{side}"));
        missing.extend(names.into_iter().filter(|name| !has(name.clone())));
    }
    assert!(missing.is_empty(), "no files {missing:?}");
}

#[test]
fn texts_of_probe_pass_and_lowering_are_as_the_files_say() {
    each(|case| {
        let mut blessing = Blessing::new(case);
        for command in &case.commands {
            if matches!(command.words[0].as_str(), "verify" | "run") {
                continue;
            }
            let parsed = verify::parsed(case).map_err(|errors| format!("{errors:?}"))?;
            let output = text::output(command, &parsed.module)?;
            let output = output.ok_or_else(|| format!("`; test {:?}`?", command.words))?;
            if !bless::enabled() {
                filetest::check(command, &output)?;
            } else if command.checks.is_empty() {
                blessing.golden(command.line, &output);
            }
        }
        if bless::enabled() {
            blessing.write(case, &dir())
        } else {
            Ok(())
        }
    });
}

/// The calls of a file, or nothing if it makes none.
fn calls(case: &Case) -> Result<Option<(Module, Vec<Call>)>, String> {
    if case.runs.is_empty() {
        return Ok(None);
    }
    let parsed = verify::parsed(case).map_err(|errors| format!("{errors:?}"))?;
    let typed = |run| Call::new(run, &parsed.module);
    let calls = case.runs.iter().map(typed).collect::<Result<_, _>>()?;
    Ok(Some((parsed.module, calls)))
}

/// Every call ended as its line says, but for `probes` when other probes were placed.
fn judge(case: &Case, calls: &[Call], outcomes: &[Outcome], counted: bool) -> Result<(), String> {
    let mut wrong = String::new();
    for ((run, call), outcome) in case.runs.iter().zip(calls).zip(outcomes) {
        let probes = run.probes.filter(|_| counted);
        let run = Run {
            probes,
            ..run.clone()
        };
        if let Err(ended) = call.judge(&run, outcome) {
            wrong.push_str(&format!("\n  line {}: @{} {ended}", run.line, run.func));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Over the synchronous host; the lab host waits for the kernel's tasks, and the files about tasks
/// wait for a host that has some.
#[test]
fn abi_49_part_evaluator_runs_every_call() {
    each(|case| {
        let Some((module, calls)) = calls(case)? else {
            return Ok(());
        };
        if module.funcs.iter().any(|func| func.is_async) {
            return Ok(());
        }
        let prepared = jit::prepared(&module, &Options::default())?;
        judge(case, &calls, &eval::run(&prepared, &calls)?, true)
    });
}

#[test]
fn jit_runs_every_call() {
    let stub = Stub::get().expect("the stub");
    each(|case| {
        let Some((module, calls)) = calls(case)? else {
            return Ok(());
        };
        let prepared = jit::prepared(&module, &Options::default())?;
        judge(case, &calls, &jit::run(&prepared, &calls, &stub)?, true)
    });
}

/// With every probe on its cold path, whose answers are the same as ever.
#[test]
fn abi_11_part_forced_slow_paths_change_no_result() {
    let stub = Stub::get().expect("the stub");
    let options = Options {
        force_slow: true,
        ..Options::default()
    };
    each(|case| {
        let Some((module, calls)) = calls(case)? else {
            return Ok(());
        };
        let prepared = jit::prepared(&module, &options)?;
        judge(case, &calls, &jit::run(&prepared, &calls, &stub)?, false)
    });
}

/// Every file as an object for `target`, linked into one program that makes all calls.
fn objects_run_every_call(target: Target, machine: Machine) {
    let (mut batch, mut parts) = (Batch::default(), Vec::new());
    each(|case| {
        let Some((module, mut calls)) = calls(case)? else {
            return Ok(());
        };
        // A process has one copy of the globals: later calls would find what earlier ones left.
        let fresh = if module.globals.is_empty() {
            calls.len()
        } else {
            1
        };
        for (runs, calls) in case.runs.chunks(fresh).zip(calls.chunks_mut(fresh)) {
            let mut module = module.clone();
            run::rename(&mut module, calls, parts.len())?;
            let options = Options {
                target: Some(target),
                ..Options::default()
            };
            let prepared = jit::prepared(&module, &options)?;
            batch
                .objects
                .push(object::emit(&prepared, None).map_err(|error| error.to_string())?);
            batch.calls.extend(calls.iter().cloned());
            parts.push((
                Case {
                    runs: runs.to_vec(),
                    ..case.clone()
                },
                calls.to_vec(),
            ));
        }
        Ok(())
    });
    assert!(batch.calls.len() > 1000, "only {} calls", batch.calls.len());
    let mut outcomes = &batch.run(machine).unwrap_or_else(|error| panic!("{error}"))[..];
    let mut failures = Vec::new();
    for (case, calls) in parts {
        let (own, rest) = outcomes.split_at(calls.len());
        outcomes = rest;
        let judged = judge(&case, &calls, own, true).err();
        failures.extend(judged.map(|what| format!("{}: {what}", case.name)));
    }
    passed(&failures);
}

#[test]
fn object_runs_every_call() {
    let target = Target::host().expect("this machine is a target");
    objects_run_every_call(target, Machine::Native);
}

#[test]
fn abi_27_part_aarch64_object_runs_every_call_under_qemu() {
    objects_run_every_call(Target::Aarch64, Machine::Aarch64);
}

/// Whatever suspends may be cancelled there or dropped there: all frames are freed, the cleanup
/// runs or does not.
#[test]
fn abi_28_part_cancel_and_drop_at_each_suspension_leave_no_frame() {
    // What waits: the same under the runtime's own tasks.
    let stub = Stub::get().expect("the stub");
    let mut places = 0;
    each(|case| {
        let Some((module, calls)) = calls(case)? else {
            return Ok(());
        };
        let calls: Vec<Call> = calls.into_iter().filter(|call| call.is_async).collect();
        if calls.is_empty() {
            return Ok(());
        }
        let prepared = jit::prepared(&module, &Options::default())?;
        let unit = jit::load(&prepared, &stub)?;
        for call in calls {
            for armed in [Armed::Stop, Armed::Drop] {
                for armed in (1..100).map(armed) {
                    let call = Call {
                        armed,
                        ..call.clone()
                    };
                    let outcome = jit::call_in(&unit, &call, &stub)?;
                    if outcome.live != 0 || outcome.status == 1 {
                        return Err(format!("{call:?}: {outcome:?}"));
                    }
                    let (Armed::Stop(n) | Armed::Drop(n)) = armed else {
                        break;
                    };
                    if outcome.suspensions < n {
                        break;
                    }
                    places += 1;
                }
            }
        }
        unit.release().map_err(|(_, error)| error.to_string())
    });
    assert!(places > 500, "only {places} suspensions");
}

/// The differential is worth something: when machine code does something else than AIR says, the
/// evaluator and the JIT differ. The bug is planted by lowering another operator than was written.
#[test]
fn a_planted_lowering_bug_is_seen() {
    let text = "module \"m\" unit 1\nexport fn @f(%a: i64) -> i64 {\nentry:\n  \
                %a = sub.i64 %a, 1\n  return %a\n}\n; test run\n; run: @f(5) == 4\n";
    let case = filetest::parse("planted", text).expect("a filetest");
    let (module, calls) = calls(&case).expect("it parses").expect("a call");
    let stub = Stub::get().expect("the stub");
    let run = |lowered: &Module| {
        let evaluated = eval::run_module(&module, &calls).expect("the evaluator runs it");
        let prepared = jit::prepared(lowered, &Options::default()).expect("it compiles");
        let compiled = jit::run(&prepared, &calls, &stub).expect("the JIT runs it");
        judge(&case, &calls, &evaluated, true).expect("the evaluator is right");
        // The stub does not say what else it saw.
        let alike = |outcome| Outcome { seen: 0, ..outcome };
        let evaluated: Vec<Outcome> = evaluated.into_iter().map(alike).collect();
        (evaluated, compiled)
    };
    let (evaluated, compiled) = run(&module);
    assert_eq!(evaluated, compiled);
    let mut buggy = module.clone();
    for inst in &mut buggy.funcs[0].blocks[0].insts {
        if let Op::Binary { op, .. } = &mut inst.op {
            *op = BinOp::Add;
        }
    }
    let (evaluated, compiled) = run(&buggy);
    assert_ne!(evaluated, compiled, "a wrong operator went unnoticed");
}
