//! https: whom receivers are vouched for by, and the handshake. The only user of the system's certificates.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use url::Host;

use super::gate::{Refusal, Way};
use crate::exchange::Failed;

/// Whom this machine trusts to vouch for others. It is read when it is asked for first, as most webhooks need none of it.
#[derive(Default)]
pub(super) struct Trust(OnceCell<TlsConnector>);

impl Trust {
    #[cfg(test)]
    pub(super) fn of(roots: RootCertStore) -> Self {
        Trust(OnceCell::new_with(Some(connector(roots).unwrap())))
    }

    /// Agrees with a receiver on keys, once it has shown that it is who the URL names.
    pub(super) async fn greet(&self, way: &Way, stream: TcpStream) -> Result<TlsStream<TcpStream>, Refusal> {
        let connector = self.0.get_or_try_init(system).await?;
        let name = name(&way.host).ok_or_else(|| untrusted(way, "has a name that no certificate is for"))?;
        connector.connect(name, stream).await.map_err(|error| refusal(way, &error))
    }
}

/// Those that the system trusts, or those of the files that SSL_CERT_FILE and SSL_CERT_DIR name.
async fn system() -> Result<TlsConnector, Refusal> {
    let none = |why: &str| {
        let words = format!(
            "no certificate of any receiver can be trusted, as {why}: install the system's certificates, or name a PEM \
             file with SSL_CERT_FILE"
        );
        (Failed::Untrusted, words)
    };
    let found = spawn_blocking(rustls_native_certs::load_native_certs).await;
    let found = found.map_err(|_| none("the system's could not be read"))?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(found.certs).0 == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(none(&format!("the system has none{why}")));
    }
    connector(roots).map_err(|error| none(&error.to_string()))
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, Error> {
    // The provider is named: one for the whole process would be global.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let mut config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn name(host: &Host<String>) -> Option<ServerName<'static>> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.strip_suffix('.').unwrap_or(name).to_owned()).ok(),
        Host::Ipv4(address) => Some(IpAddr::V4(*address).into()),
        Host::Ipv6(address) => Some(IpAddr::V6(*address).into()),
    }
}

fn untrusted(way: &Way, why: &str) -> Refusal {
    (Failed::Untrusted, format!("`{}` {why}", way.authority))
}

fn refusal(way: &Way, error: &io::Error) -> Refusal {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        let words = format!(
            "`{}` ended the connection during the TLS handshake: see whether it speaks https at that port",
            way.authority
        );
        return (Failed::Broken, words);
    };
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => untrusted(
            way,
            "has a certificate that nobody vouches for whom this machine trusts: start the server with SSL_CERT_FILE and \
             the PEM file of who does",
        ),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => untrusted(way, "has a certificate for other names: call it by one of those"),
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            untrusted(way, "has a certificate whose time is over: renew it")
        }
        Error::InvalidMessage(_) => untrusted(way, "speaks no TLS: begin the URL with `http://`, or name another port"),
        error => untrusted(way, &format!("did not agree on TLS ({error}): look at the receiver's certificate and log")),
    }
}
