//! Uploaded files in a build without the feature `web`: there are none.

use super::Exchange;
use crate::journal::Threads;
use crate::server::random::Random;
use crate::server::start::StartError;
use crate::session::{FileRequest, ProofAnswer};
use chatloop_reactor::{Token, Waker};

impl Exchange {
    pub(in crate::server) fn open_files(
        &mut self,
        _: Waker,
        _: &Threads,
        _: Random,
    ) -> Result<(), StartError> {
        Ok(())
    }

    pub(in crate::server) fn log_urls(&self) {}

    pub(in crate::server) fn take_files_done(&mut self) {}

    pub(super) fn perform_files(&mut self, token: Token, _: FileRequest) {
        self.fail(token, "this server takes no files: it was built without HTTP");
    }

    pub(super) fn is_upload_decided(&mut self, _: Token, _: &ProofAnswer<'_>) -> bool {
        false
    }

    pub(super) fn read_on(&mut self) {}

    pub(super) fn end_transfer(&mut self, _: Token) {}

    pub(super) fn file_changed(&mut self, _: Token, _: &str) {}

    pub(super) fn file_rejected(&mut self, _: Token, _: &str, _: &str) {}
}
