//! Exact bytes.
