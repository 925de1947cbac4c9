//! Who may write: the operator token and the DNS event secret.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{app::App, error::ApiError, options::Secret};

const OPERATOR_HEADER: &str = "x-oversight-operator-token";
const DNS_HEADER: &str = "x-oversight-dns-secret";

/// Guards `/register` and `/attribute` where a token is configured.
pub(crate) fn operator(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    match &app.operator_token {
        Some(token) if !presents(headers, OPERATOR_HEADER, token) => {
            Err(ApiError::auth_required("this endpoint needs the operator token"))
        }
        _ => Ok(()),
    }
}

/// Guards `/dns_event`: by the secret where one is configured, otherwise by the TCP peer. What forwarding
/// headers claim is not evidence of where a call came from.
pub(crate) fn dns_event(app: &App, headers: &HeaderMap, peer: IpAddr) -> Result<(), ApiError> {
    let admitted = match &app.dns_event_secret {
        _ if app.faults.on("dns-secret-ignored") => true,
        Some(secret) => presents(headers, DNS_HEADER, secret),
        None => peer.is_loopback(),
    };
    if admitted { Ok(()) } else { Err(ApiError::auth_required("this endpoint needs the DNS event secret")) }
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
