//! `pack.yaml`.

use serde_json::Value;

use super::fields::{Fields, text};
use super::operation::case_flag;
use super::template::templates;
use super::{
    Diagnostics, GuardSource, Key, Node, NodeKind, OptionSource, ReplySource, Spanned, Template, WantedSource,
};
use crate::diagnostic::{Code, Diagnostic, Location, nearest, one_of};

#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) title: Option<Spanned<String>>,
    pub(crate) description: Option<Spanned<String>>,
    pub(crate) mount: Vec<Spanned<String>>,
    /// A time format, written as those under `formats`.
    pub(crate) timestamps: Option<Node>,
    pub(crate) formats: Vec<(Key, Node)>,
    pub(crate) constants: Vec<Spanned<String>>,
    pub(crate) headers: Vec<(Key, Template)>,
    pub(crate) tables: Vec<(Key, Value)>,
    pub(crate) options: Vec<OptionSource>,
    pub(crate) keys: Vec<(Key, Spanned<String>)>,
    pub(crate) schemes: Vec<SchemeSource>,
    pub(crate) credentials: Vec<CredentialSource>,
    pub(crate) resources: Vec<ResourceSource>,
    pub(crate) guards: Vec<GuardSource>,
    /// What several answers and webhooks show, by name; `None` for what cannot be read.
    pub(crate) shapes: Vec<(Key, Option<ReplySource>)>,
    pub(crate) errors: Vec<ErrorSource>,
    /// From the engine's own refusals to errors.
    pub(crate) rejections: Vec<(Key, Spanned<String>)>,
    pub(crate) rows: Vec<RowSource>,
    pub(crate) limits: Vec<LimitSource>,
}

/// How often the API may be called.
#[derive(Debug, Clone)]
pub(crate) struct LimitSource {
    pub(crate) at: Location,
    pub(crate) quota: Option<Node>,
    pub(crate) window: Option<Spanned<String>>,
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) headers: Option<Spanned<String>>,
    pub(crate) docs: Option<Spanned<String>>,
    pub(crate) assumed: Option<Spanned<String>>,
}

#[derive(Debug, Clone)]
pub(crate) struct SchemeSource {
    pub(crate) name: Key,
    pub(crate) at: Location,
    pub(crate) place: Option<Spanned<String>>,
    pub(crate) parameter: Option<Spanned<String>>,
    pub(crate) decode: Vec<DecodeSource>,
    pub(crate) finds: Option<FindSource>,
    /// The resource among the owners of the found record whose records the caller sees.
    pub(crate) acts_for: Option<Spanned<String>>,
    pub(crate) bind: Option<Spanned<String>>,
    pub(crate) require: Option<Template>,
    pub(crate) otherwise: Option<Spanned<String>>,
}

#[derive(Debug, Clone)]
pub(crate) enum DecodeSource {
    Bearer,
    Basic,
    /// A token signed with the named key.
    Jwt(Spanned<String>),
}

/// `finds: shop.access_token`, or `finds: {user: {username: = credential.username}}`.
#[derive(Debug, Clone)]
pub(crate) struct FindSource {
    pub(crate) resource: Spanned<String>,
    pub(crate) field: Spanned<String>,
    pub(crate) value: Option<Template>,
}

#[derive(Debug, Clone)]
pub(crate) struct CredentialSource {
    pub(crate) label: Option<Spanned<String>>,
    pub(crate) scheme: Option<Spanned<String>>,
    pub(crate) value: Option<Spanned<String>>,
}

#[derive(Debug, Clone)]
pub(crate) struct ResourceSource {
    pub(crate) name: Key,
    pub(crate) id: Option<Spanned<String>>,
    pub(crate) owner: Option<Spanned<String>>,
    pub(crate) fields: Vec<FieldSource>,
    pub(crate) unique: Vec<UniqueSource>,
    pub(crate) not_found: Option<Spanned<String>>,
    pub(crate) seed: Vec<SeedSource>,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldSource {
    pub(crate) name: Key,
    pub(crate) sort: Option<Spanned<String>>,
    pub(crate) format: Option<Spanned<String>>,
    pub(crate) refers: Option<Spanned<String>>,
    pub(crate) default: Option<Template>,
    pub(crate) optional: bool,
    pub(crate) secret: bool,
    pub(crate) internal: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct UniqueSource {
    pub(crate) at: Location,
    pub(crate) fields: Vec<Spanned<String>>,
    pub(crate) ignore_case: bool,
    pub(crate) only: Option<Template>,
    pub(crate) error: Option<Spanned<String>>,
}

/// `seed: <example>#/pointer`, `{example: …, set: {…}}` or `{records: [{…}]}`.
#[derive(Debug, Clone)]
pub(crate) struct SeedSource {
    pub(crate) at: Location,
    pub(crate) example: Option<Spanned<String>>,
    pub(crate) set: Vec<(Key, Node)>,
    pub(crate) records: Vec<Node>,
}

/// An error's name with its cases, of which there is one unless it is written as a list.
#[derive(Debug, Clone)]
pub(crate) struct ErrorSource {
    pub(crate) name: Key,
    pub(crate) cases: Vec<ReplySource>,
    /// Whether every item could be read.
    pub(crate) complete: bool,
}

/// A row that maps violations of request schemas to an error.
#[derive(Debug, Clone)]
pub(crate) struct RowSource {
    pub(crate) at: Location,
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) place: Option<Spanned<String>>,
    pub(crate) pointer: Option<Spanned<String>>,
    pub(crate) keyword: Vec<Spanned<String>>,
    pub(crate) option: WantedSource,
    pub(crate) error: Option<Spanned<String>>,
    /// Why such a violation is let pass.
    pub(crate) tolerate: Option<Spanned<String>>,
    pub(crate) item: Vec<(Key, Template)>,
}

impl Manifest {
    pub(crate) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a pack", diagnostics)?;
        let manifest = Manifest {
            name: fields.required_text("pack", diagnostics),
            title: fields.required_prose("title", diagnostics),
            description: fields.prose("description", diagnostics),
            mount: fields.texts("mount", diagnostics),
            timestamps: fields.take("timestamps").cloned(),
            formats: fields.named("formats", diagnostics).to_vec(),
            constants: fields.texts("constants", diagnostics),
            headers: templates(fields.named("headers", diagnostics), diagnostics),
            tables: fields
                .named("tables", diagnostics)
                .iter()
                .map(|(key, node)| (key.clone(), node.to_json()))
                .collect(),
            options: each(fields.named("options", diagnostics), OptionSource::read, diagnostics),
            keys: pairs(fields.named("keys", diagnostics), "a key file", diagnostics),
            schemes: each(fields.named("auth", diagnostics), SchemeSource::read, diagnostics),
            credentials: items(fields.list("credentials"), CredentialSource::read, diagnostics),
            resources: each(fields.named("resources", diagnostics), ResourceSource::read, diagnostics),
            guards: each(fields.named("guards", diagnostics), GuardSource::read, diagnostics),
            shapes: each(fields.named("shapes", diagnostics), shape, diagnostics),
            errors: each(fields.named("errors", diagnostics), ErrorSource::read, diagnostics),
            rejections: pairs(fields.named("rejections", diagnostics), "an error's name", diagnostics),
            rows: items(fields.list("violations"), RowSource::read, diagnostics),
            limits: items(fields.list("limits"), LimitSource::read, diagnostics),
        };
        fields.finish(diagnostics);
        Some(manifest)
    }
}

fn each<T>(
    members: &[(Key, Node)],
    read: impl Fn(&Key, &Node, &mut Diagnostics) -> Option<T>,
    diagnostics: &mut Diagnostics,
) -> Vec<T> {
    members.iter().filter_map(|(key, node)| read(key, node, diagnostics)).collect()
}

fn items<T>(
    nodes: &[Node],
    read: impl Fn(&Node, &mut Diagnostics) -> Option<T>,
    diagnostics: &mut Diagnostics,
) -> Vec<T> {
    nodes.iter().filter_map(|node| read(node, diagnostics)).collect()
}

fn pairs(members: &[(Key, Node)], what: &str, diagnostics: &mut Diagnostics) -> Vec<(Key, Spanned<String>)> {
    members.iter().filter_map(|(key, node)| Some((key.clone(), text(node, what, diagnostics)?))).collect()
}

fn shape(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<(Key, Option<ReplySource>)> {
    Some((key.clone(), ReplySource::read_shape(node, diagnostics)))
}

impl SchemeSource {
    fn read(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a scheme", diagnostics)?;
        let steps = fields.list("decode");
        let decode = items(steps, DecodeSource::read, diagnostics);
        // Of a scheme that decodes in an unknown way nothing can be said.
        let known = decode.len() == steps.len();
        let source = SchemeSource {
            name: key.clone(),
            at: fields.at(),
            place: fields.required_text("in", diagnostics),
            parameter: fields.text("name", diagnostics),
            decode,
            finds: fields.required("finds").and_then(|node| FindSource::read(node, diagnostics)).filter(|_| known),
            acts_for: fields.text("acts-for", diagnostics),
            bind: fields.text("as", diagnostics),
            require: fields.take("require").and_then(|node| Template::condition(node, diagnostics)),
            otherwise: fields.required_text("else", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl DecodeSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.as_str() {
            Some("bearer") => return Some(DecodeSource::Bearer),
            Some("basic") => return Some(DecodeSource::Basic),
            _ => {}
        }
        if let NodeKind::Map(members) = &node.kind
            && let [(key, value)] = members.as_slice()
            && key.name == "jwt"
        {
            return Some(DecodeSource::Jwt(text(value, "`jwt`", diagnostics)?));
        }
        let message = format!("a credential is decoded as {} or `jwt: <key>`", one_of(["bearer", "basic"]));
        let diagnostic = Diagnostic::error(Code::ValueWrong, node.at.clone(), message);
        diagnostics.push(diagnostic.suggest(nearest(node.as_str().unwrap_or_default(), ["bearer", "basic"])));
        None
    }
}

impl FindSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            NodeKind::String(path) => {
                if let Some((resource, field)) = path.split_once('.') {
                    let resource = Spanned { value: resource.to_owned(), at: node.part(0..resource.len()) };
                    let field =
                        Spanned { value: field.to_owned(), at: node.part(resource.value.len() + 1..path.len()) };
                    return Some(FindSource { resource, field, value: None });
                }
            }
            NodeKind::Map(members) => {
                if let [(resource, Node { kind: NodeKind::Map(inner), .. })] = members.as_slice()
                    && let [(field, value)] = inner.as_slice()
                {
                    return Some(FindSource {
                        resource: Spanned { value: resource.name.clone(), at: resource.at.clone() },
                        field: Spanned { value: field.name.clone(), at: field.at.clone() },
                        value: Some(Template::read(value, diagnostics)),
                    });
                }
            }
            _ => {}
        }
        let message = "`finds` is `resource.field`, or one resource with one field and an expression";
        diagnostics.push(Diagnostic::error(Code::ValueWrong, node.at.clone(), message));
        None
    }
}

impl CredentialSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a credential", diagnostics)?;
        let source = CredentialSource {
            label: fields.required_text("label", diagnostics),
            scheme: fields.required_text("scheme", diagnostics),
            value: fields.required_text("value", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl ResourceSource {
    fn read(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a resource", diagnostics)?;
        let source = ResourceSource {
            name: key.clone(),
            id: fields.required_text("id", diagnostics),
            owner: fields.text("owner", diagnostics),
            fields: each(fields.named("fields", diagnostics), FieldSource::read, diagnostics),
            unique: items(fields.list("unique"), UniqueSource::read, diagnostics),
            not_found: fields.text("not-found", diagnostics),
            seed: items(fields.list("seed"), SeedSource::read, diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl FieldSource {
    fn read(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut source = FieldSource {
            name: key.clone(),
            sort: None,
            format: None,
            refers: None,
            default: None,
            optional: false,
            secret: false,
            internal: false,
        };
        if node.as_str().is_some() {
            source.sort = text(node, "a field's type", diagnostics);
            return Some(source);
        }
        let mut fields = Fields::of(node, "a field", diagnostics)?;
        source.sort = fields.required_text("type", diagnostics);
        source.format = fields.text("format", diagnostics);
        source.refers = fields.text("refers", diagnostics);
        source.default = fields.take("default").map(|node| Template::read(node, diagnostics));
        source.optional = fields.flag("optional", diagnostics);
        source.secret = fields.flag("secret", diagnostics);
        source.internal = fields.flag("internal", diagnostics);
        fields.finish(diagnostics);
        Some(source)
    }
}

impl UniqueSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a uniqueness", diagnostics)?;
        let source = UniqueSource {
            at: fields.at(),
            fields: fields.texts("fields", diagnostics),
            ignore_case: case_flag(&mut fields, diagnostics),
            only: fields.take("where").and_then(|node| Template::condition(node, diagnostics)),
            error: fields.required_text("error", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl SeedSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let at = node.at.clone();
        if node.as_str().is_some() {
            let example = text(node, "a seed", diagnostics);
            return Some(SeedSource { at, example, set: Vec::new(), records: Vec::new() });
        }
        let mut fields = Fields::of(node, "a seed", diagnostics)?;
        let example = fields.text("example", diagnostics);
        let set = fields.named("set", diagnostics).to_vec();
        let records = fields.list("records").to_vec();
        if example.is_none() == records.is_empty() && fields.complete() {
            let start = Location::new(at.file, at.range.start..at.range.start);
            let message = "a seed has either `example` or `records`";
            diagnostics.push(Diagnostic::error(Code::KeyMissing, start, message));
        }
        fields.finish(diagnostics);
        Some(SeedSource { at, example, set, records })
    }
}

impl ErrorSource {
    /// Where it says that only a fault gives it.
    pub(crate) fn fault(&self) -> Option<&Location> {
        self.cases.iter().find_map(|case| case.fault.as_ref())
    }

    fn read(key: &Key, node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let nodes = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if nodes.is_empty() {
            let message = format!("the error `{}` has no case", key.name);
            let diagnostic = Diagnostic::error(Code::KeyMissing, node.at.clone(), message);
            diagnostics
                .push(diagnostic.help("give it an answer, or a list of answers of which the last has no `when`"));
        }
        let cases = items(nodes, |node, diagnostics| ReplySource::read(node, "an error", diagnostics), diagnostics);
        let complete = cases.len() == nodes.len();
        Some(ErrorSource { name: key.clone(), cases, complete })
    }
}

impl LimitSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a limit", diagnostics)?;
        let source = LimitSource {
            at: fields.at(),
            quota: fields.required("quota").cloned(),
            window: fields.required_text("window", diagnostics),
            name: fields.text("name", diagnostics),
            headers: fields.text("headers", diagnostics),
            docs: fields.prose("docs", diagnostics),
            assumed: fields.prose("assumed", diagnostics),
        };
        fields.finish(diagnostics);
        Some(source)
    }
}

impl RowSource {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::of(node, "a row of `violations`", diagnostics)?;
        let mut source = RowSource {
            at: fields.at(),
            name: fields.text("name", diagnostics),
            place: fields.text("in", diagnostics),
            pointer: fields.text("pointer", diagnostics),
            keyword: fields.texts("keyword", diagnostics),
            option: WantedSource::read(fields.take("option"), diagnostics),
            error: fields.text("error", diagnostics),
            tolerate: fields.prose("tolerate", diagnostics),
            item: Vec::new(),
        };
        let item = fields.entry("item");
        source.item = templates(fields.named("item", diagnostics), diagnostics);
        match &source.tolerate {
            None if source.error.is_none() && fields.entry("error").is_none() && fields.complete() => {
                let start = Location::new(source.at.file, source.at.range.start..source.at.range.start);
                let message = "a row of `violations` has `error` or `tolerate`";
                diagnostics.push(Diagnostic::error(Code::KeyMissing, start, message));
            }
            None => {}
            Some(tolerate) => {
                let error = fields.entry("error").map(|(key, _)| (key, "is let pass: it gives no error"));
                let item = item.map(|(key, _)| (key, "is let pass: no error shows it"));
                for (key, fact) in error.into_iter().chain(item) {
                    let message = format!("what a row tolerates {fact}");
                    let diagnostic = Diagnostic::error(Code::ValueWrong, key.at.clone(), message)
                        .related(tolerate.at.clone(), "tolerated, says this")
                        .help(format!("leave out `{}` or `tolerate`", key.name));
                    diagnostics.push(diagnostic);
                }
            }
        }
        fields.finish(diagnostics);
        Some(source)
    }
}
