//! What engines were asked before: an answer may depend on it, and then the text alone does not show what was found.

use std::collections::VecDeque;

use crate::engine::{Engine, Outcome, all_at_once};
use crate::shrink::Difference;

/// Whether a text shows by itself that two engines differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Yes, also to engines that were asked nothing before.
    Alone,
    /// When they are asked these texts before, in this order.
    After(Vec<Vec<u8>>),
    /// It was seen once, and no texts were found after which it is seen again.
    Never {
        /// How many of the texts that were asked before were tried, all of them in a row.
        tried: usize,
    },
}

impl Repeats {
    /// The stable name.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::After(_) => "after",
            Self::Never { .. } => "never",
        }
    }

    /// The texts that are asked before.
    #[must_use]
    pub fn texts(&self) -> &[Vec<u8>] {
        match self {
            Self::After(texts) => texts,
            Self::Alone | Self::Never { .. } => &[],
        }
    }

    /// Where nothing was found, how much was tried.
    #[must_use]
    pub fn tried(&self) -> Option<usize> {
        match self {
            Self::Never { tried } => Some(*tried),
            Self::Alone | Self::After(_) => None,
        }
    }

    /// What says more comes first.
    pub(crate) fn rank(&self) -> (u8, usize) {
        match self {
            Self::Alone => (0, 0),
            Self::After(texts) => (1, texts.len()),
            Self::Never { .. } => (2, 0),
        }
    }
}

/// What two engines, started anew where that can be done and then asked `before`, make of a text, if they differ in this way; where
/// nothing was to be asked before and no engine breaks, they are asked twice and have to differ both times.
pub(crate) fn outcomes(
    pair: &mut [&mut dyn Engine; 2],
    before: &[Vec<u8>],
    text: &[u8],
    difference: Difference,
) -> Option<(Outcome, Outcome)> {
    let times = if before.is_empty() && !difference.is_of_one_that_breaks() { 2 } else { 1 };
    let mut answers = all_at_once(pair.iter_mut().map(|engine| &mut **engine), |engine| {
        engine.start_anew();
        engine.canonicalize(before);
        (0..times).map(|_| engine.answer(text)).collect::<Option<Vec<_>>>()
    })
    .into_iter();
    let (left, right) = (answers.next()??, answers.next()??);
    let mut both =
        left.into_iter().map(|left| left.outcome).zip(right.into_iter().map(|right| right.outcome));
    let is_alike = |(left, right): &(Outcome, Outcome)| Difference::between(left, right) == Some(difference);
    let first = both.next().filter(is_alike)?;
    both.all(|outcomes| is_alike(&outcomes)).then_some(first)
}

/// So many texts, and so many bytes of them, are remembered.
const MOST: usize = 1_536;
const MOST_BYTES: usize = 2 << 20;
/// So often engines are started anew to find the shortest sequence.
const MOST_STARTS: usize = 64;

/// What an engine was asked lately. Nothing is kept of one that cannot be started anew.
pub(crate) struct History {
    is_kept: bool,
    texts: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl History {
    pub(crate) fn of(engine: &dyn Engine) -> Self {
        Self { is_kept: engine.waits(), texts: VecDeque::new(), bytes: 0 }
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept
    }

    pub(crate) fn extend<'t>(&mut self, texts: impl Iterator<Item = &'t Vec<u8>>) {
        for text in texts.filter(|_| self.is_kept) {
            self.bytes += text.len();
            self.texts.push_back(text.clone());
            while self.texts.len() > MOST || self.bytes > MOST_BYTES {
                self.bytes -= self.texts.pop_front().map_or(0, |text| text.len());
            }
        }
    }

    /// The fewest of the texts asked before, after which two engines differ again.
    ///
    /// In: the texts of the portion that were asked before `text`.
    pub(crate) fn shortest(
        &self,
        pair: &mut [&mut dyn Engine; 2],
        portion: &[Vec<u8>],
        text: &[u8],
        difference: Difference,
    ) -> Repeats {
        if !self.is_kept {
            return Repeats::Never { tried: 0 };
        }
        let all: Vec<Vec<u8>> = self.texts.iter().chain(portion).cloned().collect();
        let mut starts = 0;
        let mut shows = |before: &[Vec<u8>]| {
            starts += 1;
            starts <= MOST_STARTS && outcomes(pair, before, text, difference).is_some()
        };
        let lengths = std::iter::successors(Some(1), |length| Some(length * 4));
        let lengths = lengths.take_while(|length| *length < all.len()).chain([all.len()]);
        let ends = lengths.filter_map(|length| all.get(all.len() - length..));
        let found = ends.into_iter().find(|end| !end.is_empty() && shows(end));
        let Some(found) = found else { return Repeats::Never { tried: all.len() } };
        Repeats::After(fewest(found.to_vec(), &mut shows))
    }
}

/// Leaves out runs of the sequence, shorter and shorter ones, while it still shows.
fn fewest(mut texts: Vec<Vec<u8>>, shows: &mut dyn FnMut(&[Vec<u8>]) -> bool) -> Vec<Vec<u8>> {
    let mut run = texts.len() / 2;
    while run > 0 {
        let mut at = 0;
        while at < texts.len() {
            let without: Vec<Vec<u8>> =
                texts.iter().take(at).chain(texts.iter().skip(at + run)).cloned().collect();
            if !without.is_empty() && shows(&without) {
                texts = without;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_sequence_is_left_what_it_takes() {
        let all: Vec<Vec<u8>> = (0..40_u8).map(|byte| vec![byte]).collect();
        let kept = fewest(all, &mut |texts| [7, 31].iter().all(|byte| texts.contains(&vec![*byte])));
        assert_eq!(kept, [[7], [31]]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut history = History { is_kept: true, texts: VecDeque::new(), bytes: 0 };
        let texts = vec![vec![0; 1_000_000]; 5];
        history.extend(texts.iter());
        assert_eq!((history.texts.len(), history.bytes), (2, 2_000_000));
        history.extend(vec![Vec::new(); 3 * MOST].iter());
        assert_eq!((history.texts.len(), history.bytes), (MOST, 0));
    }
}
