//! What a vector says that the caller knows, as the verifier takes it.

use assayer_verifier::oversight::{Freshness, IssuerMlDsaKey, KeyWindow, Log, Trust, Vantage};
use assayer_verifier::{
    Hash, LayerMeaning, Limits, LogKey, MlDsa65Key, PublicKey, State, TreeHead, TsaCertificate,
};
use serde_json::Value as Json;

/// Everything that a trust borrows.
pub(crate) struct Known {
    registry_keys: Vec<PublicKey>,
    issuer_keys: Vec<PublicKey>,
    ml_dsa_keys: Vec<IssuerMlDsaKey>,
    attestation_keys: Vec<PublicKey>,
    log_keys: Vec<LogKey>,
    tsa_roots: Vec<TsaCertificate>,
    tsa_certificates: Vec<TsaCertificate>,
    windows: Vec<KeyWindow>,
    heads: Vec<TreeHead>,
    vantages: Vec<Vantage>,
    quorum: usize,
    required: Vec<&'static str>,
    freshness: Option<Freshness>,
    log: Option<Log>,
    file_id: Option<String>,
}

fn text<'v>(value: &'v Json, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

fn list<T>(trust: &Json, name: &str, read: impl Fn(&Json) -> T) -> Vec<T> {
    trust[name].as_array().into_iter().flatten().map(read).collect()
}

fn key(text: &Json) -> PublicKey {
    PublicKey::from_hex(text.as_str().unwrap()).unwrap()
}

pub(crate) fn head(data: &Json) -> TreeHead {
    TreeHead { size: data["size"].as_u64().unwrap(), root: Hash::from_hex(text(data, "root")).unwrap() }
}

fn certificates(pem: &Json) -> Vec<TsaCertificate> {
    pem.as_str().map(|pem| TsaCertificate::from_pem(pem).unwrap()).unwrap_or_default()
}

fn ml_dsa_key(data: &Json) -> IssuerMlDsaKey {
    IssuerMlDsaKey {
        issuer: key(&data["issuer"]),
        key: MlDsa65Key::from_hex(text(data, "key")).unwrap(),
        hybrid_only: data["hybrid_only"].as_bool().unwrap(),
    }
}

impl Known {
    /// Of `input.trust`.
    pub(crate) fn of(trust: &Json) -> Self {
        let window = |data: &Json| KeyWindow {
            key: key(&data["key"]),
            from: data["from"].as_i64(),
            until: data["until"].as_i64(),
        };
        let vantage =
            |data: &Json| Vantage { name: text(data, "name").to_owned(), heads: list(data, "heads", head) };
        let mut registry_keys = list(trust, "registry_keys", key);
        registry_keys.extend(trust.get("registry_key").map(key));
        Self {
            registry_keys,
            issuer_keys: list(trust, "issuer_keys", key),
            ml_dsa_keys: list(trust, "ml_dsa_keys", ml_dsa_key),
            attestation_keys: list(trust, "attestation_keys", key),
            log_keys: list(trust, "log_keys", |data| LogKey {
                name: text(data, "name").to_owned(),
                key: key(&data["key"]),
            }),
            tsa_roots: certificates(&trust["tsa_roots"]),
            tsa_certificates: certificates(&trust["tsa_certificates"]),
            windows: list(trust, "windows", window),
            heads: list(trust, "heads", head),
            vantages: list(trust, "vantages", vantage),
            quorum: trust["quorum"].as_u64().map_or(0, |quorum| quorum as usize),
            required: list(trust, "required", |id| LayerMeaning::of(id.as_str().unwrap()).unwrap().id),
            freshness: trust.get("freshness").map(|freshness| Freshness {
                now: freshness["now"].as_i64().unwrap(),
                most_seconds: freshness["most_seconds"].as_i64().unwrap(),
            }),
            log: trust["log"].as_str().map(sound_log),
            file_id: trust["file_id"].as_str().map(str::to_owned),
        }
    }

    pub(crate) fn trust(&self) -> Trust<'_> {
        Trust::default()
            .registry_keys(&self.registry_keys)
            .issuer_keys(&self.issuer_keys)
            .ml_dsa_keys(&self.ml_dsa_keys)
            .attestation_keys(&self.attestation_keys)
            .log_keys(&self.log_keys)
            .tsa_roots(&self.tsa_roots)
            .tsa_certificates(&self.tsa_certificates)
            .windows(&self.windows)
            .heads(&self.heads)
            .vantages(&self.vantages)
            .quorum(self.quorum)
            .required(&self.required)
            .freshness(self.freshness)
            .log(self.log.as_ref())
            .file_id(self.file_id.as_deref())
    }
}

/// A log that stands beside a document shows something only if it is sound.
fn sound_log(text: &str) -> Log {
    let (log, layers) = Log::read(text.lines().map(str::as_bytes), &Limits::default());
    assert!(layers.iter().all(|layer| layer.state == State::Established));
    log
}
