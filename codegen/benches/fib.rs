//! Typed fib(35) in AIR against `cc -O1 -fno-inline`.
//!
//! Probe and stack compare stand by hand where the probe pass puts them: at the entry of `fib`.
//! `ASR_FIB_ASM=1` prints the machine code instead.

mod clock;
#[path = "../tests/common/mod.rs"]
mod common;

use std::process::Command;

use asr_abi::Thread;
use asr_codegen::{Options, ProbeMode, listing};
use common::{call_on, load_with, prepared};
use criterion::{Criterion, criterion_group, criterion_main};

const WITH_PROBES: &str = r#"
module "fib" unit 1
fn @fib(%n: i64) -> i64 throws {
  local %a: i64
  local %b: i64
  local %small: bool
entry:
  probe.entry
  check.stack
  %small = cmp.slt.i64 %n, 2
  branch %small, base, step
base:
  return %n
step:
  %n = sub.i64 %n, 1
  %a = call @fib(%n)
  %n = sub.i64 %n, 1
  %b = call @fib(%n)
  %a = add.i64 %a, %b
  return %a
}
export fn @main(%n: i64) -> i64 throws {
entry:
  %n = call @fib(%n)
  return %n
}
"#;

const C: &str = "long fib(long n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }";

/// `fib` of the C compiler.
fn of_c() -> (Library, extern "C" fn(i64) -> i64) {
    let dir = std::env::temp_dir().join(format!("asr-fib-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join("fib.c"), C).expect("written");
    let flags = [
        "-O1",
        "-fno-inline",
        "-shared",
        "-fPIC",
        "-o",
        "fib.so",
        "fib.c",
    ];
    let status = Command::new("cc").args(flags).current_dir(&dir).status();
    assert!(status.expect("a C compiler").success());
    let library = Library::open(&dir.join("fib.so"));
    let fib = library.symbol(c"fib");
    std::fs::remove_dir_all(&dir).expect("removed");
    (library, fib)
}

use library::Library;

mod library {
    //! One function of a shared library.
    #![allow(unsafe_code, reason = "loads a library and calls into it")]

    use std::ffi::{CStr, CString};
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    pub(crate) struct Library(*mut libc::c_void);

    impl Library {
        pub(crate) fn open(path: &Path) -> Library {
            let path = CString::new(path.as_os_str().as_bytes()).expect("no zero byte");
            // SAFETY: the path is a C string; the library has no constructors.
            let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
            assert!(!handle.is_null());
            Library(handle)
        }

        pub(crate) fn symbol(&self, name: &CStr) -> extern "C" fn(i64) -> i64 {
            // SAFETY: the handle is open.
            let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
            assert!(!address.is_null());
            // SAFETY: the library was made from one function of this type.
            unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn(i64) -> i64>(address) }
        }
    }
}

fn fib(criterion: &mut Criterion) {
    let options = Options {
        probes: ProbeMode::AsIs,
        ..Options::default()
    };
    if std::env::var_os("ASR_FIB_ASM").is_some() {
        let asm = listing::asm(&prepared(WITH_PROBES, &options)).expect("a listing");
        println!("{asm}");
        return;
    }
    let without = WITH_PROBES
        .replace("  probe.entry\n", "")
        .replace("  check.stack\n", "");
    let th = Thread::new();
    let (_library, c) = of_c();
    let with = load_with(WITH_PROBES, &options);
    let without = load_with(&without, &options);
    let runs: [(&str, &dyn Fn() -> u64); 3] = [
        ("cc -O1 -fno-inline", &|| c(35) as u64),
        ("air", &|| call_on(&th, &with, "main", &[35]).value),
        ("air without probes", &|| {
            call_on(&th, &without, "main", &[35]).value
        }),
    ];
    ratios(&runs);
    let mut group = criterion.benchmark_group("fib35");
    group.sample_size(10);
    for (name, run) in runs {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|n| (0..n).map(|_| clock::time(run)).sum());
        });
    }
    group.finish();
}

/// The least CPU time of interleaved runs, and its ratio to the first row.
fn ratios(runs: &[(&str, &dyn Fn() -> u64)]) {
    let mut best = vec![std::time::Duration::MAX; runs.len()];
    for _ in 0..30 {
        for ((_, run), best) in runs.iter().zip(&mut best) {
            *best = (*best).min(clock::time(run));
        }
    }
    for ((name, _), time) in runs.iter().zip(&best) {
        let ratio = time.as_secs_f64() / best[0].as_secs_f64();
        println!("{name}: {:.1} ms, {ratio:.2} x", time.as_secs_f64() * 1e3);
    }
}

criterion_group!(benches, fib);
criterion_main!(benches);
