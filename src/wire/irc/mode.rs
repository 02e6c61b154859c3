//! Mode strings and the changes they request. Modern IRC "MODE message" and ISUPPORT CHANMODES.
//!
//! `+ov-k ada bob key` is three changes with an argument each. Which letter takes one depends on
//! the server, so the letters are a [`ModeTable`]: constants of ours, or what another server
//! announced.
//!
//! Limit: at most [`MAX_MODE_CHANGES`] changes are parsed from one string; the rest is ignored.
//!
//! Absent: what a change means, and the reply if its argument is missing. A `b` without one
//! requests the list, a `-k` without one is accepted by most servers, an `o` without one is
//! ignored: three replies to the same grammar.

/// Changes parsed from one mode string. A line of 512 bytes has room for 250 with arguments of one
/// letter; no one types 100.
pub const MAX_MODE_CHANGES: usize = 100;

/// To set or to take away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// `+`, or no sign.
    Plus,
    /// `-`.
    Minus,
}

/// Whether a mode takes an argument: the four types of CHANMODES, and PREFIX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ModeKind {
    /// Type A: adds to or removes from a list, or requests the list if there is no argument. `b e
    /// I`.
    List,
    /// Type B: always has an argument. `k`.
    Always,
    /// Type C: has an argument when it is set. `l`.
    OnSet,
    /// Type D: never has one. `i m n s t`.
    Never,
    /// From PREFIX: always has one, the member. `o v`.
    Member,
}

impl ModeKind {
    /// Whether a change of this kind takes an argument.
    pub const fn takes_argument(self, sign: Sign) -> bool {
        match self {
            ModeKind::List | ModeKind::Always | ModeKind::Member => true,
            ModeKind::OnSet => matches!(sign, Sign::Plus),
            ModeKind::Never => false,
        }
    }
}

/// The letters of a server, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ModeTable<'t> {
    /// Letters of [`ModeKind::List`].
    pub list: &'t str,
    /// Letters of [`ModeKind::Always`].
    pub always: &'t str,
    /// Letters of [`ModeKind::OnSet`].
    pub on_set: &'t str,
    /// Letters of [`ModeKind::Never`].
    pub never: &'t str,
    /// Letters of [`ModeKind::Member`].
    pub member: &'t str,
}

/// One change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ModeChange<'a> {
    pub sign: Sign,
    /// The mode.
    pub letter: char,
    /// Its kind; `None` if the table has no such letter (472, 501).
    pub kind: Option<ModeKind>,
    /// Its argument; `None` if it takes none or none was left.
    pub argument: Option<&'a str>,
}

impl<'t> ModeTable<'t> {
    /// The table that another server announces: CHANMODES (`beI,k,l,imnst`) and PREFIX (`(ov)@+`).
    /// Missing parts are empty; types after the fourth are undefined and ignored.
    pub fn from_isupport(channel_modes: &'t str, prefix: &'t str) -> ModeTable<'t> {
        let mut kinds = channel_modes.split(',');
        let mut next = || kinds.next().unwrap_or_default();
        let (list, always, on_set, never) = (next(), next(), next(), next());
        let inner = prefix.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let member = inner.map_or("", |(letters, _)| letters);
        ModeTable { list, always, on_set, never, member }
    }

    /// The kind of a letter, or `None` if it is unknown.
    pub fn kind(&self, letter: char) -> Option<ModeKind> {
        let kinds = [
            (self.member, ModeKind::Member),
            (self.list, ModeKind::List),
            (self.always, ModeKind::Always),
            (self.on_set, ModeKind::OnSet),
            (self.never, ModeKind::Never),
        ];
        kinds.into_iter().find(|(letters, _)| letters.contains(letter)).map(|(_, kind)| kind)
    }

    /// The changes that `words` request: the mode string, then its arguments in order. An unknown
    /// letter takes no argument. Surplus arguments are ignored.
    pub fn changes<'a>(&self, words: &[&'a str]) -> impl Iterator<Item = ModeChange<'a>> {
        let (letters, arguments) = match words {
            [letters, arguments @ ..] => (*letters, arguments),
            [] => ("", &[][..]),
        };
        let mut arguments = arguments.iter().copied();
        let mut sign = Sign::Plus;
        let change = move |letter| {
            match letter {
                '+' => sign = Sign::Plus,
                '-' => sign = Sign::Minus,
                _ => {
                    let kind = self.kind(letter);
                    let takes = kind.is_some_and(|kind| kind.takes_argument(sign));
                    let argument = if takes { arguments.next() } else { None };
                    return Some(ModeChange { sign, letter, kind, argument });
                }
            }
            None
        };
        letters.chars().filter_map(change).take(MAX_MODE_CHANGES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: ModeTable<'static> =
        ModeTable { list: "beI", always: "k", on_set: "l", never: "imnst", member: "ov" };

    fn told(words: &[&str]) -> String {
        let tell = |change: ModeChange<'_>| {
            let kind = if change.kind.is_some() { "" } else { "?" };
            let argument = change.argument.unwrap_or("-");
            format!(
                "{}{}{kind}:{argument}",
                if change.sign == Sign::Plus { '+' } else { '-' },
                change.letter
            )
        };
        TABLE.changes(words).map(tell).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn letters_take_their_arguments() {
        assert_eq!(told(&["+itkol", "key", "ada", "5"]), "+i:- +t:- +k:key +o:ada +l:5");
        assert_eq!(told(&["-lk+v", "key", "bob"]), "-l:- -k:key +v:bob");
        assert_eq!(told(&["b"]), "+b:-");
        assert_eq!(told(&["+oo", "ada"]), "+o:ada +o:-");
        assert_eq!(told(&["+xo", "ada", "left over"]), "+x?:- +o:ada");
        assert_eq!(told(&["+-+-"]), "");
        assert_eq!(told(&[]), "");
    }

    #[test]
    fn a_table_comes_from_isupport_however_odd() {
        assert_eq!(ModeTable::from_isupport("beI,k,l,imnst", "(ov)@+"), TABLE);
        assert_eq!(ModeTable::from_isupport("", ""), ModeTable::default());
        assert_eq!(ModeTable::from_isupport("b,k,l,i,x,y", "ov").kind('x'), None);
        assert_eq!(ModeTable::from_isupport(",,,,,", ")(").member, "");
    }

    #[test]
    fn the_changes_of_one_string_are_bounded() {
        let letters = "i".repeat(MAX_MODE_CHANGES * 3);
        assert_eq!(TABLE.changes(&[&letters]).count(), MAX_MODE_CHANGES);
        assert_eq!(TABLE.changes(&["+-".repeat(10_000).as_str()]).count(), 0);
    }
}
