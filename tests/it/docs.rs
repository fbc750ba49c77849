//! What the pages say: their commands run, their links lead somewhere, and references leave nothing out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

use crate::markdown::{self, Block};
use crate::support::copy;
use crate::tree::{files, read, root};

/// What stands before the commands of a page. `start` serves on a free port, in place of `cargo run --release`.
const PRELUDE: &str = r#"set -euo pipefail
start() {
    end "${server:-}"
    rm -f "$DIR/port"
    standin "$@" --port 0 --port-file "$DIR/port" >"$DIR/server.out" 2>"$DIR/server.err" &
    server=$!
    for _ in $(seq 200); do
        if [ -s "$DIR/port" ]; then
            PORT=$(cat "$DIR/port")
            if curl -sf "http://127.0.0.1:$PORT/_standin/readyz" >/dev/null; then
                cat "$DIR/server.out"
                return
            fi
        fi
        sleep 0.05
    done
    cat "$DIR/server.err" >&2
    return 1
}
end() { if [ -n "$1" ]; then kill "$1" 2>/dev/null || true; fi; }
stop() {
    end "${server:-}"
    end "${receiver:-}"
}
trap stop EXIT
"#;

/// A line of a page as it is run here: the built binary for cargo's, a free port for the usual one.
fn command(line: &str) -> String {
    let line = line.replace(":4010", ":$PORT").replace("./target/release/standin", "standin");
    match line.trim().strip_prefix("cargo run --release") {
        Some("") => "start".to_owned(),
        Some(rest) => {
            let arguments = rest.trim_start().trim_start_matches("--").trim_start();
            let serves = arguments.starts_with('-') || arguments.starts_with("serve");
            format!("{} {arguments}", if serves { "start" } else { "standin" })
        }
        None => line,
    }
}

/// Runs every `sh` block of a page in one session, and compares outputs with the `json` or `text` block that follows.
/// A block marked `sh fails` must fail, and what it says on standard error counts too.
fn run(path: &str, before: &str) {
    run_in(root(), path, before);
}

fn run_in(place: &Path, path: &str, before: &str) {
    let page = read(path);
    let all = markdown::blocks(&page);
    let mut pairs: Vec<(&Block, Option<&Block>)> = Vec::new();
    for block in &all {
        match block.language.as_str() {
            "sh" => pairs.push((block, None)),
            "json" | "text" => {
                if let Some((_, shown @ None)) = pairs.last_mut() {
                    *shown = Some(block);
                }
            }
            _ => {}
        }
    }
    assert!(!pairs.is_empty(), "{path} has no commands");
    let folder = tempfile::tempdir().unwrap();
    let mut script = String::from(PRELUDE);
    let _ = writeln!(script, "{before} >/dev/null");
    for (number, (block, _)) in pairs.iter().enumerate() {
        let commands: Vec<String> = block.text.lines().map(command).collect();
        let commands = commands.join("\n");
        let commands = match block.info == "fails" {
            true => format!("if {{\n{commands}\n}} 2>&1; then echo 'it does not fail' >&2; exit 1; fi"),
            false => commands,
        };
        let _ = writeln!(script, "echo {number} >\"$DIR/reached\"\n{{\n{commands}\n}} >\"$DIR/{number}.out\"");
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_standin"));
    let search = std::env::var_os("PATH").unwrap_or_default();
    let search =
        std::env::join_paths(binary.parent().into_iter().map(Path::to_path_buf).chain(std::env::split_paths(&search)));
    let output = Command::new("bash")
        .arg("-c")
        .arg(&script)
        .env("PATH", search.unwrap())
        .env("DIR", folder.path())
        .current_dir(place)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("bash is needed to run the commands of {path}: {error}"));
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    if !output.status.success() {
        let reached: usize = file("reached").trim().parse().unwrap_or(0);
        let (block, _) = pairs[reached];
        let words = String::from_utf8_lossy(&output.stderr);
        let answer = file(&format!("{reached}.out"));
        panic!("{path}:{}: the command fails:\n{}\n{words}\n{answer}", block.line, block.text);
    }
    let port = file("port");
    for (number, (block, shown)) in pairs.iter().enumerate() {
        let actual = file(&format!("{number}.out"));
        if block.text.contains("curl") {
            let problem =
                actual.contains("urn:standin:problem:") && !shown.is_some_and(|shown| shown.text.contains("urn:"));
            assert!(!problem, "{path}:{}: the call is refused:\n{}\n{actual}", block.line, block.text);
        }
        let Some(shown) = shown else { continue };
        let wanted = shown.text.replace("4010", port.trim());
        assert!(
            markdown::matches(&wanted, &actual),
            "{path}:{}: the page shows\n{}\nand the command gives\n{actual}",
            shown.line,
            shown.text
        );
    }
}

#[test]
fn the_commands_of_the_readme_do_what_it_shows() {
    run("README.md", "true");
}

#[test]
fn the_calls_of_the_control_api_do_what_the_page_shows() {
    run("docs/control-api.md", "start --freeze");
}

#[test]
fn the_calls_of_the_journal_do_what_the_page_shows() {
    run("docs/journal.md", "start --freeze");
}

#[test]
fn the_calls_of_the_faults_page_do_what_it_shows() {
    run("docs/faults.md", "start --freeze");
}

#[test]
fn the_commands_of_the_coverage_page_do_what_it_shows() {
    run("docs/coverage.md", "start --freeze");
}

#[test]
fn the_calls_of_the_limits_page_do_what_it_shows() {
    run("docs/limits.md", "start --freeze");
}

#[test]
fn the_calls_of_the_stubs_page_do_what_it_shows() {
    run("docs/stubs.md", "start --freeze");
}

#[test]
fn the_calls_of_the_webhooks_page_do_what_it_shows() {
    run("docs/webhooks.md", "true");
}

#[test]
fn the_commands_of_the_cli_page_do_what_it_shows() {
    run("docs/cli.md", "start --freeze");
}

#[test]
fn the_commands_of_the_page_on_ci_do_what_it_shows() {
    run("docs/ci.md", "start --freeze");
}

/// It changes fixtures, so it is taken in a copy.
#[test]
fn the_tour_goes_as_it_says() {
    let clone = tempfile::tempdir().unwrap();
    for folder in ["fixtures", "schemas"] {
        copy(&root().join(folder), &clone.path().join(folder));
    }
    run_in(clone.path(), "docs/tour.md", "true");
    for file in files("fixtures") {
        let [ours, theirs] = [root(), clone.path()].map(|root| fs::read(root.join(&file)).unwrap());
        assert!(ours == theirs, "{file} is not mended");
    }
}

fn pages() -> Vec<String> {
    let all = files("").into_iter().filter(|path| path.ends_with(".md") && !path.starts_with("fixtures/"));
    let pages: Vec<String> = all.filter(|path| !path.starts_with("tests/cases/")).collect();
    assert!(pages.len() >= 6, "{pages:?}");
    pages
}

#[test]
fn links_lead_somewhere() {
    let mut findings = Vec::new();
    for path in pages() {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in markdown::links(&read(&path)) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let full = if file.is_empty() { root().join(&path) } else { root().join(folder).join(file) };
            if !full.exists() {
                findings.push(format!("{path}:{line}: there is no `{file}`"));
            } else if !anchor.is_empty() {
                let known = markdown::anchors(&fs::read_to_string(&full).unwrap());
                if !known.iter().any(|known| known == anchor) {
                    findings.push(format!("{path}:{line}: `{file}` has no heading `#{anchor}`"));
                }
            }
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// A block whose fence names a file is an excerpt of it; a line `# …` stands for lines left out.
#[test]
fn excerpts_are_what_the_files_say() {
    let mut found = 0;
    // The files of the tutorial are the reader's: `tutorial.rs` writes them.
    for path in pages().into_iter().filter(|path| path != "docs/tutorial.md") {
        for block in markdown::blocks(&read(&path))
            .iter()
            .filter(|block| ["fixtures/", "tests/", ".vscode/"].iter().any(|tree| block.info.starts_with(tree)))
        {
            found += 1;
            let file = read(&block.info);
            let mut rest = file.as_str();
            let mut chunk = String::new();
            for line in block.text.lines().chain(["# …"]) {
                if line.trim() != "# …" {
                    chunk.push_str(line);
                    chunk.push('\n');
                    continue;
                }
                match rest.find(&chunk) {
                    Some(at) => rest = &rest[at + chunk.len()..],
                    None => {
                        panic!("{path}:{}: {} does not have, or not in this order:\n{chunk}", block.line, block.info)
                    }
                }
                chunk.clear();
            }
        }
    }
    assert!(found > 0, "no page quotes a file");
}

/// What the sources list, by patterns whose first group is the word.
fn listed(sources: &[String], patterns: &[&str]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for path in sources {
        let product = crate::rust::Source::new(&read(path)).product;
        for pattern in patterns {
            let pattern = Regex::new(pattern).unwrap();
            words.extend(pattern.captures_iter(&product).map(|found| found[1].to_owned()));
        }
    }
    words
}

/// Words that a page must have in backticks.
fn mentioned(path: &str, what: &str, words: &BTreeSet<String>, least: usize) {
    assert!(words.len() >= least, "only {} {what} were found in the sources: {words:?}", words.len());
    let page = read(path);
    let missing: Vec<&String> = words.iter().filter(|word| !page.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "{path} does not mention these {what}: {missing:?}");
}

fn rust_files(folder: &str) -> Vec<String> {
    files(folder).into_iter().filter(|path| path.ends_with(".rs")).collect()
}

#[test]
fn every_key_of_the_format_is_documented() {
    let keys = listed(
        &rust_files("src/pack"),
        &[
            r#"(?:fields|inner)\s*\.[a-z_]+\(\s*"([a-z][a-z-]*)""#,
            r#"(?:template|ignore_case)\(\s*&?(?:mut )?fields,\s*"([a-z][a-z-]*)""#,
            r#"\("([a-z]+)", EffectVerb::"#,
            r#"key\.name == "([a-z]+)""#,
            r#"matches!\(key\.name\.as_str\(\), "([a-z]+)""#,
            r#"key\.name\.as_str\(\), "[a-z]+" \| "([a-z]+)""#,
            r#"key\.name\.as_str\(\), "[a-z]+" \| "[a-z]+" \| "([a-z]+)""#,
            r#""([a-z-]+)" => choice\."#,
        ],
    );
    for known in
        ["pack", "case", "number", "create", "jwt", "each", "of", "by", "all", "any", "optional", "offset", "around"]
    {
        assert!(keys.contains(known), "the key `{known}` was not found in the sources: {keys:?}");
    }
    mentioned("docs/packs.md", "keys", &keys, 80);
}

#[test]
fn every_word_of_expressions_is_documented() {
    let words = listed(&["src/expr/tables.rs".to_owned()], &[r#"word\("([a-z0-9_]+)""#]);
    mentioned("docs/packs.md", "words", &words, 50);
}

#[test]
fn every_type_and_rejection_is_documented() {
    let types = listed(&["src/pack/resource.rs".to_owned()], &[r#"\("([a-z]+)", Sort::"#]);
    mentioned("docs/packs.md", "types", &types, 8);
    let rejections = listed(&["src/pack/operation.rs".to_owned()], &[r#"Refusal::\w+ => "([a-z-]+)""#]);
    mentioned("docs/packs.md", "rejections", &rejections, 8);
}

#[test]
fn every_route_of_the_control_plane_is_documented() {
    let product = crate::rust::Source::new(&read("src/control/routes.rs")).product;
    let pattern = Regex::new(r#"row\("([A-Z]+)", "([^"]+)""#).unwrap();
    let routes: BTreeSet<String> = pattern
        .captures_iter(&product)
        .map(|found| format!("{} /_standin{}", &found[1], found[2].trim_end_matches('/')))
        .collect();
    let (journal, others) = routes.into_iter().partition(|route| route.contains(" /_standin/journal"));
    mentioned("docs/journal.md", "routes of the journal", &journal, 5);
    mentioned("docs/control-api.md", "routes", &others, 20);
    let product = crate::rust::Source::new(&read("src/control/wiremock/routes.rs")).product;
    let calls = pattern.captures_iter(&product).map(|found| format!("{} /__admin{}", &found[1], &found[2])).collect();
    mentioned("docs/stubs.md", "calls of WireMock's", &calls, 30);
    // Members of mappings and conditions, as `Known` lists them.
    let sources =
        ["mapping", "request_read", "matcher_read", "answer", "delay"].map(|name| format!("src/stub/{name}.rs"));
    let mut members = listed(&sources, &[r#"(?m)^ +"([a-zA-Z0-9]+)",$"#]);
    // Those say nothing here, or are ids and texts of the mapping itself.
    for quiet in ["uuid", "persistent", "insertionIndex", "fromConfiguredStub", "statusMessage"] {
        assert!(members.remove(quiet), "{quiet}");
    }
    mentioned("docs/stubs.md", "members of mappings", &members, 30);
}

#[test]
fn every_page_of_the_dashboard_is_documented() {
    let product = crate::rust::Source::new(&read("src/ui/routes.rs")).product;
    let pattern = Regex::new(r#"get\("([^"]+)""#).unwrap();
    let pages: BTreeSet<String> = pattern.captures_iter(&product).map(|found| found[1].to_owned()).collect();
    let pages = pages.into_iter().filter(|path| !path.starts_with("/assets")).collect();
    mentioned("docs/dashboard.md", "pages", &pages, 10);
}

#[test]
fn every_problem_of_the_server_and_the_control_plane_is_documented() {
    let sources: Vec<String> = ["src/control", "src/server", "src/ui"].into_iter().flat_map(rust_files).collect();
    let slugs =
        listed(&sources, &[r#"Problem::(?:new|bad_request|not_found)\(\s*"([a-z-]+)""#, r#"conflict\(\s*"([a-z-]+)""#]);
    mentioned("docs/control-api.md", "types of problems", &slugs, 20);
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_standin")).args(arguments).arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_and_flag_is_documented() {
    let top = help(&[]);
    let commands = top.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 3, "{top}");
    let page = read("docs/cli.md");
    let flag = Regex::new(r"--[a-z][a-z-]*").unwrap();
    let mut missing = BTreeSet::new();
    for command in commands {
        if !page.contains(&format!("`standin {command}")) {
            missing.insert(format!("standin {command}"));
        }
        for found in flag.find_iter(&help(&[command])) {
            let known = [format!("`{}`", found.as_str()), format!("`{} ", found.as_str())];
            if !known.iter().any(|known| page.contains(known)) {
                missing.insert(format!("{command} {}", found.as_str()));
            }
        }
    }
    assert!(missing.is_empty(), "docs/cli.md does not mention {missing:?}");
}

#[test]
fn the_changelog_says_what_is_new() {
    let page = read("CHANGELOG.md");
    let news = page.split("\n## ").find(|part| part.starts_with("Unreleased"));
    assert!(news.is_some_and(|news| news.contains("\n- ")), "CHANGELOG.md has a part `Unreleased` with entries");
}
