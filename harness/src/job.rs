//! What is run: an edition, or a part of it, in one dialect.

use assayer_reports::Selection;
use assayer_vectors::{Edition, Suite, Wire};

use crate::plan::{Case, cases};

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Job<'s> {
    /// The suite.
    pub suite: &'s Suite,
    /// The edition.
    pub edition: &'s Edition,
    /// The wire profile.
    pub wire: &'s Wire,
    /// The cases of the edition that are run.
    pub cases: &'s [Case<'s>],
    /// Whether these are all of its cases.
    pub selection: Selection,
}

/// Whether a selection is all that there is.
pub(crate) fn selection(selected: &[Case<'_>], all: &[Case<'_>]) -> Selection {
    if selected.len() == all.len() { Selection::Whole } else { Selection::Part }
}

/// A name that the suite does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{found}`, expected one of {known}")]
pub struct UnknownName {
    /// What it would be the name of.
    pub what: &'static str,
    /// The name.
    pub found: String,
    /// The names that there are.
    pub known: String,
}

/// The edition of that name.
///
/// # Errors
/// [`UnknownName`] with the names that there are.
pub fn edition<'s>(suite: &'s Suite, name: &str) -> Result<&'s Edition, UnknownName> {
    named("edition", &suite.editions, name, |edition| &edition.edition)
}

/// The wire profile of that name.
///
/// # Errors
/// [`UnknownName`] with the names that there are.
pub fn wire<'s>(suite: &'s Suite, name: &str) -> Result<&'s Wire, UnknownName> {
    named("wire profile", &suite.wires, name, |wire| &wire.wire)
}

/// The cases of an edition that have these names, in order.
///
/// # Errors
/// [`UnknownName`] for a name that the edition does not list.
pub fn cases_named<'s>(
    suite: &'s Suite,
    edition: &'s Edition,
    names: &[String],
) -> Result<Vec<Case<'s>>, UnknownName> {
    let mut all = cases(suite, edition);
    for name in names {
        named("check of this edition", &all, name, |case| &case.check.id)?;
    }
    all.retain(|case| names.contains(&case.check.id));
    Ok(all)
}

fn named<'s, T>(
    what: &'static str,
    all: &'s [T],
    name: &str,
    name_of: impl Fn(&T) -> &String,
) -> Result<&'s T, UnknownName> {
    all.iter().find(|known| name_of(known) == name).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|known| name_of(known).as_str()).collect();
        UnknownName { what, found: name.to_owned(), known: known.join(", ") }
    })
}
