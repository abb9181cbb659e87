//! Obligations: linear tokens that are resolved exactly once.
//!
//! | file | idea |
//! |---|---|
//! | `kind` | the kinds, their names and verbs |
//! | `marking` | counts per region and kind |
//! | `place` | who holds a token, where it is counted |
//! | `record` | records of tokens, found by id without shared locks |
//! | `list` | which recorded tokens a holder has |
//! | `token` | reserve, claim, resolve, transfer |
//! | `hold` | typed tokens that borrow their holder's context: guards and permits |
//! | `linear` | typed tokens: linear values of Rust |
//! | `raw` | tokens named by id: compiled code and C |
//! | `cause` | why a token was aborted; which causes are leaks |
//! | `leak` | what is done about a leak |
//! | `end` | what the ends of tasks and regions find |
//! | `look` | looking at them from outside |
//! | `registry` | what regions share |

mod cause;
mod end;
pub mod hold;
mod kind;
mod leak;
mod linear;
mod list;
mod look;
mod marking;
mod place;
mod raw;
mod record;
mod registry;
mod token;

#[doc(hidden)]
pub use cause::after_panic;
pub use cause::{AbortCause, holder_panicked};
pub(crate) use cause::{Nested, cancelled};
pub(crate) use end::{region_closing, task_completed, task_terminal, unwound};
pub(crate) use hold::Own;
pub use hold::{Held, Hold, Holder};
pub use kind::{Kind, KindInfo};
pub use leak::{Escalate, LeakReport, LeakResponse};
pub use linear::{Kept, Linear, Obligation, Recipient, Refused};
pub use marking::{Counts, Marking};
pub use place::HolderId;
pub(crate) use place::Place;
pub use record::{Behind, ImplicitAbort};
pub use registry::{LeakSink, Registry};
