//! A separate session for a program, whose terminal its standard input is.

use nix::libc;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts a program in a separate session, whose terminal its standard input is.
pub fn at_its_own_terminal(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec only setsid and ioctl are called, which POSIX allows there.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            // The type of the request differs between systems.
            if libc::ioctl(0, libc::TIOCSCTTY as _, 0) == -1 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        })
    }
}
