//! Terminators and edges.

use super::body::Body;
use super::cursor::Step;
use crate::air::inst::*;
use crate::air::types::Type;

impl Body<'_, '_> {
    /// The end of a block, its edge still missing; `None` if the name is no terminator's.
    pub(super) fn term(&mut self, parts: &[&str]) -> Option<Step<Term>> {
        let edge = Edge::NONE;
        Some(match *parts {
            ["jump"] => self.block().map(Term::Jump),
            ["branch"] => self.branch(),
            ["switch", ty] => {
                let ty = Type::from_name(ty)?;
                self.switch(ty)
            }
            ["return"] => match self.cursor.at('%') || self.cursor.at_immediate() {
                true => self
                    .operand(self.ret)
                    .map(|value| Term::Return(Some(value))),
                false => Ok(Term::Return(None)),
            },
            ["throw"] => self
                .operand(Some(Type::Value))
                .map(|value| Term::Throw { value, edge }),
            ["raise"] => self.operand(Some(Type::Value)).and_then(|value| {
                self.cursor.expect(',')?;
                let status = self.operand(Some(Type::I64))?;
                Ok(Term::Raise {
                    value,
                    status,
                    edge,
                })
            }),
            ["unreachable"] => Ok(Term::Unreachable { edge }),
            _ => return None,
        })
    }

    fn branch(&mut self) -> Step<Term> {
        let cond = self.operand(Some(Type::Bool))?;
        self.cursor.expect(',')?;
        let then = self.block()?;
        self.cursor.expect(',')?;
        Ok(Term::Branch {
            cond,
            then,
            or: self.block()?,
        })
    }

    fn switch(&mut self, ty: Type) -> Step<Term> {
        let value = self.operand(Some(ty))?;
        self.cursor.expect(',')?;
        self.cursor.expect('[')?;
        let mut cases = Vec::new();
        while !self.cursor.eat(']') {
            if !cases.is_empty() {
                self.cursor.expect(',')?;
            }
            let key = self.cursor.immediate(Some(ty))? as i64;
            self.cursor.expect(':')?;
            cases.push((key, self.block()?));
        }
        self.cursor.expect(',')?;
        Ok(Term::Switch {
            ty,
            value,
            cases,
            default: self.block()?,
        })
    }

    /// `recover block(%exception)` and `cleanup block(%value, %status)`, each optional.
    pub(super) fn edge(&mut self) -> Step<Edge> {
        let mut edge = Edge::NONE;
        if self.cursor.eat_word("recover") {
            let block = self.block()?;
            let mut local = None;
            if self.cursor.eat('(') {
                local = Some(self.local()?);
                self.cursor.expect(')')?;
            }
            edge.recover = Some((block, local));
        }
        if self.cursor.eat_word("cleanup") {
            let block = self.block()?;
            self.cursor.expect('(')?;
            let value = self.local()?;
            self.cursor.expect(',')?;
            let status = self.local()?;
            self.cursor.expect(')')?;
            edge.cleanup = Some((block, value, status));
        }
        Ok(edge)
    }
}
