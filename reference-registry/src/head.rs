//! Signed tree heads and inclusion proofs as the wire carries them.

use serde_json::{Value, json};

use crate::{
    app::App,
    canonical,
    error::ApiError,
    log::{Hash, Log, leaf_hash},
};

struct TreeHead {
    size: u64,
    root: Hash,
}

impl TreeHead {
    /// The bytes that are signed: exactly root and size.
    fn message(&self) -> Result<String, ApiError> {
        let bytes = canonical::bytes(&json!({"root": hex::encode(self.root), "size": self.size}))?;
        String::from_utf8(bytes).map_err(|_| ApiError::server_error())
    }
}

/// The head of the log as it is now.
pub(crate) fn signed(app: &App, log: &Log) -> Result<Value, ApiError> {
    let faults = &app.faults;
    let mut head = TreeHead { size: log.size(), root: log.root() };
    if faults.on("head-size-rollback") {
        head.size = faults.rolled_back(head.size);
        head.root = log.root_at(head.size);
    }
    if faults.on("head-root-random") {
        getrandom::fill(&mut head.root).map_err(|_| ApiError::server_error())?;
    }
    let message = match faults.on("head-signs-other-message") {
        true => TreeHead { size: head.size + 1, ..head }.message()?,
        false => head.message()?,
    };
    let signature = sign(app, &message)?;
    Ok(
        json!({"size": head.size, "root": hex::encode(head.root), "signature": signature, "signed_message": message}),
    )
}

fn sign(app: &App, message: &str) -> Result<String, ApiError> {
    if app.faults.on("head-signature-garbage") {
        let mut garbage = [0; 64];
        getrandom::fill(&mut garbage).map_err(|_| ApiError::server_error())?;
        return Ok(hex::encode(garbage));
    }
    let key = if app.faults.on("head-signed-by-other-key") { &app.impostor } else { &app.identity };
    Ok(key.sign(message.as_bytes()))
}

/// The inclusion proof of a leaf in the log as it is now; `None` beyond its end.
pub(crate) fn inclusion(app: &App, log: &Log, index: u64) -> Option<Value> {
    let size = log.size();
    let index = match app.faults.on("proof-of-other-leaf") {
        true if index < size => (index + 1) % size,
        _ => index,
    };
    let mut path: Vec<String> = log.inclusion(index)?.iter().map(hex::encode).collect();
    if app.faults.on("proof-siblings-reversed") {
        path.reverse();
    }
    Some(json!({
        "index": index,
        "leaf_hash": hex::encode(leaf_hash(log.leaf(index)?)),
        "proof": path,
        "root": hex::encode(log.root()),
        "tree_size": size,
    }))
}
