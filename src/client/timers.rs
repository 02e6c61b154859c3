//! What the client's timers are for.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimerKind {
    /// Give up connecting to this address.
    ConnectTimeout,
    /// Reconnect.
    Reconnect,
    /// Decide that an ESC was the key.
    EscapeTimeout,
    /// Tell the person that the server is silent.
    SilenceHint,
    /// Give up on a server that has sent no line.
    FirstLine,
    /// Give up on a server that has not answered the registration.
    Registration,
    /// Give up on a server that does not take a script's lines.
    Answer,
    /// Exit, whatever might still arrive.
    Exit,
}
