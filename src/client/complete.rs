//! Tab completion: nicks, the last speaker first; rooms; commands with their usage.
//!
//! Pressed again, Tab goes on to the next candidate.
//!
//! Bounds: `MAX_NICKS`, `MAX_ROOMS`, `MAX_SHOWN`.

/// Nicks kept; the longest silent are forgotten.
pub const MAX_NICKS: usize = 1_000;
/// Rooms kept.
pub const MAX_ROOMS: usize = 500;
/// Commands of a list.
const MAX_SHOWN: usize = 100;

/// The words for completion.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// The last speaker is last.
    nicks: Vec<String>,
    rooms: Vec<String>,
    /// Without the slash.
    commands: Vec<&'static str>,
}

/// The result of a Tab.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Completion {
    /// These, in this order, from this byte of the line on; none if nothing begins like that.
    Words { start: usize, words: Vec<String> },
    /// Too many commands to guess: lines to show.
    List(String),
}

impl Vocabulary {
    /// With these commands, without the slash.
    pub fn with(commands: Vec<&'static str>) -> Vocabulary {
        Vocabulary { commands, ..Vocabulary::default() }
    }

    /// This nick spoke.
    pub fn spoke(&mut self, nick: &str) {
        self.forget(nick);
        if self.nicks.len() == MAX_NICKS {
            self.nicks.remove(0);
        }
        self.nicks.push(nick.to_owned());
    }

    /// This nick is present, but has not spoken.
    pub fn present(&mut self, nick: &str) {
        let known = self.nicks.iter().any(|it| it.eq_ignore_ascii_case(nick));
        if !known && self.nicks.len() < MAX_NICKS {
            self.nicks.insert(0, nick.to_owned());
        }
    }

    /// A nick was changed.
    pub fn renamed(&mut self, before: &str, nick: &str) {
        match self.nicks.iter_mut().find(|it| it.eq_ignore_ascii_case(before)) {
            Some(known) => nick.clone_into(known),
            None => self.present(nick),
        }
    }

    /// This nick is gone.
    pub fn forget(&mut self, nick: &str) {
        self.nicks.retain(|it| !it.eq_ignore_ascii_case(nick));
    }

    /// There is a room of this name.
    pub fn room(&mut self, room: &str) {
        let known = self.rooms.iter().any(|it| it.eq_ignore_ascii_case(room));
        if !known && self.rooms.len() < MAX_ROOMS {
            self.rooms.push(room.to_owned());
            self.rooms.sort_unstable();
        }
    }

    /// The completions of the word that ends at `cursor`. `own` is not offered.
    pub fn complete(&self, line: &str, cursor: usize, own: &str) -> Completion {
        let before = &line[..cursor];
        let start = before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
        let word = &before[start..];
        if let Some(name) = word.strip_prefix('/').filter(|_| start == 0) {
            return self.command_named(name);
        }
        let (mark, part) = match word.strip_prefix('@') {
            Some(rest) => ("@", rest),
            None => ("", word),
        };
        if part.starts_with('#') {
            let rooms = self.rooms.iter().filter(|room| begins(room, part));
            let words = rooms.map(|room| format!("{mark}{room} ")).collect();
            return Completion::Words { start, words };
        }
        if part.is_empty() && mark.is_empty() {
            return Completion::Words { start, words: Vec::new() };
        }
        // At the start of a line it addresses the person: "alice: ".
        let end = if start == 0 && mark.is_empty() { ": " } else { " " };
        let nicks = self.nicks.iter().rev();
        let nicks = nicks.filter(|nick| begins(nick, part) && !nick.eq_ignore_ascii_case(own));
        let words = nicks.map(|nick| format!("{mark}{nick}{end}")).collect();
        Completion::Words { start, words }
    }

    fn command_named(&self, name: &str) -> Completion {
        if name.is_empty() && !self.commands.is_empty() {
            let names = self.commands.iter().map(|name| format!("/{name}"));
            return Completion::List(names.take(MAX_SHOWN).collect::<Vec<_>>().join(" "));
        }
        let known = self.commands.iter().filter(|known| begins(known, name));
        let words = known.map(|known| format!("/{known} ")).collect();
        Completion::Words { start: 0, words }
    }
}

fn begins(whole: &str, part: &str) -> bool {
    whole.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn known() -> Vocabulary {
        let mut known = Vocabulary::with(vec!["join", "me"]);
        ["anna", "Alice", "albert", "bob"].iter().for_each(|nick| known.spoke(nick));
        ["#rust", "#lobby", "#ruby"].iter().for_each(|room| known.room(room));
        known
    }

    fn offered(line: &str) -> Vec<String> {
        match known().complete(line, line.len(), "bob") {
            Completion::Words { words, .. } => words,
            Completion::List(line) => vec![line],
        }
    }

    #[test]
    fn nicks_rooms_commands() {
        assert_eq!(offered("a"), ["albert: ", "Alice: ", "anna: "], "who spoke last is first");
        assert_eq!(offered("hi AL"), ["albert ", "Alice "]);
        assert_eq!(offered("hi @ann"), ["@anna "]);
        assert_eq!(offered("/join #ru"), ["#ruby ", "#rust "]);
        assert_eq!(offered("@#l"), ["@#lobby "]);
        assert_eq!(offered("/j"), ["/join "]);
        assert_eq!(offered("/"), ["/join /me"]);
        for nothing in ["b", "", "hi ", "/x", "x /j", "#x"] {
            assert_eq!(offered(nothing), Vec::<String>::new(), "{nothing:?}");
        }
    }

    #[test]
    fn it_is_bounded_and_forgets() {
        let mut known = Vocabulary::default();
        for number in 0..2 * MAX_NICKS {
            known.spoke(&format!("n{number}"));
            known.room(&format!("#n{number}"));
        }
        assert_eq!((known.nicks.len(), known.rooms.len()), (MAX_NICKS, MAX_ROOMS));
        known.renamed("n1999", "other");
        assert_eq!(known.nicks.last().unwrap(), "other");
        known.forget("OTHER");
        assert!(!known.nicks.contains(&"other".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_offered_begins_as_typed(line in "[ab#@/é ]{0,8}", at in 0usize..9) {
            let cursor = line.char_indices().nth(at).map_or(line.len(), |it| it.0);
            if let Completion::Words { start, words } = known().complete(&line, cursor, "") {
                let typed = line[start..cursor].to_lowercase();
                prop_assert!(words.iter().all(|word| word.to_lowercase().starts_with(&typed)));
            }
        }
    }
}
