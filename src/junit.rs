//! JUnit's XML, as the servers of CI read it: suites of cases, each with what came of it.
//!
//! Attributes and elements stand in the order that the strictest of the schemas in use asks for. Must not know: what a case is.

use std::fmt::Write as _;
use std::time::Duration;

use crate::exchange::escaped;

/// Cases that belong together.
#[derive(Debug, Default)]
pub(crate) struct Suite {
    pub(crate) name: String,
    /// The file that the cases stand in.
    pub(crate) file: Option<String>,
    pub(crate) properties: Vec<(&'static str, String)>,
    pub(crate) cases: Vec<Case>,
}

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// What readers group cases by.
    pub(crate) class: String,
    /// Where it stands: file and line.
    pub(crate) place: Option<(String, usize)>,
    pub(crate) took: Option<Duration>,
    pub(crate) properties: Vec<(&'static str, String)>,
    pub(crate) result: Result,
    /// What was printed.
    pub(crate) printed: String,
}

/// What came of a case.
#[derive(Debug)]
pub(crate) enum Result {
    Passed,
    /// Something is not as it should be: in a line, and in full.
    Failed {
        message: String,
        text: String,
    },
    /// It could not be found out.
    Broken {
        message: String,
        text: String,
    },
    Skipped {
        message: String,
    },
}

impl Suite {
    fn count(&self, is: impl Fn(&Result) -> bool) -> usize {
        self.cases.iter().filter(|case| is(&case.result)).count()
    }

    fn took(&self) -> Option<Duration> {
        self.cases.iter().filter_map(|case| case.took).reduce(|all, one| all + one)
    }
}

/// The whole file.
pub(crate) fn write(name: &str, suites: &[Suite]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    attribute(&mut out, "name", name);
    let whole: Vec<_> = suites.iter().collect();
    totals(&mut out, &whole);
    if suites.is_empty() {
        out.push_str("/>\n");
        return out;
    }
    out.push_str(">\n");
    for (number, suite) in suites.iter().enumerate() {
        out.push_str("  <testsuite");
        attribute(&mut out, "name", &suite.name);
        totals(&mut out, &[suite]);
        attribute(&mut out, "id", &number.to_string());
        if let Some(file) = &suite.file {
            attribute(&mut out, "file", file);
        }
        out.push_str(">\n");
        properties(&mut out, "    ", &suite.properties);
        suite.cases.iter().for_each(|case| of_case(&mut out, case));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// The numbers of one suite, or of all.
fn totals(out: &mut String, suites: &[&Suite]) {
    let sum = |is: fn(&Result) -> bool| suites.iter().map(|suite| suite.count(is)).sum::<usize>().to_string();
    attribute(out, "tests", &sum(|_| true));
    attribute(out, "failures", &sum(|result| matches!(result, Result::Failed { .. })));
    attribute(out, "errors", &sum(|result| matches!(result, Result::Broken { .. })));
    attribute(out, "skipped", &sum(|result| matches!(result, Result::Skipped { .. })));
    if let Some(took) = suites.iter().filter_map(|suite| suite.took()).reduce(|all, one| all + one) {
        attribute(out, "time", &seconds(took));
    }
}

fn of_case(out: &mut String, case: &Case) {
    out.push_str("    <testcase");
    attribute(out, "name", &case.name);
    attribute(out, "classname", &case.class);
    if let Some(took) = case.took {
        attribute(out, "time", &seconds(took));
    }
    if let Some((file, line)) = &case.place {
        attribute(out, "file", file);
        attribute(out, "line", &line.to_string());
    }
    if case.properties.is_empty() && case.printed.is_empty() && matches!(case.result, Result::Passed) {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    properties(out, "      ", &case.properties);
    match &case.result {
        Result::Passed => {}
        Result::Failed { message, text } => why(out, "failure", "failed", message, text),
        Result::Broken { message, text } => why(out, "error", "broken", message, text),
        Result::Skipped { message } => {
            out.push_str("      <skipped");
            attribute(out, "message", message);
            out.push_str("/>\n");
        }
    }
    if !case.printed.is_empty() {
        let _ = writeln!(out, "      <system-out>{}</system-out>", text(&case.printed));
    }
    out.push_str("    </testcase>\n");
}

fn why(out: &mut String, element: &str, kind: &str, message: &str, full: &str) {
    let _ = write!(out, "      <{element}");
    attribute(out, "message", message);
    attribute(out, "type", kind);
    let _ = writeln!(out, ">{}</{element}>", text(full));
}

fn properties(out: &mut String, indent: &str, all: &[(&'static str, String)]) {
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "{indent}<properties>");
    for (name, value) in all {
        let _ = write!(out, "{indent}  <property");
        attribute(out, "name", name);
        attribute(out, "value", value);
        out.push_str("/>\n");
    }
    let _ = writeln!(out, "{indent}</properties>");
}

fn attribute(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, " {name}=\"{}\"", escaped(value));
}

/// Text between tags: there lines may stay lines, for whoever reads the file itself.
fn text(text: &str) -> String {
    escaped(text).replace("&#10;", "\n")
}

fn seconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, millis: u64, result: Result) -> Case {
        let took = Some(Duration::from_millis(millis));
        Case {
            name: name.into(),
            class: "c".into(),
            place: None,
            took,
            properties: vec![],
            result,
            printed: String::new(),
        }
    }

    #[test]
    fn numbers_are_sums_and_text_is_escaped() {
        let failed = Result::Failed { message: "a < b\n\"c\"".into(), text: "x\n\u{1b}[0m ]]> y".into() };
        let broken = Result::Broken { message: "down".into(), text: String::new() };
        let mut last = case("last", 5, Result::Passed);
        last.place = Some(("a&b.yaml".into(), 7));
        last.properties = vec![("seed", "1".into())];
        last.printed = "said".into();
        let suites = [
            Suite {
                name: "one".into(),
                cases: vec![case("a", 1500, Result::Passed), case("b", 2, failed)],
                ..Suite::default()
            },
            Suite {
                name: "two".into(),
                file: Some("f".into()),
                properties: vec![("target", "t".into())],
                cases: vec![case("c", 0, broken), case("d", 0, Result::Skipped { message: "m".into() }), last],
            },
        ];
        let wanted = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"n\" tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"1.507\">
  <testsuite name=\"one\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"1.502\" id=\"0\">
    <testcase name=\"a\" classname=\"c\" time=\"1.500\"/>
    <testcase name=\"b\" classname=\"c\" time=\"0.002\">
      <failure message=\"a &lt; b&#10;&quot;c&quot;\" type=\"failed\">x
\u{fffd}[0m ]]&gt; y</failure>
    </testcase>
  </testsuite>
  <testsuite name=\"two\" tests=\"3\" failures=\"0\" errors=\"1\" skipped=\"1\" time=\"0.005\" id=\"1\" file=\"f\">
    <properties>
      <property name=\"target\" value=\"t\"/>
    </properties>
    <testcase name=\"c\" classname=\"c\" time=\"0.000\">
      <error message=\"down\" type=\"broken\"></error>
    </testcase>
    <testcase name=\"d\" classname=\"c\" time=\"0.000\">
      <skipped message=\"m\"/>
    </testcase>
    <testcase name=\"last\" classname=\"c\" time=\"0.005\" file=\"a&amp;b.yaml\" line=\"7\">
      <properties>
        <property name=\"seed\" value=\"1\"/>
      </properties>
      <system-out>said</system-out>
    </testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(write("n", &suites), wanted);
        assert!(
            write("n", &[])
                .ends_with("<testsuites name=\"n\" tests=\"0\" failures=\"0\" errors=\"0\" skipped=\"0\"/>\n")
        );
    }
}
