//! What came out of a verification: layers, each with its state, reason and place, and the verdict over all of them.

use crate::canon::Scheme;
use crate::code::Code;
use crate::layers::LayerMeaning;
use crate::oversight::Statement;

/// How a layer ended. There is no fourth way, so that whoever decides by it has to name all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Recomputed here, and it agrees.
    Established,
    /// Nothing was given that could show it either way; never a pass.
    NotEstablished,
    /// Recomputed here, and it does not agree.
    Refuted,
}

impl State {
    /// The stable name: `established`, `not-established`, `refuted`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::NotEstablished => "not-established",
            Self::Refuted => "refuted",
        }
    }
}

/// Why a layer is refuted or not established, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The stable reason.
    pub code: Code,
    /// JSON Pointer (RFC 6901) into the document; for text that is no JSON, `byte N`; empty for the whole document.
    pub at: String,
    /// What had to be there.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl Problem {
    pub(crate) fn new(
        code: Code,
        at: impl Into<String>,
        expected: impl AsRef<str>,
        found: impl AsRef<str>,
    ) -> Self {
        Self { code, at: at.into(), expected: shorten(expected.as_ref()), found: shorten(found.as_ref()) }
    }
}

/// No text from outside is repeated at length, nor looked at beyond that: it may be long, and the problems many.
fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST).and_then(|(at, _)| text.get(..at)) {
        None => text.to_owned(),
        Some(start) => format!("{start}… ({} bytes)", text.len()),
    }
}

/// Something that differs between implementations without being a forgery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// One of the `interop.*` codes (or a reason that is only worth a warning).
    pub code: Code,
    /// JSON Pointer of the place.
    pub at: String,
    /// In words.
    pub text: String,
}

/// One thing that can be established, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layer {
    /// The stable name of the layer.
    pub id: &'static str,
    /// How it ended.
    pub state: State,
    /// The first problem; `None` exactly when the layer is established.
    pub problem: Option<Problem>,
    /// How many problems of this layer there are in all.
    pub problems: usize,
    /// What was recomputed, in words.
    pub recomputed: String,
    /// The rule that applies, with its source.
    pub rule: &'static str,
    /// The canonicalization schemes under which a signature fits; several when they give the same bytes.
    pub schemes: Vec<Scheme>,
    /// How the signed document was read before it was written anew (names of `Reading`); empty where nothing is reread.
    pub readings: Vec<&'static str>,
    /// Interoperability warnings.
    pub notes: Vec<Note>,
}

impl Layer {
    pub(crate) fn new(id: &'static str, rule: &'static str) -> Self {
        debug_assert!(LayerMeaning::of(id).is_some(), "layer `{id}` is not in the table of layers.rs");
        Self {
            id,
            state: State::Established,
            problem: None,
            problems: 0,
            recomputed: String::new(),
            rule,
            schemes: Vec::new(),
            readings: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn recomputed(mut self, what: impl Into<String>) -> Self {
        self.recomputed = what.into();
        self
    }

    pub(crate) fn refute(&mut self, problem: Problem) {
        // The first refutation is the one that is shown; it replaces a mere "not established".
        if self.state != State::Refuted {
            self.problem = Some(problem);
            self.problems = 0;
        }
        self.state = State::Refuted;
        self.problems += 1;
    }

    /// The same, where the problem need not be put into words unless it is the first: there may be millions.
    pub(crate) fn refute_with(&mut self, problem: impl FnOnce() -> Problem) {
        if self.state == State::Refuted {
            self.problems += 1;
        } else {
            self.refute(problem());
        }
    }

    pub(crate) fn refuted(mut self, problem: Problem) -> Self {
        self.refute(problem);
        self
    }

    pub(crate) fn not_established(mut self, problem: Problem) -> Self {
        self.leave_open(problem);
        self
    }

    pub(crate) fn leave_open(&mut self, problem: Problem) {
        if self.state == State::Established {
            self.state = State::NotEstablished;
            self.problem = Some(problem);
            self.problems = 1;
        }
    }

    /// The same, where the problem need not be put into words unless it is the first.
    pub(crate) fn leave_open_with(&mut self, problem: impl FnOnce() -> Problem) {
        if self.state == State::Established {
            self.leave_open(problem());
        }
    }

    /// Takes over what a later stretch of the same layer found.
    pub(crate) fn join(&mut self, later: Self) {
        if let Some(problem) = later.problem {
            let count = later.problems;
            match later.state {
                State::Refuted => {
                    self.refute(problem);
                    self.problems += count.saturating_sub(1);
                }
                State::NotEstablished | State::Established => self.leave_open(problem),
            }
        }
        for note in later.notes {
            self.note(note.code, note.at, note.text);
        }
    }

    /// Puts the place of the problem behind the line that it is of.
    pub(crate) fn place_within(&mut self, line: &str, pointer: &str) {
        if let Some(problem) = &mut self.problem {
            problem.at = if pointer.is_empty() { line.to_owned() } else { format!("{line}: {pointer}") };
        }
    }

    /// Puts the name of a file before the places of problem and notes.
    pub(crate) fn place_in_file(&mut self, name: &str) {
        let places = self.problem.iter_mut().map(|problem| &mut problem.at);
        for at in places.chain(self.notes.iter_mut().map(|note| &mut note.at)) {
            *at = if at.is_empty() { name.to_owned() } else { format!("{name}: {at}") };
        }
    }

    pub(crate) fn note(&mut self, code: Code, at: impl Into<String>, text: impl AsRef<str>) {
        if self.has_room_for(code) {
            self.notes.push(Note { code, at: at.into(), text: shorten(text.as_ref()) });
        }
    }

    /// Whether another note of this code is kept: the first of each is, so that many of one cannot hide another.
    pub(crate) fn has_room_for(&self, code: Code) -> bool {
        const MOST: usize = 16;
        self.notes.len() < MOST || self.notes.iter().all(|note| note.code != code)
    }

    /// The reason code: that of the first problem, or `ok`.
    #[must_use]
    pub fn code(&self) -> Code {
        self.problem.as_ref().map_or(Code::Ok, |problem| problem.code)
    }

    /// The place of the first problem; empty when there is none.
    #[must_use]
    pub fn at(&self) -> &str {
        self.problem.as_ref().map_or("", |problem| problem.at.as_str())
    }
}

/// The verdict over all layers of one document. Closed on purpose: another verdict would be another major version, since whoever acts
/// on verdicts has to say what to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every required layer is established under trust anchors that the caller supplied.
    Authentic,
    /// Nothing is refuted, but something required rests on keys that came from the evidence itself, or is not shown.
    Consistent,
    /// The document proves, under a key that the caller supplied, that the holder of this key signed two tree heads that
    /// cannot belong to one log. The proof holds, so the registry does not.
    Equivocation,
    /// At least one layer is refuted.
    Refuted,
}

impl Verdict {
    /// The stable name: `authentic`, `consistent`, `equivocation`, `refuted`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authentic => "authentic",
            Self::Consistent => "consistent",
            Self::Equivocation => "equivocation",
            Self::Refuted => "refuted",
        }
    }
}

/// The layer of a document whose claim is that a registry contradicted itself.
pub(crate) const CONTRADICTION: &str = "contradiction";

/// All layers of one document, in the order in which they build on each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trace {
    /// The layers.
    pub layers: Vec<Layer>,
    /// Names of the layers that must be established for `authentic`.
    pub required: Vec<&'static str>,
    /// What the document says under a registry's signature, for comparison with others
    /// ([`CrossCheck`](crate::oversight::CrossCheck)).
    pub statement: Option<Box<Statement>>,
}

impl Trace {
    pub(crate) fn new(layers: Vec<Layer>, required: Vec<&'static str>) -> Self {
        Self { layers, required, statement: None }
    }

    /// The verdict that follows from the layers.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.layers.iter().any(|layer| layer.state == State::Refuted) {
            return Verdict::Refuted;
        }
        let established = |id: &&str| self.layer(id).is_some_and(|layer| layer.state == State::Established);
        if !self.required.iter().all(established) {
            Verdict::Consistent
        } else if self.required.contains(&CONTRADICTION) {
            Verdict::Equivocation
        } else {
            Verdict::Authentic
        }
    }

    /// The layer called `id`.
    #[must_use]
    pub fn layer(&self, id: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.id == id)
    }

    /// The layers that are refuted.
    pub fn refuted(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().filter(|layer| layer.state == State::Refuted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty unknown members in a row must not hide that its token is none that the issuer signed.
    #[test]
    fn the_first_note_of_each_kind_is_kept() {
        let mut layer = Layer::new("event-binding", "");
        for number in 0..40 {
            layer.note(Code::NoteUnknownMember, format!("/{number}"), "");
        }
        layer.note(Code::EventTokenUnsigned, "/token_id", "");
        layer.note(Code::EventTokenUnsigned, "/other", "");
        let codes: Vec<Code> = layer.notes.iter().map(|note| note.code).collect();
        assert_eq!((codes.len(), codes[16]), (17, Code::EventTokenUnsigned));
    }
}
