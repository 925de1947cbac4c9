//! Logs that come in several files: pages of `/tlog/range`, in any order.

use std::collections::BTreeMap;
use std::path::Path;

use assayer_verifier::oversight::{
    DocumentKind, LogPart, LogVerifier, compare_heads, heads_not_compared, signed_head_of,
};
use assayer_verifier::{PublicKey, TreeHead, Verdict};

use super::{Depth, Finding, Question};

/// How many signed heads of one call are remembered, about 250 bytes each. More are compared with these only, and the
/// call says so.
const MOST_HEADS: usize = 1 << 18;

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

/// A signed head, and the document that has it.
struct Met {
    head: TreeHead,
    path: String,
    is_trusted: bool,
}

/// What the documents of one call say together: heads that vouch for logs and contradict each other, pages that are one log.
pub(crate) struct Together<'a> {
    question: Question<'a>,
    /// Signed heads, by key and size, with the path of the first document that has each, and whether its key is trusted.
    heads: BTreeMap<(PublicKey, u64), Met>,
    /// How many found no room.
    forgotten: u64,
    pages: BTreeMap<String, Pages<'a>>,
}

impl<'a> Together<'a> {
    pub(crate) fn new(question: Question<'a>) -> Self {
        Self { question, heads: BTreeMap::new(), forgotten: 0, pages: BTreeMap::new() }
    }

    /// A verifier of a log that starts now: it knows the heads of the trust, and those that were met before it.
    pub(crate) fn verifier(&self) -> LogVerifier<'a> {
        LogVerifier::knowing(self.met(), self.question.trust, self.question.limits)
    }

    /// Heads of several registries are of several logs, and nothing says which of them a log without a name is: then only
    /// what the caller named counts.
    fn met(&self) -> impl Iterator<Item = TreeHead> {
        let trusted = || self.heads.iter().filter(|(_, met)| met.is_trusted);
        let first = trusted().next().map(|((key, _), _)| *key);
        let is_one = trusted().all(|((key, _), _)| Some(*key) == first);
        trusted().filter(move |_| is_one).map(|(_, met)| met.head)
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

    /// Takes notice of a finding; gives another one if its head contradicts one that was met before.
    pub(crate) fn notice(&mut self, finding: &Finding) -> Option<Finding> {
        let (key, head, is_trusted) = signed_head_of(&finding.trace)?;
        if let Some(met) = self.heads.get_mut(&(key, head.size)) {
            let trace = compare_heads(met.head, head, self.question.limits);
            let path = format!("{} and {}", met.path, finding.path);
            let kind = Some(DocumentKind::Head);
            let refuted = trace.verdict() == Verdict::Refuted;
            met.is_trusted |= is_trusted && !refuted;
            return refuted.then_some(Finding { path, kind, trace, explanation: None });
        }
        if self.heads.len() < MOST_HEADS {
            self.heads.insert((key, head.size), Met { head, path: finding.path.clone(), is_trusted });
        } else {
            self.forgotten += 1;
        }
        None
    }

    /// What was not compared with all others is said, as a finding that establishes nothing.
    fn forgotten(&self) -> Option<Finding> {
        let trace = heads_not_compared(MOST_HEADS, self.forgotten);
        let path = String::from("heads of this call");
        (self.forgotten > 0).then_some(Finding {
            path,
            kind: Some(DocumentKind::Head),
            trace,
            explanation: None,
        })
    }

    /// The logs that are complete only when everything was read.
    pub(crate) fn finish(&mut self) -> Vec<Finding> {
        let pages = std::mem::take(&mut self.pages);
        let complete = pages.into_iter().map(|(folder, pages)| pages.complete(folder));
        complete.map(|(path, verifier)| self.log_ends(path, verifier)).chain(self.forgotten()).collect()
    }

    /// What is found of a log that was read to its end.
    pub(crate) fn log_ends(&self, path: String, verifier: LogVerifier<'_>) -> Finding {
        let explanation = (self.question.depth == Depth::Explained).then(|| verifier.explain());
        Finding { path, kind: Some(DocumentKind::Log), trace: verifier.finish(), explanation }
    }
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
