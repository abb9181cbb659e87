//! A main function that takes something else than a context.

use asr_rt::Failure;

#[asr_rt::main]
async fn main(name: String) -> Result<(), Failure> {
    drop(name);
    Ok(())
}
