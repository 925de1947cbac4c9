//! What turns a JSON text into canonical bytes: in this process, or behind the adapter protocol.

use std::fmt;
use std::time::Duration;

use assayer_verifier::{Document, Limits, Scheme, canonicalize};

/// What an engine makes of one text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Canonical bytes.
    Bytes(Vec<u8>),
    /// The text is refused.
    Reject,
    /// The engine broke: an error of its own, a crash, or no answer in time.
    Error,
}

impl Outcome {
    /// The bytes, if the text was accepted.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Reject | Self::Error => None,
        }
    }
}

/// An outcome and what the engine said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The outcome.
    pub outcome: Outcome,
    /// The reason of a refusal, or what broke; empty where bytes came.
    pub why: String,
}

impl Answer {
    /// Canonical bytes.
    #[must_use]
    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self { outcome: Outcome::Bytes(bytes), why: String::new() }
    }

    /// A refusal, with its reason.
    #[must_use]
    pub fn reject(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Reject, why: why.into() }
    }

    /// Something broke.
    #[must_use]
    pub fn error(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Error, why: why.into() }
    }
}

/// A canonicalizer.
pub trait Engine: Send {
    /// Name, version and scheme as the engine gives them.
    fn identity(&self) -> &Identity;

    /// Canonicalizes texts, in order; one answer for each, and fewer only where the engine was given up on the way.
    fn canonicalize(&mut self, texts: &[Vec<u8>]) -> Vec<Answer>;

    /// The answer to one text that is to be published: asked by itself, with all the time that an answer may take.
    fn answer(&mut self, text: &[u8]) -> Option<Answer> {
        self.canonicalize(&[text.to_vec()]).pop()
    }

    /// Whether an answer is waited for, and other work can be done meanwhile.
    fn waits(&self) -> bool {
        false
    }

    /// Starts it anew, so that nothing is left of what it was asked before; whether it could.
    fn start_anew(&mut self) -> bool {
        false
    }

    /// Of the texts whose answers were late ([`SLOW`]), that of the latest.
    fn slowest(&self) -> Option<Vec<u8>> {
        None
    }

    /// Whether it broke so often that it is asked nothing more.
    fn is_given_up(&self) -> bool {
        false
    }

    /// What breaks from here on does not count towards giving the engine up; `false` ends that. A text that breaks an engine is made
    /// smaller by breaking it again and again.
    fn set_experimenting(&mut self, _on: bool) {}
}

/// An answer that takes longer is late.
pub const SLOW: Duration = Duration::from_secs(1);

/// Does something with every engine, in the order given; at the same time where one of them waits for a process.
pub(crate) fn all_at_once<'e, E: Engine + ?Sized + 'e, T: Send>(
    engines: impl Iterator<Item = &'e mut E>,
    ask: impl Fn(&mut E) -> T + Sync,
) -> Vec<T> {
    let engines: Vec<&mut E> = engines.collect();
    if !engines.iter().any(|engine| engine.waits()) {
        return engines.into_iter().map(ask).collect();
    }
    let ask = &ask;
    std::thread::scope(|scope| {
        let running: Vec<_> = engines.into_iter().map(|engine| scope.spawn(move || ask(engine))).collect();
        let joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Who an engine says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name.
    pub name: String,
    /// Version, of the engine's own counting.
    pub version: String,
    /// The scheme that it means to follow.
    pub scheme: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.name, self.version, self.scheme)
    }
}

/// An engine of this process.
pub struct Builtin {
    identity: Identity,
    canonicalize: fn(&[u8]) -> Answer,
}

impl Builtin {
    /// The names of all engines of this process.
    pub const NAMES: [&'static str; 8] = [
        "jcs",
        "jcs-exact-integers",
        "serde-jcs-0.1",
        "python-sort-keys",
        "python-sort-keys-utf8",
        "serde_jcs",
        "serde_jcs_0_1",
        "serde_json_canonicalizer",
    ];

    /// The engine of that name: a scheme of the verifier, or a crate.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let canonicalize: fn(&[u8]) -> Answer = match name {
            "jcs" => |text| verifier(text, Scheme::Jcs),
            "jcs-exact-integers" => |text| verifier(text, Scheme::JcsExactIntegers),
            "serde-jcs-0.1" => |text| verifier(text, Scheme::SerdeJcs01),
            "python-sort-keys" => |text| verifier(text, Scheme::PythonSortKeys),
            "python-sort-keys-utf8" => |text| verifier(text, Scheme::PythonSortKeysUtf8),
            "serde_jcs" => |text| crate_(text, serde_jcs::to_vec),
            "serde_jcs_0_1" => |text| crate_(text, serde_jcs_0_1::to_vec),
            "serde_json_canonicalizer" => |text| crate_(text, serde_json_canonicalizer::to_vec),
            _ => return None,
        };
        let own = name.parse::<Scheme>().is_ok();
        let identity = Identity {
            name: if own { format!("assayer:{name}") } else { name.to_owned() },
            version: match name {
                "serde_jcs" => "0.2".to_owned(),
                "serde_jcs_0_1" => "0.1.0".to_owned(),
                "serde_json_canonicalizer" => "0.4".to_owned(),
                _ => env!("CARGO_PKG_VERSION").to_owned(),
            },
            scheme: if own { name.to_owned() } else { "jcs".to_owned() },
        };
        Some(Self { identity, canonicalize })
    }

    /// An engine made of a function, for tests and benches.
    #[must_use]
    pub fn of(name: &str, scheme: &str, canonicalize: fn(&[u8]) -> Answer) -> Self {
        let identity = Identity { name: name.to_owned(), version: String::new(), scheme: scheme.to_owned() };
        Self { identity, canonicalize }
    }
}

impl Engine for Builtin {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn canonicalize(&mut self, texts: &[Vec<u8>]) -> Vec<Answer> {
        texts.iter().map(|text| (self.canonicalize)(text)).collect()
    }
}

fn verifier(text: &[u8], scheme: Scheme) -> Answer {
    match Document::read(text, &Limits::default()) {
        Err(error) => Answer::reject(error.code.as_str()),
        Ok(document) => match canonicalize(document.root(), scheme) {
            Ok(bytes) => Answer::bytes(bytes),
            Err(error) => Answer::reject(error.code.as_str()),
        },
    }
}

fn crate_(text: &[u8], write: fn(&serde_json::Value) -> Result<Vec<u8>, serde_json::Error>) -> Answer {
    match serde_json::from_slice::<serde_json::Value>(text) {
        Err(error) => Answer::reject(error.to_string()),
        Ok(value) => match write(&value) {
            Ok(bytes) => Answer::bytes(bytes),
            Err(error) => Answer::error(error.to_string()),
        },
    }
}
