//! Making a text smaller while two engines still disagree about it in the same way.

use crate::classify::{Class, classify};
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
}

/// A text that was made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The text.
    pub text: Vec<u8>,
    /// Whether every single reduction was tried and none of them still differs; otherwise the budget ran out.
    pub minimal: bool,
}

/// So many reductions are tried in one go; a process answers them without waiting in between.
const TOGETHER: usize = 24;

impl Difference {
    /// Where an engine breaks, each reduction that shows it costs a new start: one is tried at a time.
    fn together(self) -> usize {
        match self {
            Self::FirstBreaks | Self::SecondBreaks => 1,
            Self::Bytes | Self::FirstRejects | Self::SecondRejects => TOGETHER,
        }
    }
}

/// Makes a text smaller while `engines` still differ about it as they do now.
///
/// In: `cause`, which the difference must keep too, or `None` for whatever cause; `most` bounds how many texts are tried.
pub fn shrink(
    text: &[u8],
    difference: Difference,
    cause: Option<Class>,
    engines: &mut [&mut dyn Engine; 2],
    most: usize,
) -> Shrunk {
    let mut best = text.to_vec();
    let mut left = most;
    // Reductions that came before the last one that worked are tried again only in the next pass.
    let mut passed = 0;
    loop {
        let mut smaller = None;
        let mut all = reductions(&best).skip(passed);
        let mut tried = 0;
        while smaller.is_none() {
            let together: Vec<Vec<u8>> = all.by_ref().take(difference.together().min(left)).collect();
            if together.is_empty() {
                break;
            }
            left -= together.len();
            tried += together.len();
            smaller = first_that_differs(together, difference, cause, engines);
            if engines.iter().any(|engine| engine.is_given_up()) {
                left = 0;
            }
        }
        match smaller {
            Some(text) => {
                best = text;
                passed += tried.saturating_sub(difference.together());
            }
            None if left == 0 => return Shrunk { text: best, minimal: false },
            None if passed == 0 => return Shrunk { text: best, minimal: true },
            None => passed = 0,
        }
    }
}

fn first_that_differs(
    texts: Vec<Vec<u8>>,
    difference: Difference,
    cause: Option<Class>,
    engines: &mut [&mut dyn Engine; 2],
) -> Option<Vec<u8>> {
    let mut answers =
        all_at_once(engines.iter_mut().map(|engine| &mut **engine), |engine| engine.canonicalize(&texts))
            .into_iter();
    let outcomes = answers.next().unwrap_or_default().into_iter().zip(answers.next().unwrap_or_default());
    let found = texts.into_iter().zip(outcomes).find(|(text, (left, right))| {
        Difference::between(&left.outcome, &right.outcome) == Some(difference)
            && cause
                .is_none_or(|cause| classify(text, &left.outcome, &right.outcome, &mut |_| false) == cause)
    });
    found.map(|(text, _)| text)
}
