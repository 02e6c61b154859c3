//! The same names in a build without the feature: TLS is never begun, and asking for it is an error.

use super::{Source, Trust};
use chatloop_reactor::Layer;
use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

const NONE: &str = "this program was built without TLS (cargo feature tls)";

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint(Infallible);

impl fmt::Display for Fingerprint {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(_: &str) -> Result<Fingerprint, String> {
        Err(NONE.to_owned())
    }
}

#[derive(Clone)]
pub struct Acceptor(Infallible);

impl Acceptor {
    pub fn load(_: &Source) -> Result<Acceptor, String> {
        Err(NONE.to_owned())
    }

    pub fn begin(&self) -> Box<dyn Layer> {
        match self.0 {}
    }

    pub fn fingerprint(&self) -> Fingerprint {
        match self.0 {}
    }

    pub fn is_self_signed(&self) -> bool {
        match self.0 {}
    }

    pub fn warning(&self, _: i64) -> Option<String> {
        match self.0 {}
    }
}

#[derive(Clone)]
pub struct Connector(Infallible);

impl Connector {
    pub fn new(_: &str, _: Trust, _: Option<(&Path, &Path)>) -> Result<Connector, String> {
        Err(NONE.to_owned())
    }

    pub fn begin(&self) -> Box<dyn Layer> {
        match self.0 {}
    }
}
