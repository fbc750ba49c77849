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
        // A bad signature is that of another authority of the same name.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => untrusted(
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

    use super::super::client::Client;
    use super::super::client::tests::{LONG, failed, heard, receiver, to};
    use super::*;
    use crate::exchange::Outcome;

    /// A certificate that vouches for itself, until the end of a year, and a receiver that shows it.
    fn identity(names: &[&str], year: i32) -> (CertificateDer<'static>, TlsAcceptor) {
        let mut wanted =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        wanted.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = wanted.self_signed(&key).unwrap();
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der());
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = builder.with_single_cert(vec![certificate.der().clone()], secret.into()).unwrap();
        (certificate.der().clone(), TlsAcceptor::from(Arc::new(config)))
    }

    fn client(trusted: &CertificateDer<'static>) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        Client::trusting(roots)
    }

    /// Answers one call, if it comes to that, and says under which name it was greeted.
    async fn answering(acceptor: TlsAcceptor) -> (u16, tokio::task::JoinHandle<Option<String>>) {
        receiver(|stream| async move {
            let mut stream = acceptor.accept(stream).await.ok()?;
            heard(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.ok()?;
            stream.get_ref().1.server_name().map(str::to_owned)
        })
        .await
    }

    #[tokio::test]
    async fn a_receiver_is_called_over_tls_when_its_name_is_vouched_for() {
        let (certificate, acceptor) = identity(&["hooks.localhost", "127.0.0.1"], 9000);
        let client = client(&certificate);
        for (host, greeted) in [
            ("hooks.localhost", Some("hooks.localhost")),
            ("HOOKS.localhost.", Some("hooks.localhost")),
            ("127.0.0.1", None),
        ] {
            let (port, name) = answering(acceptor.clone()).await;
            match client.send(&to(format!("https://{host}:{port}/"), LONG), "d1").await {
                Outcome::Answered(answered) => {
                    assert_eq!((answered.status.as_u16(), &*answered.body), (200, &b"ok"[..]));
                }
                Outcome::Failed(why, words) => panic!("{host}: {why:?}: {words}"),
            }
            assert_eq!(name.await.unwrap().as_deref(), greeted);
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_to_who_is_not_vouched_for() {
        let (own, acceptor) = identity(&["localhost"], 9000);
        let (other, _) = identity(&["localhost"], 9000);
        let (old, passed) = identity(&["localhost"], 2020);
        for (trusted, acceptor, host, words) in [
            (
                &other,
                &acceptor,
                "localhost",
                "has a certificate that nobody vouches for whom this machine trusts: start the server with SSL_CERT_FILE and \
                 the PEM file of who does",
            ),
            (&own, &acceptor, "127.0.0.1", "has a certificate for other names: call it by one of those"),
            (&own, &acceptor, "x.localhost", "has a certificate for other names: call it by one of those"),
            (&old, &passed, "localhost", "has a certificate whose time is over: renew it"),
        ] {
            let (port, name) = answering(acceptor.clone()).await;
            let outcome = client(trusted).send(&to(format!("https://{host}:{port}/"), LONG), "d1").await;
            failed(outcome, Failed::Untrusted, &format!("`{host}:{port}` {words}"));
            assert_eq!(name.await.unwrap(), None, "it has heard something");
        }
    }

    #[tokio::test]
    async fn who_speaks_no_tls_is_told_so() {
        let (certificate, _) = identity(&["localhost"], 9000);
        for (answer, why, words) in [
            (
                "HTTP/1.1 400 Bad Request\r\n\r\n",
                Failed::Untrusted,
                "speaks no TLS: begin the URL with `http://`, or name another port",
            ),
            (
                "",
                Failed::Broken,
                "ended the connection during the TLS handshake: see whether it speaks https at that port",
            ),
        ] {
            let (port, _) = receiver(move |mut stream| async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            })
            .await;
            let outcome = client(&certificate).send(&to(format!("https://localhost:{port}/"), LONG), "d1").await;
            failed(outcome, why, &format!("`localhost:{port}` {words}"));
        }
        let (port, silent) =
            receiver(
                |mut stream| async move { while stream.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {} },
            )
            .await;
        let time = Duration::from_millis(150);
        let outcome = client(&certificate).send(&to(format!("https://localhost:{port}/"), time), "d1").await;
        let words = "did not finish the TLS handshake within 150ms: see whether it speaks https there";
        failed(outcome, Failed::Timeout, &format!("`localhost:{port}` {words}"));
        silent.await.unwrap();
    }
}
