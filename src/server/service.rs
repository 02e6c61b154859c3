//! The notifications to a service manager (systemd, `Type=notify`). The sockets that it hands over are
//! in `start`, its log is in `transcript`.

use std::io;
use std::os::unix::net::UnixDatagram;

/// Tells the service manager something, if there is one that listens: `READY=1`, `STOPPING=1`. A
/// manager that does not read must not hold up the loop: then it is not told.
pub fn notify(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&path, state) {
        log::warn!("the service manager was not told {state}: {error}");
    }
}

fn send(path: &std::ffi::OsStr, state: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    #[cfg(target_os = "linux")]
    if let Some(name) = path.as_encoded_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return socket.send_to_addr(state.as_bytes(), &address).map(|_| ());
    }
    socket.send_to(state.as_bytes(), path).map(|_| ())
}
