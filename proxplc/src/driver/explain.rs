//! `proxplc explain`: what a code means, from the table of `asr-abi`.

use asr_abi::codes::{self, Code};

use super::cli::ExplainArgs;
use super::{Done, EXIT_MISUSE};

/// Describe a code, or name the closest one.
pub(super) fn explain(args: &ExplainArgs) -> Done {
    let Some(found) = codes::lookup(&args.code) else {
        eprintln!("error: there is no code '{}'", args.code);
        if let Some(close) = closest(&args.code) {
            eprintln!("Did you mean {} ({})?", close.label(), close.name);
        }
        return Err(EXIT_MISUSE);
    };
    println!("{} {}", found.label(), found.name);
    println!("  What:   {}.", sentence(found.meaning));
    println!("  Remedy: {}.", sentence(found.remedy));
    Ok(())
}

fn sentence(phrase: &str) -> String {
    let mut chars = phrase.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// The code whose label or name differs least from `text`.
fn closest(text: &str) -> Option<&'static Code> {
    let text: String = text.to_uppercase().chars().take(64).collect();
    codes::all().min_by_key(|code| distance(&text, &code.label()).min(distance(&text, code.name)))
}

/// Edit distance: how many characters must be inserted, removed or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::feature;

    #[test]
    fn every_code_of_the_front_end_is_explained() {
        for feature in feature::ALL {
            let code = codes::lookup(feature.code).expect(feature.code);
            assert!(code.meaning.starts_with("not yet: "), "{}", feature.code);
        }
        for code in crate::diag::code::ALL {
            assert!(codes::lookup(code).is_some(), "{code}");
        }
    }

    #[test]
    fn a_typing_error_finds_its_neighbour() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(closest("CLASES").map(Code::label).as_deref(), Some("E0201"));
    }
}
