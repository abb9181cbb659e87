//! The runtime: facade, C exports, static library.
