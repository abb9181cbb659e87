//! A task with a capture that must stay on its thread.

use std::rc::Rc;

use asr_kernel::Cx;

fn captures(cx: &Cx) {
    let here = Rc::new(7);
    let _ = cx.spawn(async move |_| Ok(*here));
}

fn main() {}
