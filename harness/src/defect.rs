//! Defects: what turns a sound request or document into a broken one. JSON Patch (RFC 6902) with operations of our own on
//! texts, and changes of the bytes of a body.

use assayer_vectors::{Damage, PatchOperation, Reference, Unresolved, resolve};
use serde_json::{Value as Json, json};

/// A function that knows what references stand for.
pub(crate) type LookUp<'l> = dyn Fn(&Reference) -> Option<Json> + 'l;

/// The order of the group of Ed25519 (RFC 8032 section 5.1), little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A defect that cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DefectError {
    #[error("`{op}` needs a text in hexadecimal at {path}")]
    Hex { op: String, path: String },
    #[error("`{op}` at {path} needs the member `{member}`")]
    Member { op: String, path: String, member: &'static str },
    #[error(transparent)]
    Patch(#[from] json_patch::PatchError),
    #[error("the patch is none: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("there is no text {0:?} to replace in the body")]
    Text(String),
    #[error("`{op}` needs a text at {path}")]
    NotText { op: String, path: String },
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

/// Applies operations one after the other; their values may hold references.
pub(crate) fn patch(
    document: &mut Json,
    operations: &[PatchOperation],
    look_up: &LookUp<'_>,
) -> Result<(), DefectError> {
    operations.iter().try_for_each(|operation| apply(document, operation, look_up))
}

fn apply(document: &mut Json, operation: &PatchOperation, look_up: &LookUp<'_>) -> Result<(), DefectError> {
    let PatchOperation { op, path, .. } = operation;
    if !["flip-bit", "cut", "append", "upper-case", "add-order"].contains(&op.as_str()) {
        let mut resolved = resolve(&serde_json::to_value(operation)?, look_up)?;
        // In the data `value: null` and no value are one; of these operations the former is meant.
        if let Some(members) = resolved.as_object_mut().filter(|_| ["add", "replace"].contains(&op.as_str()))
        {
            members.entry("value").or_insert(Json::Null);
        }
        let patch: json_patch::Patch = serde_json::from_value(json!([resolved]))?;
        return Ok(json_patch::patch(document, &patch)?);
    }
    let place = document.pointer_mut(path);
    let Some(Json::String(text)) = place else {
        return Err(DefectError::NotText { op: op.clone(), path: path.clone() });
    };
    *text = changed(text, operation, look_up)?;
    Ok(())
}

fn changed(text: &str, operation: &PatchOperation, look_up: &LookUp<'_>) -> Result<String, DefectError> {
    let PatchOperation { op, path, .. } = operation;
    let missing = |member| DefectError::Member { op: op.clone(), path: path.clone(), member };
    let not_hex = || DefectError::Hex { op: op.clone(), path: path.clone() };
    match op.as_str() {
        "append" => match resolve(operation.value.as_ref().ok_or_else(|| missing("value"))?, look_up)? {
            Json::String(more) => Ok(format!("{text}{more}")),
            _ => Err(missing("value")),
        },
        "cut" => {
            let count = operation.count.ok_or_else(|| missing("count"))?;
            let kept = text.chars().count().saturating_sub(count);
            Ok(text.chars().take(kept).collect())
        }
        "upper-case" => Ok(text.to_uppercase()),
        "flip-bit" => {
            let bit = operation.bit.ok_or_else(|| missing("bit"))?;
            let mut bytes = hex::decode(text).map_err(|_| not_hex())?;
            *bytes.get_mut(bit / 8).ok_or_else(not_hex)? ^= 1 << (bit % 8);
            Ok(hex::encode(bytes))
        }
        _ => with_order_added(text).ok_or_else(not_hex),
    }
}

/// The other spelling of a signature: S + L in place of S. RFC 8032 section 5.1.7 has verifiers refuse it.
fn with_order_added(signature: &str) -> Option<String> {
    let mut bytes: [u8; 64] = hex::decode(signature).ok()?.try_into().ok()?;
    let (_, scalar) = bytes.split_at_mut(32);
    let mut carry = 0;
    for (byte, order) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    // S < L < 2^253: the sum has room in 32 bytes.
    (carry == 0).then(|| hex::encode(bytes))
}

/// Changes the bytes of a body.
pub(crate) fn damage(body: Vec<u8>, all: &[Damage], look_up: &LookUp<'_>) -> Result<Vec<u8>, DefectError> {
    let text = |text: &str| -> Result<String, DefectError> {
        Ok(match resolve(&Json::String(text.to_owned()), look_up)? {
            Json::String(text) => text,
            other => other.to_string(),
        })
    };
    let bytes = |hex_text: &str| -> Result<Vec<u8>, DefectError> {
        hex::decode(text(hex_text)?)
            .map_err(|_| DefectError::Hex { op: "damage".to_owned(), path: hex_text.to_owned() })
    };
    all.iter().try_fold(body, |mut body, one| match one {
        Damage::Append(more) => {
            body.extend(bytes(more)?);
            Ok(body)
        }
        Damage::Cut(count) => {
            body.truncate(body.len().saturating_sub(*count));
            Ok(body)
        }
        Damage::Prepend(before) => Ok([bytes(before)?, body].concat()),
        Damage::Replace(replacement) => {
            let old = text(&replacement.text)?;
            let at = position(&body, old.as_bytes()).ok_or_else(|| DefectError::Text(old.clone()))?;
            let new = [text(&replacement.with)?.into_bytes(), bytes(&replacement.with_hex)?].concat();
            body.splice(at..at + old.len(), new);
            Ok(body)
        }
    })
}

fn position(body: &[u8], text: &[u8]) -> Option<usize> {
    body.windows(text.len().max(1)).position(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(mut document: Json, operation: Json) -> Result<Json, DefectError> {
        let operation: PatchOperation = serde_json::from_value(operation).unwrap();
        patch(&mut document, &[operation], &|_| None)?;
        Ok(document)
    }

    #[test]
    fn texts_are_changed_where_they_stand() {
        let cases = [
            (json!({"op": "flip-bit", "path": "/a", "bit": 0}), "01ff"),
            (json!({"op": "flip-bit", "path": "/a", "bit": 15}), "007f"),
            (json!({"op": "cut", "path": "/a", "count": 1}), "00f"),
            (json!({"op": "append", "path": "/a", "value": "é"}), "00ffé"),
            (json!({"op": "upper-case", "path": "/a"}), "00FF"),
            (json!({"op": "replace", "path": "/a", "value": "x"}), "x"),
        ];
        for (operation, expected) in cases {
            assert_eq!(patched(json!({"a": "00ff"}), operation).unwrap(), json!({"a": expected}));
        }
        assert!(patched(json!({"a": "00ff"}), json!({"op": "flip-bit", "path": "/a", "bit": 16})).is_err());
        assert!(patched(json!({"a": "zz"}), json!({"op": "flip-bit", "path": "/a", "bit": 0})).is_err());
        assert!(patched(json!({"a": 1}), json!({"op": "cut", "path": "/a", "count": 1})).is_err());
        assert!(patched(json!({"a": "x"}), json!({"op": "nothing-known", "path": "/a"})).is_err());
    }

    #[test]
    fn the_order_is_added_with_carries() {
        let zero = format!("{}{}", "00".repeat(32), "ff".repeat(15) + &"00".repeat(17));
        let sum = with_order_added(&zero).unwrap();
        let expected = format!("ecd3f55c1a631258d69cf7a2def9de15{}10", "00".repeat(15));
        assert_eq!(&sum[64..], expected);
    }

    #[test]
    fn bodies_are_damaged_as_said() {
        let replace = |with: &str, with_hex: &str| {
            Damage::Replace(assayer_vectors::Replacement {
                text: "b".to_owned(),
                with: with.to_owned(),
                with_hex: with_hex.to_owned(),
            })
        };
        let cases = [
            (Damage::Append("7d".to_owned()), &b"abcb}"[..]),
            (Damage::Cut(1), b"abc"),
            (Damage::Prepend("efbbbf".to_owned()), b"\xef\xbb\xbfabcb"),
            (replace("x", "ff"), b"ax\xffcb"),
        ];
        for (one, expected) in cases {
            assert_eq!(damage(b"abcb".to_vec(), &[one], &|_| None).unwrap(), expected);
        }
        assert!(damage(b"acc".to_vec(), &[replace("", "")], &|_| None).is_err());
    }
}
