//! Canonical bytes (RFC 8785).

use serde_json::Value;

/// The value has no canonical form. Values that came through the strict reader always have one.
#[derive(Debug, thiserror::Error)]
#[error("value has no RFC 8785 form")]
pub(crate) struct NotCanonical(#[from] serde_json::Error);

/// The RFC 8785 bytes of a value.
pub(crate) fn bytes(value: &Value) -> Result<Vec<u8>, NotCanonical> {
    Ok(serde_json_canonicalizer::to_vec(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict_json;

    fn canonical(text: &str) -> String {
        String::from_utf8(bytes(&strict_json::parse(text.as_bytes()).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn numbers_follow_ecmascript() {
        let numbers = "[1.0,1e2,1E-7,0.00001,1e20,1e21,-0,-0.0,9007199254740992,-5]";
        assert_eq!(
            canonical(numbers),
            "[1,100,1e-7,0.00001,100000000000000000000,1e+21,0,0,9007199254740992,-5]"
        );
    }

    #[test]
    fn members_are_ordered_by_utf16_code_units() {
        assert_eq!(
            canonical(r#"{"\ue000":1,"😀":2,"a b":3,"a":4}"#),
            "{\"a\":4,\"a b\":3,\"😀\":2,\"\u{e000}\":1}"
        );
    }

    #[test]
    fn strings_keep_everything_but_the_mandatory_escapes() {
        assert_eq!(
            canonical(r#"["é\u007f\u2028\/","\b\u001f\"\\"]"#),
            "[\"é\u{7f}\u{2028}/\",\"\\b\\u001f\\\"\\\\\"]"
        );
    }
}
