//! Actions: what is to be done for one peer, in any protocol.

use super::transfer::FileRequest;
use crate::chat::{
    Claim, Command, Entry, Event, Name, Outcome, Purpose, Query, RecordId, ScramProof, Secret,
};
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// One thing to be done for one peer. Sessions and the parts of the server only ask for it; the
/// server performs all of them in one place.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Ask the chat for this.
    Do(Command),
    /// Show what the server's limits have done, if the peer is a server operator.
    Stats,
    /// Reload the configuration, if the peer is a server operator.
    Reload,
    /// Switch the trace of the loop on or off, if the peer is a server operator.
    Trace(bool),
    /// Make a link to the page that shows the loop, if the peer is a server operator.
    LoopLink,
    /// Show the loop to this page, if it may be shown: by the key of a link, or from here unless it came
    /// by a proxy. The answer opens its WebSocket.
    Watch { key: Option<String>, forwarded: bool, answer: Vec<u8> },
    /// Do what a viewer of the loop asks for.
    Viewer(ViewerRequest),
    /// Show these lines to this peer alone: help, a setting, what is wrong with its line.
    Tell(Vec<String>),
    /// Show what answers its question.
    Show(Box<Event>),
    /// The protocol is known. The peer has this long to register, or to give the password.
    AwaitRegistration(Duration),
    /// Compare this with the server's password.
    Unlock(Secret),
    /// Enter the chat.
    Enter(Box<Entry>),
    /// Have the worker check this step of a login.
    Prove(Proof),
    /// Register an account of this name and password before the peer enters.
    RegisterEarly(Arc<str>, Secret),
    /// That account is there.
    RegisteredEarly(Name),
    /// Prove an account, this one if one is named, by the certificate that the connection has shown.
    ProveByCertificate(Option<Arc<str>>),
    /// Have the account know the certificate that the connection has shown.
    AddCertificate,
    /// Log in to the account that knows it.
    LogInByCertificate,
    /// Log in to this account, which has been proved.
    LogIn(Claim),
    /// Go on with what the worker has found out.
    Worked(Purpose, Outcome),
    /// The worker has failed; why.
    WorkFailed(&'static str),
    /// Replay history, up to this record, before what the peer is told from here on.
    Replay(Box<Query>, Option<RecordId>),
    /// An IRC client has been welcomed.
    Registered,
    /// The chat did not let the peer in.
    NotAdmitted(Box<Event>),
    /// Leave the chat again and stay connected: the peer speaks another protocol after all.
    Withdraw,
    /// Leave the chat with these words to the others, and close with this farewell to the peer.
    Leave { words: Option<Arc<str>>, farewell: String },
    /// Count the connection as that of the client behind it.
    Relay(Relay),
    /// The first bytes are those of a TLS handshake.
    StartTls,
    /// The handshake is done: what comes from here on is encrypted.
    Secured,
    /// It has failed; why.
    HandshakeFailed(String),
    /// Tell the peer this farewell, if there is one, and close: it is not served; why, for the log.
    Reject { why: &'static str, farewell: Option<String> },
    /// Send this whole answer of this status to an HTTP request, and close. If it is a file of a page,
    /// the browser will want the others, too.
    Respond { status: u16, bytes: Vec<u8>, of_page: bool },
    /// Answer an HTTP request with the server's metrics, in the text format of OpenMetrics or in that of
    /// Prometheus; or only with the head.
    Scrape { open_metrics: bool, head_only: bool },
    /// Do this about uploaded files.
    Files(FileRequest),
    /// The chat has closed the session: send what is queued, then close.
    Close,
    /// The peer is gone: tell the others, close.
    Gone,
    /// The input has ended; the peer may still be reading.
    InputEnded,
    /// Check after this time whether a batch is still open.
    WatchBatch(Duration),
}

/// What tells that a connection comes by a proxy, and whose it is.
#[derive(Clone, PartialEq, Debug)]
pub enum Relay {
    /// The header of the PROXY protocol: the client, unless the proxy connects for itself.
    Header(Option<SocketAddr>),
    /// What a trusted peer sent in its place; what is wrong with it.
    BadHeader(&'static str),
    /// WEBIRC: the password proves the gateway, beside its address; no client if it sent no address.
    Gateway { password: Secret, ip: Option<IpAddr> },
    /// An HTTP request that was forwarded, and the client that the last proxy has seen.
    Forwarded(Option<IpAddr>),
}

/// What a viewer of the loop asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewerRequest {
    /// What comes next: it has shown what it was sent.
    Next,
    /// Step mode: so many turns.
    Step(u32),
    /// Step mode: the loop is to run freely, or to wait again.
    Run(bool),
}

/// A step in the proof of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// Name and password.
    Password(Arc<str>, Secret),
    /// A name, whose owner wants to show by SCRAM that they know the password.
    Begin(Arc<str>),
    /// The client's proof.
    Scram(Arc<str>, ScramProof),
}
