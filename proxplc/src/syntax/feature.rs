//! Parts of ProXPL that this compiler does not have yet, each with its error code.
//!
//! One table. The codes are those of the `codes!` table of `asr-abi`, where `explain` finds their
//! sentences; a test compares the two.

/// A part of the language that is recognized and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Feature {
    /// The code of the refusal.
    pub code: &'static str,
    /// The part, in the words of a person.
    pub name: &'static str,
}

macro_rules! features {
    ($($(#[$doc:meta])* $ident:ident = $code:literal, $name:literal;)*) => {
        $($(#[$doc])* pub const $ident: Feature = Feature { code: $code, name: $name };)*
        /// Every feature that is not there yet.
        pub const ALL: &[Feature] = &[$($ident),*];
    };
}

features! {
    /// Classes, interfaces, traits, instances, operator overloading.
    CLASSES = "E0201", "classes and traits";
    /// Actors and message sends.
    ACTORS = "E0203", "actors and messages";
    /// `channel` otherwise than in `channel(n)`, and `task`.
    CHANNELS = "E0226", "this use of the words 'channel' and 'task'";
    /// Modules in files of their own.
    MODULES = "E0204", "modules in other files";
    /// Intents and resolvers.
    INTENTS = "E0206", "intents and resolvers";
    /// Contexts, layers, `activate`.
    CONTEXTS = "E0207", "contexts and layers";
    /// Tensors and the operator `@`.
    TENSORS = "E0208", "tensors";
    /// Quantum blocks.
    QUANTUM = "E0209", "quantum blocks";
    /// Kernels for accelerators.
    GPU = "E0210", "gpu kernels";
    /// Models, training, prediction.
    MODELS = "E0211", "models";
    /// `try`, `catch`, `finally`.
    TRY = "E0212", "try, catch and finally";
    /// Variables that expire.
    TEMPORAL = "E0213", "temporal variables";
    /// Taint, policies, encryption.
    TAINT = "E0214", "taint, policies and encryption";
    /// Nodes and replicas.
    DISTRIBUTED = "E0215", "distributed nodes";
    /// Foreign functions.
    FOREIGN = "E0216", "foreign functions";
    /// Type aliases, enums, structs, pattern matching.
    TYPES = "E0217", "type declarations and pattern matching";
    /// Code that runs in the compiler.
    COMPTIME = "E0218", "compile-time blocks";
    /// Verification blocks.
    VERIFY = "E0219", "verify blocks";
    /// The user-interface language.
    UI = "E0220", "user-interface blocks";
    /// Postfix `?`.
    UNWRAP = "E0221", "the postfix operator ?";
    /// `do`.
    DO = "E0222", "do";
    /// Strategies of `resilient` other than recover and restart.
    STRATEGIES = "E0223", "the strategies rollback and escalate";
    /// Operators that are known to the scanner only.
    OPERATORS = "E0224", "this operator";
    /// Members of `std` that the library does not have yet.
    LIBRARY = "E0225", "this part of the standard library";
}

/// The feature that a reserved word belongs to, if it is one.
pub fn of_word(word: &str) -> Option<Feature> {
    Some(match word {
        "abstract" | "class" | "extends" | "implements" | "interface" | "trait" | "this"
        | "super" | "new" | "public" | "private" | "protected" | "static" | "operator" => CLASSES,
        "actor" | "receive" => ACTORS,
        "task" | "channel" => CHANNELS,
        "export" | "from" | "package" | "as" => MODULES,
        "intent" | "resolver" => INTENTS,
        "context" | "layer" | "activate" => CONTEXTS,
        "tensor" | "matrix" => TENSORS,
        "quantum" | "qubit" | "superpose" | "entangle" | "measure" => QUANTUM,
        "gpu" | "kernel" => GPU,
        "model" | "train" | "predict" => MODELS,
        "try" | "catch" | "finally" => TRY,
        "temporal" | "decay" | "after" => TEMPORAL,
        "sanitize" | "tainted" | "pure" | "policy" | "encrypt" | "decrypt" => TAINT,
        "node" | "replica" | "sync" => DISTRIBUTED,
        "extern" | "native" => FOREIGN,
        "type" | "typeof" | "enum" | "struct" | "match" | "is" | "in" | "mutable" | "void" => TYPES,
        "comptime" => COMPTIME,
        "verify" => VERIFY,
        "do" => DO,
        "rollback" | "escalate" | "restart" => STRATEGIES,
        "Action" | "App" | "Aside" | "Audio" | "Button" | "Canvas" | "Code" | "Container"
        | "Footer" | "Form" | "Header" | "Icon" | "Image" | "Input" | "Item" | "Label" | "Link"
        | "List" | "Main" | "Nav" | "Option" | "Pre" | "STYLE" | "Section" | "Select" | "State"
        | "Table" | "Tbody" | "Td" | "Text" | "Th" | "Thead" | "Tr" | "Video" | "Window" => UI,
        _ => return None,
    })
}
