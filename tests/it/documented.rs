//! The documentation's bytes: what a page shows is stored as it is, and `check` replays it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use ring::digest;
use serde_json::Value as Json;

use crate::server::standin;
use crate::support::repository;

/// The JSON blocks of the two pages that the pack is about, with the SHA-256 of the text between the fences.
const BLOCKS: [(&str, &str); 13] = [
    (
        "customer-integrations/create-session.request.json",
        "3936f848e0df5e13ba3ff1f6b10cadd6875d5583a350ec0c097453ad3148fe94",
    ),
    (
        "customer-integrations/create-session.200.json",
        "78744d2340ec18ac1c21f13d08d633ab7a98012ad8bcb9c189ce03dd3bd5d895",
    ),
    ("customer-integrations/show.200.json", "48f37e3663e3a7e58bf3eefc5d30b0bba69bd95d92efa443111bd353e476c408"),
    ("customer-integrations/delete.200.json", "6eacfb9cc60e6569b443cc3d5f60a92b1a4ce14adb8c33b8a9d28f64bc05cc87"),
    ("customers/list.200.json", "7b0ab34936293839fedc28355a79909c6d554d7557874ce6b471bf8ebb931b81"),
    ("customers/show.200.json", "4d57a477d560bf81ae733cf54c59546db599e4ca305f9d7c6199ed5019372b44"),
    ("customers/settings.200.json", "530802da6e9fbe201c6d894c29aad4f2a734a68120ccc99659f0ae10c4e4c107"),
    ("customers/create.request.json", "9a769aa2f97709590d1a44ea0c11d053d3ddf2b53291160f931e7f6f677a7108"),
    ("customers/create.201.json", "1a2ba3d4fb9a1823b6e9f7d92112693e6baf098b07502cdfaa9391d81f88815d"),
    ("customers/update.request.json", "882777e1a30904ad4c8982b2e7a43ebda33df11c9f16bacc49a8ebce7cd25814"),
    ("customers/delete.200.json", "d2ce7368588cee91b1f4bfeae0e79ec4d54d89f02a05c187fb5a7eab6e615dd4"),
    (
        "customers/update-payment-status.request.json",
        "2670b61e98ff1d2273d5575f8a07810e1339b709125d570f879cfedd0d08e549",
    ),
    ("customers/update-payment-status.200.json", "a097e64f7d2bd996aad1bfd961668ce7d2587aa069caa6faef30de1c88c62b21"),
];

/// Checks that a fixture has the bytes with this SHA-256.
#[track_caller]
pub(crate) fn stands_as_documented(file: &str, known: &str) {
    let bytes = fs::read(repository("fixtures").join(file)).unwrap();
    let hash = digest::digest(&digest::SHA256, &bytes);
    let hex = hash.as_ref().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    });
    assert_eq!(hex, known, "{file} is not what the page shows");
}

/// What `standin check` says of each replay of a pack, by its name.
pub(crate) fn report_of(pack: &str) -> BTreeMap<String, Json> {
    listed(pack, "results")
}

/// The examples that are parts of others, with the reason that `standin check` lists.
pub(crate) fn fragments_of(pack: &str) -> BTreeMap<String, Json> {
    listed(pack, "fragments")
}

fn listed(pack: &str, list: &str) -> BTreeMap<String, Json> {
    let output = standin().args(["check", pack, "--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let items = report["packs"][0][list].as_array().unwrap().iter();
    items.map(|item| (item["name"].as_str().unwrap().to_owned(), item.clone())).collect()
}

#[test]
fn documented_examples_are_the_documentations_bytes() {
    for (file, known) in BLOCKS {
        stands_as_documented(&format!("reportei/{file}"), known);
    }
}

/// A request is replayed with the answer that it has there.
#[test]
fn check_replays_every_documented_block() {
    let results = report_of("reportei");
    for (file, _) in BLOCKS {
        let answer = file
            .replace("create.request", "create.201")
            .replace("update.request", "update.200")
            .replace(".request", ".200");
        // The page shows no answer of its own for a rename: it has the shape of another.
        let answer = answer.replace("customers/update.200.json", "customers/update.request.json");
        let result = results.get(&format!("reportei/{answer}"));
        let result = result.unwrap_or_else(|| panic!("{answer} is not replayed: {results:#?}"));
        assert_eq!(result["findings"], serde_json::json!([]), "{result}");
        assert_eq!(result["declared"], 0, "{file} is replayed without a difference: {result}");
    }
}
