//! Places in the source: byte ranges of one file.

/// A half-open range of bytes. Files are limited to 4 GiB, so 32 bits are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// Line and column of a byte, both from 1; the column counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineCol {
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

/// Where each line of a file begins; made once, asked often.
#[derive(Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
    len: u32,
}

impl LineIndex {
    /// Index the lines of `source`.
    pub fn new(source: &[u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(
            source
                .iter()
                .enumerate()
                .filter(|(_, b)| **b == b'\n')
                .map(|(i, _)| i as u32 + 1),
        );
        Self {
            starts,
            len: source.len() as u32,
        }
    }

    /// Line and column of the byte at `offset` (the end of the file is a place too).
    pub fn line_col(&self, offset: u32) -> LineCol {
        let offset = offset.min(self.len);
        let line = self.starts.partition_point(|s| *s <= offset);
        LineCol {
            line: line as u32,
            column: offset - self.starts[line - 1] + 1,
        }
    }

    /// The byte at a line and a column; the end of the line if the column is behind it.
    pub fn offset(&self, at: LineCol) -> u32 {
        let line = at.line.clamp(1, self.starts.len() as u32);
        let range = self.line_range(line);
        (range.start as u32)
            .saturating_add(at.column.max(1) - 1)
            .min(range.end as u32)
    }

    /// Byte range of a line, from 1, without its newline.
    pub fn line_range(&self, line: u32) -> std::ops::Range<usize> {
        let at = line as usize - 1;
        let end = self.starts.get(at + 1).map_or(self.len, |next| next - 1);
        self.starts[at] as usize..end as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let index = LineIndex::new(b"ab\n\ncd");
        assert_eq!(index.line_col(0), LineCol { line: 1, column: 1 });
        assert_eq!(index.line_col(2), LineCol { line: 1, column: 3 });
        assert_eq!(index.line_col(3), LineCol { line: 2, column: 1 });
        assert_eq!(index.line_col(5), LineCol { line: 3, column: 2 });
        assert_eq!(index.line_col(99), LineCol { line: 3, column: 3 });
        assert_eq!(index.offset(LineCol { line: 3, column: 2 }), 5);
        assert_eq!(index.offset(LineCol { line: 9, column: 9 }), 6);
        assert_eq!(index.line_range(1), 0..2);
        assert_eq!(index.line_range(2), 3..3);
        assert_eq!(index.line_range(3), 4..6);
    }
}
