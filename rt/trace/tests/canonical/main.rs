//! Dependence, canonical forms and clocks, on random runs of a small machine.

mod clock;
mod equivalent;
mod fingerprint;
mod foata;
mod happens_before;
mod independence;
mod model;
mod program;
