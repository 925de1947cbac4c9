//! What a run draws anew: random values, throwaway keys, and the documents that are made and signed with them.

use std::collections::BTreeMap;

use assayer_vectors::{Fixture, Reference, SignedForm, Suite, Unresolved, ValueSource, Wire, resolve};
use assayer_verifier::oversight::{Reading, signing_bytes};
use assayer_verifier::{Document, ReadError, Scheme, UnknownScheme, canonicalize};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value as Json, json};

use crate::client::ANSWER_LIMITS;
use crate::defect::{DefectError, patch};

/// Why the documents of a run could not be made: the suite's data is wrong, or the system has no randomness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NamesError {
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// A fixture refers to something that is not there.
    #[error("fixture `{fixture}`: {source}")]
    Reference {
        /// The fixture.
        fixture: String,
        /// The reference.
        source: Unresolved,
    },
    /// A fixture starts from one that comes after it or is not there.
    #[error("fixture `{fixture}` starts from `{of}`, which does not stand before it")]
    Of {
        /// The fixture.
        fixture: String,
        /// What it starts from.
        of: String,
    },
    /// A patch could not be applied.
    #[error("fixture `{at}`: {message}")]
    Patch {
        /// Where.
        at: String,
        /// Why.
        message: String,
    },
    /// A fixture is signed with something that is no key.
    #[error("fixture `{fixture}` is signed by `{key}`, which is no Ed25519 key of this suite")]
    Key {
        /// The fixture.
        fixture: String,
        /// The name.
        key: String,
    },
    /// A fixture cannot be signed as a manifest.
    #[error("fixture `{fixture}` is no manifest that can be signed under {scheme}")]
    Unsignable {
        /// The fixture.
        fixture: String,
        /// The canonicalization.
        scheme: String,
    },
    /// The wire profile names no known canonicalization.
    #[error("wire profile: {0}")]
    Scheme(#[from] UnknownScheme),
    /// A fixture is no strict JSON.
    #[error("fixture `{fixture}`: {source}")]
    Read {
        /// The fixture.
        fixture: String,
        /// Why.
        source: ReadError,
    },
}

/// The files that the caller named, which were registered before the run.
pub(crate) const GIVEN: &str = "given";

/// Names and what they stand for in this run.
pub struct Names {
    /// Values and fixtures, without private keys.
    pub(crate) public: BTreeMap<String, Json>,
}

impl Names {
    /// Draws the values and builds the fixtures of a suite. `$given` are the files that the caller named.
    ///
    /// # Errors
    /// [`NamesError`] where the data does not allow it.
    pub fn draw(suite: &Suite, wire: &Wire, given: &[String]) -> Result<Self, NamesError> {
        let scheme: Scheme = wire.canonicalization.parse()?;
        let mut keys = BTreeMap::new();
        let mut public = BTreeMap::new();
        for (name, source) in &suite.values {
            let value = match source {
                ValueSource::Uuid {} => {
                    json!(uuid::Builder::from_random_bytes(random()?).into_uuid().to_string())
                }
                ValueSource::Hex { bytes } => json!(random_hex(*bytes)?),
                ValueSource::Ed25519 {} => {
                    let key = SigningKey::from_bytes(&random()?);
                    let value = json!({"public": hex::encode(key.verifying_key().to_bytes())});
                    keys.insert(name.clone(), key);
                    value
                }
            };
            public.insert(name.clone(), value);
        }
        public.insert(GIVEN.to_owned(), json!({"count": given.len(), "file_ids": given}));
        let mut names = Self { public };
        let mut templates: BTreeMap<String, Json> = BTreeMap::new();
        for fixture in &suite.fixtures {
            let (unsigned, finished) = names.build(fixture, &templates, &keys, scheme)?;
            templates.insert(fixture.id.clone(), unsigned);
            names.public.insert(fixture.id.clone(), finished);
        }
        Ok(names)
    }

    pub(crate) fn look_up(&self, reference: &Reference) -> Option<Json> {
        self.public.get(&reference.name)?.pointer(&reference.pointer).cloned()
    }

    /// A fixture before signing, and when it is finished.
    fn build(
        &self,
        fixture: &Fixture,
        templates: &BTreeMap<String, Json>,
        keys: &BTreeMap<String, SigningKey>,
        scheme: Scheme,
    ) -> Result<(Json, Json), NamesError> {
        let id = || fixture.id.clone();
        let template = match (&fixture.template, &fixture.of) {
            (Some(template), _) => template.clone(),
            (None, of) => {
                let of = of.clone().unwrap_or_default();
                templates.get(&of).cloned().ok_or_else(|| NamesError::Of { fixture: id(), of })?
            }
        };
        let look_up = |reference: &Reference| self.look_up(reference);
        let unresolved = |source| NamesError::Reference { fixture: id(), source };
        let mut document = resolve(&template, &look_up).map_err(unresolved)?;
        let failed = |error: DefectError| NamesError::Patch { at: id(), message: error.to_string() };
        patch(&mut document, &fixture.before, &look_up).map_err(failed)?;
        let unsigned = document.clone();
        if let Some(name) = &fixture.sign {
            let key = keys.get(name).ok_or_else(|| NamesError::Key { fixture: id(), key: name.clone() })?;
            let scheme = fixture.scheme.as_ref().map_or(Ok(scheme), |name| name.parse())?;
            sign(&mut document, key, scheme, fixture)?;
        }
        patch(&mut document, &fixture.after, &look_up).map_err(failed)?;
        Ok((unsigned, document))
    }
}

fn sign(document: &mut Json, key: &SigningKey, scheme: Scheme, fixture: &Fixture) -> Result<(), NamesError> {
    let bytes = match fixture.signed_form {
        SignedForm::Blanked => blanked_bytes(document, scheme, fixture)?,
        SignedForm::Removed => removed_bytes(document, scheme, fixture)?,
    };
    if let Some(members) = document.as_object_mut() {
        members.insert("signature_ed25519".to_owned(), json!(hex::encode(key.sign(&bytes).to_bytes())));
    }
    Ok(())
}

fn blanked_bytes(document: &Json, scheme: Scheme, fixture: &Fixture) -> Result<Vec<u8>, NamesError> {
    let text = document.to_string();
    let read = read(&text, fixture)?;
    // RFC 8785 knows of no member that is left out because it is null.
    let reading = if scheme == Scheme::Jcs { Reading::KeepNulls } else { Reading::DropNulls };
    signing_bytes(read.root(), reading, scheme).ok_or_else(|| unsignable(scheme, fixture))
}

/// What the specification's text would have signed: the manifest without its signature members.
fn removed_bytes(document: &Json, scheme: Scheme, fixture: &Fixture) -> Result<Vec<u8>, NamesError> {
    let mut unsigned = document.clone();
    if let Some(members) = unsigned.as_object_mut() {
        members.remove("signature_ed25519");
        members.remove("signature_ml_dsa");
    }
    let text = unsigned.to_string();
    canonicalize(read(&text, fixture)?.root(), scheme).map_err(|_| unsignable(scheme, fixture))
}

fn read<'t>(text: &'t str, fixture: &Fixture) -> Result<Document<'t>, NamesError> {
    Document::read(text.as_bytes(), &ANSWER_LIMITS)
        .map_err(|source| NamesError::Read { fixture: fixture.id.clone(), source })
}

fn unsignable(scheme: Scheme, fixture: &Fixture) -> NamesError {
    NamesError::Unsignable { fixture: fixture.id.clone(), scheme: scheme.to_string() }
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Lower-case hexadecimal text of random bytes.
pub(crate) fn random_hex(bytes: usize) -> Result<String, getrandom::Error> {
    let mut buffer = vec![0; bytes.min(1 << 16)];
    getrandom::fill(&mut buffer)?;
    Ok(hex::encode(buffer))
}
