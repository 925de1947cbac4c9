//! Where a request is sent. The HTTP client starts a thread for each look-up of a name, to end it in time; an address needs
//! neither look-up nor thread, and a run sends hundreds of requests to one.

use std::net::{IpAddr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// A client that takes addresses in URLs as they are, and looks names up.
pub(crate) fn agent(config: Config) -> ureq::Agent {
    ureq::Agent::with_parts(config, DefaultConnector::default(), Addresses(DefaultResolver::default()))
}

#[derive(Debug)]
struct Addresses(DefaultResolver);

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some(address) = literal(uri) else { return self.0.resolve(uri, config, timeout) };
        let mut found = self.empty();
        found.push(address);
        Ok(found)
    }
}

/// The address in a URL, if it has one instead of a name.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, uri.port_u16().unwrap_or(default)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_they_are_and_names_are_not() {
        let of = |url: &str| literal(&url.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(of("http://127.0.0.1:8765/x").as_deref(), Some("127.0.0.1:8765"));
        assert_eq!(of("https://[::1]/").as_deref(), Some("[::1]:443"));
        assert_eq!(of("http://192.0.2.1").as_deref(), Some("192.0.2.1:80"));
        for name in ["http://localhost:80", "https://1.registry.example", "http://127.1"] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
