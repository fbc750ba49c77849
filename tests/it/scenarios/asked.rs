//! What is run, against which server, and what ends how.

use std::process::{Command, Stdio};

use serde_json::json;

use super::{asking, err, out, report, run, said, settled};
use crate::markdown::blocks;
use crate::server::{Server, eventually, standin};
use crate::support::{copy, replace, repository, write};

const GOOD: &str = "{ status: 200 }";
const BAD: &str = "{ status: 404 }";
const ONE: &str = "fixtures/reportei/scenarios/renamed.yaml";

/// Names, cases and outcomes of a report, in order.
fn ends(report: &serde_json::Value) -> Vec<String> {
    let runs = report["runs"].as_array().unwrap().iter();
    runs.map(|run| format!("{} {} {}", run["scenario"], run["case"], run["outcome"])).collect()
}

#[test]
fn the_shipped_scenarios_pass_side_by_side_and_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let told = |jobs: &str| {
        let file = folder.path().join(format!("{jobs}.json"));
        let output = run(&["fixtures", "--jobs", jobs, "--report", &format!("json={}", file.display())]);
        assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        report(folder.path(), &format!("{jobs}.json"))
    };
    let (one, many) = (told("1"), told("16"));
    assert!(one["totals"]["scenarios"].as_u64().unwrap() >= 40, "{}", one["totals"]);
    assert_eq!(one["totals"], many["totals"]);
    assert_eq!(ends(&one), ends(&many));
    // Without paths they are those of the packs, of the binary where there are none on disk.
    let elsewhere = standin().arg("run").arg("--list").current_dir(folder.path()).output().unwrap();
    let here = run(&["--list", "fixtures"]);
    assert_eq!(out(&elsewhere), out(&here));
}

#[test]
fn the_first_example_of_the_page_passes() {
    let page = std::fs::read_to_string(repository("docs/scenarios.md")).unwrap();
    let example = blocks(&page).into_iter().find(|block| block.text.starts_with("scenario:")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "example.yaml", &example.text);
    assert_eq!(said(0, &[folder.path().to_str().unwrap()]), "1 scenario: 1 passed\n");
}

#[test]
fn tags_names_cases_and_lines_choose() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    asking(folder.path(), "One", "tags: [a, b]\n", GOOD);
    asking(folder.path(), "Two", "tags: [b]\n", GOOD);
    asking(folder.path(), "Other", "with:\n  - { case: First, x: 1 }\n  - { case: second, x: 2 }\n", GOOD);
    let listed = |arguments: &[&str]| {
        let output = run(&[&["--list"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let text = out(&output);
        let lines = text.lines().map(|line| line.rsplit("  ").next().unwrap().to_owned());
        lines.collect::<Vec<String>>().join(", ")
    };
    let all = "One #a #b, Other, --case First, --case second, Two #b";
    assert_eq!(listed(&[path]), all);
    assert_eq!(listed(&[path, "--tag", "a"]), "One #a #b");
    assert_eq!(listed(&[path, "--tag", "b", "--tag", "!a"]), "Two #b");
    assert_eq!(listed(&[path, "--tag", "!b"]), "Other, --case First, --case second");
    assert_eq!(listed(&[path, "--name", "O"]), all);
    assert_eq!(listed(&[path, "--name", "oTH"]), "Other, --case First, --case second");
    assert_eq!(listed(&[path, "--case", "first"]), "Other, --case First");
    let line = |line: usize| format!("{path}/Other.yaml:{line}");
    assert_eq!(listed(&[&line(1)]), "Other, --case First, --case second");
    assert_eq!(listed(&[&line(5)]), "Other, --case second");
    assert_eq!(listed(&[&line(4), &format!("{path}/Two.yaml")]), "Other, --case First, Two #b");
    let text = said(0, &[&line(5)]);
    assert_eq!(text, "1 scenario: 1 passed\n");
}

#[test]
fn where_nothing_is_to_be_run_it_is_said_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let refused = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!((output.status.code(), &*out(&output)), (Some(2), ""), "{}", err(&output));
        err(&output).replace(path, "PATH")
    };
    assert!(refused(&[path]).starts_with("error: there is no scenario in `PATH`\n"));
    assert!(refused(&["nowhere.yaml"]).starts_with("error: nowhere.yaml: "));
    asking(folder.path(), "One", "tags: [trial]\n", GOOD);
    let tag = refused(&[path, "--tag", "trail"]);
    assert_eq!(tag, "error: --tag trail: no scenario has this tag: did you mean `trial`?\nthere is only `trial`\n");
    let name = refused(&[path, "--name", "two"]);
    assert!(name.starts_with("error: --name two: no scenario has this in its name: "), "{name}");
    let case = refused(&[path, "--case", "x"]);
    assert_eq!(case, "error: --case x: no row has this name\nnone of these scenarios has a table\n");
    assert!(refused(&[path, "--tag", "!trial"]).contains("none of 1 scenario"));
    assert!(refused(&[path, "--jobs", "0"]).starts_with("error: --jobs is a number from 1 to 256\n"));
    assert!(refused(&[path, "--timeout", "soon"]).starts_with("error: --timeout: "));
    let wrong = refused(&[path, "--report", "xml=a.xml"]);
    assert!(wrong.contains("write FORMAT=FILE with `junit`, `ctrf`, `json` or `html`"), "{wrong}");
    let nowhere = format!("junit={path}/no/run.xml");
    assert!(refused(&[path, "--report", &nowhere]).contains("give a file in a folder that there is"));
    assert!(refused(&[path, "--keep-sandboxes"]).contains("--target"));
}

#[test]
fn nothing_runs_where_a_file_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    asking(folder.path(), "One", "", GOOD);
    write(folder.path(), "wrong.yaml", "scenario: Wrong\npack: reportei\nsteps:\n  - call: Lst all customers\n");
    let output = run(&[path]);
    assert_eq!((output.status.code(), &*out(&output)), (Some(3), ""));
    let err = err(&output);
    assert!(err.contains("wrong.yaml:4:11") && err.contains("did you mean"), "{err}");
    assert!(err.ends_with("the scenarios have 1 error, and nothing was run\n"), "{err}");
}

#[test]
fn a_server_that_is_not_there_or_wants_another_token_is_told_once() {
    let (server, other) = ("http://127.0.0.1:1", "another-token-of-some-length");
    let failed = |arguments: &[&str]| {
        let output = run(&[&[ONE], arguments].concat());
        assert_eq!((output.status.code(), &*out(&output)), (Some(1), ""), "{}", err(&output));
        err(&output)
    };
    let down = failed(&["--target", server]);
    assert_eq!(down, format!("error: nobody listens on {server}: start `standin serve`, or name another server\n"));
    let server = Server::start(&["--token", "the-token-of-this-server"]);
    for arguments in [&["--target", &server.url()][..], &["--target", &server.url(), "--token", other]] {
        let err = failed(arguments);
        assert!(err.contains("(token-required)\n"), "{err}");
        assert!(err.ends_with("give the token of the server with --token, or as STANDIN_TOKEN\n"), "{err}");
    }
    let good = ["run", ONE, "--target", &server.url()];
    let output = standin().args(good).env("STANDIN_TOKEN", "the-token-of-this-server").output().unwrap();
    assert_eq!((output.status.code(), &*err(&output)), (Some(0), ""));
}

#[test]
fn runs_against_one_server_do_not_meet_and_leave_nothing_behind() {
    // Its time runs; that of the scenarios stands still, and begins at its first instant.
    let server = Server::start(&[]);
    let target = server.url();
    std::thread::scope(|scope| {
        let many: Vec<_> =
            (0..3).map(|_| scope.spawn(|| run(&["fixtures/reportei", "--target", &target, "--jobs", "4"]))).collect();
        for one in many {
            let output = one.join().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        }
    });
    let sandboxes = || server.control("GET", "/sandboxes", None).expect(200).json();
    assert_eq!(sandboxes()["total"], 1, "those of the scenarios have been deleted");
    let output = run(&["tests/cases/failing/status.yaml", "--target", &target]);
    assert_eq!((output.status.code(), sandboxes()["total"].clone()), (Some(1), json!(1)));
    let again = format!("standin run tests/cases/failing/status.yaml --target {target}\n");
    assert!(out(&output).contains(&again), "{}", out(&output));
    run(&["tests/cases/failing/status.yaml", "--target", &target, "--keep-sandboxes"]);
    let kept = sandboxes();
    assert_eq!((&kept["total"], &kept["records"][1]["entries"]), (&json!(2), &json!(1)), "{kept}");
}

#[test]
fn packs_of_a_server_that_are_others_than_here_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["fixtures", "schemas"] {
        copy(&repository(&format!("{part}/reportei")), &folder.path().join(part).join("reportei"));
    }
    replace(&folder.path().join("fixtures/reportei/pack.yaml"), "title: Reportei", "title: Another Reportei");
    let path = |part: &str| folder.path().join(part).to_str().unwrap().to_owned();
    let server = Server::start(&["reportei", "--fixtures", &path("fixtures"), "--schemas", &path("schemas")]);
    let output = run(&[ONE, "--target", &server.url()]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let warning = format!("warning: the pack `reportei` of {} is another one than here", server.url());
    assert!(err(&output).starts_with(&warning), "{}", err(&output));
    let output = run(&["fixtures/hubster/scenarios/first-integration.yaml", "--target", &server.url()]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with("broken: ") && text.contains("does not serve the pack `hubster`"), "{text}");
    assert!(text.contains("serve it there: `standin serve hubster`, or all packs"), "{text}");
}

#[test]
fn after_the_first_failure_nothing_more_is_run_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    asking(folder.path(), "A", "", GOOD);
    asking(folder.path(), "B", "", BAD);
    asking(folder.path(), "C", "", GOOD);
    let last =
        |arguments: &[&str]| said(1, &[&[path, "--jobs", "1"], arguments].concat()).lines().last().map(str::to_owned);
    assert_eq!(last(&[]).as_deref(), Some("3 scenarios: 2 passed, 1 failed"));
    assert_eq!(last(&["--fail-fast"]).as_deref(), Some("3 scenarios: 1 passed, 1 failed, 1 skipped"));
}

#[test]
fn a_scenario_that_is_not_done_in_time_says_what_was_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let story = "scenario: Slow\npack: reportei\nsteps:\n\
                 \x20 - fault: { operation: List all customers, latency: 20s }\n\
                 \x20 - repeat: 2\n    steps:\n      - call: List all customers\n";
    write(folder.path(), "slow.yaml", story);
    let text = said(1, &[folder.path().to_str().unwrap(), "--timeout", "300ms"]);
    assert!(text.contains("  failed    call List all customers"), "{text}");
    assert!(
        text.contains("did not answer within 300ms") || text.contains("the scenario was not done within 300ms"),
        "{text}"
    );
}

#[test]
fn a_run_that_is_interrupted_deletes_its_sandboxes() {
    let folder = tempfile::tempdir().unwrap();
    let story = "scenario: Slow\npack: reportei\nsteps:\n  - fault: { operation: List all customers, latency: 20s }\n  \
                 - call: List all customers\n";
    write(folder.path(), "slow.yaml", story);
    let server = Server::start(&[]);
    let sandboxes = || server.control("GET", "/sandboxes", None).expect(200).json()["total"].clone();
    let mut command = standin();
    command.args(["run", folder.path().to_str().unwrap(), "--target", &server.url()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the call", || {
        let all = server.control("GET", "/sandboxes", None).expect(200).json();
        (all["records"][1]["entries"] == json!(2)).then_some(())
    });
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), sandboxes()), (Some(1), json!(1)));
    assert_eq!(err(&output), "interrupted: what was under way was left, and its sandboxes deleted\n");
}

#[test]
fn what_scenarios_exercise_is_covered_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("coverage.json");
    let file = file.to_str().unwrap();
    let server = Server::start(&[]);
    for target in [&[][..], &["--target", &server.url()]] {
        let arguments = [&["fixtures/reportei", "--coverage", file], target].concat();
        said(0, &arguments);
        let told = report(folder.path(), "coverage.json");
        let pack = told["packs"].as_array().unwrap().iter().find(|pack| pack["pack"] == "reportei").unwrap();
        let exercised = |pack: &serde_json::Value| pack["summary"]["operations"]["exercised"].as_u64().unwrap();
        assert!(exercised(pack) >= 10, "{pack:#}");
        let output = run(&[&[ONE, "--fail-under", "90"], target].concat());
        assert_eq!(output.status.code(), Some(1), "{}", out(&output));
        assert!(err(&output).contains('%'), "{}", err(&output));
    }
}

#[test]
fn a_failure_in_a_run_of_many_is_told_alone() {
    let text = settled(&out(&run(&["tests/cases/failing/parallel.yaml", ONE])));
    assert!(text.starts_with("failed: Two at once, and one is refused\n"), "{text}");
    assert!(text.ends_with("\n2 scenarios: 1 passed, 1 failed\n"), "{text}");
}
