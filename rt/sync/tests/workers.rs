//! The bodies on 1, 2 and 8 workers.

mod bodies;

use asr_base::{Failure, Outcome};
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::{Config, Cx};
use bodies::{acks, channels, combine, locks, notify, oneshots, semaphore};

/// Often enough that workers meet; each body is short.
const TIMES: usize = 20;

fn run<F, Fut>(body: F)
where
    F: FnOnce(Cx) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    for count in [1, 2, 8] {
        for _ in 0..TIMES {
            let workers = WorkersConfig::workers(count);
            let runtime = Workers::new(workers, Config::default()).expect("threads start");
            let outcome = runtime.run(body.clone());
            assert!(matches!(outcome, Outcome::Ok(())), "{count}: {outcome:?}");
            // Nobody is passed over who is polled (CHN-16, OBL-19).
            assert_eq!(runtime.kernel().stats().futurelocks.get(), 0);
        }
    }
}

#[test]
fn cmb_1_nobody_is_left_on_workers() {
    run(combine::nobody_is_left);
}

#[test]
fn cmb_2_nobody_is_left_by_a_cancel_on_workers() {
    run(combine::cancelled);
}

#[test]
fn chn_16_one_at_a_time_on_workers() {
    run(locks::exclusion);
}

#[test]
fn chn_16_a_cancelled_waiter_leaves_no_trace_on_workers() {
    run(async |cx| locks::cancelled_waiter(cx, 2).await);
    for who in 0..3 {
        run(async move |cx| locks::cancelled_when_called(cx, who).await);
    }
}

#[test]
fn chn_16_at_most_64_go_ahead_on_workers() {
    run(locks::newcomers);
}

#[test]
fn chn_17_a_cancel_does_not_poison_on_workers() {
    run(async |cx| locks::cancelled_holder(cx, false).await);
    run(async |cx| locks::cancelled_holder(cx, true).await);
}

#[test]
fn chn_21_permits_add_up_on_workers() {
    run(semaphore::bounded);
    run(semaphore::large_request);
    run(semaphore::first_goes);
}

#[test]
fn chn_2_part_a_closed_semaphore_tells_all_on_workers() {
    run(semaphore::close);
}

#[test]
fn chn_23_one_permit_is_stored_on_workers() {
    run(notify::order);
    for who in 0..3 {
        run(async move |cx| notify::passes_on(cx, who).await);
    }
}

#[test]
fn chn_6_everything_arrives_in_order_on_workers() {
    run(async |cx| channels::order(cx, 1, 200).await);
    run(async |cx| channels::order(cx, 7, 500).await);
    run(async |cx| channels::order(cx, 1000, 500).await);
}

#[test]
fn chn_7_an_aborted_permit_frees_its_slot_on_workers() {
    run(channels::abort_frees);
    run(channels::cancel_after_reserve);
}

#[test]
fn chn_8_a_permit_keeps_the_channel_open_on_workers() {
    run(channels::senders_gone);
    run(channels::receiver_gone);
    run(channels::cancelled_waits);
    run(channels::unbounded);
}

#[test]
fn chn_11_oneshots_on_workers() {
    run(oneshots::four_orders);
    run(oneshots::between_tasks);
    run(oneshots::cancelled);
}

#[test]
fn obl_8_sent_is_received_or_undelivered_on_workers() {
    for round in 0..100 {
        let workers = WorkersConfig::workers(2);
        let runtime = Workers::new(workers, Config::default()).expect("threads start");
        let outcome = runtime.run(async move |cx| channels::undelivered(cx, round % 16).await);
        let Outcome::Ok((sent, received)) = outcome else {
            panic!("{outcome:?}")
        };
        let undelivered = runtime.kernel().stats().undelivered.get();
        assert_eq!(sent, received + undelivered);
    }
}

#[test]
fn chn_9_an_item_that_comes_back_is_first_on_workers() {
    run(acks::head);
    run(acks::cancelled);
    run(acks::dead_letters);
}
