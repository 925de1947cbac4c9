//! The second signature of hybrid manifests: ML-DSA-65 over the very bytes that the Ed25519 signature covers.

use crate::code::Code;
use crate::json::Value;
use crate::oversight::suite::Suite;
use crate::oversight::{Trust, describe, manifest};
use crate::verdict::{Layer, Problem};

const ID: &str = "post-quantum";

const RULE: &str = "sealed-manifest rules: a hybrid manifest is valid only if both signatures are; FIPS 204 algorithm 3, ML-DSA-65, empty context";

/// Layer `post-quantum`: where the suite asks for an ML-DSA-65 signature, it is good under a key that the caller trusts.
///
/// The key stands nowhere in a bundle, so without one given for this issuer nothing is established.
pub(crate) fn layer(
    manifest: Value<'_>,
    suite: Option<Suite>,
    trust: &Trust<'_>,
    signed: Option<&[u8]>,
    at: &str,
) -> Layer {
    let mut layer = Layer::new(ID, RULE);
    let slot = manifest.get("signature_ml_dsa");
    let place = || format!("{at}/signature_ml_dsa");
    let is_empty = slot.is_none_or(|slot| slot.is_null() || slot.raw() == "\"\"");
    match suite {
        None => {
            let expected = "a known suite";
            let found = describe(manifest.get("suite"));
            layer.not_established(Problem::new(Code::NotReached, format!("{at}/suite"), expected, found))
        }
        Some(Suite::Hybrid) if is_empty => {
            let expected = "an ML-DSA-65 signature, which the suite asks for";
            layer.refuted(Problem::new(Code::PostQuantumSignatureMissing, place(), expected, describe(slot)))
        }
        Some(Suite::Hybrid) => verify_slot(layer, manifest, trust, signed, at),
        Some(Suite::Classic | Suite::HardwareP256) => {
            if !is_empty {
                let text = "the suite asks for no such signature; nobody signed what stands here, and nothing verifies it";
                layer.note(Code::NoteUnsignedSlot, place(), text);
            }
            layer.recomputed("the suite asks for no second signature")
        }
    }
}

fn verify_slot(
    mut layer: Layer,
    manifest: Value<'_>,
    trust: &Trust<'_>,
    signed: Option<&[u8]>,
    at: &str,
) -> Layer {
    let place = format!("{at}/signature_ml_dsa");
    let slot = manifest.get("signature_ml_dsa");
    let signature = manifest::noted_hex(slot, &mut layer, &place);
    let issuer = manifest::issuer_key(manifest);
    let mut keys = trust.ml_dsa_keys.iter().filter(|key| Some(key.issuer) == issuer).peekable();
    let (Some(_), Some(signature)) = (keys.peek(), &signature) else {
        let known = keys.peek().is_some();
        return without_key_or_signature(
            layer,
            known,
            signature.map(|signature| signature.len()),
            slot,
            place,
        );
    };
    let Some(bytes) = signed else {
        let expected = "the bytes that the Ed25519 signature covers";
        return layer.not_established(Problem::new(Code::NotReached, place, expected, "none"));
    };
    let mut outcome = Err(Code::NotBuilt);
    for key in keys {
        outcome = key.key.verify(bytes, b"", signature);
        if outcome.is_ok() {
            break;
        }
    }
    let expected = "an ML-DSA-65 signature by this issuer over the bytes that Ed25519 signs";
    match outcome {
        Ok(()) => layer.recomputed(format!("{} bytes, the same as for Ed25519", bytes.len())),
        Err(Code::NotBuilt) => {
            layer.not_established(Problem::new(Code::NotBuilt, place, "the feature post-quantum", "none"))
        }
        Err(code) => layer.refuted(Problem::new(code, place, expected, describe(slot))),
    }
}

/// What can never be a signature is refuted only beside a key of the issuer: recorded registries store such manifests,
/// and the recordings count them as good (`docs/decisions/post-quantum-slot.md`).
fn without_key_or_signature(
    layer: Layer,
    key_is_known: bool,
    length: Option<usize>,
    slot: Option<Value<'_>>,
    place: String,
) -> Layer {
    if key_is_known {
        let expected = "hexadecimal digits of an ML-DSA-65 signature";
        return layer.refuted(Problem::new(Code::MlDsaSignatureEncoding, place, expected, describe(slot)));
    }
    let expected = "an ML-DSA-65 key of this issuer in the trust policy";
    let found =
        length.map_or_else(|| "none".to_owned(), |length| format!("none, for a slot of {length} bytes"));
    layer.not_established(Problem::new(Code::PostQuantumKeyMissing, place, expected, found))
}
