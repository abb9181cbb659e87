//! A module: the unit of compilation, and its functions.
//!
//! The data is plain and public; the verifier says whether it makes sense.

use super::entity::*;
use super::inst::{Inst, Term};
use super::loc::Loc;
use super::types::{Signature, Type};

/// A unit of compilation.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Module {
    /// Name, for people.
    pub name: String,
    /// Number of the unit: the upper 16 bits of its 48-bit site ids. Unique in a process, not 0.
    pub unit: u16,
    /// Names of the intrinsic tables that it imports.
    pub tables: Vec<String>,
    /// Source files that locations refer to.
    pub files: Vec<String>,
    /// Signatures of indirect calls.
    pub sigs: Vec<Signature>,
    /// Constant bytes.
    pub data: Vec<Data>,
    /// Mutable cells.
    pub globals: Vec<Global>,
    /// Foreign C functions.
    pub externs: Vec<Extern>,
    /// Repair handlers, registered before anything of the module runs (rule ABI-18).
    pub handlers: Vec<Handler>,
    /// Functions.
    pub funcs: Vec<Function>,
}

/// Constant bytes, aligned to 16.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Data {
    /// Name without `@`.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// One mutable cell of at most eight bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Global {
    /// Name without `@`.
    pub name: String,
    /// Type of the cell.
    pub ty: Type,
    /// The bits it starts with.
    pub init: u64,
}

/// A foreign C function, called with the C convention and without the thread argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extern {
    /// Its symbol.
    pub name: String,
    /// Its type; never `throws`.
    pub sig: Signature,
    /// Where it is declared.
    pub loc: Loc,
}

/// Registration of a repair handler with the unit itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handler {
    /// Type id of the objects.
    pub type_id: u64,
    /// Handler: parameters `(ptr object, ptr context)`, no result.
    pub func: FuncId,
    /// Bound of a fast handler in ns; 0 for a slow one.
    pub bound_ns: u64,
    /// Where it is declared.
    pub loc: Loc,
}

/// Who may see a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Linkage {
    /// This module only.
    #[default]
    Local,
    /// A symbol of the object or JIT unit. Always returns value and status.
    Export,
}

/// A function.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Function {
    /// Symbol, without `@`.
    pub name: String,
    /// Name shown to people, when it differs.
    pub title: Option<String>,
    /// Who may see it.
    pub linkage: Linkage,
    /// Whether it is asynchronous: its activation is a frame that outlives suspensions, its code a
    /// `poll` function, and it is awaited or spawned instead of called.
    pub is_async: bool,
    /// Number of parameters; they are the first locals.
    pub params: u32,
    /// Type of the result, if any.
    pub ret: Option<Type>,
    /// See [`Signature::throws`].
    pub throws: bool,
    /// Local variables. Their value before the first assignment is zero.
    pub locals: Vec<Local>,
    /// Stack slots.
    pub slots: Vec<Slot>,
    /// Blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// Where it is declared.
    pub loc: Loc,
}

/// A local variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Local {
    /// Name without `%`.
    pub name: String,
    /// Type.
    pub ty: Type,
}

/// Memory of one activation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Name without `$`.
    pub name: String,
    /// Bytes, at most 4096.
    pub size: u32,
    /// Alignment, a power of two up to 16.
    pub align: u32,
}

/// A block: instructions and one terminator.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// Label.
    pub name: String,
    /// Whether it is unlikely to run; the lowering moves it out of the way.
    pub cold: bool,
    /// Instructions in order.
    pub insts: Vec<Inst>,
    /// How it ends.
    pub term: Term,
    /// Location of the end.
    pub term_loc: Loc,
}

impl Function {
    /// The signature, from the parameters' locals.
    pub fn signature(&self) -> Signature {
        Signature {
            params: self
                .locals
                .iter()
                .take(self.params as usize)
                .map(|l| l.ty)
                .collect(),
            ret: self.ret,
            throws: self.throws,
        }
    }

    /// The name for people.
    pub fn display_name(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}
