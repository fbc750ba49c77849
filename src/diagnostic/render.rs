use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::{Diagnostic, Location, Severity, SourceMap};

/// Diagnostics as text with excerpts, one after the other, each ending in a line break.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &SourceMap, coloured: bool) -> String {
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    diagnostics.iter().map(|diagnostic| format!("{}\n", renderer.render(&report(diagnostic, sources)))).collect()
}

fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.name());
    let Some(location) = &diagnostic.location else {
        let group = Group::with_title(title);
        return vec![match &diagnostic.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }];
    };
    let mut group = title.element(snippet(location, sources, AnnotationKind::Primary, diagnostic.label.as_deref()));
    for (place, reason) in &diagnostic.related {
        group = group.element(snippet(place, sources, AnnotationKind::Context, Some(reason)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    vec![group]
}

fn snippet<'a>(
    location: &Location,
    sources: &'a SourceMap,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = sources.text(location.file);
    let end = location.range.end.min(text.len());
    let start = location.range.start.min(end);
    // A place of many lines is shown by its first.
    let end = text.get(start..end).and_then(|part| part.find('\n')).map_or(end, |at| start + at);
    let annotation = kind.span(start..end);
    let annotation = match label {
        Some(label) => annotation.label(label),
        None => annotation,
    };
    Snippet::source(text).path(sources.path(location.file)).annotation(annotation)
}

/// Diagnostics for tools: an array of objects with `code`, `severity`, `message`, `file`, `line`, `column`, `label`,
/// `related` and `help`.
pub(crate) fn to_json(diagnostics: &[Diagnostic], sources: &SourceMap) -> Value {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let severity = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let mut object = json!({
                "code": diagnostic.code.name(),
                "severity": severity,
                "message": diagnostic.message,
                "label": diagnostic.label,
                "help": diagnostic.help,
            });
            if let Some(location) = &diagnostic.location {
                object["at"] = place(location, sources);
            }
            let related: Vec<Value> = diagnostic
                .related
                .iter()
                .map(|(location, reason)| json!({ "at": place(location, sources), "message": reason }))
                .collect();
            object["related"] = related.into();
            object
        })
        .collect()
}

fn place(location: &Location, sources: &SourceMap) -> Value {
    let (line, column) = sources.line_column(location);
    json!({ "file": sources.path(location.file), "line": line, "column": column })
}
