//! JSON text that is canonical as it is written: bundles and pages of a log are too large to be built as trees first.
//!
//! Whoever writes gives the members of an object in the order of their names. All names are ASCII letters, so that both canonical
//! forms order them alike; the forms differ in strings.

use std::{fmt::Write, ops::Range};

use rusqlite::{Statement, types::ValueRef};
use serde_json::Value;

use crate::{canonical::Form, error::ApiError, merkle::Hash, room::Claim};

/// A JSON text under construction.
pub(crate) struct Text {
    form: Form,
    text: String,
    /// On the memory in which it is written.
    claim: Option<Claim>,
}

impl Text {
    pub(crate) fn new(form: Form) -> Self {
        Self { form, text: String::new(), claim: None }
    }

    /// A text that may not grow beyond the memory that there is for its reader.
    pub(crate) fn within(form: Form, claim: Claim) -> Self {
        Self { claim: Some(claim), ..Self::new(form) }
    }

    /// Whether it may go on to grow.
    pub(crate) fn has_room(&mut self) -> Result<(), ApiError> {
        self.claim.as_mut().map_or(Ok(()), |claim| claim.cover(self.text.len()))
    }

    /// Separates an item or member from the one before it.
    pub(crate) fn next(&mut self) {
        if !matches!(self.text.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.text.push(',');
        }
    }

    /// Text that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// The name of a member; what follows is its value.
    pub(crate) fn name(&mut self, name: &str) {
        self.next();
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    /// A small value, in its canonical form.
    pub(crate) fn value(&mut self, value: &Value) -> Result<(), ApiError> {
        Ok(self.form.push(value, &mut self.text)?)
    }

    pub(crate) fn string(&mut self, string: &str) {
        self.form.push_string(string, &mut self.text);
    }

    /// Bytes that are UTF-8, as leaves are; what is not stands there as U+FFFD.
    pub(crate) fn utf8(&mut self, bytes: &[u8]) {
        // Valid text is recognized many bytes at a time, and looked through byte by byte only where it is not.
        match str::from_utf8(bytes) {
            Ok(text) => self.string(text),
            Err(_) => self.string(&String::from_utf8_lossy(bytes)),
        }
    }

    pub(crate) fn integer(&mut self, number: impl Into<i128>) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{}", number.into());
    }

    /// Lower-case hexadecimal digits in quotes.
    pub(crate) fn hex(&mut self, bytes: &[u8]) {
        const AT_ONCE: usize = 64;
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        self.text.push('"');
        for part in bytes.chunks(AT_ONCE) {
            let mut digits = [0; 2 * AT_ONCE];
            for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(part) {
                *pair = [digit(byte >> 4), digit(byte & 15)];
            }
            let digits = digits.get(..2 * part.len()).and_then(|digits| str::from_utf8(digits).ok());
            self.text.push_str(digits.unwrap_or_default());
        }
        self.text.push('"');
    }

    pub(crate) fn hashes(&mut self, hashes: &[Hash]) {
        self.text.push('[');
        for hash in hashes {
            self.next();
            self.hex(hash);
        }
        self.text.push(']');
    }

    /// The rows of a statement as a list of objects whose members are its columns, which it names in order; `each` gets to
    /// see the value of one column of each row.
    pub(crate) fn rows(
        &mut self,
        statement: &mut Statement<'_>,
        parameter: &str,
        watched: &str,
        mut each: impl FnMut(Option<i64>),
    ) -> Result<(), ApiError> {
        let names: Vec<String> = statement.column_names().map(String::from).collect();
        let watched = names.iter().position(|name| name == watched);
        let mut rows = statement.query([parameter])?;
        while let Some(row) = rows.next()? {
            self.next();
            self.text.push('{');
            for (position, name) in names.iter().enumerate() {
                self.name(name);
                self.column(row.get_ref(position)?)?;
            }
            self.text.push('}');
            self.has_room()?;
            each(watched.map_or(Ok(None), |position| row.get(position))?);
        }
        Ok(())
    }

    fn column(&mut self, value: ValueRef<'_>) -> Result<(), ApiError> {
        match value {
            ValueRef::Null => self.text.push_str("null"),
            ValueRef::Integer(number) => self.integer(number),
            ValueRef::Text(text) => self.string(str::from_utf8(text).map_err(|_| ApiError::server_error())?),
            // No column has either; a value that was put there by hand is shown as what it is.
            ValueRef::Real(number) => self.string(&number.to_string()),
            ValueRef::Blob(bytes) => self.hex(bytes),
        }
        Ok(())
    }

    /// Writes something, and says where in the text it stands.
    pub(crate) fn written(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), ApiError>,
    ) -> Result<Range<usize>, ApiError> {
        let start = self.text.len();
        write(self)?;
        Ok(start..self.text.len())
    }

    /// A part of the text once more, at the end.
    pub(crate) fn again(&mut self, part: Range<usize>) {
        self.text.extend_from_within(part);
    }

    /// Makes room for so many bytes more.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_canonical_in_both_forms() {
        let hostile = "a\"\\\u{0}\u{8}\t\n\u{c}\r\u{1f} ~\u{7f}\u{80}é\u{2028}😀";
        for form in [Form::Jcs, Form::SortedAscii] {
            let mut text = Text::new(form);
            text.string(hostile);
            assert_eq!(text.as_str().as_bytes(), form.bytes(&Value::from(hostile)).unwrap(), "{form:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        let mut text = Text::new(Form::Jcs);
        text.utf8("é\"".as_bytes());
        text.utf8(b"a\xffb");
        assert_eq!(text.as_str(), "\"é\\\"\"\"a\u{fffd}b\"");
    }

    #[test]
    fn bytes_of_any_length_are_hexadecimal() {
        for length in [0, 1, 63, 64, 65, 200] {
            let bytes: Vec<u8> = (0..length).collect();
            let mut text = Text::new(Form::Jcs);
            text.hex(&bytes);
            assert_eq!(text.as_str(), format!("\"{}\"", hex::encode(&bytes)));
        }
    }

    #[test]
    fn values_are_separated_and_rows_are_objects() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let rows = "SELECT column1 AS a, column2 AS b FROM (VALUES (1, 'x'), (NULL, x'0a')) WHERE ?1 = 'p'";
        let (mut text, mut seen) = (Text::new(Form::Jcs), Vec::new());
        text.raw("{");
        text.name("hashes");
        text.hashes(&[[0xab; 32], [0; 32]]);
        text.name("rows");
        text.raw("[");
        text.rows(&mut connection.prepare(rows).unwrap(), "p", "a", |a| seen.push(a)).unwrap();
        text.raw("]}");
        let expected = format!(
            r#"{{"hashes":["{}","{}"],"rows":[{{"a":1,"b":"x"}},{{"a":null,"b":"0a"}}]}}"#,
            "ab".repeat(32),
            "00".repeat(32)
        );
        assert_eq!(text.as_str(), expected);
        assert_eq!(seen, [Some(1), None]);
    }
}
