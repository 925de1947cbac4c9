//! Beacon events: a leaf and a row that say the same.

use rusqlite::params;
use serde_json::{Value, json};

use crate::{clock::Instant, error::ApiError, store::Store};

/// A token that somebody used.
pub(crate) struct Event {
    pub(crate) token_id: String,
    pub(crate) source_ip: Option<String>,
    pub(crate) channel: Channel,
}

/// How the use of a token became known.
pub(crate) enum Channel {
    Web { kind: &'static str, user_agent: String },
    Dns { qname: Option<String>, qtype: Option<String> },
}

impl Channel {
    fn kind(&self) -> &'static str {
        match self {
            Self::Web { kind, .. } => kind,
            Self::Dns { .. } => "dns",
        }
    }

    fn user_agent(&self) -> &str {
        match self {
            Self::Web { user_agent, .. } => user_agent,
            Self::Dns { .. } => "",
        }
    }

    /// JSON text of what has no column of its own.
    fn extra(&self) -> String {
        match self {
            Self::Web { .. } => String::from("{}"),
            Self::Dns { qname, qtype } => json!({"qname": qname, "qtype": qtype}).to_string(),
        }
    }

    /// Members of the leaf that only this channel has.
    fn leaf_members(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Web { user_agent, .. } => vec![("user_agent", json!(user_agent))],
            Self::Dns { qname, qtype } => vec![("qname", json!(qname)), ("qtype", json!(qtype))],
        }
    }
}

impl Event {
    /// Logs and stores the event, and gives the index of its leaf.
    pub(crate) fn record(&self, store: &mut Store) -> Result<u64, ApiError> {
        store.transact(|pending| {
            let now = Instant::now();
            let owner = pending.owner_of_token(&self.token_id)?;
            let (file_id, recipient_id, issuer_id) = match owner {
                Some(owner) => (Some(owner.file_id), Some(owner.recipient_id), Some(owner.issuer_id)),
                None => (None, None, None),
            };
            let index = pending.append(&self.leaf(file_id.as_deref(), recipient_id.as_deref(), now))?;
            pending
                .transaction
                .prepare_cached(
                    "INSERT INTO events (token_id, file_id, recipient_id, issuer_id, kind, source_ip, user_agent,
                     extra, timestamp, qualified_timestamp, tlog_index)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    self.token_id,
                    file_id,
                    recipient_id,
                    issuer_id,
                    self.channel.kind(),
                    self.source_ip,
                    self.channel.user_agent(),
                    self.channel.extra(),
                    now.seconds(),
                    now.text(),
                    i64::try_from(index).map_err(|_| ApiError::server_error())?,
                ])?;
            Ok(index)
        })
    }

    fn leaf(&self, file_id: Option<&str>, recipient_id: Option<&str>, now: Instant) -> Value {
        let mut leaf = json!({
            "event": "beacon",
            "kind": self.channel.kind(),
            "token_id": self.token_id,
            "file_id": file_id,
            "recipient_id": recipient_id,
            "source_ip": self.source_ip,
            "timestamp": now.text(),
        });
        if let Value::Object(members) = &mut leaf {
            members.extend(
                self.channel.leaf_members().into_iter().map(|(name, value)| (name.to_owned(), value)),
            );
        }
        leaf
    }
}
