//! Examples that scenarios name: documented requests, answers and payloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderName, Method};
use serde_json::Value as Json;

use super::Story;
use super::call::{JSON, Meant};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::exchange::spelled;
use crate::pack::source::{Side, Spanned};
use crate::pack::{Example, Operation, OperationId, Pack};
use crate::scenario::{Body, Value};

/// The request of an example.
pub(super) struct Asked {
    operation: OperationId,
    /// Another method, or another of the operation's lines.
    line: Option<(Method, Arc<str>)>,
    pub(super) labels: Option<Vec<Spanned<String>>>,
    pub(super) path: BTreeMap<String, Json>,
    query: Vec<(String, Json)>,
    headers: Vec<(HeaderName, String)>,
    pub(super) body: Body,
}

/// A file that shows a body.
pub(super) struct ShownBody {
    pub(super) path: Arc<str>,
    pub(super) text: Arc<str>,
    pub(super) json: Option<Arc<Json>>,
}

impl Asked {
    /// The method and path that the request was sent to, where that is another line of the same operation.
    pub(super) fn redirect(&self, meant: &mut Meant) {
        if let Some((method, path)) = self.line.as_ref().filter(|_| meant.operations.first() == Some(&self.operation)) {
            meant.method = method.clone();
            meant.path = Arc::clone(path);
        }
    }

    /// What the request has in query and headers, unless the step says something else.
    pub(super) fn add(&self, query: &mut Vec<(Arc<str>, Value)>, headers: &mut Vec<(HeaderName, Value)>) {
        let said: Vec<Arc<str>> = query.iter().map(|(name, _)| Arc::clone(name)).collect();
        for (name, value) in self.query.iter().filter(|(name, _)| said.iter().all(|said| **said != **name)) {
            query.push((name.as_str().into(), Value::Written(value.clone())));
        }
        for (name, value) in &self.headers {
            if headers.iter().all(|(said, _)| said != name) {
                headers.push((name.clone(), Value::Written(value.as_str().into())));
            }
        }
    }
}

impl Story<'_, '_> {
    /// The documented request that an answer shows, or that is one itself.
    pub(super) fn asked(
        &mut self,
        pack: Option<usize>,
        meant: Option<&Meant>,
        name: &Spanned<String>,
    ) -> Option<Asked> {
        let index = meant.map(|meant| meant.pack).or(pack)?;
        let pack = Arc::clone(self.reader.pack(index));
        let own: &[OperationId] = meant.map_or(&[], |meant| &meant.operations);
        let example = self.documented(&pack, own, name)?;
        if let Some(meant) = meant
            && !meant.operations.contains(&example.operation)
        {
            let other = pack.operation(example.operation);
            let message = format!("`{}` is a request of `{}`", example.path, other.title);
            let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
            let help = match own.first() {
                Some(id) => format!("`call` names `{}`: name one of the two otherwise", pack.operation(*id).title),
                None => "`call` names none of its operations".to_owned(),
            };
            self.reader.report(diagnostic.help(help));
            return None;
        }
        match request_of(&pack, example) {
            Ok(asked) => Some(asked),
            Err(why) => {
                let message = format!("the request of `{}` is not known: {why}", example.path);
                let help = "write it out under `body`, or name another example";
                self.reader.report(Diagnostic::error(Code::ExampleMissing, name.at.clone(), message).help(help));
                None
            }
        }
    }

    /// An example of an operation, by its path or the end of it.
    fn documented<'p>(&mut self, pack: &'p Pack, own: &[OperationId], name: &Spanned<String>) -> Option<&'p Example> {
        let named: Vec<&Example> =
            pack.examples.iter().filter(|example| is_called(&example.path, &name.value)).collect();
        let mine: Vec<&Example> = named.iter().copied().filter(|example| own.contains(&example.operation)).collect();
        let found = in_folder(if mine.is_empty() { named } else { mine }, pack, own, |example| &example.path);
        match found.as_slice() {
            [only] => Some(only),
            [] => {
                let known: Vec<&str> = pack.examples.iter().map(|example| &*example.path).collect();
                self.no_example(pack, name, &known, own.first().map(|id| pack.operation(*id)));
                None
            }
            several => {
                let paths: Vec<&str> = several.iter().map(|example| &*example.path).collect();
                self.ambiguous(name, &paths);
                None
            }
        }
    }

    fn ambiguous(&mut self, name: &Spanned<String>, paths: &[&str]) {
        let message = format!("{} examples are called `{}`", paths.len(), name.value);
        let help = format!("name one with its folder: {}", crate::diagnostic::one_of(paths.iter().copied().take(6)));
        self.reader.report(Diagnostic::error(Code::NameUnknown, name.at.clone(), message).help(help));
    }

    fn no_example(&mut self, pack: &Pack, name: &Spanned<String>, known: &[&str], operation: Option<&Operation>) {
        let message = format!("the pack `{}` has no example `{}`", pack.name, name.value);
        // Those of the operation are nearest.
        let stem =
            operation.and_then(|operation| operation.name.strip_prefix(&format!("{}/", pack.name)).map(str::to_owned));
        let own: Vec<&str> = match &stem {
            Some(stem) => known
                .iter()
                .copied()
                .filter(|path| path.strip_prefix(stem.as_str()).is_some_and(|rest| rest.starts_with('.')))
                .collect(),
            None => Vec::new(),
        };
        let short = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let shorts: Vec<String> = own.iter().chain(known).map(|path| short(path)).collect();
        let candidates = own.iter().copied().map(short).collect::<Vec<_>>();
        let meant = nearest(&name.value, candidates.iter().map(String::as_str))
            .or_else(|| nearest(&name.value, known.iter().copied().chain(shorts.iter().map(String::as_str))));
        let diagnostic = Diagnostic::error(Code::ExampleMissing, name.at.clone(), message).suggest(meant);
        let help = match candidates.as_slice() {
            [] => format!("examples are files of `{}`, such as `{}`", pack.name, known.first().unwrap_or(&"")),
            names => crate::diagnostic::there_are(names.iter().map(String::as_str)),
        };
        self.reader.report(diagnostic.help(help));
    }

    /// A body that a file of the pack shows: an answer's, a payload's, an error's.
    pub(super) fn shown_body(
        &mut self,
        index: usize,
        own: &[OperationId],
        webhook: Option<usize>,
        name: &Spanned<String>,
    ) -> Option<ShownBody> {
        let pack = Arc::clone(self.reader.pack(index));
        let answers =
            pack.examples.iter().filter(|example| example.status.is_some() && is_called(&example.path, &name.value));
        let payloads = pack.payloads.iter().filter(|payload| is_called(&payload.path, &name.value));
        let answers: Vec<&Example> = answers.collect();
        let mine = |example: &&&Example| webhook.is_none() && own.contains(&example.operation);
        let mut found: Vec<ShownBody> = answers.iter().filter(mine).filter_map(|example| of_example(example)).collect();
        if found.is_empty() {
            found = payloads
                .filter(|payload| webhook.is_none_or(|webhook| payload.webhook == webhook))
                .map(|payload| ShownBody {
                    path: Arc::clone(&payload.path),
                    text: Arc::clone(&payload.text),
                    json: payload.json.clone(),
                })
                .collect();
        }
        if found.is_empty() {
            found = answers.iter().filter_map(|example| of_example(example)).collect();
        }
        if found.is_empty() {
            found = self.other_file(index, &name.value).into_iter().collect();
        }
        found = in_folder(found, &pack, own, |shown| &shown.path);
        match found.len() {
            1 => found.pop(),
            0 => {
                let answers =
                    pack.examples.iter().filter(|example| example.status.is_some()).map(|example| &*example.path);
                let payloads = pack.payloads.iter().map(|payload| &*payload.path);
                let known: Vec<&str> = match webhook {
                    Some(_) => payloads.collect(),
                    None => answers.chain(payloads).collect(),
                };
                self.no_example(&pack, name, &known, own.first().map(|id| pack.operation(*id)));
                None
            }
            _ => {
                let paths: Vec<&str> = found.iter().map(|shown| &*shown.path).collect();
                self.ambiguous(name, &paths);
                None
            }
        }
    }

    /// A body that is no example of an operation: what errors answer.
    fn other_file(&self, index: usize, name: &str) -> Option<ShownBody> {
        let (pack, files) = &self.reader.ground.packs[index];
        let known = |path: &str| pack.examples.iter().any(|example| *example.path == *path);
        let body = |path: &&String| [".json", ".txt", ".html"].iter().any(|end| path.ends_with(end)) && !known(path);
        let mut found = files.fixtures.keys().filter(body).filter(|path| is_called(path, name));
        let path = found.next().filter(|_| found.next().is_none())?;
        let text = std::str::from_utf8(files.fixtures.get(path)?).ok()?;
        let json = path.ends_with(".json").then(|| serde_json::from_str(text).ok().map(Arc::new)).flatten();
        Some(ShownBody { path: path.as_str().into(), text: text.into(), json })
    }
}

/// Whether a path of a pack, or the end of it, is this name.
fn is_called(path: &str, name: &str) -> bool {
    path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'))
}

/// Of several files with one name that of the folder in which the operation stands.
fn in_folder<T>(found: Vec<T>, pack: &Pack, own: &[OperationId], path: impl Fn(&T) -> &str) -> Vec<T> {
    let folder = own.first().and_then(|id| {
        let inner = pack.operation(*id).name.strip_prefix(&*pack.name)?.strip_prefix('/')?;
        Some(inner.rsplit_once('/')?.0)
    });
    let here = |one: &T| folder.is_some() && path(one).rsplit_once('/').map(|(folder, _)| folder) == folder;
    if found.len() > 1 && found.iter().filter(|one| here(one)).count() == 1 {
        return found.into_iter().filter(|one| here(one)).collect();
    }
    found
}

fn of_example(example: &Example) -> Option<ShownBody> {
    let (text, json): (Arc<str>, _) = match example.laid() {
        Some(laid) => laid.ok().map(|json| (json.to_string().into(), Some(Arc::new(json))))?,
        None => (Arc::clone(&example.text), example.json.clone()),
    };
    Some(ShownBody { path: Arc::clone(&example.path), text, json })
}

/// The request that belongs to an example. The error says why there is none.
fn request_of(pack: &Pack, example: &Example) -> Result<Asked, String> {
    let operation = pack.operation(example.operation);
    let is_it = |index: &usize| std::ptr::eq(&pack.examples[*index], example);
    let request = match example.status {
        None => Some(example),
        Some(_) => {
            let mut replays = pack.replays.iter().filter(|replay| replay.answer.as_ref().is_some_and(is_it));
            replays.find_map(|replay| replay.request).map(|index| &pack.examples[index])
        }
    };
    if example.side.fragment.is_some() && example.side.around.is_none() {
        return Err("it shows a part only".to_owned());
    }
    // What the answer's side file does not say, the request's may.
    let answer = example.status.map(|_| &example.side);
    let sides: Vec<&Side> = answer.into_iter().chain(request.map(|request| &request.side)).collect();
    let line = operation.line_of(&sides).map(|line| (line.method.clone(), Arc::clone(&line.template)));
    let mut query: Vec<(String, Json)> = Vec::new();
    let mut path = BTreeMap::new();
    let mut headers: Vec<(HeaderName, String)> = Vec::new();
    for side in &sides {
        for (key, node) in &side.path {
            path.entry(key.name.clone()).or_insert_with(|| node.to_json());
        }
        query.extend(side.query.iter().map(|(key, node)| (key.name.clone(), node.to_json())));
        for (key, node) in &side.headers {
            let name = HeaderName::try_from(key.name.as_str()).map_err(|error| error.to_string())?;
            headers.push((name, spelled(&node.to_json())));
        }
    }
    let labels = sides.iter().find_map(|side| side.caller.clone());
    let method = sides.iter().find_map(|side| side.method.as_ref());
    let line = match method.and_then(|method| Method::from_bytes(method.value.as_bytes()).ok()) {
        Some(method) => Some((method, line.map_or_else(|| Arc::clone(&operation.template), |(_, path)| path))),
        None => line,
    };
    let body = body_of(pack, operation, sides.first().copied(), request)?;
    Ok(Asked { operation: example.operation, line, labels, path, query, headers, body })
}

fn body_of(pack: &Pack, operation: &Operation, side: Option<&Side>, request: Option<&Example>) -> Result<Body, String> {
    let form = operation.body.as_ref().is_some_and(|rule| rule.form);
    let media = if form { "application/x-www-form-urlencoded" } else { JSON };
    let verbatim = |text: &str| Body::Text(Value::Written(text.into()), Some(media.into()));
    let Some(side) = side else { return Ok(Body::None) };
    if let Some(bytes) = side.bytes {
        return Ok(Body::Bytes(bytes));
    }
    if let Some(text) = &side.text {
        return Ok(verbatim(&text.value));
    }
    if let Some(node) = &side.body {
        return Ok(match node.to_json() {
            Json::Object(members) if form => {
                Body::Form(members.into_iter().map(|(name, value)| (name.into(), Value::Written(value))).collect())
            }
            json => Body::Json(Value::Written(json)),
        });
    }
    if let Some(other) = &side.body_of {
        let found = pack.examples.iter().find(|example| is_called(&example.path, &other.value));
        return found
            .map(|found| verbatim(&found.text))
            .ok_or_else(|| format!("there is no example `{}`", other.value));
    }
    match request {
        None => Ok(Body::None),
        Some(request) => match request.laid() {
            None => Ok(verbatim(&request.text)),
            Some(whole) => whole.map(|whole| Body::Json(Value::Written(whole))),
        },
    }
}
