//! Drawing findings on the source.
//!
//! Only a window of the source around each place is given to the drawing library: its cost is then
//! independent of the size of the file, and a line of ten megabytes shows the part that matters.

use std::fmt::Write as _;

use ariadne::{CharSet, Color, Config, IndexType, Label, Report, ReportKind, Source};

use super::Diagnostic;
use crate::syntax::Span;
use crate::syntax::span::LineIndex;

/// Columns shown on either side of the place in a line that is longer than twice this.
const WINDOW: usize = 60;
/// A related place is drawn only if it is at most so many lines away; else it is named.
const RELATED_LINES_MAX: u32 = 12;

/// Places behind this line are named, not drawn: the library wants all lines before the place, and
/// takes 48 bytes for each.
const DRAWN_LINE_MAX: u32 = 1_000_000;

/// A source file, for messages and for the line table of the code.
#[derive(Debug)]
pub struct SourceFile {
    /// The name as the user gave it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its lines.
    pub lines: LineIndex,
}

impl SourceFile {
    /// A file of this name with these bytes.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let lines = LineIndex::new(&bytes);
        Self {
            name: name.into(),
            bytes,
            lines,
        }
    }
}

/// Text of one finding, in colour or not.
pub fn render(file: &SourceFile, diag: &Diagnostic, color: bool) -> String {
    let place = file.lines.line_col(diag.span.start);
    if place.line > DRAWN_LINE_MAX {
        return plain(file, diag);
    }
    let mut window = Window::around(file, diag.span, place.line);
    let line_of = |span: &Span| file.lines.line_col(span.start).line;
    let is_near = |span: &Span| line_of(span).abs_diff(place.line) <= RELATED_LINES_MAX;
    let mut drawn: Vec<bool> = diag.related.iter().map(|(span, _)| is_near(span)).collect();
    let near = diag
        .related
        .iter()
        .map(|(span, _)| span)
        .filter(|span| is_near(span));
    let lines = near.map(line_of).chain([place.line]);
    let lines = lines.fold((place.line, place.line), |(a, b), n| (a.min(n), b.max(n)));
    if drawn.contains(&true) && (window.clipped || !window.widen(file, lines)) {
        drawn.fill(false);
    }
    let config = Config::default()
        .with_color(color)
        .with_char_set(if color {
            CharSet::Unicode
        } else {
            CharSet::Ascii
        })
        .with_index_type(IndexType::Char);
    let name = file.name.as_str();
    let range = (name, window.chars(diag.span));
    let kind = match diag.is_warning {
        true => ReportKind::Warning,
        false => ReportKind::Error,
    };
    let mut report = Report::build(kind, range.clone())
        .with_config(config)
        .with_code(diag.code)
        .with_message(&diag.message)
        .with_label(
            Label::new(range)
                .with_message("here")
                .with_color(Color::Red),
        );
    for ((span, text), drawn) in diag.related.iter().zip(drawn) {
        if drawn {
            let label = Label::new((name, window.chars(*span)));
            report.add_label(label.with_message(text).with_color(Color::Blue));
        } else {
            let at = file.lines.line_col(span.start);
            report.add_note(format!("{text} at {name}:{}:{}", at.line, at.column));
        }
    }
    if window.clipped {
        report.add_note(format!(
            "line {} is shortened; the place is its column {}",
            place.line, place.column
        ));
    }
    if let Some(help) = &diag.help {
        report.set_help(help);
    }
    let source = Source::from(window.text);
    let mut out = Vec::new();
    match report.finish().write((name, source), &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => plain(file, diag),
    }
}

/// One line per finding, when it cannot be drawn.
fn plain(file: &SourceFile, diag: &Diagnostic) -> String {
    let at = file.lines.line_col(diag.span.start);
    let kind = if diag.is_warning { "warning" } else { "error" };
    let mut text = String::new();
    let _ = writeln!(
        text,
        "[{}] {kind}: {}:{}:{}: {}",
        diag.code, file.name, at.line, at.column, diag.message
    );
    text
}

/// The part of the source that is drawn, as text, and the way from bytes to its characters.
struct Window {
    text: String,
    /// (byte offset in the file, character offset in `text`) of the beginning of each character.
    map: Vec<(u32, usize)>,
    clipped: bool,
}

impl Window {
    /// A window that begins with this line; empty lines stand for those before it.
    fn begin(line: u32, clipped: bool) -> Self {
        Self {
            text: "\n".repeat(line as usize - 1),
            map: Vec::new(),
            clipped,
        }
    }

    fn around(file: &SourceFile, span: Span, line: u32) -> Self {
        let mut range = file.lines.line_range(line);
        let clipped = range.len() > 2 * WINDOW + 20;
        let mut window = Self::begin(line, clipped);
        let whole = range.clone();
        if clipped {
            let at = span.start as usize;
            range = at.saturating_sub(WINDOW).max(range.start)..(at + WINDOW).min(range.end);
        }
        if range.start > whole.start {
            window.text.push_str("... ");
        }
        window.push(file, range.clone());
        if range.end < whole.end {
            window.text.push_str(" ...");
        }
        window
    }

    /// Makes it these lines, unless they are too long.
    fn widen(&mut self, file: &SourceFile, (first, last): (u32, u32)) -> bool {
        let range = file.lines.line_range(first).start..file.lines.line_range(last).end;
        if range.len() > 20 * WINDOW {
            return false;
        }
        *self = Self::begin(first, false);
        self.push(file, range);
        true
    }

    /// Append bytes; what is not UTF-8, or a control character, becomes a replacement character.
    fn push(&mut self, file: &SourceFile, range: std::ops::Range<usize>) {
        let mut chars = self.text.chars().count();
        let mut at = range.start;
        for chunk in file.bytes[range].utf8_chunks() {
            for c in chunk.valid().chars() {
                self.map.push((at as u32, chars));
                let shown = if c.is_control() && c != '\n' && c != '\t' {
                    '\u{fffd}'
                } else {
                    c
                };
                self.text.push(shown);
                chars += 1;
                at += c.len_utf8();
            }
            if !chunk.invalid().is_empty() {
                self.map.push((at as u32, chars));
                self.text.push('\u{fffd}');
                chars += 1;
                at += chunk.invalid().len();
            }
        }
        self.map.push((at as u32, chars));
    }

    /// Character range of a span, cut to the window; never empty if the window is not.
    fn chars(&self, span: Span) -> std::ops::Range<usize> {
        let find = |byte: u32| {
            let at = self.map.partition_point(|(b, _)| *b <= byte);
            self.map.get(at.saturating_sub(1)).map_or(0, |(_, c)| *c)
        };
        let start = find(span.start);
        start..find(span.end).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(source: &[u8], span: Span) -> String {
        let file = SourceFile::new("t.prox", source.to_vec());
        render(
            &file,
            &Diagnostic::new("E0101", span, "wrong").help("do right"),
            false,
        )
    }

    #[test]
    fn a_finding_shows_its_line_and_its_help() {
        let text = draw(b"let a = 1;\nlet b = ;\n", Span::new(19, 20));
        assert!(text.contains("t.prox:2:9"), "{text}");
        assert!(text.contains("let b = ;"), "{text}");
        assert!(text.contains("do right"), "{text}");
    }

    #[test]
    fn a_huge_line_is_shortened() {
        let mut source = vec![b'x'; 10_000_000];
        source[5_000_000] = 0xff;
        let text = draw(&source, Span::new(5_000_000, 5_000_001));
        assert!(text.len() < 2_000, "{}", text.len());
        assert!(text.contains("column 5000001"), "{text}");
    }

    #[test]
    fn any_place_can_be_drawn() {
        let source = b"\xff\xfe\n\tx\r\n\n\0";
        for start in 0..=source.len() {
            for end in start..=source.len() {
                assert!(draw(source, Span::new(start, end)).contains("wrong"));
            }
        }
        assert!(draw(b"", Span::new(0, 0)).contains("wrong"));
    }
}
