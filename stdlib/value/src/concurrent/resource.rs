//! What the program holds and the runtime uses: tasks, channels, scopes.

use std::rc::Rc;
use std::sync::Arc;

use super::channel::Channel;
use super::scope::Scope;
use super::task::TaskState;

/// Behind an object of the kind `Resource`. It lives as long as the heap.
pub(crate) enum Resource {
    /// A task, and the scope that it belongs to.
    Task(Arc<TaskState>, Option<Rc<Scope>>),
    /// A channel.
    Channel(Arc<Channel>),
    /// A scope.
    Scope(Rc<Scope>),
}

impl Resource {
    /// The channel, if it is one.
    pub(crate) fn as_channel(&self) -> Option<&Arc<Channel>> {
        match self {
            Resource::Channel(channel) => Some(channel),
            _ => None,
        }
    }

    /// How it is printed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Resource::Task(..) => "<task>",
            Resource::Channel(_) => "<channel>",
            Resource::Scope(_) => "<scope>",
        }
    }
}
