//! The files that a run is reported in, however it ends.

use std::fs;

use super::{asking, err, report, run};
use crate::support::write;

const FORMATS: [&str; 4] = ["junit", "ctrf", "json", "html"];

#[test]
fn reports_tell_each_mistake_where_nothing_can_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    asking(folder.path(), "Good", "", "{ status: 200 }");
    asking(folder.path(), "Wrong", "tags: ['x<y&\"z']\n", "{ status: 200 }");
    write(folder.path(), "other.yaml", "scenario: Other\npack: reportei\nsteps:\n  - call: Lst all customers\n");
    let reports: Vec<String> = FORMATS.iter().map(|format| format!("--report={format}={path}/r.{format}")).collect();
    let reported = |arguments: &[&str]| {
        let reports = reports.iter().map(String::as_str);
        run(&reports.chain(arguments.iter().copied()).collect::<Vec<_>>())
    };
    // What an earlier run has left.
    write(folder.path(), "r.html", "all is well");
    assert_eq!(reported(&[path]).status.code(), Some(3));
    let told = report(folder.path(), "r.json");
    assert_eq!((&told["totals"]["broken"], &told["totals"]["runs"]), (&2.into(), &2.into()), "{told}");
    let (tag, call) = (&told["runs"][0], &told["runs"][1]);
    assert_eq!((tag["file"].as_str(), tag["line"].as_u64()), (Some(&*format!("{path}/Wrong.yaml")), Some(3)));
    assert_eq!(tag["steps"][0]["failure"]["summary"], "`x<y&\"z` is no tag");
    assert_eq!(call["steps"][0]["place"], format!("{path}/other.yaml:4:11"));
    let help = call["steps"][0]["failure"]["help"].as_str().unwrap();
    assert!(help.starts_with("did you mean `List all customers`?"), "{help}");
    for (format, words) in [("junit", "x&lt;y&amp;"), ("ctrf", "x<y&"), ("html", "x&lt;y&amp;")] {
        let text = fs::read_to_string(folder.path().join(format!("r.{format}"))).unwrap();
        assert!(text.contains(words) && text.contains("Wrong.yaml") && text.contains("Lst all"), "{format}: {text}");
    }
    // Nor does a report stay where it did not come to reading.
    for arguments in [&["nowhere.yaml"][..], &[&format!("{path}/Good.yaml"), "--target", "http://127.0.0.1:1"]] {
        write(folder.path(), "r.json", "{}");
        let output = reported(arguments);
        let told = report(folder.path(), "r.json");
        assert_eq!(told["runs"][0]["outcome"], "broken", "{arguments:?}: {told} {}", err(&output));
    }
}

#[test]
fn what_can_be_written_is_found_out_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    asking(folder.path(), "Good", "", "{ status: 200 }");
    write(folder.path(), "old.json", "old");
    let reports = [format!("json={path}/old.json"), format!("html={path}/new.html"), format!("junit={path}/no/r.xml")];
    let output = run(&[path, "--report", &reports[0], "--report", &reports[1], "--report", &reports[2]]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert_eq!(fs::read_to_string(folder.path().join("old.json")).unwrap(), "old");
    assert!(!folder.path().join("new.html").exists());
}

#[test]
fn a_file_takes_one_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    asking(folder.path(), "Good", "", "{ status: 200 }");
    let (one, other) = (format!("junit={path}/r.x"), format!("json={path}/./r.x"));
    let output = run(&[path, "--report", &one, "--report", &other]);
    assert_eq!(output.status.code(), Some(2));
    let told = err(&output).replace(path, "PATH");
    assert_eq!(told, "error: --report json=PATH/./r.x: junit=PATH/r.x is written there: give each a file of its own\n");
}

#[test]
fn a_row_has_the_line_on_which_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    asking(folder.path(), "Table", "with:\n  - { x: 1 }\n  - x: 2\n", "{ status: 200 }");
    let reports: Vec<String> = FORMATS.iter().map(|format| format!("--report={format}={path}/r.{format}")).collect();
    run(&[&[path][..], &reports.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    let told = report(folder.path(), "r.json");
    let lines = |runs: &serde_json::Value| -> Vec<u64> {
        runs.as_array().unwrap().iter().map(|run| run["line"].as_u64().unwrap()).collect()
    };
    assert_eq!((lines(&told["runs"]), &told["totals"]["scenarios"]), (vec![4, 5], &1.into()));
    assert_eq!(lines(&report(folder.path(), "r.ctrf")["results"]["tests"]), [4, 5]);
    for format in ["junit", "html"] {
        let text = fs::read_to_string(folder.path().join(format!("r.{format}"))).unwrap();
        let said = |line: usize| match format {
            "junit" => format!("line=\"{line}\""),
            _ => format!("Table.yaml:{line}<"),
        };
        assert!(text.contains(&said(4)) && text.contains(&said(5)) && !text.contains(&said(1)), "{format}: {text}");
    }
}
