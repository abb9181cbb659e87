//! Messages: a number there and back, requests with an answer of their own, many to one.
//!
//! The `cross` ones are between two runtimes, each on a thread of its own, so that no scheduler can
//! put both ends on one thread: what they take is the wake of a thread that sleeps or searches.

use std::sync::mpsc as threads;

use asr_base::Failure;
use asr_kernel::Cx;
use asr_sync::{mpsc, oneshot};

use super::{Work, work};
use crate::on::Place;
use crate::report::{Meter, Report};

pub(super) const WORKS: &[Work] = &[
    work("pingpong_same", 1_000_000, pingpong_same),
    work("pingpong_cross", 200_000, pingpong_cross),
    work("oneshot_same", 1_000_000, oneshot_same),
    work("oneshot_cross", 200_000, oneshot_cross),
    work("mpsc", 4_000_000, mpsc),
];

/// A number, and where its answer goes.
type Request = (u64, oneshot::Sender<u64>);

/// `count` times a number there and back, over two channels for one message.
fn pingpong_same(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let (there, from_there) = mpsc::channel(&cx, 1)?;
        let (back, from_back) = mpsc::channel(&cx, 1)?;
        let meter = Meter::start();
        let pong = cx.spawn(async move |cx| pong(&cx, from_there, back).await)?;
        let ping = cx.spawn(async move |cx| ping(&cx, count, there, from_back).await)?;
        ping.join(&cx).await?.into_result()?;
        pong.join(&cx).await?.into_result()?;
        Ok(meter.read(count))
    })
}

/// The same between two threads.
fn pingpong_cross(place: Place, count: u64) -> Report {
    let (ends, other_ends) = threads::channel();
    let meter = Meter::start();
    two(
        move || {
            place.alone().run(async move |cx| {
                let (there, from_there) = mpsc::channel(&cx, 1)?;
                let (back, from_back) = mpsc::channel(&cx, 1)?;
                ends.send((from_there, back)).expect("the other waits");
                ping(&cx, count, there, from_back).await
            });
        },
        move || {
            let (from_there, back) = other_ends.recv().expect("the other sends");
            let pong = async move |cx| pong(&cx, from_there, back).await;
            place.alone().run(pong);
        },
    );
    meter.read(count)
}

async fn ping(
    cx: &Cx,
    count: u64,
    there: mpsc::Sender<u64>,
    mut from_back: mpsc::Receiver<u64>,
) -> Result<(), Failure> {
    for n in 0..count {
        there.send(cx, n).await?;
        assert_eq!(from_back.recv(cx).await?, n + 1);
    }
    Ok(())
}

async fn pong(
    cx: &Cx,
    mut from_there: mpsc::Receiver<u64>,
    back: mpsc::Sender<u64>,
) -> Result<(), Failure> {
    while let Ok(n) = from_there.recv(cx).await {
        back.send(cx, n + 1).await?;
    }
    Ok(())
}

/// `count` requests over one channel, each answered through a channel of its own.
fn oneshot_same(place: Place, count: u64) -> Report {
    place.run(async move |cx| {
        let (requests, inbox) = mpsc::channel(&cx, 1)?;
        let meter = Meter::start();
        let server = cx.spawn(async move |cx| serve(&cx, inbox).await)?;
        let client = cx.spawn(async move |cx| ask(&cx, count, requests).await)?;
        client.join(&cx).await?.into_result()?;
        server.join(&cx).await?.into_result()?;
        Ok(meter.read(count))
    })
}

/// The same between two threads.
fn oneshot_cross(place: Place, count: u64) -> Report {
    let (inbox, other_inbox) = threads::channel();
    let meter = Meter::start();
    two(
        move || {
            place.alone().run(async move |cx| {
                let (requests, from_client) = mpsc::channel(&cx, 1)?;
                inbox.send(from_client).expect("the other waits");
                ask(&cx, count, requests).await
            });
        },
        move || {
            let inbox = other_inbox.recv().expect("the other sends");
            place.alone().run(async move |cx| serve(&cx, inbox).await);
        },
    );
    meter.read(count)
}

async fn ask(cx: &Cx, count: u64, requests: mpsc::Sender<Request>) -> Result<(), Failure> {
    for n in 0..count {
        let (answer, mut answered) = oneshot::oneshot(cx);
        requests.send(cx, (n, answer)).await?;
        assert_eq!(answered.recv(cx).await?, n + 1);
    }
    Ok(())
}

async fn serve(cx: &Cx, mut inbox: mpsc::Receiver<Request>) -> Result<(), Failure> {
    while let Ok((n, answer)) = inbox.recv(cx).await {
        answer.send(n + 1)?;
    }
    Ok(())
}

/// Four producers, one consumer, room for 1024, `count` numbers.
fn mpsc(place: Place, count: u64) -> Report {
    const PRODUCERS: u64 = 4;
    place.run(async move |cx| {
        let (sender, mut receiver) = mpsc::channel(&cx, 1024)?;
        let meter = Meter::start();
        let consumer = cx.spawn(async move |cx| {
            let mut received = 0;
            while receiver.recv(&cx).await.is_ok() {
                received += 1;
            }
            Ok(received)
        })?;
        let mut producers = Vec::new();
        for _ in 0..PRODUCERS {
            let sender = sender.clone();
            producers.push(cx.spawn(async move |cx| {
                for n in 0..count / PRODUCERS {
                    sender.send(&cx, n).await?;
                }
                Ok(())
            })?);
        }
        drop(sender);
        for producer in producers {
            producer.join(&cx).await?.into_result()?;
        }
        let received: u64 = consumer.join(&cx).await?.into_result()?;
        assert_eq!(received, count / PRODUCERS * PRODUCERS);
        Ok(meter.read(received))
    })
}

/// Runs one on the calling thread, the other on a second.
fn two(one: impl FnOnce(), other: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        scope.spawn(other);
        one();
    });
}
