//! Unique names.

use std::collections::{HashMap, HashSet};

/// Names in use. A name that is taken gets `.1`, `.2`, ... in amortized constant time.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    next: HashMap<String, u32>,
}

impl Names {
    /// Takes `base`, or the next free number of it.
    pub(super) fn unique(&mut self, base: &str) -> String {
        if self.taken.insert(base.into()) {
            return base.into();
        }
        let next = self.next.entry(base.into()).or_default();
        loop {
            *next += 1;
            let name = format!("{base}.{next}");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Takes a name that somebody else gave.
    pub(super) fn reserve(&mut self, name: &str) {
        self.taken.insert(name.into());
    }

    /// Gives a name back.
    pub(super) fn release(&mut self, name: &str) {
        self.taken.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_taken_name_gets_the_next_free_number() {
        let mut names = Names::default();
        names.reserve("a.1");
        let got: Vec<_> = (0..3).map(|_| names.unique("a")).collect();
        assert_eq!(got, ["a", "a.2", "a.3"]);
    }
}
