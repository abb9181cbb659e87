//! Indices of the things of a module and of a function.

macro_rules! entity {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(
            /// The index.
            pub u32,
        );

        impl $name {
            /// The index of the `n`-th.
            pub fn new(n: usize) -> Self {
                $name(u32::try_from(n).expect("fewer than 2^32 entities"))
            }

            /// As an index into the vector that holds it.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )* };
}

entity! {
    /// A function of the module: index into `Module::funcs`.
    FuncId;
    /// A foreign C function: index into `Module::externs`.
    ExternId;
    /// A mutable global: index into `Module::globals`.
    GlobalId;
    /// Constant bytes: index into `Module::data`.
    DataId;
    /// A signature of indirect calls: index into `Module::sigs`.
    SigId;
    /// A local variable: index into `Function::locals`; the first ones are the parameters.
    LocalId;
    /// A stack slot: index into `Function::slots`.
    SlotId;
    /// A block: index into `Function::blocks`; 0 is the entry.
    BlockId;
}
