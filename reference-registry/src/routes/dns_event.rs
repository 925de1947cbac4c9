//! `POST /dns_event`: a name server saw a token resolved.

use axum::{Json, extract::State};
use serde_json::{Map, Value};

use crate::{
    api::{Logged, True},
    app::Shared,
    auth::ReportsDns,
    body::{Guarded, identifier, optional_text},
    error::ApiError,
    event::{Channel, Event},
};

pub(super) async fn dns_event(
    State(app): State<Shared>,
    Guarded { members: body, claim: _claim, .. }: Guarded<ReportsDns>,
) -> Result<Json<Logged>, ApiError> {
    let event = read(&body)?;
    let index = app.write(move |app, pending| event.record(pending, &app.faults)).await?;
    Ok(Json(Logged { ok: True, tlog_index: index }))
}

fn read(body: &Map<String, Value>) -> Result<Event, ApiError> {
    let text = |name| optional_text(body, name).map(|text| text.map(String::from));
    let token_id = text("token_id")?.ok_or_else(|| ApiError::missing_field("token_id is missing"))?;
    identifier(&token_id, "token_id")?;
    let channel = Channel::Dns { qname: text("qname")?, qtype: text("qtype")? };
    Ok(Event { source_ip: text("client_ip")?, token_id, channel })
}
