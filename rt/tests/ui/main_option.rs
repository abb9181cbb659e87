//! An option that there is not.

use asr_rt::{Cx, Failure};

#[asr_rt::main(flavor = "current_thread")]
async fn main(cx: Cx) -> Result<(), Failure> {
    drop(cx);
    Ok(())
}
