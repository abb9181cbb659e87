//! A few seconds of each target: random and mutated inputs from a checked-in corpus.
//!
//! The seed is fixed, so a failure comes again; `ASR_FUZZ_SEED=n` tries another one and
//! `ASR_FULL=1` runs sixty times as long. A failing input is written beside the message as hex.

use std::cell::Cell;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use asr_fuzz::Fault;
use asr_fuzz::mutate::mutate;
use asr_fuzz::random::Random;

/// Time for one target in a normal run.
const TIME: Duration = Duration::from_secs(2);
/// An input that takes longer than this is a hang.
const SLOWEST: Duration = Duration::from_secs(10);

/// Files with this ending in a folder of the repository and all below it.
fn seeds(dir: &str, ending: &str) -> Vec<Vec<u8>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut dirs = vec![top.join(dir)];
    let mut paths = Vec::new();
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    assert!(!paths.is_empty(), "{dir} is empty");
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a seed"))
        .collect()
}

/// Feed `target` with inputs of `next` until the time is over.
fn smoke(name: &str, target: fn(&[u8]), mut next: impl FnMut(&mut Random, u64) -> Vec<u8>) {
    let seed = std::env::var("ASR_FUZZ_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(1);
    let time = TIME
        * if std::env::var_os("ASR_FULL").is_some() {
            60
        } else {
            1
        };
    let mut random = Random(seed);
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < time {
        let input = next(&mut random, count);
        let started = Instant::now();
        let outcome = std::panic::catch_unwind(|| target(&input));
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            outcome.is_ok(),
            "{name}: input {count} of seed {seed} panics: {hex}"
        );
        let taken = started.elapsed();
        assert!(
            taken < SLOWEST,
            "{name}: input {count} of seed {seed} took {taken:?}: {hex}"
        );
        count += 1;
    }
    println!(
        "{name}: {count} inputs in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
}

/// Words that make a mutated AIR text go further than the lexer.
const AIR_WORDS: &[&str] = &[
    "entry:\n",
    "  jump entry\n",
    "  return\n",
    "}\n",
    "local %x: i64\n",
    "recover entry(%e)",
    "!1:1",
    "0x",
    "\"",
    "9223372036854775808",
    " -1",
    "call.indirect (i64) -> i64 throws, ",
    "export fn @f(%a: i64) -> i64 throws {\n",
    ";",
    "\u{e9}",
];

/// Words of ProXPL, and what nests.
const PROX_WORDS: &[&str] = &[
    "func f(a) {",
    "}",
    "((((",
    "))))",
    "[[[[",
    "if (x) ",
    "while (true) ",
    "resilient { ",
    "recovery (e) ",
    "throw ",
    "return ",
    "let x = ",
    "`${",
    "\"",
    ";",
    "switch (1) { case 1: ",
    "0.5e",
    "999999999999999999999",
    "asr.object(\"t\", {",
    "\u{0}",
];

#[test]
fn abi_33_air_text() {
    let mut seeds = seeds("testsuite/fuzz/corpus/air", "air");
    seeds.extend(self::seeds("codegen/filetests", "air"));
    smoke("air_text", asr_fuzz::air_text, |random, n| {
        if n < seeds.len() as u64 {
            return seeds[n as usize].clone();
        }
        mutate(random, &seeds, AIR_WORDS)
    });
}

#[test]
fn prox_text() {
    let mut seeds = seeds("testsuite/fuzz/corpus/prox", "prox");
    seeds.extend(self::seeds("examples", "prox"));
    smoke("prox_text", asr_fuzz::prox_text, |random, n| {
        if n < seeds.len() as u64 {
            return seeds[n as usize].clone();
        }
        mutate(random, &seeds, PROX_WORDS)
    });
}

/// Of every second input a mutated one of the corpus; the others are random.
fn operations(seeds: &[Vec<u8>]) -> impl FnMut(&mut Random, u64) -> Vec<u8> {
    // How inputs begin, and steps of the first tasks.
    const WORDS: &[&str] = &["\u{18}", "\u{0}", "\u{1}\u{2}\u{60}", "\u{2}\u{a}\u{7f}"];
    |random, n| match seeds.get(n as usize) {
        Some(seed) => seed.clone(),
        None if n.is_multiple_of(2) => mutate(random, seeds, WORDS),
        None => {
            let len = random.below(300);
            random.bytes(len)
        }
    }
}

/// What channels and locks do is what the models say, in thousands of programs.
#[test]
fn channels() {
    let seeds = seeds("testsuite/fuzz/corpus/channels", "bin");
    smoke("channels", asr_fuzz::channels, operations(&seeds));
}

thread_local! {
    /// Panics of this thread are expected.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Puts a hook before the one that reports panics now.
fn hook_before<F: Fn(&PanicHookInfo<'_>) + Send + Sync + 'static>(
    make: impl FnOnce(Box<Hook>) -> F,
) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(make(before)));
}

/// Until it is dropped, panics of this thread are not reported; those of others are, as before.
struct Quiet;

impl Quiet {
    fn here() -> Quiet {
        static HOOK: Once = Once::new();
        HOOK.call_once(Quiet::hook);
        QUIET.set(true);
        Quiet
    }

    fn hook() {
        hook_before(|before| {
            move |info| {
                if !QUIET.get() {
                    before(info);
                }
            }
        });
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(false);
    }
}

/// While one thread is quiet, the panic of another is still reported, and so is its own afterwards.
#[test]
fn quiet_is_for_one_thread() {
    const PLANTED: &str = "planted: quiet";
    static REPORTED: AtomicUsize = AtomicUsize::new(0);
    hook_before(|before| {
        move |info| match info.payload().downcast_ref() {
            Some(&PLANTED) => _ = REPORTED.fetch_add(1, Relaxed),
            _ => before(info),
        }
    });
    Quiet::hook();
    let panics = || assert!(std::panic::catch_unwind(|| std::panic::panic_any(PLANTED)).is_err());
    let quiet = Quiet::here();
    panics();
    assert_eq!(REPORTED.load(Relaxed), 0);
    std::thread::spawn(panics).join().expect("it was caught");
    assert_eq!(REPORTED.load(Relaxed), 1);
    drop(quiet);
    panics();
    assert_eq!(REPORTED.load(Relaxed), 2);
}

/// Each fault between the program and the model is found.
#[test]
fn channels_finds_planted_faults() {
    let seeds = seeds("testsuite/fuzz/corpus/channels", "bin");
    let _quiet = Quiet::here();
    let found = [Fault::Lost, Fault::Swapped, Fault::Kept, Fault::Early].map(|fault| {
        let mut random = Random(7);
        let mut next = operations(&seeds);
        let fails = |input: &[u8]| {
            std::panic::catch_unwind(|| asr_fuzz::channels_with(input, fault)).is_err()
        };
        (0..2000).find(|&n| fails(&next(&mut random, n)))
    });
    assert!(
        found.iter().all(Option::is_some),
        "found by input {found:?}"
    );
    println!("found by input {found:?}");
}

/// ABI-33 and ABI-35 for what the generator makes: accepted, compiled, and the same on all engines.
#[test]
fn abi_10_33_engines_agree() {
    smoke("engines", asr_fuzz::engines, |random, n| {
        let len = if n < 20 {
            n as usize
        } else {
            random.below(600)
        };
        random.bytes(len)
    });
}

/// ABI-35 for programs with tasks: evaluator and machine code over one small kernel.
#[test]
fn abi_35_part_engines_agree_about_tasks() {
    smoke("tasks", asr_fuzz::tasks, |random, n| {
        let len = if n < 20 {
            n as usize
        } else {
            random.below(1200)
        };
        random.bytes(len)
    });
}
