//! The static library that executables link: runtime and library parts in use.
