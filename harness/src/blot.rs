//! Taking a secret out of what came back, however it is spelled there.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use memchr::memmem;

/// What stands in a transcript in place of a secret.
pub(crate) const BLOT: &str = "(secret)";

/// A part of a base64 text that is shorter than this stands in other texts by accident.
const SHORTEST_CORE: usize = 6;

/// Takes secrets out of what came back. It is made once for a run: every text of an answer goes through it.
pub(crate) struct Blotter {
    /// What must not be written down.
    secrets: Vec<Vec<u8>>,
    /// The bytes with which a spelling of one may begin.
    begins: [bool; 256],
    /// The bytes that may stand behind the first one, where that is not escaped.
    continues: [bool; 256],
    /// All of them in hexadecimal and base64, the longest first.
    encodings: Vec<Vec<u8>>,
    /// Finds any of the encodings in one pass, as almost no text has one.
    any: Option<AhoCorasick>,
}

impl Blotter {
    pub(crate) fn new(secrets: impl Iterator<Item = String>) -> Self {
        let secrets: Vec<_> = secrets.map(String::into_bytes).collect();
        let begins = either_case(|byte| secrets.iter().any(|secret| secret.first() == Some(&byte)));
        let continues =
            either_case(|byte| secrets.iter().any(|secret| secret.get(1).is_none_or(|next| *next == byte)));
        let mut encodings: Vec<_> = secrets.iter().flat_map(|secret| encodings(secret)).collect();
        encodings.sort_by(|one, other| (other.len(), one).cmp(&(one.len(), other)));
        encodings.dedup();
        // Few short patterns: a table of all steps is small, and faster than looking for rare bytes in hexadecimal.
        let mut finder = AhoCorasick::builder();
        let any = finder.kind(Some(AhoCorasickKind::DFA)).prefilter(false).build(&encodings).ok();
        Self { secrets, begins, continues, encodings, any }
    }

    /// The text without the secrets: as they are, in letters of either case; with any of their characters escaped as in JSON (`\/`,
    /// `\u002f`), a URL (`%2F`) or HTML (`&#47;`, `&sol;`), also more than once (`\\\/`, `%252F`, `&amp;#47;`); in hexadecimal; and in
    /// base64 at any alignment, as within `Bearer …`, escaped as well.
    pub(crate) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes().to_vec())).into_owned()
    }

    /// The same for bytes that are written in hexadecimal.
    pub(crate) fn hex(&self, text: &str) -> String {
        let Ok(bytes) = hex::decode(text) else { return self.text(text) };
        hex::encode(self.bytes(bytes))
    }

    fn bytes(&self, text: Vec<u8>) -> Vec<u8> {
        if self.secrets.is_empty() {
            return text;
        }
        let text = self.without_spellings(text);
        if self.any.as_ref().is_some_and(|any| !any.is_match(&text)) {
            return text;
        }
        self.encodings.iter().fold(text, |text, form| without(text, form))
    }

    /// Most texts have the first character of a secret often, and the second one seldom behind it.
    fn may_continue(&self, text: &[u8], at: usize) -> bool {
        let is_escape = text.get(at).copied().is_some_and(begins_escape);
        is_escape
            || text
                .get(at + 1)
                .is_none_or(|next| self.continues.get(usize::from(*next)).is_some_and(|continues| *continues))
    }

    fn without_spellings(&self, text: Vec<u8>) -> Vec<u8> {
        let may_begin = |byte: &u8| self.begins.get(usize::from(*byte)).is_some_and(|begins| *begins);
        let (mut out, mut copied, mut at) = (Vec::new(), 0, 0);
        while let Some(next) =
            text.get(at..).and_then(|rest| rest.iter().position(may_begin)).map(|next| at + next)
        {
            at = next + 1;
            if !self.may_continue(&text, next) {
                continue;
            }
            // One secret may begin as another does: the longest goes, or the rest of it would stay.
            let ends = self.secrets.iter().filter_map(|secret| end_of_spelling(&text, next, secret));
            if let Some(end) = ends.max() {
                out.extend_from_slice(text.get(copied..next).unwrap_or_default());
                out.extend_from_slice(BLOT.as_bytes());
                (copied, at) = (end, end);
            }
        }
        if copied == 0 {
            return text;
        }
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
        out
    }
}

fn without(text: Vec<u8>, form: &[u8]) -> Vec<u8> {
    let finder = memmem::Finder::new(form);
    let (mut out, mut rest) = (Vec::new(), text.as_slice());
    while let Some((before, after)) = finder.find(rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(before);
        out.extend_from_slice(BLOT.as_bytes());
        rest = after.get(form.len()..).unwrap_or_default();
    }
    if out.is_empty() && rest.len() == text.len() {
        return text;
    }
    out.extend_from_slice(rest);
    out
}

fn encodings(secret: &[u8]) -> Vec<Vec<u8>> {
    let in_hex = hex::encode(secret);
    let mut forms = vec![in_hex.to_ascii_uppercase().into_bytes(), in_hex.into_bytes()];
    for before in 0..3 {
        let bytes = [vec![0; before].as_slice(), secret].concat();
        // The characters in which there are no bits but those of the secret.
        let core = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for text in [Base64Unpadded::encode_string(&bytes), Base64UrlUnpadded::encode_string(&bytes)] {
            forms.extend(text.get(core.clone()).map(|core| core.as_bytes().to_vec()));
        }
    }
    forms.retain(|form| form.len() >= SHORTEST_CORE);
    let escaped: Vec<_> = forms.iter().flat_map(|form| escaped(form)).collect();
    forms.extend(escaped);
    forms
}

/// A base64 text as it is written where a slash or a plus may not stand.
fn escaped(form: &[u8]) -> Vec<Vec<u8>> {
    const STYLES: [(&str, &str); 8] = [
        (r"\/", "+"),
        (r"\u002f", r"\u002b"),
        (r"\u002F", r"\u002B"),
        ("%2F", "%2B"),
        ("%2f", "%2b"),
        ("&#x2F;", "&#x2B;"),
        ("&#x2f;", "&#x2b;"),
        ("&#47;", "&#43;"),
    ];
    let written = |(slash, plus): (&str, &str)| {
        let one = |byte: &u8| match byte {
            b'/' => slash.as_bytes().to_vec(),
            b'+' => plus.as_bytes().to_vec(),
            other => vec![*other],
        };
        form.iter().flat_map(one).collect()
    };
    let mut all: Vec<Vec<u8>> = STYLES.into_iter().map(written).collect();
    all.retain(|other| other != form);
    all
}

/// Bytes for which this holds as letters of one case or the other, and those that begin an escape.
fn either_case(holds: impl Fn(u8) -> bool) -> [bool; 256] {
    let is = |byte: u8| {
        begins_escape(byte) || holds(byte.to_ascii_lowercase()) || holds(byte.to_ascii_uppercase())
    };
    std::array::from_fn(|byte| u8::try_from(byte).is_ok_and(is))
}

fn begins_escape(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&')
}

/// Where a spelling of the whole secret that begins at `start` ends; the last place if there are several.
fn end_of_spelling(text: &[u8], start: usize, secret: &[u8]) -> Option<usize> {
    let first = secret.first()?;
    spellings(text.get(start..)?, *first).next()?;
    let mut reached = BTreeSet::from([start]);
    for byte in secret {
        let on = |at: usize| spellings(text.get(at..).unwrap_or_default(), *byte).map(move |long| at + long);
        reached = reached.into_iter().flat_map(on).collect();
        if reached.is_empty() {
            return None;
        }
    }
    reached.last().copied()
}

/// The lengths of the spellings of one character that stand at the beginning of a text.
fn spellings(text: &[u8], byte: u8) -> impl Iterator<Item = usize> {
    let plain = text.first().filter(|found| found.eq_ignore_ascii_case(&byte)).map(|_| 1);
    let escaped = match text.first() {
        Some(b'\\') => with_backslashes(text, byte),
        Some(b'%') => in_a_url(text, byte),
        Some(b'&') => in_html(text, byte),
        _ => Vec::new(),
    };
    plain.into_iter().chain(escaped)
}

/// So often is one escape taken for part of another.
const DEEPEST: usize = 8;

/// Whether digits of a base stand there that mean this character, in either case; the place behind them.
fn number(text: &[u8], from: usize, count: usize, byte: u8) -> Option<usize> {
    let digits = std::str::from_utf8(text.get(from..from + count)?).ok()?;
    let code = u32::from_str_radix(digits, 16).ok()?;
    means(code, byte).then_some(from + count)
}

fn means(code: u32, byte: u8) -> bool {
    u8::try_from(code).is_ok_and(|code| code.eq_ignore_ascii_case(&byte))
}

/// `\/`, `\u002f` and `\x2f`, with more backslashes where a text is escaped within another.
fn with_backslashes(text: &[u8], byte: u8) -> Vec<usize> {
    let run = text.iter().take(DEEPEST).take_while(|byte| **byte == b'\\').count();
    let behind = |at: usize| {
        let found = text.get(at)?;
        let digits = match found {
            b'u' => number(text, at + 1, 4, byte),
            b'x' => number(text, at + 1, 2, byte),
            _ => None,
        };
        digits.or_else(|| found.eq_ignore_ascii_case(&byte).then_some(at + 1))
    };
    (1..=run).filter_map(behind).collect()
}

/// `%2F`, `%252F`.
fn in_a_url(text: &[u8], byte: u8) -> Vec<usize> {
    let again = |times: usize| (0..times).all(|time| text.get(1 + 2 * time..3 + 2 * time) == Some(b"25"));
    (0..DEEPEST)
        .take_while(|times| again(*times))
        .filter_map(|times| number(text, 1 + 2 * times, 2, byte))
        .collect()
}

/// Characters with names in HTML, those of ASCII.
const NAMED: [(&str, u8); 37] = [
    ("amp", b'&'),
    ("apos", b'\''),
    ("ast", b'*'),
    ("bsol", b'\\'),
    ("colon", b':'),
    ("comma", b','),
    ("commat", b'@'),
    ("dollar", b'$'),
    ("equals", b'='),
    ("excl", b'!'),
    ("grave", b'`'),
    ("gt", b'>'),
    ("hat", b'^'),
    ("lbrace", b'{'),
    ("lbrack", b'['),
    ("lcub", b'{'),
    ("lowbar", b'_'),
    ("lpar", b'('),
    ("lsqb", b'['),
    ("lt", b'<'),
    ("midast", b'*'),
    ("num", b'#'),
    ("percnt", b'%'),
    ("period", b'.'),
    ("plus", b'+'),
    ("quest", b'?'),
    ("quot", b'"'),
    ("rbrace", b'}'),
    ("rbrack", b']'),
    ("rcub", b'}'),
    ("rpar", b')'),
    ("rsqb", b']'),
    ("semi", b';'),
    ("sol", b'/'),
    ("underbar", b'_'),
    ("verbar", b'|'),
    ("vert", b'|'),
];

/// `&#47;`, `&#x2F;`, `&sol;`, `&amp;sol;`.
fn in_html(text: &[u8], byte: u8) -> Vec<usize> {
    let again = |times: usize| {
        (0..times).all(|time| text.get(1 + 4 * time..5 + 4 * time) == Some(b"amp;".as_slice()))
    };
    (0..DEEPEST)
        .take_while(|times| again(*times))
        .filter_map(|times| entity(text, 1 + 4 * times, byte))
        .collect()
}

/// The name or number of a character, that begins here and ends with a semicolon.
fn entity(text: &[u8], from: usize, byte: u8) -> Option<usize> {
    let rest = text.get(from..)?;
    let end = rest.iter().take(10).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(rest.get(..end)?).ok()?.to_ascii_lowercase();
    let code = match (name.strip_prefix("#x"), name.strip_prefix('#')) {
        (Some(digits), _) => u32::from_str_radix(digits, 16).ok()?,
        (None, Some(digits)) => digits.parse().ok()?,
        (None, None) => u32::from(NAMED.into_iter().find(|(known, _)| *known == name)?.1),
    };
    means(code, byte).then_some(from + end + 1)
}
