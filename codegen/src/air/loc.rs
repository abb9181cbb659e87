//! Source locations.

/// Where an item comes from. Line 0 means "nowhere".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct Loc {
    /// Index into [`super::Module::files`].
    pub file: u16,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub col: u32,
}

impl Loc {
    /// No location.
    pub const NONE: Loc = Loc {
        file: 0,
        line: 0,
        col: 0,
    };

    /// A location in the first file.
    pub const fn new(line: u32, col: u32) -> Loc {
        Loc { file: 0, line, col }
    }

    /// Whether there is a location.
    pub const fn is_some(self) -> bool {
        self.line != 0
    }
}
