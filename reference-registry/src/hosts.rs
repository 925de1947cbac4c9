//! Host names, each for its own family of routes.

use std::{fmt, str::FromStr};

use axum::http::{HeaderMap, Uri, Version, header, uri::Authority};

use crate::error::ApiError;

/// Routes that an operator serves under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `/p/{token}.png`.
    Beacon,
    /// `/v/{token}` and `/lic/v/{token}`.
    License,
    /// `/r/{token}` and `/ocsp/r/{token}`.
    Ocsp,
    /// All other routes.
    Registry,
}

/// The DNS name of a host, in lower case, without port and final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

/// A text is no host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a host name such as registry.example.org, without scheme, port and path, found {found:?}")]
pub struct HostNameError {
    /// The text.
    pub found: String,
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        match name.len() <= 253 && name.split('.').all(is_label) {
            true => Ok(Self(name)),
            false => Err(HostNameError { found: text.to_owned() }),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The names under which the families of routes are served. A family without a name of its own goes with the registry's. Where
/// the registry has none, its routes answer under every name that no other family has.
#[derive(Clone, Debug, Default)]
pub struct HostNames {
    /// Of `/p/{token}.png`.
    pub beacon: Option<HostName>,
    /// Of `/v/{token}` and `/lic/v/{token}`.
    pub license: Option<HostName>,
    /// Of `/r/{token}` and `/ocsp/r/{token}`.
    pub ocsp: Option<HostName>,
    /// Of all other routes.
    pub registry: Option<HostName>,
}

impl HostNames {
    /// Whether any family has a name.
    pub(crate) fn are_set(&self) -> bool {
        [&self.beacon, &self.license, &self.ocsp, &self.registry].iter().any(|name| name.is_some())
    }

    /// Whether routes of this family answer to a request for this host.
    pub(crate) fn serve(&self, family: Family, host: Option<&str>) -> bool {
        let own = match family {
            Family::Beacon => &self.beacon,
            Family::License => &self.license,
            Family::Ocsp => &self.ocsp,
            Family::Registry => &self.registry,
        };
        let is = |name: &HostName| host == Some(name.0.as_str());
        match own.as_ref().or(self.registry.as_ref()) {
            Some(name) => is(name),
            None => ![&self.beacon, &self.license, &self.ocsp].into_iter().flatten().any(is),
        }
    }
}

/// The host that a request is for, in lower case and without port; `None` for a request of HTTP/1.0 that does not say.
///
/// # Errors
///
/// Two readings are none: several `Host` fields, none in HTTP/1.1, one that is no host, or another one than the request target names
/// (RFC 9112, section 3.2).
pub(crate) fn asked(uri: &Uri, version: Version, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut fields = headers.get_all(header::HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (None, _) if version == Version::HTTP_10 => None,
        (Some(field), None) => Some(parsed(field.as_bytes())?),
        (None, _) => return Err(ApiError::missing_field("the request has no Host field")),
        (Some(_), Some(_)) => return Err(ApiError::missing_field("the request has several Host fields")),
    };
    let target = uri.authority().map(|authority| parsed(authority.as_str().as_bytes())).transpose()?;
    match (&field, &target) {
        (Some(field), Some(target)) if field != target => {
            Err(ApiError::missing_field("the Host field and the request target name different hosts"))
        }
        _ => Ok(target.or(field).map(|authority| without_port(&authority))),
    }
}

fn parsed(bytes: &[u8]) -> Result<Authority, ApiError> {
    let authority = Authority::try_from(bytes).ok().filter(|authority| !authority.as_str().contains('@'));
    authority.ok_or_else(|| ApiError::missing_field("the Host field is not a host with an optional port"))
}

fn without_port(authority: &Authority) -> String {
    let host = authority.host();
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn name(text: &str) -> Option<HostName> {
        Some(text.parse().unwrap())
    }

    const FAMILIES: [Family; 4] = [Family::Beacon, Family::License, Family::Ocsp, Family::Registry];

    fn served(names: &HostNames, host: &str) -> Vec<Family> {
        FAMILIES.into_iter().filter(|family| names.serve(*family, Some(host))).collect()
    }

    #[test]
    fn each_name_serves_its_own_family_and_an_unknown_one_nothing() {
        let names = HostNames {
            beacon: name("b.example"),
            license: name("L.example."),
            ocsp: name("o.example"),
            registry: name("r.example"),
        };
        assert_eq!(served(&names, "b.example"), [Family::Beacon]);
        assert_eq!(served(&names, "l.example"), [Family::License]);
        assert_eq!(served(&names, "o.example"), [Family::Ocsp]);
        assert_eq!(served(&names, "r.example"), [Family::Registry]);
        assert_eq!(served(&names, "127.0.0.1"), []);
        assert!(FAMILIES.iter().all(|family| !names.serve(*family, None)));
    }

    #[test]
    fn families_without_a_name_go_with_the_registry() {
        assert_eq!(served(&HostNames::default(), "anything"), FAMILIES);
        let names = HostNames { beacon: name("b.example"), ..HostNames::default() };
        assert_eq!(served(&names, "b.example"), [Family::Beacon]);
        assert_eq!(served(&names, "other"), [Family::License, Family::Ocsp, Family::Registry]);
        let names = HostNames { registry: name("r.example"), ..names };
        assert_eq!(served(&names, "r.example"), [Family::License, Family::Ocsp, Family::Registry]);
        assert_eq!(served(&names, "other"), []);
    }

    #[test]
    fn a_host_name_is_only_that() {
        for text in
            ["", "http://r.example", "r.example:443", "r.example/", "-r.example", "r..example", "r_x.example"]
        {
            assert_eq!(text.parse::<HostName>().unwrap_err().found, text);
        }
        assert_eq!("R.Example.".parse::<HostName>().unwrap().to_string(), "r.example");
    }

    fn host(target: &str, version: Version, fields: &[&'static str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in fields {
            headers.append(header::HOST, HeaderValue::from_static(value));
        }
        asked(&target.parse().unwrap(), version, &headers).map_err(|_| ())
    }

    #[test]
    fn a_request_is_for_one_host_or_refused() {
        let http = Version::HTTP_11;
        assert_eq!(host("/", http, &["R.example.:8765"]), Ok(Some("r.example".into())));
        assert_eq!(host("/", http, &["[::1]:8765"]), Ok(Some("[::1]".into())));
        assert_eq!(host("http://r.example/", http, &["r.example"]), Ok(Some("r.example".into())));
        assert_eq!(host("/", Version::HTTP_10, &[]), Ok(None));
        for fields in
            [&[][..], &["a.example", "b.example"], &["a.example", "a.example"], &[""], &["a b"], &["u@a"]]
        {
            assert_eq!(host("/", http, fields), Err(()), "{fields:?}");
        }
        assert_eq!(host("http://r.example/", http, &["other.example"]), Err(()));
    }
}
