//! https to receivers: what a handshake that fails means for a delivery.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::gate::{Refusal, Way};
use crate::exchange::Failed;
use crate::line::{Distrust, Trust};

/// Agrees with a receiver on keys, once it has shown that it is who the URL names.
pub(super) async fn greet(trust: &Trust, way: &Way, stream: TcpStream) -> Result<TlsStream<TcpStream>, Refusal> {
    trust.greet(&way.host, stream).await.map_err(|distrust| refusal(way, &distrust))
}

fn refusal(way: &Way, distrust: &Distrust) -> Refusal {
    let receiver = &way.authority;
    match distrust {
        Distrust::Nobody(why) => {
            let words = format!(
                "no certificate of any receiver can be trusted, as {why}: install the system's certificates, or name a \
                 PEM file with SSL_CERT_FILE"
            );
            (Failed::Untrusted, words)
        }
        Distrust::Ended => {
            let words = format!(
                "`{receiver}` ended the connection during the TLS handshake: see whether it speaks https at that port"
            );
            (Failed::Broken, words)
        }
        Distrust::Unknown => {
            let words = format!(
                "`{receiver}` has a certificate that nobody vouches for whom this machine trusts: start the server with \
                 SSL_CERT_FILE and the PEM file of who does"
            );
            (Failed::Untrusted, words)
        }
        Distrust::Wrong(what) => (Failed::Untrusted, format!("`{receiver}` {what}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
    use tokio_rustls::rustls::{RootCertStore, ServerConfig};

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
