//! Channels.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{Failure, Outcome};
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_lab::{Explorer, Lab, LabConfig};
use asr_sync::{RecvError, SendError, mpsc, oneshot};
use asr_trace::Sub;

use super::apart;
use crate::bodies::{acks, channels, oneshots};

#[asr_lab::test(seeds = 10)]
async fn chn_6_part_everything_arrives_in_order(cx: Cx) -> Result<(), Failure> {
    channels::order(cx, 3, 30).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_7_an_aborted_permit_frees_its_slot(cx: Cx) -> Result<(), Failure> {
    apart(&cx, channels::abort_frees).await?;
    apart(&cx, channels::cancel_after_reserve).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_8_a_permit_keeps_the_channel_open(cx: Cx) -> Result<(), Failure> {
    channels::senders_gone(cx).await
}

#[asr_lab::test(seeds = 5)]
async fn chn_2_part_waiting_senders_have_their_messages_back(cx: Cx) -> Result<(), Failure> {
    channels::receiver_gone(cx).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_5_part_unbounded_by_name(cx: Cx) -> Result<(), Failure> {
    channels::unbounded(cx).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_11_oneshots(cx: Cx) -> Result<(), Failure> {
    apart(&cx, oneshots::four_orders).await?;
    apart(&cx, oneshots::between_tasks).await?;
    apart(&cx, oneshots::cancelled).await
}

#[asr_lab::test(seeds = 30)]
async fn can_14_part_a_cancel_is_preferred_to_a_message(cx: Cx) -> Result<(), Failure> {
    apart(&cx, channels::cancelled_waits).await
}

/// The count in `chan.undelivered` is what the sum lacks, under every seed.
#[test]
fn obl_8_sent_is_received_or_undelivered() {
    let mut dropped = 0;
    for seed in 0..200 {
        let run = Lab::new(LabConfig::seed(seed))
            .run(async move |cx| channels::undelivered(cx, seed % 16).await);
        let run = run.unwrap_or_else(|failure| panic!("{failure}"));
        let Outcome::Ok((sent, received)) = run.outcome else {
            panic!("{:?}", run.outcome)
        };
        let told = run.trace.events.iter();
        let told = told.filter(|event| event.sub == Sub::Undelivered);
        let undelivered: u64 = told.map(|event| event.b).sum();
        assert_eq!(sent, received + undelivered, "seed {seed}");
        dropped += undelivered;
    }
    assert!(dropped > 0, "some seed leaves messages");
}

/// Sender and receiver of a oneshot end in every way and in every order.
#[test]
fn chn_11_all_orders() {
    for (sends, reads) in [(true, true), (true, false), (false, true), (false, false)] {
        let explored = Explorer::default().run(
            || {
                async move |cx: Cx| {
                    let (sender, mut receiver) = oneshot(&cx);
                    let writer = cx.spawn(async move |_| match sends {
                        true => Ok(sender.send(7).is_ok()),
                        false => Ok(false),
                    })?;
                    let reader = cx.spawn(async move |cx| match reads {
                        true => Ok(Some(receiver.recv(&cx).await)),
                        false => Ok(None),
                    })?;
                    let sent = writer.join(&cx).await?.into_result()?;
                    Ok((sent, reader.join(&cx).await?.into_result()?))
                }
            },
            |run| match (&run.outcome, sends, reads) {
                (Outcome::Ok((true, Some(Ok(7)))), true, true) => Ok(0),
                (Outcome::Ok((sent, None)), true, false) => Ok(1 + u8::from(*sent)),
                (Outcome::Ok((false, Some(Err(RecvError::Closed)))), false, true) => Ok(3),
                (Outcome::Ok((false, None)), false, false) => Ok(4),
                (other, ..) => Err(format!("{other:?}")),
            },
        );
        let explored = explored.unwrap_or_else(|found| panic!("{sends} {reads}: {found:?}"));
        assert!(explored.complete);
        assert_eq!(explored.seen.len(), if sends && !reads { 2 } else { 1 });
    }
}

/// Three senders for one slot, one of which is cancelled at any moment: the rest proceed.
#[test]
fn obl_18_waiting_senders_proceed() {
    for who in 0..3 {
        let explored = Explorer::default().run(
            || async move |cx: Cx| senders(cx, who).await,
            |run| match &run.outcome {
                Outcome::Ok((sent, received)) if sent == received => Ok(*sent),
                other => Err(format!("{other:?}")),
            },
        );
        let explored = explored.unwrap_or_else(|found| panic!("{who}: {found:?}"));
        assert!(explored.complete, "{} schedules", explored.executions);
        assert!(explored.seen.keys().all(|sent| *sent >= 2));
    }
}

async fn senders(cx: Cx, who: usize) -> Result<(u64, u64), Failure> {
    let (sender, mut receiver) = mpsc::channel(&cx, 1)?;
    let sent = Arc::new(AtomicU64::new(0));
    let held = sender.reserve(&cx).await?;
    let mut waiters = Vec::new();
    for _ in 0..3 {
        let (sender, sent) = (sender.clone(), sent.clone());
        waiters.push(cx.spawn(async move |cx| {
            if sender.send(&cx, ()).await.is_ok() {
                sent.fetch_add(1, Relaxed);
            }
            Ok(())
        })?);
    }
    cx.yield_now().await?;
    held.abort();
    drop(sender);
    waiters[who].abort();
    let mut received = 0;
    while receiver.recv(&cx).await.is_ok() {
        received += 1;
    }
    for waiter in waiters {
        let _ = waiter.join(&cx).await?;
    }
    Ok((sent.load(Relaxed), received))
}

#[asr_lab::test(seeds = 10)]
async fn chn_9_an_item_that_comes_back_is_first(cx: Cx) -> Result<(), Failure> {
    acks::head(cx).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_9_a_cancelled_consumer_gives_its_item_back(cx: Cx) -> Result<(), Failure> {
    apart(&cx, acks::cancelled).await
}

#[asr_lab::test(seeds = 10)]
async fn chn_10_too_many_deliveries_go_to_the_dead_letters(cx: Cx) -> Result<(), Failure> {
    acks::dead_letters(cx).await
}

/// The receiving region closes with five senders waiting: each has its message back, also when the
/// receiver was carried out of it; and one that another region adopted goes on. Part: that an end
/// which is sent through a channel is adopted by itself waits for messages that are told of their
/// way; oneshots close with the tasks that have them.
#[asr_lab::test(seeds = 20)]
async fn chn_27_part_a_closed_region_closes_its_ends(cx: Cx) -> Result<(), Failure> {
    for carried in [false, true] {
        for adopted in [false, true] {
            ends(&cx, carried, adopted).await?;
        }
    }
    Ok(())
}

async fn ends(cx: &Cx, carried: bool, adopted: bool) -> Result<(), Failure> {
    let region = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
    let (give, mut given) = oneshot(cx);
    let reader = region.spawn(async move |cx| {
        let (sender, receiver) = mpsc::channel::<u32, _>(&cx, 1)?;
        let (kept, out) = if carried {
            (None, Some(receiver))
        } else {
            (Some(receiver), None)
        };
        let _ = give.send((sender, out));
        cx.sleep(Duration::from_secs(1 << 30)).await?;
        drop(kept);
        Ok(())
    })?;
    let (sender, mut receiver) = given.recv(cx).await?;
    if let Some(receiver) = receiver.as_mut().filter(|_| adopted) {
        receiver.adopt(cx)?;
    }
    sender.try_send(9)?;
    let mut waiters = Vec::new();
    for n in 0..5 {
        let sender = sender.clone();
        waiters.push(cx.spawn(async move |cx| Ok(sender.send(&cx, n).await))?);
    }
    while sender.waiting() < 5 {
        cx.yield_now().await?;
    }
    region.cancel("the reader is not needed");
    let _ = region.close(cx).await;
    drop(reader);
    let lives = carried && adopted;
    assert_eq!(sender.is_closed(), !lives);
    if let Some(receiver) = &mut receiver {
        assert_eq!(receiver.recv(cx).await?, 9);
        for _ in 0..if lives { 5 } else { 0 } {
            receiver.recv(cx).await?;
        }
        assert!(receiver.try_recv().is_err());
    }
    for (n, waiter) in waiters.into_iter().enumerate() {
        let sent = waiter.join(cx).await?.into_result()?;
        let expected = if lives {
            Ok(())
        } else {
            Err(SendError::Closed(n as u32))
        };
        assert_eq!(sent, expected);
    }
    assert_eq!(sender.try_send(9).is_ok(), lives);
    Ok(())
}
