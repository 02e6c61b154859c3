//! Bytes on their way: a bounded inbox per connection, shared chunks, and an outbox per connection.
//!
//! A line that arrives goes through all three: the inbox keeps it until it is whole, a chunk gets
//! the answer once, and the outbox of every recipient holds a reference to it until the socket has
//! taken it.

pub mod chunk;
pub mod held;
pub mod inbox;
pub mod outbox;
