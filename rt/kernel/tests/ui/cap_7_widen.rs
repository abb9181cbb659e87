//! From less to more, by every door that a type has.

use asr_kernel::Cx;
use asr_kernel::cx::caps::Time;
use asr_kernel::cx::{All, Caps, Checked, Has, Without};

fn by_type(cx: Cx<Without<All, Time>>) -> Cx {
    cx
}

fn by_the_spawner(cx: Cx<Without<All, Time>>) {
    let _ = cx.spawner().spawn(async |cx: Cx| {
        cx.now();
        Ok(())
    });
}

fn by_a_finalizer(cx: Cx<Without<All, Time>>) {
    let _ = cx.defer_async(async |cx: Cx| {
        cx.now();
        Ok(())
    });
}

fn by_a_proof(cx: &Cx<Checked>) {
    cx.now();
}

impl Has<Time> for Without<All, Time> {}

fn by_bits(caps: Caps) -> Caps {
    Caps(caps.bits() | 1)
}

fn main() {}
