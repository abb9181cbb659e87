//! Plain data of the runtime: outcomes, budgets, cancel reasons, ids, time. Nothing here needs a
//! scheduler, a thread or the operating system.
#![forbid(unsafe_code)]
