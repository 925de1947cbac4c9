//! Which check tests which sentence, and which fault shows that it does.

use crate::fault::Fault;
use crate::model::{Check, Requirement, Suite};

/// The edition that has to test every sentence that can be seen kept.
pub(crate) const STRICT: &str = "strict";

/// One sentence, and what stands behind it.
#[derive(Clone, Debug)]
pub struct Coverage<'s> {
    /// The sentence.
    pub requirement: &'s Requirement,
    /// The checks of any edition that cite it.
    pub checks: Vec<&'s Check>,
    /// The faults that one of these checks must notice.
    pub faults: Vec<&'s Fault>,
    /// The sentences that are parts of it.
    pub parts: Vec<&'s Requirement>,
}

impl Suite {
    /// Every sentence in order, with the checks that cite it and the faults that these must notice.
    #[must_use]
    pub fn coverage(&self) -> Vec<Coverage<'_>> {
        self.requirements.iter().map(|requirement| self.coverage_of(requirement)).collect()
    }

    fn coverage_of<'s>(&'s self, requirement: &'s Requirement) -> Coverage<'s> {
        let checks: Vec<&Check> =
            self.checks.iter().filter(|check| check.requirements.contains(&requirement.id)).collect();
        let faults = self.faults.iter();
        let faults = faults.filter(|fault| checks.iter().any(|check| check.id == fault.killed_by)).collect();
        let parts = self.requirements.iter();
        let parts = parts.filter(|part| part.whole() == Some(requirement.id.as_str())).collect();
        Coverage { requirement, checks, faults, parts }
    }

    /// Whether a check of the strict edition tests a sentence in full: a condition that is weaker does not count.
    #[must_use]
    pub fn is_tested(&self, requirement: &Requirement) -> bool {
        let strict = self.editions.iter().find(|edition| edition.edition == STRICT);
        strict.into_iter().flat_map(|edition| &edition.checks).any(|listed| {
            self.check(&listed.id)
                .is_some_and(|check| check.weak.is_none() && check.requirements.contains(&requirement.id))
        })
    }
}
