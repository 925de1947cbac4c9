//! Placeholder crate root, filled in the next commits.
