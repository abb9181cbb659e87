//! The bodies on one thread.

mod bodies;

use asr_base::{Failure, Outcome};
use asr_kernel::obligation::LeakResponse;
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use bodies::{acks, channels, combine, locks, notify, oneshots, semaphore};

fn run<F, Fut>(body: F)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let outcome = Local::new(Config::default()).run(body);
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}

#[test]
fn cmb_1_nobody_is_left() {
    run(combine::nobody_is_left);
}

#[test]
fn cmb_2_nobody_is_left_by_a_cancel() {
    run(combine::cancelled);
}

#[test]
fn chn_16_one_at_a_time() {
    run(locks::exclusion);
    run(locks::tries);
}

#[test]
fn chn_16_a_cancelled_waiter_leaves_no_trace() {
    for who in 0..5 {
        run(async move |cx| locks::cancelled_waiter(cx, who).await);
    }
    for who in 0..3 {
        run(async move |cx| locks::cancelled_when_called(cx, who).await);
    }
    run(locks::dropped_wait);
}

#[test]
fn chn_16_at_most_64_go_ahead() {
    run(locks::newcomers);
}

#[test]
fn chn_17_a_panic_poisons_a_cancel_does_not() {
    run(locks::poison);
    run(async |cx| locks::cancelled_holder(cx, false).await);
    run(async |cx| locks::cancelled_holder(cx, true).await);
}

#[test]
fn chn_18_waits_are_counted() {
    run(locks::stats);
}

#[test]
fn chn_21_permits_add_up() {
    run(semaphore::bounded);
    run(semaphore::arguments);
}

#[test]
fn chn_21_a_large_request_is_served() {
    run(semaphore::large_request);
    run(semaphore::first_goes);
}

/// Part: of what waits, the semaphore; broadcast, watch, pools and others come later.
#[test]
fn chn_2_part_a_closed_semaphore_tells_all() {
    run(semaphore::close);
}

#[test]
fn chn_23_one_permit_is_stored() {
    run(notify::stored);
    run(notify::order);
    for who in 0..3 {
        run(async move |cx| notify::passes_on(cx, who).await);
    }
}

#[test]
fn chn_6_everything_arrives_in_order() {
    for capacity in [1, 3, 64] {
        run(async move |cx| channels::order(cx, capacity, 12_500).await);
    }
}

#[test]
fn chn_7_an_aborted_permit_frees_its_slot() {
    run(channels::abort_frees);
    run(channels::cancel_after_reserve);
}

#[test]
fn chn_8_a_permit_keeps_the_channel_open() {
    run(channels::senders_gone);
}

/// Part: of channels, mpsc; oneshots are in `chn_11`, the others come later.
#[test]
fn chn_2_part_waiting_senders_have_their_messages_back() {
    run(channels::receiver_gone);
}

/// Part: mpsc; locks are in `chn_16`, semaphores in `chn_21`, oneshots in `chn_11`; those of later
/// primitives come with them.
#[test]
fn chn_4_part_tries_never_wait() {
    run(channels::arguments);
}

/// Part: the charge to the heap quota of the region comes with heaps.
#[test]
fn chn_5_part_bounded_unless_named() {
    run(channels::arguments);
    run(channels::unbounded);
}

#[test]
fn chn_11_four_orders() {
    run(oneshots::four_orders);
    run(oneshots::between_tasks);
    run(oneshots::cancelled);
}

#[test]
fn can_14_part_a_cancel_is_preferred_to_a_message() {
    run(channels::cancelled_waits);
}

#[test]
fn obl_8_sent_is_received_or_undelivered() {
    for take in 0..=15 {
        let local = Local::new(Config::default());
        let outcome = local.run(async move |cx| channels::undelivered(cx, take).await);
        let Outcome::Ok((sent, received)) = outcome else {
            panic!("{outcome:?}")
        };
        let undelivered = local.kernel().stats().undelivered.get();
        assert_eq!(sent, received + undelivered);
        assert_eq!(received, take);
    }
}

#[test]
fn chn_9_an_item_that_comes_back_is_first() {
    run(acks::head);
    run(acks::cancelled);
}

/// Dropped on a normal path: back it goes too, and that is a leak.
#[test]
fn chn_9_a_dropped_item_comes_back() {
    let mut config = Config::default();
    config.leak_response = LeakResponse::Silent;
    let local = Local::new(config);
    let outcome = local.run(async |cx| {
        let (sender, mut receiver) = asr_sync::mpsc::channel(&cx, 1)?;
        sender.try_send(7)?;
        drop(receiver.recv_ack(&cx).await?);
        let again = receiver.recv_ack(&cx).await?;
        assert_eq!((again.deliveries(), again.ack()), (2, 7));
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(local.kernel().stats().leaks.get(), 1);
}

#[test]
fn chn_10_too_many_deliveries_go_to_the_dead_letters() {
    run(acks::dead_letters);
}
