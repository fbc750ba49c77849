//! Shapes whose fields depend on the request.

use crate::errors::{check, failing, planted};

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
