//! Step mode (`--step`): how many turns the loop may take before it waits for a person again.

/// Whether the next turn may begin.
#[derive(Default)]
pub(super) struct Stepper {
    enabled: bool,
    /// It runs freely until someone has it wait.
    runs: bool,
    turns: u32,
}

impl Stepper {
    pub(super) fn new(enabled: bool) -> Stepper {
        Stepper { enabled, ..Stepper::default() }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// So many turns more.
    pub(super) fn step(&mut self, turns: u32) {
        self.turns = self.turns.saturating_add(turns);
        self.runs = false;
    }

    /// The loop runs freely, or waits again.
    #[cfg(feature = "web")]
    pub(super) fn run(&mut self, runs: bool) {
        (self.runs, self.turns) = (runs, 0);
    }

    /// Whether a turn has to wait.
    pub(super) fn holds(&self) -> bool {
        self.enabled && !self.runs && self.turns == 0
    }

    /// A turn begins.
    pub(super) fn take(&mut self) {
        self.turns = self.turns.saturating_sub(1);
    }
}
