//! From the text of a file to the values.

use std::ops::Range;

use toml::de::DeTable;

use super::Builder;
use super::keys::KEYS;

/// Why a file is refused, and where.
pub(super) struct Refused {
    pub(super) line: usize,
    pub(super) what: String,
}

/// Takes every value of the file over.
pub(super) fn read(builder: &mut Builder, text: &str) -> Result<(), Refused> {
    let at = |span: Range<usize>, what: String| {
        let before = text.get(..span.start).unwrap_or(text);
        Refused {
            line: before.matches('\n').count() + 1,
            what,
        }
    };
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        at(span, error.message().to_owned())
    })?;
    // In the order of the file, so that the first mistake is the one that is named.
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    for (name, value) in entries {
        let Some(key) = KEYS.iter().find(|key| key.name == name.get_ref()) else {
            return Err(at(name.span(), unknown(name.get_ref())));
        };
        let taken = (key.read)(builder, value.get_ref()).and_then(|()| (key.check)(builder));
        taken.map_err(|what| at(value.span(), format!("{}: {what}", key.name)))?;
    }
    Ok(())
}

fn unknown(name: &str) -> String {
    let nearest = KEYS
        .iter()
        .map(|key| (distance(name, key.name), key.name))
        .min();
    match nearest {
        // A third of the letters may be wrong.
        Some((distance, nearest)) if distance * 3 <= nearest.len() => {
            format!("there is no key `{name}`; did you mean `{nearest}`?")
        }
        _ => format!("there is no key `{name}`; Builder::to_toml lists all"),
    }
}

/// How many letters are to be added, taken away or changed.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
