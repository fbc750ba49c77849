//! `standin record`: a log becomes a scenario that passes, in which the same happens, and in which no secret stands.

mod refused;
mod told;
mod whatever;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::bundle::File;
use crate::server::{Server, standin};
use crate::support::text;

/// Sandboxes as scenario files.
struct Recorded {
    folder: TempDir,
    sandboxes: Vec<String>,
}

/// What a command said, and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    errors: String,
}

fn say(arguments: &[&str]) -> Said {
    let Output { status, stdout, stderr } = standin().args(arguments).output().unwrap();
    let [out, errors] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    Said { code: status.code().unwrap(), out, errors }
}

impl Recorded {
    /// What the server tells of sandboxes.
    #[track_caller]
    fn of<'s>(server: &Server, sandboxes: impl IntoIterator<Item = &'s str>) -> Recorded {
        let recorded = Recorded { folder: tempfile::tempdir().unwrap(), sandboxes: Vec::new() };
        let mut sandboxes: Vec<String> = sandboxes.into_iter().map(str::to_owned).collect();
        for sandbox in &sandboxes {
            let answer = server.get(&format!("/~{sandbox}/_standin/log?format=scenario"));
            assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/yaml")), "{answer}");
            let name = format!("attachment; filename=\"{sandbox}.yaml\"");
            assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
            fs::write(recorded.file(sandbox), &answer.body).unwrap();
        }
        sandboxes.sort();
        Recorded { sandboxes, ..recorded }
    }

    fn file(&self, sandbox: &str) -> PathBuf {
        self.folder.path().join(format!("{sandbox}.yaml"))
    }

    fn text(&self, sandbox: &str) -> String {
        fs::read_to_string(self.file(sandbox)).unwrap()
    }

    /// Runs them all, in sandboxes that stay. Gives which of these each is.
    #[track_caller]
    fn run(&self, server: &Server) -> Vec<(String, String)> {
        let report = self.folder.path().join("report.json");
        let written = format!("json={}", report.display());
        let folder = self.folder.path().to_str().unwrap();
        let files: Vec<String> = self.sandboxes.iter().map(|id| format!("{folder}/{id}.yaml")).collect();
        let url = server.url();
        let flags = ["run", "--target", &url, "--keep-sandboxes", "--report", &written];
        let said = say(&flags.into_iter().chain(files.iter().map(String::as_str)).collect::<Vec<_>>());
        assert_eq!(said.code, 0, "{}\n{}", said.out, said.errors);
        let report: Json = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
        let told = report["runs"].as_array().unwrap();
        assert_eq!(told.len(), self.sandboxes.len());
        let sandbox = |one: &Json| {
            let file = Path::new(text(one, "file")).file_stem().unwrap().to_str().unwrap().to_owned();
            (file, text(one, "sandbox").to_owned())
        };
        told.iter().map(sandbox).collect()
    }

    /// Each passes, and its log is the one that it was recorded from. Where it is done again, it gives the same bytes.
    #[track_caller]
    fn closed(&self, server: &Server) {
        for (then, now) in self.run(server) {
            assert_eq!(happened(server, &now), happened(server, &then), "{then}:\n{}", self.text(&then));
            File::of(server, &now).replay(&[]).same();
            self.silent(server, &then);
        }
    }

    /// No secret of the log stands in it.
    #[track_caller]
    fn silent(&self, server: &Server, sandbox: &str) {
        let told = self.text(sandbox);
        for secret in secrets(server, sandbox) {
            assert!(!told.contains(&secret), "{sandbox} tells {secret}:\n{told}");
        }
    }
}

fn log(server: &Server, sandbox: &str, more: &str) -> Vec<Json> {
    let path = format!("/~{sandbox}/_standin/log?limit=1000{more}");
    server.get(&path).expect(200).json()["records"].as_array().unwrap().clone()
}

/// Everything in a log that counts, without where it was called. What depends on real time is left out: when outcomes came.
fn happened(server: &Server, sandbox: &str) -> Vec<Json> {
    let entries = log(server, sandbox, "");
    let counted = entries.iter().filter(|entry| !["clock", "attempt", "outcome"].contains(&text(entry, "kind")));
    let shown = counted.map(|entry| match text(entry, "kind") {
        "exchange" => {
            let exchange = &entry["exchange"];
            let body = exchange["response"]["body"].to_string();
            let base = text(&exchange["request"], "base");
            json!({
                "at": entry["at"],
                "request": [exchange["request"]["method"], exchange["pack"], exchange["operation"]],
                "status": exchange["response"]["status"],
                // Pages escape it.
                "body": body.replace(base, "BASE").replace(&base.replace('/', "&#x2f;"), "BASE"),
                "delivery": exchange["delivery"],
                "changes": exchange["changes"],
                "deliveries": exchange["deliveries"],
            })
        }
        _ => {
            let mut entry = entry.clone();
            entry.as_object_mut().unwrap().remove("entry");
            entry
        }
    });
    shown.collect()
}

/// Every text that is hidden where the log is shown without secrets.
fn secrets(server: &Server, sandbox: &str) -> BTreeSet<String> {
    let [shown, masked] = ["&secrets=show", ""].map(|secrets| Json::from(log(server, sandbox, secrets)));
    let mut found = BTreeSet::new();
    hidden(&shown, &masked, "", &mut found);
    found
}

/// What stands in the place of masks.
fn hidden(shown: &Json, masked: &Json, name: &str, found: &mut BTreeSet<String>) {
    match (shown, masked) {
        (Json::Object(shown), Json::Object(masked)) => {
            for (name, value) in shown {
                hidden(value, &masked[name], name, found);
            }
        }
        (Json::Array(shown), Json::Array(masked)) => {
            shown.iter().zip(masked).for_each(|(one, other)| hidden(one, other, name, found));
        }
        (Json::String(shown), Json::String(masked)) if shown != masked => {
            let [one, other] = [shown, masked].map(|text| serde_json::from_str::<Json>(text));
            if let (Ok(one @ (Json::Object(_) | Json::Array(_))), Ok(other)) = (one, other) {
                return hidden(&one, &other, name, found);
            }
            let Some((before, behind)) = masked.split_once("•••").filter(|(_, behind)| !behind.contains("•••"))
            else {
                return;
            };
            let Some(rest) = shown.strip_prefix(before) else { return };
            let Some(secret) = rest.strip_suffix(behind) else { return };
            // A body that cannot be read is hidden as a whole.
            let is_word = |c: char| c.is_alphanumeric() || "-_.~+/=".contains(c);
            let is_whole = masked == "•••" && !secret.chars().all(is_word);
            let parts = if is_whole { secret.split(|c| !is_word(c)).collect() } else { vec![secret] };
            // Shorter ones are parts of other words; a name in the place of a value tells nothing.
            let is_secret = |part: &&str| part.len() >= 8 && *part != name && (!is_whole || part.contains('1'));
            found.extend(parts.into_iter().filter(is_secret).map(str::to_owned));
        }
        _ => {}
    }
}
