//! `POST /dns_event`: a name server saw a token resolved.

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Map, Value, json};

use crate::{
    app::{Peer, Shared},
    auth,
    body::{JsonBody, identifier, optional_text},
    error::ApiError,
    event::{Channel, Event},
};

pub(super) async fn dns_event(
    State(app): State<Shared>,
    peer: Peer,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    app.admit(peer)?;
    auth::dns_event(&app, &headers, peer.0)?;
    let event = read(&body)?;
    let index = app.write(move |app, pending| event.record(pending, &app.faults)).await?;
    Ok(Json(json!({"ok": true, "tlog_index": index})))
}

fn read(body: &Map<String, Value>) -> Result<Event, ApiError> {
    let text = |name| optional_text(body, name).map(|text| text.map(String::from));
    let token_id = text("token_id")?.ok_or_else(|| ApiError::missing_field("token_id is missing"))?;
    identifier(&token_id, "token_id")?;
    let channel = Channel::Dns { qname: text("qname")?, qtype: text("qtype")? };
    Ok(Event { source_ip: text("client_ip")?, token_id, channel })
}
