//! The examples print what their files in `examples/expected` say, on every engine; and their AIR
//! passes the verifier and reads back from its text.

mod common;

use asr_codegen::air;
use common::{ENGINES, root, run, texts};

fn examples() -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(root().join("examples"))
        .expect("the folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "prox"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the examples are there");
    files
}

#[test]
fn every_example_prints_what_is_expected() {
    let scratch = common::Scratch::new();
    for example in examples() {
        let name = example
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let expected = root().join("examples/expected").join(format!("{name}.txt"));
        let expected = std::fs::read_to_string(&expected).expect("an expected output");
        // A copy, so that the executable goes into the scratch folder.
        let copy = scratch.file(
            &format!("{name}.prox"),
            &std::fs::read(&example).expect("it"),
        );
        for engine in ENGINES {
            let output = run(engine, &copy, &[]);
            let (out, err) = texts(&output);
            assert_eq!(out, expected, "{name} on {engine:?}: {err}");
            assert_eq!(
                (output.status.code(), err.as_str()),
                (Some(0), ""),
                "{name} on {engine:?}"
            );
        }
    }
}

#[test]
fn the_air_of_every_example_reads_back() {
    for example in examples() {
        let bytes = std::fs::read(&example).expect("it");
        let file = proxplc::diag::SourceFile::new(example.display().to_string(), bytes);
        let module = proxplc::compile::compile(&file, 1).expect("it compiles");
        let tables = proxplc::driver::tables();
        assert!(
            air::verify(&module, &tables).is_ok(),
            "{}",
            example.display()
        );
        let text = module.to_string();
        let back = air::parse(text.as_bytes()).expect("its text is AIR").module;
        assert_eq!(back.to_string(), text, "{}", example.display());
    }
}

/// The ledger adds up for any seed, size and rate of corruption.
#[test]
fn the_ledger_loses_nothing() {
    for args in [["1", "100", "7"], ["50", "0", "1"], ["200", "30", "99"]] {
        let output = run(
            common::Engine::Jit,
            &root().join("examples/heal.prox"),
            &args,
        );
        let (out, err) = texts(&output);
        assert!(out.ends_with("nothing was lost\n"), "{args:?}: {out}{err}");
    }
}
