//! Who may write: the operator token and the DNS event secret.

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{app::App, client::Client, error::ApiError, options::Secret};

pub(crate) const OPERATOR_HEADER: &str = "x-oversight-operator-token";
pub(crate) const DNS_HEADER: &str = "x-oversight-dns-secret";

/// What a call must satisfy before its body is read.
pub(crate) trait Guard {
    /// Refuses a call that may not be made.
    fn admit(app: &App, headers: &HeaderMap, client: Client) -> Result<(), ApiError>;
}

/// Guards `/register`: the rate limit, and the operator token where one is configured.
pub(crate) struct Registers;

/// Guards `/attribute`: as [`Registers`], under the limit for reading.
pub(crate) struct Attributes;

/// Guards `/dns_event`: the rate limit, and the secret where one is configured, else the place that the call came from.
pub(crate) struct ReportsDns;

impl Guard for Registers {
    fn admit(app: &App, headers: &HeaderMap, client: Client) -> Result<(), ApiError> {
        app.admit_trace(client)?;
        operator(app, headers)
    }
}

impl Guard for Attributes {
    fn admit(app: &App, headers: &HeaderMap, client: Client) -> Result<(), ApiError> {
        app.admit_read(client)?;
        operator(app, headers)
    }
}

impl Guard for ReportsDns {
    fn admit(app: &App, headers: &HeaderMap, client: Client) -> Result<(), ApiError> {
        app.admit_trace(client)?;
        dns_event(app, headers, client)
    }
}

fn operator(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    match &app.operator_token {
        Some(token) if !presents(headers, OPERATOR_HEADER, token) => {
            Err(ApiError::auth_required("this endpoint needs the operator token"))
        }
        _ => Ok(()),
    }
}

/// Without a secret only programs on this machine are heard, and not even these where a proxy stands in front: through it
/// everybody is on this machine. All others are refused as by a registry that is not set up (DN-3).
fn dns_event(app: &App, headers: &HeaderMap, client: Client) -> Result<(), ApiError> {
    match &app.dns_event_secret {
        _ if app.faults.on("dns-secret-ignored") => Ok(()),
        Some(secret) if presents(headers, DNS_HEADER, secret) => Ok(()),
        Some(_) => Err(ApiError::auth_required("this endpoint needs the DNS event secret")),
        None if client.is_local && !app.is_behind_proxy() => Ok(()),
        None => Err(ApiError::unavailable(
            "no DNS event secret is configured, so that no caller can be told from another",
        )),
    }
}

/// At least one credential, and not one that is wrong: with two that disagree there is no right one to pick.
fn presents(headers: &HeaderMap, own_header: &str, secret: &Secret) -> bool {
    let own = headers.get_all(own_header).iter().map(|value| Some(value.as_bytes()));
    let bearer = headers.get_all(AUTHORIZATION).iter().map(bearer_token);
    let mut credentials = own.chain(bearer).peekable();
    credentials.peek().is_some()
        && credentials.all(|credential| credential.is_some_and(|text| secret.is(text.trim_ascii())))
}

fn bearer_token(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        presents(&headers, OPERATOR_HEADER, &Secret::new("hush"))
    }

    #[test]
    fn every_credential_given_must_be_right() {
        let (right, wrong) = ((OPERATOR_HEADER, "hush"), (OPERATOR_HEADER, "loud"));
        let (bearer, other) = (("authorization", "bearer hush"), ("authorization", "Bearer loud"));
        let basic = ("authorization", "Basic hush");
        for accepted in [&[right][..], &[bearer], &[right, bearer]] {
            assert!(presented(accepted));
        }
        for refused in [
            &[][..],
            &[wrong],
            &[other],
            &[basic],
            &[right, other],
            &[wrong, bearer],
            &[right, wrong],
            &[right, basic],
        ] {
            assert!(!presented(refused), "{refused:?}");
        }
    }
}
