//! The three JSON blocks of the page, with the SHA-256 of the text between the fences. The first, of the object itself, and
//! the third, of the call that retrieves it, are the same bytes: one file stands for both.

use serde_json::json;

use crate::documented::{report_of, stands_as_documented};

const BLOCKS: [(&str, &str, &str); 3] = [
    ("The integration object", "show.200.json", "204a6139f334f62916329ca917fb42fca17ac9766f1ae129a606b1df14ff86c0"),
    ("List all integrations", "list.200.json", "ca2a01636670ac221d361f61aa4fa71d193d839e364ca961d83c8ffe463800b7"),
    ("Retrieve a integration", "show.200.json", "204a6139f334f62916329ca917fb42fca17ac9766f1ae129a606b1df14ff86c0"),
];

#[test]
fn documented_examples_are_the_documentations_bytes() {
    for (_, file, known) in BLOCKS {
        stands_as_documented(&format!("optimizeplayer/integrations/{file}"), known);
    }
}

#[test]
fn check_replays_every_documented_block() {
    let results = report_of("optimizeplayer");
    for (heading, file, _) in BLOCKS {
        let result = results.get(&format!("optimizeplayer/integrations/{file}"));
        let result = result.unwrap_or_else(|| panic!("{heading}: {file} is not replayed: {results:#?}"));
        assert_eq!(result["findings"], json!([]), "{result}");
        assert_eq!(result["declared"], 0, "{file} is replayed without a difference: {result}");
    }
}
