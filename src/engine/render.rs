use bytes::Bytes;
use http::HeaderName;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::fill::{Slot, body, fill};
use super::{Call, Rejection, strict, validate};
use crate::exchange::{Response, spelled};
use crate::journal::{Stage, Verdict};
use crate::pack::{Check, Content, Operation, Reply, Shape};

/// The first answer of an operation whose condition holds.
pub(super) fn response<'o>(call: &mut Call<'_>, operation: &'o Operation) -> Result<(Response, &'o Reply), Rejection> {
    first(call, &operation.replies)?
        .ok_or_else(|| Rejection::Fault(format!("`{}` has no answer for this", operation.name)))
}

/// The first of several answers whose condition holds.
pub(super) fn first<'r>(call: &mut Call<'_>, replies: &'r [Reply]) -> Result<Option<(Response, &'r Reply)>, Rejection> {
    for reply in replies {
        let holds = match reply.when {
            None => true,
            Some(when) => call.pack.program.holds(when, &call.scope)?,
        };
        if holds {
            return Ok(Some((answer(call, reply)?, reply)));
        }
    }
    Ok(None)
}

/// One answer in the present scope, checked against its schema.
pub(super) fn answer(call: &mut Call<'_>, reply: &Reply) -> Result<Response, Rejection> {
    strict::assumed(call, reply)?;
    let mut response = Response::new(reply.status);
    match &reply.body {
        Content::Empty => {}
        Content::Fixed { bytes, media_type, json } => {
            response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            response.body = bytes.clone();
            if json.is_some() {
                validate::response(call, reply, bytes, !matches!(reply.check, Check::Proven))?;
            }
        }
        Content::Shaped(shape) => {
            let written = body(call.pack, shape, &reply.check, &call.scope)?;
            validate::response(call, reply, &written.body, written.suspect)?;
            response = response.with_body("application/json", written.body);
        }
        Content::Page { template, with } => {
            let mut scope = call.scope.clone();
            for (name, shape) in with {
                // A page shows records by their fields, so expressions keep their values.
                let value = match shape {
                    Shape::Value { expr, .. } => call.pack.program.eval(*expr, &scope, "")?,
                    Shape::Record { of, .. } => call.pack.program.eval(*of, &scope, "")?,
                    Shape::Each(each) if each.only.is_none() => call.pack.program.eval(each.over, &scope, "")?,
                    shape => match fill(call.pack, shape, &scope, Slot::new(name))? {
                        Some(value) => crate::expr::Value::json(&value),
                        None => crate::expr::Value::undefined(),
                    },
                };
                scope.bind(std::sync::Arc::clone(name), value);
            }
            let page = call.pack.program.page(*template, &scope)?;
            response = response.with_body("text/html; charset=utf-8", page);
        }
    }
    headers(call, reply, &call.pack.clone().headers, &mut response)?;
    headers(call, reply, &reply.headers, &mut response)?;
    call.trace.add(Stage::Render, Verdict::Passed, Some(&reply.at), reply.provenance.header());
    Ok(response)
}

/// One answer in the present scope; where that lacks what the answer tells of, its example. Says whether it is as it is
/// documented.
pub(super) fn uncaused(call: &mut Call<'_>, reply: &Reply) -> Result<(Response, bool), Rejection> {
    match (answer(call, reply), &reply.shown) {
        (Err(Rejection::Fault(_)), Some(shown)) => Ok((example(call, reply, "application/json", shown.clone())?, true)),
        (answer, _) => Ok((answer?, matches!(reply.body, Content::Empty | Content::Fixed { .. }))),
    }
}

/// An example of an answer as it stands, with the answer's headers as far as they can be made.
pub(super) fn example(
    call: &mut Call<'_>,
    reply: &Reply,
    media: &'static str,
    body: Bytes,
) -> Result<Response, Rejection> {
    strict::assumed(call, reply)?;
    let mut response = Response::new(reply.status).with_body(media, body);
    let pack = call.pack;
    for header in pack.headers.iter().chain(&reply.headers) {
        match headers(call, reply, std::slice::from_ref(header), &mut response) {
            Err(Rejection::Fault(words)) => {
                let words = format!("the header `{}` is left out: {words}", header.0);
                call.trace.add(Stage::Render, Verdict::Noted, Some(&reply.at), words);
            }
            other => other?,
        }
    }
    call.trace.passed(Stage::Render, Some(&reply.at), "the example as it stands");
    Ok(response)
}

fn headers(
    call: &mut Call<'_>,
    reply: &Reply,
    headers: &[(HeaderName, Shape)],
    response: &mut Response,
) -> Result<(), Rejection> {
    for (name, shape) in headers {
        let slot = Slot::new("header");
        let value = fill(call.pack, shape, &call.scope, slot.step(name.as_str()))?;
        if let Some(value) = value
            && !response.set(name.clone(), &spelled(&value))
        {
            let words = format!(
                "the header `{name}` is left out: its value has more than one line, or other control characters"
            );
            call.trace.add(Stage::Render, Verdict::Failed, Some(&reply.at), words);
        }
    }
    Ok(())
}
