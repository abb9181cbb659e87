//! Timers: armed and dropped by the million, and how late they fire.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use asr_base::Duration;

use super::{Work, work};
use crate::hist::Hist;
use crate::on::Place;
use crate::report::{Meter, Report};

pub(super) const WORKS: &[Work] = &[
    work("timer_cancel", 1_000_000, timer_cancel),
    work("timer_fire", 1_000_000, timer_fire),
    work("timer_fire_light", 20_000, timer_fire),
    work("timer_fire_precise", 20_000, timer_fire_precise),
];

/// Arms `count` timers 5 to 65 s ahead, all alive at once, then drops them in another order.
fn timer_cancel(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut order: Vec<usize> = (0..count as usize).collect();
        random.shuffle(&mut order);
        let base = cx.now().saturating_add(Duration::from_secs(5));
        let deadlines: Vec<_> = (0..count)
            .map(|_| base.saturating_add(Duration::from_micros(random.below(60_000_000))))
            .collect();
        let mut sleeps = Vec::with_capacity(count as usize);
        let meter = Meter::start();
        for at in deadlines {
            let mut sleep = cx.sleep_until(at);
            // The first poll arms it.
            poll_fn(|context| {
                assert!(Pin::new(&mut sleep).poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            sleeps.push(Some(sleep));
        }
        let armed = meter.read(count);
        let dropping = Meter::start();
        for index in order {
            sleeps[index] = None;
        }
        let dropped = dropping.read(count);
        let report = meter.read(count);
        Ok(report
            .with("create_ns", armed.ns())
            .with("cancel_ns", dropped.ns())
            .with("create_cpu_ns", armed.cpu_ns())
            .with("cancel_cpu_ns", dropped.cpu_ns()))
    })
}

/// `count` tasks with deadlines evenly over one second: how late each wakes.
fn timer_fire(place: Place, count: u64) -> Report {
    fire(place, count, false)
}

/// The same with a wake for each, instead of one for each tick. Not among the peers' workloads:
/// what they are exact to is all they offer.
fn timer_fire_precise(place: Place, count: u64) -> Report {
    fire(place, count, true)
}

fn fire(place: Place, count: u64, precise: bool) -> Report {
    place.run(async move |cx| {
        let late = Arc::new(Hist::new());
        let mut tasks = Vec::with_capacity(count as usize);
        let meter = Meter::start();
        // Both clocks at one moment, so that a deadline can be compared with the system's clock.
        let (start, start_instant) = (cx.now(), Instant::now());
        let lead = Duration::from_millis(200 + count * 3 / 2000);
        for n in 0..count {
            let after = lead + Duration::from_nanos(n * 1_000_000_000 / count);
            let deadline = start.saturating_add(after);
            let due = start_instant + after;
            let late = late.clone();
            tasks.push(cx.spawn(async move |cx| {
                let sleep = cx.sleep_until(deadline);
                let sleep = if precise { sleep.precise() } else { sleep };
                sleep.await?;
                let nanos = due.elapsed().as_nanos();
                late.record(u64::try_from(nanos).unwrap_or(u64::MAX));
                Ok(())
            })?);
        }
        let slack = lead.saturating_sub(start_instant.elapsed());
        for task in tasks {
            task.join(&cx).await?.into_result()?;
        }
        let report = meter.read(count);
        Ok(report
            .with("setup_slack_ms", slack.as_secs_f64() * 1e3)
            .with_hist("late", &late))
    })
}

/// xorshift: the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn shuffle(&mut self, items: &mut [usize]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}
