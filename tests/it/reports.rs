//! What `standin run` and `standin check` write for others: programs that are not ours read it.
//!
//! The files in `tests/cases/reports` are those of a run that has everything to tell of; a unit test holds the writers to
//! them.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::cli::well_formed;
use crate::server::standin;
use crate::support::{replace, repository};
use crate::tree::read;

const CONSUMER: &str = "tests/consumers/reports";

/// What a script of the consumer says of each of these files.
fn asked(program: &Path, script: &str, install: &str, texts: &[String]) -> Vec<Json> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.arg(script).current_dir(repository(CONSUMER));
    for (number, text) in texts.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        std::fs::write(&file, text).unwrap();
        command.arg(file);
    }
    let output = command.output();
    let output =
        output.unwrap_or_else(|error| panic!("{program:?} is not there: {error}; run `{install}` in {CONSUMER}"));
    let said = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{err}\n(if something is missing: run `{install}` in {CONSUMER})");
    let found: Vec<Json> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), texts.len(), "{said}{err}");
    found
}

/// What a reader of JUnit finds in each of these reports, or the `mistakes` that the schema finds.
fn junit(texts: &[String]) -> Vec<Json> {
    let install = "python3 -m venv venv && venv/bin/pip install --require-hashes -r requirements.txt";
    asked(&repository(&format!("{CONSUMER}/venv/bin/python")), "junit.py", install, texts)
}

/// How many tests of each of these CTRF reports have which status, or the `mistakes` that the schema of its authors finds.
fn ctrf(texts: &[String]) -> Vec<Json> {
    asked(Path::new("node"), "ctrf.mjs", "npm ci", texts)
}

#[test]
fn junit_of_a_run_fits_a_strict_schema_and_is_read() {
    let report = read("tests/cases/reports/run.junit.xml");
    // The schema is strict: what only looks like such a report is refused.
    let wrong = [
        ("tests=\"6\"", "tests=\"six\""),
        ("time=\"1.234\"", "time=\"1,234\""),
        (" id=\"1\"", " id=\"0\""),
        (" classname=\"shop\"", ""),
        (" line=\"3\"", " line=\"0\""),
        ("<skipped message=\"another", "<system-out/><skipped message=\"another"),
        ("<skipped message", "<ignored message"),
        (" type=\"failed\"", ""),
    ];
    let altered = wrong.iter().map(|(old, new)| {
        assert!(report.contains(old), "{old}");
        report.replacen(old, new, 1)
    });
    let all: Vec<String> = altered.chain([report.clone()]).collect();
    let mut all = junit(&all);
    let found = all.pop().unwrap();
    assert!(found["mistakes"].is_null(), "{}", found["mistakes"]);
    for (found, (old, new)) in all.iter().zip(wrong) {
        assert!(found["mistakes"].is_array(), "{old} as {new} is let through");
    }
    assert_eq!((&found["said"], &found["counted"]), (&json!([6, 1, 2, 1]), &json!([6, 1, 2, 1])));
    let cases = found["suites"][0]["cases"].as_array().unwrap();
    let results: Vec<&str> = cases.iter().map(|case| case["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["Passed", "Failure", "Error", "Error", "Skipped"]);
    assert_eq!(cases[1]["name"], "Names (an \"empty\" name)");
    let text = read("tests/cases/reports/run.txt");
    let whole = text.split("\n\n").next().unwrap();
    assert!(cases[1]["text"].as_str().unwrap().starts_with(whole), "{}", cases[1]["text"]);
}

#[test]
fn ctrf_of_a_run_fits_the_schema_of_its_authors() {
    let report = read("tests/cases/reports/run.ctrf.json");
    let wrong = report.replacen("\"status\": \"passed\"", "\"status\": \"fine\"", 1);
    let found = ctrf(&[report.clone(), wrong]);
    assert_eq!(found[0], json!({"passed": 2, "failed": 3, "skipped": 1}));
    assert!(found[1]["mistakes"].is_array(), "{}", found[1]);
    let summary = &serde_json::from_str::<Json>(&report).unwrap()["results"]["summary"];
    for (member, count) in [("tests", 6), ("passed", 2), ("failed", 3), ("skipped", 1), ("other", 0), ("pending", 0)] {
        assert_eq!(summary[member], count, "{member}");
    }
}

/// Our schemas of reports, each of which a file must fit.
#[track_caller]
pub(crate) fn fits(schema: &str, report: &Json) {
    let schema: Json = serde_json::from_str(&read(schema)).unwrap();
    let compiled = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> =
        compiled.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json_of_a_run_fits_its_schema() {
    let report: Json = serde_json::from_str(&read("tests/cases/reports/run.json")).unwrap();
    fits("schemas/report/run.json", &report);
    let schema: Json = serde_json::from_str(&read("schemas/report/run.json")).unwrap();
    let compiled = jsonschema::validator_for(&schema).unwrap();
    for (pointer, value) in [
        ("/run", json!(2)),
        ("/runs/0/outcome", json!("fine")),
        ("/runs/1/steps/1/failure/misses/0", json!({"what": "status"})),
        ("/runs/1/steps/1/failure/request/headers/0", json!(["only-a-name"])),
        ("/totals/failed", json!(-1)),
    ] {
        let mut wrong = report.clone();
        *wrong.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        assert!(!compiled.is_valid(&wrong), "{pointer}");
    }
}

#[test]
fn the_page_of_a_run_needs_nothing_else_and_runs_nothing() {
    let page = read("tests/cases/reports/run.html");
    let body = page.strip_prefix("<!doctype html>\n").unwrap();
    let body = body.replace("<br>", "<br/>").replace("<meta charset=\"utf-8\">", "");
    let (before, after) = body.split_once("<meta name=\"viewport\"").unwrap();
    let xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{before}{}", after.split_once('>').unwrap().1);
    let elements = well_formed(&xml);
    for never in ["script", "link", "img", "iframe", "object", "form"] {
        assert!(!elements.iter().any(|element| element == never), "{never}");
    }
    for attribute in [" src=", " href=\"http", " onclick", " style=", "url(", "@import"] {
        assert!(!page.contains(attribute), "{attribute}");
    }
    // What a server sent is text.
    assert!(page.contains("&lt;/script&gt;&lt;b&gt;") && !page.contains("</script>"));
    // What did not pass is open, and what did is not.
    let open = |title: &str| {
        let at = page.find(title).unwrap_or_else(|| panic!("no {title}"));
        page[..at].rfind("<details").map(|begin| page[begin..at].starts_with("<details open>")).unwrap()
    };
    assert!(open("Names (an &quot;empty&quot; name)") && open("Names (down)"));
    assert!(!open("Names (a name)") && !open("Nothing to see") && !open("Names (late)"));
    for part in ["<html lang=\"en\">", "<title>3 of 6 runs did not pass</title>", "color-scheme: light dark", "<h1>"] {
        assert!(page.contains(part), "{part}");
    }
    let scoped = page.matches("<th ").count();
    assert!(scoped > 5 && scoped == page.matches("<th scope=").count(), "every head of a table says what it is for");
}

/// A scenario with a table, of which one row passes, and two that cannot.
const STORIES: [(&str, &str); 2] = [
    (
        "a.yaml",
        "scenario: A <name> & a \"title\" are asked for\npack: reportei\ntags: [names]\nsteps:\n  - call: Create a customer\n    \
         body: { name: = row.name }\n    expect: { status: 201 }\nwith:\n  - case: somebody\n    name: Somebody\n  - case: nobody\n    \
         name: '  '\n",
    ),
    (
        "b.yaml",
        "scenario: The list is short\npack: reportei\nsteps:\n  - call: List all customers\n    expect: { status: 404 }\n",
    ),
];

#[test]
fn every_report_of_a_real_run_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in STORIES {
        crate::support::write(folder.path(), name, text);
    }
    let mut run = standin();
    run.args(["run", "a.yaml", "b.yaml", "--jobs", "1"]).current_dir(folder.path());
    for (format, file) in [("junit", "j.xml"), ("ctrf", "c.json"), ("json", "r.json"), ("html", "r.html")] {
        run.args(["--report", &format!("{format}={file}")]);
    }
    let output = run.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("2 scenarios, 3 runs: 1 passed, 2 failed in "), "{out}");
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();

    let found = &junit(&[read("j.xml")])[0];
    assert_eq!((&found["said"], &found["counted"]), (&json!([3, 2, 0, 0]), &json!([3, 2, 0, 0])), "{found}");
    let name = "A <name> & a \"title\" are asked for (nobody)";
    let case = &found["suites"][0]["cases"][1];
    assert_eq!((&case["name"], &case["class"]), (&json!(name), &json!("reportei")));
    for words in ["status", "expected  201", "found     422", "The name field is required.", "--case nobody"] {
        let text = case["text"].as_str().unwrap();
        assert!(text.contains(words) && out.contains(words), "{words}: {text}");
    }

    assert_eq!(ctrf(&[read("c.json")])[0], json!({"passed": 1, "failed": 2}));
    let report: Json = serde_json::from_str(&read("r.json")).unwrap();
    fits("schemas/report/run.json", &report);
    assert_eq!(
        report["totals"],
        json!({"scenarios": 2, "runs": 3, "passed": 1, "failed": 2, "broken": 0, "skipped": 0})
    );
    let page = read("r.html");
    assert!(page.contains("2 of 3 runs did not pass") && page.contains("A &lt;name&gt; &amp; a &quot;title&quot;"));
    // A credential of the pack is in no report.
    for (file, text) in
        [("j.xml", read("j.xml")), ("c.json", read("c.json")), ("r.json", report.to_string()), ("r.html", page)]
    {
        assert!(!text.contains("reportei-test-token") && text.contains("uthorization"), "{file}");
    }
}

#[test]
fn junit_of_a_check_fits_the_same_schema() {
    let folder = copy_of_one_pack();
    let check = || {
        let output = standin().args(["check", "--format", "junit"]).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let good = check();
    replace(&folder.path().join("fixtures/reportei/customers/show.200.json"), "Reportei Customer 1", "<&\\u0007]]>");
    let failed = check();
    // A pack that cannot be read is a report as well.
    replace(&folder.path().join("fixtures/reportei/customers/show.yaml"), "request:", "requets:");
    let found = junit(&[good, failed, check()]);
    for (found, passes) in found.iter().zip([true, false, false]) {
        let numbers: Vec<u64> = serde_json::from_value(found["said"].clone()).unwrap_or_else(|_| panic!("{found}"));
        assert_eq!(found["said"], found["counted"]);
        assert!(numbers[0] > 0 && (numbers[1] == 0) == passes, "{numbers:?}");
    }
}

/// A folder in which there is one pack and nothing else.
fn copy_of_one_pack() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["fixtures/reportei", "schemas/reportei"] {
        crate::support::copy(&repository(name), &folder.path().join(name));
    }
    folder
}
