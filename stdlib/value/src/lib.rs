//! Dynamic values of ProXPL: representation, heap, natives.
