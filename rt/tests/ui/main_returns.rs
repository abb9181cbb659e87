//! A main function that returns nothing.

use asr_rt::Cx;

#[asr_rt::main]
async fn main(cx: Cx) {
    drop(cx);
}
