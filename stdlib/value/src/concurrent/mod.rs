//! Tasks, channels, scopes and isolates of the language.
//!
//! An isolate is a heap, a region and a worker that alone polls the tasks of that region; values do
//! not leave it, copies do. Within an isolate tasks take turns, so words may be shared.
//!
//! | file | idea |
//! |---|---|
//! | `resource` | what objects stand for |
//! | `task` | how tasks end, for those who await them |
//! | `channel` | values in order |
//! | `scope` | a failure is heard by the body of its scope |
//! | `rows` | the rows of tasks, channels and scopes |
//! | `isolate` | starting isolates |
//! | `program` | the main function of a program that uses all this |
//! | `waiters` | who waits, first come first served |

mod channel;
pub mod isolate;
pub mod program;
mod resource;
pub(crate) mod rows;
mod scope;
mod task;
mod waiters;

pub(crate) use channel::Channel;
pub(crate) use resource::Resource;
pub(crate) use scope::Scopes;
