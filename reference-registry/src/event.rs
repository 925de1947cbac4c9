//! Beacon events: a leaf and a row that say the same.

use rusqlite::params;
use serde_json::{Map, Value, json};

use crate::{
    clock::Instant,
    error::ApiError,
    failpoint::{Step, reach},
    faults::{Faults, Stage},
    log::Tampering,
    rows::Owner,
    writer::Pending,
};

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

impl Event {
    /// Logs and stores the event, and gives the index of its leaf.
    pub(crate) fn record(&self, pending: &mut Pending<'_>, faults: &Faults) -> Result<u64, ApiError> {
        let owner = pending.owner_of_token(&self.token_id)?;
        let mut happened = self.happened(owner.as_ref(), Instant::now());
        faults.meddle(Stage::Event, &mut happened);
        let mut leaf = leaf(&happened);
        faults.meddle(Stage::Leaf, &mut leaf);
        let index = pending.append(&leaf)?;
        insert(pending, &happened, index)?;
        reach(Step::LeafWritten)?;
        tamper(pending, faults)?;
        Ok(index)
    }

    /// Everything that leaf and row say of the event.
    fn happened(&self, owner: Option<&Owner>, now: Instant) -> Value {
        let mut event = json!({
            "token_id": self.token_id,
            "file_id": owner.map(|owner| &owner.file_id),
            "recipient_id": owner.map(|owner| &owner.recipient_id),
            "issuer_id": owner.map(|owner| &owner.issuer_id),
            "source_ip": self.source_ip,
            "timestamp": now.seconds(),
            "qualified_timestamp": now.text(),
        });
        let of_channel = match &self.channel {
            Channel::Web { kind, user_agent } => json!({"kind": kind, "user_agent": user_agent}),
            Channel::Dns { qname, qtype } => {
                json!({"kind": "dns", "user_agent": "", "qname": qname, "qtype": qtype})
            }
        };
        if let (Value::Object(members), Value::Object(more)) = (&mut event, of_channel) {
            members.extend(more);
        }
        event
    }
}

/// Faults that change the log once it has a certain size.
const TAMPERINGS: [(&str, Tampering); 2] =
    [("log-first-leaf-rewritten", Tampering::FirstRewritten), ("log-leaves-swapped", Tampering::Swapped)];
const TAMPERED_AT: u64 = 6;

fn tamper(pending: &mut Pending<'_>, faults: &Faults) -> Result<(), ApiError> {
    for (id, how) in TAMPERINGS {
        if pending.next_index() >= TAMPERED_AT && faults.on(id) {
            pending.tamper_once(how)?;
        }
    }
    Ok(())
}

/// Members that a leaf takes over from the event under the same name; DNS events have names, the others user agents.
const OF_EVERY_LEAF: [&str; 5] = ["kind", "token_id", "file_id", "recipient_id", "source_ip"];
const OF_A_DNS_LEAF: [&str; 2] = ["qname", "qtype"];
const OF_A_WEB_LEAF: [&str; 1] = ["user_agent"];

fn is_dns(event: &Value) -> bool {
    event.get("qname").is_some() || event.get("qtype").is_some()
}

fn leaf(event: &Value) -> Value {
    let of_channel = if is_dns(event) { &OF_A_DNS_LEAF[..] } else { &OF_A_WEB_LEAF };
    let names = OF_EVERY_LEAF.iter().chain(of_channel);
    let taken = names.map(|name| ((*name).to_owned(), event.get(*name).cloned().unwrap_or_default()));
    let mut members: Map<String, Value> = taken.collect();
    members.insert(String::from("event"), json!("beacon"));
    members.insert(String::from("timestamp"), event.get("qualified_timestamp").cloned().unwrap_or_default());
    Value::Object(members)
}

/// JSON text of what has no column of its own.
fn extra(event: &Value) -> String {
    match is_dns(event) {
        true => json!({"qname": event.get("qname"), "qtype": event.get("qtype")}).to_string(),
        false => String::from("{}"),
    }
}

fn insert(pending: &Pending<'_>, event: &Value, index: u64) -> Result<(), ApiError> {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let statement = "INSERT INTO events (token_id, file_id, recipient_id, issuer_id, kind, source_ip, user_agent,
         extra, timestamp, qualified_timestamp, tlog_index) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    pending.connection.prepare_cached(statement)?.execute(params![
        text("token_id"),
        text("file_id"),
        text("recipient_id"),
        text("issuer_id"),
        text("kind"),
        text("source_ip"),
        text("user_agent"),
        extra(event),
        event.get("timestamp").and_then(Value::as_i64),
        text("qualified_timestamp"),
        i64::try_from(index).map_err(|_| ApiError::server_error())?,
    ])?;
    Ok(())
}
