//! Signed tree heads and inclusion proofs as the wire carries them.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    canonical::Form,
    error::ApiError,
    faults::Stage,
    log::{Log, OtherTree},
    store::Head,
    text::Text,
};

/// The bytes that are signed: exactly root and size.
fn message(root: &Value, size: &Value) -> Result<String, ApiError> {
    // Both forms write these two members alike.
    let bytes = Form::Jcs.bytes(&json!({"root": root, "size": size}))?;
    String::from_utf8(bytes).map_err(|_| ApiError::server_error())
}

/// Faults whose trees are of another shape.
const OTHER_TREES: [(&str, OtherTree); 3] = [
    ("tree-leaves-without-prefix", OtherTree { leaf_prefix: &[], node_prefix: &[1], repeats_odd: false }),
    ("tree-nodes-without-prefix", OtherTree { leaf_prefix: &[0], node_prefix: &[], repeats_odd: false }),
    ("tree-odd-node-repeated", OtherTree { leaf_prefix: &[0], node_prefix: &[1], repeats_odd: true }),
];

/// Size and root of the log in a snapshot: mostly those that the writer published last.
pub(crate) fn current(app: &App, log: &Log<'_>) -> Result<Arc<Head>, ApiError> {
    let published = app.store.head()?;
    match published.size == log.size() {
        true => Ok(published),
        false => Ok(Arc::new(Head::new(log.size(), log.root()?))),
    }
}

/// A head as an honest registry answers it, signed once.
pub(crate) fn honest(app: &App, head: &Head) -> Result<Value, ApiError> {
    let (root, size) = (json!(hex::encode(head.root)), json!(head.size));
    let message = message(&root, &size)?;
    let signature = head.signature.get_or_init(|| app.identity.sign(message.as_bytes()));
    Ok(json!({"size": size, "root": root, "signature": signature, "signed_message": message}))
}

/// The head of the log as it is in a snapshot.
pub(crate) fn signed(app: &App, log: &Log<'_>) -> Result<Value, ApiError> {
    let current = current(app, log)?;
    if app.faults.are_off() {
        return honest(app, &current);
    }
    let mut head = head(app, log, &current)?;
    app.faults.meddle(Stage::Head, &mut head);
    let member = |name: &str| head.get(name).cloned().unwrap_or_default();
    let (root, size) = (member("root"), member("size"));
    let message = match member("signed_message") {
        Value::String(other) => other,
        _ if app.faults.on("head-signs-other-message") => {
            message(&root, &json!(size.as_u64().unwrap_or_default() + 1))?
        }
        _ => message(&root, &size)?,
    };
    let signature = sign(app, log.size(), &head, &message)?;
    Ok(json!({"size": size, "root": root, "signature": signature, "signed_message": message}))
}

/// Root and size of the log, not yet signed.
fn head(app: &App, log: &Log<'_>, current: &Head) -> Result<Value, ApiError> {
    let faults = &app.faults;
    let (mut size, mut root) = (current.size, current.root);
    for (id, shape) in OTHER_TREES {
        if faults.on(id) {
            root = shape.root(&log.leaves()?);
        }
    }
    if faults.on("head-size-rollback") {
        size = faults.rolled_back(size);
        root = log.root_at(size)?;
    }
    if faults.on("head-root-random") {
        getrandom::fill(&mut root).map_err(|_| ApiError::server_error())?;
    }
    Ok(json!({"root": hex::encode(root), "size": size}))
}

fn sign(app: &App, size: u64, head: &Value, message: &str) -> Result<String, ApiError> {
    let faults = &app.faults;
    if faults.on("head-signature-garbage") {
        let mut garbage = [0; 64];
        getrandom::fill(&mut garbage).map_err(|_| ApiError::server_error())?;
        return Ok(hex::encode(garbage));
    }
    let key = if faults.on("head-signed-by-other-key") { &app.impostor } else { app.key(size) };
    Ok(match () {
        () if faults.on("head-signs-hash") => key.sign(&Sha256::digest(message)),
        () if faults.on("head-signs-size-and-root-as-bytes") => {
            let root = head.get("root").and_then(Value::as_str).unwrap_or_default();
            key.sign(&[&size.to_be_bytes()[..], &hex::decode(root).unwrap_or_default()].concat())
        }
        () => key.sign(message.as_bytes()),
    })
}

/// The inclusion proof of a leaf in the log as a snapshot has it; `None` beyond its end.
pub(crate) fn inclusion(app: &App, log: &Log<'_>, index: u64) -> Result<Option<Value>, ApiError> {
    let Head { size, root, .. } = *current(app, log)?;
    let index = match app.faults.on("proof-of-other-leaf") {
        true if index < size => (index + 1) % size,
        _ => index,
    };
    let Some((leaf_hash, path)) = log.inclusion(index)? else { return Ok(None) };
    let mut path: Vec<String> = path.iter().map(hex::encode).collect();
    if app.faults.on("proof-siblings-reversed") {
        path.reverse();
    }
    Ok(Some(json!({
        "index": index,
        "leaf_hash": hex::encode(leaf_hash),
        "proof": path,
        "root": hex::encode(root),
        "tree_size": size,
    })))
}

/// Writes the inclusion proof of a leaf under a head of the log, canonically.
pub(crate) fn proof_text(text: &mut Text, head: &Head, log: &Log<'_>, index: u64) -> Result<(), ApiError> {
    let (leaf_hash, path) = log.inclusion(index)?.ok_or_else(ApiError::server_error)?;
    text.raw("{\"index\":");
    text.integer(index);
    text.raw(",\"leaf_hash\":");
    text.hex(&leaf_hash);
    text.raw(",\"proof\":");
    text.hashes(&path);
    text.raw(",\"root\":");
    text.hex(&head.root);
    text.raw(",\"tree_size\":");
    text.integer(head.size);
    text.raw("}");
    Ok(())
}

/// More bytes than the text of an inclusion proof has under this head.
pub(crate) fn proof_length(head: &Head) -> usize {
    /// A hash in quotes, with its comma.
    const HASH: usize = 67;
    /// Names of members, two hashes and three numbers.
    const REST: usize = 300;
    REST + HASH * head.size.checked_ilog2().map_or(0, |levels| levels as usize + 1)
}

/// The consistency proof between two sizes of the log (RFC 9162, section 2.1.4); `None` beyond its end.
pub(crate) fn consistency(log: &Log<'_>, first: u64, second: u64) -> Result<Option<Value>, ApiError> {
    let Some(path) = log.consistency(first, second)? else { return Ok(None) };
    Ok(Some(json!({
        "first": first,
        "second": second,
        "first_root": hex::encode(log.root_at(first)?),
        "second_root": hex::encode(log.root_at(second)?),
        "proof": path.iter().map(hex::encode).collect::<Vec<_>>(),
    })))
}
