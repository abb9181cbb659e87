//! Channels: values in the order in which they were sent, at most so many.
//!
//! Within one isolate the words themselves are kept. A channel that was passed to another isolate
//! is shared from then on and keeps copies; it cannot be passed while it holds words.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::waiters::Waiters;
use crate::error::{Res, message};
use crate::heap::Heap;
use crate::isolate::{Message, Reach, Unpack, pack, unpack};
use crate::word::Value;

/// A value in a channel.
enum Item {
    /// A word of the one isolate that uses the channel, or no object.
    Word(u64),
    /// A copy.
    Sent(Message),
}

struct Inner {
    queue: VecDeque<Item>,
    capacity: usize,
    closed: bool,
    /// More than one isolate has it.
    shared: bool,
    receivers: Waiters,
    senders: Waiters,
}

/// A channel. Any thread may use it.
pub(crate) struct Channel {
    inner: Mutex<Inner>,
}

impl Channel {
    /// A channel for at least one value.
    pub(crate) fn new(capacity: usize) -> Channel {
        Channel {
            inner: Mutex::new(Inner {
                queue: VecDeque::new(),
                capacity: capacity.max(1),
                closed: false,
                shared: false,
                receivers: Waiters::default(),
                senders: Waiters::default(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that may panic runs under the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another isolate gets it. False while it holds objects of the isolate that has it.
    pub(crate) fn share(&self) -> bool {
        let mut inner = self.lock();
        let mut words = inner.queue.iter().filter_map(|item| match item {
            Item::Word(word) => Some(*word),
            Item::Sent(_) => None,
        });
        let fine = inner.shared || !words.any(Value::is_object_word);
        inner.shared |= fine;
        fine
    }

    /// Sends a value, or waits. Throws once the channel is closed, and for what cannot be copied.
    /// A copy that was made before there was a place is kept in `packed`.
    pub(crate) fn poll_send(
        &self,
        heap: &Heap,
        v: Value,
        packed: &mut Option<Box<Message>>,
        key: &mut Option<u64>,
        waker: &Waker,
    ) -> Poll<Res<()>> {
        loop {
            let mut inner = self.lock();
            if inner.closed {
                inner.senders.leave(key);
                drop(inner);
                return Poll::Ready(Err(heap.thrown_text("The channel is closed.")));
            }
            if inner.queue.len() >= inner.capacity {
                inner.senders.wait(key, waker);
                return Poll::Pending;
            }
            let item = match inner.shared && v.kind().is_some() {
                false => Item::Word(v.word()),
                true => match packed.take() {
                    Some(message) => Item::Sent(*message),
                    None => {
                        // Packing may look at this very channel. Another isolate may fill or close
                        // it meanwhile, so all is looked at again.
                        drop(inner);
                        match pack(heap, &[v], Reach::Program) {
                            Ok(message) => *packed = Some(Box::new(message)),
                            Err(refused) => {
                                self.leave_send(key);
                                let text = refused.text("what is sent");
                                return Poll::Ready(Err(heap.thrown_text(&text)));
                            }
                        }
                        continue;
                    }
                },
            };
            inner.senders.leave(key);
            inner.queue.push_back(item);
            let next = inner.receivers.first();
            drop(inner);
            next.into_iter().for_each(Waker::wake);
            return Poll::Ready(Ok(()));
        }
    }

    /// The next value, or waits. Null once the channel is closed and empty.
    pub(crate) fn poll_recv(&self, heap: &Heap, key: &mut Option<u64>, waker: &Waker) -> Poll<Res> {
        let mut inner = self.lock();
        let Some(item) = inner.queue.pop_front() else {
            if inner.closed {
                inner.receivers.leave(key);
                return Poll::Ready(Ok(Value::NULL));
            }
            inner.receivers.wait(key, waker);
            return Poll::Pending;
        };
        inner.receivers.leave(key);
        let next = inner.senders.first();
        drop(inner);
        next.into_iter().for_each(Waker::wake);
        Poll::Ready(match item {
            Item::Word(word) => Ok(heap.kept(word)),
            Item::Sent(sent) => match unpack(&sent, heap) {
                Ok(values) => Ok(values.first().copied().unwrap_or(Value::NULL)),
                Err(Unpack::Memory(thrown)) => Err(thrown),
                Err(Unpack::Malformed) => Err(heap.thrown(message::INTERNAL)),
            },
        })
    }

    /// A sender does not wait any more; if it had been woken, the next one is.
    pub(crate) fn leave_send(&self, key: &mut Option<u64>) {
        let mut inner = self.lock();
        let next = match inner.senders.leave(key) {
            true => inner.senders.first(),
            false => None,
        };
        drop(inner);
        next.into_iter().for_each(Waker::wake);
    }

    /// The same of a receiver.
    pub(crate) fn leave_recv(&self, key: &mut Option<u64>) {
        let mut inner = self.lock();
        let next = match inner.receivers.leave(key) {
            true => inner.receivers.first(),
            false => None,
        };
        drop(inner);
        next.into_iter().for_each(Waker::wake);
    }

    /// Nothing is sent any more.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        let mut waiting = inner.receivers.all();
        waiting.extend(inner.senders.all());
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::object::List;

    const ROUNDS: usize = 100;

    /// Sends a long list from two isolates at once; how many were sent.
    fn sent_of_two(channel: &Channel) -> usize {
        let together = Barrier::new(2);
        let send = || {
            let heap = Heap::new(16 << 20).unwrap();
            let list = List::of(&heap, &[Value::NULL; 2000]).unwrap();
            let (mut packed, mut key) = (None, None);
            together.wait();
            let sent = channel.poll_send(&heap, list, &mut packed, &mut key, Waker::noop());
            usize::from(matches!(sent, Poll::Ready(Ok(()))))
        };
        thread::scope(|scope| {
            let (a, b) = (scope.spawn(send), scope.spawn(send));
            a.join().unwrap() + b.join().unwrap()
        })
    }

    #[test]
    fn a_shared_channel_never_holds_more_than_its_capacity() {
        for _ in 0..ROUNDS {
            let channel = Channel::new(1);
            assert!(channel.share());
            assert_eq!(sent_of_two(&channel), 1);
        }
    }

    #[test]
    fn a_packed_value_is_sent_once_there_is_a_place() {
        let heap = Heap::new(1 << 20).unwrap();
        let channel = Channel::new(1);
        assert!(channel.share());
        let list = List::of(&heap, &[Value::NULL]).unwrap();
        let mut packed = Some(Box::new(pack(&heap, &[list], Reach::Program).unwrap()));
        let send = |packed: &mut _| {
            let waker = Waker::noop();
            channel.poll_send(&heap, list, packed, &mut None, waker)
        };
        assert!(matches!(send(&mut packed), Poll::Ready(Ok(()))));
        assert!(packed.is_none());
        assert!(send(&mut packed).is_pending());
        channel.close();
        assert!(matches!(send(&mut packed), Poll::Ready(Err(_))));
    }
}
