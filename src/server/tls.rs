//! TLS: the certificate that a server shows, the handshake, and a client's stream with or without TLS. The only user
//! of rcgen.
//!
//! Everything above the stream sees the bytes that the client means, so framing, limits and times hold for them as they
//! do without TLS. Start with [`Identity`] and [`Wire`].

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{CertificateError, Error, InconsistentKeys, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::crowd::Ends;
use super::gate::Hosts;
use super::pace::Pace;
use crate::clock::Instant;
use crate::pack::Pack;

/// What the first byte of a client's first record is: that it holds a message of the handshake.
pub(super) const HANDSHAKE: u8 = 0x16;

/// A certificate begins a day ago, as clocks differ, and lasts a year: there are systems that trust none for much longer.
const DAY: u64 = 24 * 60 * 60;
const LASTS: u64 = 366 * DAY;

/// The year 9892: beyond 9999 there are no dates.
const LAST_SECOND: u64 = 250_000_000_000;

/// A certificate and its key.
pub(crate) struct Identity(TlsAcceptor);

/// What is wrong with the files of a certificate and its key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not PEM, or what stands in it is damaged.
    Certificate(String),
    NoCertificate,
    Key(String),
    NoKey,
    /// Only who knows a passphrase can read it.
    Encrypted,
    /// The key belongs to none of the certificates.
    Mismatch,
    /// The key belongs to a certificate that is not the first.
    Order,
}

impl Identity {
    /// Reads a chain of certificates, the server's own first, and its key. Both are PEM.
    pub(crate) fn read(certificates: &[u8], key: &[u8]) -> Result<Self, Flaw> {
        let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| Flaw::Certificate(damage(&error)))?;
        if chain.is_empty() {
            return Err(Flaw::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            _ if memchr::memmem::find(key, b"ENCRYPTED").is_some() => Flaw::Encrypted,
            PemError::NoItemsFound => Flaw::NoKey,
            error => Flaw::Key(damage(&error)),
        })?;
        let provider = ring::default_provider();
        let key = provider.key_provider.load_private_key(key).map_err(|error| Flaw::Key(error.to_string()))?;
        let fits = |certificate: &CertificateDer<'static>| {
            CertifiedKey::new(vec![certificate.clone()], Arc::clone(&key)).keys_match()
        };
        let damaged = |certificate: &CertificateDer<'static>| {
            matches!(fits(certificate), Err(Error::InvalidCertificate(CertificateError::BadEncoding)))
        };
        if let Some(place) = chain.iter().position(damaged) {
            return Err(Flaw::Certificate(format!("what it has in place {} is no certificate", place + 1)));
        }
        match fits(&chain[0]) {
            Ok(()) => {}
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                let later = chain[1..].iter().any(|certificate| fits(certificate).is_ok());
                return Err(if later { Flaw::Order } else { Flaw::Mismatch });
            }
            Err(error) => return Err(Flaw::Certificate(error.to_string())),
        }
        Identity::of(CertifiedKey::new(chain, key), provider).map_err(|error| Flaw::Certificate(error.to_string()))
    }

    /// Makes a key and a certificate for all names of a server, which nobody but the certificate itself vouches for.
    /// Gives the certificate as PEM, too, for clients that are to trust it.
    pub(crate) fn make(
        packs: &[Arc<Pack>],
        hosts: &Hosts,
        host: IpAddr,
        now: Instant,
    ) -> Result<(Self, String), String> {
        let names = names(packs, hosts, host);
        let make = || {
            let mut wanted = CertificateParams::new(names)?;
            wanted.distinguished_name.push(DnType::CommonName, "standin");
            // No authority: whoever trusts it trusts this server, and nothing that it might sign.
            wanted.is_ca = IsCa::ExplicitNoCa;
            wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            let start = date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds(now).saturating_sub(DAY));
            (wanted.not_before, wanted.not_after) = (start, start + Duration::from_secs(LASTS));
            let key = KeyPair::generate()?;
            Ok((wanted.self_signed(&key)?, key))
        };
        let (certificate, key) = make().map_err(|error: rcgen::Error| error.to_string())?;
        let provider = ring::default_provider();
        let secret = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let certified = CertifiedKey::from_der(vec![certificate.der().clone()], secret, &provider);
        let identity = certified.and_then(|certified| Identity::of(certified, provider));
        Ok((identity.map_err(|error| error.to_string())?, certificate.pem()))
    }

    fn of(certified: CertifiedKey, provider: CryptoProvider) -> Result<Self, Error> {
        // The provider is named: one for the whole process would be global.
        let builder = ServerConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions()?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Identity(TlsAcceptor::from(Arc::new(config))))
    }

    /// Agrees with a client on keys, and puts what is there to talk through then, if anything is, into `met`.
    pub(super) fn greet<'g>(&'g self, stream: TcpStream, pace: &'g Pace, met: &'g mut Option<Met>) -> Greeting<'g> {
        let shakes = async {
            let mut first = [0];
            if !stream.peek(&mut first).await.is_ok_and(|count| count > 0) {
                return None;
            }
            // A handshake counts as the beginning of a head: who is slow with it is as late, and makes room as early.
            pace.came(false, true);
            if first[0] != HANDSHAKE {
                return Some(Met::Plain(stream));
            }
            let stream = self.0.accept(stream).await.ok()?;
            pace.greeted();
            Some(Met::Secured(Wire::Tls(Box::new(Tls { stream, peeked: None, silent: false }))))
        };
        Greeting { shakes: Box::pin(shakes), met, left: false }
    }
}

/// What is damaged, without what stands there: it may be a key.
fn damage(error: &PemError) -> String {
    match error {
        PemError::MissingSectionEnd { .. } => "a part of it has no -----END line".to_owned(),
        PemError::IllegalSectionStart { .. } => "a -----BEGIN line is not whole".to_owned(),
        PemError::Base64Decode(_) => "a part of it is no Base64".to_owned(),
        error => error.to_string(),
    }
}

/// All names and addresses that a server is called by.
///
/// A wildcard stands for one label, and some clients take none right before the last label: so each pack is named, and
/// the sandboxes in front of it.
fn names(packs: &[Arc<Pack>], hosts: &Hosts, host: IpAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "*.localhost".to_owned()];
    names.extend(
        packs.iter().flat_map(|pack| [format!("{}.localhost", pack.name), format!("*.{}.localhost", pack.name)]),
    );
    names.extend_from_slice(hosts.names());
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    addresses.extend(Some(host).filter(|host| !host.is_unspecified()));
    addresses.extend_from_slice(hosts.addresses());
    names.extend(addresses.iter().map(IpAddr::to_string));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Seconds since 1970, of which there are only so many.
fn seconds(now: Instant) -> u64 {
    u64::try_from(now.micros() / 1_000_000).unwrap_or(0).min(LAST_SECOND)
}

/// With whom there is something to talk about.
pub(super) enum Met {
    Secured(Wire),
    /// A client that speaks plain HTTP where TLS is spoken.
    Plain(TcpStream),
}

/// A handshake under way.
pub(super) struct Greeting<'g> {
    shakes: Pin<Box<dyn Future<Output = Option<Met>> + Send + 'g>>,
    met: &'g mut Option<Met>,
    left: bool,
}

impl Future for Greeting<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if !this.left {
            *this.met = ready!(this.shakes.as_mut().poll(cx));
        }
        Poll::Ready(())
    }
}

impl Ends for Greeting<'_> {
    fn leave(self: Pin<&mut Self>) {
        self.get_mut().left = true;
    }
}

/// A client's stream, which takes and gives what is said, however it travels.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<Tls>),
}

pub(super) struct Tls {
    stream: TlsStream<TcpStream>,
    /// Read before anybody wanted it, to see whether the client is still there.
    peeked: Option<u8>,
    /// It ends without a goodbye.
    silent: bool,
}

impl Wire {
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Wire::Plain(_))
    }

    /// Sends last words. Who cannot take them at once goes without.
    pub(super) fn say(&mut self, cx: &mut Context<'_>, bytes: &[u8]) {
        match self {
            Wire::Plain(stream) => {
                let _ = stream.try_write(bytes);
            }
            Wire::Tls(tls) => {
                let mut stream = Pin::new(&mut tls.stream);
                if stream.as_mut().poll_write(cx, bytes).is_ready() {
                    let _ = stream.poll_shutdown(cx);
                }
            }
        }
    }

    /// Lets the connection end with a reset when it is dropped.
    pub(super) fn set_zero_linger(&mut self) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.set_zero_linger(),
            Wire::Tls(tls) => {
                // A goodbye before the reset would make an end in order of it.
                tls.silent = true;
                tls.stream.get_ref().0.set_zero_linger()
            }
        }
    }

    /// Ready once it is known whether the client has ended its side.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        match self {
            Wire::Plain(stream) => stream.poll_peek(cx, &mut ReadBuf::new(&mut [0])).map_ok(|count| count == 0),
            Wire::Tls(tls) if tls.peeked.is_some() => Poll::Ready(Ok(false)),
            Wire::Tls(tls) => {
                let mut byte = [0];
                let mut buffer = ReadBuf::new(&mut byte);
                ready!(tls.poll_read(cx, &mut buffer))?;
                tls.peeked = buffer.filled().first().copied();
                Poll::Ready(Ok(tls.peeked.is_none()))
            }
        }
    }
}

impl Tls {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.stream).poll_read(cx, buffer)) {
            // Who just hangs up has ended, too. What was said says itself whether it is complete.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            result => Poll::Ready(result),
        }
    }
}

/// A connection that is given up while nothing is under way ends in order, too; one that is cut in the middle of an answer
/// does not look as if that were its end.
impl Drop for Tls {
    fn drop(&mut self) {
        let (stream, session) = self.stream.get_mut();
        if !self.silent && !session.wants_write() {
            session.send_close_notify();
            let _ = session.write_tls(&mut AtOnce(stream));
        }
    }
}

/// Takes what the system takes without waiting.
struct AtOnce<'s>(&'s TcpStream);

impl io::Write for AtOnce<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Wire::Tls(tls) => match tls.peeked.take() {
                Some(byte) => {
                    buffer.put_slice(&[byte]);
                    Poll::Ready(Ok(()))
                }
                None => tls.poll_read(cx, buffer),
            },
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Tls(tls) => Pin::new(&mut tls.stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Wire::Tls(tls) => Pin::new(&mut tls.stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Wire::Plain(stream) => stream.is_write_vectored(),
            Wire::Tls(tls) => tls.stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Tls(tls) => Pin::new(&mut tls.stream).poll_flush(cx),
        }
    }

    /// Says goodbye (`close_notify`) before it ends this side.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Tls(tls) => Pin::new(&mut tls.stream).poll_shutdown(cx),
        }
    }
}
