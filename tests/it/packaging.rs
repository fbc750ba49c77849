//! What stands in `packaging/`: every call of standin there is one that this standin understands.

use std::collections::BTreeSet;
use std::process::Command;

use regex::Regex;
use serde_json::Value as Json;

use crate::server::{Server, standin};
use crate::tree::{files, read};

/// The text behind a word that begins a line of the container file.
#[track_caller]
fn instruction(page: &str, word: &str) -> String {
    let found: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(word)).collect();
    assert!(!found.is_empty(), "no {word}");
    found.last().unwrap().trim().to_owned()
}

fn words(list: &str) -> Vec<String> {
    let Ok(Json::Array(words)) = serde_json::from_str(list) else { panic!("{list} is no list of words") };
    words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// What the image runs does run, and what tells its health finds it healthy.
#[test]
fn the_container_serves_and_knows_that_it_does() {
    let page = read("packaging/Containerfile");
    let program = words(&instruction(&page, "ENTRYPOINT "));
    assert_eq!(program, ["standin"]);
    let arguments = words(&instruction(&page, "CMD "));
    // The port is the one that the image exposes, unless it is said; here any will do.
    assert!(!arguments.iter().any(|argument| argument == "--port"), "{arguments:?}");
    assert_eq!(instruction(&page, "EXPOSE "), "4010");
    let mut command = standin();
    command.args(&arguments).args(["--port", "0", "--log", "off"]).env("STANDIN_TOKEN", "0123456789abcdef");
    let server = Server::spawn(command);
    let name = arguments.iter().skip_while(|argument| *argument != "--allow-host").nth(1).expect("--allow-host");
    for (host, status) in [(name.as_str(), 200), ("localhost", 200), ("elsewhere", 403)] {
        let request = format!("GET /_standin/readyz HTTP/1.1\r\nHost: {host}:4010\r\nConnection: close\r\n\r\n");
        let answer = server.raw(request.as_bytes());
        let line = String::from_utf8_lossy(&answer[..12.min(answer.len())]).into_owned();
        assert_eq!(line, format!("HTTP/1.1 {status}"), "{host}");
    }
    assert_eq!(server.get("/_standin/clock").status, 401, "the control plane asks for the token");

    let health = instruction(&page, "HEALTHCHECK ");
    let (_, check) = health.split_once("CMD ").unwrap();
    let check = words(check);
    let url = format!("http://127.0.0.1:{}", server.port());
    let is_healthy = |url: &str| standin().args(&check[1..]).env("STANDIN_URL", url).status().unwrap().code();
    assert_eq!((check[0].as_str(), is_healthy(&url)), ("standin", Some(0)));
    drop(server);
    assert_eq!(is_healthy(&url), Some(1));
    let user = instruction(&page, "USER ");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user} is root, or a name");
}

/// The minimum of Rust is that of the manifest.
#[test]
fn the_image_is_built_with_the_rust_that_is_needed() {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    let page = read("packaging/Containerfile");
    assert!(page.contains(&format!("FROM rust:{version}-")), "{version}: {page}");
}

/// Lines that call standin: the command with its own words, and its flags.
fn calls(text: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let call = Regex::new(r"(?m)(?:^|run: |\$ )standin (.*)$").unwrap();
    let mut found = Vec::new();
    for line in call.captures_iter(text) {
        // What is behind `--` is another program's.
        let own = line[1].split(" -- ").next().unwrap_or_default().to_owned();
        let words: Vec<String> = own.split_whitespace().map(str::to_owned).collect();
        let flags = words.iter().filter(|word| word.starts_with("--")).cloned().collect();
        let words = words.into_iter().take_while(|word| !word.starts_with("--")).collect();
        found.push((words, flags));
    }
    found
}

#[test]
fn the_workflow_calls_commands_with_flags_that_they_have() {
    let mut seen = BTreeSet::new();
    for path in files("packaging").iter().filter(|path| path.ends_with(".yml")) {
        let text = read(path);
        let found = calls(&text);
        assert!(!found.is_empty(), "{path} calls nothing");
        for (words, flags) in found {
            // `coverage merge` is a command within another.
            let help = |words: &[String]| {
                let output = Command::new(env!("CARGO_BIN_EXE_standin")).args(words).arg("--help").output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            };
            let name = &words[..1];
            let within =
                help(name).lines().any(|line| words.get(1).is_some_and(|word| line.trim().starts_with(&**word)));
            let depth = if within { 2 } else { 1 };
            let text = help(&words[..depth]);
            assert!(
                text.contains(&format!("Usage: standin {}", words[..depth].join(" "))),
                "{path}: {words:?}: {text}"
            );
            for flag in flags {
                let flag = flag.split('=').next().unwrap();
                assert!(
                    text.contains(&format!(" {flag} ")) || text.contains(&format!(" {flag}\n")),
                    "{path}: {words:?} has no {flag}"
                );
            }
            seen.insert(words[0].clone());
        }
    }
    for command in ["serve", "coverage", "run"] {
        assert!(seen.contains(command), "no workflow calls {command}: {seen:?}");
    }
}
