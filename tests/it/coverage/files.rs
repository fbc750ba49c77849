//! `standin coverage`: of a server, and of files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use regex::Regex;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::hits;
use crate::server::{REPORTEI, Server, standin};

const LIST: &str = "reportei/customers/list";
const SHOW: &str = "reportei/customers/show";

fn coverage(arguments: &[&str]) -> Output {
    standin().env_remove("STANDIN_URL").arg("coverage").args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Coverage files of two servers.
struct Files {
    folder: TempDir,
}

impl Files {
    /// One server has listed customers and got what nobody documents, the other one shown a customer twice.
    fn new() -> Files {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        let server = Server::start(&["reportei", "--freeze"]);
        server.api("GET", "/customers", None).expect(200);
        server.get("/nowhere").expect(404);
        files.put("one.json", &server.control("GET", "/coverage", None).json());
        server.control("DELETE", "/coverage", None);
        server.get("/nowhere").expect(404);
        for _ in 0..2 {
            server.api("GET", "/customers/caedbbbe-7d93-476f-b965-bf97cd7ce874", None).expect(200);
        }
        files.put("two.json", &server.control("GET", "/coverage", None).json());
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, report: &Json) {
        fs::write(self.path(name), report.to_string()).unwrap();
    }

    fn read(&self, name: &str) -> Json {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn merge(&self, files: &[&str], more: &[&str]) -> Output {
        let mut command = standin();
        command.current_dir(self.folder.path()).args(["coverage", "merge"]).args(files).args(more);
        command.output().unwrap()
    }
}

#[test]
fn a_running_server_is_asked() {
    let server = Server::start(&["reportei", "--freeze"]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "one" }))).expect(201);
    server.api("GET", "/customers", None).expect(200);
    server.call("GET", "/~one/reportei/customers", &[REPORTEI], "").expect(200);
    let url = server.url();
    let table = out(&coverage(&["--target", &url]));
    let row = table.lines().find(|line| line.starts_with(LIST)).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        [LIST, "2", "1/2", "1/1", "0/1", "GET", "/reportei/customers"]
    );
    let named =
        standin().env("STANDIN_URL", &url).args(["coverage", "--sandbox", "one", "--format", "json"]).output().unwrap();
    let report: Json = serde_json::from_str(&out(&named)).unwrap();
    assert_eq!(hits(&report, LIST, "operation"), 1);
    let few = coverage(&["--target", &url, "--fail-under", "50%"]);
    assert_eq!(few.status.code(), Some(1));
    assert!(err(&few).contains("and 50 % are asked for"), "{}", err(&few));
    out(&coverage(&["--target", &url, "--fail-under", "1"]));
    let gone = coverage(&["--target", &url, "--sandbox", "nobody"]);
    assert!(gone.status.code() == Some(1) && err(&gone).contains("There is no sandbox `nobody`"), "{}", err(&gone));
    drop(server);
    let down = coverage(&["--target", &url]);
    assert!(down.status.code() == Some(1) && err(&down).contains(&url), "{}", err(&down));
    let wrong = coverage(&["--target", "ftp://nowhere"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", err(&wrong));
}

#[test]
fn a_token_is_given_or_stands_in_the_environment() {
    let server = Server::start(&["reportei", "--token", "0123456789abcdef"]);
    let url = server.url();
    let refused = coverage(&["--target", &url]);
    assert!(refused.status.code() == Some(1) && err(&refused).contains("token"), "{}", err(&refused));
    assert!(err(&refused).ends_with("\ngive the token of the server with --token, or as STANDIN_TOKEN\n"));
    out(&coverage(&["--target", &url, "--token", "0123456789abcdef"]));
    out(&standin().env("STANDIN_TOKEN", "0123456789abcdef").args(["coverage", "--target", &url]).output().unwrap());
}

#[test]
fn files_are_put_together_by_names() {
    let files = Files::new();
    let output = files.merge(&["one.json", "two.json"], &["--output", "all.json"]);
    assert_eq!((out(&output), err(&output)), (String::new(), String::new()));
    let all = files.read("all.json");
    assert_eq!(
        (hits(&all, LIST, "operation"), hits(&all, SHOW, "operation"), hits(&all, SHOW, "status 200")),
        (1, 2, 2)
    );
    assert_eq!(hits(&all, SHOW, "example customers/show.200.json"), 2);
    assert_eq!(
        all["undocumented"]["records"],
        json!([{ "pack": "reportei", "method": "GET", "path": "/nowhere", "hits": 2 }])
    );
    let [one, two] =
        ["one.json", "two.json"].map(|name| files.read(name)["summary"]["items"]["exercised"].as_u64().unwrap());
    assert_eq!(all["summary"]["items"]["exercised"], one + two);
    // What was merged can be merged again, and the order makes no difference.
    out(&files.merge(&["all.json"], &["--output", "again.json"]));
    assert_eq!(files.read("again.json"), all);
    out(&files.merge(&["two.json", "one.json"], &["--output", "other.json"]));
    assert_eq!(files.read("other.json"), all);
    let judged = files.merge(&["one.json", "two.json"], &["--fail-under", "90"]);
    assert_eq!(judged.status.code(), Some(1));
}

#[test]
fn packs_that_differ_are_told() {
    let files = Files::new();
    let mut other = files.read("two.json");
    let pack = &mut other["packs"][0];
    pack["digests"] = json!(["another"]);
    let operations = pack["operations"].as_array_mut().unwrap();
    operations.retain(|operation| operation["operation"] != LIST);
    operations[0]["operation"] = json!("reportei/new/one");
    other["standin"] = json!("0.0.1");
    files.put("two.json", &other);
    let output = files.merge(&["one.json", "two.json"], &["--output", "all.json"]);
    let notes = err(&output);
    assert_eq!(output.status.code(), Some(0), "{notes}");
    assert!(notes.contains("note: the files were written by different versions of standin: "), "{notes}");
    assert!(
        notes.contains("the pack `reportei` of two.json has other files than that of one.json; only there: "),
        "{notes}"
    );
    assert!(notes.contains("; only there: operation reportei/new/one; not there: operation reportei/cu"), "{notes}");
    let all = files.read("all.json");
    assert_eq!((hits(&all, LIST, "operation"), hits(&all, "reportei/new/one", "operation")), (1, 0));
    assert_eq!(all["packs"][0]["digests"].as_array().unwrap().len(), 2);
}

#[test]
fn a_file_that_is_none_is_refused_with_its_place() {
    let files = Files::new();
    let good = files.read("one.json");
    let mut damaged = good.clone();
    damaged["packs"][0]["operations"][0]["hits"] = json!("many");
    let mut later = good.clone();
    later["coverage"] = json!(2);
    let mut more = good.clone();
    more["extra"] = json!(1);
    let cases: [(&str, String, &str); 6] = [
        ("text.json", "coverage: yes".to_owned(), "text.json:1: this is no JSON"),
        ("cut.json", format!("{good:#}")[..2000].to_owned(), ": this is no JSON"),
        (
            "other.json",
            "{\n\"a\": 1}".to_owned(),
            "other.json:1: this is no coverage file: it has no `\"coverage\": 1`",
        ),
        ("damaged.json", format!("{damaged:#}"), ": this coverage file is damaged: invalid type: string \"many\""),
        ("later.json", later.to_string(), "the format 2, and 1 is known here"),
        ("more.json", more.to_string(), "unknown field `extra`"),
    ];
    for (name, text, words) in cases {
        fs::write(files.path(name), text).unwrap();
        let output = files.merge(&["one.json", name], &["--output", "all.json"]);
        assert_eq!(output.status.code(), Some(3), "{name}: {}", err(&output));
        assert!(
            err(&output).starts_with(&format!("error: {name}:")) && err(&output).contains(words),
            "{}",
            err(&output)
        );
        assert!(!files.path("all.json").exists());
    }
    let damaged = err(&files.merge(&["damaged.json"], &[]));
    let line = Regex::new(r"damaged\.json:(\d+):").unwrap().captures(&damaged).unwrap()[1].parse::<usize>().unwrap();
    assert!(fs::read_to_string(files.path("damaged.json")).unwrap().lines().nth(line - 1).unwrap().contains("many"));
    assert_eq!(files.merge(&["none.json"], &[]).status.code(), Some(2));
    assert_eq!(files.merge(&[], &[]).status.code(), Some(2));
    assert_eq!(files.merge(&["one.json"], &["--output", "no/such/folder/x.json"]).status.code(), Some(2));
    let unsaid = files.merge(&["none.json"], &["--output", "m.foo"]);
    assert!(unsaid.status.code() == Some(2) && err(&unsaid).contains("`cobertura`"), "{}", err(&unsaid));
    assert!(!files.path("m.foo").exists());
    assert_eq!(files.merge(&["one.json"], &["--format", "pdf"]).status.code(), Some(2));
}

#[test]
fn lcov_has_every_line_of_every_file() {
    let files = Files::new();
    let text = out(&files.merge(&["one.json", "two.json"], &["--format", "lcov"]));
    let mut covered = 0;
    for record in text.trim_end().split("end_of_record").filter(|record| !record.trim().is_empty()) {
        let lines: Vec<&str> = record.trim().lines().collect();
        let order: Vec<&str> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
        let mut kinds = order.clone();
        kinds.dedup();
        let known = ["TN", "SF", "FN", "FNDA", "FNF", "FNH", "DA", "LF", "LH"];
        assert!(
            kinds.iter().all(|kind| known.contains(kind))
                && kinds.is_sorted_by_key(|kind| known.iter().position(|one| one == kind)),
            "{kinds:?}"
        );
        let path = lines[1].trim_start_matches("SF:");
        let file = fs::read_to_string(crate::support::repository(path)).unwrap();
        let value = |kind: &str| {
            lines.iter().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':')).unwrap().parse::<usize>().unwrap()
        };
        let data: Vec<(usize, u64)> = lines
            .iter()
            .filter_map(|line| {
                let (number, hits) = line.strip_prefix("DA:")?.split_once(',')?;
                Some((number.parse().unwrap(), hits.parse().unwrap()))
            })
            .collect();
        assert_eq!(
            (value("LF"), value("LH")),
            (data.len(), data.iter().filter(|(_, hits)| *hits > 0).count()),
            "{record}"
        );
        assert_eq!(value("FNF"), order.iter().filter(|kind| **kind == "FN").count());
        assert!(data.iter().all(|(number, _)| *number <= file.lines().count().max(1)), "{path}");
        covered += value("LH");
    }
    // Two operations, each with its status and the file of its example.
    assert_eq!(covered, 6, "{text}");
}

/// What an element of Cobertura's DTD holds, in its order, and its attributes.
const DTD: [(&str, &[&str], &[&str]); 10] = [
    (
        "coverage",
        &["sources", "packages"],
        &[
            "line-rate",
            "branch-rate",
            "lines-covered",
            "lines-valid",
            "branches-covered",
            "branches-valid",
            "complexity",
            "version",
            "timestamp",
        ],
    ),
    ("sources", &["source"], &[]),
    ("source", &[], &[]),
    ("packages", &["package"], &[]),
    ("package", &["classes"], &["name", "line-rate", "branch-rate", "complexity"]),
    ("classes", &["class"], &[]),
    ("class", &["methods", "lines"], &["name", "filename", "line-rate", "branch-rate", "complexity"]),
    ("methods", &["method"], &[]),
    ("method", &["lines"], &["name", "signature", "line-rate", "branch-rate", "complexity"]),
    ("line", &[], &["number", "hits"]),
];

#[test]
fn cobertura_is_as_its_dtd_says() {
    let files = Files::new();
    let text = out(&files.merge(&["one.json", "two.json"], &["--format", "cobertura"]));
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE coverage SYSTEM \"http://cobertura.sourceforge.net/xml/coverage-04.dtd\">\n"));
    let tag = Regex::new(r#"<(/?)([a-z]+)((?: [a-z-]+="[^"<>]*")*)(/?)>"#).unwrap();
    let attribute = Regex::new(r#" ([a-z-]+)="([^"]*)""#).unwrap();
    let body = &text[text.find("<coverage").unwrap()..];
    let rest = tag.replace_all(body, "");
    assert!(rest.trim() == ".", "not all is tags: {rest}");
    let mut open: Vec<(String, Vec<String>)> = Vec::new();
    let mut covered = 0;
    for found in tag.captures_iter(body) {
        let name = found[2].to_owned();
        if &found[1] == "/" {
            let (opened, children) = open.pop().unwrap();
            assert_eq!(opened, name);
            let holds: &[&str] =
                if name == "lines" { &["line"] } else { DTD.iter().find(|known| known.0 == name).unwrap().1 };
            let mut order = children.clone();
            order.dedup();
            let sequence = matches!(name.as_str(), "coverage" | "class" | "method" | "package");
            assert!(
                if sequence { children == holds } else { order.iter().all(|child| holds.contains(&child.as_str())) },
                "{name}: {children:?}"
            );
            continue;
        }
        if let Some((parent, children)) = open.last_mut() {
            children.push(name.clone());
            let pairs: Vec<(String, String)> =
                attribute.captures_iter(&found[3]).map(|pair| (pair[1].to_owned(), pair[2].to_owned())).collect();
            let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
            let wanted = DTD.iter().find(|known| known.0 == name).map_or(&[][..], |known| known.2);
            assert_eq!(names, wanted, "{name}");
            let counts = name == "line"
                && parent == "lines"
                && open.iter().rev().nth(1).is_some_and(|(name, _)| name == "class");
            covered += usize::from(counts && pairs[1].1 != "0");
        }
        if found[4].is_empty() {
            open.push((name, Vec::new()));
        }
    }
    assert!(open.is_empty() && covered == 6, "{covered}");
    assert!(body.contains("lines-covered=\"6\""));
    assert!(
        body.contains("<method name=\"reportei/customers/list\" signature=\"GET /customers\" line-rate=\"1\""),
        "{text}"
    );
}

#[test]
fn a_page_has_everything_in_it_and_nothing_runs() {
    let files = Files::new();
    let mut report = files.read("one.json");
    let bad = "<script>alert('x')</script>&\"";
    report["packs"][0]["operations"][0]["title"] = json!(bad);
    report["undocumented"]["records"] =
        json!([{ "pack": null, "method": "GET", "path": format!("/{bad}"), "hits": 3 }]);
    report["violations"]["records"] =
        json!([{ "operation": bad, "in": "body", "pointer": bad, "keyword": bad, "hits": 1 }]);
    files.put("one.json", &report);
    out(&files.merge(&["one.json"], &["--output", "page.html"]));
    let page = fs::read_to_string(files.path("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">") && page.ends_with("</html>\n"));
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert('x')&lt;/script&gt;&amp;&quot;"));
    for outside in ["src=", "href=\"http", "url(", "@import", "<link", " on"] {
        let found = page
            .match_indices(outside)
            .find(|(at, _)| outside != " on" || page[*at..].split(' ').nth(1).is_some_and(|word| word.contains('=')));
        assert!(found.is_none(), "{outside}");
    }
    assert!(page.contains("color-scheme: light dark") && page.contains("prefers-color-scheme: dark"));
    assert!(page.contains("GET /&lt;script&gt;") && page.contains("<td class=\"number\">3</td>"));
    let balance = |tag: &str| (page.matches(&format!("<{tag}")).count(), page.matches(&format!("</{tag}>")).count());
    for tag in ["table", "tr", "tbody", "details", "summary", "section", "code", "td", "span"] {
        let (opened, closed) = balance(tag);
        assert!(opened == closed && opened > 0, "{tag}: {opened} and {closed}");
    }
}

#[test]
fn what_ends_a_line_ends_none_in_a_report() {
    let files = Files::new();
    let mut report = files.read("one.json");
    report["packs"][0]["operations"][0]["at"]["file"] = json!("a\nDA:1,1\u{1}\"<");
    files.put("one.json", &report);
    let lcov = out(&files.merge(&["one.json"], &["--format", "lcov"]));
    assert!(!lcov.lines().any(|line| line.starts_with("DA:1,1\u{1}")), "{lcov}");
    let xml = out(&files.merge(&["one.json"], &["--format", "cobertura"]));
    assert!(xml.contains("filename=\"a&#10;DA:1,1\u{fffd}&quot;&lt;\""), "{xml}");
    assert!(Path::new(&files.path("one.json")).exists());
}
