//! Where the programs of the benches run.

use asr_base::Failure;
use asr_kernel::obligation::LeakResponse;
use asr_kernel::sched::{Local, Workers, WorkersConfig};
use asr_kernel::{Config, Cx};

/// Runs a program to its end, on one worker, or on as many as `ASR_BENCH_WORKERS` says; 0 is the
/// driver of the calling thread.
pub(crate) fn run<F, Fut>(main: F)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut config = Config::default();
    config.leak_response = LeakResponse::Recover;
    config.leak_records = false;
    let workers = std::env::var("ASR_BENCH_WORKERS").ok();
    let workers = workers.and_then(|count| count.parse().ok()).unwrap_or(1);
    let outcome = if workers == 0 {
        Local::new(config).run(main)
    } else {
        let runtime = Workers::new(WorkersConfig::workers(workers), config);
        runtime.expect("threads start").run(main)
    };
    assert!(outcome.is_ok(), "{outcome:?}");
}
