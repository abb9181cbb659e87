//! Channels of many senders and one receiver, in two phases: a slot is reserved, then a message is
//! committed to it (CHN-6 to CHN-8).
//!
//! | file | idea |
//! |---|---|
//! | `ring` | slots, and who wakes whom |
//! | `send` | senders, permits |
//! | `receive` | the receiver |
//! | `ack` | items that want an answer |
//! | `unbounded` | the same without a bound, and so without a wait of senders |

mod ack;
mod receive;
mod ring;
mod send;
pub mod unbounded;

use std::sync::{Arc, Weak};

use asr_base::{Error, Status};
use asr_kernel::Cx;
use asr_kernel::cx::{Home, Set};
use asr_kernel::region::Belongs;

use crate::travels::Travels;

pub use ack::{DeadLetters, Delivery, MAX_DELIVERIES, RecvAck};
pub use receive::{Receiver, Recv};
pub use ring::{Cursor, Ring};
pub use send::{OwnedPermit, Permit, Reserve, Send, Sender};
pub use unbounded::{UnboundedReceiver, UnboundedSender, unbounded};

/// The most messages of a bounded channel.
pub const CAPACITY_MAX: usize = (1 << 22) - 1;

/// A channel for so many messages, those included for which there is a permit. It belongs to the
/// region of `cx`, which ends it when it is finalized: waiting senders have their messages back,
/// and the receiver gets what is queued, and then `Closed` (CHN-27).
///
/// # Errors
/// `BAD_ARGUMENT` for a capacity of 0, or more than [`CAPACITY_MAX`]; `REGION_CLOSED` if the region
/// is.
pub fn channel<T: std::marker::Send + 'static, C: Set>(
    cx: &Cx<C>,
    capacity: usize,
) -> Result<(Sender<T>, Receiver<T>), Error> {
    if !(1..=CAPACITY_MAX).contains(&capacity) {
        let what = format!("a channel has room for 1 to {CAPACITY_MAX} messages");
        return Err(Error::new(Status::BAD_ARGUMENT, what));
    }
    let ring = Arc::new(Ring::new(capacity));
    lodge(&ring, &cx.home())?;
    Ok((Sender::new(ring.clone()), Receiver::new(ring)))
}

/// The same for messages that are ends of channels, or hold some: each moves to the region of the
/// task that receives it (CHN-27). [`Receiver::try_recv`], which has no task, leaves it where it
/// is.
///
/// ```
/// # use asr_kernel::{Config, sched::Local};
/// use asr_sync::{mpsc, oneshot};
///
/// # let outcome = Local::new(Config::default()).run(async |cx| {
/// let (sender, mut receiver) = mpsc::channel_of_ends(&cx, 8)?;
/// let server = cx.spawn(async move |cx| {
///     let answer: oneshot::Sender<u32> = receiver.recv(&cx).await?;
///     // It is of this region now.
///     Ok(answer.send(42).is_ok())
/// })?;
/// let (answer, mut answered) = asr_sync::oneshot(&cx);
/// sender.send(&cx, answer).await?;
/// assert_eq!(answered.recv(&cx).await, Ok(42));
/// # server.join(&cx).await?.into_result()
/// # });
/// # assert!(matches!(outcome, asr_base::Outcome::Ok(true)));
/// ```
///
/// # Errors
/// As for [`channel`].
pub fn channel_of_ends<T: Travels + std::marker::Send + 'static, C: Set>(
    cx: &Cx<C>,
    capacity: usize,
) -> Result<(Sender<T>, Receiver<T>), Error> {
    let (sender, mut receiver) = channel(cx, capacity)?;
    receiver.arrive = Some(T::arrive);
    Ok((sender, receiver))
}

/// `ring` belongs to `home` from here on.
fn lodge<T>(ring: &Arc<Ring<T>>, home: &Home) -> Result<(), Error>
where
    T: std::marker::Send + 'static,
{
    let belongs: Weak<dyn Belongs> = Arc::<Ring<T>>::downgrade(ring);
    drop(ring.lodge(home.admit(belongs)?));
    Ok(())
}
