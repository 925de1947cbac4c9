//! The log as a file, out and in. What is said goes to standard error, since standard output can be the file.

use std::{
    error::Error,
    io::{self, BufRead, BufReader, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
};

use assayer_reference_registry::{export_log, import_log};

use crate::arguments::Arguments;

/// Everybody may read a log.
const MODE: u32 = 0o644;

/// Exports or imports, where that is asked for.
pub(crate) fn file(arguments: &Arguments, db: &Path) -> Result<Option<ExitCode>, Box<dyn Error>> {
    if let Some(path) = &arguments.export_log {
        let count =
            if is_standard(path) { export_log(db, &mut io::stdout().lock())? } else { export(db, path)? };
        eprintln!("{count} leaves exported");
        return Ok(Some(ExitCode::SUCCESS));
    }
    let Some(path) = &arguments.import_log else { return Ok(None) };
    let input: Box<dyn BufRead> = match is_standard(path) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(BufReader::new(fs_err::File::open(path)?)),
    };
    eprintln!("{} leaves imported", import_log(db, input)?);
    Ok(Some(ExitCode::SUCCESS))
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Under another name until it is complete, and never in place of a file that is there.
fn export(db: &Path, path: &Path) -> Result<u64, Box<dyn Error>> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        return Err(told(io::ErrorKind::AlreadyExists.into()).into());
    }
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let permissions = std::fs::Permissions::from_mode(MODE);
    let unfinished = tempfile::Builder::new()
        .prefix(".leaves")
        .permissions(permissions)
        .tempfile_in(folder)
        .map_err(told)?;
    let mut output = BufWriter::new(unfinished.as_file());
    let count = export_log(db, &mut output)?;
    output.flush().and_then(|()| unfinished.as_file().sync_all()).map_err(told)?;
    drop(output);
    unfinished.persist_noclobber(path).map_err(|error| told(error.error))?;
    Ok(count)
}
