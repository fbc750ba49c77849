//! `call`: a request of the API, and who makes it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};

use super::Story;
use super::example::Asked;
use super::scope::{Called, Last, Scope};
use crate::diagnostic::{Code, Diagnostic, Location, nearest};
use crate::expr::Names;
use crate::pack::source::{Fields, NodeKind, Spanned, wrong_kind};
use crate::pack::{CredentialPlace, Operation, OperationId, Pack, SchemeId, parameter_names};
use crate::scenario::{Body, Call, Value, What};

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];

/// The largest body that is asked for by its size.
const MOST_BYTES: usize = 64 << 20;

/// What `call` means.
pub(super) struct Meant {
    pub(super) pack: usize,
    /// All that may answer; the one that is named first.
    pub(super) operations: Vec<OperationId>,
    pub(super) method: Method,
    pub(super) path: Arc<str>,
}

impl Story<'_, '_> {
    pub(super) fn call(&mut self, fields: &mut Fields<'_>, scope: &mut Scope) -> Option<(What, String)> {
        let before = self.reader.errors();
        let undocumented = fields.flag("undocumented", &mut self.reader.diagnostics);
        let outside = fields.entry("pack").is_some_and(|(_, node)| node.kind == NodeKind::Null);
        let pack = if outside { fields.take("pack").and(scope.pack) } else { self.step_pack(fields, scope) };
        let name = self.named("call", fields);
        let asked = fields.text("example", &mut self.reader.diagnostics);
        let mut meant = name.as_ref().zip(pack).and_then(|(name, pack)| match outside {
            true => self.outside(pack, name),
            false => self.meant(pack, name, undocumented),
        });
        let asked = asked.and_then(|name| self.asked(pack, meant.as_ref(), &name));
        if let (Some(meant), Some(asked)) = (&mut meant, &asked) {
            asked.redirect(meant);
        }
        let labels = self.labels(fields).or_else(|| asked.as_ref()?.labels.clone());
        let names = scope.names.clone();
        let parameters = self.parameters(fields, meant.as_ref(), asked.as_ref(), &names);
        let mut query = self.query(fields, &names);
        let mut headers = self.headers("headers", fields, &names);
        if let Some(asked) = &asked {
            asked.add(&mut query, &mut headers);
        }
        let body = self.body(fields, asked.as_ref(), &names);
        let credentials =
            meant.as_ref().map(|meant| self.credentials(meant, labels.as_deref(), name.as_ref(), &query, &headers));
        let (body, change, remove) = self.changed(fields, body, &names);
        let meant = meant.filter(|_| self.reader.errors() == before)?;
        let prefers =
            headers.iter().any(|(name, _)| *name == "prefer") || query.iter().any(|(name, _)| name.starts_with("__"));
        scope.answered(Last::Call(Called {
            pack: meant.pack,
            operations: meant.operations.clone(),
            altered: scope.altered,
            prefers,
        }));
        let words = format!("call {}", name?.value);
        let call = Call {
            pack: meant.pack,
            operation: meant.operations.first().copied(),
            method: meant.method,
            path: meant.path,
            parameters,
            query,
            headers,
            credentials: credentials??,
            body,
            change,
            remove,
            outside,
        };
        Some((What::Call(Box::new(call)), words))
    }

    /// The operation that a title, an id, or method and path name.
    fn meant(&mut self, pack: usize, name: &Spanned<String>, undocumented: bool) -> Option<Meant> {
        let (first, rest) = name.value.split_once(' ').unwrap_or((&name.value, ""));
        if METHODS.contains(&first) && rest.starts_with('/') {
            return self.by_path(pack, name, first, rest.trim(), undocumented);
        }
        let (pack, id) = self.operation_named(pack, name)?;
        let operation = self.reader.pack(pack).operation(id);
        if !operation.wanted.holds(&self.options[pack]) {
            let known = &self.reader.pack(pack).options;
            let wanted = operation.wanted.words(known);
            let message = format!("`{}` is there with the option {wanted} only", operation.title);
            let options = operation.wanted.to_json(known);
            let pairs = options.as_object().into_iter().flatten();
            let pairs: Vec<String> = pairs
                .map(|(name, value)| {
                    format!("{}.{name}: {}", self.reader.pack(pack).name, crate::exchange::spelled(value))
                })
                .collect();
            let help = format!("say `options: {{ {} }}` at the head", pairs.join(", "));
            self.reader.report(Diagnostic::error(Code::ValueWrong, name.at.clone(), message).help(help));
            return None;
        }
        let (method, path) = (operation.method.clone(), Arc::clone(&operation.template));
        let mut operations = vec![id];
        operations.extend(self.beside(pack, &method, &path).into_iter().filter(|other| *other != id));
        Some(Meant { pack, operations, method, path })
    }

    /// A path of the sandbox that leads to no pack.
    fn outside(&mut self, pack: usize, name: &Spanned<String>) -> Option<Meant> {
        let line =
            name.value.split_once(' ').filter(|(method, path)| METHODS.contains(method) && path.starts_with('/'));
        let Some((method, path)) = line else {
            let message = format!("`{}` is no method and path, and without a pack there is nothing else", name.value);
            let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
            self.reader.report(diagnostic.help("write it like `GET /favicon.ico`, or name a pack"));
            return None;
        };
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        self.is_path(path.trim(), name).then(|| Meant {
            pack,
            operations: Vec::new(),
            method,
            path: path.trim().into(),
        })
    }

    /// Whether a text is a path and nothing else; says what is wrong with it.
    pub(super) fn is_path(&mut self, path: &str, name: &Spanned<String>) -> bool {
        let help = if path.contains('?') {
            "the query stands under `query`"
        } else if path.contains(['#', ' ']) {
            "a path has no `#` and no space: write it percent-encoded"
        } else {
            return true;
        };
        let message = format!("`{path}` is no path");
        self.reader.report(Diagnostic::error(Code::ValueWrong, name.at.clone(), message).help(help));
        false
    }

    /// All operations that share method and path, where options let them.
    fn beside(&self, pack: usize, method: &Method, template: &str) -> Vec<OperationId> {
        let options = &self.options[pack];
        match self.reader.pack(pack).router.find(template, options) {
            Some((route, _)) => {
                let there = route.candidates(method).iter().filter(|candidate| candidate.wanted.holds(options));
                there.map(|candidate| candidate.operation).collect()
            }
            None => Vec::new(),
        }
    }

    fn by_path(
        &mut self,
        index: usize,
        name: &Spanned<String>,
        method: &str,
        path: &str,
        undocumented: bool,
    ) -> Option<Meant> {
        let pack = Arc::clone(self.reader.pack(index));
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        if !self.is_path(path, name) {
            return None;
        }
        let options = &self.options[index];
        let found = pack.within(path).find_map(|(rest, mounted)| {
            let (route, _) = pack.router.find(rest, options)?;
            let wanted =
                if method == Method::HEAD && route.candidates(&method).is_empty() { &Method::GET } else { &method };
            let there = route.candidates(wanted).iter().filter(|candidate| candidate.wanted.holds(options));
            let there = there.filter(|candidate| !(mounted && pack.operation(candidate.operation).unmounted));
            let operations: Vec<OperationId> = there.map(|candidate| candidate.operation).collect();
            (!operations.is_empty()).then_some(operations)
        });
        match found {
            Some(_) if undocumented => {
                let message = format!("`{}` is documented", name.value);
                let diagnostic = Diagnostic::error(Code::ValueWrong, name.at.clone(), message);
                self.reader.report(diagnostic.help("leave out `undocumented`"));
                None
            }
            None if !undocumented => {
                self.no_such_path(&pack, name, &method, path);
                None
            }
            found => Some(Meant { pack: index, operations: found.unwrap_or_default(), method, path: path.into() }),
        }
    }

    fn no_such_path(&mut self, pack: &Arc<Pack>, name: &Spanned<String>, method: &Method, path: &str) {
        let message = format!("no operation of `{}` has this method and path", pack.name);
        let lines: Vec<String> = pack
            .operations
            .iter()
            .flat_map(Operation::lines)
            .map(|line| format!("{} {}", line.method, line.template))
            .collect();
        let prefix = format!("/{}/", pack.name);
        let (meant, help) = if let Some(rest) = path.strip_prefix(&prefix) {
            (Some(format!("{method} /{rest}")), "paths are those of the API, without the name of the pack")
        } else {
            let same = lines.iter().find(|line| line.split_once(' ').is_some_and(|(_, template)| template == path));
            let meant = same.cloned().or_else(|| nearest(&name.value, lines.iter().map(String::as_str)));
            (meant, "`standin routes` lists them; where nothing is meant to be there, say `undocumented: true`")
        };
        let diagnostic = Diagnostic::error(Code::NameUnknown, name.at.clone(), message).suggest(meant);
        self.reader.report(diagnostic.help(help));
    }

    /// An operation by its title or its id.
    pub(super) fn operation_named(&mut self, pack: usize, name: &Spanned<String>) -> Option<(usize, OperationId)> {
        let wanted = name.value.as_str();
        let of = |index: usize| {
            let pack = self.reader.pack(index);
            let fits = move |operation: &Operation| {
                *operation.title == *wanted
                    || *operation.name == *wanted
                    || operation.name.strip_prefix(&*pack.name).and_then(|rest| rest.strip_prefix('/')) == Some(wanted)
            };
            let ids = pack.operations.iter().enumerate().filter(move |(_, operation)| fits(operation));
            ids.map(move |(id, _)| (index, OperationId(id))).collect::<Vec<_>>()
        };
        let own = of(pack);
        let others: Vec<(usize, OperationId)> =
            (0..self.reader.ground.packs.len()).filter(|other| *other != pack).flat_map(of).collect();
        // An id says which pack it is of.
        let with_id =
            others.iter().find(|(index, id)| *self.reader.pack(*index).operation(*id).name == *wanted).copied();
        match (own.as_slice(), with_id) {
            ([only], _) => return Some(*only),
            ([], Some(other)) => return Some(other),
            ([], None) => {}
            (several, _) => {
                let ids = several.iter().map(|(index, id)| &*self.reader.pack(*index).operation(*id).name);
                let help = format!("name one by its id: {}", crate::diagnostic::one_of(ids));
                let message = format!("{} operations are called `{wanted}`", several.len());
                self.reader.report(Diagnostic::error(Code::NameUnknown, name.at.clone(), message).help(help));
                return None;
            }
        }
        let known = self.reader.pack(pack);
        let message = format!("the pack `{}` has no operation `{wanted}`", known.name);
        let diagnostic = Diagnostic::error(Code::NameUnknown, name.at.clone(), message);
        let diagnostic = match others.first() {
            Some((index, _)) => {
                let other = &self.reader.pack(*index).name;
                diagnostic.help(format!("it is one of `{other}`: say `pack: {other}` beside it"))
            }
            None => {
                let titles = known.operations.iter().map(|operation| &*operation.title);
                let prefix = known.name.len() + 1;
                let ids = known.operations.iter().filter_map(|operation| operation.name.get(prefix..));
                let lines: Vec<String> = known
                    .operations
                    .iter()
                    .map(|operation| format!("{} {}", operation.method, operation.template))
                    .collect();
                let all = titles.chain(ids).chain(lines.iter().map(String::as_str));
                let meant = nearest(wanted, all.collect::<Vec<_>>());
                let help =
                    format!("`standin routes {}` lists them; a title, an id, or method and path name one", known.name);
                diagnostic.suggest(meant).help(help)
            }
        };
        self.reader.report(diagnostic);
        None
    }

    /// `as`: labels of credentials. None where nothing is said.
    fn labels(&mut self, fields: &mut Fields<'_>) -> Option<Vec<Spanned<String>>> {
        match &fields.take("as")?.kind {
            NodeKind::Null => Some(Vec::new()),
            _ => Some(fields.texts("as", &mut self.reader.diagnostics)),
        }
    }

    /// What the call is made with: the labelled credentials, else the first known one of each scheme that is needed. What a
    /// header or a parameter says takes the place of a credential.
    fn credentials(
        &mut self,
        meant: &Meant,
        labels: Option<&[Spanned<String>]>,
        name: Option<&Spanned<String>>,
        query: &[(Arc<str>, Value)],
        headers: &[(HeaderName, Value)],
    ) -> Option<Vec<(SchemeId, Arc<str>)>> {
        let pack = Arc::clone(self.reader.pack(meant.pack));
        let given = |scheme: SchemeId| match &pack.scheme(scheme).place {
            CredentialPlace::Header(name) => headers.iter().any(|(given, _)| given == name),
            CredentialPlace::Query(name) => query.iter().any(|(given, _)| **given == **name),
        };
        let auth = meant.operations.first().map(|id| &pack.operation(*id).auth);
        let mut found: Vec<(SchemeId, Arc<str>)> = Vec::new();
        if let Some(labels) = labels {
            let wanted = auth.map(|auth| auth.schemes()).unwrap_or_default();
            for label in labels {
                let of: Vec<_> = pack.credentials.iter().filter(|known| known.label == label.value).collect();
                if of.is_empty() {
                    let mut known: Vec<&str> = pack.credentials.iter().map(|known| known.label.as_str()).collect();
                    known.dedup();
                    self.reader.unknown("credential", label, &known);
                    return None;
                }
                let fitting: Vec<_> = of.iter().filter(|known| wanted.contains(&known.scheme)).collect();
                let chosen: Vec<_> = if fitting.is_empty() { of.iter().take(1).collect() } else { fitting };
                for credential in chosen {
                    let place = &pack.scheme(credential.scheme).place;
                    let twin = found.iter().any(|(scheme, _)| pack.scheme(*scheme).place == *place);
                    if twin {
                        let message =
                            format!("`{}` stands in the same place as another credential of this call", label.value);
                        let diagnostic = Diagnostic::error(Code::ValueWrong, label.at.clone(), message);
                        self.reader.report(diagnostic.help("a call is made with one for each scheme"));
                        return None;
                    }
                    if given(credential.scheme) {
                        let message = format!(
                            "`{}` and what the step says of `{}` exclude each other",
                            label.value,
                            place.parameter()
                        );
                        let diagnostic = Diagnostic::error(Code::ValueWrong, label.at.clone(), message);
                        self.reader.report(diagnostic.help("take one of the two out"));
                        return None;
                    }
                    found.push((credential.scheme, credential.value.as_str().into()));
                }
            }
            return Some(found);
        }
        let needed = auth.map(|auth| auth.needed()).unwrap_or_default();
        let first = |scheme: SchemeId| pack.credentials.iter().find(|known| known.scheme == scheme);
        for scheme in needed.iter().copied().filter(|scheme| !given(*scheme)) {
            let place = &pack.scheme(scheme).place;
            let shared = || needed.iter().any(|other| pack.scheme(*other).place == *place && first(*other).is_some());
            match first(scheme) {
                Some(credential) => found.push((scheme, credential.value.as_str().into())),
                None if shared() => {}
                None => {
                    let scheme = pack.scheme(scheme);
                    let message = format!("the pack lists no credential for the scheme `{}`", scheme.name);
                    let at = name.map_or_else(|| Location::whole(crate::diagnostic::FileId(0)), |name| name.at.clone());
                    let parameter = place.parameter();
                    let help = match place {
                        CredentialPlace::Header(_) => format!(
                            "give the call `headers: {{ {parameter}: … }}`, with a value that was kept; null sends none"
                        ),
                        CredentialPlace::Query(_) => format!(
                            "give the call `query: {{ {parameter}: … }}`, with a value that was kept; null sends none"
                        ),
                    };
                    self.reader.report(Diagnostic::error(Code::CredentialInvalid, at, message).help(help));
                    return None;
                }
            }
        }
        Some(found)
    }

    fn parameters(
        &mut self,
        fields: &mut Fields<'_>,
        meant: Option<&Meant>,
        asked: Option<&Asked>,
        names: &Names,
    ) -> Vec<(Arc<str>, Value)> {
        let members = fields.named("path", &mut self.reader.diagnostics);
        let mut values = self.named_values(members, names);
        let Some(meant) = meant else { return values };
        let wanted = parameter_names(&meant.path);
        for (key, _) in members.iter().filter(|(key, _)| !wanted.contains(&key.name.as_str())) {
            let message = format!("`{} {}` has no parameter `{}`", meant.method, meant.path, key.name);
            let diagnostic = Diagnostic::error(Code::NameUnknown, key.at.clone(), message);
            let diagnostic = diagnostic.suggest(nearest(&key.name, wanted.iter().copied()));
            self.reader.report(diagnostic.help(crate::diagnostic::there_are(wanted.iter().copied())));
        }
        let misspelt = members.iter().any(|(key, _)| !wanted.contains(&key.name.as_str()));
        for name in wanted.iter().filter(|name| !members.iter().any(|(key, _)| key.name == **name)) {
            match asked.and_then(|asked| asked.path.iter().find(|(known, _)| known == name)) {
                Some((_, value)) => values.push(((*name).into(), Value::Written(value.clone()))),
                None if misspelt => {}
                None => {
                    let at = fields.at();
                    let start = Location::new(at.file, at.range.start..at.range.start);
                    let message = format!("the path needs `{name}`: it is `{}`", meant.path);
                    let help = format!("say `path: {{ {name}: … }}`");
                    self.reader.report(Diagnostic::error(Code::KeyMissing, start, message).help(help));
                }
            }
        }
        values
    }

    pub(super) fn query(&mut self, fields: &mut Fields<'_>, names: &Names) -> Vec<(Arc<str>, Value)> {
        let mut all = Vec::new();
        for (key, node) in fields.named("query", &mut self.reader.diagnostics) {
            let items = match &node.kind {
                NodeKind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(node),
            };
            for item in items {
                all.extend(self.value(item, names).map(|(value, _)| (key.name.as_str().into(), value)));
            }
        }
        all
    }

    /// Headers by name, of which null says that there is none.
    pub(super) fn headers(
        &mut self,
        what: &'static str,
        fields: &mut Fields<'_>,
        names: &Names,
    ) -> Vec<(HeaderName, Value)> {
        let mut all: Vec<(HeaderName, Value)> = Vec::new();
        for (key, node) in fields.named(what, &mut self.reader.diagnostics) {
            let value = self.value(node, names);
            let Some(name) = self.header_name(key) else { continue };
            let Some((value, _)) = value else { continue };
            if let Some(written) = value.written().filter(|written| !written.is_null())
                && HeaderValue::from_str(&crate::exchange::spelled(written)).is_err()
            {
                let message = format!("HTTP cannot have this as the value of `{name}`");
                self.reader.error(Code::ValueWrong, &node.at, message);
                continue;
            }
            if all.iter().any(|(known, _)| *known == name) {
                let message = format!("`{name}` stands here twice: names of headers have no case");
                let diagnostic = Diagnostic::error(Code::KeyDuplicate, key.at.clone(), message);
                self.reader.report(diagnostic.help("take one of the two out"));
                continue;
            }
            all.push((name, value));
        }
        all
    }

    fn body(&mut self, fields: &mut Fields<'_>, asked: Option<&Asked>, names: &Names) -> Option<Body> {
        let said = self.one_of_bodies(fields);
        let json = fields.take("body").and_then(|node| self.value(node, names));
        let form = fields.named("form", &mut self.reader.diagnostics);
        let form = self.named_values(form, names);
        let text = fields.take("text").and_then(|node| self.value(node, names).map(|value| (node, value)));
        let bytes = fields.take("bytes").and_then(|node| self.count("bytes", node, 0..=MOST_BYTES));
        let exact = fields.text("base64", &mut self.reader.diagnostics).and_then(|text| self.decoded(&text));
        match said? {
            "base64" => exact.map(Body::Exact),
            "body" => json.map(|(value, _)| Body::Json(value)),
            "form" => Some(Body::Form(form)),
            "text" => {
                let (node, (value, _)) = text?;
                if value.written().is_some_and(|written| !written.is_string()) {
                    wrong_kind(node, "`text` is a text", &mut self.reader.diagnostics);
                    return None;
                }
                Some(Body::Text(value, None))
            }
            "bytes" => bytes.map(Body::Bytes),
            "example" => asked.map(|asked| asked.body.clone()),
            _ => Some(Body::None),
        }
    }

    fn decoded(&mut self, text: &Spanned<String>) -> Option<Bytes> {
        match STANDARD.decode(&text.value) {
            Ok(bytes) => Some(bytes.into()),
            Err(why) => {
                self.reader.error(Code::ValueWrong, &text.at, format!("this is no Base64: {why}"));
                None
            }
        }
    }

    /// A request has one body. None where it has several.
    fn one_of_bodies(&mut self, fields: &mut Fields<'_>) -> Option<&'static str> {
        let mut said = ["body", "form", "text", "bytes", "base64", "example"]
            .into_iter()
            .filter_map(|name| Some((name, fields.entry(name)?.0)));
        match (said.next(), said.next()) {
            (None, _) => Some("none"),
            (Some((name, _)), None) => Some(name),
            (Some((first, _)), Some((_, second))) => {
                let message = format!("a request has one body, and `{first}` says it already");
                let diagnostic = Diagnostic::error(Code::ValueWrong, second.at.clone(), message);
                self.reader.report(diagnostic.help("take one out; `change` lays values over the body of an example"));
                None
            }
        }
    }

    /// What is laid over the body, which is then JSON.
    #[allow(clippy::type_complexity, reason = "the three go into a call as they are")]
    fn changed(
        &mut self,
        fields: &mut Fields<'_>,
        body: Option<Body>,
        names: &Names,
    ) -> (Body, Vec<(Arc<str>, Value)>, Vec<Arc<str>>) {
        let change = fields.entry("change");
        let mut changed = Vec::new();
        for (key, node) in fields.named("change", &mut self.reader.diagnostics) {
            let value = self.value(node, names);
            if self.is_pointer(&key.name, &key.at) {
                changed.extend(value.map(|(value, _)| (key.name.as_str().into(), value)));
            }
        }
        let removed = fields.texts("remove", &mut self.reader.diagnostics);
        let remove: Vec<Spanned<String>> =
            removed.into_iter().filter(|pointer| self.is_pointer(&pointer.value, &pointer.at)).collect();
        let place = change.map(|(key, _)| key.at.clone()).or_else(|| remove.first().map(|pointer| pointer.at.clone()));
        let body = body.unwrap_or(Body::None);
        let body = match (place, body) {
            (None, body) => body,
            (Some(_), body @ Body::Json(_)) => body,
            (Some(at), Body::Text(Value::Written(text), media)) => {
                match text.as_str().and_then(|text| serde_json::from_str(text).ok()) {
                    Some(json) => Body::Json(Value::Written(json)),
                    None => {
                        self.no_json(&at);
                        Body::Text(Value::Written(text), media)
                    }
                }
            }
            (Some(at), other) => {
                self.no_json(&at);
                other
            }
        };
        (body, changed, remove.into_iter().map(|pointer| pointer.value.into()).collect())
    }

    fn no_json(&mut self, at: &Location) {
        let diagnostic = Diagnostic::error(Code::ValueWrong, at.clone(), "there is no JSON body to change");
        self.reader.report(diagnostic.help("`change` and `remove` go with `body`, or with an `example` that has one"));
    }

    pub(super) fn is_pointer(&mut self, text: &str, at: &Location) -> bool {
        let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if (text.is_empty() || text.starts_with('/')) && escaped {
            return true;
        }
        let message = format!("`{text}` is no JSON pointer");
        let meant = escaped.then(|| format!("/{}", text.replace('.', "/")));
        let diagnostic = Diagnostic::error(Code::ValueWrong, at.clone(), message).suggest(meant);
        self.reader.report(diagnostic.help("a pointer begins with `/`, and its parts are parted by `/`: `/item/name`"));
        false
    }
}

/// The media type of JSON.
pub(super) const JSON: &str = "application/json";
