//! What moves to the region of whoever receives it (CHN-27): ends of channels, and what holds some.
//!
//! A channel cannot see an end inside of any message; so it is told at its making that there are
//! some ([`mpsc::channel_of_ends`]), and asks each message to move when it is received.

use asr_kernel::cx::Home;

use crate::{mpsc, oneshot};

/// See the module. Of a type of one's own that holds ends, each is moved:
///
/// ```
/// use asr_kernel::cx::Home;
/// use asr_sync::{Travels, oneshot};
///
/// struct Request {
///     question: u32,
///     answer: oneshot::Sender<u32>,
/// }
///
/// impl Travels for Request {
///     fn arrive(&mut self, home: &Home) {
///         self.answer.arrive(home);
///     }
/// }
/// ```
pub trait Travels {
    /// It belongs to `home` from here on, where that is not closed; there, nothing changes.
    fn arrive(&mut self, home: &Home);
}

impl<T: Send + 'static> Travels for mpsc::Receiver<T> {
    fn arrive(&mut self, home: &Home) {
        // A region that has closed adopts nothing.
        let _ = self.move_to(home);
    }
}

/// A channel belongs to the region of its receiver.
impl<T> Travels for mpsc::Sender<T> {
    fn arrive(&mut self, _: &Home) {}
}

impl<T> Travels for oneshot::Sender<T> {
    fn arrive(&mut self, home: &Home) {
        let _ = self.move_to(home.clone());
    }
}

impl<T> Travels for oneshot::Receiver<T> {
    fn arrive(&mut self, home: &Home) {
        let _ = self.move_to(home.clone());
    }
}

impl<E: Travels> Travels for Option<E> {
    fn arrive(&mut self, home: &Home) {
        if let Some(end) = self {
            end.arrive(home);
        }
    }
}

impl<E: Travels + ?Sized> Travels for Box<E> {
    fn arrive(&mut self, home: &Home) {
        (**self).arrive(home);
    }
}

impl<E: Travels> Travels for Vec<E> {
    fn arrive(&mut self, home: &Home) {
        for end in self {
            end.arrive(home);
        }
    }
}

impl<A: Travels, B: Travels> Travels for (A, B) {
    fn arrive(&mut self, home: &Home) {
        self.0.arrive(home);
        self.1.arrive(home);
    }
}
