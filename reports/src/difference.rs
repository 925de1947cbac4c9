//! What was expected and what was found, taken out of a reason and cut to where the two part ways.

/// The difference that a reason speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where; perhaps empty.
    pub(crate) place: String,
    pub(crate) expected: Marked,
    pub(crate) found: Marked,
}

/// A text with the part of it that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) before: String,
    pub(crate) differs: String,
    pub(crate) after: String,
}

/// Of what both have in common so many characters are shown on either side.
const AROUND: usize = 24;

/// Reads `PLACE: expected X, found Y`; `None` for a reason that says something else.
pub(crate) fn difference(reason: &str) -> Option<Difference> {
    let (before, rest) = reason.split_once("expected ")?;
    if !before.is_empty() && !before.ends_with(' ') {
        return None;
    }
    let (expected, found) = rest.split_once(", found ")?;
    let place = before.trim_end().trim_end_matches(':').to_owned();
    let (expected, found) = marked(expected, found);
    Some(Difference { place, expected, found })
}

fn marked(one: &str, other: &str) -> (Marked, Marked) {
    let prefix = shared(one.chars(), other.chars());
    let (head, one_rest) = one.split_at_checked(prefix).unwrap_or(("", one));
    let other_rest = other.get(prefix..).unwrap_or(other);
    let suffix = shared(one_rest.chars().rev(), other_rest.chars().rev());
    // Two texts that have little in common differ as a whole: a mark would say nothing.
    if (prefix + suffix) * 2 < one.len().min(other.len()) || prefix + suffix == 0 {
        let whole = |text: &str| Marked { before: text.to_owned(), ..Marked::default() };
        return (whole(one), whole(other));
    }
    let mark = |rest: &str| {
        let (differs, tail) = rest.split_at_checked(rest.len() - suffix).unwrap_or((rest, ""));
        Marked { before: end_of(head), differs: differs.to_owned(), after: start_of(tail) }
    };
    (mark(one_rest), mark(other_rest))
}

/// How many bytes two texts share from their start.
fn shared(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum()
}

fn end_of(text: &str) -> String {
    match text.char_indices().rev().nth(AROUND - 1) {
        Some((at, _)) if at > 1 => format!("…{}", text.get(at..).unwrap_or_default()),
        _ => text.to_owned(),
    }
}

fn start_of(text: &str) -> String {
    match text.char_indices().nth(AROUND) {
        Some((at, _)) if at + 1 < text.len() => format!("{}…", text.get(..at).unwrap_or_default()),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(reason: &str) -> (String, String, String) {
        let found = difference(reason).unwrap();
        let shown = |text: &Marked| match text.differs.is_empty() && text.after.is_empty() {
            true => text.before.clone(),
            false => format!("{}[{}]{}", text.before, text.differs, text.after),
        };
        (found.place.clone(), shown(&found.expected), shown(&found.found))
    }

    #[test]
    fn a_reason_is_taken_apart_and_only_what_differs_is_marked() {
        let (place, expected, found) = marks("head: status: expected 200, found 503");
        assert_eq!((place.as_str(), expected.as_str(), found.as_str()), ("head: status", "200", "503"));
        let list = "[\"a\",\"b\",\"cccccccccccccccccccccccccccccccc\"";
        let (_, expected, found) =
            marks(&format!("x: expected {list},1,{}], found {list},2,{}]", "ä".repeat(40), "ä".repeat(40)));
        assert_eq!(expected, format!("…{}\",[1],{}…", "c".repeat(22), "ä".repeat(23)));
        assert_eq!(found, format!("…{}\",[2],{}…", "c".repeat(22), "ä".repeat(23)));
        let (place, expected, found) = marks("expected abcdef, found abcXdef");
        assert_eq!((place.as_str(), expected.as_str(), found.as_str()), ("", "abc[]def", "abc[X]def"));
    }

    #[test]
    fn a_reason_that_says_something_else_is_left_alone() {
        for reason in ["", "nothing was recorded", "unexpected end, found 1", "expected only this"] {
            assert_eq!(difference(reason), None, "{reason}");
        }
    }
}
