//! Every workload runs to its end, in small, and prints the line that the peers' table reads.

use std::process::{Command, Output};

fn bench(args: &[&str], workers: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_asr-bench"));
    command.args(args).env("ANCHOR_WORKERS", workers);
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it prints text")
}

fn listed() -> Vec<String> {
    let list = bench(&["list"], "1");
    let rows = text(&list.stdout).lines().map(|line| {
        let [kind, name, count] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line} is no row of a list");
        };
        assert_eq!(kind, "work");
        assert!(count.parse::<u64>().is_ok_and(|count| count > 0), "{line}");
        name.to_owned()
    });
    rows.collect()
}

#[test]
fn every_workload_ends() {
    let names = listed();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        for workers in ["1", "2"] {
            let run = bench(&[&name, "2000"], workers);
            let line = text(&run.stdout);
            assert!(
                run.status.success(),
                "{name} on {workers}: {}",
                text(&run.stderr)
            );
            let start = format!(r#"{{"peer":"asr","workload":"{name}","n":"#);
            assert!(line.starts_with(&start), "{line}");
            assert!(line.ends_with("}\n"), "{line}");
            for key in ["ns_total", "ns_per_op", "cpu_ns_per_op", "rss_bytes"] {
                let value = value(line, key);
                assert!(value >= 0.0, "{name}: {key} {value}");
            }
        }
    }
}

fn value(line: &str, key: &str) -> f64 {
    let (_, rest) = line
        .split_once(&format!(r#""{key}":"#))
        .unwrap_or_else(|| panic!("no {key} in {line}"));
    let number = rest.split([',', '}']).next().unwrap_or_default();
    number.parse().expect("a number")
}

#[test]
fn what_cannot_run_is_said() {
    for (args, workers, said) in [
        (&["nothing"][..], "1", "no workload nothing"),
        (&["yield", "many"], "1", "many is not a number"),
        (&["yield", "1", "2"], "1", "list | WORKLOAD"),
        (&["yield"], "two", "ANCHOR_WORKERS=two"),
        (&["yield"], "0", "ANCHOR_WORKERS=0"),
    ] {
        let run = bench(args, workers);
        assert_eq!(run.status.code(), Some(2), "{args:?}");
        assert!(text(&run.stderr).contains(said), "{}", text(&run.stderr));
        assert!(run.stdout.is_empty());
    }
}
