//! Why a step failed, as a report shows it: what was sent, what came, and how the server came to it.

use http::header::{CONTENT_LENGTH, DATE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::Value as Json;

use super::line::{Last, Line};
use super::mask::{MASK, Secrets};
use super::story::{Halt, Story};
use crate::client::Fault;
use crate::diagnostic::shortened;
use crate::exchange::{distinct, segment, segments};
use crate::scenario::{Content, Expect, Failure, Miss, Nearest, RECEIVED, Shown, nearest};

/// The most that is shown of a body.
const MOST_CHARS: usize = 4_000;
const MOST_LINES: usize = 80;

/// The most pieces of a log that are looked through for secrets, and how many entries each has.
const MOST_PIECES: usize = 20;
const PIECE: usize = 1_000;

/// The most differences that are told of the nearest example, and the most names that are proposed to be left out.
const MOST_DIFFERENCES: usize = 10;
const MOST_NAMES: usize = 6;

/// As what an expectation finds is not there.
const ABSENT: &str = "absent";

const ENTRY: &str = "standin-entry";

impl Story<'_> {
    /// The last answer is not what is expected of it.
    pub(super) async fn failed(&self, line: &Line, misses: Vec<Miss>) -> Halt {
        let secrets = self.secrets().await;
        let mut failure = Failure { misses, ..Failure::default() };
        if let Some(last) = &line.last {
            self.show(last, secrets.as_ref(), &mut failure).await;
            if let Some((pack, Some(operation))) = last.call {
                failure.nearest = nearest(self.plan.pack(pack), operation, &last.answer);
            }
        }
        Halt::Failed(Box::new(hidden(failure, secrets.as_ref())))
    }

    /// Something else is not what is expected.
    pub(super) async fn missed(&self, misses: Vec<Miss>) -> Halt {
        let secrets = self.secrets().await;
        let failure = Failure { misses, ..Failure::default() };
        Halt::Failed(Box::new(hidden(failure, secrets.as_ref())))
    }

    /// The control plane refuses a step.
    pub(super) async fn refused(&self, line: &Line) -> Halt {
        let secrets = self.secrets().await;
        let mut failure = Failure::default();
        if let Some(last) = &line.last {
            let problem = last.answer.json();
            let text = |name: &str| problem.and_then(|problem| problem[name].as_str()).map(str::to_owned);
            let slug = text("type").and_then(|kind| Some(kind.rsplit_once(':')?.1.to_owned()));
            let status = last.answer.status;
            failure.summary = match (text("detail"), slug) {
                (Some(detail), Some(slug)) => format!("the control plane refuses: {detail} ({slug})"),
                _ => format!("the control plane refuses, with status {status}"),
            };
            let (what, found) = ("status".to_owned(), status.to_string());
            failure.misses.push(Miss { what, wanted: "2xx".to_owned(), found });
            self.show(last, secrets.as_ref(), &mut failure).await;
        }
        Halt::Failed(Box::new(hidden(failure, secrets.as_ref())))
    }

    /// Request, answer and trace, as the journal has them, where it has them.
    async fn show(&self, last: &Last, secrets: Option<&Secrets>, failure: &mut Failure) {
        let entry = last.answer.headers.get(ENTRY).and_then(|value| value.to_str().ok());
        if let (Some(entry), Some(_)) = (entry, last.call)
            && let Ok(told) = self.control(Method::GET, &format!("/journal/{entry}"), None).await
            && let exchange = &told["exchange"]
            && exchange.is_object()
        {
            // The journal masks by what a value is called; a secret that was sent under another name is one all the same.
            failure.request = secrets.map(|secrets| secrets.shown(request(exchange)));
            failure.response = secrets.map(|secrets| secrets.shown(response(&exchange["response"])));
            failure.trace = trace(exchange);
            failure.help = patch(exchange);
            return;
        }
        failure.request = secrets.map(|secrets| secrets.shown(last.sent.clone()));
        let status = last.answer.status;
        let body = String::from_utf8_lossy(&last.answer.body).into_owned();
        let came = Shown { line: status_line(status), headers: headers_of(&last.answer.headers), body };
        failure.response = secrets.map(|secrets| secrets.shown(came));
    }

    /// The trace of a call that was not answered, where a rule has seen to that: of the newest such call in the journal.
    pub(super) async fn broken_off(&self, fault: &Fault, method: &Method, path: &str) -> Option<Vec<String>> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let mut newest = None;
        let mut after = String::new();
        for _ in 0..MOST_PIECES {
            let list = format!("/journal?method={method}&path={}&limit={PIECE}{after}", segment(path));
            let list = self.control(Method::GET, &list, None).await.ok()?;
            newest = list["records"].as_array().and_then(|records| records.last()?["entry"].as_u64()).or(newest);
            match list["next"].as_u64() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let told = self.control(Method::GET, &format!("/journal/{}", newest?), None).await.ok()?;
        let exchange = &told["exchange"];
        let says = |step: &Json| {
            let detail = step["detail"].as_str().unwrap_or_default();
            step["stage"] == "fault" && (matches!(fault, Fault::Late(_)) || detail.contains(fault.name()))
        };
        exchange["trace"].as_array()?.iter().any(says).then(|| trace(exchange))
    }

    /// What is secret in the sandbox. None where that cannot be known.
    pub(super) async fn secrets(&self) -> Option<Secrets> {
        let mut secrets = Secrets::default();
        let mut after = String::new();
        for _ in 0..MOST_PIECES {
            let path = format!("/log?limit={PIECE}{after}");
            let masked = self.control(Method::GET, &path, None).await.ok()?;
            let whole = self.control(Method::GET, &format!("{path}&secrets=show"), None).await.ok()?;
            secrets.add(&masked["records"], &whole["records"]);
            match masked["next"].as_u64() {
                Some(next) => after = format!("&after={next}"),
                None => return Some(secrets),
            }
        }
        None
    }
}

impl Secrets {
    /// A request or an answer without them.
    pub(super) fn shown(&self, shown: Shown) -> Shown {
        let header = |(name, value): (String, String)| {
            let value = self.hidden(&value);
            (name, value)
        };
        Shown {
            line: self.hidden(&shown.line),
            headers: shown.headers.into_iter().map(header).collect(),
            // A secret that is cut off would not be known any more.
            body: text_shown(&self.hidden(&shown.body)),
        }
    }
}

/// The failure without secrets. Where it is not known what is secret, values are not shown.
fn hidden(failure: Failure, secrets: Option<&Secrets>) -> Failure {
    /// The most that a line of a report shows of a value, and of calls that arrived, which are told in one.
    const MOST: usize = 300;
    const MOST_CALLED: usize = 3_000;

    let kept =
        |text: &str, most| secrets.map_or_else(|| MASK.to_owned(), |secrets| shortened(&secrets.hidden(text), most));
    let hide = |text: &str| kept(text, MOST);
    // What a value is called is no value.
    let name = |text: &str| secrets.map_or_else(|| text.to_owned(), |secrets| secrets.hidden(text));
    let miss = |miss: Miss| {
        let most = if miss.what.starts_with(RECEIVED) { MOST_CALLED } else { MOST };
        let mut shown = Miss { what: name(&miss.what), wanted: hide(&miss.wanted), found: kept(&miss.found, most) };
        if shown.wanted == shown.found && miss.wanted != miss.found {
            shown.found.push_str(", which is another one");
        } else if secrets.is_some() && is_masked(&shown.found) {
            // Else it reads as if the answer had said so.
            let what = if shown.wanted == ABSENT { "a value" } else { "another value" };
            shown.found = format!("{what}, which is secret");
        }
        shown
    };
    let near = |nearest: Nearest| {
        // Secrets are others each time: that they are tells nothing of the answer.
        let tells = |miss: &Miss| miss.wanted == ABSENT || !is_masked(&hide(&miss.found)) || secrets.is_none();
        let mut differences: Vec<Miss> = nearest.differences.into_iter().filter(tells).map(miss).collect();
        if differences.len() > MOST_DIFFERENCES {
            let more = differences.len() - MOST_DIFFERENCES;
            differences.truncate(MOST_DIFFERENCES);
            let plural = if more == 1 { "" } else { "s" };
            let what = format!("and {more} more difference{plural}");
            differences.push(Miss { what, wanted: String::new(), found: String::new() });
        }
        Nearest { differences, ..nearest }
    };
    let misses: Vec<Miss> = failure.misses.into_iter().map(miss).collect();
    let summary = if failure.summary.is_empty() { summary(&misses) } else { hide(&failure.summary) };
    let trace = failure.trace.iter().map(|line| hide(line)).collect();
    let unknown = || {
        secrets.is_none().then(|| {
            "the log of the sandbox cannot be read to its end, so that nobody says what is secret: no value is shown".to_owned()
        })
    };
    let help = failure.help.as_deref().map(hide).filter(|_| secrets.is_some()).or_else(unknown);
    Failure { summary, misses, trace, help, nearest: failure.nearest.map(near), ..failure }
}

/// Whether nothing else is left of a value.
fn is_masked(shown: &str) -> bool {
    shown.trim_matches('"') == MASK
}

/// How values are left open, where a body is like its example but for values of the same kind.
pub(super) fn left_open(expect: &Expect, misses: &[Miss]) -> Option<String> {
    let is_like = !expect.body.is_empty() && expect.body.iter().all(|part| matches!(part, Content::Like { .. }));
    let kind = |text: &str| serde_json::from_str::<Json>(text).ok().map(|json| std::mem::discriminant(&json));
    let name = |miss: &Miss| {
        let name = segments(&miss.what).pop().filter(|_| miss.what.starts_with('/'))?;
        let is_plain = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        let is_index = name.chars().all(|character| character.is_ascii_digit());
        let is_same = kind(&miss.wanted).is_some_and(|wanted| Some(wanted) == kind(&miss.found));
        (is_plain && !is_index && is_same).then_some(name)
    };
    let names = distinct(misses.iter().map(name).collect::<Option<Vec<_>>>()?);
    (is_like && (1..=MOST_NAMES).contains(&names.len())).then(|| {
        format!(
            "only values differ: those that are others each time are left out with `except: [{}]`",
            names.join(", ")
        )
    })
}

/// The first miss in a line.
fn summary(misses: &[Miss]) -> String {
    const MOST: usize = 200;
    let Some(first) = misses.first() else { return String::new() };
    let more = match misses.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!(
        "{}: expected {}, found {}{more}",
        first.what,
        shortened(&first.wanted, MOST),
        shortened(&first.found, MOST)
    )
}

/// What a step sends, before it is masked.
pub(super) fn sent(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Shown {
    let body = match std::str::from_utf8(body) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes_shown(body.len()),
    };
    let mut headers = headers_of(headers);
    for (name, value) in &mut headers {
        // No answer came that would have an entry, so that nobody says what is secret here.
        if name == http::header::AUTHORIZATION.as_str() {
            MASK.clone_into(value);
        }
    }
    Shown { line: format!("{method} {path}"), headers, body }
}

/// Headers that say nothing of the story.
const BESIDE: [HeaderName; 4] = [HOST, USER_AGENT, CONTENT_LENGTH, DATE];

fn headers_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let all = headers.iter().filter(|(name, _)| !BESIDE.contains(name));
    all.map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn request(exchange: &Json) -> Shown {
    let request = &exchange["request"];
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let pack = exchange["pack"].as_str().map_or_else(String::new, |pack| format!("/{pack}"));
    let query = request["query"].as_str().map_or_else(String::new, |query| format!("?{query}"));
    Shown {
        line: format!("{} {pack}{}{query}", text("method"), text("path")),
        headers: pairs(&request["headers"]),
        body: body(&request["body"]),
    }
}

fn response(response: &Json) -> Shown {
    let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
    Shown { line: status_line(status), headers: pairs(&response["headers"]), body: body(&response["body"]) }
}

fn status_line(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"))
}

fn pairs(headers: &Json) -> Vec<(String, String)> {
    let plain = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = headers.as_object().into_iter().flatten();
    headers
        .filter(|(name, _)| !BESIDE.iter().any(|beside| beside == name.as_str()))
        .flat_map(|(name, value)| match value {
            Json::Array(values) => values.iter().map(|value| (name.clone(), plain(value))).collect(),
            value => vec![(name.clone(), plain(value))],
        })
        .collect()
}

/// `{"text": …}`, `{"base64": …}`, or null.
fn body(body: &Json) -> String {
    match (body["text"].as_str(), body["base64"].as_str()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(base64)) => bytes_shown(base64.len() / 4 * 3),
        (None, None) if body.is_null() => String::new(),
        (None, None) => body.to_string(),
    }
}

fn bytes_shown(count: usize) -> String {
    format!("({count} bytes that are no text)")
}

/// JSON on several lines, and what is long not to its end.
fn text_shown(text: &str) -> String {
    let json = serde_json::from_str::<Json>(text).ok().filter(|json| json.is_object() || json.is_array());
    let whole = json.map_or_else(|| text.to_owned(), |json| format!("{json:#}"));
    let lines: Vec<&str> = whole.lines().take(MOST_LINES).collect();
    let kept: String = lines.join("\n").chars().take(MOST_CHARS).collect();
    let rest = whole.trim_end().len().saturating_sub(kept.len());
    if rest == 0 { kept } else { format!("{kept}\n… and {rest} bytes more") }
}

/// `authenticate    passed   account (fixtures/shop/pack.yaml:27)`
fn trace(exchange: &Json) -> Vec<String> {
    let line = |step: &Json| {
        let text = |name: &str| step[name].as_str().unwrap_or_default();
        let line = format!("{:<15} {:<8} {}", text("stage"), text("verdict"), text("detail"));
        match step["at"].as_str() {
            Some(at) => format!("{line} ({at})"),
            None => line,
        }
    };
    exchange["trace"].as_array().into_iter().flatten().map(line).collect()
}

/// What makes a body fit that does not.
fn patch(exchange: &Json) -> Option<String> {
    let near = exchange["nearMiss"].as_object()?;
    let patch = near.get("patch").filter(|patch| patch.as_array().is_some_and(|edits| !edits.is_empty()));
    match (patch, near.get("example").and_then(Json::as_str)) {
        (Some(patch), _) => Some(format!("with this JSON Patch the request's body would fit its schema: {patch}")),
        (None, Some(example)) => Some(format!("the nearest documented request is {example}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_long_is_not_shown_to_its_end() {
        assert_eq!(text_shown("plain"), "plain");
        assert_eq!(text_shown("{\"a\":[1]}"), "{\n  \"a\": [\n    1\n  ]\n}");
        let shown = text_shown(&json!(vec![0; 200]).to_string());
        assert!(shown.lines().count() == MOST_LINES + 1 && shown.ends_with(" bytes more"), "{shown}");
        let shown = text_shown(&"ä".repeat(MOST_CHARS + 7));
        assert!(shown.ends_with("… and 14 bytes more"), "{shown}");
    }

    #[test]
    fn what_is_secret_is_no_difference_to_an_example_and_no_answer_in_bullets() {
        let mut secrets = Secrets::default();
        secrets.add(&json!("•••"), &json!("first-secret"));
        let miss = |what: &str, wanted: &str, found: &str| Miss {
            what: what.to_owned(),
            wanted: wanted.to_owned(),
            found: found.to_owned(),
        };
        let secret = miss("/token", "\"written\"", "\"first-secret\"");
        let mut differences = vec![secret.clone(), miss("/more", "absent", "\"first-secret\"")];
        differences.extend((0..11).map(|number| miss(&format!("/{number}"), "1", "2")));
        let nearest = Some(Nearest { example: "a".to_owned(), differences });
        let shown = hidden(Failure { misses: vec![secret], nearest, ..Failure::default() }, Some(&secrets));
        assert_eq!(shown.summary, "/token: expected \"written\", found another value, which is secret");
        let near = shown.nearest.unwrap().differences;
        assert_eq!((&*near[0].what, &*near[0].found), ("/more", "a value, which is secret"));
        assert_eq!((&*near[10].what, near.len()), ("and 2 more differences", 11));
    }

    #[test]
    fn without_knowing_what_is_secret_no_value_is_shown() {
        let miss = Miss { what: "/a".to_owned(), wanted: "\"b\"".to_owned(), found: "\"c\"".to_owned() };
        let failure = Failure { misses: vec![miss], ..Failure::default() };
        let shown = hidden(failure, Some(&Secrets::default()));
        assert_eq!((&*shown.summary, &*shown.misses[0].found), ("/a: expected \"b\", found \"c\"", "\"c\""));
        let shown = hidden(Failure { summary: String::new(), ..shown }, None);
        let found = "•••, which is another one";
        assert_eq!((&*shown.misses[0].what, &*shown.misses[0].wanted, &*shown.misses[0].found), ("/a", MASK, found));
        assert_eq!(shown.summary, format!("/a: expected •••, found {found}"));
        assert!(shown.help.unwrap().contains("no value is shown"));
    }
}
