//! The lab: the same kernel under a seeded scheduler and virtual time.
