//! lab: to come.
