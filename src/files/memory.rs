//! Files in memory, for a server without a data directory. What bounds them is counted by the caller, which
//! lets them in.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Memory {
    files: BTreeMap<Arc<str>, Box<[u8]>>,
}

impl Memory {
    pub(super) fn keep(&mut self, id: Arc<str>, bytes: Vec<u8>) {
        self.files.insert(id, bytes.into());
    }

    pub(super) fn read(&self, id: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = self.files.get(id).ok_or(io::ErrorKind::NotFound)?;
        let start = usize::try_from(offset).map_or(file.len(), |offset| offset.min(file.len()));
        let end = start.saturating_add(length).min(file.len());
        Ok(file[start..end].to_vec())
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.files.remove(id);
    }
}
