//! A claim to an account: what a password, a proof or a certificate was checked against, and when.

use super::ids::RecordId;
use super::name::Name;

/// Someone claims to be the owner of an account. Whatever time passes until the claim is used (a
/// queue for hashes, a client that registers slowly or has yet to answer), it is void as soon as the
/// account has another password, one certificate less, or another owner.
///
/// Rejected: the name alone. A client could prove a password and keep the result until that was
/// changed, or until the name was someone else's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    pub account: Name,
    /// The last record that had been applied when the account's secrets were looked up.
    pub as_of: RecordId,
}
