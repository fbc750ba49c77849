//! The documentation's bytes: the eight JSON blocks of the page are stored as they are, and `check` replays them.

use serde_json::json;

use crate::documented::{report_of, stands_as_documented};

/// The JSON blocks of the page in their order, with the SHA-256 of the text between the fences.
const BLOCKS: [(&str, &str); 8] = [
    ("scopes/list.200.json", "b7faec42cd72f8ef9c85d366af61359caa5285fa2705d54df63576f160c3dda8"),
    ("clients/create.request.json", "e6978859ba3eb8d31c4bf72370bb389d472d58af95171522525468f622f307fa"),
    ("clients/create.200.json", "941061da4fa635c6b3f3c843455013355c3eef10f23059af382f8f76442772fc"),
    ("clients/list.200.json", "808bbb74dfe0801c10ced3b78c9c634ccd9f7941cb86a641f48ad50cf682b6c0"),
    ("clients/show.200.json", "d46febbff2396b16ff6df9b6b5aeeb75d7bcb048f70cb9609ed8a429635adb7a"),
    ("clients/update.request.json", "0347421d71a7af1f683659f60772dc63fdd0758bc0b778a6d4cb6d549a72dce4"),
    ("clients/update.200.json", "aa10a54fd01c4eeff07f210a3e95b850f5bc8c2312e93683065b1826dc9f665e"),
    ("clients/delete.200.json", "6e1367e02c257674bfd4387164f98e3d4f4d31866f5f85223ced09824cce7fd3"),
];

#[test]
fn documented_examples_are_the_documentations_bytes() {
    for (file, known) in BLOCKS {
        stands_as_documented(&format!("capillary/{file}"), known);
    }
}

/// A request is replayed with the answer that it has there.
#[test]
fn check_replays_every_documented_block() {
    let results = report_of("capillary");
    for (file, _) in BLOCKS {
        let answer = file.replace(".request", ".200");
        let result = results.get(&format!("capillary/{answer}"));
        let result = result.unwrap_or_else(|| panic!("{answer} is not replayed: {results:#?}"));
        assert_eq!(result["findings"], json!([]), "{result}");
        assert_eq!(result["declared"], 0, "{file} is replayed without a difference: {result}");
    }
}
