//! Tokens that are operators, with their precedence.

use crate::syntax::ast::BinaryOp;
use crate::syntax::token::Kind;

/// Level, from loose to tight, and operator of a token.
pub(super) fn operator(kind: Kind) -> Option<(u8, BinaryOp)> {
    Some(match kind {
        Kind::Pipe => (0, BinaryOp::BitOr),
        Kind::Caret => (1, BinaryOp::BitXor),
        Kind::Amp => (2, BinaryOp::BitAnd),
        Kind::EqEq => (3, BinaryOp::Eq),
        Kind::BangEq => (3, BinaryOp::Ne),
        Kind::Less => (4, BinaryOp::Lt),
        Kind::LessEq => (4, BinaryOp::Le),
        Kind::Greater => (4, BinaryOp::Gt),
        Kind::GreaterEq => (4, BinaryOp::Ge),
        Kind::Shl => (5, BinaryOp::Shl),
        Kind::Shr => (5, BinaryOp::Shr),
        Kind::Plus => (6, BinaryOp::Add),
        Kind::Minus => (6, BinaryOp::Sub),
        Kind::Star => (7, BinaryOp::Mul),
        Kind::Slash => (7, BinaryOp::Div),
        Kind::Percent => (7, BinaryOp::Rem),
        _ => return None,
    })
}

/// The operator of a compound assignment.
pub(super) fn compound(kind: Kind) -> Option<BinaryOp> {
    Some(match kind {
        Kind::PlusEq => BinaryOp::Add,
        Kind::MinusEq => BinaryOp::Sub,
        Kind::StarEq => BinaryOp::Mul,
        Kind::StarStarEq => BinaryOp::Pow,
        Kind::SlashEq => BinaryOp::Div,
        Kind::PercentEq => BinaryOp::Rem,
        Kind::AmpEq => BinaryOp::BitAnd,
        Kind::PipeEq => BinaryOp::BitOr,
        Kind::CaretEq => BinaryOp::BitXor,
        Kind::ShlEq => BinaryOp::Shl,
        Kind::ShrEq => BinaryOp::Shr,
        _ => return None,
    })
}

/// Whether a statement begins with this keyword, so that recovery may stop before it.
pub(super) fn begins_with_keyword(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        Async
            | Break
            | Const
            | Continue
            | Defer
            | For
            | Func
            | If
            | Let
            | Print
            | Resilient
            | Return
            | Switch
            | Throw
            | Use
            | Var
            | While
    )
}
