//! A main function without a context.

use asr_rt::Failure;

#[asr_rt::main]
async fn main() -> Result<(), Failure> {
    Ok(())
}
