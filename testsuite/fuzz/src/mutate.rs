//! Mutations of text inputs for the smoke run; a real fuzzer brings its own.

use crate::random::Random;

/// One to four mutations of a seed: bytes changed, ranges dropped, doubled or taken from another
/// seed, and words swapped in from a dictionary.
pub fn mutate(random: &mut Random, seeds: &[Vec<u8>], dictionary: &[&str]) -> Vec<u8> {
    let mut text = seeds[random.below(seeds.len())].clone();
    for _ in 0..1 + random.below(4) {
        let at = random.below(text.len() + 1);
        let end = (at + random.below(40)).min(text.len());
        match random.below(7) {
            0 if at < text.len() => text[at] = random.word() as u8,
            1 if at < text.len() => text[at] ^= 1 << random.below(8),
            2 => drop(text.drain(at..end)),
            3 => {
                let twice = text[at..end].to_vec();
                text.splice(at..at, twice);
            }
            4 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                let to = (from + random.below(80)).min(other.len());
                text.splice(at..end, other[from..to].iter().copied());
            }
            5 => text.truncate(at),
            _ => {
                let word = dictionary[random.below(dictionary.len())];
                text.splice(at..at, word.bytes());
            }
        }
    }
    text
}
