//! A notation for abstract programs, and random ones.
//!
//! Functions are separated by `|`; the n-th statement of the f-th function has line 100 f + n.
//! `+a` reserves, `-a` commits, `~a` aborts, `@1` calls function 1, `@?` one that is not known;
//! `if{ … }else{ … }`, `loop{ … }` (no trip or more), `exit` ends a scope, `ret` returns. The end
//! of a function returns.

use asr_codegen::pass::obligation::bounds::{Act, Block, Bound, Program, Routine};

/// Names of the kinds.
pub(crate) const KINDS: [&str; 3] = ["a", "b", "c"];

/// A program from its text. A call that is not known adds `unknown` of each kind.
pub(crate) fn program(text: &str, unknown: Bound) -> Program {
    let routines = text.split('|').enumerate().map(|(f, text)| {
        let mut lower = Lower::new(f);
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut at = 0;
        lower.list(&words, &mut at);
        assert_eq!(at, words.len(), "{text}");
        lower.returns();
        lower.routine
    });
    Program {
        kinds: KINDS.iter().map(|kind| (*kind).to_owned()).collect(),
        unknown: vec![unknown; KINDS.len()],
        routines: routines.collect(),
    }
}

struct Lower {
    routine: Routine,
    at: usize,
    line: u32,
}

impl Lower {
    fn new(f: usize) -> Lower {
        let routine = Routine {
            file: "program".into(),
            blocks: vec![Block::default()],
        };
        Lower {
            routine,
            at: 0,
            line: 100 * f as u32,
        }
    }

    fn block(&mut self) -> usize {
        self.routine.blocks.push(Block::default());
        self.routine.blocks.len() - 1
    }

    fn goes(&mut self, from: usize, to: usize) {
        self.routine.blocks[from].next.push(to);
    }

    fn act(&mut self, act: Act) {
        self.routine.blocks[self.at].acts.push((act, self.line));
    }

    /// What follows a return is never reached.
    fn returns(&mut self) {
        self.line += 1;
        self.act(Act::Exit);
    }

    fn list(&mut self, words: &[&str], at: &mut usize) {
        while let Some(&word) = words.get(*at) {
            if word.starts_with('}') {
                return;
            }
            *at += 1;
            match word {
                "if{" => self.branch(words, at),
                "loop{" => self.repeat(words, at),
                "ret" => {
                    self.returns();
                    self.at = self.block();
                }
                word => {
                    self.line += 1;
                    self.simple(word);
                }
            }
        }
    }

    fn simple(&mut self, word: &str) {
        let kind = || {
            KINDS
                .iter()
                .position(|kind| *kind == &word[1..])
                .expect("a kind")
        };
        self.act(match &word[..1] {
            "+" => Act::Reserve(kind()),
            "-" => Act::Commit(kind()),
            "~" => Act::Abort(kind()),
            "@" => Act::Call(word[1..].parse().ok()),
            _ => Act::Exit,
        });
    }

    fn branch(&mut self, words: &[&str], at: &mut usize) {
        let (from, then) = (self.at, self.block());
        self.goes(from, then);
        self.at = then;
        self.list(words, at);
        let mut ends = vec![self.at];
        if words[*at] == "}else{" {
            *at += 1;
            let or = self.block();
            self.goes(from, or);
            self.at = or;
            self.list(words, at);
            ends.push(self.at);
        } else {
            ends.push(from);
        }
        assert_eq!(words[*at], "}");
        *at += 1;
        let join = self.block();
        for end in ends {
            self.goes(end, join);
        }
        self.at = join;
    }

    fn repeat(&mut self, words: &[&str], at: &mut usize) {
        let (before, head) = (self.at, self.block());
        let body = self.block();
        self.goes(before, head);
        self.goes(head, body);
        self.at = body;
        self.list(words, at);
        assert_eq!(words[*at], "}");
        *at += 1;
        let after = self.block();
        let end = self.at;
        self.goes(end, head);
        self.goes(head, after);
        self.at = after;
    }
}

/// How many random programs are tried: in a full run (`cargo xtask test --full`) those of the rule.
pub(crate) fn programs() -> u64 {
    match std::env::var_os("ASR_FULL") {
        Some(_) => 10_000,
        None => 1500,
    }
}

/// A small reproducible generator (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 8) as usize % n.max(1)
    }
}

/// The text of a random program.
pub(crate) fn random(random: &mut Random) -> String {
    let functions = 1 + random.below(3);
    let texts = (0..functions).map(|_| {
        let mut text = String::new();
        statements(random, functions, 3, &mut text);
        text
    });
    texts.collect::<Vec<_>>().join("| ")
}

fn statements(random: &mut Random, functions: usize, depth: usize, text: &mut String) {
    for _ in 0..random.below(5) {
        let kind = KINDS[random.below(KINDS.len())];
        let word = match random.below(if depth == 0 { 10 } else { 14 }) {
            0..=2 => format!("+{kind} "),
            3..=5 => format!("-{kind} "),
            6 => format!("~{kind} "),
            7 => format!("@{} ", random.below(functions)),
            8 => ["@? ", "exit "][random.below(2)].into(),
            9 if random.below(3) == 0 => "ret ".into(),
            9 => String::new(),
            10 | 11 => {
                text.push_str("if{ ");
                statements(random, functions, depth - 1, text);
                if random.below(2) == 0 {
                    text.push_str("}else{ ");
                    statements(random, functions, depth - 1, text);
                }
                "} ".into()
            }
            _ => {
                text.push_str("loop{ ");
                statements(random, functions, depth - 1, text);
                "} ".into()
            }
        };
        text.push_str(&word);
    }
}
