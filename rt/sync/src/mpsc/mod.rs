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

use std::sync::Arc;

use asr_base::{Error, Status};
use asr_kernel::Cx;
use asr_kernel::cx::Set;

pub use ack::{DeadLetters, Delivery, MAX_DELIVERIES, RecvAck};
pub use receive::{Receiver, Recv};
pub use ring::{Cursor, Ring};
pub use send::{OwnedPermit, Permit, Reserve, Send, Sender};
pub use unbounded::{UnboundedReceiver, UnboundedSender, unbounded};

/// The most messages of a bounded channel.
pub const CAPACITY_MAX: usize = (1 << 22) - 1;

/// A channel for so many messages, those included for which there is a permit.
///
/// # Errors
/// `BAD_ARGUMENT` for a capacity of 0, or more than [`CAPACITY_MAX`].
pub fn channel<T, C: Set>(cx: &Cx<C>, capacity: usize) -> Result<(Sender<T>, Receiver<T>), Error> {
    if !(1..=CAPACITY_MAX).contains(&capacity) {
        let what = format!("a channel has room for 1 to {CAPACITY_MAX} messages");
        return Err(Error::new(Status::BAD_ARGUMENT, what));
    }
    let ring = Arc::new(Ring::new(capacity, Some(cx.home())));
    Ok((Sender::new(ring.clone()), Receiver::new(ring)))
}
