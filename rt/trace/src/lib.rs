//! Traces: the event model, logical clocks, canonical forms and the log. Pure functions over
//! events; nothing here knows the kernel.
#![forbid(unsafe_code)]

mod clock;
mod equivalent;
mod event;
mod explain;
mod fingerprint;
mod foata;
mod gate;
mod happens_before;
mod hash;
mod independence;
mod kind;
mod link;
mod log;
mod marking;
mod protocol;
mod recorder;
mod resource;
mod restrict;
mod sub;
mod text;
mod violation;

pub use clock::{ClockMode, HybridClock, HybridTime, LamportClock, MAX_SKEW, Refused};
pub use equivalent::{Difference, Seen, equivalent, user_visible, visible_form};
pub use event::{Causes, Draft, Event};
pub use explain::{CancelStep, explain};
pub use fingerprint::fingerprint;
pub use foata::{Foata, Form, Letter};
pub use gate::{Gate, Sink};
pub use happens_before::HappensBefore;
pub use hash::{Hasher, hash, text_number};
pub use independence::{dependent, independent};
pub use kind::{Field, Kind, Word};
pub use log::{Dropped, Log, MAGIC, MAJOR, MINOR, Read, ReadError, schema_hash, schema_text};
pub use marking::{Marking, Totals};
pub use protocol::{ObligationOracle, Protocol, RegionOracle, TaskOracle};
pub use recorder::Recorder;
pub use resource::{Access, CHILDREN, End, Object, Objects, Resource};
pub use restrict::restricted;
pub use sub::Sub;
pub use text::{Topic, Unlisted, line};
pub use violation::{Fault, Violation};
