//! Making a text smaller while two engines still disagree about it in the same way.
//!
//! First **coarse**: whole runs of members, items and characters are left out, half of them at once, then a quarter, and so on
//! (delta debugging), so that a text of ten thousand members costs some hundred questions. Then **fine**: every single reduction
//! ([`reductions`]) until none still differs. Both are bounded by texts and by bytes: a process is given each of them in hexadecimal.

use crate::classify::{Class, classify};
use crate::coarse::{Wide, levelled, wide};
use crate::engine::{Engine, Outcome, all_at_once};
use crate::loose::reductions;

/// In which way two outcomes differ. A text is shrunk only while this stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Both accept, with different bytes.
    Bytes,
    /// Only the second accepts.
    FirstRejects,
    /// Only the first accepts.
    SecondRejects,
    /// The first broke, and the second did not.
    FirstBreaks,
    /// The second broke, and the first did not.
    SecondBreaks,
}

impl Difference {
    /// How two outcomes differ, if they do.
    #[must_use]
    pub fn between(first: &Outcome, second: &Outcome) -> Option<Self> {
        match (first, second) {
            (Outcome::Bytes(first), Outcome::Bytes(second)) => (first != second).then_some(Self::Bytes),
            (Outcome::Error, Outcome::Error) | (Outcome::Reject, Outcome::Reject) => None,
            (Outcome::Error, _) => Some(Self::FirstBreaks),
            (_, Outcome::Error) => Some(Self::SecondBreaks),
            (Outcome::Reject, Outcome::Bytes(_)) => Some(Self::FirstRejects),
            (Outcome::Bytes(_), Outcome::Reject) => Some(Self::SecondRejects),
        }
    }

    /// Whether one of the two broke.
    pub(crate) fn is_of_one_that_breaks(self) -> bool {
        matches!(self, Self::FirstBreaks | Self::SecondBreaks)
    }

    /// Where an engine breaks, each reduction that shows it costs a new start: one is tried at a time.
    fn together(self) -> usize {
        if self.is_of_one_that_breaks() { 1 } else { TOGETHER }
    }
}

/// A text that was made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The text.
    pub text: Vec<u8>,
    /// Whether every single reduction was tried and none of them still differs; otherwise the budget ran out.
    pub minimal: bool,
}

/// How much may still be tried.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// So many texts.
    pub texts: usize,
    /// So many bytes of texts.
    pub bytes: usize,
}

/// So many reductions are tried in one go; a process answers them without waiting in between.
const TOGETHER: usize = 24;
/// And so many bytes of them, beyond the first: all that come after one that works were made for nothing.
const BYTES_TOGETHER: usize = 64 << 10;
/// Shorter texts are left to the single reductions.
const COARSE_FROM: usize = 200;
/// So many runs of one length are left out in vain before shorter ones are tried. What only counts how much there is
/// refuses all of them alike; what needs a few certain parts refuses a few.
const IN_VAIN: usize = 16;
/// So often all wide parts are gone through.
const ROUNDS: usize = 4;

/// Makes a text smaller while `engines` still differ about it as they do now.
///
/// In: `cause`, which the difference must keep too, or `None` for whatever cause; `budget`, from which is taken what was tried.
pub fn shrink(
    text: &[u8],
    difference: Difference,
    cause: Option<Class>,
    engines: &mut [&mut dyn Engine; 2],
    budget: &mut Budget,
) -> Shrunk {
    let mut shrinker = Shrinker { best: text.to_vec(), difference, cause, engines, budget };
    shrinker.coarse();
    let minimal = shrinker.fine();
    Shrunk { text: shrinker.best, minimal }
}

struct Shrinker<'s, 'e> {
    /// The smallest text so far that still differs.
    best: Vec<u8>,
    difference: Difference,
    cause: Option<Class>,
    engines: &'s mut [&'e mut dyn Engine; 2],
    budget: &'s mut Budget,
}

impl Shrinker<'_, '_> {
    fn coarse(&mut self) {
        for _ in 0..ROUNDS {
            let before = self.best.len();
            if before < COARSE_FROM || self.is_spent() {
                return;
            }
            for text in levelled(&self.best) {
                if text.len() < self.best.len() {
                    self.keep_first(vec![text]);
                }
            }
            for wide in wide(&self.best) {
                self.narrow(&wide);
            }
            if self.best.len() == before {
                return;
            }
        }
    }

    /// Leaves out runs of what a wide part holds: half of it, a quarter, and so on to single ones.
    fn narrow(&mut self, wide: &Wide) {
        let mut count = wide.count(&self.best);
        let mut run = count.div_ceil(2);
        while run > 0 {
            let (mut at, mut in_vain) = (0, 0);
            while at < count && in_vain < IN_VAIN && !self.is_spent() {
                let starts: Vec<usize> = (at..count).step_by(run).take(self.together()).collect();
                let texts = starts.iter().filter_map(|start| wide.without(&self.best, *start, run)).collect();
                match self.keep_first(texts) {
                    // What came after the run has moved to its place.
                    Some(found) => {
                        at += found * run;
                        count = wide.count(&self.best);
                    }
                    None => {
                        at += starts.len() * run;
                        in_vain += starts.len();
                    }
                }
            }
            run = if run == 1 { 0 } else { (run / 2).min(count.div_ceil(2)) };
        }
    }

    /// Tries single reductions until none works; whether all were tried.
    fn fine(&mut self) -> bool {
        // Reductions that came before the last one that worked are tried again only in the next pass.
        let mut passed = 0;
        loop {
            let mut all = reductions(&self.best).skip(passed);
            let (mut tried, mut found) = (0, false);
            while !found && !self.is_spent() {
                let together: Vec<Vec<u8>> = all.by_ref().take(self.together()).collect();
                if together.is_empty() {
                    break;
                }
                let count = together.len();
                tried += count;
                found = self.keep_first(together).is_some();
                if found {
                    passed += tried.saturating_sub(count);
                }
            }
            match () {
                () if found => {}
                () if self.is_spent() => return false,
                () if passed == 0 => return true,
                () => passed = 0,
            }
        }
    }

    fn is_spent(&self) -> bool {
        self.budget.texts == 0
            || self.budget.bytes == 0
            || self.engines.iter().any(|engine| engine.is_given_up())
    }

    fn together(&self) -> usize {
        let by_bytes = BYTES_TOGETHER / self.best.len().max(1);
        self.difference.together().min(by_bytes.max(1)).min(self.budget.texts.max(1))
    }

    /// Takes the first text about which the engines still differ, and says which one it was.
    fn keep_first(&mut self, texts: Vec<Vec<u8>>) -> Option<usize> {
        self.budget.texts = self.budget.texts.saturating_sub(texts.len());
        self.budget.bytes = self.budget.bytes.saturating_sub(texts.iter().map(Vec::len).sum());
        let engines = self.engines.iter_mut().map(|engine| &mut **engine);
        let mut answers = all_at_once(engines, |engine| engine.canonicalize(&texts)).into_iter();
        let outcomes = answers.next().unwrap_or_default().into_iter().zip(answers.next().unwrap_or_default());
        let (difference, cause) = (self.difference, self.cause);
        let found = texts.into_iter().zip(outcomes).enumerate().find(|(_, (text, (left, right)))| {
            let is_of = |cause| classify(text, &left.outcome, &right.outcome, &mut |_| false) == cause;
            Difference::between(&left.outcome, &right.outcome) == Some(difference) && cause.is_none_or(is_of)
        });
        let (at, (text, _)) = found?;
        self.best = text;
        Some(at)
    }
}
