//! JSON Schemas of parts of answers, with one keyword of our own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonschema::{Keyword, ValidationError, Validator};
use serde_json::Value as Json;

/// `writtenAsInteger`: a number must be written without fraction and exponent. To JSON Schema `1.0` is an integer; to
/// the clients of a registry it is not.
struct WrittenAsInteger;

impl<'i> Keyword<'i> for WrittenAsInteger {
    fn validate(&self, instance: &'i Json) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("a number written as an integer"))
        }
    }

    fn is_valid(&self, instance: &'i Json) -> bool {
        // What is too large for 64 bits is read as a double, however it is written; no count or index is so large.
        instance.as_number().is_none_or(|number| number.is_i64() || number.is_u64())
    }
}

thread_local! {
    /// Schemas that were read once: rows by the hundred are checked against one.
    static KNOWN: RefCell<HashMap<String, Rc<Validator>>> = RefCell::default();
}

/// No suite has as many schemas.
const MOST_KNOWN: usize = 4096;

fn validator(schema: &Json) -> Result<Rc<Validator>, String> {
    let text = schema.to_string();
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&text).cloned()) {
        return Ok(known);
    }
    let validator = jsonschema::options()
        .with_keyword("writtenAsInteger", |_, _, _| Ok(Box::new(WrittenAsInteger)))
        .build(schema)
        .map_err(|error| format!("the schema is wrong: {error}"))?;
    let validator = Rc::new(validator);
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(text, Rc::clone(&validator));
    });
    Ok(validator)
}

/// Checks a JSON text against a schema.
///
/// # Errors
/// The first thing that does not fit, in words, with its place.
pub(crate) fn check(text: &str, schema: &Json) -> Result<(), String> {
    // Only the shape is looked at, and the text has been read strictly before.
    let instance: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    check_value(&instance, schema)
}

/// Checks a value against a schema.
///
/// # Errors
/// The first thing that does not fit, in words, with its place.
pub(crate) fn check_value(instance: &Json, schema: &Json) -> Result<(), String> {
    match validator(schema)?.iter_errors(instance).next() {
        None => Ok(()),
        Some(error) => {
            let below = error.instance_path().to_string();
            let below = if below.is_empty() { String::new() } else { format!("{below}: ") };
            Err(format!("{below}expected a value that fits the schema: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_integer_is_one_by_its_text() {
        let schema = json!({"type": ["integer", "boolean"], "writtenAsInteger": true});
        for text in ["1", "-1", "0", "true"] {
            assert_eq!(check(text, &schema), Ok(()), "{text}");
        }
        for text in ["1.0", "1e2", "\"1\"", "null", "1.5"] {
            assert!(check(text, &schema).is_err(), "{text}");
        }
    }
}
