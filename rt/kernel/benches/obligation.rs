//! Reserve and resolve, with and without records (OBL-23, OBL-33).

use std::hint::black_box;

use asr_kernel::obligation::{AbortCause, Kind, LeakResponse, Linear};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx, RegionConfig, RegionHandle};
use criterion::Criterion;

/// A resource that costs nothing.
struct Nothing;

impl Linear for Nothing {
    type Input = u64;
    type Output = u64;

    fn kind(&self) -> Kind {
        Kind::SEND_PERMIT
    }

    fn commit(self, input: u64) -> Result<u64, u64> {
        Ok(input)
    }

    fn abort(self, _: AbortCause) {}
}

fn typed(c: &mut Criterion, cx: &Cx, region: &RegionHandle, name: &str) {
    c.bench_function(&format!("{name}: reserve, commit"), |b| {
        b.iter(|| {
            let token = cx.reserve(Nothing).expect("the task runs");
            token.commit(black_box(7)).expect("nobody is gone")
        });
    });
    c.bench_function(&format!("{name}: reserve, transfer, abort"), |b| {
        b.iter(|| {
            let token = cx.reserve(Nothing).expect("the task runs");
            token.transfer(region).expect("it is open").abort();
        });
    });
}

fn raw(c: &mut Criterion, cx: &Cx) {
    c.bench_function("raw: reserve, commit", |b| {
        b.iter(|| {
            let id = cx.reserve_raw(Kind::ACK, None).expect("the task runs");
            cx.commit_raw(black_box(id)).expect("it is ours");
        });
    });
}

fn measure(cx: &Cx, region: &RegionHandle, records: bool) {
    let mut criterion = Criterion::default().configure_from_args();
    if records {
        typed(&mut criterion, cx, region, "typed, recorded");
        raw(&mut criterion, cx);
    } else {
        typed(&mut criterion, cx, region, "typed, counted");
    }
    criterion.final_summary();
}

fn main() {
    for records in [false, true] {
        let mut config = Config::default();
        config.leak_response = LeakResponse::Log;
        config.leak_records = records;
        let outcome = Local::new(config).run(async move |cx| {
            let region = cx.open_region(&RegionConfig::new())?;
            measure(&cx, &region, records);
            region.close(&cx).await.into_result()?;
            Ok(())
        });
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}
