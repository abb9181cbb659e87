//! Tokens.

use super::Span;
use super::feature::Feature;

/// A token and where it stands. Its text is the source at that place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub span: Span,
}

macro_rules! kinds {
    ($($ident:ident = $text:literal,)*) => {
        /// What a token is.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Kind {
            /// The end of the file.
            Eof,
            /// A name.
            Ident,
            /// A number.
            Number,
            /// A string with its quotes.
            Str,
            /// A template with its backticks.
            Template,
            /// A reserved word of a part of the language that is not there yet.
            Reserved(Feature),
            $(#[doc = concat!("`", $text, "`")] $ident,)*
        }

        impl Kind {
            /// How messages call it.
            pub fn describe(self) -> &'static str {
                match self {
                    Kind::Eof => "the end of the file",
                    Kind::Ident => "a name",
                    Kind::Number => "a number",
                    Kind::Str => "a string",
                    Kind::Template => "a template",
                    Kind::Reserved(_) => "a reserved word",
                    $(Kind::$ident => concat!("'", $text, "'"),)*
                }
            }
        }
    };
}

kinds! {
    LeftParen = "(", RightParen = ")", LeftBrace = "{", RightBrace = "}",
    LeftBracket = "[", RightBracket = "]",
    Comma = ",", Dot = ".", DotDot = "..", Semicolon = ";", Colon = ":",
    Question = "?", QuestionDot = "?.", QuestionQuestion = "??",
    Tilde = "~", At = "@", Arrow = "->", FatArrow = "=>",
    Plus = "+", PlusPlus = "++", PlusEq = "+=",
    Minus = "-", MinusMinus = "--", MinusEq = "-=",
    Star = "*", StarEq = "*=", StarStar = "**", StarStarEq = "**=",
    Slash = "/", SlashEq = "/=", Percent = "%", PercentEq = "%=",
    Bang = "!", BangEq = "!=", Eq = "=", EqEq = "==",
    Less = "<", LessEq = "<=", Shl = "<<", ShlEq = "<<=",
    Greater = ">", GreaterEq = ">=", Shr = ">>", ShrEq = ">>=",
    Amp = "&", AmpAmp = "&&", AmpEq = "&=",
    Pipe = "|", PipePipe = "||", PipeEq = "|=",
    Caret = "^", CaretEq = "^=",
    And = "and", Async = "async", Await = "await", Break = "break", Case = "case",
    Const = "const", Continue = "continue", Default = "default", Defer = "defer",
    Else = "else", False = "false", For = "for", Func = "func",
    If = "if", Let = "let", Null = "null", Or = "or", Print = "print", Recovery = "recovery",
    Resilient = "resilient", Return = "return", Switch = "switch", Throw = "throw",
    True = "true", Use = "use", Var = "var", While = "while",
}

impl Kind {
    /// The core keyword spelled `word`.
    pub fn keyword(word: &str) -> Option<Kind> {
        Some(match word {
            "and" => Kind::And,
            "async" => Kind::Async,
            "await" => Kind::Await,
            "break" => Kind::Break,
            "case" => Kind::Case,
            "const" => Kind::Const,
            "continue" => Kind::Continue,
            "default" => Kind::Default,
            "defer" => Kind::Defer,
            "else" => Kind::Else,
            "false" => Kind::False,
            "for" => Kind::For,
            "func" => Kind::Func,
            "if" => Kind::If,
            "let" => Kind::Let,
            "null" => Kind::Null,
            "or" => Kind::Or,
            "print" => Kind::Print,
            "recovery" => Kind::Recovery,
            "resilient" => Kind::Resilient,
            "return" => Kind::Return,
            "switch" => Kind::Switch,
            "throw" => Kind::Throw,
            "true" => Kind::True,
            "use" => Kind::Use,
            "var" => Kind::Var,
            "while" => Kind::While,
            _ => return None,
        })
    }

    /// Whether the token is spelled like a name, so that it may stand after a dot.
    pub fn is_word(self) -> bool {
        let core = self.describe().as_bytes();
        matches!(self, Kind::Ident | Kind::Reserved(_))
            || (core[0] == b'\'' && core[1].is_ascii_alphabetic())
    }
}
