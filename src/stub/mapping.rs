use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::answer::{Answer, answer};
use super::read::{Known, Members, Mistake, Mistakes, Reader, shown};
use super::request::RequestPattern;
use super::request_read::request;
use crate::exchange::child;

/// The state that every scenario begins in.
pub(crate) const STARTED: &str = "Started";

/// A canned answer, and the requests that get it.
#[derive(Debug, Clone)]
pub(crate) struct Stub {
    /// A UUID, in small letters.
    pub(crate) id: Arc<str>,
    pub(crate) name: Option<Arc<str>>,
    /// The smallest is tried first.
    pub(crate) priority: u32,
    pub(crate) scenario: Option<Scenario>,
    /// How often it answers.
    pub(crate) times: Option<u32>,
    pub(crate) request: RequestPattern,
    pub(crate) answer: Answer,
    /// What was sent, with the id.
    pub(crate) source: Json,
    /// What of it has no effect.
    pub(crate) notes: Vec<String>,
    /// About how many bytes keeping it costs.
    pub(crate) size: usize,
}

/// What a stub has to do with the state of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) name: Arc<str>,
    /// The state in which the stub answers; any where there is none.
    pub(crate) required: Option<Arc<str>>,
    /// The state that it leads to.
    pub(crate) next: Option<Arc<str>>,
}

/// What WireMock gives a stub of which no priority is said.
const PRIORITY: u32 = 5;
const TIMES: u64 = 1_000_000;
const NAME: usize = 200;

const NO_WEBHOOKS: &str = "stubs call nobody: what goes out is a webhook of a pack";

const KNOWN: Known = Known {
    members: &[
        "id",
        "uuid",
        "name",
        "request",
        "response",
        "priority",
        "scenarioName",
        "requiredScenarioState",
        "newScenarioState",
        "times",
        "persistent",
        "metadata",
        "insertionIndex",
    ],
    refused: &[("postServeActions", NO_WEBHOOKS), ("serveEventListeners", NO_WEBHOOKS)],
};

/// The id that a mapping says for itself.
pub(crate) fn said_id(mapping: &Map<String, Json>) -> Result<Option<String>, Mistake> {
    let mut said: Option<String> = None;
    for name in ["id", "uuid"] {
        let Some(value) = mapping.get(name).filter(|value| !value.is_null()) else { continue };
        let wrong =
            |cause: String, remedy: &str| Mistake { pointer: child("", name), cause, remedy: remedy.to_owned() };
        let remedy = "write a UUID such as `0b8a4b21-6d1c-4d34-a0de-2f0e0e3a5e7b`, or leave it out and one is given";
        let id = value.as_str().and_then(|text| uuid::Uuid::try_parse(text).ok()).map(|id| id.to_string());
        let id = id.ok_or_else(|| wrong(format!("{} is no UUID", shown(value)), remedy))?;
        if said.as_ref().is_some_and(|other| *other != id) {
            return Err(wrong("`id` and `uuid` are two different ids".to_owned(), "leave one of them out"));
        }
        said = Some(id);
    }
    Ok(said)
}

impl Stub {
    /// Reads a mapping, and tells everything that is wrong with it. `id` is a UUID; the mapping's own counts for nothing.
    pub(crate) fn parse(mapping: &Map<String, Json>, id: &str) -> Result<Self, Mistakes> {
        let mut reader = Reader::default();
        let value = Json::Object(mapping.clone());
        let read = reader.object("", &value, &KNOWN).and_then(|members| stub(&mut reader, &members, id));
        reader.finish(read).map(|stub| Stub { size: stub.size + reader.compiled, notes: reader.notes, ..stub })
    }

    pub(crate) fn metadata(&self) -> Option<&Json> {
        self.source.get("metadata")
    }

    /// What people call it.
    pub(crate) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

fn stub(reader: &mut Reader, members: &Members<'_>, id: &str) -> Option<Stub> {
    let asked = members.said("request").map(|value| request(reader, "/request", value));
    if asked.is_none() {
        let remedy = "write `\"request\": {\"method\": \"GET\", \"url\": \"/…\"}`; `{}` is every request";
        reader.mistake("/request", "there is no `request`", remedy);
    }
    let answer = members.said("response").map(|value| answer(reader, "/response", value));
    if answer.is_none() {
        reader.mistake("/response", "there is no `response`", "write `\"response\": {\"status\": 200}`");
    }
    let priority = reader.whole(members, "priority", 0, u64::from(u32::MAX));
    let times = reader.whole(members, "times", 1, TIMES).and_then(|times| u32::try_from(times).ok());
    let name = reader.text(members, "name").filter(|name| short(reader, members, "name", name));
    reader.flag(members, "persistent");
    if let Some(value) = members.said("metadata") {
        reader.any_object("/metadata", value);
    }
    let scenario = scenario(reader, members);
    let mut source = Map::new();
    source.insert("id".to_owned(), id.into());
    source.insert("uuid".to_owned(), id.into());
    let rest = members.map.iter().filter(|(name, value)| *name != "id" && *name != "uuid" && !value.is_null());
    source.extend(rest.map(|(name, value)| (name.clone(), value.clone())));
    let source = Json::Object(source);
    Some(Stub {
        id: id.into(),
        name: name.map(Arc::from),
        priority: priority.and_then(|priority| u32::try_from(priority).ok()).unwrap_or(PRIORITY),
        scenario,
        times,
        request: asked??,
        answer: answer??,
        // Once as it was sent, and once as it is used.
        size: size_of::<Stub>() + 2 * source.to_string().len(),
        source,
        notes: Vec::new(),
    })
}

fn scenario(reader: &mut Reader, members: &Members<'_>) -> Option<Scenario> {
    let mut text = |name: &str| {
        let text = reader.text(members, name).filter(|text| short(reader, members, name, text));
        text.map(Arc::<str>::from)
    };
    let (name, required, next) = (text("scenarioName"), text("requiredScenarioState"), text("newScenarioState"));
    if name.is_none() {
        for state in ["requiredScenarioState", "newScenarioState"] {
            if members.said(state).is_some() {
                let cause = format!("`{state}` is a state of no scenario");
                reader.mistake(&members.place(state), cause, "write `scenarioName` as well");
            }
        }
    }
    Some(Scenario { name: name?, required, next })
}

fn short(reader: &mut Reader, members: &Members<'_>, name: &str, text: &str) -> bool {
    let fits = (1..=NAME).contains(&text.chars().count());
    if !fits {
        let cause = format!("it has {} characters", text.chars().count());
        reader.mistake(&members.place(name), cause, format!("write 1 to {NAME}"));
    }
    fits
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stub::samples::{ID, parse};

    /// A request pattern in a mapping that is fine otherwise.
    fn asks(request: Json) -> Json {
        json!({ "request": request, "response": {} })
    }

    fn answers(response: Json) -> Json {
        json!({ "request": {}, "response": response })
    }

    fn body(matcher: Json) -> Json {
        asks(json!({ "bodyPatterns": [matcher] }))
    }

    #[test]
    fn each_mistake_has_its_place_its_cause_and_its_remedy() {
        let cases = [
            // The mapping, the place, a part of the cause, a part of the remedy.
            (json!({}), "/request", "there is no `request`", "`{}` is every request"),
            (json!({ "request": 1, "response": {} }), "/request", "`1` is no object", "write an object"),
            (json!({ "request": {}, "respones": {} }), "/respones", "not understood", "Did you mean `response`?"),
            (
                json!({ "request": {}, "response": {}, "priority": -1 }),
                "/priority",
                "`-1` is no whole number",
                "negative",
            ),
            (
                json!({ "request": {}, "response": {}, "times": 0 }),
                "/times",
                "`0` is no whole number from 1",
                "write one",
            ),
            (
                json!({ "request": {}, "response": {}, "newScenarioState": "a" }),
                "/newScenarioState",
                "of no scenario",
                "scenarioName",
            ),
            (
                json!({ "request": {}, "response": {}, "postServeActions": [{ "name": "webhook" }] }),
                "/postServeActions",
                "not supported",
                "stubs call nobody",
            ),
            (asks(json!({ "methd": "GET" })), "/request/methd", "`methd` is not understood", "Did you mean `method`?"),
            (asks(json!({ "method": "G T" })), "/request/method", "no method", "`GET`"),
            (asks(json!({ "method": "CONNECT" })), "/request/method", "never arrives", "ANY"),
            (asks(json!({ "url": "a" })), "/request/url", "does not begin with `/`", "write `/a`"),
            (asks(json!({ "url": "http://localhost/a" })), "/request/url", "a scheme and a host", "behind the host"),
            (
                asks(json!({ "urlPath": "/_standin/clock" })),
                "/request/urlPath",
                "for the server itself",
                "another path",
            ),
            (asks(json!({ "url": "/__admin?x=1" })), "/request/url", "for the server itself", "another path"),
            (asks(json!({ "url": "/a b" })), "/request/url", "never part of a URL", "write `%20`"),
            (asks(json!({ "urlPath": "/a?b=1" })), "/request/urlPath", "no query", "queryParameters"),
            (asks(json!({ "url": "/a", "urlPath": "/a" })), "/request/urlPath", "both given", "write one of"),
            (asks(json!({ "urlPathPattern": "a/.*" })), "/request/urlPathPattern", "begins otherwise", "whole text"),
            (asks(json!({ "urlPattern": "/a(" })), "/request/urlPattern", "character 3", "whole text"),
            (asks(json!({ "clientIp": "1.2.3.4" })), "/request/clientIp", "not supported", "leave it out"),
            (asks(json!({ "customMatcher": { "name": "x" } })), "/request/customMatcher", "not supported", "no code"),
            (
                asks(json!({ "headers": { "a b": { "equalTo": "c" } } })),
                "/request/headers/a b",
                "no header",
                "`Accept`",
            ),
            (asks(json!({ "headers": { "A": { "equalTo": "c\n" } } })), "/request/headers/A", "no header", "one line"),
            (asks(json!({ "headers": { "A": "b" } })), "/request/headers/A", "no condition", r#"{"equalTo": "b"}"#),
            (
                asks(json!({ "pathParameters": { "a": { "absent": true } } })),
                "/request/pathParameters/a",
                "no path",
                "{a}",
            ),
            (
                asks(json!({ "basicAuthCredentials": { "username": "a" } })),
                "/request/basicAuthCredentials/password",
                "no `password`",
                "both",
            ),
            (
                asks(json!({ "url": "/a?b=1", "queryParameters": { "b": { "equalTo": "2" } } })),
                "/request/queryParameters/b",
                "`url` says the whole query",
                "urlPath",
            ),
            (asks(json!({ "bodyPatterns": { "contains": "a" } })), "/request/bodyPatterns", "no list", "[{"),
            (body(json!({})), "/request/bodyPatterns/0", "nothing is asked for", "one condition"),
            (
                body(json!({ "contians": "a" })),
                "/request/bodyPatterns/0/contians",
                "not understood",
                "Did you mean `contains`?",
            ),
            (
                body(json!({ "contains": "a", "equalTo": "b" })),
                "/request/bodyPatterns/0",
                "`equalTo` and `contains`",
                "`{\"and\"",
            ),
            (body(json!({ "contains": ["a"] })), "/request/bodyPatterns/0/contains", "no text", "write a text"),
            (
                body(json!({ "matches": "a", "caseInsensitive": true })),
                "/request/bodyPatterns/0/caseInsensitive",
                "says nothing",
                "`equalTo`",
            ),
            (body(json!({ "absent": false })), "/request/bodyPatterns/0/absent", "`absent` is `false`", "write `true`"),
            (body(json!({ "matches": "(?=a)b" })), "/request/bodyPatterns/0/matches", "look-around", "not supported"),
            (body(json!({ "matches": r"(a)\1" })), "/request/bodyPatterns/0/matches", "character 4", "not supported"),
            (
                body(json!({ "equalToJson": "{" })),
                "/request/bodyPatterns/0/equalToJson",
                "nothing is equal to it",
                "write JSON",
            ),
            (
                body(json!({ "equalToXml": "<a/>" })),
                "/request/bodyPatterns/0/equalToXml",
                "not supported",
                "XML is not read",
            ),
            (
                body(json!({ "matchesJsonPath": "a.b" })),
                "/request/bodyPatterns/0/matchesJsonPath",
                "character 1",
                "RFC 9535",
            ),
            (
                body(json!({ "matchesJsonPath": { "expression": "$[?@.a ~ 1]", "equalTo": "b" } })),
                "/request/bodyPatterns/0/matchesJsonPath/expression",
                "character 8",
                "RFC 9535",
            ),
            (
                body(json!({ "matchesJsonPath": { "equalTo": "b" } })),
                "/request/bodyPatterns/0/matchesJsonPath/expression",
                "no path",
                "expression",
            ),
            (body(json!({ "binaryEqualTo": "?" })), "/request/bodyPatterns/0/binaryEqualTo", "not Base64", "padding"),
            (answers(json!({ "status": 99 })), "/response/status", "from 200 to 599", "200"),
            (answers(json!({ "status": 204, "body": "a" })), "/response/body", "has no body", "leave the body out"),
            (answers(json!({ "body": "a", "jsonBody": {"a": 1} })), "/response/jsonBody", "both given", "one body"),
            (answers(json!({ "body": { "a": 1 } })), "/response/body", "no text", "in quotes"),
            (answers(json!({ "base64Body": "a" })), "/response/base64Body", "not Base64", "padding"),
            (answers(json!({ "bodyFileName": "../secret" })), "/response/bodyFileName", "not supported", "no file"),
            (
                answers(json!({ "proxyBaseUrl": "http://a" })),
                "/response/proxyBaseUrl",
                "not supported",
                "stubs call nobody",
            ),
            (
                answers(json!({ "transformers": ["response-template"] })),
                "/response/transformers",
                "not supported",
                "not transformed",
            ),
            (answers(json!({ "headers": { "A": "b\r\nC: d" } })), "/response/headers/A", "no header", "one line"),
            (answers(json!({ "fault": "EMPTY" })), "/response/fault", "no fault `\"EMPTY\"`", "EMPTY_RESPONSE"),
            (
                answers(json!({ "fixedDelayMilliseconds": -5 })),
                "/response/fixedDelayMilliseconds",
                "`-5` is no whole",
                "negative",
            ),
            (
                answers(json!({ "fixedDelayMilliseconds": 600_001 })),
                "/response/fixedDelayMilliseconds",
                "to 600000",
                "write one",
            ),
            (
                answers(json!({ "delayDistribution": { "type": "normal" } })),
                "/response/delayDistribution/type",
                "no such",
                "lognormal",
            ),
            (
                answers(json!({ "delayDistribution": { "type": "uniform", "lower": 2, "upper": 1 } })),
                "/response/delayDistribution/lower",
                "`lower` is 2",
                "smaller",
            ),
            (
                answers(json!({ "delayDistribution": { "type": "lognormal", "median": 10, "sigma": -1 } })),
                "/response/delayDistribution/sigma",
                "`-1` is no number",
                "range",
            ),
            (
                answers(json!({ "chunkedDribbleDelay": { "numberOfChunks": 0, "totalDuration": 1 } })),
                "/response/chunkedDribbleDelay/numberOfChunks",
                "from 1",
                "write one",
            ),
        ];
        for (mapping, pointer, cause, remedy) in cases {
            let mistakes = parse(&mapping).err().unwrap_or_else(|| panic!("{mapping} is read"));
            let found = mistakes.iter().find(|mistake| mistake.pointer == pointer);
            let found = found.unwrap_or_else(|| panic!("{mapping}: {mistakes:?}"));
            assert!(found.cause.contains(cause), "{mapping}: {found:?}");
            assert!(found.remedy.contains(remedy), "{mapping}: {found:?}");
        }
    }

    #[test]
    fn conditions_that_contradict_each_other_are_refused() {
        for contradiction in [
            json!([{ "equalTo": "a" }, { "equalTo": "b" }]),
            json!([{ "equalTo": "abc" }, { "doesNotContain": "b" }]),
            json!([{ "matches": "x+" }, { "equalTo": "abc" }]),
            json!([{ "absent": true }, { "contains": "a" }]),
            json!([{ "and": [{ "equalTo": "a" }, { "not": { "equalTo": "a" } }] }]),
            json!([{ "or": [{ "and": [{ "equalTo": "a" }, { "equalTo": "b" }] }] }]),
            json!([{ "equalToJson": { "a": 1 } }, { "equalToJson": { "a": 2 } }]),
            json!([{ "equalToJson": { "a": 1 } }, { "matchesJsonPath": "$.b" }]),
            json!([{ "equalToJson": { "a": 1 } }, { "absent": true }]),
            json!([{ "equalTo": "{\"a\":1}" }, { "equalToJson": { "a": 2 } }]),
            json!([{ "matchesJsonPath": { "expression": "$.a", "and": [{ "equalTo": 1 }, { "equalTo": 2 }] } }]),
        ] {
            let mistakes = parse(&asks(json!({ "bodyPatterns": contradiction }))).err();
            let mistakes = mistakes.unwrap_or_else(|| panic!("{contradiction} is read"));
            assert!(mistakes[0].cause.contains("nothing is at once"), "{contradiction}: {mistakes:?}");
        }
        for fine in [
            json!([{ "equalTo": "abc" }, { "contains": "b" }]),
            json!([{ "or": [{ "equalTo": "a" }, { "equalTo": "b" }] }]),
            json!([{ "equalToJson": { "a": 1 } }, { "contains": " " }]),
            json!([{ "equalToJson": { "a": 1 }, "ignoreExtraElements": true }, { "matchesJsonPath": "$.b" }]),
            json!([{ "equalTo": "A", "caseInsensitive": true }, { "equalTo": "a" }]),
        ] {
            assert!(parse(&asks(json!({ "bodyPatterns": fine }))).is_ok(), "{fine}");
        }
        // A header may come twice, so that two conditions on its names are two values.
        assert!(parse(&asks(json!({ "headers": { "A": { "equalTo": "1" }, "a": { "equalTo": "2" } } }))).is_ok());
        let both = json!({ "headers": { "A": { "and": [{ "equalTo": "1" }, { "equalTo": "2" }] } } });
        assert_eq!(parse(&asks(both)).unwrap_err()[0].pointer, "/request/headers/A");
    }

    #[test]
    fn all_mistakes_are_told_at_once_and_nothing_breaks_by_size() {
        let mistakes = parse(
            &json!({ "request": { "url": "a", "metod": "GET" }, "response": { "stats": 1, "fault": "x" }, "times": -1 }),
        );
        let pointers: Vec<String> = mistakes.unwrap_err().into_iter().map(|mistake| mistake.pointer).collect();
        assert_eq!(pointers, ["/request/metod", "/request/url", "/response/stats", "/response/fault", "/times"]);
        let many: Vec<Json> = (0..1000).map(|_| json!({ "contains": "a" })).collect();
        let mistakes = parse(&asks(json!({ "bodyPatterns": many }))).unwrap_err();
        assert!(mistakes.len() == 1 && mistakes[0].remedy.contains("at most 200"), "{mistakes:?}");
        let unknown: Map<String, Json> = (0..1000).map(|n| (format!("m{n}"), json!(1))).collect();
        assert!(parse(&Json::Object(unknown)).unwrap_err().len() <= 50);
        let mut deep = json!({ "equalTo": "a" });
        for _ in 0..20 {
            deep = json!({ "not": deep });
        }
        assert!(parse(&body(deep)).unwrap_err()[0].cause.contains("nested deeper"));
    }

    #[test]
    fn what_clients_say_without_meaning_anything_is_no_mistake() {
        let stub = parse(&json!({
            "id": ID, "uuid": ID, "name": null, "priority": null, "persistent": false, "insertionIndex": 3,
            "request": { "method": "GET", "url": "/a", "headers": null, "bodyPatterns": [], "clientIp": null },
            "response": {
                "status": 200, "fromConfiguredStub": true, "transformers": [], "transformerParameters": {},
                "bodyFileName": null, "statusMessage": "Fine",
                "headers": { "Content-Length": "3", "Set-Cookie": ["a=1", "b=2"], "X-N": 5 },
            },
            "postServeActions": [], "metadata": { "a": 1 },
        }))
        .unwrap();
        assert_eq!(stub.notes.len(), 2, "{:?}", stub.notes);
        let response = stub.answer.response();
        let headers: Vec<String> =
            response.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        assert_eq!(headers, ["set-cookie: a=1", "set-cookie: b=2", "x-n: 5"]);
        assert_eq!((stub.source["id"].as_str(), stub.source["uuid"].as_str()), (Some(ID), Some(ID)));
    }

    #[test]
    fn an_id_is_a_uuid() {
        let said = |mapping: Json| said_id(mapping.as_object().unwrap());
        assert_eq!(said(json!({ "id": ID.to_uppercase() })), Ok(Some(ID.to_owned())));
        assert_eq!(said(json!({ "id": null })), Ok(None));
        assert_eq!(said(json!({ "id": "a" })).unwrap_err().pointer, "/id");
        let other = json!({ "id": ID, "uuid": "00000000-0000-4000-8000-000000000000" });
        assert_eq!(said(other).unwrap_err().pointer, "/uuid");
    }
}
