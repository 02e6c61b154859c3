//! The plan of a seed: which operations and faults it has, and how often.

use super::certificate;
use crate::tls::Connector;
use chatloop_reactor::dice::Dice;
use std::path::Path;

/// What a client, the network or the operator may do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Connect,
    Say,
    /// A message to one other client.
    Tell,
    /// Many lines at once.
    Burst,
    /// A part of a line, the rest later.
    Fragment,
    Join,
    Part,
    /// A question, whose answer is not looked at.
    Ask,
    Nick,
    /// Bytes that are no line of any protocol.
    Garbage,
    /// Stops reading, or reads again.
    Pause,
    Read,
    Quit,
    HalfClose,
    Close,
    Reset,
    Deliver,
    Turn,
    Wait,
    /// The date is set forward or back.
    Date,
    /// A thread of the server does a piece of its work.
    Work,
    /// A client asks for a token to upload a file with, or uploads one.
    Upload,
    /// A file that is kept is asked for.
    Download,
    /// Something happens to the data directory, or is over.
    Trouble,
    /// The server is killed, and starts again with the same data.
    Kill,
}

/// Those that every run has; without them nothing would happen.
const ALWAYS: [(Step, usize); 7] = [
    (Step::Connect, 4),
    (Step::Say, 30),
    (Step::Join, 8),
    (Step::Read, 30),
    (Step::Deliver, 40),
    (Step::Turn, 60),
    (Step::Wait, 10),
];

/// Those that a run may have.
const SOMETIMES: [(Step, usize); 17] = [
    (Step::Burst, 6),
    (Step::Tell, 8),
    (Step::Fragment, 12),
    (Step::Part, 4),
    (Step::Ask, 8),
    (Step::Nick, 4),
    (Step::Garbage, 2),
    (Step::Pause, 5),
    (Step::Quit, 2),
    (Step::HalfClose, 2),
    (Step::Close, 2),
    (Step::Reset, 2),
    (Step::Date, 2),
    (Step::Upload, 6),
    (Step::Download, 3),
    (Step::Trouble, 2),
    (Step::Kill, 1),
];

/// The most clients that are connected at the same time.
pub(super) const MOST_CLIENTS: usize = 8;

/// What one seed draws at its beginning.
pub(super) struct Plan {
    steps: Vec<(Step, usize)>,
    total: usize,
    /// The server's flags.
    pub(super) flags: Vec<String>,
    /// The network keeps at most so many bytes for a client that does not read.
    pub(super) capacity: usize,
    /// How clients connect by TLS, if the server has it.
    pub(super) tls: Option<Connector>,
    /// The server has a data directory.
    pub(super) is_on_disk: bool,
    /// A client may be disconnected for a limit.
    pub(super) is_limited: bool,
    /// The server keeps little for a client that does not read, or is not known yet.
    pub(super) keeps_little: bool,
    /// All clients speak plain text: the server does not wait for the first line.
    pub(super) plain_only: bool,
}

/// Flags whose limits disconnect clients.
const LIMITS: [&str; 4] = ["--outbox", "--stall", "--idle", "--max-clients"];

impl Plan {
    /// # Errors
    /// There is no certificate.
    pub(super) fn draw(dice: &mut Dice, directory: &Path) -> Result<Plan, String> {
        let mut steps = ALWAYS.to_vec();
        steps.extend(SOMETIMES.into_iter().filter(|_| dice.chance(60)));
        let mut flags = ["--keep-alive=off", "--connect-limit=off", "--max-per-address=off"]
            .map(str::to_owned)
            .to_vec();
        let recalled = if dice.chance(30) { 5 } else { 0 };
        flags.push(format!("--history-on-join={recalled}"));
        let is_on_disk = dice.chance(50);
        if is_on_disk {
            flags.push(format!("--data={}", directory.display()));
        } else {
            steps.retain(|(step, _)| !matches!(step, Step::Kill | Step::Trouble));
        }
        // The disk is fast or slow.
        steps.push((Step::Work, if dice.chance(50) { 60 } else { 4 }));
        if dice.chance(60) {
            let names = ["short-write", "short-read", "eintr", "eagain", "accept-emfile"];
            let chosen = names.iter().filter(|_| dice.chance(60)).copied().collect::<Vec<_>>();
            let rates = chosen.iter().map(|name| format!("{name}=0.{},", 1 + dice.below(6)));
            flags.push(format!("--fault={}seed={}", rates.collect::<String>(), dice.number()));
        }
        for flag in ["--flood-limit=20/s", "--origin-work=1"] {
            flags.extend(dice.chance(30).then(|| flag.to_owned()));
        }
        // Without a delay no client can begin in IRC; with a short one, one whose first line takes
        // its time begins in plain text.
        let plain_only = dice.chance(30);
        flags.push(format!("--greeting-delay={}", if plain_only { 0 } else { 60_000 }));
        let mut tls = None;
        if !plain_only && dice.chance(50) {
            let ([certificate, key], connector) = certificate::put_into(directory)?;
            flags.push(format!("--tls-cert={}", certificate.display()));
            flags.push(format!("--tls-key={}", key.display()));
            flags.push("--tls-timeout=600".to_owned());
            tls = Some(connector);
        }
        let keeps_little = dice.chance(50);
        if keeps_little {
            flags.push("--outbox-soft=16k".to_owned());
            flags.push("--outbox-hard=64k".to_owned());
        }
        for (flag, percent) in
            [("--stall-timeout=5", 30), ("--max-clients=6", 30), ("--idle-timeout=20", 20)]
        {
            flags.extend(dice.chance(percent).then(|| flag.to_owned()));
        }
        let total = steps.iter().map(|(_, weight)| weight).sum();
        let capacity = [60, 300, 4_000, 200_000][dice.below(4)];
        let limits = |flag: &String| LIMITS.iter().any(|limit| flag.starts_with(limit));
        let is_limited = flags.iter().any(limits);
        Ok(Plan {
            steps,
            total,
            flags,
            capacity,
            tls,
            is_on_disk,
            is_limited,
            keeps_little,
            plain_only,
        })
    }

    pub(super) fn has(&self, step: Step) -> bool {
        self.steps.iter().any(|(known, _)| *known == step)
    }

    pub(super) fn step(&self, dice: &mut Dice) -> Step {
        let mut number = dice.below(self.total);
        for (step, weight) in &self.steps {
            match number.checked_sub(*weight) {
                Some(rest) => number = rest,
                None => return *step,
            }
        }
        Step::Turn
    }
}
