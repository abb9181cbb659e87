//! What each waiting operation relies on and guarantees (CAN-10, CAN-18, CHN-15): a cancel point at
//! each of its polls, no mask, and one poll to take itself out of its queue. All others wait for
//! nobody.

use asr_kernel::cx::classes::{Class, Operation, Polls, Relies};

const fn waits(name: &'static str) -> Operation {
    Operation {
        name,
        class: Class::Checkpointing,
        relies: Relies {
            fairness: true,
            clock: false,
            region: true,
        },
        c: Polls::Exactly(1),
        m: 0,
        f: Polls::Exactly(1),
        resolves: false,
    }
}

/// The operations that wait.
pub const OPERATIONS: &[Operation] = &[
    waits("Mutex::lock"),
    waits("Semaphore::acquire"),
    waits("Semaphore::acquire_many"),
    waits("Notify::notified"),
    waits("mpsc::Sender::reserve"),
    waits("mpsc::Sender::reserve_owned"),
    waits("mpsc::Sender::send"),
    waits("mpsc::Receiver::recv"),
    waits("mpsc::Receiver::recv_ack"),
    waits("mpsc::UnboundedReceiver::recv"),
    waits("oneshot::Receiver::recv"),
];
