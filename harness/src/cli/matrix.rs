//! `assayer matrix`: several implementations as one static site.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use assayer_harness::{CompareError, Intact, side_by_side, titles, write_whole};
use assayer_reports::{COMPARISON_FORM, comparison_to_json, number_of, site};
use clap::Args;

use super::diff::exit_of;
use super::{Exit, complain};

/// No site has more implementations: a table of more is read by nobody.
const MOST: usize = 64;

/// The machine-readable page, which is written last.
const JSON: &str = "matrix.json";

#[derive(Args)]
pub(crate) struct MatrixArguments {
    /// Archives, as DIR or NAME=DIR; without a name an implementation is called like its folder.
    #[arg(required = true, value_name = "[NAME=]DIR")]
    archives: Vec<String>,
    /// Folder for the site: a new one, an empty one, or one with an earlier site.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

type Failure = (Exit, String);

fn usage(message: impl std::fmt::Display) -> Failure {
    (Exit::Usage, message.to_string())
}

pub(crate) fn run(arguments: &MatrixArguments) -> Exit {
    match matrix(arguments) {
        Ok(exit) => exit,
        Err((exit, message)) => {
            complain(message);
            exit
        }
    }
}

fn matrix(arguments: &MatrixArguments) -> Result<Exit, Failure> {
    let named = named(&arguments.archives)?;
    let failed = |error: CompareError| (exit_of(&error), error.to_string());
    let read = |(name, folder): (String, PathBuf)| Ok((name, Intact::read(&folder).map_err(failed)?));
    let runs: Vec<(String, Intact)> = named.into_iter().map(read).collect::<Result<_, Failure>>()?;
    for (name, run) in &runs {
        run.remarks.iter().for_each(|remark| complain(format!("{name}: {remark}")));
    }
    each_once(&runs)?;
    let comparison = side_by_side(&runs);
    let groups: Vec<(String, String)> = runs.iter().flat_map(|(_, run)| titles(&run.suite)).collect();
    let mut seen = BTreeSet::new();
    let groups: Vec<(String, String)> =
        groups.into_iter().filter(|(id, _)| seen.insert(id.clone())).collect();
    let pages = site(&comparison, &groups).map_err(|error| (Exit::Fault, error.to_string()))?;
    make_room(&arguments.out)?;
    for (name, page) in &pages {
        write(&arguments.out.join(name), page)?;
    }
    write(&arguments.out.join(JSON), &comparison_to_json(&comparison))?;
    let written = number_of(pages.len(), "page", "pages");
    complain(format!("wrote {written}; start at {}", arguments.out.join("index.html").display()));
    Ok(Exit::Good)
}

/// One archive under two names would be two implementations that agree in everything.
fn each_once(runs: &[(String, Intact)]) -> Result<(), Failure> {
    let mut known = BTreeMap::new();
    for (name, run) in runs {
        if let Some(other) = known.insert(&run.digest, name) {
            return Err(usage(format!(
                "expected an archive of its own for each name, found one for `{other}` and `{name}`: {}",
                run.digest
            )));
        }
    }
    Ok(())
}

/// Names and folders, each name once.
fn named(archives: &[String]) -> Result<Vec<(String, PathBuf)>, Failure> {
    if archives.len() > MOST {
        return Err(usage(format!("expected at most {MOST} archives, found {}", archives.len())));
    }
    let mut names = BTreeSet::new();
    archives
        .iter()
        .map(|argument| {
            let (name, folder) = match argument.split_once('=') {
                Some((name, folder)) => (name.to_owned(), PathBuf::from(folder)),
                None => (folder_name(Path::new(argument)), PathBuf::from(argument)),
            };
            if name.is_empty() || folder.as_os_str().is_empty() || !names.insert(name.clone()) {
                return Err(usage(format!(
                    "{argument}: expected NAME=DIR with a name of its own, found the name `{name}` and the folder `{}`",
                    folder.display()
                )));
            }
            Ok((name, folder))
        })
        .collect()
}

fn folder_name(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Makes the folder. One that holds something else than an earlier site is left alone.
fn make_room(folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| usage(error);
    fs_err::create_dir_all(folder).map_err(failed)?;
    if fs_err::read_dir(folder).map_err(failed)?.next().is_none() {
        return Ok(());
    }
    if !begins_with_form(&folder.join(JSON)) {
        return Err(usage(format!(
            "{}: expected no folder, an empty one, or an earlier site to replace, found other files",
            folder.display()
        )));
    }
    for part in ["checks", "implementations"].map(|part| folder.join(part)) {
        if part.is_dir() {
            fs_err::remove_dir_all(part).map_err(failed)?;
        }
    }
    Ok(())
}

/// Whether the form stands at the beginning of a document, as in every site that was written here.
fn begins_with_form(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs_err::File::open(path).and_then(|file| file.take(256).read_to_end(&mut start));
    read.is_ok() && String::from_utf8_lossy(&start).contains(COMPARISON_FORM)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent).map_err(usage)?;
    }
    write_whole(path, text.as_bytes()).map_err(usage)
}
