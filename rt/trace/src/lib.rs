//! Traces: the event model, logical clocks, canonical forms and the log. Pure functions over
//! events; nothing here knows the kernel.
#![forbid(unsafe_code)]
