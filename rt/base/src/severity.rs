//! The order of outcomes, and policies that replace it by a table (VAL-2, VAL-6).

use core::fmt;

use crate::error::{Error, Status};

/// How bad an outcome is. The numbers are those of the ABI and of traces.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// It has a value.
    Ok = 0,
    /// It has an error.
    Err = 1,
    /// It was cancelled.
    Cancelled = 2,
    /// It panicked.
    Panicked = 3,
}

impl Severity {
    /// All, the least bad first.
    pub const ALL: [Severity; 4] = [
        Severity::Ok,
        Severity::Err,
        Severity::Cancelled,
        Severity::Panicked,
    ];

    /// The number of the ABI.
    pub const fn to_code(self) -> u8 {
        self as u8
    }

    /// The severity with this number.
    pub const fn from_code(code: u8) -> Option<Severity> {
        match code {
            0 => Some(Severity::Ok),
            1 => Some(Severity::Err),
            2 => Some(Severity::Cancelled),
            3 => Some(Severity::Panicked),
            _ => None,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Ok => "Ok",
            Severity::Err => "Err",
            Severity::Cancelled => "Cancelled",
            Severity::Panicked => "Panicked",
        })
    }
}

/// Which of two outcomes stands for the pair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Select {
    /// The one at the lower position.
    Lower,
    /// The one at the higher position.
    Higher,
}

/// A policy: the severity of a pair of outcomes, by the severities of both.
///
/// It is monotone in each argument: a worse input never gives a better result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SeverityTable([[Severity; 4]; 4]);

impl SeverityTable {
    /// The greater severity: what [`combine`](crate::combine) does.
    pub const MAX: SeverityTable = {
        let mut cells = [[Severity::Ok; 4]; 4];
        let mut row = 0;
        while row < 4 {
            let mut column = 0;
            while column < 4 {
                cells[row][column] = Severity::ALL[if row > column { row } else { column }];
                column += 1;
            }
            row += 1;
        }
        SeverityTable(cells)
    };

    /// A table by its rows: the severity of the lower position chooses the row.
    ///
    /// # Errors
    /// `BAD_ARGUMENT`, naming the cell, when a cell is less than its neighbour above or to the
    /// left.
    pub fn new(cells: [[Severity; 4]; 4]) -> Result<SeverityTable, Error> {
        for row in 0..4 {
            for column in 0..4 {
                let here = cells[row][column];
                let above = row.checked_sub(1).map(|row| (row, column));
                let left = column.checked_sub(1).map(|column| (row, column));
                for (r, c) in [above, left].into_iter().flatten() {
                    if cells[r][c] > here {
                        return Err(not_monotone((row, column), here, (r, c), cells[r][c]));
                    }
                }
            }
        }
        Ok(SeverityTable(cells))
    }

    /// The severity of a pair.
    pub const fn get(&self, lower: Severity, higher: Severity) -> Severity {
        self.0[lower as usize][higher as usize]
    }
}

fn not_monotone(
    (row, column): (usize, usize),
    here: Severity,
    (r, c): (usize, usize),
    neighbour: Severity,
) -> Error {
    let [row, column, r, c] = [row, column, r, c].map(|index| Severity::ALL[index]);
    Error::new(
        Status::BAD_ARGUMENT,
        format!(
            "cell ({row}, {column}) of the severity table is {here}, below {neighbour} in its \
             neighbour ({r}, {c})"
        ),
    )
    .permanent()
}
