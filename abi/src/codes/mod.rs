//! Every code shown to a person or a program: one table, four series (VAL-34).
//!
//! | series | what                        | number             |
//! |--------|-----------------------------|--------------------|
//! | E      | front ends and driver       | from 1             |
//! | V      | verifier of AIR             | from 1             |
//! | S      | status                      | that of VAL-33     |
//! | A      | anomaly                     | the 32-bit code    |
//!
//! `explain`, the headers and the reference pages are generated from it. A number is never
//! reused: `released.txt` holds the rows of earlier releases, and a test compares.

/// Which series a code belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Series {
    /// Front ends and driver.
    E,
    /// Verifier.
    V,
    /// Status.
    S,
    /// Anomaly.
    A,
}

/// One row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// Series.
    pub series: Series,
    /// Number in its series.
    pub number: u32,
    /// Name, in capitals.
    pub name: &'static str,
    /// What it means: a phrase without capital and full stop.
    pub meaning: &'static str,
    /// What to do about it, likewise.
    pub remedy: &'static str,
}

impl Code {
    /// As people write it: `E0012`, `V0003`, `S28`, `A01000001`.
    pub fn label(&self) -> String {
        match self.series {
            Series::E => format!("E{:04}", self.number),
            Series::V => format!("V{:04}", self.number),
            Series::S => format!("S{}", self.number),
            Series::A => format!("A{:08X}", self.number),
        }
    }
}

/// Rows of one series: `number NAME: "meaning", do "remedy";`.
macro_rules! codes {
    ($series:ident $($number:literal $name:ident: $meaning:literal, do $remedy:literal;)*) => {
        &[$(Code {
            series: super::Series::$series,
            number: $number,
            name: stringify!($name),
            meaning: $meaning,
            remedy: $remedy,
        }),*]
    };
}

mod a;
mod e;
mod s;
mod v;

/// The rows of a series, in order of their numbers.
pub fn rows(series: Series) -> &'static [Code] {
    match series {
        Series::E => e::ROWS,
        Series::V => v::ROWS,
        Series::S => s::ROWS,
        Series::A => a::ROWS,
    }
}

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [Series::E, Series::V, Series::S, Series::A]
        .into_iter()
        .flat_map(rows)
}

/// The row of a number.
pub fn find(series: Series, number: u32) -> Option<&'static Code> {
    rows(series).iter().find(|code| code.number == number)
}

/// The row that a person means by a label (`E0012`, `e12`, `S28`, `A01000001`) or a name.
pub fn lookup(text: &str) -> Option<&'static Code> {
    let text = text.trim();
    all()
        .find(|code| code.name.eq_ignore_ascii_case(text))
        .or_else(|| {
            let mut chars = text.chars();
            let series = match chars.next()?.to_ascii_uppercase() {
                'E' => Series::E,
                'V' => Series::V,
                'S' => Series::S,
                'A' => Series::A,
                _ => return None,
            };
            let digits = chars.as_str();
            let radix = if series == Series::A { 16 } else { 10 };
            find(series, u32::from_str_radix(digits, radix).ok()?)
        })
}
