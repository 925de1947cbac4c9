//! Manifests and the issuer's signature.
//!
//! A registry parses a manifest and writes it anew before it checks the signature; the two families of implementations
//! do that differently. A **reading** is one such set of rules. The signature is tried over the bytes of every reading
//! and scheme, and the ones that fit are named.

use std::borrow::Cow;
use std::fmt;

use crate::canon::{Form, Nulls, Scheme};
use crate::code::Code;
use crate::ed25519::Memory;
use crate::hash::{PublicKey, Signature, decode_hex};
use crate::json::{Kind, Value};
use crate::oversight::describe;
use crate::oversight::signed::{Fit, Text, Tried, fitting, texts};
use crate::verdict::{Layer, Problem};

/// The rules by which a manifest is parsed and written anew before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reading {
    /// Absent members get defaults; `null` members are left out everywhere; unknown members are refused; an empty
    /// recipient counts as absent. The Python registries.
    DropNulls,
    /// Absent members get defaults; `null` is signed where any value may stand; unknown members of the manifest, the
    /// recipient and the watermarks are left out. The Rust registry.
    KeepNulls,
    /// As [`Reading::KeepNulls`], and what is empty of `canonical_content_hash` and `l3_policy` is left out: issuers that
    /// are older than these members.
    WithoutNewerMembers,
}

impl Reading {
    /// Every reading, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::DropNulls, Self::KeepNulls, Self::WithoutNewerMembers];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DropNulls => "drop-nulls",
            Self::KeepNulls => "keep-nulls",
            Self::WithoutNewerMembers => "without-newer-members",
        }
    }

    fn nulls(self) -> Nulls {
        match self {
            Self::DropNulls => Nulls::DropMembers,
            Self::KeepNulls | Self::WithoutNewerMembers => Nulls::Keep,
        }
    }
}

/// The type that a member of the manifest is held to by the typed reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    Text,
    Integer,
    List,
    Anything,
    Recipient,
    Watermarks,
    Signature,
}

/// Members of a manifest, in ascending order: name, type, canonical text of the default. Fact sheet 1.1.
const MEMBERS: [(&str, Member, &str); 18] = [
    ("beacons", Member::List, "[]"),
    ("canonical_content_hash", Member::Text, "\"\""),
    ("content_hash", Member::Text, "\"\""),
    ("content_type", Member::Text, "\"application/octet-stream\""),
    ("file_id", Member::Text, "\"\""),
    ("issued_at", Member::Integer, "0"),
    ("issuer_ed25519_pub", Member::Text, "\"\""),
    ("issuer_id", Member::Text, "\"\""),
    ("l3_policy", Member::Anything, "{}"),
    ("original_filename", Member::Text, "\"\""),
    ("policy", Member::Anything, "{}"),
    ("recipient", Member::Recipient, ""),
    ("signature_ed25519", Member::Signature, "\"\""),
    ("signature_ml_dsa", Member::Signature, "\"\""),
    ("size_bytes", Member::Integer, "0"),
    ("suite", Member::Text, "\"OSGT-CLASSIC-v1\""),
    ("version", Member::Text, "\"OVERSIGHT-v1\""),
    ("watermarks", Member::Watermarks, "[]"),
];

#[expect(clippy::indexing_slicing, reason = "made at compile time")]
const NAMES: [&str; MEMBERS.len()] = {
    let mut names = [""; MEMBERS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = MEMBERS[at].0;
        at += 1;
    }
    names
};

/// In ascending order, as [`WATERMARK_MEMBERS`].
const RECIPIENT_MEMBERS: [&str; 4] = ["ed25519_pub", "p256_pub", "recipient_id", "x25519_pub"];
const WATERMARK_MEMBERS: [&str; 2] = ["layer", "mark_id"];

/// The bytes that an issuer signs, under one reading and one scheme; `None` where the reading refuses the manifest or
/// the scheme cannot write it, or only with another integer in it.
///
/// In: the manifest object. The two signature members are written as empty strings whatever they hold (fact sheet 1.1).
#[must_use]
pub fn signing_bytes(manifest: Value<'_>, reading: Reading, scheme: Scheme) -> Option<Vec<u8>> {
    form(manifest, reading)?.write(scheme, reading.nulls()).ok()
}

/// The manifest as a reading writes it anew.
fn form(manifest: Value<'_>, reading: Reading) -> Option<Form<'_>> {
    if manifest.kind() != Kind::Object {
        return None;
    }
    let forms = match reading {
        Reading::DropNulls => untyped_members(manifest)?,
        Reading::KeepNulls => typed_members(manifest)?,
        Reading::WithoutNewerMembers => {
            let mut forms = typed_members(manifest)?;
            let before = forms.len();
            forms.retain(|(name, form)| !is_empty_newer_member(name, form));
            // Where nothing is left out this is no reading of its own.
            if before == forms.len() {
                return None;
            }
            forms
        }
    };
    Some(Form::Object(forms))
}

fn is_empty_newer_member(name: &str, form: &Form<'_>) -> bool {
    let raw = match form {
        Form::Text(text) => text.as_ref(),
        Form::Value(value) if value.kind() == Kind::Object && value.members().next().is_none() => "{}",
        Form::Value(value) => value.raw(),
        Form::Object(_) | Form::Without(..) | Form::Array(_) => return false,
    };
    matches!((name, raw), ("canonical_content_hash", "\"\"") | ("l3_policy", "{}"))
}

type Members<'d> = Vec<(&'static str, Form<'d>)>;

/// The members of [`MEMBERS`], each with what the manifest has of it.
fn known_members<'d>(
    manifest: Value<'d>,
) -> impl Iterator<Item = ((&'static str, Member, &'static str), Option<Value<'d>>)> {
    MEMBERS.into_iter().zip(manifest.pick(&NAMES))
}

fn default(text: &'static str) -> Form<'static> {
    Form::Text(Cow::Borrowed(text))
}

/// [`Reading::DropNulls`]: nothing is typed, unknown members are refused, nulls fall to the writer.
fn untyped_members(manifest: Value<'_>) -> Option<Members<'_>> {
    if first_unknown(manifest).is_some() {
        return None;
    }
    let mut forms: Members<'_> = Vec::with_capacity(MEMBERS.len());
    for ((name, member, text), value) in known_members(manifest) {
        let form = match (member, value) {
            (Member::Signature, _) => default("\"\""),
            (Member::Recipient, None) => continue,
            (Member::Recipient, Some(recipient)) if is_empty_value(recipient) => continue,
            (Member::Recipient, Some(recipient)) if recipient.kind() != Kind::Object => return None,
            (Member::Watermarks, Some(list)) if list.kind() != Kind::Array => return None,
            (_, Some(value)) => Form::Value(value),
            (_, None) if name == "file_id" || name == "issued_at" => return None,
            (_, None) => default(text),
        };
        forms.push((name, form));
    }
    Some(forms)
}

/// What Python counts as false.
fn is_empty_value(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Bool => value.raw() == "false",
        Kind::Number => value.raw().parse::<f64>().is_ok_and(|number| number == 0.0),
        Kind::String => value.raw() == "\"\"",
        Kind::Array => value.items().next().is_none(),
        Kind::Object => value.members().next().is_none(),
    }
}

/// [`Reading::KeepNulls`]: known members are typed, unknown ones left out.
fn typed_members(manifest: Value<'_>) -> Option<Members<'_>> {
    let mut forms: Members<'_> = Vec::with_capacity(MEMBERS.len());
    for ((name, member, text), value) in known_members(manifest) {
        let form = match (member, value) {
            (Member::Signature, None) => default("\"\""),
            (Member::Signature, Some(value)) if value.kind() == Kind::String => default("\"\""),
            (Member::Recipient, None) => continue,
            (Member::Recipient, Some(recipient)) if recipient.is_null() => continue,
            (Member::Recipient, Some(recipient)) => typed_recipient(recipient)?,
            (_, None) => default(text),
            (Member::Watermarks, Some(list)) => typed_watermarks(list)?,
            (Member::Text, Some(value)) if value.kind() == Kind::String => Form::Value(value),
            (Member::Integer, Some(value)) => typed_integer(name, value)?,
            (Member::List, Some(value)) if value.kind() == Kind::Array => Form::Value(value),
            (Member::Anything, Some(value)) => Form::Value(value),
            (Member::Text | Member::List | Member::Signature, Some(_)) => return None,
        };
        forms.push((name, form));
    }
    Some(forms)
}

fn typed_recipient(recipient: Value<'_>) -> Option<Form<'_>> {
    if recipient.kind() != Kind::Object {
        return None;
    }
    let mut forms: Members<'_> = Vec::with_capacity(RECIPIENT_MEMBERS.len());
    for (name, value) in RECIPIENT_MEMBERS.into_iter().zip(recipient.pick(&RECIPIENT_MEMBERS)) {
        let form = match (name, value) {
            ("recipient_id", None) => return None,
            ("x25519_pub", None) => default("\"\""),
            ("ed25519_pub" | "p256_pub", None) => continue,
            ("ed25519_pub" | "p256_pub", Some(value)) if value.is_null() => continue,
            (_, Some(value)) if value.kind() == Kind::String => Form::Value(value),
            (_, _) => return None,
        };
        forms.push((name, form));
    }
    Some(Form::Object(forms))
}

fn typed_watermarks(list: Value<'_>) -> Option<Form<'_>> {
    if list.kind() != Kind::Array {
        return None;
    }
    let items = list.items().map(|item| {
        let members = WATERMARK_MEMBERS.into_iter().zip(item.pick(&WATERMARK_MEMBERS));
        let members = members.map(|(name, value)| {
            let value = value.filter(|value| value.kind() == Kind::String)?;
            Some((name, Form::Value(value)))
        });
        Some(Form::Object(members.collect::<Option<Members<'_>>>()?))
    });
    Some(Form::Array(items.collect::<Option<Vec<_>>>()?))
}

/// Integers of 64 bits, with a sign for the time and without one for the size; a number with a fraction of zero counts as the integer
/// it equals.
fn typed_integer<'d>(name: &str, value: Value<'d>) -> Option<Form<'d>> {
    let text = value.number_text()?;
    let is_time = name == "issued_at";
    let exact = if is_time { value.as_i64().is_some() } else { value.as_u64().is_some() };
    if exact {
        return Some(Form::Value(value));
    }
    let number = text.parse::<f64>().ok()?;
    let written = format!("{number:.0}");
    let whole = number.fract() == 0.0 && number.abs() < 9.3e18;
    let fits = if is_time { written.parse::<i64>().is_ok() } else { written.parse::<u64>().is_ok() };
    (whole && fits).then_some(Form::Text(Cow::Owned(written)))
}

/// Pointer of the first member, at any depth, that is null.
fn first_null(value: Value<'_>) -> Option<String> {
    let child = |name: &str, member: Value<'_>| {
        let mut pointer = String::new();
        crate::json::push_token(&mut pointer, name);
        let inner = if member.is_null() { Some(String::new()) } else { first_null(member) };
        inner.map(|inner| pointer + &inner)
    };
    let in_members =
        value.members().find_map(|(key, member)| child(&key.as_str().unwrap_or_default(), member));
    in_members.or_else(|| {
        value
            .items()
            .enumerate()
            .find_map(|(position, item)| first_null(item).map(|inner| format!("/{position}{inner}")))
    })
}

/// The first member, at any level that is closed, that is not known: its pointer below the manifest.
fn first_unknown(manifest: Value<'_>) -> Option<String> {
    let recipient = || unknown_in(manifest.get("recipient")?, &RECIPIENT_MEMBERS, "/recipient");
    let watermarks = || {
        let list = manifest.get("watermarks")?;
        list.items().enumerate().find_map(|(position, item)| {
            unknown_in(item, &WATERMARK_MEMBERS, format_args!("/watermarks/{position}"))
        })
    };
    unknown_in(manifest, &NAMES, "").or_else(recipient).or_else(watermarks)
}

/// Pointer of the first member of an object that has none of these names.
fn unknown_in<const N: usize>(object: Value<'_>, known: &[&str; N], at: impl fmt::Display) -> Option<String> {
    if object.members().count() == object.pick(known).iter().flatten().count() {
        return None;
    }
    let mut names = object.members().filter_map(|(key, _)| key.as_str());
    let unknown = names.find(|name| !known.contains(&name.as_ref()))?;
    let mut pointer = at.to_string();
    crate::json::push_token(&mut pointer, &unknown);
    Some(pointer)
}

const RULE: &str =
    "fact sheet 1.1: Ed25519 over the canonical manifest with both signature members blank (CA-1, CA-4)";

/// The texts of a manifest that the issuer's signature was tried on.
pub(crate) type Texts = Vec<Tried<(Reading, Scheme)>>;

/// Layer `issuer-signature`: the signature of the manifest at the pointer `at` under the key that it names; and the bytes that
/// it fits.
pub(crate) fn signature_layer(
    manifest: Value<'_>,
    memory: &mut Memory,
    kept: Option<&mut Option<Texts>>,
    at: &str,
) -> (Layer, Option<Vec<u8>>) {
    let mut layer = Layer::new("issuer-signature", RULE);
    match signed_form(manifest, memory, kept, &mut layer, at) {
        Ok(fit) => (report_fit(layer, manifest, &fit.names, fit.bytes.len(), at), Some(fit.bytes)),
        Err(problem) => (layer.refuted(problem), None),
    }
}

/// The bytes that the signature fits, with the readings and schemes that write them.
fn signed_form(
    manifest: Value<'_>,
    memory: &mut Memory,
    kept: Option<&mut Option<Texts>>,
    layer: &mut Layer,
    at: &str,
) -> Result<Fit<(Reading, Scheme)>, Problem> {
    let place = format!("{at}/signature_ed25519");
    let text = manifest.get("signature_ed25519");
    if text.is_none_or(|text| text.is_null() || text.raw() == "\"\"") {
        return Err(Problem::new(Code::ManifestSignatureMissing, place, "a signature", describe(text)));
    }
    let key_place = format!("{at}/issuer_ed25519_pub");
    let key_text = manifest.get("issuer_ed25519_pub");
    let bytes = noted_hex(key_text, layer, &key_place);
    let Some(key) = bytes.as_deref().and_then(PublicKey::from_slice) else {
        let code = bytes.map_or(Code::ManifestSignatureEncoding, |_| Code::Ed25519KeyLength);
        return Err(Problem::new(code, key_place, "64 hexadecimal digits", describe(key_text)));
    };
    let key = memory
        .key(&key)
        .map_err(|code| Problem::new(code, key_place, "a key of full order", key.to_hex()))?;
    let bytes = noted_hex(text, layer, &place);
    let Some(signature) = bytes.as_deref().and_then(Signature::from_slice) else {
        let code = bytes.map_or(Code::ManifestSignatureEncoding, |_| Code::Ed25519SignatureLength);
        return Err(Problem::new(code, place, "128 hexadecimal digits", describe(text)));
    };
    fitting(candidates(manifest), memory, &key, &signature, kept).map_err(|code| {
        let expected = "a signature over the manifest under one of the known readings and schemes";
        let found = format!("{signature} ({})", code.meaning());
        // A signature that could fit nothing is told apart from one that does not fit these bytes.
        let code = if code == Code::Ed25519Mismatch { Code::ManifestSignatureMismatch } else { code };
        Problem::new(code, place, expected, found)
    })
}

/// The issuer's signature, however its hexadecimal text is spelled.
pub(crate) fn issuer_signature(manifest: Value<'_>) -> Option<Signature> {
    Signature::from_slice(&lenient_hex(&manifest.get("signature_ed25519")?.as_str()?)?)
}

/// The text of every reading under every scheme, one after the other.
pub(crate) fn candidates<'d>(
    manifest: Value<'d>,
) -> impl Iterator<Item = (impl Iterator<Item = (Reading, Scheme)>, Text<'d>)> + use<'d> {
    let forms = Reading::ALL.into_iter().filter_map(move |reading| Some((reading, form(manifest, reading)?)));
    forms.flat_map(|(reading, form)| {
        texts(form, reading.nulls(), &Scheme::ALL)
            .map(move |(schemes, text)| (schemes.iter().map(move |scheme| (reading, *scheme)), text))
    })
}

fn report_fit(
    mut layer: Layer,
    manifest: Value<'_>,
    forms: &[(Reading, Scheme)],
    length: usize,
    at: &str,
) -> Layer {
    for (reading, scheme) in forms {
        if !layer.schemes.contains(scheme) {
            layer.schemes.push(*scheme);
        }
        let name = reading.as_str();
        if !layer.readings.contains(&name) {
            layer.readings.push(name);
        }
    }
    layer.recomputed = format!("{length} bytes");
    if !layer.schemes.iter().any(|scheme| scheme.is_rfc8785()) {
        let names: Vec<&str> = layer.schemes.iter().map(|scheme| scheme.as_str()).collect();
        layer.note(Code::NoteLegacyScheme, at, format!("fits only under {}", names.join(", ")));
    }
    let only = |reading| forms.iter().all(|(fitting, _)| *fitting == reading);
    if only(Reading::DropNulls)
        && let Some(null) = first_null(manifest)
    {
        let text = "the member is null; it was left out of the signed bytes";
        layer.note(Code::NoteNullDropped, format!("{at}{null}"), text);
    }
    if only(Reading::WithoutNewerMembers) {
        let text = "fits only when empty `canonical_content_hash` and `l3_policy` are left out";
        layer.note(Code::NoteLegacyReading, at, text);
    }
    layer
}

/// Hexadecimal text as the implementations read it; anything but plain lower case is noted.
pub(crate) fn noted_hex(value: Option<Value<'_>>, layer: &mut Layer, at: &str) -> Option<Vec<u8>> {
    let text = value.and_then(Value::as_str)?;
    let bytes = lenient_hex(&text)?;
    if strict_hex(&text).is_none() {
        layer.note(Code::NoteHexSpelling, at, "hexadecimal text in upper case or with white space");
    }
    Some(bytes)
}

/// Lower case, any length.
fn strict_hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    decode_hex(text.as_bytes(), &mut bytes).then_some(bytes)
}

/// Either case, white space between pairs, any length; `None` for what is no hexadecimal text.
fn lenient_hex(text: &str) -> Option<Vec<u8>> {
    if let Some(bytes) = strict_hex(text) {
        return Some(bytes);
    }
    let pairs = text.split_ascii_whitespace().map(|pair| pair.len().is_multiple_of(2).then_some(pair));
    base16ct::mixed::decode_vec(pairs.collect::<Option<String>>()?).ok()
}

/// The key that a manifest names, however its hexadecimal text is spelled.
pub(crate) fn issuer_key(manifest: Value<'_>) -> Option<PublicKey> {
    let text = manifest.get("issuer_ed25519_pub")?.as_str()?;
    PublicKey::from_slice(&lenient_hex(&text)?)
}

/// Layer `manifest-members`: every member of the manifest is covered by the signature.
pub(crate) fn members_layer(manifest: Value<'_>, at: &str) -> Layer {
    let layer = Layer::new(
        "manifest-members",
        "fact sheet 1.1: members that a parser does not know are left out of the signed bytes by one implementation",
    );
    match first_unknown(manifest) {
        None => layer,
        Some(pointer) => {
            let found = manifest.at(&pointer).map(|value| value.raw().to_owned()).unwrap_or_default();
            let expected = "only members that the issuer's signature covers";
            layer.refuted(Problem::new(
                Code::ManifestUnsignedMember,
                format!("{at}{pointer}"),
                expected,
                found,
            ))
        }
    }
}
