//! Loading a suite, from the data inside the binary or from a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::fault::{FaultFile, VariantFile};
use crate::lint::{Complaint, lint};
use crate::model::{CheckFile, Edition, Renames, RequirementFile, Suite, SuiteFile, Wire};

static SUITES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/suites");

/// The suite that is meant when none is named.
pub const SUITE: &str = "oversight-v1";

/// No data file is longer than this.
const LONGEST_FILE: u64 = 4 << 20;

/// Why a suite could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A needed file is not there.
    #[error("{suite}: no file {file}")]
    Absent {
        /// The suite.
        suite: String,
        /// The file, relative to the suite's folder.
        file: String,
    },
    /// The data contradicts itself.
    #[error("{suite}: the data does not fit together:\n{}", list(complaints))]
    Lint {
        /// The suite.
        suite: String,
        /// What does not fit, each with the file or the name concerned.
        complaints: Vec<Complaint>,
    },
    /// A file could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not of its schema.
    #[error("{file}: {message}")]
    Shape {
        /// The file, relative to the suite's folder.
        file: String,
        /// What was expected and found, with line and column.
        message: String,
    },
    /// There is no such suite.
    #[error("there is no suite `{name}`, expected one of {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// The names known.
        known: String,
    },
}

fn list(complaints: &[Complaint]) -> String {
    let lines: Vec<String> = complaints.iter().map(|complaint| format!("  {complaint}")).collect();
    lines.join("\n")
}

/// Loads and lints a suite that travels inside the binary.
///
/// # Errors
/// [`LoadError`] naming the file and the place.
pub fn load_embedded(name: &str) -> Result<Suite, LoadError> {
    let Some(folder) = SUITES.get_dir(name) else {
        let known: Vec<String> = SUITES.dirs().map(|dir| dir.path().display().to_string()).collect();
        return Err(LoadError::Unknown { name: name.to_owned(), known: known.join(", ") });
    };
    let mut files = Files::new();
    collect_embedded(folder, name, &mut files);
    assemble(name, files)
}

/// SHA-256 (hexadecimal) over the names and bytes of all files of a suite inside the binary, as [`Suite::digest`] has it; `None` if
/// there is none of this name.
#[must_use]
pub fn embedded_digest(name: &str) -> Option<String> {
    static DIGESTS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
        let one = |folder: &Dir<'_>| {
            let (name, mut files) = (folder.path().to_string_lossy().into_owned(), Files::new());
            collect_embedded(folder, &name, &mut files);
            let digest = digest(&files);
            (name, digest)
        };
        SUITES.dirs().map(one).collect()
    });
    DIGESTS.get(name).cloned()
}

/// Loads and lints a suite from a folder laid out as those inside the binary.
///
/// # Errors
/// [`LoadError`] naming the file and the place.
pub fn load_folder(folder: &Path) -> Result<Suite, LoadError> {
    let mut files = Files::new();
    collect_folder(folder, "", &mut files)?;
    let suite = assemble(&folder.display().to_string(), files)?;
    Ok(Suite { folder: Some(folder.to_owned()), ..suite })
}

/// Relative path, with `/`, and text of each data file.
type Files = BTreeMap<String, String>;

fn collect_embedded(folder: &Dir<'_>, suite: &str, files: &mut Files) {
    for file in folder.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let relative = path.strip_prefix(suite).unwrap_or(&path).trim_start_matches('/').to_owned();
        if let Some(text) = file.contents_utf8().filter(|_| relative.ends_with(".yaml")) {
            files.insert(relative, text.to_owned());
        }
    }
    for inner in folder.dirs() {
        collect_embedded(inner, suite, files);
    }
}

fn collect_folder(folder: &Path, prefix: &str, files: &mut Files) -> Result<(), LoadError> {
    let read = |source| LoadError::Read { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // Through links: what is read must be what is measured.
        let metadata =
            std::fs::metadata(&path).map_err(|source| LoadError::Read { path: path.clone(), source })?;
        if metadata.is_dir() {
            // Suites are two folders deep; whatever is deeper is not data.
            if prefix.is_empty() {
                collect_folder(&path, &format!("{name}/"), files)?;
            }
        } else if name.ends_with(".yaml") {
            if !metadata.is_file() {
                let message = "expected a regular file, found a device".to_owned();
                return Err(LoadError::Shape { file: name, message });
            }
            if metadata.len() > LONGEST_FILE {
                let message = format!("{} bytes, at most {LONGEST_FILE} are read", metadata.len());
                return Err(LoadError::Shape { file: name, message });
            }
            let text = std::fs::read_to_string(&path)
                .map_err(|source| LoadError::Read { path: path.clone(), source })?;
            files.insert(name, text);
        }
    }
    Ok(())
}

fn assemble(suite: &str, files: Files) -> Result<Suite, LoadError> {
    let absent = |file: &str| LoadError::Absent { suite: suite.to_owned(), file: file.to_owned() };
    let one = |file: &str| files.get(file).map(String::as_str).ok_or_else(|| absent(file));
    let head: SuiteFile = parse("suite.yaml", one("suite.yaml")?)?;
    let requirements: RequirementFile = parse("requirements.yaml", one("requirements.yaml")?)?;
    let faults = parse_all::<FaultFile>(&files, "faults/")?;
    let variants = files.get("variants.yaml").map(|text| parse::<VariantFile>("variants.yaml", text));
    let variants = variants.transpose()?.unwrap_or_default();
    let renames = files.get("renames.yaml").map(|text| parse::<Renames>("renames.yaml", text));
    let begun = CheckFile { values: head.values, fixtures: head.fixtures, ..CheckFile::default() };
    let CheckFile { values, fixtures, exchanges, checks } = check_files(&files, begun)?;
    let loaded = Suite {
        name: head.suite,
        folder: None,
        title: head.title,
        groups: head.groups,
        does_not_prove: head.does_not_prove,
        values,
        fixtures,
        readings: head.readings,
        canary: head.canary,
        exchanges,
        checks,
        requirements: requirements.requirements,
        implementations: requirements.implementations,
        editions: parse_all::<Edition>(&files, "editions/")?,
        wires: parse_all::<Wire>(&files, "wire/")?,
        faults: faults.into_iter().flat_map(|file| file.faults).collect(),
        variants: variants.variants,
        hollow: variants.hollow,
        renames: renames.transpose()?.unwrap_or_default(),
        digest: digest(&files),
        requirements_digest: hex(Sha256::digest(one("requirements.yaml")?).as_slice()),
        files: Files::new(),
        places: crate::model::Places::default(),
    };
    let complaints = lint(&loaded);
    if complaints.is_empty() {
        Ok(Suite { files, ..loaded })
    } else {
        Err(LoadError::Lint { suite: suite.to_owned(), complaints })
    }
}

/// What stands in all files of checks together, after what stands in the suite's own file.
fn check_files(files: &Files, mut all: CheckFile) -> Result<CheckFile, LoadError> {
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("checks/")) {
        let file: CheckFile = parse(name, text)?;
        if let Some(twice) = file.values.keys().find(|value| all.values.contains_key(*value)) {
            let message = format!("value `{twice}` is defined twice");
            return Err(LoadError::Shape { file: name.clone(), message });
        }
        all.values.extend(file.values);
        all.fixtures.extend(file.fixtures);
        all.exchanges.extend(file.exchanges);
        all.checks.extend(file.checks);
    }
    Ok(all)
}

fn parse_all<T: DeserializeOwned>(files: &Files, folder: &str) -> Result<Vec<T>, LoadError> {
    let within = files.iter().filter(|(name, _)| name.starts_with(folder));
    within.map(|(name, text)| parse(name, text)).collect()
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, LoadError> {
    serde_saphyr::from_str(text)
        .map_err(|error| LoadError::Shape { file: file.to_owned(), message: error.to_string() })
}

/// Names and bytes of all files, each preceded by its length, so that no two sets of files share a digest.
fn digest(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        for part in [name, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hex(hash.finalize().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
