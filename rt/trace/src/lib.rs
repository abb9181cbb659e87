//! Traces: the event model, logical clocks, canonical forms and the log. Pure functions over
//! events; nothing here knows the kernel.
#![forbid(unsafe_code)]

mod clock;
mod event;
mod gate;
mod hash;
mod kind;
mod log;
mod recorder;
mod resource;
mod sub;

pub use clock::{ClockMode, HybridClock, HybridTime, LamportClock, MAX_SKEW, Refused};
pub use event::{Causes, Draft, Event};
pub use gate::{Gate, Sink};
pub use hash::{Hasher, hash, text_number};
pub use kind::{Field, Kind, Word};
pub use log::{Dropped, Log};
pub use recorder::Recorder;
pub use resource::{Access, CHILDREN, End, Object, Objects, Resource};
pub use sub::Sub;
