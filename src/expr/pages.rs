//! Templates of standin's own pages. Those of packs are part of a [`super::Program`].

use std::sync::OnceLock;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde_json::Value as Json;

use super::program::EvalFault;
use crate::exchange::segment;

/// Templates by name. Whatever they show is escaped: there is no way out of that, as `safe` is not among the filters.
///
/// They are read when the first page is asked for, as many servers show none. That all of them can be read is tested.
pub(crate) struct Pages {
    files: Vec<(&'static str, &'static str)>,
    /// The error names the template that cannot be read.
    read: OnceLock<Result<Environment<'static>, EvalFault>>,
}

impl Pages {
    pub(crate) fn new(files: Vec<(&'static str, &'static str)>) -> Self {
        Pages { files, read: OnceLock::new() }
    }

    #[cfg(test)]
    pub(crate) fn fault(&self) -> Option<EvalFault> {
        self.environment().err()
    }

    fn environment(&self) -> Result<&Environment<'static>, EvalFault> {
        self.read.get_or_init(|| self.made()).as_ref().map_err(EvalFault::clone)
    }

    fn made(&self) -> Result<Environment<'static>, EvalFault> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.remove_filter("safe");
        environment.add_filter("segment", |text: String| segment(&text));
        environment.add_filter("pretty", pretty);
        environment.add_filter("plural", plural);
        for (name, text) in &self.files {
            environment.add_template(name, text).map_err(|error| EvalFault::new(&error, name))?;
        }
        Ok(environment)
    }

    /// A page, made of the values that its template names.
    pub(crate) fn render(&self, name: &str, context: &Json) -> Result<String, EvalFault> {
        let made = self.environment()?.get_template(name).and_then(|template| template.render(Serde(context)));
        made.map_err(|error| EvalFault::new(&error, error.name().unwrap_or(name)))
    }
}

/// JSON over several lines. It is text, and escaped as all text is.
fn pretty(value: Value) -> Result<String, Error> {
    serde_json::to_string_pretty(&value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, "this is no JSON").with_source(error))
}

/// `3|plural("record")` is `3 records`; a third word says the plural where it is another.
fn plural(count: i64, one: &str, many: Option<&str>) -> String {
    match (count, many) {
        (1, _) => format!("1 {one}"),
        (_, Some(many)) => format!("{count} {many}"),
        (_, None) => format!("{count} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(template: &'static str, context: &Json) -> String {
        Pages::new(vec![("page", template)]).render("page", context).unwrap()
    }

    #[test]
    fn everything_is_escaped() {
        let context = json!({ "text": "<b>&\"'", "value": { "a": ["<i>"] } });
        assert_eq!(rendered("{{ text }}", &context), "&lt;b&gt;&amp;&quot;&#x27;");
        assert_eq!(
            rendered("{{ value|pretty }}", &context),
            "{\n  &quot;a&quot;: [\n    &quot;&lt;i&gt;&quot;\n  ]\n}"
        );
        assert_eq!(rendered("/{{ text|segment }}", &context), "/%3Cb%3E%26%22%27");
        let unsafe_page = Pages::new(vec![("page", "{{ text|safe }}")]);
        assert!(unsafe_page.render("page", &context).is_err());
    }

    #[test]
    fn counts_have_their_words() {
        let all = "{{ 1|plural('record') }}, {{ 2|plural('record') }}, {{ 0|plural('entry', 'entries') }}";
        assert_eq!(rendered(all, &json!({})), "1 record, 2 records, 0 entries");
    }

    #[test]
    fn a_name_that_is_not_there_is_no_empty_text() {
        let pages = Pages::new(vec![("page", "{{ nobody }}")]);
        assert_eq!(pages.render("page", &json!({})).unwrap_err().expression, "page");
    }
}
