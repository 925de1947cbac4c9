//! Archives that the tests record are kept for the second judge where `ASSAYER_KEEP_ARCHIVES` names a folder, as they were before
//! a test changes them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

static KEPT: AtomicUsize = AtomicUsize::new(0);

/// What the second judge reads.
const FILES: [&str; 3] = ["manifest.json", "transcript.ndjson", "verdicts.json"];

/// Keeps a copy of an archive, if copies are wanted.
pub(crate) fn keep(archive: &Path) {
    let Some(folder) = std::env::var_os("ASSAYER_KEEP_ARCHIVES") else { return };
    // A run that was refused has no archive; one that was killed has no verdicts.
    if !FILES.iter().all(|name| archive.join(name).is_file()) {
        return;
    }
    let number = KEPT.fetch_add(1, Ordering::Relaxed);
    let copy = Path::new(&folder).join(format!("{}-{number}", std::process::id()));
    std::fs::create_dir_all(&copy).unwrap();
    for name in FILES {
        std::fs::copy(archive.join(name), copy.join(name)).unwrap();
    }
}

/// The same after a command line, if it wrote an archive.
pub(crate) fn keep_of(arguments: &[&str]) {
    let place = arguments.iter().position(|argument| *argument == "--out");
    if let (Some(&"check"), Some(place)) = (arguments.first(), place) {
        arguments.get(place + 1).into_iter().for_each(|folder| keep(Path::new(folder)));
    }
}
