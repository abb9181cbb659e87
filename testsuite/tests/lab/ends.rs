//! Ends of channels that move between regions (CHN-27): each belongs to the region that adopted it
//! last.

use std::time::Duration;

use asr_base::Failure;
use asr_kernel::{Cx, OpenRegion, RegionConfig};
use asr_sync::{Closed, RecvError, SendError, TryRecvError, TrySendError, mpsc, oneshot};

type Ends = (mpsc::Sender<u32>, mpsc::Receiver<u32>);

/// A region with a channel of its own.
async fn channel_in(cx: &Cx) -> Result<(OpenRegion, Ends), Failure> {
    let region = cx.open_region(&RegionConfig::new())?;
    let ends = region.spawn(async |cx| Ok(mpsc::channel(&cx, 1)?))?;
    let ends = ends.join(cx).await?.into_result()?;
    Ok((region, ends))
}

/// A receiver goes through a channel into another region, which adopts it: the close of the region
/// that it came from does nothing to it, that of the new one closes it, for waiting senders too.
#[asr_lab::test(seeds = 20)]
async fn chn_27_part_an_adopted_end_closes_with_its_new_region(cx: Cx) -> Result<(), Failure> {
    let (old, (sender, receiver)) = channel_in(&cx).await?;
    let new = cx.open_region(&RegionConfig::new())?;
    let (carrier, mut carried) = mpsc::channel(&cx, 1)?;
    carrier.send(&cx, receiver).await?;
    let (give, mut given) = oneshot(&cx);
    let adopts = new.spawn(async move |cx| {
        let mut receiver: mpsc::Receiver<u32> = carried.recv(&cx).await?;
        receiver.adopt(&cx)?;
        // Carried out of the region by other means: it still belongs to it.
        give.send(receiver).map_err(Failure::from)
    })?;
    adopts.join(&cx).await?.into_result()?;
    let mut receiver = given.recv(&cx).await?;
    old.close(&cx).await.into_result()?;
    sender.send(&cx, 1).await?;
    assert_eq!(receiver.recv(&cx).await, Ok(1));
    sender.send(&cx, 2).await?;
    let mut waiters = Vec::new();
    for n in 0..5 {
        let sender = sender.clone();
        waiters.push(cx.spawn(async move |cx| Ok(sender.send(&cx, n).await))?);
    }
    while sender.waiting() < 5 {
        cx.yield_now().await?;
    }
    new.close(&cx).await.into_result()?;
    for (n, waiter) in (0..).zip(waiters) {
        let sent = waiter.join(&cx).await?.into_result()?;
        assert_eq!(sent, Err(SendError::Closed(n)));
    }
    assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    assert_eq!(
        receiver.recv(&cx).await,
        Ok(2),
        "what was queued is still there"
    );
    assert_eq!(receiver.recv(&cx).await, Err(RecvError::Closed));
    Ok(())
}

/// A channel that is told of the ends in its messages moves each by itself: to the region of who
/// receives it, out of that of who sent it. The receiver's region has five senders waiting when it
/// closes.
#[asr_lab::test(seeds = 20)]
async fn chn_27_ends_that_are_received_move_by_themselves(cx: Cx) -> Result<(), Failure> {
    let (old, (sender, receiver)) = channel_in(&cx).await?;
    let (answer, mut answered) = oneshot::<u32, _>(&cx);
    let new = cx.open_region(&RegionConfig::new())?;
    let (carrier, mut carried) = mpsc::channel_of_ends(&cx, 1)?;
    let (give, mut given) = oneshot(&cx);
    carrier.send(&cx, (receiver, Some(answer))).await?;
    let takes = new.spawn(async move |cx| {
        let ends = carried.recv(&cx).await?;
        give.send(ends).map_err(Failure::from)
    })?;
    takes.join(&cx).await?.into_result()?;
    let (mut receiver, answer) = given.recv(&cx).await?;
    old.close(&cx).await.into_result()?;
    sender.send(&cx, 1).await?;
    let mut waiters = Vec::new();
    for n in 0..5 {
        let sender = sender.clone();
        waiters.push(cx.spawn(async move |cx| Ok(sender.send(&cx, n).await))?);
    }
    while sender.waiting() < 5 {
        cx.yield_now().await?;
    }
    new.close(&cx).await.into_result()?;
    for (n, waiter) in (0..).zip(waiters) {
        let sent = waiter.join(&cx).await?.into_result()?;
        assert_eq!(sent, Err(SendError::Closed(n)));
    }
    assert_eq!(receiver.recv(&cx).await, Ok(1), "what was queued");
    assert_eq!(receiver.recv(&cx).await, Err(RecvError::Closed));
    // The other end that came along is of the closed region too.
    let Some(answer) = answer else {
        panic!("it was sent")
    };
    assert_eq!(answer.send(2), Err(Closed(2)));
    assert_eq!(answered.recv(&cx).await, Err(RecvError::Closed));
    Ok(())
}

/// A receiver that is dropped on its way, with the channel that carries it, is closed; so is the
/// other end of a oneshot whose sender is.
#[asr_lab::test(seeds = 20)]
async fn chn_27_part_an_end_that_is_dropped_on_its_way_is_closed(cx: Cx) -> Result<(), Failure> {
    let (old, (sender, receiver)) = channel_in(&cx).await?;
    let (last, mut waits) = oneshot::<u32, _>(&cx);
    let (carrier, carried) = mpsc::channel(&cx, 2)?;
    carrier.send(&cx, (receiver, None)).await?;
    let (_, (_, other)) = channel_in(&cx).await?;
    carrier.send(&cx, (other, Some(last))).await?;
    sender.send(&cx, 1).await?;
    let waiting = cx.spawn(async move |cx| Ok(sender.send(&cx, 2).await))?;
    let heard = cx.spawn(async move |cx| Ok(waits.recv(&cx).await))?;
    cx.sleep(Duration::from_secs(1)).await?;
    drop(carried);
    let sent = waiting.join(&cx).await?.into_result()?;
    assert_eq!(sent, Err(SendError::Closed(2)));
    assert_eq!(
        heard.join(&cx).await?.into_result()?,
        Err(RecvError::Closed)
    );
    drop(carrier);
    old.close(&cx).await.into_result()?;
    Ok(())
}

/// A region that has closed adopts nothing, and what it refused stays where it was.
#[asr_lab::test(seeds = 5)]
async fn chn_27_part_a_closed_region_adopts_nothing(cx: Cx) -> Result<(), Failure> {
    let (home, (sender, mut receiver)) = channel_in(&cx).await?;
    let region = cx.open_region(&RegionConfig::new())?;
    let gone = region
        .spawn(async |cx| Ok(cx))?
        .join(&cx)
        .await?
        .into_result()?;
    region.close(&cx).await.into_result()?;
    assert!(receiver.adopt(&gone).is_err());
    sender.send(&cx, 1).await?;
    assert_eq!(receiver.try_recv(), Ok(1));
    home.close(&cx).await.into_result()?;
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    let (late, mut none) = oneshot::<u32, _>(&cx);
    none.close();
    assert_eq!(late.send(4), Err(Closed(4)));
    Ok(())
}

/// Both ends of a oneshot live on outside of their region, and its close ends the wait for the
/// message; unless another region adopted them, which does the same when it closes.
#[asr_lab::test(seeds = 20)]
async fn chn_27_part_a_oneshot_closes_with_its_region(cx: Cx) -> Result<(), Failure> {
    for adopted in [false, true] {
        let home = cx.open_region(&RegionConfig::new())?;
        let ends = home.spawn(async |cx| Ok(oneshot::<u32, _>(&cx)))?;
        let (mut sender, mut receiver) = ends.join(&cx).await?.into_result()?;
        let (mut second, mut kept) = {
            let ends = home.spawn(async |cx| Ok(oneshot::<u32, _>(&cx)))?;
            ends.join(&cx).await?.into_result()?
        };
        let new = cx.open_region(&RegionConfig::new())?;
        if adopted {
            let moves = new.spawn(async move |cx| {
                sender.adopt(&cx)?;
                receiver.adopt(&cx)?;
                second.adopt(&cx)?;
                kept.adopt(&cx)?;
                Ok((sender, receiver, second, kept))
            })?;
            (sender, receiver, second, kept) = moves.join(&cx).await?.into_result()?;
        }
        let waits = cx.spawn(async move |cx| Ok((receiver.recv(&cx).await, receiver)))?;
        cx.sleep(Duration::from_secs(1)).await?;
        home.close(&cx).await.into_result()?;
        if adopted {
            assert!(!sender.is_closed());
            assert_eq!(kept.try_recv(), Err(TryRecvError::Empty));
            second.send(5).map_err(Failure::from)?;
            assert_eq!(kept.try_recv(), Ok(5));
            cx.sleep(Duration::from_secs(1)).await?;
            new.close(&cx).await.into_result()?;
        } else {
            assert_eq!(second.send(5), Err(Closed(5)));
            assert_eq!(kept.try_recv(), Err(TryRecvError::Closed));
            new.close(&cx).await.into_result()?;
        }
        let (heard, mut receiver) = waits.join(&cx).await?.into_result()?;
        assert_eq!(heard, Err(RecvError::Closed));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        assert!(sender.is_closed());
        assert_eq!(sender.send(1), Err(Closed(1)));
    }
    Ok(())
}

/// A oneshot whose ends belong to the regions `sends` and `receives`, or where that is none to the
/// first, in which it was made; nobody of these regions has them.
async fn apart(
    cx: &Cx,
    made: &OpenRegion,
    sends: Option<&OpenRegion>,
    receives: Option<&OpenRegion>,
) -> Result<(oneshot::Sender<u32>, oneshot::Receiver<u32>), Failure> {
    let ends = made.spawn(async |cx| Ok(oneshot::<u32, _>(&cx)))?;
    let (mut sender, mut receiver) = ends.join(cx).await?.into_result()?;
    if let Some(region) = sends {
        let moves = region
            .spawn(async move |cx| sender.adopt(&cx).map(|()| sender).map_err(Failure::from))?;
        sender = moves.join(cx).await?.into_result()?;
    }
    if let Some(region) = receives {
        let moves = region.spawn(async move |cx| {
            receiver
                .adopt(&cx)
                .map(|()| receiver)
                .map_err(Failure::from)
        })?;
        receiver = moves.join(cx).await?.into_result()?;
    }
    Ok((sender, receiver))
}

/// The end of the region of the receiver is heard by the sender, wherever that belongs: it has its
/// message back. What was sent before is still there.
#[asr_lab::test(seeds = 20)]
async fn chn_27_part_a_oneshot_sender_hears_of_the_region_of_its_receiver(
    cx: Cx,
) -> Result<(), Failure> {
    for case in 0..3 {
        let made = cx.open_region(&RegionConfig::new())?;
        let (one, two) = (
            cx.open_region(&RegionConfig::new())?,
            cx.open_region(&RegionConfig::new())?,
        );
        let (sends, receives) = match case {
            0 => (None, Some(&one)),
            1 => (Some(&two), Some(&one)),
            _ => (Some(&two), None),
        };
        let (sender, mut receiver) = apart(&cx, &made, sends, receives).await?;
        let (early, mut late) = apart(&cx, &made, sends, receives).await?;
        early.send(4).map_err(Failure::from)?;
        assert!(!sender.is_closed());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let made = if case == 2 {
            made.close(&cx).await.into_result()?;
            None
        } else {
            one.close(&cx).await.into_result()?;
            Some(made)
        };
        assert!(sender.is_closed(), "case {case}");
        assert_eq!(sender.send(5), Err(Closed(5)), "case {case}");
        assert_eq!(
            receiver.try_recv(),
            Err(TryRecvError::Closed),
            "case {case}"
        );
        assert_eq!(late.try_recv(), Ok(4), "case {case}");
        drop(made);
    }
    Ok(())
}

/// The end of the region of the sender is heard by a receiver that waits elsewhere, though
/// somebody keeps the sender; that is no more for its old region to end.
#[asr_lab::test(seeds = 20)]
async fn chn_2_part_a_oneshot_receiver_hears_of_the_region_of_its_sender(
    cx: Cx,
) -> Result<(), Failure> {
    for case in 0..4 {
        let made = cx.open_region(&RegionConfig::new())?;
        let (one, two) = (
            cx.open_region(&RegionConfig::new())?,
            cx.open_region(&RegionConfig::new())?,
        );
        let (sends, receives) = match case {
            0 => (None, Some(&two)),
            1 => (Some(&one), None),
            _ => (Some(&one), Some(&two)),
        };
        let (mut sender, mut receiver) = apart(&cx, &made, None, receives).await?;
        // In the last case it moves while the receiver waits.
        let late = case == 3;
        let moved = async |mut sender: oneshot::Sender<u32>| {
            let Some(region) = sends else {
                return Ok(sender);
            };
            let moves = region
                .spawn(async move |cx| sender.adopt(&cx).map(|()| sender).map_err(Failure::from))?;
            moves.join(&cx).await?.into_result()
        };
        if !late {
            sender = moved(sender).await?;
        }
        let waits = async move |cx: Cx| Ok((receiver.recv(&cx).await, receiver));
        let waits = if case % 2 == 0 {
            two.spawn(waits)?
        } else {
            cx.spawn(waits)?
        };
        cx.sleep(Duration::from_secs(1)).await?;
        if late {
            sender = moved(sender).await?;
        }
        let mut made = Some(made);
        if case != 1 && sends.is_some() {
            made.take().expect("open").close(&cx).await.into_result()?;
            cx.sleep(Duration::from_secs(1)).await?;
            assert!(!sender.is_closed(), "case {case}");
        }
        match made.take().filter(|_| case == 0) {
            Some(made) => made.close(&cx).await.into_result()?,
            None => one.close(&cx).await.into_result()?,
        }
        let (heard, mut receiver) = waits.join(&cx).await?.into_result()?;
        assert_eq!(heard, Err(RecvError::Closed), "case {case}");
        assert_eq!(
            receiver.try_recv(),
            Err(TryRecvError::Closed),
            "case {case}"
        );
        assert!(sender.is_closed(), "case {case}");
        assert_eq!(sender.send(5), Err(Closed(5)), "case {case}");
    }
    Ok(())
}

/// An end whose region was finalized is closed for good: no region adopts it into life again.
#[asr_lab::test(seeds = 5)]
async fn chn_27_part_a_closed_oneshot_stays_closed(cx: Cx) -> Result<(), Failure> {
    for first in [false, true] {
        let made = cx.open_region(&RegionConfig::new())?;
        let (mut sender, mut receiver) = apart(&cx, &made, None, None).await?;
        made.close(&cx).await.into_result()?;
        if first {
            sender.adopt(&cx)?;
        }
        receiver.adopt(&cx)?;
        sender.adopt(&cx)?;
        assert!(sender.is_closed());
        assert_eq!(sender.send(1), Err(Closed(1)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    }
    Ok(())
}
