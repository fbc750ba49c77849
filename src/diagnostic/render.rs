use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::{Diagnostic, Location, Severity, SourceMap};

/// The most characters of a line that tools are told.
const LINE: usize = 400;

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

/// Diagnostics for tools: an array of objects, each with every key that docs/diagnostics.md lists.
pub(crate) fn to_json(diagnostics: &[Diagnostic], sources: &SourceMap) -> Value {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let related: Vec<Value> = diagnostic
                .related
                .iter()
                .map(|(location, reason)| json!({ "at": place(location, sources), "message": reason }))
                .collect();
            json!({
                "code": diagnostic.code.name(),
                "severity": diagnostic.severity.name(),
                "message": diagnostic.message,
                "at": diagnostic.location.as_ref().map(|location| place(location, sources)),
                "label": diagnostic.label,
                "related": related,
                "help": diagnostic.help,
            })
        })
        .collect()
}

fn place(location: &Location, sources: &SourceMap) -> Value {
    let ((line, column), (last, behind)) = (sources.line_column(location), sources.end_line_column(location));
    let end = json!({ "line": last, "column": behind });
    json!({
        "file": sources.path(location.file),
        "line": line,
        "column": column,
        "end": end,
        "text": line_at(sources.text(location.file), location.range.start),
    })
}

/// The line of a place, as it stands. No more of it than somebody would read.
fn line_at(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    Some(line.chars().take(LINE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, FileId};

    fn example() -> (Vec<Diagnostic>, SourceMap) {
        let mut sources = SourceMap::default();
        let file = sources.add("pack.yaml", "ünique: x\nset: <y>\n".into());
        let found = Diagnostic::error(Code::KeyUnknown, Location::new(file, 16..19), "no `<y>`").label("here");
        (vec![found.related(Location::new(file, 0..18), "and there").help("take it out")], sources)
    }

    #[test]
    fn colour_is_all_that_differs_on_a_terminal() {
        let (found, sources) = example();
        let (plain, coloured) = (render(&found, &sources, false), render(&found, &sources, true));
        assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}["), "{coloured}");
        let mut parts = coloured.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_owned();
        let stripped = parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest));
        assert_eq!(stripped, plain);
    }

    #[test]
    fn tools_get_every_key_and_both_ends_of_a_place() {
        let (mut found, sources) = example();
        found.push(Diagnostic::general(Code::ExprSyntax, "of no file"));
        let expected = json!([
            {
                "code": "key-unknown",
                "severity": "error",
                "message": "no `<y>`",
                "at": { "file": "pack.yaml", "line": 2, "column": 6, "end": { "line": 2, "column": 9 }, "text": "set: <y>" },
                "label": "here",
                "related": [{
                    "at": { "file": "pack.yaml", "line": 1, "column": 1, "end": { "line": 2, "column": 8 }, "text": "ünique: x" },
                    "message": "and there",
                }],
                "help": "take it out",
            },
            {
                "code": "expr-syntax",
                "severity": "error",
                "message": "of no file",
                "at": null,
                "label": null,
                "related": [],
                "help": null,
            },
        ]);
        assert_eq!(to_json(&found, &sources), expected);
        assert_eq!(sources.line_column(&Location::whole(FileId(7))), (0, 0));
    }
}
