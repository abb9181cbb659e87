//! A main function that is not async.

use asr_rt::{Cx, Failure};

#[asr_rt::main]
fn main(cx: Cx) -> Result<(), Failure> {
    drop(cx);
    Ok(())
}
