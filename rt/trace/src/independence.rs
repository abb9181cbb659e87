//! When two events must keep their order (TRC-8).
//!
//! Dependent: same task, one is a cause of the other, or they touch a common resource and one of
//! them writes it. Nothing else counts, the kind least of all. What each kind touches is the
//! business of its emit site; the cases that need a decision are constructors of
//! [`Objects`](crate::Objects).

use crate::event::Event;

/// Whether the two events must keep their order. An event depends on itself.
pub fn dependent(a: &Event, b: &Event) -> bool {
    a.seq == b.seq
        || (a.task.is_some() && a.task == b.task)
        || a.causes.contains(b.seq)
        || b.causes.contains(a.seq)
        || a.objects.conflict(&b.objects)
}

/// Whether the two events may be swapped where they are neighbours. Symmetric and irreflexive.
pub fn independent(a: &Event, b: &Event) -> bool {
    !dependent(a, b)
}
