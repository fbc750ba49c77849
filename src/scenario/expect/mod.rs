//! What an answer must be, held against what came. Pure: everything that is wrong is told at once.
//!
//! Start with [`answer`], [`received`] and [`nearest`].

mod body;
mod called;
mod nearest;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value as Json};

use super::{Expect, Known, Miss, Status, Value};
use crate::diagnostic::shortened;
use crate::expr::{self, EvalFault, ExprId};

pub(crate) use called::{Arrived, From, RECEIVED, received};
pub(crate) use nearest::nearest;

/// The most that is kept of a value. What is shown of it is less, and is cut off when secrets are out of it.
const KEPT: usize = 1 << 16;

const OPERATION: &str = "standin-operation";
const CONTRACT: &str = "standin-contract";

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    json: Option<Arc<Json>>,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Bytes) -> Self {
        let json = serde_json::from_slice(&body).ok().map(Arc::new);
        Answer { status, headers, body, json }
    }

    /// The body, where it is JSON.
    pub(crate) fn json(&self) -> Option<&Arc<Json>> {
        self.json.as_ref()
    }

    /// `response` of expressions: `status`, `headers` by their names in small letters, `body` (JSON, else null), `text`.
    pub(crate) fn value(&self) -> expr::Value {
        members(vec![
            ("status", expr::Value::integer(self.status.into())),
            ("headers", headers(&self.headers)),
            ("body", json(self.json())),
            ("text", expr::Value::string(&String::from_utf8_lossy(&self.body))),
        ])
    }
}

/// Everything in which an answer is not what is expected of it. What happened besides is not looked at.
pub(crate) fn answer(expect: &Expect, answer: &Answer, known: &Known<'_>) -> Vec<Miss> {
    let mut misses = Vec::new();
    misses.extend(status(&expect.status, answer.status, known));
    for (what, header, wanted) in
        [("operation", OPERATION, &expect.operation), ("contract", CONTRACT, &expect.contract)]
    {
        let Some(wanted) = wanted else { continue };
        let found = line(&answer.headers, &HeaderName::from_static(header));
        if found.as_deref() != Some(&**wanted) {
            misses.push(miss(what, wanted, &found.unwrap_or_else(|| "none".to_owned())));
        }
    }
    misses.extend(lines(&expect.headers, &answer.headers, known));
    misses.extend(body::misses(&expect.body, &answer.body, answer.json().map(|json| &**json), known));
    misses.extend(conditions(&expect.that, known));
    misses
}

fn status(wanted: &[Status], found: u16, known: &Known<'_>) -> Option<Miss> {
    const WHAT: &str = "status";
    let mut words = Vec::new();
    for status in wanted {
        let status = match status {
            Status::Made(id) => match known.json(*id) {
                Ok(json) => match Status::read(&json) {
                    Some(status) => status,
                    None => return Some(miss(WHAT, &format!("a status, which {json} is not"), &found.to_string())),
                },
                Err(fault) => return Some(without_value(WHAT, &fault)),
            },
            status => *status,
        };
        if status.holds(found) {
            return None;
        }
        words.push(status.to_string());
    }
    (!words.is_empty()).then(|| miss(WHAT, &words.join(" or "), &found.to_string()))
}

/// Headers that are not what they are expected to be; null is for one that must not be there.
fn lines(wanted: &[(HeaderName, Value)], found: &HeaderMap, known: &Known<'_>) -> Vec<Miss> {
    let mut misses = Vec::new();
    for (name, value) in wanted {
        let what = format!("header {name}");
        let wanted = match value.json(known) {
            Ok(wanted) => wanted,
            Err(fault) => {
                misses.push(without_value(&what, &fault));
                continue;
            }
        };
        let there = line(found, name);
        let each = || found.get_all(name).iter().filter_map(|value| value.to_str().ok());
        match (&wanted, &there) {
            (Json::Null, None) => {}
            (Json::Null, Some(there)) => misses.push(miss(&what, "absent", there)),
            (_, None) => misses.push(miss(&what, &plain(&wanted), "absent")),
            (_, Some(there)) => {
                let wanted = plain(&wanted);
                if *there != wanted && !each().any(|one| one == wanted) {
                    misses.push(miss(&what, &wanted, there));
                }
            }
        }
    }
    misses
}

/// Expressions that are not true.
fn conditions(wanted: &[ExprId], known: &Known<'_>) -> Vec<Miss> {
    let one = |id: &ExprId| {
        let text = known.program.text(*id);
        match known.holds(*id) {
            Ok(true) => None,
            Ok(false) => {
                let sides = known.program.sides(*id, &known.scope);
                let found = match sides {
                    Some((left, right)) => format!("{} and {}", shown(&left), shown(&right)),
                    None => known.json(*id).map_or_else(|_| "undefined".to_owned(), |value| shown(&value)),
                };
                Some(miss("that", text, &found))
            }
            Err(fault) => Some(without_value("that", &fault)),
        }
    };
    wanted.iter().filter_map(one).collect()
}

/// All lines of a header.
fn line(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn headers(headers: &HeaderMap) -> expr::Value {
    let text = |name: &HeaderName| Some((name.as_str().to_owned(), Json::String(line(headers, name)?)));
    let map: Map<String, Json> = headers.keys().filter_map(text).collect();
    json(Some(&Arc::new(Json::Object(map))))
}

fn json(json: Option<&Arc<Json>>) -> expr::Value {
    json.map_or_else(expr::Value::null, |json| expr::Value::json(json))
}

fn members(members: Vec<(&str, expr::Value)>) -> expr::Value {
    let members: Vec<(String, expr::Value)> =
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    expr::Value::source(Arc::new(members))
}

fn miss(what: &str, wanted: &str, found: &str) -> Miss {
    Miss { what: what.to_owned(), wanted: shortened(wanted, KEPT), found: shortened(found, KEPT) }
}

fn without_value(what: &str, fault: &EvalFault) -> Miss {
    miss(what, &fault.expression, &format!("it has no value: {}", fault.message))
}

fn shown(json: &Json) -> String {
    shortened(&json.to_string(), KEPT)
}

/// A text as it is, everything else as JSON.
fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::exchange::Pattern;
    use crate::expr::{Keys, Program, Scope, Sources};
    use crate::scenario::{Content, Count, Except, Sent};

    fn known(program: &Arc<Program>) -> Known<'_> {
        Known { program, scope: Scope::default() }
    }

    fn none() -> Arc<Program> {
        Arc::new(Sources::default().build(Arc::new(Keys::default())).unwrap())
    }

    fn said(body: &Json) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.append("x-a", HeaderValue::from_static("1"));
        headers.append("x-a", HeaderValue::from_static("2"));
        Answer::new(200, headers, Bytes::from(body.to_string()))
    }

    /// `what: wanted / found` of each miss.
    #[track_caller]
    fn told(expect: Expect, body: &Json, wanted: &[&str]) {
        let program = none();
        let misses = answer(&expect, &said(body), &known(&program));
        assert_eq!(lines_of(&misses), wanted);
    }

    fn lines_of(misses: &[Miss]) -> Vec<String> {
        misses.iter().map(|miss| format!("{}: {} / {}", miss.what, miss.wanted, miss.found)).collect()
    }

    fn of(content: Content) -> Expect {
        Expect { body: vec![content], ..Expect::default() }
    }

    fn like(example: &Json, except: Vec<Except>) -> Expect {
        let json = Some(Arc::new(example.clone()));
        of(Content::Like { example: "a.json".into(), json, text: "".into(), except: except.into() })
    }

    fn name(name: &str) -> Except {
        Except::Name(name.into())
    }

    fn pointer(pointer: &str) -> Except {
        Except::Pointer(pointer.into(), Pattern::new(pointer))
    }

    #[test]
    fn a_status_is_one_of_those_that_are_wanted() {
        let wanting = |status: Vec<Status>| Expect { status, ..Expect::default() };
        told(wanting(vec![]), &json!({}), &[]);
        told(wanting(vec![Status::Is(404), Status::Class(2)]), &json!({}), &[]);
        told(wanting(vec![Status::Is(404), Status::Class(5)]), &json!({}), &["status: 404 or 5xx / 200"]);
    }

    #[test]
    fn a_status_may_be_what_an_expression_says() {
        let mut sources = Sources::default();
        let ids = ["200", "\"4xx\"", "\"404\"", "nobody"].map(|text| sources.expression(text));
        let program = Arc::new(sources.build(Arc::new(Keys::default())).unwrap());
        let judge = |status: Vec<Status>| {
            let expect = Expect { status, ..Expect::default() };
            lines_of(&answer(&expect, &said(&json!({})), &known(&program))).concat()
        };
        assert_eq!(judge(vec![Status::Made(ids[0])]), "");
        assert_eq!(judge(vec![Status::Made(ids[1]), Status::Is(200)]), "");
        assert_eq!(judge(vec![Status::Made(ids[1])]), "status: 4xx / 200");
        assert_eq!(judge(vec![Status::Made(ids[2])]), "status: a status, which \"404\" is not / 200");
        assert!(judge(vec![Status::Made(ids[3])]).starts_with("status: nobody / it has no value"));
    }

    #[test]
    fn a_header_is_compared_line_by_line_and_as_a_whole() {
        let wanting = |name: &'static str, value: Json| Expect {
            headers: vec![(HeaderName::from_static(name), Value::Written(value))],
            ..Expect::default()
        };
        for value in ["1", "2", "1, 2"] {
            told(wanting("x-a", json!(value)), &json!({}), &[]);
        }
        told(wanting("x-a", json!(1)), &json!({}), &[]);
        told(wanting("x-a", json!("3")), &json!({}), &["header x-a: 3 / 1, 2"]);
        told(wanting("x-a", Json::Null), &json!({}), &["header x-a: absent / 1, 2"]);
        told(wanting("x-b", json!("1")), &json!({}), &["header x-b: 1 / absent"]);
        told(wanting("x-b", Json::Null), &json!({}), &[]);
    }

    #[test]
    fn a_body_like_an_example_has_its_keys_order_and_values() {
        let example = json!({ "id": "a", "n": 1, "list": [{ "id": "b" }, { "id": "c" }] });
        told(like(&example, vec![]), &example, &[]);
        told(
            like(&example, vec![]),
            &json!({ "n": 1.0, "id": "a", "more": null, "list": [{ "id": "x" }] }),
            &[
                "/list/0/id: \"b\" / \"x\"",
                "/list/1: {\"id\":\"c\"} / absent",
                "/more: absent / null",
                "body: keys in the order id, n, list / the order n, id, list",
            ],
        );
        // What is excepted is there, and of the same type.
        let other = json!({ "id": "x", "n": 1, "list": [{ "id": "y" }, { "id": 2 }] });
        told(like(&example, vec![name("id")]), &other, &["/list/1/id: a text, as in \"c\" / 2"]);
        told(
            like(&example, vec![pointer("/id"), pointer("/list/*/id")]),
            &json!({ "n": 1, "list": [{}, {}] }),
            &["/id: \"a\" / absent", "/list/0/id: \"b\" / absent", "/list/1/id: \"c\" / absent"],
        );
        told(like(&example, vec![pointer("/list")]), &json!({ "id": "a", "n": 1, "list": [] }), &[]);
    }

    #[test]
    fn a_shape_is_keys_and_types() {
        let shape = |example: Json| of(Content::Shape { example: "a.json".into(), json: Arc::new(example) });
        let example = json!({ "list": [{ "id": 1, "note": null }], "none": [] });
        told(shape(example.clone()), &json!({ "list": [], "none": [1, "2"] }), &[]);
        told(
            shape(example.clone()),
            &json!({ "list": [{ "id": 7, "note": "x" }, { "id": "8" }], "none": [] }),
            &["/list/1/id: a number, as in 1 / \"8\"", "/list/1/note: null / absent"],
        );
        told(shape(example), &json!("x"), &["body: {\"list\":[{\"id\":1,\"note\":null}],\"none\":[]} / \"x\""]);
    }

    #[test]
    fn equal_bodies_may_have_their_keys_in_any_order() {
        let equals = |value: Json, except: Vec<Except>| {
            of(Content::Equals { value: Value::Written(value), except: except.into() })
        };
        told(equals(json!({ "a": 1, "b": 2 }), vec![]), &json!({ "b": 2, "a": 1.0 }), &[]);
        told(equals(json!({ "a": 1 }), vec![]), &json!({ "a": 2, "b": 2 }), &["/a: 1 / 2", "/b: absent / 2"]);
        told(equals(json!({ "a": 1 }), vec![name("a")]), &json!({ "a": 2 }), &[]);
    }

    #[test]
    fn pointers_lead_to_values_and_stars_to_all() {
        let at = |pointer: &str, value: Json| of(Content::At(vec![(pointer.into(), Value::Written(value))]));
        let body = json!({ "list": [{ "id": 1 }, { "id": 2 }], "a/b": { "c": [] } });
        told(at("/list/1/id", json!(2)), &body, &[]);
        told(at("/a~1b", json!({ "c": [] })), &body, &[]);
        told(at("", body.clone()), &body, &[]);
        told(at("/list/*/id", json!(1)), &body, &["/list/1/id: 1 / 2"]);
        told(at("/list/2/id", json!(1)), &body, &["/list/2/id: 1 / absent"]);
        told(of(Content::Absent(vec!["/list/*/name".into(), "/nothing".into()])), &body, &[]);
        told(
            of(Content::Absent(vec!["/list/*/id".into()])),
            &body,
            &["/list/0/id: absent / 1", "/list/1/id: absent / 2"],
        );
    }

    #[test]
    fn what_is_no_json_is_told_as_text() {
        let program = none();
        let page = Answer::new(200, HeaderMap::new(), Bytes::from_static(b"<p>Reconnect</p>"));
        let misses = |content| lines_of(&answer(&of(content), &page, &known(&program)));
        let text = |text: &str| Value::Written(json!(text));
        assert_eq!(
            misses(Content::Contains(vec![text("Reconnect"), text("Gone")])),
            ["body: a text with `Gone` in it / <p>Reconnect</p>"]
        );
        assert_eq!(misses(Content::Text(text("<p>Reconnect</p>"))), Vec::<String>::new());
        assert_eq!(misses(Content::At(vec![("/a".into(), text("x"))])), ["body: JSON / <p>Reconnect</p>"]);
    }

    #[test]
    fn a_condition_that_does_not_hold_shows_both_of_its_sides() {
        let mut sources = Sources::default();
        let ids = ["response.body.n|length == 2", "response.body.m", "response.body.n and false"]
            .map(|text| sources.expression(text));
        let program = Arc::new(sources.build(Arc::new(Keys::default())).unwrap());
        let answered = said(&json!({ "n": [1] }));
        let mut known = known(&program);
        known.scope.bind("response", answered.value());
        let expect = Expect { that: ids.to_vec(), ..Expect::default() };
        assert_eq!(
            lines_of(&answer(&expect, &answered, &known)),
            [
                "that: response.body.n|length == 2 / 1 and 2",
                "that: response.body.m / undefined",
                "that: response.body.n and false / false",
            ]
        );
    }

    #[test]
    fn calls_that_fit_are_counted_and_the_nearest_is_told() {
        let program = none();
        let call = |at: &str, body: Json, status| Arrived {
            at: at.into(),
            method: http::Method::POST,
            path: "/hook".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_string()),
            status,
            from: None,
        };
        let arrived = [
            call("inbox", json!({ "n": 1 }), Some(500)),
            call("inbox", json!({ "n": 1 }), Some(200)),
            call("inbox", json!({ "n": 2 }), None),
            call("other", json!({ "n": 1 }), Some(200)),
        ];
        let judge = |count: Count, status: Vec<Status>, n: i64| {
            let body = vec![Content::At(vec![("/n".into(), Value::Written(json!(n)))])];
            let sent = Sent {
                at: "inbox".into(),
                count,
                webhook: None,
                status,
                headers: vec![],
                body,
                signed: None,
                that: vec![],
            };
            received(&sent, &arrived, &[], &known(&program)).map(|miss| lines_of(&[miss]).concat())
        };
        let exactly = |count| Count { least: count, most: Some(count) };
        assert_eq!(judge(Count::SOME, vec![], 1), None);
        assert_eq!(judge(exactly(2), vec![], 1), None);
        assert_eq!(judge(exactly(1), vec![Status::Is(200)], 1), None);
        assert_eq!(
            judge(exactly(1), vec![], 1).unwrap(),
            "received at `inbox`: exactly 1 call that fits / 2 of 3 that arrived"
        );
        assert_eq!(
            judge(Count::SOME, vec![Status::Class(5)], 2).unwrap(),
            "received at `inbox`: at least 1 call that fits / 0 of 3 that arrived; the nearest is POST /hook, where /n: \
             expected 2, found 1"
        );
    }
}
