//! What tasks wait for each other with, in the lab: the bodies that run on threads as well, under
//! many seeds, and small programs in every schedule.

#[path = "../../rt/sync/tests/bodies/mod.rs"]
mod bodies;
mod lab;
