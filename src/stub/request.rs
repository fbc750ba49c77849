use http::Method;
use serde_json::Value as Json;

use super::asked::{Asked, Effort, Said};
use super::matcher::{Expression, Matcher, distance};
use super::matcher_read;
use super::nearest::Difference;
use super::read::{Mistakes, Reader};
use crate::exchange::child;

/// What a request must be like: everything that is said must hold.
#[derive(Debug, Clone)]
pub(crate) struct RequestPattern {
    /// None for any.
    pub(super) method: Option<Method>,
    pub(super) url: Url,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
    pub(super) named: Vec<Named>,
    pub(super) body: Vec<Matcher>,
}

/// Which paths are meant, as received.
#[derive(Debug, Clone)]
pub(super) enum Url {
    Any,
    /// Path and query.
    Exactly(String),
    Pattern(Expression),
    Path(String),
    PathPattern(Expression),
    /// A path of which some segments may be anything.
    Template(String),
}

/// A condition on what has a name.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) matcher: Matcher,
}

/// Where in a request a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
    Form,
}

impl Place {
    pub(super) fn word(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
            Place::Form => "form",
        }
    }

    /// How conditions on it are called in a mapping.
    pub(super) fn member(self) -> &'static str {
        match self {
            Place::Path => "pathParameters",
            Place::Query => "queryParameters",
            Place::Header => "headers",
            Place::Cookie => "cookies",
            Place::Form => "formParameters",
        }
    }
}

/// How much the method and the URL count where requests are compared; everything else counts once. As in WireMock.
const METHOD: f64 = 3.0;
const URL: f64 = 10.0;

/// Whether a request is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Meant,
    Other,
    /// The condition at this place was given up, so that nobody knows.
    GivenUp(String),
}

impl RequestPattern {
    /// Whether a request is meant; not where a condition was given up.
    pub(crate) fn matches(&self, asked: &Asked<'_>) -> bool {
        self.judge(asked) == Verdict::Meant
    }

    /// What costs little comes first, and what reads the body last. The first condition that does not hold, or is given
    /// up, ends it.
    pub(super) fn judge(&self, asked: &Asked<'_>) -> Verdict {
        if self.method.as_ref().is_some_and(|method| *method != asked.request.method)
            || self.authorization.as_deref().is_some_and(|wanted| asked.authorization() != Some(wanted))
        {
            return Verdict::Other;
        }
        asked.effort.next();
        let judged = |holds: bool, place: &dyn Fn() -> String| match (asked.effort.gave_up(), holds) {
            (true, _) => Some(Verdict::GivenUp(place())),
            (false, false) => Some(Verdict::Other),
            (false, true) => None,
        };
        let url = || judged(self.url.holds(asked), &|| format!("/request/{}", self.url.member()));
        let named = |named: &Named| {
            let place = || child(&format!("/request/{}", named.place.member()), &named.name);
            judged(named.matcher.holds_of(&self.values(named, asked)), &place)
        };
        let body = |(index, matcher): (usize, &Matcher)| {
            judged(body_holds(matcher, asked), &|| format!("/request/bodyPatterns/{index}"))
        };
        let bodies = |cheap: bool| self.body.iter().enumerate().filter(move |(_, matcher)| matcher.is_cheap() == cheap);
        url()
            .or_else(|| self.named.iter().find_map(named))
            .or_else(|| bodies(true).find_map(body))
            .or_else(|| bodies(false).find_map(body))
            .unwrap_or(Verdict::Meant)
    }

    fn values<'a>(&'a self, named: &Named, asked: &'a Asked<'_>) -> Vec<Said<'a>> {
        let looked_at = match named.place {
            Place::Query => asked.request.query.as_ref().map_or(0, String::len),
            Place::Form if asked.body().is_none() => {
                asked.effort.give_up();
                0
            }
            Place::Form => asked.request.body.bytes().len(),
            Place::Path | Place::Header | Place::Cookie => Effort::LEAST,
        };
        if !asked.effort.spend(looked_at) {
            return Vec::new();
        }
        let values = match named.place {
            Place::Path => self.url.parameter(&named.name, asked.path).map(str::as_bytes).into_iter().collect(),
            Place::Query => asked.query(&named.name),
            Place::Header => asked.header(&named.name),
            Place::Cookie => asked.cookie(&named.name),
            Place::Form => asked.form(&named.name),
        };
        values.into_iter().map(|value| asked.said(value)).collect()
    }

    /// How far a request is from what is meant, from 0 to 1, and in what it differs.
    pub(crate) fn compare(&self, asked: &Asked<'_>) -> (f64, Vec<Difference>) {
        let mut compared = Compared::default();
        // What was given up is as far as can be, and says so.
        let given_up = || asked.effort.gave_up();
        let asked_for = |words: String| if given_up() { format!("{words}, which was given up") } else { words };
        asked.effort.next();
        if let Some(method) = &self.method {
            let given = asked.request.method.as_str();
            let far = if method == given { 0.0 } else { 1.0 };
            compared.add(METHOD, far, || Difference::new("method", None, method.as_str(), Some(given)));
        }
        if !matches!(self.url, Url::Any) {
            let far = self.url.distance(asked);
            let far = if given_up() { 1.0 } else { far };
            compared.add(URL, far, || Difference::new("url", None, asked_for(self.url.words()), Some(asked.url())));
        }
        if let Some(wanted) = &self.authorization {
            let given = asked.authorization();
            let far = if given == Some(wanted) { 0.0 } else { 1.0 };
            compared.add(1.0, far, || Difference::new("header", Some("authorization"), wanted.as_str(), given));
        }
        for named in &self.named {
            asked.effort.next();
            let values = self.values(named, asked);
            let far = named.matcher.distance(&values);
            let far = if given_up() { 1.0 } else { far };
            compared.add(1.0, far, || {
                let given = values.first().map(Said::text);
                Difference::new(named.place.word(), Some(&named.name), asked_for(named.matcher.words()), given)
            });
        }
        for matcher in &self.body {
            asked.effort.next();
            let body = asked.body();
            let far = match (body_holds(matcher, asked), body) {
                (true, _) => 0.0,
                (false, Some(body)) => matcher.far(std::slice::from_ref(body)),
                (false, None) => 1.0,
            };
            let far = if given_up() { 1.0 } else { far };
            // As in the journal, no body is none, and not an empty text.
            let sent = body.map(Said::text).filter(|body| !body.is_empty());
            compared.add(1.0, far, || Difference::new("body", None, asked_for(matcher.words()), sent));
        }
        compared.finish()
    }
}

/// Whether a condition holds of the body. Of one that was thrown away nobody knows.
fn body_holds(matcher: &Matcher, asked: &Asked<'_>) -> bool {
    let Some(body) = asked.body() else {
        asked.effort.give_up();
        return false;
    };
    matcher.holds(Some(body))
}

/// Conditions that were compared, each with its weight.
#[derive(Debug, Default)]
pub(super) struct Compared {
    weight: f64,
    far: f64,
    differences: Vec<Difference>,
}

impl Compared {
    /// Counts what was compared elsewhere.
    pub(super) fn weigh(&mut self, weight: f64, far: f64) {
        self.weight += weight;
        self.far += weight * far;
    }

    pub(super) fn add(&mut self, weight: f64, far: f64, difference: impl FnOnce() -> Difference) {
        self.weigh(weight, far);
        if far > 0.0 {
            self.differences.push(difference());
        }
    }

    pub(super) fn finish(self) -> (f64, Vec<Difference>) {
        let far = if self.weight > 0.0 { self.far / self.weight } else { 0.0 };
        (far, self.differences)
    }
}

impl Url {
    pub(super) fn holds(&self, asked: &Asked<'_>) -> bool {
        match self {
            Url::Any => true,
            Url::Exactly(url) => match url.split_once('?') {
                Some((path, query)) => asked.path == path && asked.request.query.as_deref() == Some(query),
                None => asked.path == url && asked.request.query.is_none(),
            },
            Url::Pattern(expression) => expression.pattern.fits(asked.url(), &asked.effort) == Some(true),
            Url::Path(path) => asked.path == path,
            Url::PathPattern(expression) => expression.pattern.fits(asked.path, &asked.effort) == Some(true),
            Url::Template(template) => {
                let (mut wanted, mut given) = (template.split('/'), asked.path.split('/'));
                loop {
                    match (wanted.next(), given.next()) {
                        (None, None) => return true,
                        (Some(wanted), Some(given)) if parameter(wanted).is_some() => {
                            if given.is_empty() {
                                return false;
                            }
                        }
                        (Some(wanted), Some(given)) if wanted == given => {}
                        _ => return false,
                    }
                }
            }
        }
    }

    /// What stands in a path where a template has this parameter.
    fn parameter<'p>(&self, name: &str, path: &'p str) -> Option<&'p str> {
        let Url::Template(template) = self else { return None };
        let place = template.split('/').position(|segment| parameter(segment) == Some(name))?;
        path.split('/').nth(place)
    }

    fn distance(&self, asked: &Asked<'_>) -> f64 {
        match self {
            _ if self.holds(asked) => 0.0,
            Url::Exactly(url) => distance(url, asked.url()),
            Url::Path(path) | Url::Template(path) => distance(path, asked.path),
            Url::Any | Url::Pattern(_) | Url::PathPattern(_) => 1.0,
        }
    }

    /// How it is called in a mapping.
    fn member(&self) -> &'static str {
        match self {
            Url::Any | Url::Exactly(_) => "url",
            Url::Pattern(_) => "urlPattern",
            Url::Path(_) => "urlPath",
            Url::PathPattern(_) => "urlPathPattern",
            Url::Template(_) => "urlPathTemplate",
        }
    }

    fn words(&self) -> String {
        match self {
            Url::Any => "anything".to_owned(),
            Url::Exactly(url) => format!("`{url}`"),
            Url::Pattern(expression) => format!("matches `{}`", expression.written),
            Url::Path(path) => format!("the path `{path}`"),
            Url::PathPattern(expression) => format!("the path matches `{}`", expression.written),
            Url::Template(template) => format!("the path is like `{template}`"),
        }
    }
}

/// The name in `{name}`.
pub(super) fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// A condition on JSON, such as the metadata of a stub.
#[derive(Debug, Clone)]
pub(crate) struct Content(Matcher);

impl Content {
    pub(crate) fn parse(pattern: &Json) -> Result<Self, Mistakes> {
        let mut reader = Reader::default();
        let matcher = matcher_read::matcher(&mut reader, "", pattern);
        reader.finish(matcher.map(Content))
    }

    /// Whether it holds of a value, which may not be there.
    pub(crate) fn holds(&self, value: Option<&Json>) -> bool {
        let said = value.map(|value| Said::of_json(value, usize::MAX));
        let holds = self.0.holds(said.as_ref());
        holds && !said.is_some_and(|said| said.effort().gave_up())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::exchange::Body;
    use crate::stub::samples::{asked, pattern, request};

    #[test]
    fn conditions_hold_of_some_requests_and_not_of_others() {
        let get = |line: &str| request(line, &[], b"");
        let with = |headers: &[&str]| request("GET /a", headers, b"");
        let post = |body: &str| request("POST /a", &[], body.as_bytes());
        let bytes = |body: &[u8]| request("POST /a", &[], body);
        let form =
            |body: &str| request("POST /a", &["content-type: application/x-www-form-urlencoded"], body.as_bytes());
        let cases = [
            (json!({}), vec![get("GET /"), post("x")], vec![]),
            (json!({ "method": "get" }), vec![get("GET /a")], vec![post("")]),
            (json!({ "method": "ANY" }), vec![get("GET /a"), post("")], vec![]),
            (
                json!({ "url": "/a?b=1" }),
                vec![get("GET /a?b=1")],
                vec![get("GET /a"), get("GET /a?b=1&c=2"), get("GET /a?b=%31")],
            ),
            (json!({ "url": "/a" }), vec![get("GET /a")], vec![get("GET /a?"), get("GET /a/"), get("GET /%61")]),
            (json!({ "urlPath": "/a" }), vec![get("GET /a"), get("GET /a?b=1")], vec![get("GET /a/b")]),
            (json!({ "urlPattern": r"/a\?b=\d+" }), vec![get("GET /a?b=12")], vec![get("GET /a?b=12x"), get("GET /a")]),
            (json!({ "urlPathPattern": "/a/[^/]+" }), vec![get("GET /a/b?c")], vec![get("GET /a/b/c"), get("GET /a/")]),
            (
                json!({ "urlPathTemplate": "/a/{id}/b", "pathParameters": { "id": { "matches": "[0-9]+" } } }),
                vec![get("GET /a/1/b?c")],
                vec![get("GET /a/x/b"), get("GET /a//b"), get("GET /a/1/b/"), get("GET /a/1")],
            ),
            (
                json!({ "queryParameters": { "q": { "equalTo": "a b" } } }),
                vec![get("GET /?q=a+b"), get("GET /?q=x&q=a%20b")],
                vec![get("GET /?q=a"), get("GET /")],
            ),
            (
                json!({ "queryParameters": { "q": { "absent": true } } }),
                vec![get("GET /?p=1"), get("GET /")],
                vec![get("GET /?q=")],
            ),
            (
                json!({ "headers": { "X-Tag": { "contains": "b", "caseInsensitive": true } } }),
                vec![with(&["x-tag: ABC"]), with(&["x-tag: x", "x-tag: b"])],
                vec![with(&["x-tag: x"]), with(&[])],
            ),
            (
                json!({ "headers": { "X-Tag": { "doesNotContain": "b" }, "X-No": { "doesNotMatch": "a+" } } }),
                vec![with(&["x-tag: a"]), with(&[]), with(&["x-no: b"])],
                vec![with(&["x-tag: abc"]), with(&["x-no: aa"])],
            ),
            (
                json!({ "headers": { "X-Tag": { "or": [{ "absent": true }, { "not": { "equalTo": "b" } }] } } }),
                vec![with(&[]), with(&["x-tag: a"])],
                vec![with(&["x-tag: b"])],
            ),
            (json!({ "headers": { "X-N": { "equalTo": 5 } } }), vec![with(&["x-n: 5"])], vec![with(&["x-n: 5.0"])]),
            (
                json!({ "cookies": { "s": { "matches": "[a-f]+" } } }),
                vec![with(&["cookie: t=1; s=abc"]), with(&["cookie: t=1", "cookie: s=f"])],
                vec![with(&["cookie: t=abc"]), with(&["cookie: s=x"])],
            ),
            (
                json!({ "basicAuthCredentials": { "username": "u", "password": "p:q" } }),
                vec![with(&["authorization: Basic dTpwOnE="])],
                vec![with(&["authorization: Basic dTpw"]), with(&[])],
            ),
            (
                json!({ "formParameters": { "a": { "equalTo": "1" } } }),
                vec![form("b=2&a=1")],
                vec![form("a=2"), post("a=1")],
            ),
            (
                json!({ "bodyPatterns": [{ "contains": "ä" }, { "matches": "(?i)x.*" }] }),
                vec![post("X\nä")],
                vec![post("ä"), post("")],
            ),
            (json!({ "bodyPatterns": [{ "absent": true }] }), vec![post("")], vec![post("x")]),
            (json!({ "bodyPatterns": [{ "equalTo": "" }] }), vec![post("")], vec![post("x")]),
            (json!({ "bodyPatterns": [{ "matches": ".*" }] }), vec![post(""), post("x")], vec![]),
            (json!({ "bodyPatterns": [{ "not": { "absent": true } }] }), vec![post("x")], vec![post("")]),
            (
                json!({ "bodyPatterns": [{ "matches": "a.b" }] }),
                vec![bytes(b"a\xffb"), post("a\u{fffd}b")],
                vec![bytes(b"a\xff")],
            ),
            (json!({ "bodyPatterns": [{ "doesNotContain": "b" }] }), vec![bytes(b"a\xff")], vec![bytes(b"a\xffb")]),
            (
                json!({ "bodyPatterns": [{ "equalTo": "\u{fffd}" }] }),
                vec![post("\u{fffd}"), bytes(b"\xff")],
                vec![bytes(b"\xff\xff")],
            ),
            (
                json!({ "bodyPatterns": [{ "binaryEqualTo": "AQI=" }] }),
                vec![request("PUT /", &[], &[1, 2])],
                vec![post("12")],
            ),
            (
                json!({ "bodyPatterns": [{ "equalToJson": "{\"a\": [1, {\"b\": null}]}" }] }),
                vec![post(r#"{ "a" : [1.0, {"b":null}] }"#)],
                vec![post(r#"{"a":[1,{}]}"#), post("{"), post(r#"{"a":[1,{"b":null}],"a":[1,{"b":null}]}"#)],
            ),
            (
                json!({ "bodyPatterns": [{ "equalToJson": { "a": [1, 2] }, "ignoreArrayOrder": true, "ignoreExtraElements": true }] }),
                vec![post(r#"{"b":3,"a":[2,5,1]}"#)],
                vec![post(r#"{"a":[2]}"#)],
            ),
            (
                json!({ "bodyPatterns": [{ "matchesJsonPath": "$.items[?(@.id == 'x')]" }] }),
                vec![post(r#"{"items":[{"id":"y"},{"id":"x"}]}"#)],
                vec![post(r#"{"items":[{"id":"y"}]}"#), post("{}"), post("no json")],
            ),
            (
                json!({ "bodyPatterns": [{ "matchesJsonPath": "$.a" }] }),
                vec![post(r#"{"a":false}"#)],
                vec![post(r#"{"a":[]}"#), post(r#"{"a":null}"#)],
            ),
            (
                json!({ "bodyPatterns": [{ "matchesJsonPath": { "expression": "$.n", "equalTo": 5 } }] }),
                vec![post(r#"{"n":5}"#), post(r#"{"n":"5"}"#), post(r#"{"n":[4,5]}"#)],
                vec![post(r#"{"n":6}"#), post("{}")],
            ),
            (
                json!({ "bodyPatterns": [{ "matchesJsonPath": { "expression": "$.n", "equalToJson": { "a": 1 } } }] }),
                vec![post(r#"{"n":{"a":1}}"#)],
                vec![post(r#"{"n":{"a":2}}"#)],
            ),
            (
                json!({ "bodyPatterns": [{ "matchesJsonPath": { "expression": "$.n", "absent": true } }] }),
                vec![post("{}"), post(r#"{"n":null}"#)],
                vec![post(r#"{"n":0}"#), post("no json")],
            ),
        ];
        for (wanted, holds, fails) in cases {
            let pattern = pattern(wanted.clone());
            for (requests, expected) in [(holds, true), (fails, false)] {
                for request in &requests {
                    let asked = asked(request);
                    assert_eq!(pattern.matches(&asked), expected, "{wanted}: {request:?}");
                    // What does not match differs in something, and says so.
                    let (distance, differences) = pattern.compare(&asked);
                    assert_eq!(
                        (distance == 0.0, differences.is_empty()),
                        (expected, expected),
                        "{wanted}: {differences:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_body_that_was_thrown_away_is_not_one_that_was_not_sent() {
        let mut large = request("POST /", &[], b"");
        large.body = Body::TooLarge { limit: 1 };
        for about in [
            json!({ "bodyPatterns": [{ "absent": true }] }),
            json!({ "bodyPatterns": [{ "doesNotContain": "x" }] }),
            json!({ "bodyPatterns": [{ "not": { "matches": ".*" } }] }),
            json!({ "formParameters": { "a": { "absent": true } } }),
        ] {
            assert!(!pattern(about.clone()).matches(&asked(&large)), "{about}");
        }
        assert!(pattern(json!({ "method": "POST" })).matches(&asked(&large)));
    }

    #[test]
    fn metadata_is_looked_at_by_the_same_conditions() {
        let content = Content::parse(&json!({ "matchesJsonPath": "$.tag" })).unwrap();
        assert!(content.holds(Some(&json!({ "tag": 1 }))));
        assert!(!content.holds(Some(&json!({ "other": 1 }))) && !content.holds(None));
        assert!(
            Content::parse(&json!({ "matchesJsonPth": "$.tag" })).unwrap_err()[0]
                .remedy
                .contains("Did you mean `matchesJsonPath`?")
        );
    }
}
