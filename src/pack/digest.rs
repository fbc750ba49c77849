use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

use super::Files;

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// One for all files.
pub(super) fn of_all(digests: &[(String, String)]) -> String {
    let lines: String = digests.iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect();
    sha256(lines.as_bytes())
}

/// Every file of a pack with its digest, fixtures first.
pub(super) fn digests(files: &Files) -> Vec<(String, String)> {
    let of = |kind: &'static str| {
        move |(path, bytes): (&String, &Vec<u8>)| (format!("{kind}/{}/{path}", files.folder), sha256(bytes))
    };
    files.fixtures.iter().map(of("fixtures")).chain(files.schemas.iter().map(of("schemas"))).collect()
}
