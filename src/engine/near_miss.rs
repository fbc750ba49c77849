//! What an unmatched request was probably meant to be, with the one difference.

use std::sync::Arc;

use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{Rules, stub};
use crate::exchange::{Problem, Request, Response};
use crate::expr::Draws;
use crate::journal::{Stage, Trace, Verdict};
use crate::pack::{Candidate, Line, Operation, Options, Pack, Reached};
use crate::sandbox::{Change, Controls, Exchange};

/// An operation that the request nearly matched.
struct NearMiss {
    /// Smaller is nearer.
    distance: usize,
    same_method: bool,
    pack: Arc<str>,
    operation: Arc<str>,
    title: Arc<str>,
    request: String,
    difference: String,
}

const SHOWN: usize = 3;

/// The problem for a request that no operation of its pack answers: 405 where the path exists, else 404.
pub(super) fn within_pack(pack: &Arc<Pack>, options: &Options, request: &Request) -> Response {
    let mut allowed: Vec<Method> = Vec::new();
    for (path, mounted) in pack.within(&request.path) {
        let Some((found, _)) = pack.router.find(path, options) else { continue };
        for (method, candidates) in &found.methods {
            let there = |candidate: &Candidate| {
                let operation = pack.operation(candidate.operation);
                candidate.wanted.holds(options) && !(mounted && operation.unmounted) && !operation.refuses_its_method()
            };
            if !candidates.iter().any(there) {
                continue;
            }
            if !allowed.contains(method) {
                allowed.push(method.clone());
            }
            if *method == Method::GET && !allowed.contains(&Method::HEAD) {
                allowed.push(Method::HEAD);
            }
        }
    }
    let near = nearest(std::slice::from_ref(pack), std::slice::from_ref(options), request);
    if allowed.is_empty() {
        return not_found(&format!("Nothing in the pack `{}` answers", pack.name), request, near);
    }
    let names = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let detail = format!("{} is not among the methods of `{}`: {names}.", request.method, request.path);
    let problem = Problem::new(
        "method-not-allowed",
        StatusCode::METHOD_NOT_ALLOWED,
        "The path exists, the method does not",
        detail,
    );
    problem.header(header::ALLOW, names).with("nearMisses", shown(near)).into_response()
}

/// What a request gets that leads to no pack at all. With each pack go the options that it has here.
pub(crate) fn astray(
    packs: &[Arc<Pack>],
    options: &[Options],
    controls: &Controls,
    draws: &Draws,
    request: &Request,
    rules: Rules,
) -> Exchange {
    let over = match stub::answer(controls, draws, request, rules) {
        Ok(exchange) => return exchange,
        Err(over) => over,
    };
    let mut trace = Trace::new();
    stub::note(&mut trace, over);
    trace.add(Stage::Route, Verdict::Refused, None, "no pack has this path");
    Exchange {
        response: not_found("Nothing answers", request, nearest(packs, options, request)),
        change: Change::default(),
        trace,
        operation: None,
        contract: None,
        stub: None,
        delivery: None,
        reached: Reached::default(),
    }
}

/// The near misses of a request among packs, as the problem for it shows them.
pub(crate) fn near_misses(packs: &[Arc<Pack>], options: &[Options], request: &Request) -> Value {
    shown(nearest(packs, options, request))
}

fn not_found(nothing: &str, request: &Request, near: Vec<NearMiss>) -> Response {
    let Request { method, path, .. } = request;
    let detail = match near.first() {
        Some(miss) => {
            format!("{nothing} {method} {path}. Nearest is `{}` ({}): {}.", miss.title, miss.request, miss.difference)
        }
        None => format!("{nothing} {method} {path}. GET /_standin/packs lists what is served."),
    };
    Problem::not_found("no-operation", detail).with("nearMisses", shown(near)).into_response()
}

fn shown(near: Vec<NearMiss>) -> Value {
    near.into_iter()
        .map(|miss| {
            json!({
                "operation": &*miss.operation,
                "title": &*miss.title,
                "pack": &*miss.pack,
                "request": miss.request,
                "difference": miss.difference,
            })
        })
        .collect()
}

fn nearest(packs: &[Arc<Pack>], options: &[Options], request: &Request) -> Vec<NearMiss> {
    let of_pack = |(pack, options)| of_pack(pack, options, request, packs.len() > 1);
    let mut all: Vec<NearMiss> = packs.iter().zip(options).flat_map(of_pack).collect();
    all.sort_by(|a, b| (a.distance, !a.same_method, &a.request).cmp(&(b.distance, !b.same_method, &b.request)));
    all.truncate(SHOWN);
    all
}

fn of_pack(pack: &Arc<Pack>, options: &Options, request: &Request, several: bool) -> Vec<NearMiss> {
    let lost_prefix = format!("/{}", pack.name);
    let mut paths: Vec<(&str, bool, bool)> =
        pack.within(&request.path).map(|(path, mounted)| (path, mounted, false)).collect();
    // The prefix of the pack may stand where none is needed.
    if let Some(rest) = request.path.strip_prefix(lost_prefix.as_str()) {
        paths.push((rest, false, true));
    }
    let mut found = Vec::new();
    for operation in &pack.operations {
        let lines = operation.lines().filter(|line| line.wanted.holds(options));
        let near = lines.filter_map(|line| {
            let same_method =
                line.method == request.method || (request.method == Method::HEAD && line.method == Method::GET);
            let (distance, difference) = of_line(pack, operation, &line, request, same_method, several, &paths)?;
            Some(NearMiss {
                distance,
                same_method,
                pack: Arc::clone(&pack.name),
                operation: Arc::clone(&operation.name),
                title: Arc::clone(&operation.title),
                request: format!("{} {}", line.method, line.template),
                difference,
            })
        });
        found.extend(near.min_by_key(|miss| (miss.distance, !miss.same_method)));
    }
    found
}

/// How far one line of an operation is from a request, and the difference.
fn of_line(
    pack: &Pack,
    operation: &Operation,
    line: &Line,
    request: &Request,
    same_method: bool,
    several: bool,
    paths: &[(&str, bool, bool)],
) -> Option<(usize, String)> {
    let mut best: Option<(usize, String)> = None;
    let mut offer = |distance: usize, difference: String| {
        if best.as_ref().is_none_or(|(known, _)| distance < *known) {
            best = Some((distance, difference));
        }
    };
    for (path, mounted, doubled) in paths {
        let (steps, words) = compare(&line.template, path);
        if steps == 0 && *mounted && operation.unmounted {
            let prefix = &request.path[..request.path.len() - path.len()];
            offer(1, format!("the path has no `{prefix}` in front"));
        } else if steps == 0 && several && !doubled {
            offer(
                usize::from(!same_method),
                format!("the path exists in pack `{0}`: the base URL lost its prefix `/{0}`", pack.name),
            );
        } else if steps == 0 && !same_method {
            offer(1, format!("the method is {}, not {}", line.method, request.method));
        } else if steps == 0 {
            offer(1, "the pack's prefix stands there twice".to_owned());
        } else if steps <= 2 {
            offer(steps + usize::from(!same_method) + 1, words);
        }
    }
    best
}

/// Whether two words can be alike at all, by their lengths: comparing takes time with the product of both.
fn comparable(a: &str, b: &str) -> bool {
    let (a, b) = (a.chars().count(), b.chars().count());
    a.abs_diff(b) <= 2 || a.abs_diff(b) * 5 <= a.max(b) * 2
}

/// Whether two letters at most are other ones, or two of five.
fn is_almost(a: &str, b: &str) -> bool {
    let distance = strsim::damerau_levenshtein(a, b);
    let longest = a.chars().count().max(b.chars().count());
    distance <= 2 || distance * 5 <= longest * 2
}

/// How many segments differ, and the first difference in words.
fn compare(template: &str, path: &str) -> (usize, String) {
    let want: Vec<&str> = template.split('/').skip(1).collect();
    let got: Vec<&str> = path.split('/').skip(1).collect();
    let mut steps = 0;
    let mut words = String::new();
    let mut note = |text: String| {
        if words.is_empty() {
            words = text;
        }
    };
    for (index, segment) in want.iter().enumerate() {
        let parameter = segment.starts_with('{');
        match got.get(index) {
            None => {
                steps += 1;
                note(match parameter {
                    true => format!("the path is {template}: `{segment}` is missing"),
                    false => format!("the path is {template}: `/{segment}` is missing"),
                });
            }
            Some(actual) if parameter && actual.is_empty() => {
                steps += 1;
                note(format!("`{segment}` is empty"));
            }
            Some(actual) if !parameter && actual != segment => {
                // A segment that is spelled almost right is nearer than another word.
                steps += if comparable(actual, segment) && is_almost(actual, segment) { 1 } else { 3 };
                note(format!("the path has `{segment}` where `{actual}` stands"));
            }
            Some(_) => {}
        }
    }
    if got.len() > want.len() {
        let rest = got[want.len()..].join("/");
        steps += got.len() - want.len();
        note(match rest.is_empty() {
            true => "the path ends without `/`".to_owned(),
            false => format!("the path ends before `/{rest}`"),
        });
    }
    (steps, words)
}
