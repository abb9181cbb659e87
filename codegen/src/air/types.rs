//! Types and signatures.

use std::fmt;

use asr_intrinsics::{Handle, Ty};

/// The type of a local, a global, or one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// 8-bit integer.
    I8,
    /// 16-bit integer.
    I16,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
    /// Truth value; one byte that is 0 or 1.
    Bool,
    /// Raw address of the target.
    Ptr,
    /// A dynamic word owned by a value library: 64 bits, opaque but for `convert.bitcast`.
    Value,
    /// An open region. This and the types below are linear handles: 64-bit ids that are used up
    /// exactly once on every path (rule OBL-34).
    Region,
    /// A task that was spawned.
    Task,
    /// A permit: a place in a channel, a lock, units of a semaphore.
    Permit,
    /// An item to acknowledge.
    Ack,
    /// A lease.
    Lease,
    /// An operation in flight.
    Op,
}

impl Type {
    /// All types, in the order of the reference.
    pub const ALL: [Type; 15] = [
        Type::I8,
        Type::I16,
        Type::I32,
        Type::I64,
        Type::F32,
        Type::F64,
        Type::Bool,
        Type::Ptr,
        Type::Value,
        Type::Region,
        Type::Task,
        Type::Permit,
        Type::Ack,
        Type::Lease,
        Type::Op,
    ];

    /// The name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Type::I8 => "i8",
            Type::I16 => "i16",
            Type::I32 => "i32",
            Type::I64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Bool => "bool",
            Type::Ptr => "ptr",
            Type::Value => "value",
            Type::Region => Handle::Region.name(),
            Type::Task => Handle::Task.name(),
            Type::Permit => Handle::Permit.name(),
            Type::Ack => Handle::Ack.name(),
            Type::Lease => Handle::Lease.name(),
            Type::Op => Handle::Op.name(),
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Type> {
        Type::ALL.into_iter().find(|ty| ty.name() == name)
    }

    /// The type of a parameter or result of an intrinsic; `None` for `unit`.
    pub const fn of_row(ty: Ty) -> Option<Type> {
        match ty {
            Ty::Unit => None,
            Ty::I32 | Ty::U32 => Some(Type::I32),
            Ty::I64 | Ty::U64 => Some(Type::I64),
            Ty::F64 => Some(Type::F64),
            Ty::Bool => Some(Type::Bool),
            Ty::Ptr | Ty::Code => Some(Type::Ptr),
            Ty::Value => Some(Type::Value),
            Ty::Own(handle) | Ty::Lent(handle) => Some(Type::of_handle(handle)),
        }
    }

    /// The type of a linear handle.
    pub const fn of_handle(handle: Handle) -> Type {
        match handle {
            Handle::Region => Type::Region,
            Handle::Task => Type::Task,
            Handle::Permit => Type::Permit,
            Handle::Ack => Type::Ack,
            Handle::Lease => Type::Lease,
            Handle::Op => Type::Op,
        }
    }

    /// The linear handle that a local of this type holds.
    pub const fn handle(self) -> Option<Handle> {
        Some(match self {
            Type::Region => Handle::Region,
            Type::Task => Handle::Task,
            Type::Permit => Handle::Permit,
            Type::Ack => Handle::Ack,
            Type::Lease => Handle::Lease,
            Type::Op => Handle::Op,
            _ => return None,
        })
    }

    /// Bytes in memory.
    pub const fn size(self) -> u32 {
        match self {
            Type::I8 | Type::Bool => 1,
            Type::I16 => 2,
            Type::I32 | Type::F32 => 4,
            _ => 8,
        }
    }

    /// Whether integer arithmetic applies.
    pub const fn is_int(self) -> bool {
        matches!(self, Type::I8 | Type::I16 | Type::I32 | Type::I64)
    }

    /// Whether floating-point arithmetic applies.
    pub const fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parameters and result of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Signature {
    /// Types of the parameters, without the hidden thread argument.
    pub params: Vec<Type>,
    /// Type of the result, if any.
    pub ret: Option<Type>,
    /// Whether the function itself may end with a status other than `OK`. (Any function with a
    /// probe may be cancelled; that needs no `throws`.)
    pub throws: bool,
}
