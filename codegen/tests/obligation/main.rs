//! The checker of bounds over abstract operations (rules OBL-24 to OBL-28).

mod agree;
mod oracle;
mod program;
mod table;
