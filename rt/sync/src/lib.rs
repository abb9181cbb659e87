//! What tasks wait for each other with: locks, semaphores, channels, and combinators of futures.
//!
//! Every operation that waits takes a context, is a cancel point, takes part in the cooperation
//! budget, says what it waits for, and leaves nothing behind when it is cancelled or dropped.
