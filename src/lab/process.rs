//! CPU time and memory of another process.
//!
//! Read from `/proc` on Linux, and elsewhere from `ps`, which every Unix has and which costs a
//! fork: so call it between measurements, not during one.
//!
//! Limits: the resolution of CPU time is a hundredth of a second, so measure over seconds. Memory
//! is in pages on Linux, elsewhere in kilobytes. There are no peak values: callers compare two
//! moments.

use std::io;
use std::time::Duration;

/// The usage of one process so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// CPU time in user mode, all threads together; `None` if the system only reports the sum.
    pub user: Option<Duration>,
    /// CPU in its own code and in the kernel on its behalf.
    pub total: Duration,
    /// Resident memory in bytes.
    pub resident: u64,
}

/// Asks the system about process `pid`.
pub fn usage(pid: u32) -> io::Result<Usage> {
    ask(pid).map_err(|reason| io::Error::other(format!("cannot measure process {pid}: {reason}")))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn ask(pid: u32) -> io::Result<Usage> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    read_proc(&stat, &status).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn ask(pid: u32) -> io::Result<Usage> {
    // `utime` is known to the ps of macOS and not to every other; without it, only the sum.
    for columns in [&["rss=", "time=", "utime="][..], &["rss=", "time="]] {
        let mut command = std::process::Command::new("ps");
        for column in columns {
            command.args(["-o", column]);
        }
        let output = command.args(["-p", &pid.to_string()]).output()?;
        if let Some(usage) = read_ps(&String::from_utf8_lossy(&output.stdout)) {
            return Ok(usage);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Ticks of `/proc/PID/stat` per second: 100 on every Linux as user programs see it, whatever the
/// kernel's own clock rate.
#[cfg(any(target_os = "linux", target_os = "android", test))]
const TICKS_PER_SECOND: u64 = 100;

#[cfg(any(target_os = "linux", target_os = "android", test))]
fn read_proc(stat: &str, status: &str) -> Option<Usage> {
    // The second field is the name in parentheses, which may contain spaces and parentheses.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split_ascii_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?; // field 14 of the whole line
    let system: u64 = fields.next()?.parse().ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    let ticks = |count: u64| Duration::from_millis(count * (1_000 / TICKS_PER_SECOND));
    Some(Usage {
        user: Some(ticks(user)),
        total: ticks(user + system),
        resident: kilobytes * 1_024,
    })
}

/// One line of `ps -o rss= -o time= [-o utime=]`.
#[cfg(any(not(any(target_os = "linux", target_os = "android")), test))]
fn read_ps(line: &str) -> Option<Usage> {
    let mut fields = line.split_ascii_whitespace();
    let kilobytes: u64 = fields.next()?.parse().ok()?;
    let total = read_clock(fields.next()?)?;
    let user = fields.next().and_then(read_clock);
    Some(Usage { user, total, resident: kilobytes * 1_024 })
}

/// `[[days-]hours:]minutes:seconds[.hundredths]`, as `ps` writes CPU time.
#[cfg(any(not(any(target_os = "linux", target_os = "android")), test))]
fn read_clock(text: &str) -> Option<Duration> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds = 0.0;
    for part in clock.split(':') {
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    Duration::try_from_secs_f64(seconds + days.parse::<f64>().ok()? * 86_400.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_no_process_has_none() {
        let before = usage(std::process::id()).unwrap();
        assert!(before.resident > 100_000, "{before:?}");
        while usage(std::process::id()).unwrap().total == before.total {}
        let refusal = usage(u32::MAX / 2).unwrap_err().to_string();
        assert!(refusal.contains("cannot measure process 2147483647"), "{refusal}");
    }

    #[test]
    fn proc_is_read_whatever_the_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 500 0 0 0 150 25 3 4 20 0 1 0 99 1 1";
        let usage = read_proc(stat, "Name:\ta\nVmHWM:\t 9 kB\nVmRSS:\t    2048 kB\n").unwrap();
        assert_eq!(usage.user, Some(Duration::from_millis(1_500)));
        assert_eq!(usage.total, Duration::from_millis(1_750));
        assert_eq!(usage.resident, 2_048 * 1_024);
        assert_eq!(read_proc("7 (zombie) Z 1", ""), None);
    }

    #[test]
    fn ps_is_read_in_all_its_clocks() {
        let millis = |text: &str| read_clock(text).map(|time| time.as_millis());
        assert_eq!(millis("0:01.25"), Some(1_250));
        assert_eq!(millis("01:02:03"), Some(3_723_000));
        assert_eq!(millis("2-00:00:01"), Some(172_801_000));
        assert_eq!(millis("-1:00"), None);
        assert_eq!(millis("x"), None);
        let usage = read_ps(" 1234 0:02.50 0:01.50\n").unwrap();
        assert_eq!(
            (usage.resident, usage.user),
            (1_234 * 1_024, Some(Duration::from_millis(1_500)))
        );
        assert_eq!(read_ps(" 1234 0:02.50\n").unwrap().user, None);
        assert_eq!(read_ps(""), None);
    }
}
