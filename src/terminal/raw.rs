//! Raw mode, restored on every way out.
//!
//! In raw mode every key arrives at once, is not echoed and raises no signal, so Ctrl-C is an
//! ordinary key and no `^C` appears. Output processing stays on: other output, such as a panic
//! message, still gets correct line ends.
//!
//! [`RawMode`] is a guard. Dropping it restores the previous mode, so an early return and an
//! unwinding panic restore it too; SIGTERM and the like end the program's loop, which is an
//! ordinary return. SIGKILL restores nothing: that is what `stty sane` is for.
//!
//! The terminal is never made non-blocking. O_NONBLOCK belongs to the open file that is shared with
//! the shell, and would outlive this program (`cat` then fails with "resource temporarily
//! unavailable"). After the poller has reported readable, one read does not block.

use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg};
use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::{Pid, getpgrp, getsid, tcgetpgrp};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Bracketed paste on. Nothing else is switched: no alternate screen, no mouse.
const ENTER: &[u8] = b"\x1b[?2004h";

/// Bracketed paste off, cursor visible, colours reset, including those left by a server's line.
const LEAVE: &[u8] = b"\x1b[?2004l\x1b[?25h\x1b[0m";

/// Bytes that a pipe takes without waiting once the poller has called it writable (POSIX's
/// PIPE_BUF: 4,096 on Linux, 512 on macOS).
pub const WRITE_WITHOUT_WAIT: usize = libc::PIPE_BUF;

/// A terminal in raw mode, until it is dropped.
pub struct RawMode {
    input: File,
    output: File,
    before: Termios,
    raw: bool,
}

impl RawMode {
    /// Duplicates the two descriptors, remembers how the terminal is set, and makes it raw.
    ///
    /// # Errors
    /// `input` is not a terminal, or it is gone.
    pub fn enter(input: impl AsFd, output: impl AsFd) -> io::Result<RawMode> {
        let before = tcgetattr(&input)?;
        let mut mode =
            RawMode { input: unbuffered(input)?, output: unbuffered(output)?, before, raw: false };
        mode.resume()?;
        Ok(mode)
    }

    /// Gives the terminal back for a while, before the process stops. Does nothing if it has.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn pause(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.raw) || !in_foreground(&self.input) {
            return Ok(());
        }
        // The modes first: they matter more than what a full terminal might not take.
        let modes = self.restore();
        self.write(LEAVE)?;
        modes
    }

    fn restore(&self) -> io::Result<()> {
        without_terminal_stop(|| Ok(tcsetattr(&self.input, SetArg::TCSANOW, &self.before)?))
    }

    /// Restores the terminal without writing to it: it accepts no output, and waiting for it could
    /// block permanently. Bracketed paste stays on.
    pub fn abandon(mut self) {
        if std::mem::take(&mut self.raw) && in_foreground(&self.input) {
            // An error could not be reported any more.
            let _ = self.restore();
        }
    }

    /// Makes the terminal raw again, after the process has been continued. Does nothing if it
    /// already is.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        tcsetattr(&self.input, SetArg::TCSANOW, &raw_form_of(&self.before))?;
        self.raw = true;
        self.write(ENTER)
    }

    /// Reads input into `buffer`: once, so that it does not block after the poller has reported
    /// readable. 0 is the end: the terminal is gone. `WouldBlock` means later.
    ///
    /// # Errors
    /// EIO if the terminal is gone or the process may not read it.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.input).read(buffer)
    }

    /// Writes all of `bytes`, with one system call if the terminal takes them. It may block while
    /// the terminal does.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.output, bytes)
    }

    /// Columns of the window; 0 if the terminal does not know.
    pub fn columns(&self) -> usize {
        window_columns(self.output.as_fd())
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // An error could not be reported any more.
        let _ = self.pause();
    }
}

/// The line discipline's services off, one byte enough for a read.
fn raw_form_of(before: &Termios) -> Termios {
    let mut raw = before.clone();
    raw.input_flags.remove(
        InputFlags::BRKINT
            | InputFlags::ICRNL
            | InputFlags::IGNCR
            | InputFlags::INLCR
            | InputFlags::INPCK
            | InputFlags::ISTRIP
            // Ctrl-S and Ctrl-Q: a terminal stopped by accident would stop the loop.
            | InputFlags::IXON,
    );
    raw.local_flags.remove(
        LocalFlags::ECHO
            | LocalFlags::ECHONL
            | LocalFlags::ICANON
            | LocalFlags::IEXTEN
            | LocalFlags::ISIG,
    );
    raw.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
    raw.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
    raw
}

/// A background process that changes its terminal's mode would change it for the shell. A terminal
/// that is not the controlling one has no background.
pub fn in_foreground(terminal: impl AsFd) -> bool {
    tcgetpgrp(terminal).map_or(true, |group| group == getpgrp())
}

/// Changing the terminal's mode from the background raises SIGTTOU, which stops the process.
/// Between the check of the foreground and the call, a shell may have moved the process; on exit,
/// it would then never terminate.
fn without_terminal_stop<T>(act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = SigSet::from(Signal::SIGTTOU).thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let result = act();
    before.thread_set_mask()?;
    result
}

/// Does what Ctrl-Z does outside raw mode: SIGTSTP to the whole job, including this process, which
/// has caught it. `false` if there is no shell that could continue the job, which would then sleep
/// permanently. A shell with job control puts each job into a separate group, so one in the session
/// leader's group has none.
pub fn suspend_job() -> bool {
    let group = getpgrp();
    if getsid(None) == Ok(group) {
        return false;
    }
    killpg(Pid::from_raw(group.as_raw()), Signal::SIGTSTP).is_ok()
}

/// Writes all of `bytes` to a blocking descriptor. If another program has made the open file
/// non-blocking, waits as a blocking one would.
fn write_all(mut output: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_writable(output)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn wait_writable(output: &File) -> io::Result<()> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    match poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The width of the terminal behind `descriptor`; 0 if it is not a terminal or does not know.
pub fn window_columns(descriptor: BorrowedFd<'_>) -> usize {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one `winsize`, which lives here, and nothing else.
    let result = unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::TIOCGWINSZ, &mut size) };
    if result == 0 { usize::from(size.ws_col) } else { 0 }
}

/// A descriptor of this process's own for something that the standard library reads through a
/// buffer: standard input. What a buffer holds, no poller can see.
pub fn unbuffered(descriptor: impl AsFd) -> io::Result<File> {
    Ok(File::from(descriptor.as_fd().try_clone_to_owned()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::pty::openpty;
    use std::os::fd::OwnedFd;

    /// Everything that is written to the terminal so far, seen from its other side.
    fn shown(master: &OwnedFd) -> Vec<u8> {
        let mut buffer = [0; 256];
        let count = File::from(master.try_clone().unwrap()).read(&mut buffer).unwrap();
        buffer[..count].to_vec()
    }

    #[test]
    fn it_is_raw_until_dropped_and_then_as_it_was() {
        let pty = openpty(None, None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let mode = RawMode::enter(&pty.slave, &pty.slave).unwrap();
        let during = tcgetattr(&pty.slave).unwrap();
        assert!(
            !during
                .local_flags
                .intersects(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
        );
        assert_eq!(during.output_flags, before.output_flags);
        assert_eq!(shown(&pty.master), ENTER);
        drop(mode);
        assert_eq!(tcgetattr(&pty.slave).unwrap(), before);
        assert_eq!(shown(&pty.master), LEAVE);
    }

    #[test]
    fn a_panic_restores_it_too() {
        let pty = openpty(None, None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let panicked = std::panic::catch_unwind(|| {
            let _mode = RawMode::enter(&pty.slave, &pty.slave).unwrap();
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        assert!(panicked.is_err());
        assert_eq!(tcgetattr(&pty.slave).unwrap(), before);
    }

    #[test]
    fn pause_and_resume_can_be_repeated() {
        let pty = openpty(None, None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let mut mode = RawMode::enter(&pty.slave, &pty.slave).unwrap();
        let raw = tcgetattr(&pty.slave).unwrap();
        for _ in 0..2 {
            mode.pause().unwrap();
            mode.pause().unwrap();
            assert_eq!(tcgetattr(&pty.slave).unwrap(), before);
            mode.resume().unwrap();
            mode.resume().unwrap();
            assert_eq!(tcgetattr(&pty.slave).unwrap(), raw);
        }
    }

    #[test]
    fn what_is_no_terminal_is_refused() {
        let file = File::open("/dev/null").unwrap();
        assert!(RawMode::enter(&file, &file).is_err());
        assert_eq!(window_columns(file.as_fd()), 0);
    }
}
