//! The theme of a plain peer: how it wants its lines.

use clap::ValueEnum;

/// Clean lines, or lines as the course project's clients expect them: `--style`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Style {
    /// Clean lines without escape sequences; empty lines are ignored
    #[default]
    Plain,
    /// Like the classic select-server course project: `\r`, colours, an empty line disconnects
    Classic,
}

/// Which messages ring the terminal's bell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Bell {
    #[default]
    Off,
    Private,
    /// Those of [`Bell::Private`], too.
    Mention,
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Theme {
    pub style: Style,
    /// Whether messages show their numbers.
    pub numbers: bool,
    pub bell: Bell,
}
