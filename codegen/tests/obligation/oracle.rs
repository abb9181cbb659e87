//! A dynamic oracle: runs a program with random branches and counts (rule OBL-27).

use std::collections::BTreeSet;

use super::program::{KINDS, Random, program, programs, random};
use asr_codegen::pass::obligation::bounds::{Act, Bound, Program, check};

/// An execution: what is held of each kind, and where a function was left with more than it found.
struct Run<'a> {
    program: &'a Program,
    random: Random,
    held: [u64; KINDS.len()],
    leaks: BTreeSet<(u32, usize)>,
    fuel: u32,
}

impl Run<'_> {
    /// Whether the function came to its end.
    fn call(&mut self, routine: usize, depth: u32) -> bool {
        let before = self.held;
        let mut block = 0;
        loop {
            let body = &self.program.routines[routine].blocks[block];
            for &(act, line) in &body.acts {
                if self.fuel == 0 || depth > 20 {
                    return false;
                }
                self.fuel -= 1;
                match act {
                    Act::Reserve(kind) => self.held[kind] += 1,
                    Act::Commit(kind) | Act::Abort(kind) => {
                        self.held[kind] = self.held[kind].saturating_sub(1);
                    }
                    Act::Call(Some(callee)) => {
                        if !self.call(callee, depth + 1) {
                            return false;
                        }
                    }
                    Act::Call(None) => {
                        for (kind, most) in self.program.unknown.iter().enumerate() {
                            let most = Bound::ALL.iter().position(|b| b == most).unwrap_or(0);
                            self.held[kind] += self.random.below(most + 1) as u64;
                        }
                    }
                    Act::Exit => {
                        for (kind, before) in before.iter().enumerate() {
                            if self.held[kind] > *before {
                                self.leaks.insert((line, kind));
                            }
                        }
                    }
                }
            }
            match body.next.len() {
                0 => return true,
                n => block = body.next[self.random.below(n)],
            }
            if self.fuel == 0 {
                return false;
            }
            self.fuel -= 1;
        }
    }
}

#[test]
fn obl_27_what_leaks_is_reported() {
    let programs = programs();
    let (mut leaking, mut clean) = (0, 0);
    for seed in 0..programs {
        let text = random(&mut Random(seed));
        let unknown = Bound::ALL[seed as usize % 4];
        let program = program(&text, unknown);
        let found = check(&program);
        assert!(found.passes <= 3 * KINDS.len() + 1, "{text}");
        let reported: BTreeSet<(u32, &str)> =
            found.reports.iter().map(|r| (r.line, &*r.kind)).collect();
        let mut leaks = 0;
        for run in 0..20 {
            for routine in 0..program.routines.len() {
                let mut run = Run {
                    program: &program,
                    random: Random(seed * 1000 + run),
                    held: [0; KINDS.len()],
                    leaks: BTreeSet::new(),
                    fuel: 300,
                };
                run.call(routine, 0);
                leaks += run.leaks.len();
                for (line, kind) in run.leaks {
                    assert!(
                        reported.contains(&(line, KINDS[kind])),
                        "line {line}, kind {} leaks: {text}",
                        KINDS[kind]
                    );
                }
            }
        }
        leaking += u64::from(leaks > 0);
        clean += u64::from(reported.is_empty());
    }
    assert!(leaking > programs / 4, "only {leaking} leak");
    assert!(clean > programs / 20, "only {clean} are clean");
}
