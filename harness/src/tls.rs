//! Who answers at the other end of TLS, as far as a handshake shows it.
//!
//! The client that sends requests trusts the usual authorities and does not say whom it met. This asks on a connection of its
//! own, believes nothing, sends nothing, and writes down which certificates were shown.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

use crate::archive::{Certificate, TlsPeer, sha256};

/// A handshake is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// No longer chain is written down: that of a public server has three or four.
const MOST_CERTIFICATES: usize = 16;

/// What a handshake with a host shows; `None` where there is none.
pub(crate) fn peer(host: &str, addresses: &[SocketAddr]) -> Option<TlsPeer> {
    let provider = Arc::new(ring::default_provider());
    let witness = Witness(provider.signature_verification_algorithms);
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(witness)).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let mut socket = addresses.iter().find_map(|at| TcpStream::connect_timeout(at, PATIENCE).ok())?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    socket.set_write_timeout(Some(PATIENCE)).ok()?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).ok()?;
    }
    let shown = connection.peer_certificates()?.iter().take(MOST_CERTIFICATES);
    Some(TlsPeer {
        protocol: connection.protocol_version()?.as_str()?.to_owned(),
        cipher_suite: connection.negotiated_cipher_suite()?.suite().as_str()?.to_owned(),
        certificates: shown
            .map(|der| Certificate { sha256: sha256(der), der_hex: hex::encode(der) })
            .collect(),
    })
}

/// Takes down every certificate whose holder made the handshake; whether to trust it is decided elsewhere.
#[derive(Debug)]
struct Witness(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection};

    use super::*;

    /// A certificate that its own key signed, and that key: made for this test and of use for nothing else.
    const CERTIFICATE: &str = "308201a330820149a00302010202144b6c54d6c52a60746d29dfeec42ca8ab98aed459300a06082a8648ce3d040302301831\
        16301406035504030c0d72656769737472792e746573743020170d3236313132373134333231345a180f3231323631313033\
        3134333231345a30183116301406035504030c0d72656769737472792e746573743059301306072a8648ce3d020106082a86\
        48ce3d030107034200047ffdc90818ae6b9c65f1a1a80e2b73d4a0c830e7b6adb9318035fd3892ae490edf89cf6ecb0391b3\
        cb2e13212ef4f106383d245688bc1ea52d62ba9e698bed3ea36f306d301d0603551d0e041604148ab2218b1c5d379e3a5bf1\
        4fe6898d3f169dfc09301f0603551d230418301680148ab2218b1c5d379e3a5bf14fe6898d3f169dfc09300f0603551d1301\
        01ff040530030101ff301a0603551d110413301182096c6f63616c686f737487047f000001300a06082a8648ce3d04030203\
        4800304502206ff0c546d2662ebc6102ae768512bc571572e6c21997b26238504c41e8cc8301022100d6bb9cde7f05efb253\
        c8e407370f65d2b5e6eb67b4e48c9d4b901e35df60619a";
    const KEY: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420180c2751c7220910768083acb335\
        fcfe1ca1e10d9f7cf46db55abaa900ed91cca144034200047ffdc90818ae6b9c65f1a1a80e2b73d4a0c830e7b6adb9318035\
        fd3892ae490edf89cf6ecb0391b3cb2e13212ef4f106383d245688bc1ea52d62ba9e698bed3e";

    #[test]
    fn a_handshake_shows_the_certificate_and_trusts_nobody() {
        let der = hex::decode(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(hex::decode(KEY).unwrap()));
        let provider = Arc::new(ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config =
            config.with_no_client_auth().with_single_cert(vec![CertificateDer::from(der.clone())], key);
        let config = Arc::new(config.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let mut connection = ServerConnection::new(config).unwrap();
            let (mut socket, _) = listener.accept().unwrap();
            // The client has seen enough when it has seen the certificate, and may be gone before the server has said all.
            while connection.is_handshaking() && connection.complete_io(&mut socket).is_ok() {}
        });
        let found = peer("localhost", &[address]).unwrap();
        server.join().unwrap();
        assert_eq!(found.protocol, "TLSv1_3");
        assert_eq!(
            found.certificates,
            [Certificate { sha256: sha256(&der), der_hex: CERTIFICATE.to_owned() }]
        );
        // Where nobody speaks TLS, nothing is written down.
        let plain = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = plain.local_addr().unwrap();
        let server = std::thread::spawn(move || drop(plain.accept()));
        assert_eq!(peer("localhost", &[address]), None);
        server.join().unwrap();
    }
}
