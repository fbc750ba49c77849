//! Signatures of webhooks: made at each attempt, and made again by who receives one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderName;
use ring::hmac;
use serde_json::json;

use super::fill::Slot;
use crate::clock::Instant;
use crate::expr::{ExprId, Scope, Value};
use crate::pack::{Algorithm, Encoding, KeyEncoding, Pack, Signature, Webhook};

/// What a receiver knows of a call, besides its key.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The id of the delivery, and which attempt at it this is.
    pub(crate) delivery: String,
    pub(crate) attempt: u32,
    /// When it was sent.
    pub(crate) at: Instant,
    pub(crate) body: Bytes,
}

/// The header in which a webhook signs, and what it must say in a call for who has this key. None where the webhook signs
/// nothing; the error says why it cannot be made again.
pub(crate) fn proof(
    pack: &Arc<Pack>,
    webhook: &Webhook,
    key: &str,
    heard: &Heard,
) -> Option<Result<(HeaderName, String), String>> {
    let signature = webhook.signature.as_ref()?;
    let mut scope = Scope::default();
    scope.bind("now", Value::instant(heard.at));
    scope.bind("tables", Value::source(Arc::new(Arc::clone(&pack.tables))));
    scope.bind("delivery", Value::json(&json!({ "id": heard.delivery, "attempt": heard.attempt })));
    let made = bytes(key, signature.key_encoding)
        .and_then(|key| written(pack, signature, &key, &mut scope, &heard.body, Slot::new("proof")));
    Some(made.map(|value| (signature.header.clone(), value)))
}

/// The value of the header that proves who sends.
pub(super) fn signed(
    pack: &Arc<Pack>,
    signature: &Signature,
    scope: &mut Scope,
    body: &Bytes,
    slot: Slot<'_>,
) -> Result<String, String> {
    let key = text(pack, signature.key, scope, slot.step("key"))?;
    let key = bytes(&key, signature.key_encoding)?;
    written(pack, signature, &key, scope, body, slot)
}

fn written(
    pack: &Arc<Pack>,
    signature: &Signature,
    key: &[u8],
    scope: &mut Scope,
    body: &Bytes,
    slot: Slot<'_>,
) -> Result<String, String> {
    let algorithm = match signature.algorithm {
        Algorithm::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::HmacSha256 => hmac::HMAC_SHA256,
        Algorithm::HmacSha384 => hmac::HMAC_SHA384,
        Algorithm::HmacSha512 => hmac::HMAC_SHA512,
    };
    if signature.input.is_some() || signature.value.is_some() {
        scope.bind("payload", Value::string(&String::from_utf8_lossy(body)));
    }
    let input = match signature.input {
        Some(input) => Bytes::from(text(pack, input, scope, slot.step("input"))?),
        None => body.clone(),
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, key), &input);
    let written = match signature.encoding {
        Encoding::Hex => tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => STANDARD.encode(tag),
    };
    let Some(value) = signature.value else { return Ok(written) };
    scope.bind("signature", Value::string(&written));
    text(pack, value, scope, slot.step("value"))
}

fn text(pack: &Arc<Pack>, expr: ExprId, scope: &Scope, slot: Slot<'_>) -> Result<String, String> {
    let value = pack.program.eval(expr, scope, &slot.name()).map_err(|fault| fault.to_string())?;
    match value.is_undefined() || value.is_null() {
        true => Err(format!("`{}` has no value", pack.program.text(expr))),
        false => Ok(value.text()),
    }
}

fn bytes(key: &str, encoding: KeyEncoding) -> Result<Vec<u8>, String> {
    match encoding {
        KeyEncoding::Text => Ok(key.as_bytes().to_vec()),
        KeyEncoding::Hex => from_hex(key).ok_or_else(|| "its key is not hexadecimal".to_owned()),
        KeyEncoding::Base64 => STANDARD.decode(key).map_err(|_| "its key is not base64".to_owned()),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    // A sign would be read, too.
    let read = |pair: &[u8]| {
        let digits = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|_| digits)?, 16).ok()
    };
    text.as_bytes().chunks(2).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hexadecimal_key_is_pairs_of_digits() {
        assert_eq!(from_hex("0aFF"), Some(vec![10, 255]));
        for wrong in ["0", "0g", "+f", "é"] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
