//! What arrived at receivers.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value as Json;

use super::{body, conditions, headers, json, line, lines, members, miss, status, without_value};
use crate::engine::{self, Heard};
use crate::expr;
use crate::pack::Pack;
use crate::scenario::{Known, Miss, Sent, Value};

/// How what is wrong with calls that arrived is called.
pub(crate) const RECEIVED: &str = "received at";

/// A call that arrived at a receiver.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// The name of the receiver.
    pub(crate) at: Arc<str>,
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What the receiver answered; none where it did not.
    pub(crate) status: Option<u16>,
    /// Pack, webhook and attempt, as far as the server tells.
    pub(crate) from: Option<From>,
}

/// Which delivery a call was part of.
#[derive(Debug, Clone)]
pub(crate) struct From {
    pub(crate) pack: String,
    pub(crate) webhook: String,
    pub(crate) heard: Heard,
}

/// What is wrong with what arrived; none when all is well. `packs` are those that the scenario was read against.
pub(crate) fn received(sent: &Sent, arrived: &[Arrived], packs: &[Arc<Pack>], known: &Known<'_>) -> Option<Miss> {
    let here = || arrived.iter().filter(|call| call.at == sent.at);
    let judged: Vec<(&Arrived, Vec<Miss>)> = here().map(|call| (call, misses(sent, call, packs, known))).collect();
    let fitting = judged.iter().filter(|(_, misses)| misses.is_empty()).count() as u64;
    if sent.count.holds(fitting) {
        return None;
    }
    let mut found = match (judged.len(), fitting) {
        (0, _) => "none arrived".to_owned(),
        (all, fitting) if all as u64 == fitting => format!("{fitting}"),
        (all, fitting) => format!("{fitting} of {all} that arrived"),
    };
    let nearest = judged.iter().filter(|(_, misses)| !misses.is_empty()).min_by_key(|(_, misses)| misses.len());
    if let Some((call, misses)) = nearest.filter(|_| fitting < sent.count.least) {
        let told = misses.iter().map(|miss| format!("{}: expected {}, found {}", miss.what, miss.wanted, miss.found));
        let told: Vec<String> = told.collect();
        found.push_str(&format!("; the nearest is {} {}, where {}", call.method, call.path, told.join("; ")));
    }
    let what = format!("{RECEIVED} `{}`", sent.at);
    let calls = if sent.count.most.unwrap_or(sent.count.least) == 1 { "call that fits" } else { "calls that fit" };
    Some(Miss { what, wanted: format!("{} {calls}", sent.count.words()), found })
}

fn misses(sent: &Sent, call: &Arrived, packs: &[Arc<Pack>], known: &Known<'_>) -> Vec<Miss> {
    let mut misses = Vec::new();
    if let Some((pack, webhook)) = &sent.webhook {
        let name = |from: &From| format!("{}/{}", from.pack, from.webhook);
        let wanted = format!("{}/{webhook}", packs.get(*pack).map_or("", |pack| &pack.name));
        let found = call.from.as_ref().map_or_else(|| "no webhook of this sandbox".to_owned(), name);
        if found != wanted {
            misses.push(miss("webhook", &wanted, &found));
        }
    }
    match call.status {
        Some(answered) => misses.extend(status(&sent.status, answered, known)),
        None if !sent.status.is_empty() => misses.push(miss("status", "an answer", "none")),
        None => {}
    }
    misses.extend(lines(&sent.headers, &call.headers, known));
    let json = call.json();
    misses.extend(body::misses(&sent.body, &call.body, json.as_ref(), known));
    misses.extend(sent.signed.as_ref().and_then(|signed| unsigned(signed, call, packs, known)));
    if !sent.that.is_empty() {
        let mut scope = known.scope.clone();
        scope.bind("call", call.value());
        misses.extend(conditions(&sent.that, &Known { program: known.program, scope }));
    }
    misses
}

/// Why the signature is not what who has this key makes of the call.
fn unsigned(signed: &Value, call: &Arrived, packs: &[Arc<Pack>], known: &Known<'_>) -> Option<Miss> {
    const WHAT: &str = "signature";
    let key = match signed.text(known) {
        Ok(key) => key,
        Err(fault) => return Some(without_value(WHAT, &fault)),
    };
    let Some(from) = &call.from else { return Some(miss(WHAT, "a delivery of this sandbox", "another call")) };
    let pack = packs.iter().find(|pack| *pack.name == *from.pack);
    let Some((pack, webhook)) = pack.and_then(|pack| Some((pack, pack.webhook_named(&from.webhook)?))) else {
        return Some(miss(WHAT, "a webhook that is known here", &format!("{}/{}", from.pack, from.webhook)));
    };
    let heard = Heard { body: call.body.clone(), ..from.heard.clone() };
    match engine::proof(pack, webhook, &key, &heard) {
        None => Some(miss(WHAT, "a webhook that signs", "one that does not")),
        Some(Err(why)) => Some(miss(WHAT, "one that this key makes", &format!("none can be made: {why}"))),
        Some(Ok((header, wanted))) => {
            let found = line(&call.headers, &header);
            // Neither is shown: with the body, both tell about the key.
            let told = |found: &str| miss(WHAT, &format!("what this key makes of the body, in `{header}`"), found);
            match found {
                None => Some(told("no such header")),
                Some(found) if found != wanted => {
                    Some(told("another one: it was made with another key, or of another body"))
                }
                Some(_) => None,
            }
        }
    }
}

impl Arrived {
    fn json(&self) -> Option<Json> {
        serde_json::from_slice(&self.body).ok()
    }

    /// `call` of expressions: `method`, `path`, `headers`, `body` (JSON, else null), `text`.
    pub(crate) fn value(&self) -> expr::Value {
        members(vec![
            ("method", expr::Value::string(self.method.as_str())),
            ("path", expr::Value::string(&self.path)),
            ("headers", headers(&self.headers)),
            ("body", json(self.json().map(Arc::new).as_ref())),
            ("text", expr::Value::string(&String::from_utf8_lossy(&self.body))),
        ])
    }
}
