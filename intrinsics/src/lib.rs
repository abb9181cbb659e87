//! One table: every call that compiled code may make into the runtime.
