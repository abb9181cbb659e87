//! Layouts, statuses and codes shared by compiled code, the runtime and C.
