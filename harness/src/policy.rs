//! A trust policy: what an auditor trusts, written down once.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{IssuerMlDsaKey, KeyWindow, SignedHead, Trust, Vantage};
use assayer_verifier::{
    Document, Hash, LayerMeaning, Limits, LogKey, MlDsa65Key, PublicKey, TreeHead, TsaCertificate, Value,
    VerifiedKey, empty_root,
};
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// No policy is longer.
const LONGEST_POLICY: u64 = 1 << 20;

/// No saved answer of `/tlog/head` is longer.
const LONGEST_HEAD: u64 = 1 << 16;

/// What an auditor trusts.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Keys of registries.
    pub registry_keys: Vec<PublicKey>,
    /// When each of them is trusted, where that is bounded.
    pub windows: Vec<KeyWindow>,
    /// Keys of issuers.
    pub issuer_keys: Vec<PublicKey>,
    /// Second keys of issuers, for hybrid manifests.
    pub ml_dsa_keys: Vec<IssuerMlDsaKey>,
    /// Keys that sign attestations.
    pub attestation_keys: Vec<PublicKey>,
    /// Transparency logs that hold attestations.
    pub log_keys: Vec<LogKey>,
    /// Certificates that the chains of time stamps must end at.
    pub tsa_roots: Vec<TsaCertificate>,
    /// Certificates for time stamps that do not carry them.
    pub tsa_certificates: Vec<TsaCertificate>,
    /// Whether any issuer will do.
    pub any_issuer: bool,
    /// Known tree heads.
    pub heads: Vec<TreeHead>,
    /// Layers that must be established, beyond the usual ones.
    pub required: Vec<&'static str>,
    /// Heads that were fetched from several places.
    pub vantages: Vec<Vantage>,
    /// How many of these places must have seen a head; 0 for none.
    pub quorum: usize,
    /// The oldest evidence that will do, in seconds.
    pub most_seconds: Option<i64>,
}

/// Why a policy is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Certificates that cannot be read.
    #[error("{path}: `[[tsa]]`: expected certificates in PEM, `-----BEGIN CERTIFICATE-----` and base64")]
    Certificate {
        /// The policy.
        path: String,
    },
    /// Two statements of the policy, or of the policy and the options beside it, that cannot both hold.
    #[error("what is trusted contradicts itself: {what}")]
    Contradiction {
        /// The two statements.
        what: String,
    },
    /// A known head of no leaves that is none.
    #[error("{path}: head of size 0: {source}")]
    EmptyRoot {
        /// The policy.
        path: String,
        /// What was found.
        source: EmptyRootError,
    },
    /// A key that no signature may be trusted under.
    #[error("{path}: key `{key}`: {why}")]
    Key {
        /// The policy.
        path: String,
        /// The key.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// Too long to be a policy.
    #[error("{path}: expected a policy of at most {LONGEST_POLICY} bytes, found more")]
    Length {
        /// The policy.
        path: String,
    },
    /// A file of a vantage point that holds no tree head, or none that a trusted registry key signed.
    #[error("{path}: vantage point `{vantage}`: {file}: {why}")]
    HeadFile {
        /// The policy.
        path: String,
        /// The vantage point.
        vantage: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A layer that does not exist.
    #[error("{path}: there is no layer `{layer}`, expected one of {}", layers())]
    Layer {
        /// The policy.
        path: String,
        /// The name.
        layer: String,
    },
    /// A quorum that cannot be reached, or vantage points that cannot be told apart.
    #[error("{path}: {why}")]
    Quorum {
        /// The policy.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// A root that is none.
    #[error("{path}: root `{root}`: expected 64 lower-case hexadecimal digits")]
    Root {
        /// The policy.
        path: String,
        /// The root.
        root: String,
    },
    /// Not TOML, or not of a policy's form.
    #[error("{path}: {message}")]
    Shape {
        /// The policy.
        path: String,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A window that is never open.
    #[error("{path}: key `{key}`: it is trusted until {until}, which is before {from}")]
    Window {
        /// The policy.
        path: String,
        /// The key.
        key: String,
        /// Beginning.
        from: Timestamp,
        /// End.
        until: Timestamp,
    },
}

/// A tree head of no leaves that states another root than no leaves have (`docs/decisions/empty-trees.md`).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the root of no leaves, {} (SHA-256 of nothing), found {found}", empty_root())]
pub struct EmptyRootError {
    /// The root that it states.
    pub found: Hash,
}

/// A head that somebody knows from elsewhere.
///
/// # Errors
/// [`EmptyRootError`]: no log has such a head, so nobody can have seen one.
pub fn known_head(size: u64, root: Hash) -> Result<TreeHead, EmptyRootError> {
    if size == 0 && root != empty_root() {
        return Err(EmptyRootError { found: root });
    }
    Ok(TreeHead { size, root })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    any_issuer: bool,
    max_age_days: Option<u32>,
    #[serde(default)]
    require: Vec<String>,
    #[serde(default)]
    registry: Vec<RegistryKey>,
    #[serde(default)]
    issuer: Vec<IssuerKey>,
    #[serde(default)]
    attestation: Vec<AttestationKey>,
    #[serde(default)]
    transparency_log: Vec<TransparencyLog>,
    #[serde(default)]
    tsa: Vec<Tsa>,
    #[serde(default)]
    head: Vec<Head>,
    quorum: Option<Quorum>,
    #[serde(default)]
    vantage: Vec<VantageEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quorum {
    at_least: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VantageEntry {
    name: String,
    #[serde(default)]
    files: Vec<PathBuf>,
    #[serde(default)]
    head: Vec<Head>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tsa {
    /// PEM.
    root: String,
    certificates: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttestationKey {
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransparencyLog {
    name: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryKey {
    key: String,
    #[serde(default, deserialize_with = "instant")]
    from: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant")]
    until: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerKey {
    key: String,
    /// The key of the second signature of hybrid manifests, 3,904 hexadecimal digits.
    ml_dsa_65: Option<String>,
    /// Whether only hybrid manifests of this issuer will do.
    #[serde(default)]
    hybrid_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    size: u64,
    root: String,
}

impl Policy {
    /// What the policy says, as the verifier takes it; what no policy can say is left out.
    #[must_use]
    pub fn trust(&self) -> Trust<'_> {
        Trust::default()
            .registry_keys(&self.registry_keys)
            .vantages(&self.vantages)
            .quorum(self.quorum)
            .windows(&self.windows)
            .issuer_keys(&self.issuer_keys)
            .ml_dsa_keys(&self.ml_dsa_keys)
            .attestation_keys(&self.attestation_keys)
            .log_keys(&self.log_keys)
            .tsa_roots(&self.tsa_roots)
            .tsa_certificates(&self.tsa_certificates)
            .any_issuer(self.any_issuer)
            .heads(&self.heads)
            .required(&self.required)
    }

    /// Reads a policy from a TOML file. `registry_keys` are those that are trusted beside it: heads of vantage points that
    /// come in files must be signed with one of these or of the policy's own.
    ///
    /// # Errors
    /// [`PolicyError`] naming the file and what is wrong in it.
    pub fn read(path: &Path, registry_keys: &[PublicKey]) -> Result<Self, PolicyError> {
        let name = path.display().to_string();
        let shape = |message: String| PolicyError::Shape { path: name.clone(), message };
        let bytes = bounded(path, LONGEST_POLICY)?;
        let bytes = bytes.ok_or_else(|| PolicyError::Length { path: name.clone() })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            shape(format!("expected TOML in UTF-8, found a byte at {at} that is no part of such a text"))
        })?;
        let file: File = toml::from_str(&text).map_err(|error| shape(error.to_string()))?;
        Self::of(file, &name, registry_keys)
    }

    /// The key of a saved well-known document (`/.well-known/oversight-registry`, requirement WK-1).
    ///
    /// # Errors
    /// [`PolicyError`] where the file cannot be read, or has no key at `/ed25519_pub`.
    pub fn well_known_key(path: &Path) -> Result<PublicKey, PolicyError> {
        let name = path.display().to_string();
        let bytes = bounded(path, LONGEST_POLICY)?;
        let bytes = bytes.ok_or_else(|| PolicyError::Length { path: name.clone() })?;
        let shape = |message: String| PolicyError::Shape { path: name.clone(), message };
        let document =
            Document::read(&bytes, &Limits::default()).map_err(|error| shape(error.to_string()))?;
        let text = document.root().get("ed25519_pub").and_then(Value::as_str);
        let key = text.as_deref().and_then(|text| PublicKey::from_hex(&text.to_ascii_lowercase()));
        key.filter(|key| VerifiedKey::new(key).is_ok()).ok_or_else(|| {
            let found = text.map_or_else(|| "none".to_owned(), |text| format!("{text:?}"));
            shape(format!("/ed25519_pub: expected a public key of 64 hexadecimal digits, found {found}"))
        })
    }

    /// Adds what is trusted beside this policy; of two bounds the stricter one holds.
    ///
    /// # Errors
    /// [`PolicyError::Contradiction`] where two statements cannot both hold.
    pub fn with(mut self, more: Self) -> Result<Self, PolicyError> {
        self.registry_keys.extend(more.registry_keys);
        self.windows.extend(more.windows);
        self.issuer_keys.extend(more.issuer_keys);
        self.ml_dsa_keys.extend(more.ml_dsa_keys);
        self.attestation_keys.extend(more.attestation_keys);
        self.log_keys.extend(more.log_keys);
        self.tsa_roots.extend(more.tsa_roots);
        self.tsa_certificates.extend(more.tsa_certificates);
        self.any_issuer |= more.any_issuer;
        self.heads.extend(more.heads);
        self.required.extend(more.required);
        self.vantages.extend(more.vantages);
        self.quorum = self.quorum.max(more.quorum);
        self.most_seconds = self.most_seconds.into_iter().chain(more.most_seconds).min();
        self.consistent()
    }

    /// The policy, unless it says one thing and another that rules it out.
    fn consistent(self) -> Result<Self, PolicyError> {
        let contradiction = |what: String| Err(PolicyError::Contradiction { what });
        if self.any_issuer && !self.issuer_keys.is_empty() {
            let count = self.issuer_keys.len();
            return contradiction(format!(
                "any issuer will do, and only {count} named ones: expected one of these"
            ));
        }
        let stated = |key: &PublicKey| self.registry_keys.iter().filter(|stated| *stated == key).count();
        let bounded = |key: &PublicKey| self.windows.iter().filter(|window| window.key == *key).count();
        if let Some(window) = self.windows.iter().find(|window| stated(&window.key) > bounded(&window.key)) {
            let key = window.key;
            return contradiction(format!(
                "registry key {key} is trusted at any time, and from or until some time only: expected one of these"
            ));
        }
        let mut roots = BTreeMap::new();
        for head in &self.heads {
            let before = *roots.entry(head.size).or_insert(head.root);
            if before != head.root {
                let (size, root) = (head.size, head.root);
                return contradiction(format!(
                    "known heads of {size} leaves: expected one root, found {before} and {root}"
                ));
            }
        }
        Ok(self)
    }

    fn of(file: File, path: &str, registry_keys: &[PublicKey]) -> Result<Self, PolicyError> {
        let mut policy = Self {
            any_issuer: file.any_issuer,
            most_seconds: file.max_age_days.map(|days| i64::from(days) * 86_400),
            ..Self::default()
        };
        for registry in file.registry {
            let key = key(&registry.key, path)?;
            policy.registry_keys.push(key);
            policy.windows.extend(window(key, &registry, path)?);
        }
        for issuer in file.issuer {
            policy.issuer_keys.push(key(&issuer.key, path)?);
            policy.ml_dsa_keys.extend(ml_dsa_key(&issuer, path)?);
        }
        policy.add_attesters(file.attestation, file.transparency_log, path)?;
        policy.add_authorities(file.tsa, path)?;
        for head in file.head {
            policy.heads.push(tree_head(&head, path)?);
        }
        policy.quorum = quorum(file.quorum.as_ref(), &file.vantage, path)?;
        let trusted = [registry_keys, &policy.registry_keys].concat();
        let keys = Keys { all: &trusted, windows: &policy.windows, now: Timestamp::now().as_second() };
        policy.vantages = vantages(file.vantage, &keys, path)?;
        policy.require(file.require, path)?;
        policy.consistent()
    }

    fn add_attesters(
        &mut self,
        keys: Vec<AttestationKey>,
        logs: Vec<TransparencyLog>,
        path: &str,
    ) -> Result<(), PolicyError> {
        for attester in keys {
            self.attestation_keys.push(key(&attester.key, path)?);
        }
        for log in logs {
            self.log_keys.push(LogKey { key: key(&log.key, path)?, name: log.name });
        }
        Ok(())
    }

    fn add_authorities(&mut self, authorities: Vec<Tsa>, path: &str) -> Result<(), PolicyError> {
        for tsa in authorities {
            self.tsa_roots.extend(certificates(&tsa.root, path)?);
            if let Some(further) = tsa.certificates {
                self.tsa_certificates.extend(certificates(&further, path)?);
            }
        }
        Ok(())
    }

    /// Layers by name, each once; a quorum that is asked for is required, and so is an age that is bounded.
    fn require(&mut self, layers: Vec<String>, path: &str) -> Result<(), PolicyError> {
        self.required.extend((self.quorum > 0).then_some("quorum"));
        self.required.extend(self.most_seconds.map(|_| "freshness"));
        for layer in layers {
            let known = LayerMeaning::of(&layer).map(|known| known.id);
            let known = known.ok_or_else(|| PolicyError::Layer { path: path.to_owned(), layer })?;
            if !self.required.contains(&known) {
                self.required.push(known);
            }
        }
        Ok(())
    }
}

/// A time, as text or as TOML's own kind of it.
fn instant<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let expected = "expected a time with its offset from UTC, as 2026-01-01T00:00:00Z";
    let text = match toml::Value::deserialize(from)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(time) => time.to_string(),
        other => return Err(D::Error::custom(format!("{expected}, found {}", other.type_str()))),
    };
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("{expected}, found `{text}`")))
}

/// All bytes of a file of at most `most`; `None` for a longer one, which is not read further, whatever length it states.
fn bounded(path: &Path, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// The names of all layers of all kinds of documents.
fn layers() -> String {
    let names: Vec<&str> = LayerMeaning::ALL.iter().map(|layer| layer.id).collect();
    names.join(", ")
}

fn tree_head(head: &Head, path: &str) -> Result<TreeHead, PolicyError> {
    let root = Hash::from_hex(&head.root)
        .ok_or_else(|| PolicyError::Root { path: path.to_owned(), root: head.root.clone() })?;
    known_head(head.size, root).map_err(|source| PolicyError::EmptyRoot { path: path.to_owned(), source })
}

/// How many vantage points must agree: some, and no more than there are; and each of them has a name of its own.
fn quorum(quorum: Option<&Quorum>, vantages: &[VantageEntry], path: &str) -> Result<usize, PolicyError> {
    let failed = |why: String| PolicyError::Quorum { path: path.to_owned(), why };
    let mut names: Vec<&str> = vantages.iter().map(|vantage| vantage.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        let name = pair.first().copied().unwrap_or_default();
        return Err(failed(format!("two vantage points are called `{name}`")));
    }
    let Some(quorum) = quorum else { return Ok(0) };
    if quorum.at_least == 0 || quorum.at_least > vantages.len() {
        let (asked, of) = (quorum.at_least, vantages.len());
        return Err(failed(format!(
            "quorum.at_least is {asked}, expected 1 to {of}, the number of vantage points"
        )));
    }
    Ok(quorum.at_least)
}

/// The vantage points, each of which brings what it saw itself.
fn vantages(entries: Vec<VantageEntry>, keys: &Keys<'_>, path: &str) -> Result<Vec<Vantage>, PolicyError> {
    let mut owners: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut vantages = Vec::new();
    for entry in entries {
        for file in entry.files.iter().filter_map(|file| beside(path, file).canonicalize().ok()) {
            let owner = owners.entry(file).or_insert_with(|| entry.name.clone());
            if *owner != entry.name {
                let (one, other) = (owner, &entry.name);
                let why = format!(
                    "vantage points `{one}` and `{other}`: expected a file of each, found one of both"
                );
                return Err(PolicyError::Quorum { path: path.to_owned(), why });
            }
        }
        vantages.push(vantage(entry, keys, path)?);
    }
    Ok(vantages)
}

/// Where a file is that a policy names.
fn beside(policy: &str, file: &Path) -> PathBuf {
    Path::new(policy).parent().unwrap_or_else(|| Path::new("")).join(file)
}

fn vantage(entry: VantageEntry, keys: &Keys<'_>, path: &str) -> Result<Vantage, PolicyError> {
    let mut heads = Vec::new();
    for head in &entry.head {
        heads.push(tree_head(head, path)?);
    }
    for file in &entry.files {
        let beside = beside(path, file);
        let failed = |why: String| PolicyError::HeadFile {
            path: path.to_owned(),
            vantage: entry.name.clone(),
            file: beside.display().to_string(),
            why,
        };
        heads.push(head_file(&beside, keys).map_err(failed)?);
    }
    Ok(Vantage { name: entry.name, heads })
}

/// The head in a saved answer of `/tlog/head`, signed with one of the keys: of what nobody signed a registry cannot be accused.
///
/// It has no time, so that a key which is trusted for a time only counts while it is trusted: what it signed since its end nobody can tell apart.
fn head_file(path: &Path, keys: &Keys<'_>) -> Result<TreeHead, String> {
    if keys.all.is_empty() {
        let expected =
            "expected a registry key that must have signed this head (`[[registry]]`, `--registry-key`)";
        return Err(format!("{expected}, found none"));
    }
    let bytes = bounded(path, LONGEST_HEAD).map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or_else(|| format!("expected at most {LONGEST_HEAD} bytes, found more"))?;
    let document = Document::read(&bytes, &Limits::default()).map_err(|error| error.to_string())?;
    let head = SignedHead::read(document.root()).ok_or("expected size, root and signature of a tree head")?;
    let known = known_head(head.head.size, head.head.root).map_err(|error| error.to_string())?;
    let mut signers = keys.all.iter().filter(|key| head.verify(key).is_ok()).peekable();
    let Some(signer) = signers.peek().copied() else {
        return Err("no trusted registry key signed this head".to_owned());
    };
    if !signers.any(|key| keys.are_trusted_now(key)) {
        return Err(format!(
            "expected a head that a key signed which is trusted now, found one of {signer}, which is not: a head has no time that \
             could show when it was signed; state it as `[[vantage.head]]` if you know it from then"
        ));
    }
    Ok(known)
}

/// Keys of registries, and when they are trusted.
struct Keys<'k> {
    all: &'k [PublicKey],
    windows: &'k [KeyWindow],
    now: i64,
}

impl Keys<'_> {
    fn are_trusted_now(&self, key: &PublicKey) -> bool {
        let mut windows = self.windows.iter().filter(|window| window.key == *key).peekable();
        windows.peek().is_none() || windows.any(|window| window.holds(self.now))
    }
}

fn key(text: &str, path: &str) -> Result<PublicKey, PolicyError> {
    let failed =
        |why: &str| PolicyError::Key { path: path.to_owned(), key: text.to_owned(), why: why.to_owned() };
    let key = PublicKey::from_hex(&text.to_ascii_lowercase())
        .ok_or_else(|| failed("expected 64 hexadecimal digits"))?;
    VerifiedKey::new(&key).map_err(|code| failed(code.meaning()))?;
    Ok(key)
}

fn ml_dsa_key(issuer: &IssuerKey, path: &str) -> Result<Option<IssuerMlDsaKey>, PolicyError> {
    let failed =
        |why: &str| PolicyError::Key { path: path.to_owned(), key: issuer.key.clone(), why: why.to_owned() };
    match &issuer.ml_dsa_65 {
        None if issuer.hybrid_only => Err(failed("`hybrid_only` needs the second key, `ml_dsa_65`")),
        None => Ok(None),
        Some(text) => {
            let second = MlDsa65Key::from_hex(&text.to_ascii_lowercase())
                .ok_or_else(|| failed("`ml_dsa_65`: expected 3904 hexadecimal digits"))?;
            let issuer_key = key(&issuer.key, path)?;
            Ok(Some(IssuerMlDsaKey { issuer: issuer_key, key: second, hybrid_only: issuer.hybrid_only }))
        }
    }
}

fn certificates(pem: &str, path: &str) -> Result<Vec<TsaCertificate>, PolicyError> {
    TsaCertificate::from_pem(pem).ok_or_else(|| PolicyError::Certificate { path: path.to_owned() })
}

fn window(key: PublicKey, registry: &RegistryKey, path: &str) -> Result<Option<KeyWindow>, PolicyError> {
    if let (Some(from), Some(until)) = (registry.from, registry.until)
        && until < from
    {
        return Err(PolicyError::Window { path: path.to_owned(), key: registry.key.clone(), from, until });
    }
    let bounded = registry.from.is_some() || registry.until.is_some();
    let seconds = |instant: Option<Timestamp>| instant.map(Timestamp::as_second);
    Ok(bounded.then(|| KeyWindow { key, from: seconds(registry.from), until: seconds(registry.until) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the auditors' page, with what stands there as a comment only because it is long.
    #[test]
    fn the_policy_of_the_auditors_page_is_read_whole() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/auditors.md");
        let page = std::fs::read_to_string(path).unwrap();
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let second = format!("ml_dsa_65 = \"{}\"", "0f".repeat(1_952));
        let whole = example
            .replace("# ml_dsa_65 = \"…\"", &second)
            .replace("# hybrid_only", "hybrid_only")
            .replace("\n…\n", "\nMAMCAQE=\n");
        let policy = Policy::of(toml::from_str(&whole).unwrap(), "the page", &[]).unwrap();
        assert_eq!((policy.registry_keys.len(), policy.windows.len(), policy.issuer_keys.len()), (1, 1, 1));
        assert_eq!((policy.heads.len(), policy.required.as_slice()), (1, &["freshness", "registration"][..]));
        assert_eq!((policy.attestation_keys.len(), policy.tsa_roots.len()), (1, 1));
        assert_eq!(policy.log_keys[0].name, "log.example.org");
        assert!(policy.ml_dsa_keys[0].hybrid_only && policy.ml_dsa_keys[0].issuer == policy.issuer_keys[0]);
    }

    #[test]
    fn second_keys_and_unknown_members_are_refused_by_name() {
        let issuer = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let error = |lines: &str| {
            let text = format!("[[issuer]]\nkey = \"{issuer}\"\n{lines}\n");
            let file = toml::from_str(&text).map_err(|error| error.to_string());
            file.and_then(|file| Policy::of(file, "p", &[]).map_err(|error| error.to_string())).unwrap_err()
        };
        assert!(error("ml_dsa_65 = \"00\"").contains("expected 3904 hexadecimal digits"));
        assert!(error("hybrid_only = true").contains("needs the second key"));
        assert!(error("ml_dsa_44 = \"00\"").contains("ml_dsa_44"));
    }

    #[test]
    fn times_are_texts_or_toml_times_and_have_an_offset() {
        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let read = |from: &str| {
            let file = toml::from_str(&format!("[[registry]]\nkey = \"{key}\"\nfrom = {from}\n"));
            let policy = file.map(|file| Policy::of(file, "p", &[]).unwrap());
            policy.map(|policy| policy.windows[0].from).map_err(|error| error.to_string())
        };
        let expected = Ok(Some(1_767_225_600));
        assert_eq!(read("\"2026-01-01T00:00:00Z\""), expected);
        assert_eq!(read("2026-01-01T00:00:00Z"), expected);
        for wrong in ["2026-01-01", "2026-01-01T00:00:00", "1", "\"yesterday\""] {
            let said = read(wrong).unwrap_err();
            assert!(said.contains("as 2026-01-01T00:00:00Z, found"), "{wrong}: {said}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_no_policy() {
        let head =
            |root: u8| TreeHead { size: 3, root: Hash::from_hex(&format!("{root:02x}").repeat(32)).unwrap() };
        let issuer = PublicKey::from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let any = || Policy { any_issuer: true, ..Policy::default() };
        let named = || Policy { issuer_keys: issuer.into_iter().collect(), ..Policy::default() };
        let known = |root| Policy { heads: vec![head(root)], ..Policy::default() };
        let keyed = |until: Option<i64>| Policy {
            registry_keys: issuer.into_iter().collect(),
            windows: issuer
                .zip(until)
                .map(|(key, until)| KeyWindow { key, from: None, until: Some(until) })
                .into_iter()
                .collect(),
            ..Policy::default()
        };
        let windows = [(keyed(None), keyed(Some(1))), (keyed(Some(1)), keyed(None))];
        for (one, other) in
            [(any(), named()), (named(), any()), (known(1), known(2))].into_iter().chain(windows)
        {
            assert!(matches!(one.with(other), Err(PolicyError::Contradiction { .. })));
        }
        let windows = [(keyed(None), keyed(None)), (keyed(Some(1)), keyed(Some(2)))];
        for (one, other) in
            [(any(), any()), (named(), named()), (known(1), known(1))].into_iter().chain(windows)
        {
            assert!(one.with(other).is_ok());
        }
    }
}
