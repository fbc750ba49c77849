//! TLS, as the command line wants it: a certificate from files, or one that is made.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::Exit;
use super::args::Serve;
use super::serve::{real_now, usage};
use crate::pack::Pack;
use crate::server::{Flaw, Hosts, Identity};

/// No certificate and no key is as long, and a file that never ends is neither.
const LARGEST: u64 = 1 << 20;

/// What clients are shown, and how they come to trust it.
pub(super) struct Tls {
    pub(super) identity: Option<Identity>,
    pub(super) trust: Trust,
}

/// Why clients trust the server.
pub(super) enum Trust {
    /// There is no TLS.
    Unasked,
    /// They trust who signed the certificate that was given.
    Given,
    /// They are given the certificate that was made.
    Made(String),
}

pub(super) fn read(arguments: &Serve, hosts: &Hosts, packs: &[Arc<Pack>]) -> Result<Tls, Exit> {
    let trusted = arguments.tls_trust_file.as_ref().map(|file| file.display());
    match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            if let Some(file) = trusted {
                return Err(usage(&format!(
                    "--tls-trust-file {file} is for the certificate that --tls makes: without the flag, clients trust who \
                     signed {}",
                    certificate.display()
                )));
            }
            let texts = (contents("--tls-cert", certificate)?, contents("--tls-key", key)?);
            let identity = Identity::read(&texts.0, &texts.1).map_err(|flaw| usage(&words(&flaw, certificate, key)))?;
            Ok(Tls { identity: Some(identity), trust: Trust::Given })
        }
        (Some(certificate), None) => Err(usage(&format!(
            "--tls-cert {} needs --tls-key with the file of its private key, too",
            certificate.display()
        ))),
        (None, Some(key)) => {
            Err(usage(&format!("--tls-key {} needs --tls-cert with the file of its certificate, too", key.display())))
        }
        (None, None) if arguments.tls => {
            let made = Identity::make(packs, hosts, arguments.host, real_now());
            let (identity, certificate) = made.map_err(|error| {
                usage(&format!("no certificate can be made: {error}: give one with --tls-cert and --tls-key"))
            })?;
            Ok(Tls { identity: Some(identity), trust: Trust::Made(certificate) })
        }
        (None, None) => match trusted {
            Some(file) => Err(usage(&format!("--tls-trust-file {file} needs --tls, which makes the certificate"))),
            None => Ok(Tls { identity: None, trust: Trust::Unasked }),
        },
    }
}

/// What stands in a file of PEM.
pub(super) fn contents(flag: &str, path: &Path) -> Result<Vec<u8>, Exit> {
    let refused = |why: &str| usage(&format!("{flag} {} {why}: give a PEM file", path.display()));
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(refused(&format!("cannot be read ({error})"))),
        Ok(_) if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST => Err(refused("has more than 1 MiB")),
        Ok(_) => Ok(bytes),
    }
}

fn words(flaw: &Flaw, certificate: &Path, key: &Path) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    match flaw {
        Flaw::NoCertificate => format!(
            "--tls-cert {certificate} has no certificate: it begins with -----BEGIN CERTIFICATE----- in a PEM file; are \
             the files of --tls-cert and --tls-key swapped?"
        ),
        Flaw::Certificate(why) => {
            format!("--tls-cert {certificate} is damaged: {why}; `openssl x509 -in FILE -text` shows what it is")
        }
        Flaw::NoKey => format!(
            "--tls-key {key} has no private key: it begins with -----BEGIN PRIVATE KEY----- in a PEM file; are the files \
             of --tls-cert and --tls-key swapped?"
        ),
        Flaw::Encrypted => format!(
            "--tls-key {key} is encrypted, and nobody can be asked for its passphrase: `openssl pkey -in FILE -out PLAIN` \
             writes it without one"
        ),
        Flaw::Key(why) => format!(
            "--tls-key {key} cannot be used: {why}; a key is RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519"
        ),
        Flaw::Mismatch => format!(
            "--tls-key {key} does not fit --tls-cert {certificate}: the certificate was made for another key; give the \
             two that were made together"
        ),
        Flaw::Order => format!(
            "--tls-cert {certificate} has its certificates in the wrong order: the one that --tls-key {key} fits comes \
             first, then who signed it"
        ),
    }
}
