//! The tasks of a program: who has which end, and what the main task does to the others.

use std::sync::Arc;
use std::time::Duration;

use asr_base::{CancelKind, Failure, Outcome};
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_sync::mpsc::channel;
use asr_sync::{Mutex, Notify, Semaphore, oneshot};

use super::player::{Ends, Player};
use super::script::{Script, Step};
use super::world::Account;

/// What all tasks share.
pub(super) struct Things {
    pub(super) lock: Mutex<u64>,
    pub(super) semaphore: Semaphore,
    pub(super) notify: Notify,
}

pub(super) async fn main(cx: Cx, script: Script, account: Account) -> Result<(), Failure> {
    let things = Arc::new(Things {
        lock: Mutex::new(0),
        semaphore: Semaphore::new(script.permits)?,
        notify: Notify::new(),
    });
    let (sender, receiver) = channel(&cx, script.capacity)?;
    let mut receiver = Some(receiver);
    let count = script.tasks.len();
    let (mut senders, mut receivers): (Vec<_>, Vec<_>) = (0..count)
        .map(|_| oneshot(&cx))
        .map(|(s, r)| (Some(s), Some(r)))
        .unzip();
    let region = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
    let mut tasks = Vec::new();
    for (me, steps) in script.tasks.into_iter().enumerate() {
        let from = (me + 1) % count;
        let receiver = receiver.take();
        let ends = Ends {
            // The receiver is told when all senders have gone, so its task has none.
            sender: receiver.is_none().then(|| sender.clone()),
            receiver,
            one: senders[me].take().map(|sender| (me, sender)),
            other: receivers[from].take().map(|receiver| (from, receiver)),
            account: account.clone(),
        };
        let things = things.clone();
        tasks.push(region.spawn(async move |cx| {
            play(&cx, ends, &steps, &things).await;
            Ok(())
        })?);
    }
    drop(sender);
    for Step { op, arg } in script.main {
        for _ in 0..op / 8 % 8 {
            cx.yield_now().await?;
        }
        match op % 8 {
            0..3 => tasks[usize::from(arg) % tasks.len()].abort(),
            3 if arg < 32 => region.cancel_children(CancelKind::FailFast, "planted"),
            4 if arg < 64 => {
                things.semaphore.close();
                account.lock().closed = true;
            }
            5 => cx.sleep(Duration::from_micros(arg.into())).await?,
            _ => {
                account.lock().notices += 1;
                things.notify.notify_one();
            }
        }
    }
    region.cancel("the script has ended");
    for task in tasks {
        if let Outcome::Panicked(payload) = task.join(&cx).await? {
            panic!("{payload:?}");
        }
    }
    let _ = region.close(&cx).await;
    assert_eq!(things.semaphore.available(), script.permits);
    assert!(things.semaphore.waiting() == 0 && things.notify.waiting() == 0);
    assert!(things.lock.waiting() == 0 && !things.lock.is_locked());
    Ok(())
}

/// Plays a script to its end or to a cancel, and cleans up.
async fn play(cx: &Cx, mut ends: Ends, steps: &[Step], things: &Things) {
    let (sender, account) = (ends.sender.take(), ends.account.clone());
    let mut player = Player::new(cx, sender.as_ref(), things, &account);
    for step in steps {
        if player.step(&mut ends, *step).await.is_err() {
            break;
        }
    }
    player.ends(steps.len());
}
