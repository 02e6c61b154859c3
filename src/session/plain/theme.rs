//! How one peer wants its plain lines.

/// Clean lines, or lines as the course project's clients expect them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Style {
    #[default]
    Plain,
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
