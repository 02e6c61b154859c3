//! The messages of SASL in IRC: base64, in pieces of 400 bytes. IRCv3 sasl-3.1.

use base64ct::{Base64, Encoding};

/// Bytes of one piece: a full piece is followed by another, if only `+`.
const PIECE: usize = 400;
/// Bytes of base64 of one message: names and passwords are far shorter.
const MOST: usize = 4_000;

/// What is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    LongPiece,
    LongMessage,
    /// Not the base64 of a text.
    Malformed,
}

/// The pieces of a message in base64.
pub fn pieces(base64: &str) -> impl Iterator<Item = &str> {
    let pieces = base64.as_bytes().chunks(PIECE).filter_map(|piece| str::from_utf8(piece).ok());
    pieces.chain(base64.len().is_multiple_of(PIECE).then_some("+"))
}

/// A message that is put together.
#[derive(Default, Debug)]
pub struct Incoming(String);

impl Incoming {
    /// Takes one piece; the text of the message that is whole with it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(&mut self, piece: &str) -> Result<Option<String>, Fault> {
        if piece.len() > PIECE {
            return Err(Fault::LongPiece);
        }
        if self.0.len() + piece.len() > MOST {
            return Err(Fault::LongMessage);
        }
        if piece != "+" {
            self.0.push_str(piece);
        }
        if piece.len() == PIECE {
            return Ok(None);
        }
        let base64 = std::mem::take(&mut self.0);
        // Without its padding it is not valid (RFC 4648, section 4).
        let bytes = Base64::decode_vec(&base64).map_err(|_| Fault::Malformed)?;
        String::from_utf8(bytes).map(Some).map_err(|_| Fault::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_into_pieces_and_its_end_can_be_told() {
        let written = |bytes: usize| -> Vec<String> {
            let base64 = Base64::encode_string("x".repeat(bytes).as_bytes());
            pieces(&base64).map(str::to_owned).collect()
        };
        assert_eq!(written(0), ["+"]);
        assert_eq!(written(1), ["eA=="]);
        let lengths = |bytes| written(bytes).iter().map(String::len).collect::<Vec<_>>();
        assert_eq!(lengths(299), [400, 1], "padded to a full piece");
        assert_eq!(lengths(300), [400, 1]);
        assert_eq!(lengths(301), [400, 4]);
        assert_eq!(written(300)[1], "+");
        for length in [0, 1, 299, 300, 301, 2_900] {
            let mut incoming = Incoming::default();
            let taken: Vec<_> =
                written(length).iter().map(|piece| incoming.take(piece).unwrap()).collect();
            assert_eq!(taken.last(), Some(&Some("x".repeat(length))));
            assert!(taken[..taken.len() - 1].iter().all(Option::is_none));
        }
    }

    #[test]
    fn what_is_too_long_or_no_text_is_an_error() {
        let full = "x".repeat(PIECE);
        let mut incoming = Incoming::default();
        assert_eq!(incoming.take(&format!("{full}x")), Err(Fault::LongPiece));
        assert!((0..10).all(|_| incoming.take(&full) == Ok(None)));
        assert_eq!(incoming.take("eA=="), Err(Fault::LongMessage));
        for wrong in ["eA", "?", "/w=="] {
            assert_eq!(Incoming::default().take(wrong), Err(Fault::Malformed), "{wrong}");
        }
    }
}
