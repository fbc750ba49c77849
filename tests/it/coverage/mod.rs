//! What requests exercise of packs, as the control plane, the command line and a server that ends tell it.

mod counted;
mod exec;
mod files;

use serde_json::Value as Json;

use crate::server::Server;

/// What was covered in a sandbox, as its control plane tells it.
#[track_caller]
fn covered(server: &Server) -> Json {
    server.control("GET", "/coverage", None).expect(200).json()
}

/// An operation of a report.
#[track_caller]
fn operation<'r>(report: &'r Json, id: &str) -> &'r Json {
    let packs = report["packs"].as_array().unwrap();
    let mut all = packs.iter().flat_map(|pack| pack["operations"].as_array().unwrap());
    all.find(|operation| operation["operation"] == id).unwrap_or_else(|| panic!("no operation {id}"))
}

/// How often an item of an operation was exercised: `status 200`, `error sold`, `example items/show.200.json`.
#[track_caller]
fn hits(report: &Json, id: &str, item: &str) -> u64 {
    let operation = operation(report, id);
    let Some((kind, name)) = item.split_once(' ') else { return operation["hits"].as_u64().unwrap() };
    let list = if kind == "status" { "statuses".to_owned() } else { format!("{kind}s") };
    let items = operation[&list].as_array().unwrap();
    let found =
        items.iter().find(|one| one[kind] == name || name.parse::<u16>().is_ok_and(|status| one[kind] == status));
    found.unwrap_or_else(|| panic!("{id} has no {item}: {operation}"))["hits"].as_u64().unwrap()
}

/// The items of an operation that were exercised, each once, in words.
#[track_caller]
fn exercised(report: &Json, id: &str) -> Vec<String> {
    let operation = operation(report, id);
    let lists = [("status", "statuses"), ("example", "examples"), ("error", "errors")];
    let mut found = Vec::new();
    for (kind, list) in lists {
        let items = operation[list].as_array().unwrap().iter().filter(|item| item["hits"] != 0);
        found.extend(items.map(|item| format!("{kind} {}", item[kind].to_string().trim_matches('"'))));
    }
    found
}
