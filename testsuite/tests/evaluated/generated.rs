//! Generated programs with tasks under a few seeds.

use asr_codegen::air::arbitrary::{self, Choices};
use asr_codegen::air::{FuncId, Linkage, print};

use crate::{on_both, run};

/// Bytes that look random (splitmix64).
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let word = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) >> 56) as u8
    };
    std::iter::repeat_with(word).take(len).collect()
}

/// ABI-35, ABI-49: generated programs.
#[test]
fn abi_35_part_generated_programs_end_alike_under_a_seed() {
    let mut ran = 0;
    for n in 0..60 {
        let module = arbitrary::async_module(&mut Choices::new(&noise(n, 900)));
        let funcs = module.funcs.iter().enumerate();
        let exports = funcs.filter(|(_, func)| func.is_async && func.linkage == Linkage::Export);
        for (id, func) in exports {
            let types = func.signature().params;
            let args: Vec<u64> = types.iter().map(|ty| ty.canonical(2)).collect();
            for seed in 0..3 {
                let [evaluated, compiled] = on_both(&module, |engine| {
                    run(engine, &func.name, FuncId::new(id), &args, seed)
                });
                let shown = || format!("module {n}, seed {seed}\n{}", print(&module));
                assert_eq!(evaluated, compiled, "{}", shown());
                ran += 1;
            }
        }
    }
    assert!(ran > 60, "only {ran} runs");
}
