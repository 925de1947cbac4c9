//! Which dialect of the protocol is spoken, and where the two differ.

use axum::http::StatusCode;

use crate::{canonical::Form, error::Code};

/// A dialect of the protocol; its name is that of the wire profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// What the implementations of 2026 serve: `candidate`.
    #[default]
    Candidate,
    /// What the announcement of v0.4.7 describes: `announced-0.4.7`.
    Announced,
}

impl Dialect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Candidate, Self::Announced];

    /// The name of its wire profile.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Announced => "announced-0.4.7",
        }
    }

    /// The dialect of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }

    pub(crate) fn form(self) -> Form {
        match self {
            Self::Candidate => Form::Jcs,
            Self::Announced => Form::SortedAscii,
        }
    }

    pub(crate) fn health_path(self) -> &'static str {
        match self {
            Self::Candidate => "/health",
            Self::Announced => "/healthz",
        }
    }

    /// Name and status of an error; the status only where a refusal has none of its own.
    pub(crate) fn error(self, code: Code) -> (&'static str, StatusCode) {
        match self {
            Self::Candidate => match code {
                Code::AuthRequired => ("auth_required", StatusCode::UNAUTHORIZED),
                Code::IdentifierTooLong | Code::MissingField => ("missing_field", StatusCode::BAD_REQUEST),
                Code::IssuerMismatch => ("issuer_mismatch", StatusCode::CONFLICT),
                Code::NotFound => ("not_found", StatusCode::NOT_FOUND),
                Code::RateLimited => ("rate_limited", StatusCode::TOO_MANY_REQUESTS),
                Code::ServerError => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
                Code::SidecarMismatch => ("sidecar_mismatch", StatusCode::BAD_REQUEST),
                Code::SignatureInvalid => ("signature_invalid", StatusCode::BAD_REQUEST),
            },
            Self::Announced => match code {
                Code::AuthRequired | Code::SignatureInvalid => ("unauthorized", StatusCode::UNAUTHORIZED),
                Code::IdentifierTooLong => ("unprocessable", StatusCode::UNPROCESSABLE_ENTITY),
                Code::IssuerMismatch | Code::SidecarMismatch => ("conflict", StatusCode::CONFLICT),
                Code::MissingField => ("bad_request", StatusCode::BAD_REQUEST),
                Code::NotFound => ("not_found", StatusCode::NOT_FOUND),
                Code::RateLimited => ("rate_limited", StatusCode::TOO_MANY_REQUESTS),
                Code::ServerError => ("internal_error", StatusCode::INTERNAL_SERVER_ERROR),
            },
        }
    }
}
