//! `chatloop-server restore`: a backup in an empty data directory, and what of its files is missing.

use crate::chat::Hub;
use crate::journal;
use crate::wire::plural::counted;
use std::path::Path;

/// Restores a backup, and tells in words what has been.
///
/// # Errors
/// Why it was not, or not all of it, in words.
pub fn restore(from: &Path, data: &Path) -> Result<String, String> {
    let hub = journal::restore(from, data).map_err(|error| error.to_string())?;
    let told = format!("restored to '{}'", data.display());
    match lost_files(&hub, data) {
        0 => Ok(told),
        lost => Err(format!(
            "{told} without {}, missing or incomplete in the backup",
            counted(lost, "uploaded file")
        )),
    }
}

#[cfg(feature = "web")]
fn lost_files(hub: &Hub, data: &Path) -> usize {
    let directory = crate::files::directory_in(data);
    hub.lost_files(|id| std::fs::metadata(directory.join(id)).ok().map(|found| found.len()))
}

/// A build without HTTP hands out no files.
#[cfg(not(feature = "web"))]
fn lost_files(_: &Hub, _: &Path) -> usize {
    0
}
