//! `POST /attribute`: whose copy is this?

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};

use crate::{
    app::{App, Shared},
    auth::Attributes,
    body::{Guarded, identifier, optional_text},
    dialect::Dialect,
    error::ApiError,
    rows::{Owner, Snapshot},
};

pub(super) async fn attribute(
    State(app): State<Shared>,
    Guarded { members: body, claim: _claim, .. }: Guarded<Attributes>,
) -> Result<Json<Value>, ApiError> {
    let question = Question::read(&body)?;
    app.read(move |app, snapshot| answer(app, snapshot, &question)).await.map(Json)
}

/// The one identifier that is asked for.
enum Question {
    Token(String),
    Mark { mark_id: String, layer: Option<String> },
    PerceptualHash(String),
}

impl Question {
    fn read(body: &Map<String, Value>) -> Result<Self, ApiError> {
        let token_id = asked(body, "token_id")?;
        let mark_id = asked(body, "mark_id")?;
        let layer = asked(body, "layer")?;
        let perceptual_hash = asked(body, "perceptual_hash")?;
        match (token_id, mark_id, layer, perceptual_hash) {
            (Some(token_id), None, None, None) => Ok(Self::Token(token_id)),
            (None, Some(mark_id), layer, None) => Ok(Self::Mark { mark_id, layer }),
            (None, None, None, Some(hash)) => Ok(Self::PerceptualHash(hash)),
            _ => Err(ApiError::missing_field(
                "exactly one of token_id, mark_id (with an optional layer) and perceptual_hash is needed",
            )),
        }
    }

    fn owner(&self, snapshot: &Snapshot<'_>) -> Result<Option<Owner>, ApiError> {
        match self {
            Self::Token(token_id) => snapshot.owner_of_token(token_id),
            Self::Mark { mark_id, layer } => snapshot.owner_of_mark(mark_id, layer.as_deref()),
            Self::PerceptualHash(hash) => snapshot.owner_of_perceptual_hash(hash),
        }
    }
}

fn asked(body: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ApiError> {
    let text = optional_text(body, name)?;
    text.map(|text| identifier(text, name).map(String::from)).transpose()
}

fn answer(app: &App, snapshot: &Snapshot<'_>, question: &Question) -> Result<Value, ApiError> {
    let owner = match question.owner(snapshot)? {
        _ if app.faults.on("attribute-finds-nothing") => None,
        None if app.faults.on("attribute-finds-everything") => Some(scapegoat(snapshot)?),
        owner => owner,
    };
    let Some(Owner { file_id, recipient_id, issuer_id }) = owner else {
        return match app.dialect {
            Dialect::Candidate => Ok(json!({"found": false})),
            Dialect::Announced => Err(ApiError::not_found("no file has this identifier")),
        };
    };
    let events = snapshot.recent_events(&file_id)?;
    let manifest = snapshot.manifest(&file_id)?.unwrap_or_default();
    Ok(json!({
        "found": true,
        "file_id": file_id,
        "recipient_id": recipient_id,
        "issuer_id": issuer_id,
        "manifest": manifest,
        "recent_events": events,
        "events": events,
    }))
}

/// Whoever registered last, or nobody at all.
fn scapegoat(snapshot: &Snapshot<'_>) -> Result<Owner, ApiError> {
    let nobody = || String::from("unknown");
    let invented = || Owner { file_id: nobody(), recipient_id: nobody(), issuer_id: nobody() };
    Ok(snapshot.newest_file()?.unwrap_or_else(invented))
}
