//! A function for each row of the tables: it knows its row by its number.

use asr_abi::{Ret, Thread, status};
use asr_codegen::air::Type;
use asr_intrinsics::{CORE, Row, SYNC, TASKS};

use super::engine;

/// Most rows that have a function.
const MAX: usize = 128;

type RowCode = extern "C" fn(*const Thread, u64, u64, u64, u64, u64) -> Ret;

fn all() -> impl Iterator<Item = &'static Row> {
    [&CORE, &TASKS, &SYNC]
        .into_iter()
        .flat_map(|table| table.rows)
}

/// All parameters of these rows are in integer registers.
extern "C" fn row<const N: usize>(_: *const Thread, a: u64, b: u64, c: u64, d: u64, e: u64) -> Ret {
    let row = all().nth(N).expect("a row of this number");
    // The slot is nothing that this kernel needs.
    let words = &[a, b, c, d, e][usize::from(row.waits())..];
    let types = row.params.iter().map(|param| Type::of_row(param.ty));
    // What is above a narrow argument is anything.
    let args = types
        .zip(words)
        .map(|(ty, word)| ty.map_or(*word, |ty| ty.canonical(*word)));
    let args: Vec<u64> = args.collect();
    let ret = engine(|engine| {
        let ret = engine.host.runtime_row(row.name, &args);
        engine.flag();
        ret
    });
    ret.flatten().unwrap_or(Ret {
        value: 0,
        status: status::BAD_ARGUMENT.into(),
    })
}

macro_rules! codes {
    ($($high:literal)*) => {
        [$(
            row::<{ $high * 8 }>, row::<{ $high * 8 + 1 }>, row::<{ $high * 8 + 2 }>,
            row::<{ $high * 8 + 3 }>, row::<{ $high * 8 + 4 }>, row::<{ $high * 8 + 5 }>,
            row::<{ $high * 8 + 6 }>, row::<{ $high * 8 + 7 }>,
        )*]
    };
}

static CODES: [RowCode; MAX] = codes!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

/// Names and addresses.
pub(super) fn symbols() -> Vec<(String, *const u8)> {
    let rows = all().zip(CODES);
    rows.map(|(row, code)| (row.compiled_symbol(), code as *const () as *const u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use asr_intrinsics::Ty;

    #[test]
    fn every_row_has_a_function_that_can_take_its_arguments() {
        assert!(all().count() <= MAX);
        for row in all() {
            let words = row.params.len() + usize::from(row.waits());
            let float = row.params.iter().any(|param| param.ty == Ty::F64);
            assert!(words <= 5 && !float, "{}", row.name);
        }
    }
}
