//! Who is calling: the TCP peer, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

use crate::{app::Shared, error::ApiError};

/// Header fields that a proxy adds. A call with any of them was not made on this machine, whoever passed it on.
const FORWARDING: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// A caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address; an IPv4 address in IPv6 clothing is shown as IPv4.
    pub(crate) address: IpAddr,
    /// Whether it is a program on this machine that called without a proxy.
    pub(crate) is_local: bool,
}

impl Client {
    /// The peer, unless it is one of `proxies`: then the rightmost address in `X-Forwarded-For`, the only one that
    /// the proxy has written itself. What stands left of it is whatever the caller liked to send.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        let is_forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
        let is_proxy = proxies.iter().any(|network| network.contains(&peer));
        let forwarded = is_proxy.then(|| rightmost(headers)).flatten();
        Self { address: forwarded.unwrap_or(peer), is_local: peer.is_loopback() && !is_forwarded }
    }

    /// What a rate limit counts: an IPv6 host can take any address of its network of 64 bits.
    pub(crate) fn bucket(self) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => self.address,
            IpAddr::V6(address) => IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()),
        }
    }
}

fn rightmost(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let text = last.rsplit(',').next()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).map(|ip| ip.to_canonical())
}

impl FromRequestParts<Shared> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        let peer = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await;
        let ConnectInfo(peer) = peer.map_err(|_| ApiError::server_error())?;
        Ok(Self::of(peer.ip(), &parts.headers, &app.trusted_proxies))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, fields: &[(&'static str, &'static str)], proxies: &[&str]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let client = Client::of(peer.parse().unwrap(), &headers, &proxies);
        (client.address.to_string(), client.is_local)
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        let forwarded = [("x-forwarded-for", "127.0.0.1, 198.51.100.7")];
        assert_eq!(seen("203.0.113.5", &forwarded, &[]), ("203.0.113.5".into(), false));
        assert_eq!(seen("203.0.113.5", &forwarded, &["10.0.0.0/8"]), ("203.0.113.5".into(), false));
        assert_eq!(seen("10.1.2.3", &forwarded, &["10.0.0.0/8"]), ("198.51.100.7".into(), false));
        let twice = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2, [2001:db8::1]:443")];
        assert_eq!(seen("::ffff:10.0.0.1", &twice, &["10.0.0.0/8"]), ("2001:db8::1".into(), false));
        for spelling in ["192.0.2.9", " 192.0.2.9 ", "192.0.2.9:51000", "::ffff:192.0.2.9"] {
            assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", spelling)], &["10.0.0.0/8"]).0, "192.0.2.9");
        }
        for nonsense in ["unknown", "", "192.0.2.9, _hidden", "192.0.2.9,"] {
            assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", nonsense)], &["10.0.0.0/8"]).0, "10.0.0.1");
        }
    }

    #[test]
    fn a_forwarded_call_is_not_local() {
        assert_eq!(seen("127.0.0.1", &[], &[]), ("127.0.0.1".into(), true));
        assert_eq!(seen("::1", &[], &[]), ("::1".into(), true));
        assert!(!seen("192.0.2.1", &[], &[]).1);
        for name in FORWARDING {
            assert!(!seen("127.0.0.1", &[(name, "127.0.0.1")], &[]).1, "{name}");
            assert!(!seen("127.0.0.1", &[(name, "127.0.0.1")], &["127.0.0.0/8"]).1, "{name}");
        }
    }

    #[test]
    fn neighbours_in_one_network_share_a_bucket() {
        let bucket =
            |text: &str| Client { address: text.parse().unwrap(), is_local: false }.bucket().to_string();
        assert_eq!(bucket("192.0.2.9"), "192.0.2.9");
        assert_eq!(bucket("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
