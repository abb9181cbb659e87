//! A task that borrows from the stack.

use asr_kernel::Cx;

async fn borrows(cx: &Cx) {
    let local = 7;
    let borrowed = &local;
    let _ = cx.spawn(async move |_| Ok(*borrowed));
}

fn main() {}
