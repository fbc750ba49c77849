//! Shapes whose fields depend on the request.

use crate::errors::{check, failing, planted};
use crate::server::case;

const LIST: &str = "fixtures/rooms/rooms/list.yaml";
const EXCEPT: &str = "\"= tables[query.for] if (query.for is defined) else []\"";

#[test]
fn fields_that_are_left_out_are_held_against_the_schema() {
    let folder =
        planted("except", "fixtures/rooms/rooms/tour.yaml", "else: fields", "else: { except: \"= ['kind']\" }");
    let out = failing(folder.path(), &["rooms"]);
    let culprit = "failed: rooms/rooms/tour.200.json\n  - the answer does not fit its own schema";
    assert!(out.contains(culprit) && out.contains("\"kind\" is a required property"), "{out}");
}

#[test]
fn what_is_no_list_of_texts_is_a_fault_of_the_pack() {
    for wrong in ["query.for|default(page.total)", "[query.for|default(page.total)]"] {
        let folder = planted("except", LIST, EXCEPT, &format!("\"= ({wrong}) if tables.plan else tables.sign\""));
        let output = check(folder.path(), &["rooms"]);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let out = failing(folder.path(), &["rooms"]);
        assert!(out.contains("is not a list of texts"), "{wrong}: {out}");
    }
}

#[test]
fn a_list_that_never_changes_leaves_out_the_same_everywhere() {
    let folder = planted("except", LIST, EXCEPT, "= tables.plan if tables.sign else tables.sign");
    let out = failing(folder.path(), &["rooms"]);
    assert!(out.contains("failed: rooms/rooms/list.200.json\n  - `/rooms/0/owner` is documented and missing"), "{out}");
    assert!(!out.contains("list.200.plan.json\n"), "{out}");
}

/// A list that may be empty has the shape of its records all the same.
#[test]
fn a_list_that_may_be_empty_shows_records_as_their_shape_says() {
    for list in ["page.records if query.all else []", "[] if not query.all else page.records"] {
        let old = "page.records if query.all else []";
        let folder = planted("secret-links", "fixtures/post/letters/list.yaml", old, list);
        let output = check(folder.path(), &["post", "--mutate"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_header_that_is_no_text_is_a_mistake_and_one_of_two_lines_is_told() {
    let (file, lang) = ("fixtures/post/letters/list.yaml", "  schema: letters");
    for (value, what) in [("page.records", "a list"), ("[1]", "a list"), ("request", "the request")] {
        let folder = planted("secret-links", file, lang, &format!("  headers: {{ x-all: \"= {value}\" }}\n{lang}"));
        let output = check(folder.path(), &["post"]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains(&format!("a header is one text, not {what}")), "{value}: {words}");
    }
    let server = case("secret-links", &[]);
    let answer = server.get("/letters/first-secret-link?lang=a%0Ab").expect(200);
    assert_eq!(answer.header("content-language"), None);
    let trace = server.control("GET", "/journal/1", None).expect(200).json()["exchange"]["trace"].clone();
    let failed: Vec<_> = trace.as_array().unwrap().iter().filter(|step| step["verdict"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{trace}");
    let words = failed[0]["detail"].as_str().unwrap();
    assert!(words.starts_with("the header `content-language` is left out"), "{words}");
}
