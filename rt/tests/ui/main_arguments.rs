//! A main function that wants its arguments.

use asr_rt::{Cx, Failure};

#[asr_rt::main]
async fn main(cx: Cx, arguments: Vec<String>) -> Result<(), Failure> {
    drop((cx, arguments));
    Ok(())
}
