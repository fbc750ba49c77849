//! What the words of [`super::tables`] do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::{Digest as _, Md5};
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, tests};
use ring::{digest, rand, signature};
use serde_json::Value as Json;

use super::Draws;
use super::draws::spell;
use super::scope::{DRAWS, Slot};
use crate::clock::{Format, Instant};
use crate::exchange::{accepts, whole_text};

/// Signing keys of a pack by name: published test keys, part of its files.
#[derive(Default)]
pub(crate) struct Keys(BTreeMap<String, signature::RsaKeyPair>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Keys {
    /// Adds an RSA key in PKCS #8 PEM form.
    pub(crate) fn add(&mut self, name: &str, pem: &str) -> Result<(), String> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(body).map_err(|_| "it is not PEM: its lines are not base64".to_owned())?;
        let pair = signature::RsaKeyPair::from_pkcs8(&der)
            .map_err(|error| format!("it is not an RSA key in PKCS #8 form: {error}"))?;
        self.0.insert(name.to_owned(), pair);
        Ok(())
    }

    /// An RS256 JSON Web Token with these claims, naming the key as `kid`.
    fn sign(&self, name: &str, claims: &Json) -> Option<String> {
        let pair = self.0.get(name)?;
        let header = serde_json::json!({ "kid": name, "alg": "RS256" });
        let mut token =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signed = vec![0; pair.public().modulus_len()];
        let random = rand::SystemRandom::new();
        pair.sign(&signature::RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signed).ok()?;
        let _ = write!(token, ".{}", URL_SAFE_NO_PAD.encode(signed));
        Some(token)
    }

    /// The claims of a token that was signed with this key; `None` for every other text. Expiry is not looked at.
    pub(crate) fn verify(&self, name: &str, token: &str) -> Option<Json> {
        let pair = self.0.get(name)?;
        let (message, signed) = token.rsplit_once('.')?;
        let signed = URL_SAFE_NO_PAD.decode(signed).ok()?;
        let key = signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
        key.verify(message.as_bytes(), &signed).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(message.split_once('.')?.1).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}

/// The texts that `random_…` and `derived_…` spell, by the end of their names.
pub(super) const ALPHABETS: [(&str, &[u8]); 3] = [
    ("hex", b"0123456789abcdef"),
    ("digits", b"0123456789"),
    ("alphanumeric", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
];

/// The `nth` random text under a name; the first may be forced.
pub(super) fn random(draws: &Draws, name: &str, nth: u32, alphabet: &[u8], count: usize) -> String {
    match draws.forced(name) {
        Some(Json::String(forced)) if nth == 0 => forced.clone(),
        _ => spell(alphabet, count, |round, bytes| draws.bytes(name, nth + (round << 16), bytes)),
    }
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

pub(super) const MOST_CHARACTERS: usize = 4096;

/// Functions that make a length of time, with its microseconds.
pub(super) const UNITS: [(&str, i64); 4] =
    [("days", 86_400_000_000), ("hours", 3_600_000_000), ("minutes", 60_000_000), ("seconds", 1_000_000)];

pub(super) fn install(environment: &mut Environment<'static>, keys: &Arc<Keys>) {
    environment.add_global("null", ());
    for (name, micros) in UNITS {
        environment.add_function(name, move |count: i64| count.checked_mul(micros).ok_or_else(|| wrong("too long")));
    }
    for (suffix, alphabet) in ALPHABETS {
        environment.add_function(format!("random_{suffix}"), move |state: &State, count: usize| {
            if count > MOST_CHARACTERS {
                return Err(wrong("at most 4096 characters"));
            }
            with_slot(state, |slot| random(&slot.draws, &slot.name, slot.next(), alphabet, count))
        });
        environment.add_function(format!("derived_{suffix}"), move |state: &State, input: Value, count: usize| {
            if count > MOST_CHARACTERS {
                return Err(wrong("at most 4096 characters"));
            }
            let input = input.to_string();
            with_slot(state, |slot| {
                spell(alphabet, count, |round, bytes| slot.draws.derived(&[suffix, &input, &round.to_string()], bytes))
            })
        });
    }
    environment
        .add_function("random_uuid", |state: &State| with_slot(state, |slot| slot.draws.uuid(&slot.name, slot.next())));
    environment.add_function("dates", dates);
    environment.add_function("epoch_seconds", |instant: i64| instant.div_euclid(1_000_000));
    environment.add_function("epoch_milliseconds", |instant: i64| instant.div_euclid(1_000));
    environment.add_function("merge", |base: Value, over: Value| -> Result<Value, Error> {
        let mut pairs: Vec<(Value, Value)> = members(&base)?;
        for (key, value) in members(&over)? {
            match pairs.iter_mut().find(|(known, _)| *known == key) {
                Some(pair) => pair.1 = value,
                None => pairs.push((key, value)),
            }
        }
        Ok(Value::from_pairs(pairs))
    });
    environment.add_function("without", |args: minijinja::value::Rest<Value>| -> Result<Value, Error> {
        let (object, keys) = args.split_first().ok_or_else(|| wrong("`without` takes an object and keys"))?;
        Ok(Value::from_pairs(members(object)?.into_iter().filter(|(key, _)| !keys.contains(key))))
    });
    environment.add_function("allows", allows);
    environment.add_function("accepts", accepts);
    let keys = Arc::clone(keys);
    environment.add_function("jwt", move |claims: Value, name: &str| {
        let claims = serde_json::to_value(&claims).map_err(|error| wrong(error.to_string()))?;
        keys.sign(name, &claims).ok_or_else(|| wrong(format!("there is no key `{name}`")))
    });
    install_filters(environment);
    install_tests(environment);
}

fn install_filters(environment: &mut Environment<'static>) {
    environment.add_filter("lower", filters::lower);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("split", filters::split);
    environment.add_filter("join", filters::join);
    environment.add_filter("length", filters::length);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("list", filters::list);
    environment.add_filter("sort", filters::sort);
    environment.add_filter("unique", filters::unique);
    environment.add_filter("select", filters::select);
    environment.add_filter("reject", filters::reject);
    environment.add_filter("selectattr", filters::selectattr);
    environment.add_filter("rejectattr", filters::rejectattr);
    environment.add_filter("map", filters::map);
    environment.add_filter("sum", filters::sum);
    environment.add_filter("min", filters::min);
    environment.add_filter("max", filters::max);
    environment.add_filter("abs", filters::abs);
    environment.add_filter("round", filters::round);
    environment.add_filter("int", filters::int);
    environment.add_filter("string", filters::string);
    environment.add_filter("tojson", filters::tojson);
    environment.add_filter("values", |object: Value| -> Result<Value, Error> {
        Ok(members(&object)?.into_iter().map(|(_, value)| value).collect())
    });
    environment.add_filter("time", |instant: i64, pattern: &str, offset: Option<&str>| -> Result<String, Error> {
        let format = Format::for_people(pattern, offset).map_err(wrong)?;
        Ok(format.write(Instant::from_micros(instant)))
    });
    environment.add_filter(
        "instant",
        |text: &str, pattern: Option<&str>, offset: Option<&str>| -> Result<Value, Error> {
            let read = match pattern {
                Some(pattern) => Format::new(pattern, offset).map_err(wrong)?.read(text),
                None => Instant::parse(text),
            };
            // Undefined, so that a guard can refuse what looks like an instant and is none.
            Ok(read.map_or(Value::UNDEFINED, |instant| Value::from(instant.micros())))
        },
    );
    environment.add_filter("md5", |text: &str| hex(&Md5::digest(text.as_bytes())));
    environment.add_filter("sha256", |text: &str| hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()));
}

fn install_tests(environment: &mut Environment<'static>) {
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.add_test("string", tests::is_string);
    environment.add_test("number", tests::is_number);
    environment.add_test("integer", tests::is_integer);
    environment.add_test("boolean", tests::is_boolean);
    environment.add_test("mapping", tests::is_mapping);
    environment.add_test("sequence", tests::is_sequence);
    environment.add_test("true", tests::is_true);
    environment.add_test("false", tests::is_false);
    environment.add_test("eq", tests::is_eq);
    environment.add_test("ne", tests::is_ne);
    environment.add_test("in", tests::is_in);
    environment.add_test("startingwith", tests::is_startingwith);
    environment.add_test("endingwith", tests::is_endingwith);
    environment.add_test("matching", |text: &str, pattern: &str| matching(pattern, text));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn with_slot<T>(state: &State, draw: impl FnOnce(&Slot) -> T) -> Result<T, Error> {
    let slot = state.lookup(DRAWS).ok_or_else(|| wrong("nothing can be drawn here"))?;
    slot.downcast_object_ref::<Slot>().map(draw).ok_or_else(|| wrong("nothing can be drawn here"))
}

fn members(object: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if object.kind() != ValueKind::Map {
        return Err(wrong(format!("an object is needed, not a {}", object.kind())));
    }
    object.try_iter()?.map(|key| object.get_item(&key).map(|value| (key, value))).collect()
}

const MOST_DATES: i64 = 1000;

/// Instants from the first to the last, a day apart; further apart by whole days when that would be more than `most`.
fn dates(first: i64, last: i64, most: i64) -> Result<Value, Error> {
    const DAY: i64 = 86_400_000_000;
    if !(1..=MOST_DATES).contains(&most) {
        return Err(wrong("from 1 to 1000 dates"));
    }
    let days = last.checked_sub(first).ok_or_else(|| wrong("too long"))?.div_euclid(DAY);
    let apart = (days / most + 1) * DAY;
    let count = usize::try_from(days * DAY / apart + 1).unwrap_or(0);
    Ok((0..count).zip(0_i64..).map(|(_, nth)| Value::from(first + nth * apart)).collect())
}

/// A whole text against a pattern, in time linear in the text.
fn matching(pattern: &str, text: &str) -> Result<bool, Error> {
    whole_text(pattern)
        .map(|regex| regex.is_match(text))
        .map_err(|error| wrong(format!("`{pattern}` is not a pattern: {error}")))
}

/// Whether one of the grants, each `{methods: […], paths: [patterns]}`, covers a method and path. A grant whose pattern
/// cannot be read grants nothing.
fn allows(grants: &Value, method: &str, path: &str) -> Result<bool, Error> {
    for grant in grants.try_iter()? {
        let methods = grant.get_attr("methods")?;
        if !methods.try_iter()?.any(|known| known.as_str() == Some(method)) {
            continue;
        }
        let covers = |pattern: Value| pattern.as_str().is_some_and(|pattern| matching(pattern, path).unwrap_or(false));
        if grant.get_attr("paths")?.try_iter()?.any(covers) {
            return Ok(true);
        }
    }
    Ok(false)
}
