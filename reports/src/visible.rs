//! Texts from outside, made harmless for terminals and for eyes.

use std::borrow::Cow;

/// The text on one line, with everything that could steer a terminal or make it read as another as `\u{…}`.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    visible(text, |_| false)
}

/// The text with every hostile character as `\u{…}`, but for those to keep.
pub(crate) fn visible(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let hides = |character: char| is_hostile(character) && !keep(character);
    if !text.chars().any(hides) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if hides(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Characters that steer a terminal or make a text read as another one: controls, line separators, the marks and
/// overrides of bidirectional text (Unicode Annex 9), and what has no width.
pub(crate) fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}
