//! `test probes` and `test lower`: text of a compilation, checked line by line.

use asr_codegen::air::{Module, print};
use asr_codegen::{Options, ProbeMode, Target, listing};

use super::Command;
use super::run::jit::prepared;

/// The output that a `; test probes ...` or `; test lower ...` directive is about; none for another
/// directive.
///
/// # Errors
/// The directive is not one, or the compiler refused the module.
pub fn output(command: &Command, module: &Module) -> Result<Option<String>, String> {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    let (what, rest) = match &words[..] {
        ["probes", rest @ ..] => ("probes", rest),
        ["lower", what, rest @ ..] => (*what, rest),
        _ => return Ok(None),
    };
    let mut options = Options::default();
    for word in rest {
        match (*word, ProbeMode::from_name(word)) {
            ("slow", _) => options.force_slow = true,
            (_, Some(probes)) => options.probes = probes,
            _ => {
                return Err(format!(
                    "unknown word `{word}` in `; test {}`",
                    words.join(" ")
                ));
            }
        }
    }
    options.target = match what {
        "probes" | "clif" => Target::from_name("x86_64"),
        target => Some(Target::from_name(target).ok_or_else(|| format!("no target `{target}`"))?),
    };
    let prepared = prepared(module, &options)?;
    let text = match what {
        "probes" => Ok(print(prepared.module())),
        "clif" => listing::clif(&prepared),
        _ => listing::asm(&prepared),
    };
    let text = text.map_err(|error| error.to_string())?;
    Ok(Some(if what == "probes" {
        text
    } else {
        own_functions(&text)
    }))
}

/// A listing without the stubs that every module gets, and without sizes, which follow from the
/// rest.
fn own_functions(listing: &str) -> String {
    let mut text = String::new();
    for line in listing
        .lines()
        .take_while(|line| !line.starts_with("; asr.stub."))
    {
        let title = line
            .strip_prefix("; ")
            .and_then(|title| title.split_once(", "));
        text.push_str(title.map_or(line, |(name, _)| &line[..name.len() + 2]));
        text.push('\n');
    }
    text
}
