//! The words of a text, as a search compares them: in memory, or by the full-text index on disk.
//!
//! A word is a run of letters, digits and accents, in any case. Scripts that are written without spaces have
//! no runs to go by, so each of their characters is a word, and so is each emoji; where a search has
//! several of them in a row, a text must have them in a row. So it is in Korean, whose words have
//! spaces between them, but endings that change.
//!
//! One character may be written in several ways: an accent apart from its letter, as macOS names files,
//! or Latin letters as wide as Japanese ones. Words are compared in one of them (NFKC).
//!
//! Rejected: an index of trigrams. It cannot find fewer than three characters, and most Chinese words
//! have two.

use crate::chat::limits::SEARCH_LENGTH;
use std::borrow::Cow;
#[cfg(feature = "disk")]
use std::fmt::Write as _;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// A text with each character in the one way of writing it that words are compared in. Nearly every
/// text is already so; one that is not may be eleven times as long then, which its reader pays for.
pub(super) fn normalized(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().collect())
}

/// The words of a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|c: char| is_letter(c) || is_single(c))?;
        let from = &rest[start..];
        let first = from.chars().next()?;
        let end = match is_single(first) {
            true => first.len_utf8(),
            false => from.find(|c: char| !is_letter(c) || is_single(c)).unwrap_or(from.len()),
        };
        let (word, after) = from.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Whether a character may be in a word of several: the accents that combine with a letter are its own.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}')
}

/// Whether a character is a word.
fn is_single(c: char) -> bool {
    !c.is_ascii() && (is_unspaced(c) || is_hangul(c) || is_symbol(c))
}

/// Syllables of Korean, and their parts.
pub(super) fn is_hangul(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{a960}'..='\u{a97c}'
        | '\u{ac00}'..='\u{d7fb}')
}

/// Whether its script has no spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e01}'..='\u{e4e}' | '\u{e81}'..='\u{edf}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17dd}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303c}'
        | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Emoji, and the symbols among which they are.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// A text as the full-text index is given it: single characters stand apart, and symbols, which are no
/// words to it, are spelled.
#[cfg(feature = "disk")]
pub(super) fn indexed(text: &str) -> Cow<'_, str> {
    let text = normalized(text);
    if text.is_ascii() || !text.chars().any(is_single) {
        return text;
    }
    let mut apart = String::with_capacity(2 * text.len());
    for c in text.chars() {
        if is_symbol(c) {
            // Writing to a String cannot fail.
            let _ = write!(apart, " emoji{:x} ", u32::from(c));
        } else if is_single(c) {
            apart.extend([' ', c, ' ']);
        } else {
            apart.push(c);
        }
    }
    Cow::Owned(apart)
}

/// What a search looks for, compared in place: a text of any length costs no allocation, unless words
/// have to stand in a row. Each item is one word, or several in a row.
pub(super) struct SearchWords(Vec<Vec<String>>);

/// A bit for each item.
const _: () = assert!(SEARCH_LENGTH.div_ceil(2) <= u128::BITS as usize);

impl SearchWords {
    pub(super) fn new(text: &str) -> SearchWords {
        let mut items = Vec::new();
        for typed in normalized(text).split_whitespace() {
            let folded = words(typed).map(|word| fold(word).collect::<String>());
            if typed.chars().any(is_single) {
                items.push(folded.collect());
            } else {
                items.extend(folded.map(|word| vec![word]));
            }
        }
        items.sort_unstable();
        items.dedup();
        items.truncate(u128::BITS as usize);
        SearchWords(items)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a text, which is normalised, contains all of them.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let mut missing: u128 = 0;
        for (number, item) in self.0.iter().enumerate() {
            if item.len() == 1 {
                missing |= 1 << number;
            } else if !stands_in(item, text) {
                return false;
            }
        }
        for run in words(text) {
            if missing == 0 {
                break;
            }
            for (number, item) in self.0.iter().enumerate() {
                if let [word] = &item[..]
                    && is_same(run, word)
                {
                    missing &= !(1 << number);
                }
            }
        }
        missing == 0 && !self.0.is_empty()
    }
}

/// Whether a text has these words in a row.
fn stands_in(item: &[String], text: &str) -> bool {
    let all: Vec<&str> = words(text).collect();
    all.windows(item.len()).any(|some| some.iter().zip(item).all(|(run, word)| is_same(run, word)))
}

/// Whether a word of a text is one that is looked for, which is folded.
fn is_same(run: &str, word: &str) -> bool {
    if run.is_ascii() { run.eq_ignore_ascii_case(word) } else { fold(run).eq(word.chars()) }
}

/// In lower case; the Greek sigma has two, and the disk takes them for one.
fn fold(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(char::to_lowercase).map(|c| if c == '\u{3c2}' { '\u{3c3}' } else { c })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_of_a_script_without_spaces_is_a_word_and_so_is_an_emoji() {
        let all = |text| words(text).collect::<Vec<_>>();
        assert_eq!(all("well, 2 WORDS"), ["well", "2", "WORDS"]);
        assert_eq!(all("abc日本 語"), ["abc", "日", "本", "語"]);
        assert_eq!(all("hi😀!"), ["hi", "😀"]);
        assert_eq!(all("한국 grüße cafe\u{301}"), ["한", "국", "grüße", "cafe\u{301}"]);
        let finds = |text: &str, wanted: &str| SearchWords::new(wanted).are_in(text);
        assert!(
            finds("日本語のテキストです", "日本語") && finds("日本語のテキストです", "です 日本")
        );
        assert!(!finds("日本語のテキストです", "本日"));
        assert!(finds("한국어를 배워요", "한국어") && !finds("cafe\u{301}", "cafe"));
        assert!(finds("Hello世界", "hello 世界") && finds("emoji 😀 here", "😀"));
        assert!(!finds("emoji 😀 here", "😁") && !finds("anything", ""));
    }

    #[test]
    fn a_character_is_found_in_whichever_way_it_is_written() {
        let finds = |text, wanted| SearchWords::new(wanted).are_in(&normalized(text));
        for (one, other) in [
            ("café", "cafe\u{301}"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("chat 2026", "ｃｈａｔ　２０２６"),
            ("カタカナ", "ｶﾀｶﾅ"),
            ("office", "oﬃce"),
        ] {
            assert!(finds(one, other) && finds(other, one), "{one} {other}");
        }
        assert!(!finds("cafe", "café"));
    }
}
