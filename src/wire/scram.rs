//! The messages of SCRAM. RFC 5802, section 7, as SASL carries them, without the surrounding
//! base64.
//!
//! Pure grammar: nothing is hashed here. Absent: channel binding. A client that requires it (`p=`)
//! is rejected; one that supports it and sees that the server does not (`y`) is accepted.

use base64ct::{Base64, Encoding};

/// Bytes of a proof and of a signature: those of SHA-256.
pub const PROOF: usize = 32;

/// `client-first-message`: who, and a nonce.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFirst<'a> {
    /// `gs2-header`, with its last comma; repeated in the final message.
    pub header: &'a str,
    /// `client-first-message-bare`: the rest, which becomes part of the proof.
    pub bare: &'a str,
    /// The authorization identity, if given.
    pub acts_for: Option<String>,
    /// The user name, prepared by SASLprep.
    pub name: String,
    /// Its nonce.
    pub nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    /// Reads the message. `None`: it is not what the standard has, or needs what is absent here.
    pub fn parse(text: &'a str) -> Option<ClientFirst<'a>> {
        let (flag, rest) = text.split_once(',')?;
        if !matches!(flag, "n" | "y") {
            return None;
        }
        let (acts_for, bare) = rest.split_once(',')?;
        let acts_for = match acts_for {
            "" => None,
            _ => Some(prepared(acts_for.strip_prefix("a=")?)?),
        };
        let mut attributes = bare.split(',');
        // Nor is there any extension (`m=`) that must be understood.
        let mut next = |letter: &str| attributes.next()?.strip_prefix(letter);
        let (name, nonce) = (prepared(next("n=")?)?, next("r=")?);
        let header = &text[..text.len() - bare.len()];
        let fits = is_nonce(nonce) && attributes.all(is_attribute);
        fits.then_some(ClientFirst { header, bare, acts_for, name, nonce })
    }
}

/// `client-final-message`: the proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFinal<'a> {
    /// `client-final-message-without-proof`, which becomes part of the proof.
    pub without_proof: &'a str,
    /// The repeated `gs2-header`.
    pub header: Vec<u8>,
    /// Both nonces.
    pub nonce: &'a str,
    /// `ClientProof`.
    pub proof: [u8; PROOF],
}

impl<'a> ClientFinal<'a> {
    /// Reads the message. `None`: it is not what the standard has, or needs what is absent here.
    pub fn parse(text: &'a str) -> Option<ClientFinal<'a>> {
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        let mut next = |letter: &str| attributes.next()?.strip_prefix(letter);
        let (header, nonce) = (next("c=")?, next("r=")?);
        let header = Base64::decode_vec(header).ok()?;
        let mut bytes = [0; PROOF];
        let read = Base64::decode(proof, &mut bytes).ok()?.len();
        let fits = read == PROOF && is_nonce(nonce) && attributes.all(is_attribute);
        fits.then_some(ClientFinal { without_proof, header, nonce, proof: bytes })
    }
}

/// `server-first-message`: both nonces, the salt in base64, how often to hash.
pub fn server_first(nonce: &str, salt: &str, iterations: u32) -> String {
    format!("r={nonce},s={salt},i={iterations}")
}

/// `server-final-message`: the signature in base64.
pub fn server_final(signature: &str) -> String {
    format!("v={signature}")
}

/// `AuthMessage`: the messages of both sides, as part of the proofs. Section 3.
pub fn auth_message(client_first_bare: &str, server_first: &str, without_proof: &str) -> String {
    format!("{client_first_bare},{server_first},{without_proof}")
}

/// The name of a `saslname`, prepared: `=2C` is a comma, `=3D` an equals sign, no other is there.
fn prepared(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut parts = text.split('=');
    name.extend(parts.next());
    for part in parts {
        let (sign, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return None,
        };
        name.push(sign);
        name.push_str(rest);
    }
    let name = stringprep::saslprep(&name).ok()?.into_owned();
    (!name.is_empty()).then_some(name)
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21..=0x2b | 0x2d..=0x7e))
}

/// `attr-val`: a letter, `=`, and something.
fn is_attribute(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b'=', _, ..] if letter.is_ascii_alphabetic())
        && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7677, section 3.
    const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const PROOF_TEXT: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_example_of_rfc_7677_is_read_and_written() {
        let first = ClientFirst::parse(FIRST).unwrap();
        assert_eq!((first.header, first.bare), ("n,,", "n=user,r=rOprNGfwEbeRWgbNEkqO"));
        assert_eq!((first.name.as_str(), first.nonce), ("user", "rOprNGfwEbeRWgbNEkqO"));
        assert_eq!(first.acts_for, None);
        let server = server_first(NONCE, "W22ZaJ0SNY7soEsUEjb6gQ==", 4096);
        assert_eq!(server, format!("r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        let text = format!("c=biws,r={NONCE},p={PROOF_TEXT}");
        let last = ClientFinal::parse(&text).unwrap();
        assert_eq!((last.header.as_slice(), last.nonce), (&b"n,,"[..], NONCE));
        assert_eq!(Base64::encode_string(&last.proof), PROOF_TEXT);
        let message = auth_message(first.bare, &server, last.without_proof);
        assert!(message.ends_with(&format!(",i=4096,c=biws,r={NONCE}")), "{message}");
    }

    #[test]
    fn headers_names_and_extensions() {
        let first = ClientFirst::parse("y,a=j=2Cm=3D,n=j=2Cm=3D,r=x,e=tension").unwrap();
        assert_eq!(first.header, "y,a=j=2Cm=3D,");
        assert_eq!((first.acts_for.as_deref(), first.name.as_str()), (Some("j,m="), "j,m="));
        // RFC 4013, section 3: mapped to nothing, and by NFKC.
        assert_eq!(ClientFirst::parse("n,,n=I\u{ad}X,r=x").unwrap().name, "IX");
        assert_eq!(ClientFirst::parse("n,,n=\u{2168},r=x").unwrap().name, "IX");
        for text in [
            "p=tls-unique,,n=user,r=x",
            "n,,m=must,n=user,r=x",
            "n,,n=user,m=must,r=x",
            "n,,n=a\u{7}b,r=x",
            "n,,n=,r=x",
            "n,,n=\u{ad},r=x",
            "n,,n=a=b,r=x",
            "n,,n=a=2c,r=x",
            "n,,n=user,r=",
            "n,,n=user,r=é",
            "n,,n=user,r=x,extension",
            "n,,r=x,n=user",
            "n,user,n=user,r=x",
            "x,,n=user,r=x",
            "p,,n=user,r=x",
            "n,",
            "",
        ] {
            assert_eq!(ClientFirst::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_proof_is_the_last_word_and_whole() {
        assert!(ClientFinal::parse(&format!("c=biws,r=x,e=tension,p={PROOF_TEXT}")).is_some());
        for text in [
            format!("c=biws,r=x,p={PROOF_TEXT},e=tension"),
            format!("c=biws,r=x,p={}", &PROOF_TEXT[..40]),
            format!("c=biws,r=x,p={PROOF_TEXT}AAAA"),
            format!("c=bi,r=x,p={PROOF_TEXT}"),
            format!("c=biws,r=,p={PROOF_TEXT}"),
            format!("r=x,c=biws,p={PROOF_TEXT}"),
            "c=biws,r=x".to_owned(),
            String::new(),
        ] {
            assert_eq!(ClientFinal::parse(&text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[nyp,=arcm2CD3\u{ad}é x]{0,40}") {
            let _ = ClientFirst::parse(&text);
            let _ = ClientFinal::parse(&text);
        }
    }
}
