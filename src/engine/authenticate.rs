use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::route::Found;
use super::{Call, Rejection, limit, scope};
use crate::expr::Value;
use crate::journal::{Stage, Verdict};
use crate::pack::{Auth, CredentialPlace, Decode, Pack, ResourceId, SchemeId};
use crate::sandbox::{Record, RecordView};

/// Why a scheme did not identify anyone.
enum Unknown {
    Refused(Reason, SchemeId),
    Fault(Rejection),
}

/// The later says more: of several schemes, each of which would do, the one that came nearest gives the error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// The credential is not there.
    Missing,
    /// Another kind of credential stands in its place, such as `Basic` where `Bearer` is looked for.
    Other,
    /// It is there and wrong.
    Wrong,
}

/// Finds out who is calling. Candidates of one route ask for the same credentials.
pub(super) fn identify(call: &mut Call<'_>, found: &Found<'_>) -> Result<(), Rejection> {
    let operation = found.candidates[0].operation;
    let result = check(call, &operation.auth);
    match result {
        Ok(()) => {
            if !matches!(operation.auth, Auth::Open) {
                scope::see(&mut call.scope, call.pack, call.moment, &call.visibility, Some(call.request), &[]);
            }
            Ok(())
        }
        Err(Unknown::Fault(rejection)) => Err(rejection),
        Err(Unknown::Refused(_, id)) => Err(Rejection::Named(call.pack.scheme(id).otherwise)),
    }
}

fn check(call: &mut Call<'_>, auth: &Auth) -> Result<(), Unknown> {
    match auth {
        Auth::Open => {
            call.trace.passed(Stage::Authenticate, None, "open to everyone");
            Ok(())
        }
        Auth::Scheme(id) => scheme(call, *id),
        Auth::All(parts) => parts.iter().try_for_each(|part| check(call, part)),
        Auth::Any(parts) => {
            let mut nearest: Option<(Reason, SchemeId)> = None;
            for part in parts {
                match attempt(call, part) {
                    Ok(()) => return Ok(()),
                    Err(fault @ Unknown::Fault(_)) => return Err(fault),
                    Err(Unknown::Refused(reason, id)) => {
                        if nearest.is_none_or(|(known, _)| known < reason) {
                            nearest = Some((reason, id));
                        }
                    }
                }
            }
            nearest.map_or(Ok(()), |(reason, id)| Err(Unknown::Refused(reason, id)))
        }
        Auth::Optional(inner) => match attempt(call, inner) {
            Err(Unknown::Refused(Reason::Missing, _)) => Ok(()),
            other => other,
        },
    }
}

/// Like [`check`], but what was known of a caller who is then refused is forgotten: the call may go on without them.
fn attempt(call: &mut Call<'_>, auth: &Auth) -> Result<(), Unknown> {
    let before = (call.scope.clone(), call.visibility.clone(), call.caller.clone());
    let result = check(call, auth);
    if result.is_err() {
        (call.scope, call.visibility, call.caller) = before;
    }
    result
}

fn scheme(call: &mut Call<'_>, id: SchemeId) -> Result<(), Unknown> {
    let scheme = call.pack.scheme(id);
    let refuse = |call: &mut Call<'_>, words: String| {
        call.trace.add(Stage::Authenticate, Verdict::Refused, Some(&scheme.at), words);
    };
    let fault = |rejection: Rejection| Unknown::Fault(rejection);
    let Some(text) = credential(call, &scheme.place) else {
        let (word, name) = (scheme.place.word(), scheme.place.parameter());
        refuse(call, format!("scheme `{}`: the {word} `{name}` is missing or not text", scheme.name));
        return Err(Unknown::Refused(Reason::Missing, id));
    };
    if let Some(word) = scheme.decode.first().and_then(Decode::word)
        && after(&text, word).is_none()
    {
        refuse(call, format!("scheme `{}`: the credential does not begin with `{word}`", scheme.name));
        return Err(Unknown::Refused(Reason::Other, id));
    }
    let Some(credential) = decode(call.pack, &scheme.decode, &text) else {
        refuse(call, format!("scheme `{}`: the credential cannot be decoded", scheme.name));
        return Err(Unknown::Refused(Reason::Wrong, id));
    };
    let caller = limit::counts(call).then(|| limit::caller(&credential));
    // A plain text is looked up as it is and needs no name.
    if scheme.value.is_some() || scheme.require.is_some() {
        call.scope.bind("credential", Value::json(&credential));
    }
    let wanted = match scheme.value {
        None => match credential {
            Json::String(text) => Some(text),
            _ => None,
        },
        Some(expr) => {
            let value = call.pack.program.eval(expr, &call.scope, "").map_err(|error| fault(error.into()))?;
            (!value.is_undefined() && !value.is_null()).then(|| value.text())
        }
    };
    let resource = call.pack.resource(scheme.resource);
    let index = resource.lookups.iter().position(|field| *field == scheme.field);
    let record = match (wanted, index) {
        (Some(wanted), Some(index)) => call.moment.world.lookup(scheme.resource, index, &wanted).next().cloned(),
        _ => None,
    };
    let Some(record) = record else {
        refuse(call, format!("scheme `{}`: no `{}` has this credential", scheme.name, resource.name));
        return Err(Unknown::Refused(Reason::Wrong, id));
    };
    let account = match scheme.acts_for {
        None => (scheme.resource, Arc::clone(&record)),
        Some(owner) => match above(call, scheme.resource, &record, owner) {
            Some(account) => (owner, account),
            None => {
                let owner = &call.pack.resource(owner).name;
                let words = format!("scheme `{}`: this `{}` belongs to no `{owner}`", scheme.name, resource.name);
                refuse(call, words);
                return Err(Unknown::Refused(Reason::Wrong, id));
            }
        },
    };
    if let Some(owner) = scheme.acts_for {
        let name = Arc::clone(&call.pack.resource(owner).name);
        call.scope.bind(name, RecordView::value(call.pack, owner, Arc::clone(&account.1)));
    }
    call.scope.bind(Arc::clone(&scheme.bind), RecordView::value(call.pack, scheme.resource, record));
    if let Some(require) = scheme.require
        && !call.pack.program.holds(require, &call.scope).map_err(|error| fault(error.into()))?
    {
        let words = format!("scheme `{}`: `{}` does not hold", scheme.name, call.pack.program.text(require));
        refuse(call, words);
        return Err(Unknown::Refused(Reason::Wrong, id));
    }
    call.caller = call.caller.take().or(caller);
    let (seen, account) = account;
    call.visibility.add(seen, account.text(call.pack.resource(seen).id).unwrap_or_default());
    call.trace.passed(Stage::Authenticate, Some(&scheme.at), &scheme.name);
    Ok(())
}

/// The owner of this kind that a record belongs to, directly or through others; `None` where one of them is missing.
fn above(call: &Call<'_>, mut resource: ResourceId, record: &Arc<Record>, wanted: ResourceId) -> Option<Arc<Record>> {
    let mut record = record;
    while resource != wanted {
        let owner = call.pack.resource(resource).owner?;
        record = call.moment.world.get(owner.resource, &record.text(owner.field)?)?;
        resource = owner.resource;
    }
    Some(Arc::clone(record))
}

fn credential<'a>(call: &Call<'a>, place: &CredentialPlace) -> Option<Cow<'a, str>> {
    match place {
        CredentialPlace::Header(name) => call.request.header(name).map(Cow::Borrowed),
        CredentialPlace::Query(name) => {
            let query = call.query.as_deref()?;
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| Cow::Owned(value.into_owned()))
        }
    }
}

pub(super) fn decode(pack: &Pack, steps: &[Decode], text: &str) -> Option<Json> {
    let Some((step, further)) = steps.split_first() else { return Some(Json::from(text)) };
    let value = match step {
        Decode::Bearer => return decode(pack, further, after(text, step.word()?)?),
        Decode::Basic => {
            let decoded = STANDARD.decode(after(text, step.word()?)?).ok()?;
            let decoded = String::from_utf8(decoded).ok()?;
            let (username, password) = decoded.split_once(':')?;
            json!({ "username": username, "password": password })
        }
        Decode::Jwt(key) => pack.program.keys().verify(key, text)?,
    };
    if further.is_empty() { Some(value) } else { decode(pack, further, value.as_str()?) }
}

/// The rest of `Bearer xyz`. The scheme's word is read ignoring case (RFC 9110, 11.1).
fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (scheme, rest) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case(word).then(|| rest.trim_start()).filter(|rest| !rest.is_empty())
}
