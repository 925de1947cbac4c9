//! Logs that come in several files: pages of `/tlog/range`, in any order.

use std::collections::BTreeMap;
use std::path::Path;

use assayer_verifier::oversight::{CrossCheck, CrossFinding, DocumentKind, LogPart, LogVerifier};

use super::{Depth, Finding, Question};

/// How many signed heads and how many files of one call are remembered, about 300 bytes each. More are compared with these
/// only, and the call says so.
const MOST: usize = 1 << 18;

/// Puts pages in the order of their indexes. A page that comes too early waits, by its subtrees alone.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    next: u64,
    /// By first index, and by how many waited before: several may start at one index.
    waiting: BTreeMap<(u64, usize), LogPart>,
    waited: usize,
}

impl Ordered {
    /// Takes a page; gives the pages that are in order now. Of those that wait only the hashes that heads of `sizes` leaves
    /// need are kept.
    pub(crate) fn put(&mut self, part: LogPart, sizes: &[u64]) -> Vec<LogPart> {
        self.take(part, |part| part.keep_hashes_for(sizes))
    }

    /// The same, with all hashes of what waits.
    pub(crate) fn put_whole(&mut self, part: LogPart) -> Vec<LogPart> {
        self.take(part, |_| {})
    }

    fn take(&mut self, mut part: LogPart, shrink: impl Fn(&mut LogPart)) -> Vec<LogPart> {
        if part.start().is_some_and(|start| start > self.next) {
            shrink(&mut part);
            let key = (part.start().unwrap_or(u64::MAX), self.waited);
            self.waited += 1;
            self.waiting.insert(key, part);
            return Vec::new();
        }
        self.next = part.end().unwrap_or(self.next);
        let mut ready = vec![part];
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.key().0 <= self.next) {
            let part = entry.remove();
            self.next = part.end().unwrap_or(self.next).max(self.next);
            ready.push(part);
        }
        ready
    }

    /// What waits for pages that never came.
    pub(crate) fn rest(&mut self) -> impl Iterator<Item = LogPart> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

/// The pages of one folder: they belong to one log.
#[derive(Debug)]
struct Pages<'a> {
    /// The first page with its path, until a second one comes: a page on its own is named by itself.
    alone: Option<(String, LogPart)>,
    ordered: Ordered,
    verifier: LogVerifier<'a>,
    sizes: Vec<u64>,
}

impl<'a> Pages<'a> {
    fn add(&mut self, path: &str, part: LogPart) {
        let name = Path::new(path).file_name().map_or_else(|| path.into(), |name| name.to_string_lossy());
        for part in self.ordered.put(part.of_file(&name), &self.sizes) {
            self.verifier.add(part);
        }
    }

    /// The name of the log, and its verifier with all pages.
    fn complete(mut self, folder: String) -> (String, LogVerifier<'a>) {
        let mut path = folder;
        if let Some((alone, part)) = self.alone.take() {
            path = alone;
            self.verifier.add(part);
        }
        for part in self.ordered.rest() {
            self.verifier.add(part);
        }
        (path, self.verifier)
    }
}

/// What the documents of one call say together: heads that vouch for logs and contradict each other, manifests of one file, pages
/// that are one log.
pub(crate) struct Together<'a> {
    question: Question<'a>,
    check: CrossCheck,
    pages: BTreeMap<String, Pages<'a>>,
    /// Logs that were read to their end while heads may still come.
    held: Vec<(String, LogVerifier<'a>)>,
}

impl<'a> Together<'a> {
    pub(crate) fn new(question: Question<'a>) -> Self {
        Self { question, check: CrossCheck::new(MOST), pages: BTreeMap::new(), held: Vec::new() }
    }

    /// A verifier of a log that starts now: it knows the heads of the trust, and those that were met before it.
    pub(crate) fn verifier(&self) -> LogVerifier<'a> {
        LogVerifier::knowing(self.check.trusted_heads(), self.question.trust, self.question.limits)
    }

    /// Takes a page, under its path.
    pub(crate) fn page(&mut self, path: String, part: LogPart) {
        let folder = Path::new(&path).parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new(".")).display().to_string();
        if let Some(pages) = self.pages.get_mut(&folder) {
            if let Some((first, alone)) = pages.alone.take() {
                pages.add(&first, alone);
            }
            return pages.add(&path, part);
        }
        let verifier = self.verifier();
        let sizes = verifier.sizes().collect();
        let pages = Pages { alone: Some((path, part)), ordered: Ordered::default(), verifier, sizes };
        self.pages.insert(folder, pages);
    }

    /// Takes notice of a finding; gives what it and an earlier one contradict each other in.
    pub(crate) fn notice(&mut self, finding: &Finding) -> Vec<Finding> {
        let Some(statement) = &finding.trace.statement else { return Vec::new() };
        self.check.add(&finding.path, statement).into_iter().map(of_two).collect()
    }

    /// A log that was read to its end; one after which heads may come waits for these.
    pub(crate) fn log_ends(
        &mut self,
        path: String,
        verifier: LogVerifier<'a>,
        more: bool,
    ) -> Option<Finding> {
        if more {
            self.held.push((path, verifier));
            return None;
        }
        Some(self.finding(path, verifier))
    }

    /// What is complete only when everything was read.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        let pages = std::mem::take(&mut self.pages);
        let pages = pages.into_iter().map(|(folder, pages)| pages.complete(folder));
        let logs: Vec<_> = std::mem::take(&mut self.held).into_iter().chain(pages).collect();
        let mut found = Vec::with_capacity(logs.len());
        for (path, mut verifier) in logs {
            verifier.know_late(self.check.trusted_heads());
            found.push(self.finding(path, verifier));
        }
        found.extend(self.check.finish().into_iter().map(of_two));
        found
    }

    fn finding(&self, path: String, verifier: LogVerifier<'_>) -> Finding {
        let explanation = (self.question.depth == Depth::Explained).then(|| verifier.explain());
        let kind = Some(DocumentKind::Log);
        Finding { path, kind, trace: verifier.finish(), explanation, is_of_several: false }
    }
}

fn of_two(found: CrossFinding) -> Finding {
    let CrossFinding { path, kind, trace, .. } = found;
    Finding { path, kind: Some(kind), trace, explanation: None, is_of_several: true }
}

#[cfg(test)]
mod tests {
    use assayer_verifier::Limits;

    use super::*;

    fn part(start: u64, length: u64) -> LogPart {
        let lines: String = (start..start + length)
            .map(|index| {
                let hash = assayer_verifier::leaf_hash(b"{}");
                format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{{}}\"}}\n")
            })
            .collect();
        LogPart::read(1, lines.as_bytes(), &Limits::default())
    }

    /// Pages that start at one index are all kept, however many waited and went before.
    #[test]
    fn no_page_that_waits_displaces_another() {
        let mut ordered = Ordered::default();
        for start in [10, 50, 60] {
            assert!(ordered.put(part(start, 10), &[]).is_empty());
        }
        assert_eq!(ordered.put(part(0, 10), &[]).len(), 2);
        assert!(ordered.put(part(60, 5), &[]).is_empty());
        assert_eq!(ordered.rest().count(), 3);
    }

    /// Every order of four pages, one of them with a head inside.
    #[test]
    fn pages_in_any_order_are_the_same_log() {
        let mut whole = LogVerifier::with_heads([], &Limits::default());
        whole.add(part(0, 40));
        let expected = whole.finish();
        let orders = (0..4).flat_map(|a| (0..4).flat_map(move |b| (0..4).map(move |c| [a, b, c])));
        for [a, b, c] in orders.filter(|[a, b, c]| a != b && b != c && a != c) {
            let mut ordered = Ordered::default();
            let mut verifier = LogVerifier::with_heads([], &Limits::default());
            for place in [a, b, c, 6 - a - b - c] {
                for part in ordered.put(part(place * 10, 10), &[25]) {
                    verifier.add(part);
                }
            }
            assert!(ordered.rest().next().is_none());
            assert_eq!(verifier.finish(), expected, "{a} {b} {c}");
        }
    }
}
