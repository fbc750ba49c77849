//! https: whom others are vouched for by, and the handshake. The only user of the system's certificates.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use url::Host;

/// Whom this machine trusts to vouch for others. It is read when it is asked for first, as most calls need none of it.
#[derive(Default)]
pub(crate) struct Trust {
    connector: OnceCell<TlsConnector>,
    /// Who is trusted besides those that the system trusts.
    further: Vec<CertificateDer<'static>>,
}

/// Why there is no connection that can be trusted.
#[derive(Debug)]
pub(crate) enum Distrust {
    /// Nobody can be: why.
    Nobody(String),
    /// The other side hung up during the handshake.
    Ended,
    /// Nobody who is trusted vouches for the other side.
    Unknown,
    /// What is wrong with the other side, and what to do; its name goes before.
    Wrong(String),
}

impl Trust {
    #[cfg(test)]
    pub(crate) fn of(roots: RootCertStore) -> Self {
        Trust { connector: OnceCell::new_with(Some(connector(roots).unwrap())), further: Vec::new() }
    }

    /// Those that the system trusts, and those of a PEM file. The error says what is wrong with the file.
    pub(crate) fn besides(pem: &[u8]) -> Result<Self, String> {
        let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let further = read.map_err(|error| format!("is no PEM file of certificates ({error})"))?;
        if further.is_empty() {
            return Err("has no certificate: it begins with `-----BEGIN CERTIFICATE-----`".to_owned());
        }
        // A certificate that cannot be read is told now, and not as one that vouches for nobody.
        let mut roots = RootCertStore::empty();
        for (place, certificate) in further.iter().enumerate() {
            let added = roots.add(certificate.clone());
            added.map_err(|error| format!("has no certificate in place {} ({error})", place + 1))?;
        }
        Ok(Trust { connector: OnceCell::new(), further })
    }

    /// Agrees with the other side on keys, once it has shown that it is who it is called.
    pub(crate) async fn greet(&self, host: &Host<String>, stream: TcpStream) -> Result<TlsStream<TcpStream>, Distrust> {
        let connector = self.connector.get_or_try_init(|| self.gather()).await?;
        let name = name(host).ok_or_else(|| Distrust::Wrong("has a name that no certificate is for".to_owned()))?;
        connector.connect(name, stream).await.map_err(|error| distrust(&error))
    }

    /// Those that the system trusts, or those of the files that SSL_CERT_FILE and SSL_CERT_DIR name, and the further ones.
    async fn gather(&self) -> Result<TlsConnector, Distrust> {
        let found = spawn_blocking(rustls_native_certs::load_native_certs).await;
        let found = found.map_err(|_| Distrust::Nobody("the system's could not be read".to_owned()))?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        roots.add_parsable_certificates(self.further.iter().cloned());
        if roots.is_empty() {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(Distrust::Nobody(format!("the system has none{why}")));
        }
        connector(roots).map_err(|error| Distrust::Nobody(error.to_string()))
    }
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

fn distrust(error: &io::Error) -> Distrust {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else { return Distrust::Ended };
    let wrong = |words: &str| Distrust::Wrong(words.to_owned());
    match error {
        // A bad signature is that of another authority of the same name.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Distrust::Unknown
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => wrong("has a certificate for other names: call it by one of those"),
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            wrong("has a certificate whose time is over: renew it")
        }
        Error::InvalidMessage(_) => wrong("speaks no TLS: begin the URL with `http://`, or name another port"),
        error => wrong(&format!("did not agree on TLS ({error}): look at its certificate and its log")),
    }
}
