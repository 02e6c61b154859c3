//! Equality of names: ISUPPORT CASEMAPPING.
//!
//! Only ASCII letters fold. Two spellings of a word that differ in accents or script are different
//! names; rejecting look-alikes would have to happen before, with Unicode's tables.

use std::borrow::Cow;

/// Which characters are the two cases of one letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CaseMapping {
    /// `a-z` and `A-Z`. What a server should offer today.
    #[default]
    Ascii,
    /// And `{|}^` as the lower case of `[\]~`: the Scandinavian letters of 1988. RFC 1459 §2.2,
    /// with the pair `^~` that it forgot (RFC 2812 §2.2).
    Rfc1459,
    /// `rfc1459` to the letter: without `^~`.
    Rfc1459Strict,
}

impl CaseMapping {
    /// The value of ISUPPORT CASEMAPPING.
    pub const fn name(self) -> &'static str {
        match self {
            CaseMapping::Ascii => "ascii",
            CaseMapping::Rfc1459 => "rfc1459",
            CaseMapping::Rfc1459Strict => "rfc1459-strict",
        }
    }

    /// The mapping a server named, or `None` if we do not have it.
    pub fn from_name(name: &str) -> Option<CaseMapping> {
        let all = [CaseMapping::Ascii, CaseMapping::Rfc1459, CaseMapping::Rfc1459Strict];
        all.into_iter().find(|mapping| mapping.name().eq_ignore_ascii_case(name))
    }

    /// The lower case of one byte. Bytes of longer UTF-8 sequences stay as they are.
    pub const fn fold_byte(self, byte: u8) -> u8 {
        match (self, byte) {
            (_, b'A'..=b'Z') => byte + 32,
            (CaseMapping::Ascii, _) => byte,
            (_, b'[' | b'\\' | b']') => byte + 32,
            (CaseMapping::Rfc1459, b'~') => b'^',
            _ => byte,
        }
    }

    /// The lookup key of a name: equal for equal names. Borrows a name that is already folded, as
    /// most are.
    pub fn fold(self, name: &str) -> Cow<'_, str> {
        if name.bytes().all(|byte| self.fold_byte(byte) == byte) {
            return Cow::Borrowed(name);
        }
        let folded = name.chars().map(|letter| match u8::try_from(letter) {
            Ok(byte) if byte.is_ascii() => char::from(self.fold_byte(byte)),
            _ => letter,
        });
        Cow::Owned(folded.collect())
    }

    pub fn same(self, one: &str, other: &str) -> bool {
        one.len() == other.len()
            && one
                .bytes()
                .zip(other.bytes())
                .all(|(one, other)| self.fold_byte(one) == self.fold_byte(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mapping_folds_its_own_letters() {
        use CaseMapping::{Ascii, Rfc1459, Rfc1459Strict};
        for (mapping, folded) in
            [(Ascii, "az[\\]~^é"), (Rfc1459, "az{|}^^é"), (Rfc1459Strict, "az{|}~^é")]
        {
            assert_eq!(mapping.fold("AZ[\\]~^é"), folded, "{}", mapping.name());
            assert!(mapping.same("AZ[\\]~^é", folded));
            assert!(!mapping.same("É", "é"));
            assert!(!mapping.same("a", "ab"));
            assert_eq!(CaseMapping::from_name(mapping.name()), Some(mapping));
        }
        assert!(matches!(Rfc1459.fold("{ada}"), Cow::Borrowed(_)));
        assert!(!Ascii.same("[", "{"));
        assert!(!Rfc1459Strict.same("~", "^"));
        assert_eq!(CaseMapping::from_name("precis"), None);
    }
}
